import { EventBus, reactive } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { ConnectionLostError, RPCError } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { session } from "@web/session";
import { FormViewDialog } from "@web/views/view_dialogs/form_view_dialog";
import { SelectCreateDialog } from "@web/views/view_dialogs/select_create_dialog";
import { DesktopNotifications } from "./desktop_notifications";
import { inTurn } from "./in_turn";

/** Supervisors subscribe to it while a view shows all calls. */
const BOARD_CHANNEL = "mango_office_board";

/** Delay before the card of a call that a colleague has answered closes. */
const LEAVING_DELAY = 5000; // milliseconds

/**
 * @typedef {Object} Card a call on this screen, see `mango.card.content` on the server
 * @property {string} key stays the same while a click becomes a call
 * @property {number | false} call_id
 * @property {number | false} command_id
 * @property {string} phase
 * @property {boolean} leaves whether it closes automatically
 *
 * @typedef {Object} CallMessage notification about a call
 * @property {number} id
 *
 * @typedef {Object} Origin the record that a call is started from
 * @property {string} [resModel]
 * @property {number} [resId]
 */

/**
 * The user's calls: handles the notifications of the bus, and calls the server.
 *
 * Notifications only contain ids; the cards are read with the user's access rights.
 * Components display `state` and call the methods.
 */
export class CallService {
    static dependencies = ["action", "bus_service", "dialog", "notification", "orm"];

    /**
     * @param {import("@web/env").OdooEnv} env
     * @param {Object} services
     */
    constructor(env, services) {
        this.env = env;
        this.action = services.action;
        this.busService = services.bus_service;
        this.dialog = services.dialog;
        this.notification = services.notification;
        this.orm = services.orm;
        this.bus = new EventBus();
        this.desktop = new DesktopNotifications();
        this.state = reactive({
            extension: session.mango_office?.extension || false,
            /** @type {Card[]} */
            cards: [],
            myState: "free",
            /** Whether calls are routed to the user. */
            myStatus: { status: "available", away_until: false },
            /** Number of clients to call back. */
            missedCount: 0,
            /** Number of calls that the user has planned until today. */
            plannedCount: 0,
        });
        /** Numbers being dialled, so that a double click sends one command. */
        this.dialling = new Set();
        /** Keys of closed cards; late notifications must not reopen them. */
        this.closedKeys = new Set();
        /** Number of the latest request by call; answers to older ones are ignored. */
        this.lastQuestion = new Map();
        this.questions = 0;
        /** Ids of the calls to read with the next request. */
        this.wanted = new Set();
        // A call to a group may cause a hundred notifications, but only a few requests.
        this.readWanted = inTurn(() => this.askForWanted());
        this.loadScreen = inTurn(() => this.askForScreen());
        /** Callbacks registered with `watchAll`. */
        this.watchers = new Set();
        if (session.mango_office) {
            this.listen();
        }
    }

    listen() {
        this.subscribe("call", (message) => this.onCall(message));
        this.subscribe("command", (message) => this.onCommand(message));
        this.subscribe("closed", ({ key }) => this.onClosed(key));
        this.subscribe("opened", (message) => this.onOpened(message));
        this.subscribe("callback", (message) => this.onCallback(message));
        this.subscribe("status", (status) => {
            this.state.myStatus = status;
        });
        this.subscribe("board", () => this.tellWatchers());
        // One of the user's own activities, which may be a planned call.
        this.busService.subscribe("mail.activity/updated", () => this.onActivity());
        // Notifications sent without a connection are lost.
        for (const event of ["BUS:CONNECT", "BUS:RECONNECT"]) {
            this.busService.addEventListener(event, () => {
                this.loadScreen();
                this.tellWatchers();
            });
        }
        this.busService.start();
        this.env.bus.addEventListener("WEB_CLIENT_READY", () => this.loadScreen(), {
            once: true,
        });
    }

    subscribe(type, callback) {
        this.busService.subscribe(`mango_office/${type}`, callback);
    }

    // -----------------------------------------------------------------------
    // Notifications
    // -----------------------------------------------------------------------

    /** @param {CallMessage} message */
    onCall({ id }) {
        this.bus.trigger("changed", { id });
        this.wantRelated();
        return this.refresh(id);
    }

