import {
    advanceTime,
    animationFrame,
    beforeEach,
    Deferred,
    describe,
    expect,
    test,
    tick,
} from "@odoo/hoot";
import {
    asyncStep,
    getService,
    makeMockEnv,
    makeServerError,
    mockService,
    mountWithCleanup,
    onRpc,
    patchWithCleanup,
    serverState,
    waitForSteps,
} from "@web/../tests/web_test_helpers";
import { browser } from "@web/core/browser/browser";
import { cookie } from "@web/core/browser/cookie";
import { ConnectionLostError } from "@web/core/network/rpc";
import { MainComponentsContainer } from "@web/core/main_components_container";
import { user } from "@web/core/user";
import {
    defineMangoOfficeModels,
    makeCard,
    reconnect,
    tell,
    useTelephony,
} from "../mango_office_test_helpers";

describe.current.tags("desktop");
defineMangoOfficeModels();

const NUMBER = "+7 495 000-02-01";

async function start() {
    const env = await makeMockEnv();
    const service = getService("mango_office.call");
    env.bus.trigger("WEB_CLIENT_READY");
    await settle();
    return service;
}

/** Wait until notifications have been handled. */
async function settle() {
    await animationFrame();
    await animationFrame();
}

const keys = (service) => service.state.cards.map((card) => card.key);
const phases = (service) => service.state.cards.map((card) => card.phase);

