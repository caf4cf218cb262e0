import { reactive } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";
import { clamp } from "@web/core/utils/numbers";
import { canDraw, readPeaks } from "./waveform";

const PREFERENCES_KEY = "mango_office.player";
export const RATES = [0.5, 0.75, 1, 1.25, 1.5, 2, 3];

/**
 * @typedef {import("./recording_service").Recording} Recording
 *
 * @typedef {Object} Origin the call that is listened to
 * @property {number} callId
 * @property {string} title who called
 */

/**
 * Plays recordings, one at a time on the whole page.
 *
 * There is one audio element. Nothing is loaded before the first play, and the browser
 * asks for as much of the file as it needs.
 */
export class PlayerService {
    static dependencies = ["mango_office.recording"];

    /**
     * @param {import("@web/env").OdooEnv} env
     * @param {Object} services
     */
    constructor(env, services) {
        this.recordings = services["mango_office.recording"];
        this.audio = null;
        /** Where to begin once the browser knows the file. */
        this.startAt = 0;
        this.state = reactive({
            /** @type {Recording | null} */
            track: null,
            /** @type {Recording[]} of the same call, in order */
            queue: [],
            /** @type {Origin | null} */
            origin: null,
            /** @type {"loading" | "playing" | "paused" | "ended" | "failed"} */
            status: "paused",
            error: "",
            position: 0, // seconds
            duration: 0,
            rate: 1,
            volume: 1,
            isMuted: false,
            /** By recording: loudness from 0 to 1, over the length. */
            peaks: {},
            /** By recording: how many players of its own are on the page. */
            shown: {},
            /** The docked player is to take the focus. */
            wantsFocus: false,
            ...this.readPreferences(),
        });
    }

    // -----------------------------------------------------------------------
    // What is played
    // -----------------------------------------------------------------------

    /**
     * Play a recording, then those of the call that follow it.
     *
     * @param {Recording} recording
     * @param {Recording[]} queue those of the call that are ready, in order
     * @param {Origin} origin
     * @param {number} [position] seconds to begin at
     */
    play(recording, queue, origin, position = 0) {
        this.state.queue = queue;
        this.state.origin = origin;
        this.begin(recording, position);
    }

    /**
     * Play what there is to hear of a call.
     *
     * @param {number} callId
     * @param {string} title who called
     * @param {(recording: Recording) => boolean} [isWanted]
     * @returns {Promise<boolean>} whether there is something
     */
    async playCall(callId, title, isWanted = () => true) {
        const all = (await this.recordings.load(callId)) || [];
        const queue = all.filter((recording) => recording.state === "ready" && isWanted(recording));
        if (queue.length) {
            this.state.wantsFocus = true;
            this.play(queue[0], queue, { callId, title });
        }
        return Boolean(queue.length);
    }

    begin(recording, position = 0) {
        const { state } = this;
        this.prepare();
        state.track = recording;
        state.error = "";
        state.position = position;
        state.duration = recording.duration;
        this.startAt = position;
        this.audio.src = this.recordings.audioUrl(recording);
        this.applySettings();
        this.start();
        this.recordings.logPlay(recording);
    }

    async start() {
        const { track } = this.state;
        this.state.status = "loading";
        try {
            await this.audio.play();
        } catch (error) {
            // Interrupted by the next click, or told by the event "error" as well. Some
            // browsers want one more click before there may be a sound.
            if (error.name === "NotAllowedError" && this.state.track === track) {
                this.state.status = "paused";
            }
        }
    }

    toggle() {
        if (!this.state.track) {
            return;
        }
        if (["loading", "playing"].includes(this.state.status)) {
            this.audio.pause();
            this.state.status = "paused";
        } else if (["ended", "failed"].includes(this.state.status)) {
            this.begin(this.state.track);
        } else {
            this.start();
        }
    }

    /** @param {number} position seconds */
    seek(position) {
        const { state } = this;
        if (!state.track || state.status === "failed") {
            return;
        }
        state.position = clamp(position, 0, state.duration);
        if (this.audio.readyState) {
            this.audio.currentTime = state.position;
        } else {
            this.startAt = state.position;
        }
        if (state.status === "ended") {
            state.status = "paused";
        }
    }