    /** @param {{ card?: Card, error?: string, call_id?: number | false }} message */
    onCommand({ card, error, call_id }) {
        if (error) {
            this.notification.add(error, { type: "warning" });
            return call_id && this.refresh(call_id);
        }
        if (!this.closedKeys.has(card.key) && !this.find(card.key)?.call_id) {
            this.show(card);
        }
    }

    /** @param {{ id: number }} message an entry has changed */
    onCallback({ id }) {
        this.bus.trigger("callback", { id });
        return this.refreshShown();
    }

    onActivity() {
        this.bus.trigger("activity");
        return this.refreshShown();
    }

    onClosed(key) {
        this.closedKeys.add(key);
        this.remove(key);
    }

    onOpened({ key, id }) {
        this.closedKeys.delete(key);
        return this.refresh(id);
    }

    /** Load all cards of the user; to be called through `loadScreen`. */
    async askForScreen() {
        const asked = ++this.questions;
        const screen = await this.read(() =>
            this.orm.silent.call("mango.call.presence", "get_screen", [])
        );
        if (!screen) {
            return;
        }
        this.state.extension = screen.extension;
        this.readFigures(screen);
        const isNewer = (card) => (this.lastQuestion.get(card.call_id) || 0) > asked;
        const newer = this.state.cards.filter(isNewer);
        const keys = new Set(newer.map((card) => card.key));
        this.state.cards = [
            ...newer,
            ...screen.cards.filter(
                (card) => !keys.has(card.key) && !isNewer(card) && !this.closedKeys.has(card.key)
            ),
        ];
    }

    /**
     * Reload the card of a call, and remove it if there is none any more.
     *
     * Calls that change at the same time, or during a request, are read with one request:
     * a new page receives the notifications of the last minute.
     *
     * @param {number} callId
     * @returns {Promise} resolved when the card is up to date
     */
    refresh(callId) {
        this.wanted.add(callId);
        return this.readWanted();
    }

    /** Also read the cards that a change of another call may change; for other parts of the addon. */
    wantRelated() {}

    /** Reload the figures and the visible cards. */
    refreshShown() {
        for (const card of this.state.cards) {
            if (card.call_id) {
                this.wanted.add(card.call_id);
            }
        }
        return this.readWanted();
    }

    /** Load the wanted cards and the figures; to be called through `readWanted`. */
    async askForWanted() {
        const callIds = [...this.wanted];
        this.wanted.clear();
        const question = ++this.questions;
        for (const callId of callIds) {
            this.lastQuestion.set(callId, question);
        }
        const answer = await this.read(() =>
            this.orm.silent.call("mango.call.presence", "get_cards", [callIds])
        );
        if (!answer) {
            return;
        }
        this.readFigures(answer);
        const answered = callIds.filter((id) => this.lastQuestion.get(id) === question);
        const cards = new Map(answer.cards.map((card) => [card.call_id, card]));
        for (const callId of answered) {
            const card = cards.get(callId);
            if (card && !this.closedKeys.has(card.key)) {
                this.show(card);
            } else {
                this.state.cards = this.state.cards.filter((shown) => shown.call_id !== callId);
            }
        }
    }

    readFigures({ my_state, my_status, missed_count, planned_count }) {
        this.state.myState = my_state;
        this.state.myStatus = my_status;
        this.state.missedCount = missed_count;
        this.state.plannedCount = planned_count;
    }

    /**
     * Set whether calls are routed to a user.
     *
     * @param {number} userId
     * @param {"available" | "dnd" | "away"} status
     * @param {string | false} until end of the absence, UTC
     */
    setStatus(userId, status, until) {
        return this.attempt(() =>
            this.orm.silent.call("res.users", "mango_set_status", [[userId], status, until])
        );
    }

    /** Read in the background; undefined without a connection. */
    async read(ask) {
        try {
            return await ask();
        } catch (error) {
            if (error instanceof ConnectionLostError || error instanceof RPCError) {
                return undefined;
            }
            throw error;
        }
    }

    // -----------------------------------------------------------------------
    // All calls, for supervisors
    // -----------------------------------------------------------------------

