import { Component, useEffect, useRef, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { deserializeDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";
import { callArrow, resultWords } from "../../calls/call_looks";
import { formatDuration } from "../../calls/duration_field/duration_field";
import { CallNote } from "./call_note";
import { CallTimer } from "./call_timer";
import { isOver, phaseLook, phaseWords } from "./call_words";
import { TransferPanel } from "./transfer_panel";

/** Time after which the untouched card of an ended call collapses. */
export const REST_DELAY = 60 * 1000; // milliseconds

/** The card of one call: the client, the state of the call, and actions. */
export class CallCard extends Component {
    static template = "mango_office.CallCard";
    static components = { CallNote, CallTimer, TransferPanel };
    static props = {
        card: Object, // see `mango.card.content` on the server
        isCollapsed: Boolean,
        toggle: Function,
        rest: Function, // collapse the card of an ended call
        moveToOtherSide: Function,
        focusBack: Function, // () -> whether the previous focus was restored
    };

    setup() {
        this.calls = useService("mango_office.call");
        this.arrowOf = callArrow;
        this.root = useRef("root");
        this.state = useState({ isBusy: false, isTransferring: false, changesPartner: false });
        this.saveNote = (note, base) => this.calls.saveNote(this.props.card, note, base);
        this.searchTargets = (term) => this.calls.transferTargets(this.props.card, term);
        this.transfer = this.transfer.bind(this);
        this.closeTransfer = this.closeTransfer.bind(this);
        useEffect(
            () => {
                this.restLater();
                return () => browser.clearTimeout(this.restTimer);
            },
            () => [isOver(this.card)]
        );
        this.wasCancelled = false;
        useEffect(
            () => this.focusTransfer(),
            () => [this.isTransferring]
        );
    }

    get card() {
        return this.props.card;
    }
    get words() {
        return phaseWords(this.card);
    }
    get look() {
        return phaseLook(this.card);
    }
    get isTransferring() {
        return this.state.isTransferring && this.card.can_transfer;
    }
    get canCallBack() {
        return isOver(this.card) && this.card.dial && this.calls.state.extension;
    }
    get talkDuration() {
        return this.card.phase === "ended" && this.card.talk_duration
            ? formatDuration(this.card.talk_duration)
            : "";
    }
    get consultingWords() {
        const { about, consulting } = this.card;
        return about === "asking"
            ? _t("Ringing at %s. The client is waiting.", consulting)
            : _t("You are asking %s. The client is waiting.", consulting);
    }
    get leadDetails() {
        const { stage, revenue, user } = this.card.lead;
        const other = user !== this.card.owner && user; // who is responsible stands above
        return [stage, revenue, other].filter(Boolean).join(" · ");
    }

    /** Company and lead, for a collapsed card, unless they are its title. */
    get summary() {
        const { name, partner, lead } = this.card;
        const details = [partner?.company, lead?.name];
        return details.filter((detail) => detail && detail !== name).join(" · ");
    }

    /** Whether to ask the user which of several contacts is calling. */
    get asksWho() {
        const { candidates, is_partner_chosen } = this.card;
        return candidates.length > 0 && (!is_partner_chosen || this.state.changesPartner);
    }

    get toggleTitle() {
        return this.props.isCollapsed ? _t("Show more") : _t("Show less");
    }

    when(startedAt) {
        return deserializeDateTime(startedAt).toRelative();
    }

    /** The duration or the result of a past call. */
    pastWords(past) {
        return past.talk_duration
            ? formatDuration(past.talk_duration)
            : past.group || resultWords(past.result) || _t("Call ended");
    }

    /**
     * Run an action on the server; the buttons are disabled meanwhile.
     *
     * @param {Function} action
     */
    async run(action) {
        if (this.state.isBusy) {
            return;
        }
        this.state.isBusy = true;
        try {
            await action();
        } finally {
            this.state.isBusy = false;
        }
    }

    async choosePartner({ id }) {
        await this.run(() => this.calls.choosePartner(this.card, id));
        this.state.changesPartner = false;
    }

    /** Collapse the card some time after the call, unless it is being used. */
    restLater() {
        browser.clearTimeout(this.restTimer);
        if (isOver(this.card)) {
            this.restTimer = browser.setTimeout(() => this.rest(), REST_DELAY);
        }
    }

    rest() {
        if (this.root.el.contains(document.activeElement)) {
            this.restLater(); // The user may be about to write.
        } else {
            this.props.rest();
        }
    }

    async transfer(target, method) {
        await this.run(() => this.calls.transfer(this.card, target, method));
        this.state.isTransferring = false;
    }

    /** Cancel the transfer, and restore the focus. */
    closeTransfer() {
        this.state.isTransferring = false;
        this.wasCancelled = true;
    }

    focusTransfer() {
        if (this.wasCancelled) {
            this.wasCancelled = false;
            this.root.el.querySelector(".o_mango_transfer")?.focus();
        }
    }

    onKeydown(ev) {
        if (ev.key === "Escape" && !this.props.isCollapsed) {
            ev.stopPropagation();
            // The focused element disappears, so keep the focus in the card.
            if (!this.props.focusBack()) {
                ev.currentTarget.querySelector(".o_mango_collapse").focus();
            }
            this.props.toggle();
        }
    }
}
