import { mailModels } from "@mail/../tests/mail_test_helpers";
import {
    asyncStep,
    defineModels,
    fields,
    mockService,
    models,
    onRpc,
    patchWithCleanup,
    serverState,
} from "@web/../tests/web_test_helpers";
import { browser } from "@web/core/browser/browser";
import { session } from "@web/session";

const RECORDING_STATES = [
    ["announced", "At the PBX"],
    ["requested", "On Its Way"],
    ["ready", "Ready"],
    ["failed", "Failed"],
    ["expired", "Deleted"],
];

/** The fields of a call that the web client reads. */
export class MangoCall extends models.Model {
    _name = "mango.call";

    client_number = fields.Char();
    client_number_display = fields.Char();
    display_name = fields.Char();
    group_id = fields.Many2one({ relation: "mango.group" });
    group_text = fields.Char();
    lead_id = fields.Char();
    direction = fields.Selection({
        selection: [
            ["inbound", "Inbound"],
            ["outbound", "Outbound"],
            ["internal", "Internal"],
        ],
    });
    recording_error = fields.Char();
    recording_state = fields.Selection({ selection: [["none", "None"], ...RECORDING_STATES] });
    result = fields.Selection({
        selection: [
            ["answered", "Answered"],
            ["missed", "Missed"],
        ],
    });
    state = fields.Selection({
        selection: [
            ["ringing", "Ringing"],
            ["talking", "Talking"],
            ["ended", "Ended"],
        ],
    });
    talk_duration = fields.Integer({ aggregator: "sum" });
    talking_seconds = fields.Integer();
    timeline = fields.Json();
    user_id = fields.Many2one({ relation: "res.users" });

    _records = [
        {
            id: 1,
            client_number: "+74950000201",
            client_number_display: "+7 495 000-02-01",
            direction: "inbound",
            display_name: "Ivan Petrov",
            group_id: 5,
            group_text: "Sales, nobody answered",
            recording_state: "announced",
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
            recording_state: "none",
            talk_duration: 3600,
            timeline: [],
            user_id: serverState.userId,
        },
    ];
}

/** Has methods only, which the tests mock with `onRpc`. */
export class MangoCallCard extends models.Model {
    _name = "mango.call.presence";
}

/** The fields of an entry that the views and their button read. */
export class MangoCallback extends models.Model {
    _name = "mango.callback";

    attempt_count = fields.Integer();
    calling = fields.Char();
    client_number = fields.Char();
    client_number_display = fields.Char();
    is_calling_me = fields.Boolean();
    is_talking = fields.Boolean();
    state = fields.Selection({
        selection: [
            ["open", "Waiting"],
            ["done", "Done"],
        ],
    });

    _records = [
        {
            id: 3,
            attempt_count: 2,
            client_number: "+74950000201",
            client_number_display: "+7 495 000-02-01",
            state: "open",
        },
        { id: 4, client_number: "+74950000202", state: "done" },
    ];
}

export class MangoCommand extends models.Model {
    _name = "mango.command";
}

export class MangoExtension extends models.Model {
    _name = "mango.extension";
}

export class MangoGroup extends models.Model {
    _name = "mango.group";

    name = fields.Char();

    _records = [{ id: 5, name: "Sales (500)" }];
}

export class MangoRecording extends models.Model {
    _name = "mango.recording";

    call_id = fields.Many2one({ relation: "mango.call" });
    error = fields.Char();
    state = fields.Selection({ selection: RECORDING_STATES });

    _records = [
        { id: 11, call_id: 1, state: "ready" },
        { id: 12, call_id: 1, state: "ready" },
    ];
}

export function defineMangoOfficeModels() {
    return defineModels({
        ...mailModels,
        MangoCall,
        MangoCallCard,
        MangoCallback,
        MangoCommand,
        MangoExtension,
        MangoGroup,
        MangoRecording,
    });
}

export const EXTENSION = { id: 7, number: "101", name: "Anna Sokolova" };

