import {
    advanceTime,
    animationFrame,
    beforeEach,
    Deferred,
    describe,
    enableTransitions,
    expect,
    freezeTime,
    getFixture,
    mockDate,
    test,
} from "@odoo/hoot";
import {
    manuallyDispatchProgrammaticEvent,
    press,
    queryAllAttributes,
    queryAllTexts,
    queryFirst,
    queryOne,
    queryRect,
} from "@odoo/hoot-dom";
import { EventBus, reactive } from "@odoo/owl";
import {
    asyncStep,
    contains,
    getService,
    mockService,
    mountView,
    mountWithCleanup,
    serverState,
    waitForSteps,
} from "@web/../tests/web_test_helpers";
import { browser } from "@web/core/browser/browser";
import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { CallCards } from "@mango_office/screen/call_card/call_cards";
import { defineMangoOfficeModels, EXTENSION, makeCard } from "../mango_office_test_helpers";

describe.current.tags("desktop");
defineMangoOfficeModels();

const target = (type, id, dial, name, state = "free") => ({
    type,
    id,
    number: dial,
    dial,
    name,
    user_id: false,
    avatar: "",
    state,
    status: "available",
    away_until: false,
});
const TARGETS = [
    target("colleague", 2, "102", "Boris"),
    target("colleague", 4, "104", "Gleb", "talking"),
];
let bus;
let state;
let targets;
let saveNote;
let answer;

beforeEach(() => {
    answer = Promise.resolve();
    bus = new EventBus();
    state = reactive({ cards: [], extension: EXTENSION });
    targets = () => Promise.resolve(TARGETS);
    saveNote = (card, note) => Promise.resolve(note);
    const step =
        (name) =>
        (card, ...args) => {
            asyncStep([name, ...args.map((arg) => arg.name || arg)].join(" "));
            return answer;
        };
    const names =
        "close hangUp transfer stopConsulting choosePartner openPartner createPartner " +
        "addNumber openLead createLead scheduleActivity callBack";
    mockService("mango_office.call", () => ({
        bus,
        state,
        ...Object.fromEntries(names.split(" ").map((name) => [name, step(name)])),
        open: (callId) => asyncStep(`open ${callId}`),
        transferTargets: (card, term) => targets(term),
        saveNote: (...args) => saveNote(...args),
    }));
});

async function mountCards(...cards) {
    state.cards = cards;
    await mountWithCleanup(CallCards, { noMainContainer: true });
}

async function change(values, index = 0) {
    state.cards = state.cards.map((card, at) => (at === index ? { ...card, ...values } : card));
    await animationFrame();
}

const keys = () => queryAllAttributes(".o_mango_card", "data-key");
const openKeys = () => keys().filter((key) => queryFirst(`[data-key=${key}] .o_mango_card_body`));

