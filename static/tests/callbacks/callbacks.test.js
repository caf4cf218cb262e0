import { beforeEach, describe, expect, mockDate, test } from "@odoo/hoot";
import { animationFrame, queryFirst, runAllTimers, waitFor } from "@odoo/hoot-dom";
import {
    asyncStep,
    contains,
    getService,
    MockServer,
    mountView,
    mountWithCleanup,
    onRpc,
    patchWithCleanup,
    waitForSteps,
} from "@web/../tests/web_test_helpers";
import { CallCards } from "@mango_office/screen/call_card/call_cards";
import {
    defineMangoOfficeModels,
    makeCard,
    tell,
    useTelephony,
} from "../mango_office_test_helpers";

describe.current.tags("desktop");
defineMangoOfficeModels();

const list = `
    <list js_class="mango_callback_list">
        <field name="attempt_count"/>
        <field name="calling" widget="mango_call_back"/>
    </list>`;
const kanban = `
    <kanban js_class="mango_callback_kanban">
        <templates>
            <t t-name="card">
                <field name="attempt_count"/>
                <field name="calling" widget="mango_call_back"/>
            </t>
        </templates>
    </kanban>`;
const form = `
    <form js_class="mango_callback_form">
        <field name="attempt_count"/>
        <field name="calling" widget="mango_call_back"/>
    </form>`;

beforeEach(() => {
    mockDate("2026-01-01 12:00:00");
});

function patchCall() {
    patchWithCleanup(getService("mango_office.call"), {
        call: (number, { resModel, resId }) => asyncStep(`call ${number} ${resModel} ${resId}`),
    });
}

async function change(values, message = ["callback", { id: 3 }]) {
    MockServer.env["mango.callback"].write([3], values);
    tell(...message);
    await runAllTimers();
    await animationFrame();
}

describe("views", () => {
    beforeEach(() => {
        useTelephony();
    });

    test("the list has a call button for open entries", async () => {
        await mountView({ type: "list", resModel: "mango.callback", arch: list });
        patchCall();
        expect(".o_mango_call_back").toHaveCount(1);
        await contains(".o_mango_call_back").click();
        await waitForSteps(["call +74950000201 mango.callback 3"]);
    });

    for (const [type, arch] of Object.entries({ list, kanban })) {
        test(`the ${type} follows the changes of others`, async () => {
            await mountView({ type, resModel: "mango.callback", arch });
            await change({ calling: "Boris", attempt_count: 5 });
            expect(".o_mango_calling").toHaveText("Boris is calling them");
            expect(".o_mango_call_back").toHaveCount(0);
            expect(queryFirst(".o_data_row, .o_kanban_record")).toHaveText(/5/);
            await change({ calling: "Anna", is_calling_me: true });
            expect(".o_mango_calling").toHaveText("You are calling them");
            await change({ is_talking: true });
            expect(".o_mango_calling").toHaveText("You are talking to them");
        });

        test(`the ${type} follows the user's own calls`, async () => {
            await mountView({ type, resModel: "mango.callback", arch });
            const talk = { calling: "Boris", is_talking: true };
            await change(talk, ["call", { id: 9 }]);
            expect(".o_mango_calling").toHaveText("Boris is talking to them");
        });
    }

    test("the form follows the changes of others, unless it has unsaved changes", async () => {
        await mountView({ type: "form", resModel: "mango.callback", arch: form, resId: 3 });
        await change({ attempt_count: 5 });
        expect("[name=attempt_count] input").toHaveValue("5");
        await contains("[name=attempt_count] input").edit("7");
        await change({ attempt_count: 6 });
        expect("[name=attempt_count] input").toHaveValue("7");
    });

    test("no call button without an extension", async () => {
        useTelephony([], false);
        await mountView({ type: "list", resModel: "mango.callback", arch: list });
        expect(".o_mango_call_back").toHaveCount(0);
    });
});

