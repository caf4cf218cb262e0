import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { press, queryAllTexts, waitFor } from "@odoo/hoot-dom";
import { advanceTime, animationFrame, mockDate } from "@odoo/hoot-mock";
import {
    asyncStep,
    contains,
    getService,
    mockService,
    mountWithCleanup,
    onRpc,
    patchWithCleanup,
    waitForSteps,
} from "@web/../tests/web_test_helpers";
import { CallMenu } from "@mango_office/systray/call_menu";
import { registry } from "@web/core/registry";
import { session } from "@web/session";
import { defineMangoOfficeModels, useTelephony } from "./mango_office_test_helpers";

describe.current.tags("desktop");
defineMangoOfficeModels();

const ROW = {
    id: 8,
    direction: "inbound",
    result: "missed",
    name: "Ivan Petrov",
    number: "+7 495 000-02-01",
    dial: "+74950000201",
    started_at: "2026-01-01 10:00:00",
    talk_duration: 0,
    called_back: false,
};
const IVAN = {
    type: "partner",
    id: 17,
    name: "Ivan Petrov",
    detail: "Vector",
    number: "+7 495 000-02-01",
    dial: "+74950000201",
    res_model: "res.partner",
    res_id: 17,
};
let lists;

beforeEach(() => {
    mockDate("2026-01-01 12:00:00");
    useTelephony();
    lists = { missed: [], recent: [] };
    onRpc("res.users", "mango_recent", () => {
        asyncStep("read");
        return lists;
    });
    onRpc("res.users", "mango_missed_seen", () => {
        asyncStep("seen");
        return 0;
    });
    onRpc("res.users", "mango_search", ({ args }) => {
        asyncStep(`search ${args[1]}`);
        return args[1] === "ivan" ? [IVAN] : [];
    });
});

/** @param {Object} [values] of the service's state */
async function mountMenu(values = {}) {
    await mountWithCleanup(CallMenu);
    const calls = getService("mango_office.call");
    patchWithCleanup(calls, {
        call: (number, { resModel, resId } = {}) =>
            asyncStep(["call", number, resModel, resId].filter(Boolean).join(" ")),
        open: (callId) => asyncStep(`open ${callId}`),
    });
    Object.assign(calls.state, values);
    await animationFrame();
    return calls;
}

const openMenu = () => contains(".o_mango_systray").click();
const openTab = (name) => contains(`.o_mango_systray_menu [data-tab=${name}]`).click();

describe("the button", () => {
    test("is there for telephony's users only", async () => {
        const { isDisplayed } = registry.category("systray").get("mango_office.call_menu");
        expect(isDisplayed()).toBe(true);
        patchWithCleanup(session, { mango_office: undefined });
        expect(isDisplayed()).toBe(false);
    });

    test("tells state and missed calls, in words too", async () => {
        await mountMenu();
        expect(".o_mango_systray").toHaveAttribute("title", "Calls: Free (101)");
        expect(".o_mango_systray .badge").toHaveCount(0);
        Object.assign(getService("mango_office.call").state, {
            myState: "talking",
            missedCount: 2,
        });
        await animationFrame();
        expect(".o_mango_systray").toHaveAttribute("title", "Calls: Talking (101), missed: 2");
        expect(".o_mango_systray .badge").toHaveText("2");
    });

    test("asks the server nothing while it is closed", async () => {
        const calls = await mountMenu({ missedCount: 1 });
        calls.bus.trigger("changed", { id: 1 });
        await animationFrame();
        await waitForSteps([]);
    });
});

