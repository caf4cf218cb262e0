import { animationFrame, describe, expect, test } from "@odoo/hoot";
import { queryAllTexts } from "@odoo/hoot-dom";
import { openFormView, start, startServer } from "@mail/../tests/mail_test_helpers";
import {
    asyncStep,
    contains,
    getService,
    mockService,
    mountWithCleanup,
    onRpc,
    waitForSteps,
} from "@web/../tests/web_test_helpers";
import { CallCards } from "@mango_office/screen/call_card/call_cards";
import { defineMangoOfficeModels, makeCard, useTelephony } from "../mango_office_test_helpers";

describe.current.tags("desktop");
defineMangoOfficeModels();

const OUTCOMES = [
    { id: 1, name: "Order", color: 10 },
    { id: 2, name: "Complaint", color: 2 },
];

async function showCard(values) {
    const cards = useTelephony([
        makeCard({ phase: "ended", result: "answered", outcomes: OUTCOMES, ...values }),
    ]);
    await mountWithCleanup(CallCards, { noMainContainer: true });
    await getService("mango_office.call").loadScreen();
    await animationFrame();
    return cards;
}

test("the outcome is set with one click, and cleared with another one", async () => {
    const cards = await showCard({ outcome_id: false, needs_outcome: false });
    onRpc("mango.call", "choose_outcome", ({ args: [ids, outcomeId] }) => {
        asyncStep(`${ids}: ${outcomeId}`);
        cards[0] = { ...cards[0], outcome_id: outcomeId };
        return true;
    });
    expect(queryAllTexts(".o_mango_outcome")).toEqual(["Order", "Complaint"]);
    await contains(".o_mango_outcome:contains(Complaint)").click();
    await animationFrame();
    expect(".o_mango_outcome[aria-pressed=true]").toHaveText("Complaint");
    await contains(".o_mango_outcome:contains(Complaint)").click();
    await waitForSteps(["1: 2", "1: false"]);
});

test("the card stays until an outcome is chosen", async () => {
    const cards = await showCard({ outcome_id: false, needs_outcome: true });
    onRpc("mango.call", "close_card", () => {
        asyncStep("close");
        return true;
    });
    onRpc("mango.call", "choose_outcome", () => {
        cards[0] = { ...cards[0], outcome_id: 1, needs_outcome: false };
        return true;
    });
    expect(".o_mango_outcomes .text-danger").toHaveCount(1);
    await contains(".o_mango_close").click();
    await animationFrame();
    expect(".o_mango_card").toHaveCount(1);
    await contains(".o_mango_outcome:contains(Order)").click();
    await animationFrame();
    await contains(".o_mango_close").click();
    await animationFrame();
    expect(".o_mango_card").toHaveCount(0);
    await waitForSteps(["close"]);
});

test("a card without outcomes", async () => {
    await showCard({ outcomes: [] });
    expect(".o_mango_card").toHaveCount(1);
    expect(".o_mango_outcomes").toHaveCount(0);
});

test("the line in the chatter plays the recording", async () => {
    mockService("mango_office.player", {
        state: { track: null, shown: {} },
        playCall(callId) {
            asyncStep(`play ${callId}`);
            return Promise.resolve(true);
        },
    });
    const pyEnv = await startServer();
    const partnerId = pyEnv["res.partner"].create({ name: "Ivan Petrov" });
    pyEnv["mail.message"].create({
        body: '<div>Call · <a class="o_mango_play" href="#" data-oe-model="mango.call" data-oe-id="5">Play</a></div>',
        model: "res.partner",
        res_id: partnerId,
        message_type: "notification",
    });
    await start();
    await openFormView("res.partner", partnerId);
    await contains(".o-mail-Message a.o_mango_play").click();
    await waitForSteps(["play 5"]);
});

const CLIENT = {
    business: {
        order: { id: 3, name: "S00003", amount: "12,000.00 ₽", date: "11/20/2026" },
        quotation: { id: 5, name: "S00005", amount: "500.00 ₽", date: "11/26/2026" },
        overdue: { amount: "700.00 ₽", count: 2 },
    },
    today: { count: 3, missed: 1 },
    can_meet: true,
    can_quote: true,
};

test("the card shows the client's orders and invoices, and opens them", async () => {
    mockService("action", {
        doAction: (action) => asyncStep(`${action.res_model} ${action.res_id || "list"}`),
    });
    onRpc("mango.call", "action_view_overdue", () => ({ res_model: "account.move" }));
    onRpc("mango.call", "action_view_today", () => ({ res_model: "mango.call" }));
    await showCard(CLIENT);
    expect(queryAllTexts(".o_mango_order")).toEqual([
        "Last order\nS00003\n12,000.00 ₽\n11/20/2026",
        "Quotation\nS00005\n500.00 ₽\n11/26/2026",
    ]);
    expect(".o_mango_overdue").toHaveText("Overdue: 700.00 ₽, invoices: 2");
    expect(".o_mango_today").toHaveText("Other calls today: 3, missed: 1");
    await contains(".o_mango_order:eq(1) button").click();
    await contains(".o_mango_overdue").click();
    await contains(".o_mango_today").click();
    await waitForSteps(["sale.order 5", "account.move list", "mango.call list"]);
});

test("no empty lines without orders and invoices", async () => {
    await showCard({
        business: { order: false, quotation: false, overdue: false },
        today: false,
        can_meet: true,
        can_quote: false,
    });
    expect(".o_mango_client").toHaveCount(0);
    expect(".o_mango_meeting").toHaveCount(1);
    expect(".o_mango_quotation").toHaveCount(0);
});

test("a quotation and a meeting get their defaults from the server", async () => {
    mockService("action", {
        doAction: ({ res_model, context }) =>
            asyncStep(`${res_model} for ${context.default_partner_id}`),
    });
    mockService("dialog", {
        add: (_component, { resModel, context }) =>
            asyncStep(`${resModel} for ${context.default_partner_ids}`),
    });
    onRpc("mango.call", "get_quotation_defaults", () => ({ default_partner_id: 17 }));
    onRpc("mango.call", "get_meeting_defaults", () => ({ default_partner_ids: [3, 17] }));
    await showCard(CLIENT);
    await contains(".o_mango_quotation").click();
    await contains(".o_mango_meeting").click();
    await waitForSteps(["sale.order for 17", "calendar.event for 3,17"]);
});