describe("cards", () => {
    test("no requests and subscriptions without telephony", async () => {
        onRpc("mango.call.presence", "*", () => asyncStep("asked"));
        mockService("bus_service", {
            subscribe: (type) => type.startsWith("mango_office/") && asyncStep(type),
        });
        const service = await start();
        await waitForSteps([]);
        expect(service.state.extension).toBe(false);
    });

    test("calls in progress are loaded with the web client", async () => {
        useTelephony([makeCard({ phase: "talking" })]);
        const service = await start();
        expect(phases(service)).toEqual(["talking"]);
        expect(service.state.extension.number).toBe("101");
    });

    test("a card appears and changes", async () => {
        const cards = useTelephony();
        const service = await start();
        cards.push(makeCard());
        tell("call", { id: 1 });
        await settle();
        expect(phases(service)).toEqual(["ringing"]);
        cards[0] = makeCard({ phase: "talking" });
        tell("call", { id: 1 });
        await settle();
        expect(phases(service)).toEqual(["talking"]);
        cards.pop();
        tell("call", { id: 1 });
        await settle();
        expect(phases(service)).toEqual([]);
    });

    test("the newest call is the first", async () => {
        const cards = useTelephony();
        const service = await start();
        for (const call_id of [1, 2]) {
            cards.push(makeCard({ call_id }));
            tell("call", { id: call_id });
            await settle();
        }
        expect(keys(service)).toEqual(["call-2", "call-1"]);
    });

    test("outdated answers are ignored", async () => {
        useTelephony();
        const answers = [new Deferred(), new Deferred()];
        const asked = [...answers];
        onRpc("mango.call.presence", "get_cards", () => asked.shift());
        const service = await start();
        tell("call", { id: 1 });
        await settle();
        tell("call", { id: 1 });
        await advanceTime(5000); // the next request does not wait for the first one
        const answer = (phase) => ({ cards: [makeCard({ phase })], my_state: "free" });
        answers[1].resolve(answer("talking"));
        await settle();
        answers[0].resolve(answer("ringing"));
        await settle();
        expect(phases(service)).toEqual(["talking"]);
    });

    test("one request for simultaneous notifications", async () => {
        const cards = useTelephony();
        const service = await start();
        onRpc("mango.call.presence", "get_cards", ({ args: [callIds] }) => {
            asyncStep(`asked ${callIds}`);
        });
        cards.push(makeCard({ call_id: 2 }), makeCard({ call_id: 1 }));
        await Promise.all([1, 2, 1].map((id) => service.onCall({ id })));
        await waitForSteps(["asked 1,2"]);
        expect(keys(service)).toEqual(["call-2", "call-1"]);
    });

    test("a call to a group of 50, ringing and answered: at most four requests", async () => {
        const cards = useTelephony();
        const service = await start();
        let answer;
        onRpc("mango.call.presence", "get_cards", async () => {
            asyncStep("asked");
            await answer;
        });
        for (const phase of ["ringing", "talking"]) {
            cards[0] = makeCard({ phase });
            answer = new Deferred();
            for (let count = 0; count < 50; count++) {
                tell("call", { id: 1 });
                await tick();
            }
            answer.resolve();
            await settle();
            expect(phases(service)).toEqual([phase]);
        }
        await waitForSteps(["asked", "asked", "asked", "asked"]);
    });

    test("a leaving card closes after a while, and does not reappear", async () => {
        const cards = useTelephony([makeCard()]);
        const service = await start();
        cards[0] = makeCard({ phase: "taken", leaves: true });
        tell("call", { id: 1 });
        await settle();
        expect(phases(service)).toEqual(["taken"]);
        await advanceTime(5000);
        expect(phases(service)).toEqual([]);
        tell("call", { id: 1 });
        await settle();
        expect(phases(service)).toEqual([]);
    });

    test("a card stays if its call comes back while it is leaving", async () => {
        const cards = useTelephony([makeCard()]);
        const service = await start();
        cards[0] = makeCard({ phase: "taken", leaves: true });
        tell("call", { id: 1 });
        await settle();
        cards[0] = makeCard({ phase: "ringing" });
        tell("call", { id: 1 });
        await settle();
        await advanceTime(5000);
        expect(phases(service)).toEqual(["ringing"]);
    });

    test("cards are reloaded after a reconnection", async () => {
        const cards = useTelephony();
        const service = await start();
        expect(phases(service)).toEqual([]);
        cards.push(makeCard());
        reconnect();
        await settle();
        expect(phases(service)).toEqual(["ringing"]);
    });

    test("loading the screen does not undo newer changes", async () => {
        const cards = useTelephony([makeCard()]);
        const service = await start();
        const screen = new Deferred();
        onRpc("mango.call.presence", "get_screen", () => screen);
        service.loadScreen();
        cards[0] = makeCard({ phase: "talking" });
        tell("call", { id: 1 });
        await settle();
        screen.resolve({ cards: [makeCard()], extension: false, my_state: "free" });
        await settle();
        expect(phases(service)).toEqual(["talking"]);
    });

    test("state and figures are updated", async () => {
        useTelephony();
        const figures = { my_state: "talking", missed_count: 2, planned_count: 1 };
        onRpc("mango.call.presence", "get_cards", () => ({ cards: [], ...figures }));
        const service = await start();
        tell("call", { id: 1 });
        await settle();
        expect(service.state.myState).toBe("talking");
        expect(service.state.missedCount).toBe(2);
        expect(service.state.plannedCount).toBe(1);
        figures.missed_count = 0;
        tell("callback", { id: 3 });
        await settle();
        expect(service.state.missedCount).toBe(0);
    });

    test("a card is updated when its client has been called back", async () => {
        const cards = useTelephony([makeCard({ callback: { attempts: 2, since: "" } })]);
        const service = await start();
        service.bus.addEventListener("callback", ({ detail }) => asyncStep(`entry ${detail.id}`));
        cards[0] = makeCard();
        tell("callback", { id: 3 });
        await settle();
        expect(service.state.cards[0].callback).toBe(false);
        await waitForSteps(["entry 3"]);
    });

    test("views are notified of each change", async () => {
        useTelephony();
        const service = await start();
        service.bus.addEventListener("changed", ({ detail }) => asyncStep(`changed ${detail.id}`));
        tell("call", { id: 5 });
        await waitForSteps(["changed 5"]);
    });
});