describe("the card", () => {
    async function mountCard(values) {
        const cards = useTelephony([makeCard(values)]);
        await mountWithCleanup(CallCards, { noMainContainer: true });
        const service = getService("mango_office.call");
        await service.loadScreen();
        await animationFrame();
        return cards;
    }

    test("shows that the client was missed", async () => {
        await mountCard({ callback: { attempts: 2, since: "2026-01-01 11:00:00" } });
        expect(".o_mango_card_missed").toHaveText("Missed 2 times, first 1 hour ago");
    });

    test("says of the call itself only once that it was missed", async () => {
        const callback = { attempts: 1, since: "2026-01-01 11:59:00" };
        await mountCard({ callback, phase: "ended", result: "missed" });
        expect(".o_mango_card_missed").toHaveCount(0);
    });

    const MISSED = { phase: "ended", result: "missed" };
    const WAITING = { attempts: 1, since: "2026-01-01 11:59:00", calling: false };

    test("of a missed call says live that the client was reached since", async () => {
        const cards = await mountCard({ ...MISSED, callback: WAITING });
        expect(".o_mango_card_state").toHaveText("Missed call");
        expect(".o_mango_card_header").toHaveClass("text-bg-danger");
        cards[0] = makeCard({
            ...MISSED,
            message: "The caller hung up",
            follow_up: { outcome: "got_through", user: "Boris" },
        });
        await tell("callback", { id: 3 });
        await animationFrame();
        expect(".o_mango_card_state").toHaveText("Reached since");
        expect(".o_mango_card_header").not.toHaveClass("text-bg-danger");
        expect(".o_mango_card_follow_up").toHaveText("Dealt with by Boris");
        expect(".o_mango_card_message").toHaveCount(0, { message: "it is of the missed call" });
    });

    for (const [outcome, words] of [
        ["in_time", "Called back"],
        ["late", "Called back"],
        ["never", "Not called back"],
    ]) {
        test(`of a missed call says what was done about it: ${outcome}`, async () => {
            await mountCard({ ...MISSED, follow_up: { outcome, user: "" } });
            expect(".o_mango_card_state").toHaveText(words);
            expect(".o_mango_card_follow_up").toHaveCount(0);
        });
    }

    test("of a missed call shows who is talking to the client", async () => {
        const cards = await mountCard({ ...MISSED, callback: WAITING });
        expect(".o_mango_card .o_mango_calling").toHaveCount(0);
        expect(".o_mango_card .o_mango_call_back").toHaveCount(1);
        const talk = { calling: "Boris", is_calling_me: false, is_talking: true };
        cards[0] = makeCard({ ...MISSED, callback: { ...WAITING, ...talk } });
        await tell("call", { id: 2 }); // the client's next call, which rang here too
        await animationFrame();
        expect(".o_mango_card .o_mango_calling").toHaveText("Boris is talking to them");
        expect(".o_mango_card .o_mango_call_back").toHaveCount(0);
    });

    test("shows nothing for other clients", async () => {
        await mountCard({});
        expect(".o_mango_card_missed, .o_mango_card_activity").toHaveCount(0);
    });

    test("finishes the planned call, with the note", async () => {
        const ended = { phase: "ended", result: "answered", note: "Agreed" };
        const activity = { id: 5, summary: "Ask about the invoice" };
        const cards = await mountCard({ ...ended, activity });
        onRpc("mail.activity", "action_feedback", ({ args, kwargs }) => {
            asyncStep(`done ${args[0]} ${kwargs.feedback}`);
            cards[0] = makeCard(ended);
            return false;
        });
        expect(".o_mango_card_activity").toHaveText(/Ask about the invoice/);
        await contains(".o_mango_activity_done").click();
        await waitForSteps(["done 5 Agreed"]);
        await animationFrame();
        expect(".o_mango_card_activity").toHaveCount(0);
    });

    test("plans the next one", async () => {
        const activity = { id: 5, summary: "Call" };
        await mountCard({ phase: "ended", result: "answered", activity });
        onRpc("mail.activity", "action_feedback_schedule_next", ({ args }) => {
            asyncStep(`next ${args[0]}`);
            return { type: "ir.actions.act_window" };
        });
        patchWithCleanup(getService("mango_office.call"), {
            action: { doAction: (action) => asyncStep(action.type) },
        });
        await waitFor(".o_mango_activity_next");
        await contains(".o_mango_activity_next").click();
        await waitForSteps(["next 5", "ir.actions.act_window"]);
    });
});
