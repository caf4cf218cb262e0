import { registry } from "@web/core/registry";
import { closeCard, cue } from "./mango_office_tour_utils";

const tours = registry.category("web_tour.tours");
const IVAN = "Иван Петров";
const DOCK = ".o_mango_player_dock .o_mango_player";

/**
 * @param {string} row of the log
 * @param {string} state
 * @param {string} [inside] of the cell
 * @returns {Object} a step
 */
function recordingIs(row, state, inside = "") {
    return {
        content: `the recording is "${state}"`,
        trigger: `${row} .o_mango_recording[data-state=${state}] ${inside}`,
    };
}

/**
 * Seek, and check that the player continues from there.
 *
 * @param {string} player
 * @param {number} seconds
 * @returns {Object[]} steps
 */
function seek(player, seconds) {
    return [
        { trigger: `${player} .o_mango_player_seek input`, run: `range ${seconds}` },
        elapsedIs(player, seconds + 1),
    ];
}

function elapsedIs(player, seconds) {
    const digits = String(seconds).padStart(2, "0");
    return {
        content: `${seconds} seconds are heard`,
        trigger: `${player}[data-status=playing] .o_mango_player_elapsed:contains(0:${digits})`,
    };
}

/** The browser has requested ranges of the file. */
function heardInParts() {
    return {
        content: "the file came in parts",
        trigger: "body",
        run() {
            const entries = performance
                .getEntriesByType("resource")
                .filter((entry) => /mango\.recording\/\d+\/audio$/.test(entry.name));
            const statuses = entries.map((entry) => entry.responseStatus);
            if (!statuses.length || statuses.some((status) => status !== 206)) {
                throw new Error(`the audio was answered with: ${statuses}`);
            }
        },
    };
}

/**
 * Listen to a recording in the list, seek, and listen to its end on the call's form.
 *
 * @param {string} row of the log
 * @returns {Object[]} steps
 */
function listen(row) {
    return [
        { ...recordingIs(row, "ready", ".o_mango_play"), run: "click" },
        elapsedIs(DOCK, 1),
        ...seek(DOCK, 5),
        heardInParts(),
        {
            content: "the call, with the same player in it",
            trigger: ".o_mango_player_dock .o_mango_player_origin",
            run: "click",
        },
        { trigger: ".o_mango_recordings .o_mango_player[data-status=playing]" },
        { content: "not twice", trigger: "body:not(:has(.o_mango_player_dock))" },
    ];
}

/** @returns {Object[]} steps on the form of a call while it plays */
function listenToTheEnd() {
    return [
        {
            trigger: ".o_mango_recordings .o_mango_player_seek input",
            run({ anchor }) {
                anchor.value = Number(anchor.max) - 1;
                anchor.dispatchEvent(new Event("input", { bubbles: true }));
            },
        },
        { trigger: ".o_mango_recordings .o_mango_player[data-status=ended]" },
    ];
}

/** A salesperson listens to an available recording. */
tours.add("mango_office_recording_played", {
    steps: () => [...listen(".o_data_row:first"), ...listenToTheEnd()],
});

/** A salesperson requests the recording of the last call, and listens to it. */
tours.add("mango_office_recording_requested", {
    steps: () => {
        const row = `.o_data_row:first:contains('${IVAN}')`;
        return [
            ...closeCard(),
            { ...recordingIs(row, "announced", ".o_mango_request"), run: "click" },
            {
                content: "it is on its way, or there already",
                trigger: `${row} .o_mango_recording:not([data-state=announced])`,
            },
            ...listen(row),
            { content: "there is room for it", trigger: ".o_mango_recordings .o_mango_waveform" },
            ...listenToTheEnd(),
        ];
    },
});

/** A supervisor requests the two recordings of a call, and hears one after the other. */
tours.add("mango_office_two_recordings", {
    steps: () => {
        const players = ".o_mango_recordings .o_mango_player";
        return [
            { ...recordingIs(`.o_data_row:first:contains('${IVAN}')`, "announced"), run: "click" },
            { trigger: ".o_mango_recording_row:eq(0) .o_mango_request", run: "click" },
            { trigger: ".o_mango_recording_row:eq(1) .o_mango_request", run: "click" },
            {
                content: "both come by themselves, each with its employee",
                trigger: `${players}[aria-label*='Анна']`,
            },
            { trigger: `${players}[aria-label*='Борис']` },
            {
                trigger: ".o_mango_recording_row:eq(0) .o_mango_player_rate",
                run: "select 3",
            },
            { trigger: ".o_mango_recording_row:eq(0) .o_mango_player_toggle", run: "click" },
            {
                content: "the second begins where the first has ended",
                trigger:
                    ".o_mango_recording_row:eq(1) .o_mango_player[data-status=playing] .o_mango_player_elapsed:contains(0:02)",
                timeout: 30000,
            },
            { trigger: ".o_mango_recording_row:eq(0) .o_mango_player[data-status=paused]" },
        ];
    },
});

/** A supervisor listens to a colleague's call, which is logged. */
tours.add("mango_office_recording_of_colleague", {
    steps: () => {
        const row = ".o_data_row:first";
        return [
            { ...recordingIs(row, "announced", ".o_mango_request"), run: "click" },
            { ...recordingIs(row, "ready", ".o_mango_play"), run: "click" },
            { ...elapsedIs(DOCK, 1), run: () => cue("heard") },
            { trigger: "[data-menu-xmlid='mango_office.mango_recording_menu']", run: "click" },
            { trigger: ".o_last_breadcrumb_item:contains(Recordings)" },
            {
                content: "it plays on while its list is looked at",
                trigger: DOCK,
            },
            { trigger: `${row} td[name=started_at]`, run: "click" },
            {
                content: "who has listened",
                trigger: ".o_field_widget[name=play_ids] .o_data_row:contains('Вера')",
            },
        ];
    },
});