    get isSupervisor() {
        return Boolean(session.mango_office?.is_supervisor);
    }

    /**
     * Watch all calls of the company; the channel is only used while somebody does.
     *
     * @param {Function} onChange called without arguments after each change
     * @returns {Function} stops watching
     */
    watchAll(onChange) {
        if (!this.watchers.size) {
            this.busService.addChannel(BOARD_CHANNEL);
        }
        this.watchers.add(onChange);
        return () => {
            this.watchers.delete(onChange);
            if (!this.watchers.size) {
                this.busService.deleteChannel(BOARD_CHANNEL);
            }
        };
    }

    tellWatchers() {
        for (const onChange of this.watchers) {
            onChange();
        }
    }

    // -----------------------------------------------------------------------
    // Cards
    // -----------------------------------------------------------------------

    find(key) {
        return this.state.cards.find((card) => card.key === key);
    }

    /** @param {Card} card */
    show(card) {
        const before = this.find(card.key);
        if (card.leaves) {
            if (!before) {
                return; // a late notification of a card that has been removed
            }
            browser.setTimeout(() => this.removeIfLeaving(card.key), LEAVING_DELAY);
        }
        if (before) {
            this.state.cards = this.state.cards.map((shown) =>
                shown.key === card.key ? card : shown
            );
        } else {
            this.state.cards = [card, ...this.state.cards];
        }
        this.desktop.follow(card, before);
    }

    removeIfLeaving(key) {
        if (this.find(key)?.leaves) {
            this.remove(key);
        }
    }

    remove(key) {
        const card = this.find(key);
        if (!card) {
            return;
        }
        if (card.call_id) {
            // Ignore the answers to earlier requests.
            this.lastQuestion.set(card.call_id, ++this.questions);
        }
        this.desktop.close(key);
        this.state.cards = this.state.cards.filter((shown) => shown.key !== key);
    }

    /** The calls in progress, including those whose cards were closed. */
    running() {
        return this.read(() => this.orm.silent.call("mango.call.presence", "get_running", []));
    }

    /**
     * Expand the card of a call in progress; reopen it in all tabs if it was closed.
     *
     * @param {{ id: number, key: string, company_id: number }} call
     */
    async reopen({ id, key, company_id }) {
        if (!this.find(key)) {
            this.closedKeys.delete(key);
            const context = this.contextOf({ company_id });
            await this.attempt(() =>
                this.orm.silent.call("mango.call", "open_card", [[id]], { context })
            );
            await this.refresh(id);
        }
        this.bus.trigger("show", { key });
    }

    /** Close a card in all tabs; it comes back if the server refuses. */
    async close(card) {
        this.onClosed(card.key);
        const [model, id] = card.call_id
            ? ["mango.call", card.call_id]
            : ["mango.command", card.command_id];
        const context = this.contextOf(card);
        const isClosed = await this.attempt(async () => {
            await this.orm.silent.call(model, "close_card", [[id]], { context });
            return true;
        });
        if (!isClosed) {
            this.closedKeys.delete(card.key);
            this.show(card);
            return card.call_id && this.refresh(card.call_id);
        }
    }

    /**
     * The context of requests about a call: its company comes first, active or not.
     *
     * @param {{ company_id: number | false }} card
     */
    contextOf({ company_id }) {
        const active = user.activeCompanies.map(({ id }) => id);
        return company_id ? { allowed_company_ids: [...new Set([company_id, ...active])] } : {};
    }

    /**
     * Activate the company of a card, because what is opened from the card belongs to it.
     *
     * Odoo does the same when a record is saved: a reload would lose what is being written.
     */
    activateCompany({ company_id }) {
        const active = user.activeCompanies.map(({ id }) => id);
        const isAllowed = user.allowedCompanies.some(({ id }) => id === company_id);
        if (isAllowed && !active.includes(company_id)) {
            const options = { includeChildCompanies: false, reload: false };
            user.activateCompanies([...active, company_id], options);
        }
    }

    // -----------------------------------------------------------------------
    // Calling
    // -----------------------------------------------------------------------