describe("display", () => {
    test("nothing without a call", async () => {
        await mountCards();
        expect(".o_mango_cards").toHaveCount(0);
    });

    test("the client and the phase", async () => {
        await mountCards(
            makeCard({
                lead: { id: 4, name: "Desks", stage: "New", revenue: "$ 450", user: "Anna" },
            })
        );
        expect(".o_mango_card_name").toHaveText("Ivan Petrov");
        expect(".o_mango_card_company").toHaveText("Vector");
        expect(".o_mango_card_number").toHaveText("+7 495 000-02-01");
        expect(".o_mango_lead").toHaveText(/Desks\s+New · \$ 450 · Anna/);
        expect(".o_mango_card").toHaveAttribute("data-phase", "ringing");
        expect(".o_mango_card_body").toHaveText(/Responsible: Anna Sokolova/);
    });

    test("the signs in the header are readable as soon as its color changes", async () => {
        enableTransitions();
        await mountCards(makeCard());
        await change({ phase: "talking" });
        const { color } = getComputedStyle(queryOne(".o_mango_card_header"));
        for (const sign of ["move", "collapse", "close"]) {
            expect(getComputedStyle(queryOne(`.o_mango_${sign} > i`)).color).toBe(color);
        }
    });

    test("which of the user's companies is called", async () => {
        await mountCards(makeCard());
        expect(".o_mango_card_own_company").toHaveCount(0);
        await change({ company: "Lily" });
        expect(".o_mango_card_own_company").toHaveText("Your company: Lily");
    });

    test("a company that calls is named once", async () => {
        const partner = { id: 12, name: "Vector", company: "Vector", avatar: "" };
        const lead = { id: 4, name: "Desks", stage: "New", revenue: "", user: "" };
        await mountCards(makeCard({ name: "Vector", partner, lead }));
        expect(".o_mango_card_company").toHaveCount(0);
        getService("ui").isSmall = true;
        await change({ note: "x" }); // renders it anew
        expect(".o_mango_card_summary").toHaveText("Desks");
    });

    for (const [values, words] of [
        [{ phase: "requested" }, "Asking the PBX…"],
        [{ phase: "pick_up" }, "Pick up your phone"],
        [{ phase: "calling" }, "Calling…"],
        [{ phase: "greeting" }, "Hears the greeting"],
        [{ phase: "ringing" }, "Is calling you"],
        [{ phase: "ringing", direction: "internal" }, "A colleague is calling"],
        [{ phase: "ringing", about: "asked" }, "A colleague asks you"],
        [{ phase: "ringing", about: "back" }, "The client is back"],
        [{ phase: "talking" }, "Talking"],
        [{ phase: "talking", about: "asked" }, "A colleague asks you"],
        [{ phase: "transferring", target: "Boris" }, "Transferring to Boris…"],
        [{ phase: "transferring", target: "Boris", about: "asking" }, "Asking Boris…"],
        [{ phase: "transferring", target: "" }, "Transferring…"],
        [{ phase: "hold" }, "On hold"],
        [{ phase: "taken" }, "With a colleague"],
        [{ phase: "failed" }, "Not called"],
        [{ phase: "ended", result: "answered" }, "Call ended"],
        [{ phase: "ended", result: "missed" }, "Missed call"],
        [{ phase: "ended", result: "unanswered" }, "No answer"],
        [{ phase: "ended", result: "busy" }, "Busy"],
        [{ phase: "ended", result: "failed" }, "Call failed"],
        [{ phase: "ended", result: false }, "Call ended"],
    ]) {
        test(`${Object.values(values).join(", ")}: ${words}`, async () => {
            await mountCards(makeCard(values));
            expect(".o_mango_card_state").toHaveText(words);
        });
    }

    for (const [values, icon] of [
        [{ phase: "transferring" }, "fa-share"],
        [{ phase: "transferring", about: "asking" }, "fa-question-circle"],
        [{ phase: "talking", about: "asked" }, "fa-question-circle"],
        [{ phase: "ringing", about: "back" }, "fa-reply"],
        [{ phase: "ringing" }, "fa-bell"],
    ]) {
        test(`${Object.values(values).join(", ")}: ${icon}`, async () => {
            await mountCards(makeCard({ ...values, partner: false }));
            expect(".o_mango_card_header > .fa").toHaveClass(icon);
        });
    }

    test("the timer counts on from the server's value", async () => {
        mockDate("2026-01-01 12:00:00");
        freezeTime();
        await mountCards(makeCard({ phase: "talking", seconds: 58 }));
        expect(".o_mango_card_timer").toHaveText("0:58");
        await advanceTime(3500);
        expect(".o_mango_card_timer").toHaveText("1:01");
        await change({ phase: "ended", result: "answered", seconds: false, talk_duration: 75 });
        expect(".o_mango_card_timer").toHaveText("1:15");
    });

    test("the timer is empty after a day", async () => {
        mockDate("2026-01-01 12:00:00");
        freezeTime();
        await mountCards(makeCard({ phase: "talking", seconds: 24 * 60 * 60 - 1 }));
        expect(".o_mango_card_timer").toHaveText("23:59:59");
        await advanceTime(2000);
        expect(".o_mango_card_timer").toHaveText("");
    });

    test("the message and the last calls", async () => {
        mockDate("2026-01-01 12:00:00");
        const past = { id: 8, direction: "inbound", talk_duration: 0, user: "Boris" };
        await mountCards(
            makeCard({
                message: "Ringing at Boris",
                history: [{ ...past, result: "missed", started_at: "2026-01-01 10:00:00" }],
            })
        );
        expect(".o_mango_card_message").toHaveText("Ringing at Boris");
        expect(".o_mango_card_history li").toHaveText(/hours? ago\s*Missed\s*Boris/);
        await contains(".o_mango_card_history button").click();
        await waitForSteps(["open 8"]);
    });

    test("who of a group did not answer is said once", async () => {
        mockDate("2026-01-01 12:00:00");
        const past = { id: 8, direction: "inbound", talk_duration: 0, user: "", result: "missed" };
        const group = "Sales, nobody answered";
        await mountCards(
            makeCard({ history: [{ ...past, group, started_at: "2026-01-01 10:00:00" }] })
        );
        expect(".o_mango_card_history li").toHaveText(/ago\s*Sales, nobody answered$/);
    });

    test("how a call ended is not said twice", async () => {
        await mountCards(makeCard({ phase: "ended", result: "busy", message: "Busy" }));
        expect(".o_mango_card_state").toHaveText("Busy");
        expect(".o_mango_card_message").toHaveCount(0);
    });

    test("a colleague whose phone still rings is not yet asked", async () => {
        await mountCards(makeCard({ phase: "hold", about: "asking", consulting: "Boris" }));
        expect(".alert").toHaveText(/^Ringing at Boris. The client is waiting.\s+Back to the/);
        await change({ about: "" });
        expect(".alert").toHaveText(/^You are asking Boris[^]*Hang up your phone/);
    });

    test("whose lead it is stands there only if they are not responsible", async () => {
        const lead = { id: 4, name: "Desks", stage: "New", revenue: "", user: "Anna Sokolova" };
        await mountCards(makeCard({ lead, owner: "Anna Sokolova" }));
        expect(".o_mango_lead").toHaveText(/Desks\s+New$/);
    });

    test("no actions before the call exists", async () => {
        await mountCards(makeCard({ call_id: false, command_id: 5, key: "command-5" }));
        expect("textarea, .o_mango_activity, .o_mango_open_call").toHaveCount(0);
        expect(".o_mango_close").toHaveCount(1);
    });
});