describe("a company that is not active", () => {
    const card = () => makeCard({ company_id: 2, partner: { id: 17 } });
    const active = () => user.activeCompanies.map(({ id }) => id);

    beforeEach(() => {
        const companies = [1, 2].map((id) => ({ id, name: `Company ${id}`, child_ids: [] }));
        serverState.companies = companies;
        cookie.set("cids", "1");
    });

    test("requests about its calls name it, and it stays inactive", async () => {
        useTelephony([card()]);
        onRpc("mango.call", "*", ({ method, kwargs }) => {
            asyncStep(`${method} ${kwargs.context.allowed_company_ids}`);
            return true;
        });
        const service = await start();
        expect(keys(service)).toEqual(["call-1"]);
        await service.hangUp(card());
        await service.saveNote(card(), "text", "");
        await service.close(card());
        await service.reopen({ id: 1, key: "call-1", company_id: 2 });
        await service.hangUp(makeCard());
        await waitForSteps([
            "hang_up 2,1",
            "save_note 2,1",
            "close_card 2,1",
            "open_card 2,1",
            "hang_up 1",
        ]);
        expect(active()).toEqual([1]);
    });

    test("it is activated when a record is opened, without a reload", async () => {
        useTelephony();
        mockService("action", {
            doAction: ({ res_model, res_id }) => asyncStep(`${res_model} ${res_id} ${active()}`),
        });
        const service = await start();
        await service.open(1);
        await service.openPartner(makeCard());
        await service.openPartner(card());
        await waitForSteps(["mango.call 1 1", "res.partner 17 1", "res.partner 17 1,2"]);
    });

    test("one that the user has no access to stays inactive", async () => {
        useTelephony();
        mockService("action", { doAction: () => asyncStep(String(active())) });
        const service = await start();
        await service.open(1, makeCard({ company_id: 3 }));
        await waitForSteps(["1"]);
    });
});

describe("closing", () => {
    test("a closed card is reopened; an open one only expands", async () => {
        const cards = useTelephony([makeCard()]);
        onRpc("mango.call", "close_card", () => cards.splice(0));
        onRpc("mango.call", "open_card", ({ args }) => {
            asyncStep(`open ${args[0]}`);
            cards.push(makeCard());
            return true;
        });
        const service = await start();
        service.bus.addEventListener("show", ({ detail }) => asyncStep(`show ${detail.key}`));
        await service.close(service.state.cards[0]);
        expect(keys(service)).toEqual([]);
        await service.reopen({ id: 1, key: "call-1" });
        expect(keys(service)).toEqual(["call-1"]);
        await service.reopen({ id: 1, key: "call-1" });
        await waitForSteps(["open 1", "show call-1", "show call-1"]);
    });

    test("a card that must not be closed yet comes back, up to date", async () => {
        const cards = useTelephony([makeCard({ phase: "talking" })]);
        onRpc("mango.call", "close_card", () => {
            cards[0] = makeCard({ phase: "ended" });
            throw makeServerError({ type: "UserError", message: "Not now" });
        });
        mockService("notification", { add: (message) => asyncStep(message) });
        const service = await start();
        await service.close(service.state.cards[0]);
        expect(phases(service)).toEqual(["ended"]);
        await waitForSteps(["Not now"]);
    });

    test("in this tab: the server is notified", async () => {
        useTelephony([makeCard()]);
        onRpc("mango.call", "close_card", ({ args }) => {
            asyncStep(`close ${args[0]}`);
            return true;
        });
        const service = await start();
        await service.close(service.state.cards[0]);
        expect(keys(service)).toEqual([]);
        await waitForSteps(["close 1"]);
    });

    test("in another tab", async () => {
        useTelephony([makeCard()]);
        const service = await start();
        tell("closed", { key: "call-1" });
        await settle();
        expect(keys(service)).toEqual([]);
    });

    test("while it is being loaded", async () => {
        useTelephony([makeCard()]);
        const answer = new Deferred();
        onRpc("mango.call.presence", "get_cards", () => answer);
        const service = await start();
        tell("call", { id: 1 });
        await settle();
        tell("closed", { key: "call-1" });
        await settle();
        answer.resolve({ cards: [makeCard()], my_state: "free", missed_count: 0 });
        await settle();
        expect(keys(service)).toEqual([]);
    });

    test("while the server still has it on the screen", async () => {
        useTelephony([makeCard()]);
        const answer = new Deferred();
        onRpc("mango.call.presence", "get_cards", () => answer);
        onRpc("mango.call", "close_card", () => true);
        const service = await start();
        await service.close(service.state.cards[0]);
        tell("call", { id: 1 }); // a last change, read before the server knows
        tell("closed", { key: "call-1" });
        answer.resolve({ cards: [makeCard()], my_state: "free", missed_count: 0 });
        await settle();
        expect(keys(service)).toEqual([]);
    });

    test("and reopened", async () => {
        useTelephony([makeCard()]);
        onRpc("mango.call", "close_card", () => true);
        const service = await start();
        await service.close(service.state.cards[0]);
        tell("opened", { key: "call-1", id: 1 });
        await settle();
        expect(keys(service)).toEqual(["call-1"]);
    });

    test("before the call exists", async () => {
        useTelephony();
        onRpc("mango.command", "close_card", ({ args }) => {
            asyncStep(`close ${args[0]}`);
            return true;
        });
        const service = await start();
        const card = makeCard({ key: "command-5", call_id: false, command_id: 5 });
        tell("command", { card });
        await settle();
        await service.close(service.state.cards[0]);
        await waitForSteps(["close 5"]);
        tell("command", { card: { ...card, phase: "pick_up" } });
        await settle();
        expect(keys(service)).toEqual([]);
    });
});