describe("lists", () => {
    test("missed calls come first if there are new ones, and are seen", async () => {
        lists.missed = [ROW, { ...ROW, id: 9, called_back: true }];
        const calls = await mountMenu({ missedCount: 1 });
        await openMenu();
        await waitForSteps(["read", "seen"]);
        await animationFrame();
        expect(".o_mango_missed").toHaveCount(2);
        expect(".o_mango_missed:eq(0)").toHaveText(/Ivan Petrov[\s\S]*2 hours ago[\s\S]*Missed/);
        expect(".o_mango_missed:eq(1)").toHaveText(/Called back/);
        expect(calls.state.missedCount).toBe(0);
    });

    test("call again, and open", async () => {
        lists.recent = [{ ...ROW, result: "answered", talk_duration: 75 }];
        await mountMenu();
        await openMenu();
        await openTab("recent");
        await waitFor(".o_mango_recent:contains(1:15)");
        await contains(".o_mango_redial").click();
        await waitForSteps(["read", "call +74950000201"]);
        expect(".o_mango_systray_menu").toHaveCount(0);
        await openMenu();
        await openTab("recent");
        await contains(".o_mango_open").click();
        await waitForSteps(["read", "open 8"]);
    });

    test("a hidden number cannot be called again", async () => {
        lists.recent = [{ ...ROW, dial: false }];
        await mountMenu();
        await openMenu();
        await openTab("recent");
        await waitFor(".o_mango_recent");
        expect(".o_mango_redial").toHaveCount(0);
        await waitForSteps(["read"]);
    });

    test("what happens meanwhile appears", async () => {
        const calls = await mountMenu();
        await openMenu();
        await openTab("recent");
        await waitFor(".o_mango_systray_menu:contains(No calls yet)");
        lists.recent = [ROW];
        calls.bus.trigger("changed", { id: 8 });
        await waitFor(".o_mango_recent");
        await waitForSteps(["read", "read"]);
    });

    test("nothing missed", async () => {
        await mountMenu();
        await openMenu();
        await openTab("missed");
        await waitFor(".o_mango_systray_menu:contains(No missed calls)");
        await waitForSteps(["read"]);
    });

    test("all calls", async () => {
        mockService("action", { doAction: (action) => asyncStep(action) });
        await mountMenu();
        await openMenu();
        await contains(".o_mango_all_calls").click();
        await waitForSteps(["mango_office.mango_call_action_mine"]);
    });
});

describe("dial pad", () => {
    test("keys, backspace and the green button", async () => {
        await mountMenu();
        await openMenu();
        expect(".o_mango_dial").not.toBeEnabled();
        for (const key of "1029") {
            await contains(`.o_mango_dialpad_key[data-key='${key}']`).click();
        }
        await contains(".o_mango_backspace").click();
        expect(".o_mango_dial_input").toHaveValue("102");
        await contains(".o_mango_dial").click();
        await waitForSteps(["call 102"]);
        expect(".o_mango_systray_menu").toHaveCount(0);
    });

    test("a number that was typed is called by Enter", async () => {
        await mountMenu();
        await openMenu();
        await contains(".o_mango_dial_input").edit("+7 (495) 000-02-01", { confirm: false });
        await press("Enter");
        await waitForSteps(["call +7 (495) 000-02-01"]);
    });

    test("somebody is found by name, and called for their contact", async () => {
        await mountMenu();
        await openMenu();
        await contains(".o_mango_dial_input").edit("i", { confirm: false });
        await advanceTime(300);
        await waitForSteps([]);
        await contains(".o_mango_dial_input").edit("ivan", { confirm: false });
        await advanceTime(300);
        await waitForSteps(["search ivan"]);
        await animationFrame();
        expect(queryAllTexts(".o_mango_search_result")[0]).toMatch(/Ivan Petrov[\s\S]*Vector/);
        await contains(".o_mango_search_result").click();
        await waitForSteps(["call +74950000201 res.partner 17"]);
    });

    test("nobody is found", async () => {
        await mountMenu();
        await openMenu();
        await contains(".o_mango_dial_input").edit("zed", { confirm: false });
        await advanceTime(300);
        await animationFrame();
        expect(".o_mango_systray_menu").toHaveText(/Nobody is found/);
        await press("Enter");
        await waitForSteps(["search zed"]);
    });

    test("is not there without an extension", async () => {
        useTelephony([], false);
        await mountMenu();
        await openMenu();
        expect("[data-tab=dial]").toHaveCount(0);
        expect(".o_mango_systray_menu").toHaveText(/You have no extension/);
        await waitForSteps(["read"]);
    });
});
