import { click, queryFirst, waitFor } from "@odoo/hoot-dom";
import { registry } from "@web/core/registry";
import { cue } from "./mango_office_tour_utils";

// Names and selectors only, since this runs in English and in Russian.
const MOBILE = "+74950000201";
const STEPS = ["connection", "staff", "inbound", "outbound", "recording", "statistics"];
/** Waiting for the statistics, in milliseconds: the PBX may be busy with other orders. */
const STATISTICS_TIMEOUT = 30000;

const row = (step) => `.o_data_row:nth-child(${STEPS.indexOf(step) + 1})`;

/**
 * Press a button of the wizard, and wait until it is reopened.
 *
 * @param {string} name of the button
 * @returns {Object[]} steps
 */
function press(name) {
    return [
        {
            trigger: `.modal:not(.o_mango_pressed) button[name=${name}]:enabled`,
            run({ anchor, click }) {
                anchor.closest(".modal").classList.add("o_mango_pressed");
                return click();
            },
        },
        {
            content: `what came of ${name} is shown`,
            trigger: `.modal:not(.o_mango_pressed) .o_data_row`,
        },
    ];
}

/** @returns {Object} a step that waits for the result of a step of the wizard */
function isJudged(step, color, run) {
    return {
        content: `${step} is ${color}`,
        trigger: `.modal ${row(step)} .badge.text-bg-${color}`,
        run,
    };
}

/** @returns {Object[]} the steps of checking once and continuing */
function isGreen(step) {
    return [...press("action_look"), isJudged(step, "success"), ...press("action_next")];
}

/** @returns {Object} a step that checks again and again, like a person who is told to */
function lookUntilGreen(step) {
    const look = ".modal:not(.o_mango_pressed) button[name=action_look]:enabled";
    const green = `.modal ${row(step)} .badge.text-bg-success`;
    return {
        content: `${step} is green in the end`,
        trigger: look,
        timeout: STATISTICS_TIMEOUT,
        async run() {
            while (!queryFirst(green)) {
                const button = await waitFor(look, { timeout: STATISTICS_TIMEOUT });
                button.closest(".modal").classList.add("o_mango_pressed");
                await click(button);
                await waitFor(".modal:not(.o_mango_pressed) .o_data_row", {
                    timeout: STATISTICS_TIMEOUT,
                });
            }
        },
    };
}

/** @returns {Object} a step that waits until the phones are done */
const othersAreDone = {
    trigger: "body.o_mango_go_on",
    run: () => document.body.classList.remove("o_mango_go_on"),
};

/** The self-test succeeds: real calls, and every step is green. */
registry.category("web_tour.tours").add("mango_office_self_test", {
    steps: () => [
        { trigger: "button[name=action_self_test]", run: "click" },
        { trigger: ".modal .o_field_widget[name=mobile] input", run: `edit ${MOBILE}` },
        ...isGreen("connection"),
        ...isGreen("staff"),
        ...press("action_look"),
        isJudged("inbound", "300", () => cue("call now")),
        othersAreDone,
        ...isGreen("inbound"),
        ...press("action_call"),
        isJudged("outbound", "300", () => cue("own phone rings")),
        othersAreDone,
        ...isGreen("outbound"),
        ...press("action_look"),
        isJudged("recording", "300", () => cue("recording asked for")),
        othersAreDone,
        ...press("action_look"),
        isJudged("recording", "success"),
        {
            content: "it can be listened to",
            trigger: ".modal .o_field_widget[name=recording_ids] .o_mango_play",
            run: "click",
        },
        { trigger: ".o_mango_player_dock" },
        ...isGreen("recording"),
        lookUntilGreen("statistics"),
        ...press("action_next"),
        {
            content: "all is well, and can be printed",
            trigger:
                ".modal:not(:has(.o_data_row .badge:not(.text-bg-success))) button[name=action_print]",
        },
        { trigger: ".modal button[special=cancel]", run: "click" },
        { trigger: "body:not(:has(.modal))" },
    ],
});