describe("click to call", () => {
    const requested = (values) =>
        makeCard({
            key: "command-5",
            call_id: false,
            command_id: 5,
            phase: "requested",
            direction: "outbound",
            ...values,
        });

    test("one click, one command, and one card for command and call", async () => {
        const cards = useTelephony();
        onRpc("res.users", "mango_call", ({ args }) => {
            asyncStep(args.slice(1).join(" "));
            return requested();
        });
        const service = await start();
        await service.call(NUMBER, { resModel: "res.partner", resId: 3 });
        await waitForSteps([`${NUMBER} res.partner 3`]);
        expect(phases(service)).toEqual(["requested"]);
        tell("command", { card: requested({ phase: "pick_up" }) });
        await settle();
        expect(phases(service)).toEqual(["pick_up"]);
        cards.push(requested({ call_id: 1, phase: "calling" }));
        tell("call", { id: 1 });
        await settle();
        expect(keys(service)).toEqual(["command-5"]);
        expect(phases(service)).toEqual(["calling"]);
        // The PBX's answer comes late.
        tell("command", { card: requested({ phase: "pick_up" }) });
        await settle();
        expect(phases(service)).toEqual(["calling"]);
    });

    test("a double click counts as one", async () => {
        useTelephony();
        const answer = new Deferred();
        onRpc("res.users", "mango_call", () => {
            asyncStep("command");
            return answer;
        });
        const service = await start();
        service.call(NUMBER);
        service.call(NUMBER);
        await animationFrame();
        await waitForSteps(["command"]);
        answer.resolve(requested());
        await settle();
        service.call(NUMBER);
        await waitForSteps(["command"]);
    });

    test("a late answer does not replace the card of the call", async () => {
        const cards = useTelephony();
        const answer = new Deferred();
        onRpc("res.users", "mango_call", () => answer);
        const service = await start();
        service.call(NUMBER);
        cards.push(requested({ call_id: 1, phase: "pick_up" }));
        tell("call", { id: 1 });
        await settle();
        answer.resolve(requested());
        await settle();
        expect(phases(service)).toEqual(["pick_up"]);
        expect(service.state.cards[0].call_id).toBe(1);
    });

    test("a refusal shows the server's message", async () => {
        useTelephony();
        onRpc("res.users", "mango_call", () => {
            throw makeServerError({ type: "UserError", message: "You have no extension" });
        });
        await mountWithCleanup(MainComponentsContainer);
        await getService("mango_office.call").call(NUMBER);
        await animationFrame();
        expect(".o_notification").toHaveText("You have no extension");
        expect(getService("mango_office.call").state.cards).toEqual([]);
    });

    test("a lost connection shows a message, without a retry", async () => {
        useTelephony();
        mockService("orm", {
            call(model, method) {
                asyncStep(method);
                return Promise.reject(new ConnectionLostError());
            },
        });
        await mountWithCleanup(MainComponentsContainer);
        await getService("mango_office.call").call(NUMBER);
        await animationFrame();
        expect(".o_notification").toHaveText(/whether your phone rings/);
        await waitForSteps(["mango_call"]);
    });

    test("the origin of a call back is the lead, or else the contact", async () => {
        useTelephony();
        onRpc("res.users", "mango_call", ({ args }) => {
            asyncStep(args.slice(1).join(" "));
            return requested();
        });
        const service = await start();
        await service.callBack(makeCard({ lead: { id: 4, name: "Desks" } }));
        await service.callBack(makeCard());
        await service.callBack(makeCard({ partner: false }));
        await waitForSteps([
            "+74950000201 crm.lead 4",
            "+74950000201 res.partner 17",
            "+74950000201  ",
        ]);
    });
});

