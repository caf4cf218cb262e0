import { Component, useEffect, useRef, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";
import { clamp, formatFloat } from "@web/core/utils/numbers";
import { formatDuration } from "../../calls/duration_field/duration_field";
import { RATES } from "./player_service";
import { drawPeaks } from "./waveform";

const JUMP = 5; // seconds
const VOLUME_STEP = 0.1;

/** By physical key, since letters differ between keyboard layouts. */
const KEYS = {
    Space: "toggle",
    KeyK: "toggle",
    KeyJ: "back",
    ArrowLeft: "back",
    KeyL: "forward",
    ArrowRight: "forward",
    ArrowUp: "louder",
    ArrowDown: "quieter",
    KeyM: "mute",
    Home: "toStart",
    End: "toEnd",
};

/** Fallback for keyboards that only report the character, such as on-screen ones. */
function codeOf({ code, key }) {
    if (code) {
        return code;
    }
    const letter = key.length === 1 && `Key${key.toUpperCase()}`;
    return key === " " ? "Space" : letter || key;
}

/**
 * The controls of one recording. There may be several on a page; the state of the one
 * being played comes from the player service.
 */
export class RecordingPlayer extends Component {
    static template = "mango_office.RecordingPlayer";
    static props = {
        recording: Object, // see `recording_service.js`
        play: Function, // (position) => void, for a recording that is not the current one
        isDocked: { type: Boolean, optional: true },
        slots: { type: Object, optional: true }, // additional buttons
    };

    setup() {
        this.player = useService("mango_office.player");
        this.recordings = useService("mango_office.recording");
        this.state = useState(this.player.state);
        this.toggleButton = useRef("toggle");
        this.rates = RATES;
        if (!this.props.isDocked) {
            useEffect(
                () => this.player.attach(this.props.recording),
                () => [this.props.recording.id]
            );
        }
        useEffect(
            (hasSound) => {
                if (hasSound && this.hasRoom) {
                    this.player.draw(this.props.recording);
                }
            },
            () => [this.status === "playing"]
        );
        useEffect(
            (wantsFocus) => {
                if (wantsFocus && this.props.isDocked) {
                    this.state.wantsFocus = false;
                    this.toggleButton.el.focus();
                }
            },
            () => [this.state.wantsFocus]
        );
    }

    // -- display ------------------------------------------------------------------

    get recording() {
        return this.props.recording;
    }
    get isCurrent() {
        return this.state.track?.id === this.recording.id;
    }
    get status() {
        return this.isCurrent ? this.state.status : "paused";
    }
    get isPlaying() {
        return ["loading", "playing"].includes(this.status);
    }
    get position() {
        return this.isCurrent ? Math.min(this.state.position, this.duration) : 0;
    }
    get duration() {
        return (this.isCurrent && this.state.duration) || this.recording.duration;
    }
    get elapsedText() {
        return formatDuration(Math.floor(this.position));
    }
    get totalText() {
        return formatDuration(this.duration);
    }
    get positionText() {
        return _t("%(elapsed)s of %(total)s", {
            elapsed: this.elapsedText,
            total: this.totalText,
        });
    }
    get progress() {
        return this.duration ? this.position / this.duration : 0;
    }

    get label() {
        const { employee } = this.recording;
        return employee ? _t("Recording of %s", employee) : _t("Recording");
    }
    get toggleTitle() {
        return this.isPlaying ? _t("Pause") : _t("Play");
    }
    get toggleIcon() {
        if (this.status === "loading") {
            return "fa-circle-o-notch fa-spin";
        }
        return this.isPlaying ? "fa-pause" : "fa-play";
    }
    get muteTitle() {
        return this.state.isMuted ? _t("Sound on") : _t("Mute");
    }
    get muteIcon() {
        const { isMuted, volume } = this.state;
        if (isMuted || !volume) {
            return "fa-volume-off";
        }
        return volume < 0.5 ? "fa-volume-down" : "fa-volume-up";
    }
    get volumeText() {
        return `${Math.round((this.state.isMuted ? 0 : this.state.volume) * 100)}%`;
    }
    /** @returns {string} text of the live region for screen readers */
    get statusText() {
        const texts = {
            loading: _t("Loading"),
            playing: _t("Playing"),
            ended: _t("The end"),
            failed: this.state.error,
        };
        return (this.isCurrent && texts[this.status]) || "";
    }
    rateText(rate) {
        return `${formatFloat(rate, { trailingZeros: false })}×`;
    }

    // -- the waveform ----------------------------------------------------------------

    get hasRoom() {
        return !this.env.isSmall && !this.props.isDocked;
    }
    get waveform() {
        const peaks = (this.hasRoom && this.state.peaks[this.recording.id]) || [];
        return peaks.length ? { width: peaks.length, path: drawPeaks(peaks) } : null;
    }

    // -- actions ----------------------------------------------------------------------

    toggle() {
        if (this.isCurrent) {
            this.player.toggle();
        } else {
            this.props.play(0);
        }
    }

    seek(position) {
        if (this.isCurrent) {
            this.player.seek(position);
        } else {
            this.props.play(clamp(position, 0, this.duration));
        }
    }

    onSeek(ev) {
        this.seek(Number(ev.target.value));
    }

    back() {
        this.seek(this.position - JUMP);
    }

    forward() {
        this.seek(this.position + JUMP);
    }

    toStart() {
        this.seek(0);
    }

    toEnd() {
        this.seek(this.duration);
    }

    louder() {
        this.player.setVolume(this.state.volume + VOLUME_STEP);
    }

    quieter() {
        this.player.setVolume(this.state.volume - VOLUME_STEP);
    }

    mute() {
        this.player.toggleMute();
    }

    onRate(ev) {
        this.player.setRate(Number(ev.target.value));
    }

    onVolume(ev) {
        this.player.setVolume(Number(ev.target.value));
    }

    /** Keys of the whole player, unless the focused control uses them itself. */
    onKeydown(ev) {
        const code = codeOf(ev);
        const action = KEYS[code];
        if (!action || ev.altKey || ev.ctrlKey || ev.metaKey || ev.shiftKey) {
            return;
        }
        const isOwn =
            ev.target.closest("select") ||
            (code === "Space" && ev.target.closest("button, a")) ||
            (!/^Key|^Space/.test(code) && ev.target.closest(".o_mango_player_volume"));
        if (isOwn) {
            ev.stopPropagation();
            return;
        }
        ev.preventDefault();
        ev.stopPropagation();
        this[action]();
    }
}