/** Return a card as sent by the server (`mango.card.content`), with some values changed. */
export function makeCard(values = {}) {
    const callId = values.call_id === undefined ? 1 : values.call_id;
    return {
        key: `call-${callId}`,
        call_id: callId,
        command_id: false,
        company_id: 1,
        company: "",
        phase: "ringing",
        about: "",
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
        is_partner_chosen: false,
        lead: false,
        can_create_lead: true,
        can_create_partner: true,
        owner: "Anna Sokolova",
        history: [],
        note: "",
        ended_seconds: false,
        seconds: 3,
        talk_duration: 0,
        consulting: "",
        target: "",
        can_hang_up: false,
        can_transfer: false,
        callback: false,
        follow_up: false,
        activity: false,
        ...values,
    };
}

/**
 * Make the user a telephony user, and mock the server's cards.
 *
 * @param {Object[]} cards may be changed by the test during the test
 * @param {Object | false} extension
 */
export function useTelephony(cards = [], extension = EXTENSION) {
    patchWithCleanup(session, { mango_office: { extension } });
    mockBus();
    const figures = {
        my_state: "free",
        my_status: { status: "available", away_until: false },
        missed_count: 0,
        planned_count: 0,
    };
    onRpc("mango.call.presence", "get_screen", () => ({
        cards: [...cards],
        extension,
        ...figures,
    }));
    onRpc("mango.call.presence", "get_cards", ({ args: [callIds] }) => ({
        cards: cards.filter((card) => callIds.includes(card.call_id)),
        ...figures,
    }));
    return cards;
}

/** The listeners of the call service, by type of notification or bus event. */
let hears = {};

/** A bus without a websocket: notifications arrive exactly when the test sends them. */
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

/** Return a recording as sent by the server (`get_recordings`), with some values changed. */
export function makeRecording(values = {}) {
    return {
        id: 11,
        state: "ready",
        employee: "Anna Sokolova",
        duration: 600,
        size: 50 * 1024 * 1024, // too large for a waveform
        mimetype: "audio/mpeg",
        error: "",
        can_request: false,
        can_download: false,
        can_delete: false,
        keep: false,
        ...values,
    };
}

/**
 * Mock the recordings of a call.
 *
 * @param {Object[]} recordings may be changed by the test, as the cards of `useTelephony`
 */
export function useRecordings(recordings) {
    onRpc("mango.call", "get_recordings", () => recordings.map((recording) => ({ ...recording })));
    onRpc("mango.recording", "log_play", ({ args: [ids] }) => {
        asyncStep(`log ${ids}`);
        return true;
    });
    return recordings;
}

/** An audio element controlled by the test. */
export class FakeAudio extends EventTarget {
    /** @type {FakeAudio[]} */
    static all = [];
    /** Set by a test: the error of `play`. */
    static refusal = null;

    constructor() {
        super();
        FakeAudio.all.push(this);
        this.currentTime = 0;
        this.duration = NaN;
        this.readyState = 0;
        this.playbackRate = 1;
    }

    set src(src) {
        asyncStep(`src ${src}`);
        this.currentTime = 0;
        this.duration = NaN;
        this.readyState = 0;
        this.playbackRate = this.defaultPlaybackRate;
    }

    removeAttribute(name) {
        asyncStep(`without ${name}`);
    }

    load() {}

    play() {
        asyncStep("play");
        return FakeAudio.refusal ? Promise.reject(FakeAudio.refusal) : Promise.resolve();
    }

    pause() {
        asyncStep("pause");
        this.tell("pause");
    }

    /**
     * @param {string} type of the event
     * @param {Object} [values] of the element at that time
     */
    tell(type, values = {}) {
        Object.assign(this, values);
        this.dispatchEvent(new Event(type));
    }

    /** The file is loaded and plays. */
    sound(duration = 600) {
        this.tell("loadedmetadata", { duration, readyState: 4 });
        this.tell("playing");
    }
}

/** Replace the page's audio elements; they are in `FakeAudio.all`. */
export function useFakeAudio() {
    Object.assign(FakeAudio, { all: [], refusal: null });
    patchWithCleanup(browser, { Audio: FakeAudio });
}

/** Send a notification over the bus, like the server. */
export function tell(type, payload) {
    hears[`mango_office/${type}`](payload);
}

/** Restore the connection to the server. */
export function reconnect() {
    hears["BUS:RECONNECT"]();
}