describe("buttons of the card", () => {
    test("each method of the server", async () => {
        useTelephony([makeCard()]);
        for (const method of ["hang_up", "transfer", "stop_consulting", "choose_partner"]) {
            onRpc("mango.call", method, ({ args }) => {
                asyncStep([method, ...args.flat()].join(" "));
                return true;
            });
        }
        const service = await start();
        const [card] = service.state.cards;
        await service.hangUp(card);
        await service.transfer(card, { dial: "102", name: "Boris" }, "hold");
        await service.stopConsulting(card);
        await service.choosePartner(card, 18);
        await waitForSteps([
            "hang_up 1",
            "transfer 1 102 hold",
            "stop_consulting 1",
            "choose_partner 1 18",
        ]);
    });

    for (const [method, about] of [
        ["blind", ""],
        ["hold", "asking"],
    ]) {
        test(`a transfer is shown at once: ${method}`, async () => {
            const cards = useTelephony([makeCard({ phase: "talking", can_transfer: true })]);
            const answer = new Deferred();
            onRpc("mango.call", "transfer", () => answer);
            const service = await start();
            const before = service.state.cards[0];
            const transfer = service.transfer(before, { dial: "102", name: "Boris" }, method);
            expect(phases(service)).toEqual(["transferring"]);
            const [card] = service.state.cards;
            expect([card.target, card.about, card.message]).toEqual(["Boris", about, ""]);
            expect([card.can_transfer, card.can_hang_up, card.seconds]).toEqual([
                false,
                false,
                false,
            ]);
            cards[0] = makeCard({ phase: "left" });
            answer.resolve(true);
            await transfer;
            expect(phases(service)).toEqual(["transferring"]);
            tell("call", { id: 1 });
            await settle();
            expect(phases(service)).toEqual(["left"]);
        });
    }

    test("the card is restored if the server refuses a transfer", async () => {
        useTelephony([makeCard({ phase: "talking" })]);
        onRpc("mango.call", "transfer", () => {
            throw makeServerError({ type: "UserError", message: "You are not in this call" });
        });
        const service = await start();
        await service.transfer(service.state.cards[0], { dial: "102", name: "Boris" }, "blind");
        await settle();
        expect(phases(service)).toEqual(["talking"]);
    });

    test("answers to requests before a transfer are ignored", async () => {
        useTelephony([makeCard({ phase: "talking" })]);
        onRpc("mango.call", "transfer", () => true);
        const service = await start();
        const answer = new Deferred();
        onRpc("mango.call.presence", "get_cards", () => answer);
        const reading = service.refresh(1);
        await animationFrame();
        await service.transfer(service.state.cards[0], { dial: "102", name: "Boris" }, "blind");
        answer.resolve({ cards: [makeCard({ phase: "talking" })] });
        await reading;
        expect(phases(service)).toEqual(["transferring"]);
    });

    test("the card is reloaded if the PBX refuses a transfer", async () => {
        const cards = useTelephony([makeCard({ phase: "transferring" })]);
        const service = await start();
        cards[0] = makeCard({ phase: "talking" });
        tell("command", { error: "Not now", call_id: 1 });
        await settle();
        expect(phases(service)).toEqual(["talking"]);
    });

    test("a refusal of the PBX shows a notification", async () => {
        useTelephony();
        await mountWithCleanup(MainComponentsContainer);
        tell("command", { error: "The call is over", call_id: 1 });
        await settle();
        expect(".o_notification").toHaveText("The call is over");
    });

    test("a refusal of the server shows a notification", async () => {
        useTelephony();
        onRpc("mango.call", "hang_up", () => {
            throw makeServerError({ type: "UserError", message: "You are not in this call" });
        });
        await mountWithCleanup(MainComponentsContainer);
        await getService("mango_office.call").hangUp(makeCard());
        await animationFrame();
        expect(".o_notification").toHaveText("You are not in this call");
    });

    test("open the lead", async () => {
        useTelephony();
        mockService("action", { doAction: ({ res_id }) => asyncStep(`lead ${res_id}`) });
        const service = await start();
        await service.openLead(makeCard({ lead: { id: 4 } }));
        await waitForSteps(["lead 4"]);
    });

    /** @returns {Object[]} the properties of the dialogs that the service opens */
    function keepDialogs(service) {
        const dialogs = [];
        patchWithCleanup(service.dialog, { add: (_component, props) => dialogs.push(props) });
        return dialogs;
    }

    test("create a lead in a dialog, with defaults of the call", async () => {
        useTelephony();
        onRpc("mango.call", "get_lead_defaults", () => ({ default_name: "Call: Ivan" }));
        onRpc("mango.call", "choose_lead", ({ args }) => {
            asyncStep(`choose_lead ${args.flat().join(" ")}`);
            return true;
        });
        const service = await start();
        const dialogs = keepDialogs(service);
        await service.createLead(makeCard());
        expect(dialogs[0].resModel).toBe("crm.lead");
        expect(dialogs[0].context).toEqual({ default_name: "Call: Ivan" });
        await dialogs[0].onRecordSaved({ resId: 4 });
        await waitForSteps(["choose_lead 1 4"]);
    });

    test("a new contact belongs to the user, and gets the earlier calls of the number", async () => {
        useTelephony();
        await mountWithCleanup(MainComponentsContainer);
        const service = getService("mango_office.call");
        onRpc("mango.call", "choose_new_partner", ({ args }) => {
            asyncStep(`choose_new_partner ${args.flat().join(" ")}`);
            return 3;
        });
        const dialogs = keepDialogs(service);
        service.createPartner(makeCard({ partner: false }));
        expect(dialogs[0].context).toEqual({
            default_phone: "+7 495 000-02-01",
            default_user_id: user.userId,
        });
        await dialogs[0].onRecordSaved({ resId: 18 });
        await waitForSteps(["choose_new_partner 1 18"]);
        await animationFrame();
        expect(".o_notification").toHaveText(/Earlier calls of this number.*: 3/);
    });

    test("adding a number reports the earlier calls, if any", async () => {
        useTelephony();
        await mountWithCleanup(MainComponentsContainer);
        const service = getService("mango_office.call");
        let count = 0;
        onRpc("mango.call", "add_number_to", () => count);
        await service.addNumberTo(makeCard(), 18);
        await animationFrame();
        expect(".o_notification").toHaveCount(0);
        count = 2;
        await service.addNumberTo(makeCard(), 18);
        await animationFrame();
        expect(".o_notification").toHaveText(/: 2/);
    });

    test("a number is not added to colleagues", async () => {
        useTelephony();
        const service = await start();
        const dialogs = keepDialogs(service);
        service.addNumber(makeCard());
        expect(dialogs[0].domain).toEqual([["partner_share", "=", true]]);
    });

    test("an activity is scheduled on the lead, or else the contact, or else the call", async () => {
        useTelephony();
        mockService("mail.store", {
            scheduleActivity: (model, ids) => asyncStep(`${model} ${ids}`),
        });
        const service = await start();
        service.scheduleActivity(makeCard({ lead: { id: 4 } }));
        service.scheduleActivity(makeCard());
        service.scheduleActivity(makeCard({ partner: false }));
        await waitForSteps(["crm.lead 4", "res.partner 17", "mango.call 1"]);
    });
});

