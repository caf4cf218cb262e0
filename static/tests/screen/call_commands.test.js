import { advanceTime, animationFrame, beforeEach, describe, expect, test } from "@odoo/hoot";
import { press, queryAllTexts } from "@odoo/hoot-dom";
import {
    asyncStep,
    contains,
    getService,
    mountWithCleanup,
    onRpc,
    patchWithCleanup,
    waitForSteps,
} from "@web/../tests/web_test_helpers";
import { CallMenu } from "@mango_office/screen/systray/call_menu";
import { defineMangoOfficeModels, makeCard, useTelephony } from "../mango_office_test_helpers";

describe.current.tags("desktop");
defineMangoOfficeModels();

beforeEach(() => {
    onRpc("res.users", "mango_recent", () => []);
    onRpc("res.users", "mango_search", ({ args }) => {
        asyncStep(`search ${args[1]}`);
        return [
            {
                name: "Ivan Petrov",
                number: "+7 495 000-02-01",
                dial: "+74950000201",
                res_model: "res.partner",
                res_id: 17,
            },
        ];
    });
});

async function mountCalls(...cards) {
    await mountWithCleanup(CallMenu);
    const calls = getService("mango_office.call");
    patchWithCleanup(calls, {
        call: (number, { resModel, resId }) => asyncStep(`call ${number} ${resModel} ${resId}`),
        hangUp: ({ call_id }) => asyncStep(`hang up ${call_id}`),
    });
    calls.state.cards = cards;
    await animationFrame();
}

/** Type in Odoo's command palette. */
async function look(text) {
    await press(["control", "k"]);
    await animationFrame();
    await contains(".o_command_palette_search input").edit(text, { confirm: false });
    await advanceTime(500);
    await animationFrame();
}

test("shortcut of the dial pad", async () => {
    useTelephony();
    await mountCalls();
    await press(["alt", "shift", "p"]);
    await animationFrame();
    expect("[data-tab=dial].active").toHaveCount(1);
    expect(".o_mango_dial_input").toHaveCount(1);
});

test("shortcut to hang up the most urgent call, if possible", async () => {
    useTelephony();
    await mountCalls(makeCard({ can_hang_up: true, phase: "talking" }));
    await press(["alt", "shift", "e"]);
    await waitForSteps(["hang up 1"]);
    getService("mango_office.call").state.cards = [makeCard()];
    await press(["alt", "shift", "e"]);
    await waitForSteps([]);
});

test("the command palette lists the commands", async () => {
    useTelephony();
    await mountCalls(makeCard({ can_hang_up: true }));
    await look("hang");
    expect(queryAllTexts(".o_command_name")[0]).toBe("Hang up");
});

test("the command palette calls a contact", async () => {
    useTelephony();
    await mountCalls();
    await look("call ivan");
    await waitForSteps(["search ivan"]);
    expect(queryAllTexts(".o_command_name")).toInclude("Call Ivan Petrov, +7 495 000-02-01");
    await contains(".o_command:contains('Ivan Petrov')").click();
    await waitForSteps(["call +74950000201 res.partner 17"]);
});

test("no search without an extension", async () => {
    useTelephony([], false);
    await mountCalls();
    await look("call ivan");
    await waitForSteps([]);
});