    /**
     * Call a number: the PBX rings the user's phone first.
     *
     * Never retried: if the answer is lost, the phones may ring anyway.
     *
     * @param {string} number in any format
     * @param {Origin} [origin]
     * @param {(problem: string) => void} [onProblem] replaces the notification
     * @returns {Promise<boolean>} whether the PBX was asked
     */
    async call(number, { resModel, resId } = {}, onProblem) {
        if (this.dialling.has(number)) {
            return false;
        }
        this.dialling.add(number);
        try {
            const card = await this.orm.call("res.users", "mango_call", [
                [user.userId],
                number,
                resModel || null,
                resId || null,
            ]);
            this.closedKeys.delete(card.key);
            if (!this.find(card.key)?.call_id || card.call_id) {
                this.show(card);
            }
            return true;
        } catch (error) {
            this.tell(
                error,
                _t(
                    "The connection was lost. Check whether your phone rings before you call again."
                ),
                onProblem
            );
            return false;
        } finally {
            this.dialling.delete(number);
        }
    }

    /** Call the client of a card again. */
    callBack(card) {
        const origin = card.lead
            ? { resModel: "crm.lead", resId: card.lead.id }
            : { resModel: "res.partner", resId: card.partner.id };
        return this.call(card.dial, card.lead || card.partner ? origin : {});
    }

    /** Call a client back: `id` and `dial` of an entry. */
    callWaiting({ id, dial }) {
        return this.call(dial, { resModel: "mango.callback", resId: id });
    }

    hangUp(card) {
        return this.onServer(card, "hang_up");
    }

    /**
     * Transfer the call.
     *
     * The card shows it at once: the PBX needs some seconds.
     *
     * @param {Card} card
     * @param {{ dial: string, name: string }} target
     * @param {"blind" | "hold"} method blind, or attended
     */
    async transfer(card, { dial, name }, method) {
        // Ignore the answers to earlier requests.
        this.lastQuestion.set(card.call_id, ++this.questions);
        this.show({
            ...card,
            phase: "transferring",
            about: method === "hold" ? "asking" : "",
            message: "",
            seconds: false,
            target: name,
            can_hang_up: false,
            can_transfer: false,
        });
        const isSent = await this.onServer(card, "transfer", dial, method);
        if (!isSent) {
            await this.refresh(card.call_id);
        }
    }

    stopConsulting(card) {
        return this.onServer(card, "stop_consulting");
    }

    /** Search transfer targets by name or number, with their states. */
    transferTargets(card, term) {
        const context = this.contextOf(card);
        const args = [term, card.call_id];
        return this.orm.silent.call("mango.extension", "get_transfer_targets", args, { context });
    }

    // -----------------------------------------------------------------------
    // Note, client, lead and activity
    // -----------------------------------------------------------------------

    /**
     * Save the note.
     *
     * @param {Card} card
     * @param {string} note
     * @param {string} base the text that the user started from
     * @returns {Promise<string>} the stored note, with what others have written
     */
    saveNote(card, note, base) {
        const context = this.contextOf(card);
        const args = [[card.call_id], note, base];
        return this.orm.silent.call("mango.call", "save_note", args, { context });
    }

    async choosePartner(card, partnerId) {
        await this.onServer(card, "choose_partner", partnerId);
        return this.refresh(card.call_id);
    }

    async addNumberTo(card, partnerId) {
        this.tellAttached(await this.onServer(card, "add_number_to", partnerId));
        return this.refresh(card.call_id);
    }

    async chooseNewPartner(card, partnerId) {
        this.tellAttached(await this.onServer(card, "choose_new_partner", partnerId));
        return this.refresh(card.call_id);
    }

    /** @param {number | undefined} count of earlier calls that now belong to the contact */
    tellAttached(count) {
        if (count) {
            const words = _t("Earlier calls of this number, now with the contact: %s", count);
            this.notification.add(words, { type: "success" });
        }
    }

    /** Choose the contact that gets the number, in a dialog. */
    addNumber(card) {
        this.activateCompany(card);
        this.dialog.add(SelectCreateDialog, {
            title: _t("Add %s to a Contact", card.number),
            resModel: "res.partner",
            multiSelect: false,
            noCreate: true,
            domain: [["partner_share", "=", true]], // not the colleagues
            onSelected: ([partnerId]) => this.addNumberTo(card, partnerId),
        });
    }