describe("desktop notifications", () => {
    function mockNotification(permission) {
        class MockNotification extends EventTarget {
            static permission = permission;
            static requestPermission() {
                asyncStep("asked");
                return Promise.resolve("granted");
            }
            constructor(title, { body, tag }) {
                super();
                asyncStep(`${title} | ${body} | ${tag}`);
            }
            close() {
                asyncStep("closed");
            }
        }
        patchWithCleanup(browser, { Notification: MockNotification });
    }

    test("one notification of a call while the page is hidden", async () => {
        mockNotification("granted");
        Object.defineProperty(document, "hidden", { value: true, configurable: true });
        const cards = useTelephony();
        const service = await start();
        cards.push(makeCard({ lead: { id: 4, name: "Desks" } }));
        tell("call", { id: 1 });
        await settle();
        await waitForSteps([
            "Ivan Petrov is calling | +7 495 000-02-01 · Desks | mango-office-call-1",
        ]);
        tell("call", { id: 1 });
        await settle();
        cards[0] = makeCard({ phase: "talking" });
        tell("call", { id: 1 });
        await settle();
        await waitForSteps(["closed"]);
        expect(phases(service)).toEqual(["talking"]);
        delete document.hidden;
    });

    describe("on Android, which requires a service worker", () => {
        function mockAndroid(registration) {
            class IllegalNotification {
                static permission = "granted";
                constructor() {
                    throw new TypeError("Illegal constructor");
                }
            }
            patchWithCleanup(browser, { Notification: IllegalNotification });
            const serviceWorker = Object.assign(new EventTarget(), {
                getRegistration: async () => registration,
            });
            patchWithCleanup(browser.navigator, { serviceWorker });
            Object.defineProperty(document, "hidden", { value: true, configurable: true });
        }

        async function ring() {
            const cards = useTelephony();
            const service = await start();
            cards.push(makeCard());
            tell("call", { id: 1 });
            await settle();
            cards[0] = makeCard({ phase: "talking" });
            tell("call", { id: 1 });
            await settle();
            delete document.hidden;
            expect(phases(service)).toEqual(["talking"]);
        }

        test("notification by the service worker", async () => {
            mockAndroid({
                showNotification: async (title, { tag }) => asyncStep(`${title} | ${tag}`),
                getNotifications: async ({ tag }) => [{ close: () => asyncStep(`close ${tag}`) }],
            });
            await ring();
            await waitForSteps([
                "Ivan Petrov is calling | mango-office-call-1",
                "close mango-office-call-1",
            ]);
        });

        test("only the card without a service worker", async () => {
            mockAndroid(undefined);
            await ring();
        });
    });

    test("a consultation has its own text", async () => {
        mockNotification("granted");
        Object.defineProperty(document, "hidden", { value: true, configurable: true });
        const cards = useTelephony();
        await start();
        cards.push(makeCard({ about: "asked", message: "Anna asks you." }));
        tell("call", { id: 1 });
        await settle();
        await waitForSteps([
            "Anna asks you. | Ivan Petrov · +7 495 000-02-01 | mango-office-call-1",
        ]);
        delete document.hidden;
    });

    test("none without permission, nor while the page is visible", async () => {
        mockNotification("denied");
        const cards = useTelephony();
        const service = await start();
        expect(service.canAskNotifications).toBe(false);
        cards.push(makeCard());
        tell("call", { id: 1 });
        await settle();
        await waitForSteps([]);
    });

    test("the permission is requested on a click", async () => {
        mockNotification("default");
        useTelephony();
        const service = await start();
        await waitForSteps([]);
        expect(service.canAskNotifications).toBe(true);
        await service.askNotifications();
        await waitForSteps(["asked"]);
    });
});
