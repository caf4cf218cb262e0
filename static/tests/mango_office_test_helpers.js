import { mailModels } from "@mail/../tests/mail_test_helpers";
import {
    defineModels,
    fields,
    mockService,
    models,
    onRpc,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";
import { session } from "@web/session";

/** The log's model as the web client sees it: what the widgets and the service read. */
export class MangoCall extends models.Model {
    _name = "mango.call";

    client_number_display = fields.Char();
    display_name = fields.Char();
    lead_id = fields.Char();
    direction = fields.Selection({
        selection: [
            ["inbound", "Inbound"],
            ["outbound", "Outbound"],
            ["internal", "Internal"],
        ],
    });
    talk_duration = fields.Integer({ aggregator: "sum" });
    timeline = fields.Json();

    _records = [
        {
            id: 1,
            client_number_display: "+7 495 000-02-01",
            direction: "inbound",
            display_name: "Ivan Petrov",
            talk_duration: 75,
            timeline: [
                { key: "leg-1", kind: "menu", offset: 0, title: "Greeting", text: "0:05" },
                { key: "route", kind: "route", offset: null, title: "Routed", text: "Anna" },
                { key: "end", kind: "end", offset: 85, title: "End", text: "" },
            ],
        },
        {
            id: 2,
            client_number_display: "",
            direction: "internal",
            display_name: "Hidden number",
            talk_duration: 3600,
            timeline: [],
        },
    ];
}

/** Methods only: the service calls what the tests answer with `onRpc`. */
export class MangoCallCard extends models.Model {
    _name = "mango.call.card";
}

export class MangoCommand extends models.Model {
    _name = "mango.command";
}

export class MangoExtension extends models.Model {
    _name = "mango.extension";
}

export function defineMangoOfficeModels() {
    return defineModels({ ...mailModels, MangoCall, MangoCallCard, MangoCommand, MangoExtension });
}

export const EXTENSION = { id: 7, number: "101", name: "Anna Sokolova" };

/** A card as the server gives it (`mango.card`), with what a test wants different. */
export function makeCard(values = {}) {
    const callId = values.call_id === undefined ? 1 : values.call_id;
    return {
        key: `call-${callId}`,
        call_id: callId,
        command_id: false,
        phase: "ringing",
        leaves: false,
        direction: "inbound",
        result: false,
        message: "",
        name: "Ivan Petrov",
        number: "+7 495 000-02-01",
        dial: "+74950000201",
        line: "Sales (+7 495 000-01-00)",
        partner: { id: 17, name: "Ivan Petrov", company: "Vector", avatar: "" },
        candidates: [],
        lead: false,
        can_create_lead: true,
        can_create_partner: true,
        owner: "Anna Sokolova",
        history: [],
        note: "",
        seconds: 3,
        talk_duration: 0,
        consulting: "",
        can_hang_up: false,
        can_transfer: false,
        ...values,
    };
}

/**
 * Let the user be one of the telephony's, and the server have some cards for them.
 *
 * @param {Object[]} cards may be changed by the test: the server answers with what it
 *  holds at that moment
 * @param {Object | false} extension
 */
export function useTelephony(cards = [], extension = EXTENSION) {
    patchWithCleanup(session, { mango_office: { extension } });
    mockBus();
    const figures = { my_state: "free", missed_count: 0 };
    onRpc("mango.call.card", "get_screen", () => ({ cards: [...cards], extension, ...figures }));
    onRpc("mango.call.card", "get_cards", ({ args: [callIds] }) => ({
        cards: cards.filter((card) => callIds.includes(card.call_id)),
        ...figures,
    }));
    return cards;
}

/** What the call service hears, by the type of the message or of the bus's event. */
let hears = {};

/** A bus without a socket: a message arrives when the test sends it, neither sooner nor later. */
function mockBus() {
    hears = {};
    mockService("bus_service", {
        subscribe(type, callback) {
            hears[type] = callback;
        },
        addEventListener(type, callback) {
            hears[type] = callback;
        },
        start() {},
    });
}

/** Send a message over the bus, as the server does to the user. */
export function tell(type, payload) {
    hears[`mango_office/${type}`](payload);
}

/** Let the connection to the server be back. */
export function reconnect() {
    hears["BUS:RECONNECT"]();
}