    createPartner(card) {
        this.activateCompany(card);
        this.dialog.add(FormViewDialog, {
            title: _t("New Contact"),
            resModel: "res.partner",
            context: { default_phone: card.number, default_user_id: user.userId },
            onRecordSaved: (record) => this.chooseNewPartner(card, record.resId),
        });
    }

    /** Create the lead of a call in a dialog. */
    async createLead(card) {
        const context = await this.onServer(card, "get_lead_defaults");
        if (!context) {
            return;
        }
        this.activateCompany(card);
        this.dialog.add(FormViewDialog, {
            title: _t("New Lead"),
            resModel: "crm.lead",
            context,
            onRecordSaved: (record) => this.chooseLead(card, record.resId),
        });
    }

    async chooseLead(card, leadId) {
        await this.onServer(card, "choose_lead", leadId);
        return this.refresh(card.call_id);
    }

    scheduleActivity(card) {
        this.activateCompany(card);
        const [model, id] = (card.lead && ["crm.lead", card.lead.id]) ||
            (card.partner && ["res.partner", card.partner.id]) || ["mango.call", card.call_id];
        return this.env.services["mail.store"].scheduleActivity(model, [id]);
    }

    /** Mark the planned call as done, with the note as feedback. */
    async finishActivity(card) {
        await this.attempt(() =>
            this.orm.call("mail.activity", "action_feedback", [[card.activity.id]], {
                feedback: card.note,
                context: this.contextOf(card),
            })
        );
        return this.refresh(card.call_id);
    }

    /** The same, and schedule the next one. */
    async finishActivityAndPlan(card) {
        const action = await this.attempt(() =>
            this.orm.call("mail.activity", "action_feedback_schedule_next", [[card.activity.id]], {
                feedback: card.note,
                context: this.contextOf(card),
            })
        );
        await this.refresh(card.call_id);
        if (action) {
            this.activateCompany(card);
            await this.action.doAction(action);
        }
    }

    // -----------------------------------------------------------------------
    // Opening
    // -----------------------------------------------------------------------

    /**
     * @param {number} callId
     * @param {Card} [card] the card that it is opened from
     */
    open(callId, card) {
        this.activateCompany(card || {});
        return this.openForm("mango.call", callId);
    }

    openPartner(card) {
        this.activateCompany(card);
        return this.openForm("res.partner", card.partner.id);
    }

    openLead(card) {
        this.activateCompany(card);
        return this.openForm("crm.lead", card.lead.id);
    }

    openForm(resModel, resId) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: resModel,
            res_id: resId,
            views: [[false, "form"]],
        });
    }

    // -----------------------------------------------------------------------
    // Desktop notifications
    // -----------------------------------------------------------------------

    get canAskNotifications() {
        return this.desktop.canAsk;
    }

    askNotifications() {
        return this.desktop.ask();
    }

    // -----------------------------------------------------------------------
    // Errors
    // -----------------------------------------------------------------------

    onServer(card, method, ...args) {
        const context = this.contextOf(card);
        return this.attempt(() =>
            this.orm.call("mango.call", method, [[card.call_id], ...args], { context })
        );
    }

    /** Run an action on the server; errors are shown in a notification. */
    async attempt(action) {
        try {
            return await action();
        } catch (error) {
            this.tell(error, _t("The connection was lost. Try again in a moment."));
        }
    }

    tell(error, withoutConnection, show = (text) => this.notify(text)) {
        const isConnection = error instanceof ConnectionLostError;
        const isRefusal =
            error instanceof RPCError &&
            ["UserError", "AccessError", "ValidationError", "MissingError"].some((name) =>
                error.exceptionName?.endsWith(`.${name}`)
            );
        if (!isConnection && !isRefusal) {
            throw error; // handled by Odoo, including redirect warnings
        }
        show(isConnection ? withoutConnection : error.data.message);
    }

    notify(text) {
        this.notification.add(text, { type: "warning" });
    }
}

export const callService = {
    dependencies: CallService.dependencies,
    start: (env, services) => new CallService(env, services),
};

registry.category("services").add("mango_office.call", callService);
