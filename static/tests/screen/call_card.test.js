import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { manuallyDispatchProgrammaticEvent, press, queryAllTexts, queryOne } from "@odoo/hoot-dom";
import { advanceTime, animationFrame, Deferred, mockDate } from "@odoo/hoot-mock";
import { reactive } from "@odoo/owl";
import {
    asyncStep,
    contains,
    mockService,
    mountWithCleanup,
    serverState,
    waitForSteps,
} from "@web/../tests/web_test_helpers";
import { browser } from "@web/core/browser/browser";
import { CallCards } from "@mango_office/screen/call_card/call_cards";
import { defineMangoOfficeModels, EXTENSION, makeCard } from "../mango_office_test_helpers";

describe.current.tags("desktop");
defineMangoOfficeModels();

const COLLEAGUES = [
    { id: 2, number: "102", name: "Boris", user_id: 3, avatar: "", state: "free" },
    { id: 4, number: "104", name: "Gleb", user_id: false, avatar: "", state: "talking" },
];
let state;
let colleagues;
let saveNote;
let answer;

beforeEach(() => {
    answer = Promise.resolve();
    state = reactive({ cards: [], extension: EXTENSION });
    colleagues = () => Promise.resolve(COLLEAGUES);
    saveNote = (card, note) => Promise.resolve(note);
    const step =
        (name) =>
        (card, ...args) => {
            asyncStep([name, ...args].join(" "));
            return answer;
        };
    const names =
        "close hangUp transfer stopConsulting choosePartner openPartner createPartner " +
        "addNumber openLead createLead scheduleActivity callBack";
    mockService("mango_office.call", () => ({
        state,
        ...Object.fromEntries(names.split(" ").map((name) => [name, step(name)])),
        open: (callId) => asyncStep(`open ${callId}`),
        colleagues: (term) => colleagues(term),
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

describe("what it shows", () => {
    test("nothing without a call", async () => {
        await mountCards();
        expect(".o_mango_cards").toHaveCount(0);
    });

    test("who it is, and what is going on with them", async () => {
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

    for (const [values, words] of [
        [{ phase: "requested" }, "Asking the PBX…"],
        [{ phase: "pick_up" }, "Pick up your phone"],
        [{ phase: "calling" }, "Calling +7 495 000-02-01…"],
        [{ phase: "greeting" }, "Hears the greeting"],
        [{ phase: "ringing" }, "Is calling you"],
        [{ phase: "ringing", direction: "internal" }, "A colleague is calling"],
        [{ phase: "talking" }, "Talking"],
        [{ phase: "hold" }, "On hold"],
        [{ phase: "taken" }, "Taken by a colleague"],
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

    test("the timer goes on from what the server has counted", async () => {
        mockDate("2026-01-01 12:00:00");
        await mountCards(makeCard({ phase: "talking", seconds: 58 }));
        expect(".o_mango_card_timer").toHaveText("0:58");
        await advanceTime(3500);
        expect(".o_mango_card_timer").toHaveText(/^1:0[01]$/);
        await change({ phase: "ended", result: "answered", seconds: false, talk_duration: 75 });
        expect(".o_mango_card_timer").toHaveText("1:15");
    });

    test("the message, and the last calls", async () => {
        mockDate("2026-01-01 12:00:00");
        const past = { id: 8, direction: "inbound", talk_duration: 0, user: "Boris" };
        await mountCards(
            makeCard({
                message: "Ringing at Boris",
                history: [{ ...past, result: "missed", started_at: "2026-01-01 10:00:00" }],
            })
        );
        expect(".o_mango_card_message").toHaveText("Ringing at Boris");
        expect(".o_mango_card_history li").toHaveText(/hours? ago\s*Missed call\s*Boris/);
        await contains(".o_mango_card_history button").click();
        await waitForSteps(["open 8"]);
    });

    test("a click of which no call has come yet offers nothing to do with a call", async () => {
        await mountCards(makeCard({ call_id: false, command_id: 5, key: "command-5" }));
        expect("textarea, .o_mango_activity, .o_mango_open_call").toHaveCount(0);
        expect(".o_mango_close").toHaveCount(1);
    });
});

/** @returns {number} the relative luminance of a colour, as WCAG defines it */
function luminance(color) {
    const [red, green, blue] = color.match(/[\d.]+/g).map((part) => {
        const share = part / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

test("the header can be read in every phase", async () => {
    await mountCards(makeCard());
    for (const phase of ["ringing", "talking", "calling", "hold", "ended"]) {
        await change({ phase });
        const { color, backgroundColor } = getComputedStyle(queryOne(".o_mango_card_header"));
        const both = [luminance(color), luminance(backgroundColor)];
        const contrast = (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
        expect(contrast).toBeGreaterThan(4.5, { message: phase });
    }
});

describe("what can be done", () => {
    test("each button does its own", async () => {
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

    test("without a lead, one is created", async () => {
        await mountCards(makeCard());
        await contains(".o_mango_create_lead").click();
        await waitForSteps(["createLead"]);
    });

    test("a button waits for the server before it works again", async () => {
        answer = new Deferred();
        await mountCards(makeCard({ can_hang_up: true }));
        await contains(".o_mango_hang_up").click();
        await waitForSteps(["hangUp"]);
        expect(".o_mango_hang_up").not.toBeEnabled();
        answer.resolve();
        await animationFrame();
        expect(".o_mango_hang_up").toBeEnabled();
    });

    test("an unknown number becomes a contact's", async () => {
        await mountCards(makeCard({ partner: false }));
        expect(".o_mango_open_partner").toHaveCount(0);
        await contains(".o_mango_create_partner").click();
        await contains(".o_mango_add_number").click();
        await waitForSteps(["createPartner", "addNumber"]);
        await change({ can_create_partner: false });
        expect(".o_mango_create_partner").toHaveCount(0);
    });

    test("who it is of several", async () => {
        await mountCards(makeCard({ candidates: [{ id: 18, name: "Maria", company: "Vector" }] }));
        expect(queryAllTexts(".o_mango_candidate")).toEqual(["MariaVector"]);
        await contains(".o_mango_candidate").click();
        await waitForSteps(["choosePartner 18"]);
    });

    test("calling back, when it is over and there is a number", async () => {
        await mountCards(makeCard({ phase: "ended", result: "missed" }));
        await contains(".o_mango_call_back").click();
        await waitForSteps(["callBack"]);
        await change({ dial: false });
        expect(".o_mango_call_back").toHaveCount(0);
    });

    test("back to the client while a colleague is asked", async () => {
        await mountCards(makeCard({ phase: "hold", consulting: "Boris (102)" }));
        expect(".alert").toHaveText(/You are asking Boris \(102\)/);
        await contains(".o_mango_stop_consulting").click();
        await waitForSteps(["stopConsulting"]);
    });

    test("several that are over are closed at once; the running one stays", async () => {
        const ended = [2, 3].map((call_id) => makeCard({ call_id, phase: "ended" }));
        await mountCards(makeCard({ phase: "talking" }), ended[0]);
        expect(".o_mango_close_past").toHaveCount(0);
        state.cards = [state.cards[0], ...ended];
        await animationFrame();
        expect(".o_mango_close_past").toHaveText("Close ended calls (2)");
        await contains(".o_mango_close_past").click();
        await waitForSteps(["close", "close"]);
    });

    test("collapsed by button and by Escape, open again", async () => {
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

    test("of several calls, those that are over make room", async () => {
        await mountCards(
            makeCard({ call_id: 3 }),
            makeCard({ call_id: 2, phase: "talking" }),
            makeCard({ call_id: 1, phase: "ended", result: "answered" })
        );
        expect(".o_mango_card").toHaveCount(3);
        expect(".o_mango_card_body").toHaveCount(2);
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

describe("transfer", () => {
    const open = async () => {
        await mountCards(makeCard({ phase: "talking", can_transfer: true }));
        await contains(".o_mango_transfer").click();
    };

    test("to a colleague, with what they are doing", async () => {
        await open();
        expect(queryAllTexts(".o_mango_colleague .small")).toEqual(["102Free", "104Talking"]);
        await contains(".o_mango_colleague:eq(1) .o_mango_transfer_hold").click();
        await waitForSteps(["transfer 4 hold"]);
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
        await waitForSteps(["transfer 2 blind"]);
    });

    test("searching asks the server once, and Escape leaves", async () => {
        await open();
        colleagues = (term) => {
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
    });

    test("the panel goes with the talk", async () => {
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

    test("saved as it is typed", async () => {
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

    test("saved at once when the person leaves it", async () => {
        await mountCards(makeCard());
        await type("A");
        await manuallyDispatchProgrammaticEvent(document.querySelector(textarea), "blur");
        await waitForSteps(['save "A" from ""']);
    });

    test("saved when the card goes", async () => {
        await mountCards(makeCard());
        await type("A");
        state.cards = [];
        await animationFrame();
        await waitForSteps(['save "A" from ""']);
    });

    test("what is typed outlives what the server tells meanwhile", async () => {
        await mountCards(makeCard());
        await type("A");
        await change({ phase: "talking", note: "" });
        expect(textarea).toHaveValue("A");
        await advanceTime(400);
        await waitForSteps(['save "A" from ""']);
    });

    test("another tab's words appear", async () => {
        await mountCards(makeCard());
        await change({ note: "From the other tab" });
        expect(textarea).toHaveValue("From the other tab");
    });

    test("what somebody else wrote is shown with one's own", async () => {
        saveNote = (card, note) => Promise.resolve(`Boris\n${note}`);
        await mountCards(makeCard());
        await type("A");
        await advanceTime(400);
        await animationFrame();
        expect(textarea).toHaveValue("Boris\nA");
    });

    test("typed on while it is being saved: the rest follows, from what was sent", async () => {
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

    test("not saved: it says so, keeps the text, and tries again", async () => {
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

    test("what a crash left behind is restored and saved", async () => {
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