    /** Stop, and let go of the file. */
    close() {
        if (!this.state.track) {
            return;
        }
        Object.assign(this.state, { track: null, queue: [], origin: null, status: "paused" });
        this.audio.pause();
        this.audio.removeAttribute("src");
        this.audio.load();
    }

    // -----------------------------------------------------------------------
    // How it sounds, as the user likes it, in every tab
    // -----------------------------------------------------------------------

    setRate(rate) {
        this.change({ rate: clamp(rate, RATES.at(0), RATES.at(-1)) });
    }

    setVolume(volume) {
        this.change({ volume: clamp(volume, 0, 1), isMuted: false });
    }

    toggleMute() {
        this.change({ isMuted: !this.state.isMuted });
    }

    change(preferences) {
        Object.assign(this.state, preferences);
        const { rate, volume } = this.state;
        browser.localStorage.setItem(PREFERENCES_KEY, JSON.stringify({ rate, volume }));
        this.applySettings();
    }

    applySettings() {
        if (this.audio) {
            const { rate, volume, isMuted } = this.state;
            // A file that is loaded begins at the default rate.
            this.audio.defaultPlaybackRate = rate;
            this.audio.playbackRate = rate;
            this.audio.volume = volume;
            this.audio.muted = isMuted;
        }
    }

    readPreferences() {
        let stored;
        try {
            stored = JSON.parse(browser.localStorage.getItem(PREFERENCES_KEY));
        } catch {
            stored = null;
        }
        const { rate, volume } = stored || {};
        return {
            ...(RATES.includes(rate) && { rate }),
            ...(volume >= 0 && volume <= 1 && { volume }),
        };
    }

    // -----------------------------------------------------------------------
    // What the browser tells
    // -----------------------------------------------------------------------

    prepare() {
        if (this.audio) {
            return;
        }
        this.audio = new browser.Audio();
        this.audio.preload = "none";
        const hear = (type, callback) =>
            this.audio.addEventListener(type, () => this.state.track && callback());
        hear("loadedmetadata", () => this.onLoaded());
        hear("durationchange", () => this.onLoaded());
        hear("timeupdate", () => this.onTime());
        hear("playing", () => (this.state.status = "playing"));
        hear("waiting", () => (this.state.status = "loading"));
        hear("pause", () => this.onPause());
        hear("ended", () => this.onEnded());
        hear("error", () => this.onError());
    }

    onLoaded() {
        // Endless until a file without a length was read to its end.
        if (Number.isFinite(this.audio.duration)) {
            this.state.duration = this.audio.duration;
        }
        if (this.startAt && this.audio.readyState) {
            this.audio.currentTime = this.startAt;
            this.startAt = 0;
        }
    }

    onTime() {
        if (!this.startAt) {
            this.state.position = this.audio.currentTime;
        }
    }

    onPause() {
        // Also by the system: headphones were pulled out, somebody rings.
        if (this.state.status === "playing") {
            this.state.status = "paused";
        }
    }

    onEnded() {
        const { queue, track } = this.state;
        const next = queue[queue.findIndex(({ id }) => id === track.id) + 1];
        if (next) {
            this.begin(next);
        } else {
            this.state.status = "ended";
        }
    }

    async onError() {
        const { track } = this.state;
        this.state.status = "failed";
        const error = await this.recordings.whyNot(track);
        if (this.state.track === track) {
            this.state.error = error;
        }
    }

    // -----------------------------------------------------------------------
    // Where it is shown
    // -----------------------------------------------------------------------

    /**
     * A player of its own shows a recording; without one, it is docked.
     *
     * @param {Recording} recording
     * @returns {Function} ends it
     */
    attach({ id }) {
        const { shown } = this.state;
        shown[id] = (shown[id] || 0) + 1;
        return () => (shown[id] -= 1);
    }

    /** Draw the loudness of a recording that is played, unless that is too much work. */
    async draw(recording) {
        const { peaks } = this.state;
        if (recording.id in peaks || !canDraw(recording)) {
            return;
        }
        peaks[recording.id] = []; // being read
        peaks[recording.id] = await readPeaks(this.recordings.audioUrl(recording));
    }
}

export const playerService = {
    dependencies: PlayerService.dependencies,
    start: (env, services) => new PlayerService(env, services),
};

registry.category("services").add("mango_office.player", playerService);
