import {
    advanceTime,
    animationFrame,
    beforeEach,
    describe,
    expect,
    freezeTime,
    mockDate,
    mockTouch,
    test,
} from "@odoo/hoot";
import {
    pointerDown,
    pointerUp,
    press,
    queryAllTexts,
    queryOne,
    queryRect,
    waitFor,
} from "@odoo/hoot-dom";
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
import { CallMenu } from "@mango_office/screen/systray/call_menu";
import { registry } from "@web/core/registry";
import { session } from "@web/session";
import { defineMangoOfficeModels, useTelephony } from "../mango_office_test_helpers";

describe.current.tags("desktop");
defineMangoOfficeModels();

const ROW = {
    id: 8,
    direction: "inbound",
    state: "ended",
    result: "missed",
    name: "Ivan Petrov",
    number: "+7 495 000-02-01",
    dial: "+74950000201",
    started_at: "2026-01-01 10:00:00",
    talk_duration: 0,
    talking_seconds: 0,
};
const WAITING = {
    id: 3,
    name: "Ivan Petrov",
    number: "+7 495 000-02-01",
    dial: "+74950000201",
    last_missed_at: "2026-01-01 10:00:00",
    attempts: 2,
    tries: 0,
    deadline: "2026-01-01 10:30:00",
    urgency: "overdue",
    responsible: "Anna Sokolova",
    calling: false,
    is_calling_me: false,
    is_talking: false,
    asks: false,
};
const PLANNED = {
    id: 5,
    name: "Furniture",
    summary: "Ask about the invoice",
    number: "+7 495 000-02-01",
    dial: "+74950000201",
    date: "2025-12-31",
    res_model: "crm.lead",
    res_id: 9,
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
const NO_NUMBER = "12";
let recent, waiting, planned, running;

beforeEach(() => {
    mockDate("2026-01-01 12:00:00");
    useTelephony();
    [recent, waiting, planned, running] = [[], [], [], []];
    onRpc("mango.call.presence", "get_running", () => running);
    onRpc("res.users", "mango_recent", () => {
        asyncStep("read");
        return recent;
    });
    onRpc("res.users", "mango_waiting", () => {
        asyncStep("read waiting");
        return waiting;
    });
    onRpc("res.users", "mango_planned", () => {
        asyncStep("read planned");
        return planned;
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
        call: async (number, { resModel, resId } = {}, onProblem) => {
            asyncStep(["call", number, resModel, resId].filter(Boolean).join(" "));
            if (number === NO_NUMBER) {
                onProblem("“12” is not a number.");
            }
            return number !== NO_NUMBER;
        },
        open: (callId) => asyncStep(`open ${callId}`),
    });
    Object.assign(calls.state, values);
    await animationFrame();
    return calls;
}

/**
 * @param {string} colour computed value, such as "rgb(255, 255, 255)"
 * @returns {number} relative luminance, see WCAG 2.2
 */
function luminance(colour) {
    const [red, green, blue] = colour.match(/\d+/g).map((part) => {
        const share = part / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** @returns {number} contrast ratio of two luminances, see WCAG 2.2 */
function contrast(one, other) {
    return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}

const openMenu = () => contains(".o_mango_systray").click();
const openTab = (name) => contains(`.o_mango_systray_menu [data-tab=${name}]`).click();

describe("the button", () => {
    test("only for telephony users", async () => {
        const { isDisplayed } = registry.category("systray").get("mango_office.call_menu");
        expect(isDisplayed()).toBe(true);
        patchWithCleanup(session, { mango_office: undefined });
        expect(isDisplayed()).toBe(false);
    });

    test("shows state and missed calls, also in its title", async () => {
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

    for (const [myState, icon] of [
        ["ringing", "fa-bell"],
        ["talking", "fa-volume-control-phone"],
        ["hold", "fa-pause"],
    ]) {
        test(`${myState} has its own badge, visible on a bar of any color`, async () => {
            await mountMenu();
            expect(".o_mango_systray .fa-phone").toHaveCount(1);
            expect(".o_mango_systray_sign").toHaveCount(0);
            getService("mango_office.call").state.myState = myState;
            await animationFrame();
            expect(`.o_mango_systray_sign > .${icon}`).toHaveCount(1);
            const { color, backgroundColor, borderTopColor } = getComputedStyle(
                queryOne(".o_mango_systray_sign")
            );
            const [sign, ground, edge] = [color, backgroundColor, borderTopColor].map(luminance);
            expect(contrast(sign, ground)).toBeGreaterThan(4.5);
            for (let bar = 0; bar <= 1; bar += 0.01) {
                expect(Math.max(contrast(edge, bar), contrast(ground, bar))).toBeGreaterThan(3);
            }
        });
    }

    test("no requests while the menu is closed", async () => {
        const calls = await mountMenu({ missedCount: 1 });
        calls.bus.trigger("changed", { id: 1 });
        await animationFrame();
        await waitForSteps([]);
    });
});

describe("lists", () => {
    test("redial and open", async () => {
        recent = [{ ...ROW, result: "answered", talk_duration: 75 }];
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

    test("a call in progress shows its duration, and has no redial button", async () => {
        freezeTime();
        recent = [
            { ...ROW, id: 9, state: "talking", result: false, talking_seconds: 42 },
            { ...ROW, id: 10, state: "ringing", result: false },
        ];
        await mountMenu();
        await openMenu();
        await openTab("recent");
        await waitFor(".o_mango_recent");
        expect(queryAllTexts(".o_mango_running")).toEqual(["Talking 0:42", "Ringing"]);
        expect(".o_mango_redial").toHaveCount(0);
        await waitForSteps(["read"]);
    });

    test("the card of a call in progress can be shown from every tab", async () => {
        running = [{ id: 8, key: "call-8", name: "Ivan Petrov" }];
        const calls = await mountMenu();
        patchWithCleanup(calls, { reopen: ({ key }) => asyncStep(`reopen ${key}`) });
        await openMenu();
        await waitFor(".o_mango_show_card:contains(Ivan Petrov)");
        await contains(".o_mango_show_card").click();
        await waitForSteps(["reopen call-8"]);
        expect(".o_mango_systray_menu").toHaveCount(0);
    });

    test("a hidden number has no redial button", async () => {
        recent = [{ ...ROW, dial: false }];
        await mountMenu();
        await openMenu();
        await openTab("recent");
        await waitFor(".o_mango_recent");
        expect(".o_mango_redial").toHaveCount(0);
        await waitForSteps(["read"]);
    });

    test("the buttons below a long list stay visible", async () => {
        recent = Array.from({ length: 40 }, (_, index) => ({ ...ROW, id: index + 1 }));
        await mountMenu();
        await openMenu();
        await openTab("recent");
        await waitFor(".o_mango_recent");
        const menu = queryRect(".o_mango_systray_menu");
        expect(queryRect(".o_mango_all_calls").bottom).toBeLessThan(menu.bottom + 1);
        await waitForSteps(["read"]);
    });

    test("the list is updated", async () => {
        const calls = await mountMenu();
        await openMenu();
        await openTab("recent");
        await waitFor(".o_mango_systray_menu:contains(No calls yet)");
        recent = [ROW];
        calls.bus.trigger("changed", { id: 8 });
        await advanceTime(200);
        await waitFor(".o_mango_recent");
        await waitForSteps(["read", "read"]);
    });

    test("all calls", async () => {
        mockService("action", { doAction: (action) => asyncStep(action) });
        await mountMenu();
        await openMenu();
        await contains(".o_mango_all_calls").click();
        await waitForSteps(["mango_office.mango_call_action_mine"]);
    });
});

describe("missed clients", () => {
    test("first tab if there are any", async () => {
        waiting = [WAITING, { ...WAITING, id: 4, attempts: 1, tries: 3, asks: true }];
        await mountMenu({ missedCount: 2 });
        await openMenu();
        await waitForSteps(["read waiting"]);
        await waitFor(".o_mango_missed");
        expect("[data-tab=missed]").toHaveText(/Missed Calls\s*2/);
        expect(".o_mango_missed:eq(0)").toHaveText(
            /Ivan Petrov[\s\S]*Due [\s\S]*2 hours ago[\s\S]*called 2 times/
        );
        expect(".o_mango_missed:eq(0) div.text-danger").toHaveCount(1);
        expect(".o_mango_missed:eq(1)").toHaveText(/our tries: 3[\s\S]*What now/);
        expect(".o_mango_systray .badge").toHaveText("2", { message: "looking changes nothing" });
    });

    test("call back", async () => {
        waiting = [WAITING];
        await mountMenu({ missedCount: 1 });
        await openMenu();
        await contains(".o_mango_missed .o_mango_call_back").click();
        await waitForSteps(["read waiting", "call +74950000201 mango.callback 3"]);
        expect(".o_mango_systray_menu").toHaveCount(0);
    });

    test("a colleague is calling them, and stops", async () => {
        waiting = [{ ...WAITING, calling: "Boris" }];
        const calls = await mountMenu({ missedCount: 1 });
        await openMenu();
        await waitFor(".o_mango_calling:contains(Boris is calling them)");
        expect(".o_mango_missed .o_mango_call_back").toHaveCount(0);
        waiting = [{ ...WAITING, calling: "Boris", is_talking: true }];
        calls.bus.trigger("changed", { id: 9 });
        await advanceTime(200);
        await waitFor(".o_mango_calling:contains(Boris is talking to them)");
        waiting = [WAITING];
        calls.bus.trigger("callback", { id: 3 });
        await advanceTime(200);
        await waitFor(".o_mango_missed .o_mango_call_back");
        await waitForSteps(["read waiting", "read waiting", "read waiting"]);
    });

    test("nobody", async () => {
        await mountMenu();
        await openMenu();
        await openTab("missed");
        await waitFor(".o_mango_systray_menu:contains(Nobody is waiting for a call back)");
        await waitForSteps(["read waiting"]);
    });

    test("no call buttons without an extension", async () => {
        useTelephony([], false);
        waiting = [WAITING];
        await mountMenu();
        await openMenu();
        await openTab("missed");
        await waitFor(".o_mango_missed");
        expect(".o_mango_call_back").toHaveCount(0);
        await waitForSteps(["read", "read waiting"]);
    });
});

describe("planned calls", () => {
    test("the call's origin is the record", async () => {
        planned = [PLANNED, { ...PLANNED, id: 6, date: "2026-01-01", dial: false, number: "" }];
        await mountMenu({ plannedCount: 2 });
        await openMenu();
        await openTab("planned");
        await waitFor(".o_mango_planned");
        expect(".o_mango_planned:eq(0)").toHaveText(/Furniture[\s\S]*invoice[\s\S]*yesterday/);
        expect(".o_mango_planned:eq(1) .text-danger").toHaveCount(0);
        expect(".o_mango_call_planned").toHaveCount(1);
        await contains(".o_mango_call_planned").click();
        await waitForSteps(["read planned", "call +74950000201 crm.lead 9"]);
    });

    test("none", async () => {
        await mountMenu();
        await openMenu();
        await openTab("planned");
        await waitFor(".o_mango_systray_menu:contains(No calls are planned)");
        await waitForSteps(["read planned"]);
    });
});

describe("status", () => {
    beforeEach(() => {
        onRpc("res.users", "mango_set_status", ({ args }) => {
            asyncStep(JSON.stringify(args.slice(1)));
            return true;
        });
    });

    test("away for half an hour", async () => {
        mockDate("2026-01-02 10:00:00", 0);
        await mountMenu();
        await openMenu();
        await contains(".o_mango_status select").select("away-30");
        await waitForSteps(['["away","2026-01-02 10:30:00"]']);
        getService("mango_office.call").state.myStatus = {
            status: "away",
            away_until: "2026-01-02 10:30:00",
        };
        await animationFrame();
        expect(".o_mango_status select option:checked").toHaveText("Away until 10:30");
        expect(".o_mango_systray").toHaveAttribute("title", "Calls: Away until 10:30 (101)");
    });

    test("do not disturb, and available again", async () => {
        await mountMenu();
        await openMenu();
        await contains(".o_mango_status select").select("dnd");
        await waitForSteps(['["dnd",false]']);
        await contains(".o_mango_status select").select("available");
        await waitForSteps(['["available",false]']);
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

    test("an invalid number stays, with the reason until it is changed", async () => {
        await mountMenu();
        await openMenu();
        await contains(".o_mango_dial_input").edit(NO_NUMBER, { confirm: false });
        await contains(".o_mango_dial").click();
        await waitForSteps(["call 12"]);
        expect(".o_mango_dial_input").toHaveValue(NO_NUMBER);
        expect(".o_mango_dial_problem").toHaveText("“12” is not a number.");
        await contains(".o_mango_dialpad_key[data-key='9']").click();
        expect(".o_mango_dial_problem").toHaveCount(0);
        expect(".o_mango_dial_input").toHaveValue("129");
    });

    test("a long press on 0 gives +", async () => {
        await mountMenu();
        await openMenu();
        const zero = ".o_mango_dialpad_key[data-key='0']";
        await pointerDown(zero);
        await advanceTime(600);
        await pointerUp(zero);
        await animationFrame();
        expect(".o_mango_dial_input").toHaveValue("+");
        await contains(zero).click();
        expect(".o_mango_dial_input").toHaveValue("+0");
    });

    test("a press of another button of the mouse is no long press", async () => {
        await mountMenu();
        await openMenu();
        const zero = ".o_mango_dialpad_key[data-key='0']";
        await pointerDown(zero, { button: 2 });
        await advanceTime(600);
        await pointerUp(zero, { button: 2 });
        expect(".o_mango_dial_input").toHaveValue("");
    });

    test("the keys stay where they are while a number is typed", async () => {
        onRpc("res.users", "mango_search", () => [IVAN]);
        await mountMenu();
        await openMenu();
        const { top } = queryRect(".o_mango_dialpad_key[data-key='0']");
        for (const key of "74950") {
            await contains(`.o_mango_dialpad_key[data-key='${key}']`).click();
        }
        await advanceTime(300);
        await waitFor(".o_mango_search_result");
        expect(queryRect(".o_mango_dialpad_key[data-key='0']").top).toBe(top);
        await contains(".o_mango_dial_input").edit("+0+", { confirm: false });
        await advanceTime(300);
        await animationFrame();
        expect(".o_mango_dialpad_key").toHaveCount(12);
        await contains(".o_mango_dial_input").edit("Ivan", { confirm: false });
        await animationFrame();
        expect(".o_mango_dialpad_key").toHaveCount(0);
    });

    test("on a phone, the keys do not open its keyboard", async () => {
        mockTouch(true);
        await mountMenu();
        await openMenu();
        await contains(".o_mango_dialpad_key[data-key='7']").click();
        expect(".o_mango_dial_input").toHaveValue("7");
        expect(".o_mango_dial_input").not.toBeFocused();
    });

    test("Enter calls the number", async () => {
        await mountMenu();
        await openMenu();
        await contains(".o_mango_dial_input").edit("+7 (495) 000-02-01", { confirm: false });
        await press("Enter");
        await waitForSteps(["call +7 (495) 000-02-01"]);
    });

    test("search by name, and call a contact", async () => {
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

    test("no results", async () => {
        await mountMenu();
        await openMenu();
        await contains(".o_mango_dial_input").edit("zed", { confirm: false });
        await advanceTime(300);
        await animationFrame();
        expect(".o_mango_systray_menu").toHaveText(/No results/);
        await press("Enter");
        await waitForSteps(["search zed"]);
    });

    test("no dial pad without an extension", async () => {
        useTelephony([], false);
        await mountMenu();
        await openMenu();
        expect("[data-tab=dial]").toHaveCount(0);
        expect(".o_mango_systray_menu").toHaveText(/You have no extension/);
        await waitForSteps(["read"]);
    });
});
