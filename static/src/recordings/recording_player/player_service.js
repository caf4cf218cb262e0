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
 * @typedef {Object} Origin the call of a recording
 * @property {number} callId
 * @property {string} title name of the client
 */

/**
 * Plays recordings, one at a time on the whole page.
 *
 * There is one audio element. Nothing is loaded before the first play, and the browser
 * requests the file in ranges.
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
        /** Where to start once the metadata are loaded, in seconds. */
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
            /** Peaks of the waveform by recording, from 0 to 1. */
            peaks: {},
            /** Number of players on the page, by recording. */
            shown: {},
            /** Whether the docked player has to take the focus. */
            wantsFocus: false,
            ...this.readPreferences(),
        });
    }

    // -----------------------------------------------------------------------
    // Playing
    // -----------------------------------------------------------------------

    /**
     * Play a recording, then the following ones of the call.
     *
     * @param {Recording} recording
     * @param {Recording[]} queue the available recordings of the call, in order
     * @param {Origin} origin
     * @param {number} [position] in seconds
     */
    play(recording, queue, origin, position = 0) {
        this.state.queue = queue;
        this.state.origin = origin;
        this.begin(recording, position);
    }

    /**
     * Play the available recordings of a call.
     *
     * @param {number} callId
     * @param {string} title name of the client
     * @param {(recording: Recording) => boolean} [isWanted]
     * @returns {Promise<boolean>} whether there are any
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
            // Interrupted by the next click, or also reported by the "error" event. Some
            // browsers require another click before they play sound.
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

    /** Stop, and release the file. */
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
    // Speed and volume, shared by all tabs
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
            // Loading a file resets the rate to the default.
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
    // Events of the audio element
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
        // Infinite until a file of unknown length has been read to its end.
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
        // Also by the system, for instance when headphones are unplugged.
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
    // Players on the page
    // -----------------------------------------------------------------------

    /**
     * Register a player of a recording; without one, the recording is docked.
     *
     * @param {Recording} recording
     * @returns {Function} unregisters it
     */
    attach({ id }) {
        const { shown } = this.state;
        shown[id] = (shown[id] || 0) + 1;
        return () => (shown[id] -= 1);
    }

    /** Load the waveform of the recording being played, unless it is too large. */
    async draw(recording) {
        const { peaks } = this.state;
        if (recording.id in peaks || !canDraw(recording)) {
            return;
        }
        peaks[recording.id] = []; // loading
        peaks[recording.id] = await readPeaks(this.recordings.audioUrl(recording));
    }
}

export const playerService = {
    dependencies: PlayerService.dependencies,
    start: (env, services) => new PlayerService(env, services),
};

registry.category("services").add("mango_office.player", playerService);