/** @returns {number} the relative luminance of a color, as defined by WCAG */
function luminance(color) {
    const [red, green, blue] = color.match(/[\d.]+/g).map((part) => {
        const share = part / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

test("the header has enough contrast in every phase", async () => {
    await mountCards(makeCard());
    for (const phase of ["ringing", "talking", "calling", "hold", "ended"]) {
        await change({ phase });
        const { color, backgroundColor } = getComputedStyle(queryOne(".o_mango_card_header"));
        const both = [luminance(color), luminance(backgroundColor)];
        const contrast = (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
        expect(contrast).toBeGreaterThan(4.5, { message: phase });
    }
});

describe("actions", () => {
    test("each button", async () => {
        await mountCards(makeCard({ can_hang_up: true, lead: { id: 4, name: "Desks" } }));
        for (const name of ["hang_up", "open_partner", "lead", "activity", "open_call", "close"]) {
            await contains(`.o_mango_${name}`).click();
        }
        await waitForSteps([
            "hangUp",
            "openPartner",
            "openLead",
            "scheduleActivity",
            "open 1",
            "close",
        ]);
    });

    test("create a lead if there is none", async () => {
        await mountCards(makeCard());
        await contains(".o_mango_create_lead").click();
        await waitForSteps(["createLead"]);
    });

    test("buttons are disabled during a request", async () => {
        answer = new Deferred();
        await mountCards(makeCard({ can_hang_up: true }));
        await contains(".o_mango_hang_up").click();
        await waitForSteps(["hangUp"]);
        expect(".o_mango_hang_up").not.toBeEnabled();
        answer.resolve();
        await animationFrame();
        expect(".o_mango_hang_up").toBeEnabled();
    });

    test("add an unknown number to a contact", async () => {
        await mountCards(makeCard({ partner: false }));
        expect(".o_mango_open_partner").toHaveCount(0);
        await contains(".o_mango_create_partner").click();
        await contains(".o_mango_add_number").click();
        await waitForSteps(["createPartner", "addNumber"]);
        await change({ can_create_partner: false });
        expect(".o_mango_create_partner").toHaveCount(0);
    });

    test("choose one of several contacts", async () => {
        await mountCards(makeCard({ candidates: [{ id: 18, name: "Maria", company: "Vector" }] }));
        expect(queryAllTexts(".o_mango_candidate")).toEqual(["MariaVector"]);
        await contains(".o_mango_candidate").click();
        await waitForSteps(["choosePartner 18"]);
    });

    test("change the chosen contact", async () => {
        const candidates = [{ id: 18, name: "Maria", company: "Vector" }];
        await mountCards(makeCard({ candidates, is_partner_chosen: true }));
        expect(".o_mango_candidate").toHaveCount(0);
        await contains(".o_mango_change_partner").click();
        await contains(".o_mango_candidate").click();
        await waitForSteps(["choosePartner 18"]);
        await animationFrame();
        expect(".o_mango_candidate").toHaveCount(0);
        expect(".o_mango_change_partner").toHaveText("Not them? Change");
    });

    test("call back after the end, if the number is known", async () => {
        await mountCards(makeCard({ phase: "ended", result: "missed" }));
        expect(".o_mango_call_back").toHaveText("Call Back");
        await contains(".o_mango_call_back").click();
        await waitForSteps(["callBack"]);
        await change({ direction: "outbound", result: "busy" });
        expect(".o_mango_call_back").toHaveText("Call Again");
        await change({ dial: false });
        expect(".o_mango_call_back").toHaveCount(0);
    });

    test("go back to the client while consulting a colleague", async () => {
        await mountCards(makeCard({ phase: "hold", consulting: "Boris (102)" }));
        expect(".alert").toHaveText(/You are asking Boris \(102\)/);
        await contains(".o_mango_stop_consulting").click();
        await waitForSteps(["stopConsulting"]);
    });

    test("close all ended calls at once", async () => {
        const ended = [2, 3].map((call_id) => makeCard({ call_id, phase: "ended" }));
        await mountCards(makeCard({ phase: "talking" }), ended[0]);
        expect(".o_mango_close_past").toHaveCount(0);
        state.cards = [state.cards[0], ...ended];
        await animationFrame();
        expect(".o_mango_close_past").toHaveText("Close Ended Calls (2)");
        await contains(".o_mango_close_past").click();
        await waitForSteps(["close", "close"]);
    });

    test("collapse by button and by Escape, and expand again", async () => {
        await mountCards(makeCard());
        await contains(".o_mango_collapse").click();
        expect(".o_mango_card_body").toHaveCount(0);
        expect(".o_mango_collapse").toHaveAttribute("aria-expanded", "false");
        await contains(".o_mango_collapse").click();
        expect(".o_mango_card_body").toHaveCount(1);
        await contains(".o_mango_card textarea").click();
        await press("Escape");
        await animationFrame();
        expect(".o_mango_card_body").toHaveCount(0);
    });

    test("an untouched card collapses a minute after the end", async () => {
        await mountCards(makeCard({ phase: "talking" }));
        await advanceTime(70000);
        expect(openKeys()).toEqual(["call-1"]);
        await change({ phase: "ended" });
        await advanceTime(50000);
        await manuallyDispatchProgrammaticEvent(queryOne(".o_mango_card"), "pointermove");
        await advanceTime(50000);
        expect(openKeys()).toEqual(["call-1"], { message: "it was touched" });
        await advanceTime(10000);
        await animationFrame();
        expect(openKeys()).toEqual([]);
        await contains(".o_mango_collapse").click();
        expect(openKeys()).toEqual(["call-1"]);
    });

    test("the card of a call that was over long before is collapsed at first", async () => {
        await mountCards(makeCard({ phase: "ended", ended_seconds: 90 }));
        expect(".o_mango_card_body").toHaveCount(0);
        await contains(".o_mango_collapse").click();
        expect(".o_mango_card_body").toHaveCount(1);
    });

    test("the card of a call that has just ended is not, and stays so when it is read", async () => {
        await mountCards(makeCard({ phase: "ended", ended_seconds: 5 }));
        expect(".o_mango_card_body").toHaveCount(1);
        await change({ ended_seconds: 90 });
        expect(".o_mango_card_body").toHaveCount(1);
    });

    test("a card does not collapse while its note has the focus", async () => {
        await mountCards(makeCard({ phase: "ended" }));
        await contains("textarea").click();
        await advanceTime(120000);
        await animationFrame();
        expect(openKeys()).toEqual(["call-1"]);
    });

    test("a call that continues after its card has collapsed is expanded", async () => {
        await mountCards(makeCard({ phase: "ended" }));
        await advanceTime(60000);
        await animationFrame();
        expect(openKeys()).toEqual([]);
        await change({ phase: "ringing", about: "back" });
        expect(openKeys()).toEqual(["call-1"]);
    });

    test("the ringing one of several calls is expanded", async () => {
        await mountCards(
            makeCard({ call_id: 3, phase: "greeting" }),
            makeCard({ call_id: 2, phase: "ringing" }),
            makeCard({ call_id: 1, phase: "talking" }),
            makeCard({ call_id: 4, phase: "ended", result: "answered" })
        );
        expect(openKeys()).toEqual(["call-2"]);
        expect(".o_mango_cards_main .o_mango_card").toHaveAttribute("data-key", "call-2");
        await change({ phase: "taken", leaves: true }, 1);
        expect(openKeys()).toEqual(["call-1"]);
        await change({ phase: "ended" }, 2);
        expect(openKeys()).toEqual(["call-3"]);
    });

    test("the expanded card is on top, even of many others", async () => {
        await mountCards(
            makeCard({ call_id: 1, phase: "talking" }),
            ...[2, 3, 4].map((call_id) => makeCard({ call_id, phase: "ended" })),
            makeCard({ call_id: 5, phase: "ringing" })
        );
        const stack = queryRect(".o_mango_cards");
        const ringing = queryRect("[data-key=call-5]");
        const others = [1, 2, 3].map((id) => queryRect(`[data-key=call-${id}]`).top);
        expect(ringing.top).toBeGreaterThan(stack.top - 1);
        expect(ringing.bottom).toBeLessThan(Math.min(...others));
    });

    test("a card that is being written in stays expanded when the next call rings", async () => {
        await mountCards(makeCard({ call_id: 1, phase: "talking" }));
        await contains("[data-key=call-1] textarea").edit("A", { confirm: false });
        state.cards = [makeCard({ call_id: 2 }), ...state.cards];
        await animationFrame();
        expect(openKeys()).toEqual(["call-2", "call-1"]);
        expect("[data-key=call-1] textarea").toBeFocused();
    });

    test("cards beyond the fourth are counted, but not those of calls in progress", async () => {
        const ended = (call_id) => makeCard({ call_id, phase: "ended" });
        await mountCards(ended(6), ended(5), ended(4), ended(3), makeCard({ call_id: 1 }));
        expect(keys()).toEqual(["call-6", "call-5", "call-4", "call-1"]);
        expect(".o_mango_more_calls").toHaveText("1 more call");
        state.cards = [ended(7), ...state.cards];
        await animationFrame();
        expect(".o_mango_more_calls").toHaveText("2 more calls");
        await contains(".o_mango_more_calls").click();
        expect(keys()).toHaveLength(6);
        await contains(".o_mango_more_calls").click();
        expect(keys()).toHaveLength(4);
    });

    test("the stack moves to the other side, and stays there", async () => {
        await mountCards(makeCard());
        expect(".o_mango_cards").toHaveClass("o_mango_cards_start");
        await contains(".o_mango_move").click();
        expect(".o_mango_cards").toHaveClass("o_mango_cards_end");
        const place = JSON.parse(browser.localStorage.getItem("mango_office.cards.place"));
        expect(place.side).toBe("end");
    });
});

describe("stacking", () => {
    /** Return the element that a click in the middle of an element would hit. */
    function hit(selector) {
        const { left, top, width, height } = queryRect(selector);
        const [x, y] = [left + width / 2, top + height / 2];
        return document.elementsFromPoint(x, y).find((element) => getFixture().contains(element));
    }
    const isHit = (selector) => queryOne(selector).contains(hit(selector));

    async function openDialog() {
        getService("dialog").add(ConfirmationDialog, {
            title: "A dialog",
            body: "a line\n".repeat(200),
            confirm: () => asyncStep("confirmed"),
            cancel: () => {},
            dismiss: () => asyncStep("dismissed"),
        });
        await animationFrame();
    }

    async function mountBelowCards(...cards) {
        await mountWithCleanup("<div/>");
        state.cards = cards;
        await animationFrame();
    }

    test("above a form and its status bar", async () => {
        await mountView({
            type: "form",
            resModel: "mango.call",
            resId: 1,
            arch: `<form><header><field name="direction" widget="statusbar"/></header></form>`,
        });
        state.cards = [makeCard({ can_hang_up: true })];
        await animationFrame();
        const { left, top } = queryRect(".o_form_statusbar");
        const within = queryRect(getFixture());
        queryOne(".o_mango_cards").style.inset =
            `${top - within.top}px auto auto ${left - within.left}px`;
        expect(isHit(".o_form_statusbar")).toBe(true, { message: "beside the card" });
        expect(isHit(".o_mango_hang_up")).toBe(true);
    });

    test("hang up and note are usable while a dialog is open", async () => {
        await mountBelowCards(makeCard({ phase: "talking", can_hang_up: true }));
        await openDialog();
        expect(queryRect(".modal-content").bottom).toBeLessThan(queryRect(".o_mango_cards").top);
        for (const selector of [
            ".o_mango_hang_up",
            ".o_mango_card textarea",
            ".modal .btn-primary",
        ]) {
            expect(isHit(selector)).toBe(true, { message: selector });
        }
        await contains(".o_mango_hang_up").click();
        await waitForSteps(["hangUp"]);
        await contains(".o_mango_card textarea").edit("A", { confirm: false });
        expect(".o_mango_card textarea").toHaveValue("A");
        expect(".o_mango_card textarea").toBeFocused();
    });

    test("no navigation while a dialog is open", async () => {
        await mountBelowCards(makeCard({ phase: "talking", can_transfer: true }));
        expect(".o_mango_open_partner:visible").toHaveCount(1);
        await openDialog();
        expect(".o_mango_open_partner:visible").toHaveCount(0);
        await contains(".o_mango_transfer").click();
        expect(".o_mango_transfer_panel input").toBeFocused();
        expect(isHit(".o_mango_transfer_panel input")).toBe(true);
    });

    test("keys pressed in the card do not reach the dialog", async () => {
        await mountBelowCards(makeCard({ phase: "talking" }));
        await openDialog();
        await contains(".o_mango_card textarea").click();
        await press("Escape");
        await animationFrame();
        expect(".o_mango_collapse").toBeFocused();
        await press("Escape");
        await animationFrame();
        await waitForSteps([]);
        expect(".modal").toHaveCount(1);
        await contains(".modal-body").click();
        await press("Escape");
        await animationFrame();
        await waitForSteps(["dismissed"]);
    });

    test("the dialog gets its keys back when the card is closed", async () => {
        await mountBelowCards(makeCard({ phase: "talking" }));
        await openDialog();
        await contains(".o_mango_card textarea").click();
        state.cards = [];
        await animationFrame();
        await press("Escape");
        await animationFrame();
        await waitForSteps(["dismissed"]);
    });
});

describe("transfer", () => {
    const open = async () => {
        await mountCards(makeCard({ phase: "talking", can_transfer: true }));
        await contains(".o_mango_transfer").click();
    };

    test("to a colleague, with their state", async () => {
        await open();
        expect(queryAllTexts(".o_mango_colleague .small")).toEqual(["102Free", "104Talking"]);
        await contains(".o_mango_colleague:eq(1) .o_mango_transfer_hold").click();
        await waitForSteps(["transfer Gleb hold"]);
        expect(".o_mango_transfer_panel").toHaveCount(0);
    });

    test("by keyboard", async () => {
        await open();
        expect(".o_mango_transfer_panel input").toBeFocused();
        await press("ArrowDown");
        expect(".o_mango_colleague:eq(0) .o_mango_transfer_blind").toBeFocused();
        await press("ArrowDown");
        expect(".o_mango_colleague:eq(1) .o_mango_transfer_blind").toBeFocused();
        await press("ArrowUp");
        await press("Enter");
        await waitForSteps(["transfer Boris blind"]);
    });

    test("the search sends one request, and Escape closes the panel", async () => {
        await open();
        targets = (term) => {
            asyncStep(`search ${term}`);
            return Promise.resolve([]);
        };
        await contains(".o_mango_transfer_panel input").edit("zed", { confirm: false });
        await advanceTime(200);
        await waitForSteps(["search zed"]);
        await animationFrame();
        expect(".o_mango_transfer_panel").toHaveText(/No results/);
        await press("Escape");
        await animationFrame();
        expect(".o_mango_transfer_panel").toHaveCount(0);
        expect(".o_mango_card_body").toHaveCount(1);
        await animationFrame();
        expect(".o_mango_transfer").toBeFocused();
    });

    test("to a group and to an outside number", async () => {
        targets = () =>
            Promise.resolve([
                { ...target("colleague", 2, "102", "Boris"), status: "dnd" },
                target("group", 2, "500", "Sales", "talking"),
                target("outside", 0, "+74950000301", "+7 495 000-03-01"),
            ]);
        await open();
        expect(queryAllTexts(".o_mango_colleague .small")).toEqual([
            "102Do Not Disturb",
            "500Nobody is free",
            "Outside number",
        ]);
        await contains("[data-type=outside] .o_mango_transfer_blind").click();
        await waitForSteps(["transfer +7 495 000-03-01 blind"]);
    });

    test("six targets are visible, one per row", async () => {
        const names = ["Anastasia-Alexandra Konstantinopolskaya", "B", "C", "D", "E", "F", "G"];
        targets = () =>
            Promise.resolve(names.map((name, id) => target("colleague", id, `10${id}`, name)));
        await open();
        const list = queryRect(".o_mango_colleagues");
        const sixth = queryRect(".o_mango_colleague:eq(5)");
        expect(sixth.bottom).toBeLessThan(list.bottom + 1);
        const [blind, hold] = ["blind", "hold"].map((method) =>
            queryRect(`.o_mango_colleague:eq(0) .o_mango_transfer_${method}`)
        );
        expect(blind.top).toBe(hold.top);
        expect(hold.right).toBeLessThan(list.right + 1);
    });

    test("the panel closes at the end of the talk", async () => {
        await open();
        await change({ phase: "ended", can_transfer: false });
        expect(".o_mango_transfer_panel").toHaveCount(0);
    });
});

describe("note", () => {
    const textarea = ".o_mango_card_note textarea";
    const draft = () => browser.localStorage.getItem(`mango_office.note.${serverState.userId}.1`);
    const type = (text) => contains(textarea).edit(text, { confirm: false, instantly: true });

    beforeEach(() => {
        saveNote = (card, note, base) => {
            asyncStep(`save "${note}" from "${base}"`);
            return Promise.resolve(note);
        };
    });

    test("saved while typing", async () => {
        await mountCards(makeCard({ note: "A" }));
        const height = queryOne(".o_mango_card_note").offsetHeight;
        await type("Ab");
        expect(".o_mango_card_note").toHaveText(/Saving/);
        expect(JSON.parse(draft()).text).toBe("Ab");
        await advanceTime(400);
        await waitForSteps(['save "Ab" from "A"']);
        await animationFrame();
        expect(".o_mango_card_note").toHaveText(/Saved/);
        expect(queryOne(".o_mango_card_note").offsetHeight).toBe(height, {
            message: "the buttons below stay where they are",
        });
        expect(draft()).toBe(null);
    });

    test("saved at once on blur", async () => {
        await mountCards(makeCard());
        await type("A");
        await manuallyDispatchProgrammaticEvent(document.querySelector(textarea), "blur");
        await waitForSteps(['save "A" from ""']);
    });

    test("saved when the card is closed", async () => {
        await mountCards(makeCard());
        await type("A");
        state.cards = [];
        await animationFrame();
        await waitForSteps(['save "A" from ""']);
    });

    test("unsaved text is kept when the card is updated", async () => {
        await mountCards(makeCard());
        await type("A");
        await change({ phase: "talking", note: "" });
        expect(textarea).toHaveValue("A");
        await advanceTime(400);
        await waitForSteps(['save "A" from ""']);
    });

    test("changes of another tab appear", async () => {
        await mountCards(makeCard());
        await change({ note: "From the other tab" });
        expect(textarea).toHaveValue("From the other tab");
    });

    test("changes of others are merged", async () => {
        saveNote = (card, note) => Promise.resolve(`Boris\n${note}`);
        await mountCards(makeCard());
        await type("A");
        await advanceTime(400);
        await animationFrame();
        expect(textarea).toHaveValue("Boris\nA");
    });

    test("text typed while saving is saved afterwards, based on the text sent", async () => {
        const answer = new Deferred();
        const answers = [answer];
        saveNote = (card, note, base) => {
            asyncStep(`save "${note}" from "${base}"`);
            return answers.shift() || Promise.resolve(note);
        };
        await mountCards(makeCard());
        await type("A");
        await advanceTime(400);
        await type("Ab");
        await advanceTime(400);
        await waitForSteps(['save "A" from ""']);
        answer.resolve("A");
        await waitForSteps(['save "Ab" from "A"']);
    });

    test("not saved: a message, and a retry with the text", async () => {
        saveNote = () => Promise.reject(new Error("gone"));
        await mountCards(makeCard());
        await type("A");
        await advanceTime(400);
        await animationFrame();
        expect(".o_mango_card_note").toHaveText(/Not saved yet/);
        expect(JSON.parse(draft())).toEqual({ text: "A", base: "" });
        saveNote = (card, note) => {
            asyncStep(`save ${note}`);
            return Promise.resolve(note);
        };
        await advanceTime(5000);
        await waitForSteps(["save A"]);
        expect(draft()).toBe(null);
    });

    test("text is restored and saved after a crash", async () => {
        browser.localStorage.setItem(
            `mango_office.note.${serverState.userId}.1`,
            JSON.stringify({ text: "Before the crash", base: "B" })
        );
        await mountCards(makeCard({ note: "B" }));
        expect(textarea).toHaveValue("Before the crash");
        await advanceTime(0);
        await waitForSteps(['save "Before the crash" from "B"']);
    });
});

describe("keys", () => {
    test("a requested card is expanded and focused", async () => {
        await mountCards(makeCard(), makeCard({ call_id: 2, phase: "talking" }));
        expect(openKeys()).toEqual(["call-1"]);
        bus.trigger("show", { key: "call-2" });
        await animationFrame();
        expect(openKeys()).toEqual(["call-1", "call-2"]);
        expect("[data-key=call-2] .o_mango_collapse").toBeFocused();
    });

    test("the note of the most urgent call is focused, even on a collapsed card", async () => {
        await mountCards(makeCard(), makeCard({ call_id: 2, phase: "talking" }));
        await contains("[data-key=call-1] .o_mango_collapse").click();
        expect(openKeys()).toEqual([]);
        bus.trigger("note");
        await animationFrame();
        expect("[data-key=call-1] .o_mango_card_note textarea").toBeFocused();
    });

    test("Escape in the note restores the focus", async () => {
        await mountWithCleanup(`<input class="o_elsewhere"/>`, { noMainContainer: true });
        await mountCards(makeCard());
        await contains(".o_elsewhere").click();
        bus.trigger("note");
        await animationFrame();
        expect(".o_mango_card_note textarea").toBeFocused();
        await press("Escape");
        expect(".o_elsewhere").toBeFocused();
        await contains(".o_mango_card .o_mango_collapse").click();
        await contains("textarea").click();
        await press("Escape");
        expect(".o_mango_collapse").toBeFocused();
    });
});
