import { Component, useState } from "@odoo/owl";
import { deserializeDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";
import { callArrow } from "../../calls/direction_field/call_arrow";
import { formatDuration } from "../../calls/duration_field/duration_field";
import { CallNote } from "./call_note";
import { CallTimer } from "./call_timer";
import { isOver, phaseLook, phaseWords } from "./call_words";
import { TransferPanel } from "./transfer_panel";

/** One call on the screen: who it is, where it stands, and what can be done. */
export class CallCard extends Component {
    static template = "mango_office.CallCard";
    static components = { CallNote, CallTimer, TransferPanel };
    static props = {
        card: Object, // see `mango.card.content` on the server
        isCollapsed: Boolean,
        toggle: Function,
        moveToOtherSide: Function,
    };

    setup() {
        this.calls = useService("mango_office.call");
        this.arrowOf = callArrow;
        this.state = useState({ isBusy: false, isTransferring: false });
        this.saveNote = (note, base) => this.calls.saveNote(this.props.card, note, base);
        this.searchColleagues = (term) => this.calls.colleagues(term);
        this.transfer = this.transfer.bind(this);
        this.closeTransfer = () => (this.state.isTransferring = false);
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
        return _t("You are asking %s. The client is waiting.", this.card.consulting);
    }
    get leadDetails() {
        const { stage, revenue, user } = this.card.lead;
        return [stage, revenue, user].filter(Boolean).join(" · ");
    }

    get toggleTitle() {
        return this.props.isCollapsed ? _t("Show more") : _t("Show less");
    }

    when(startedAt) {
        return deserializeDateTime(startedAt).toRelative();
    }

    /** What became of a past call, in words. */
    pastWords(past) {
        return past.talk_duration
            ? formatDuration(past.talk_duration)
            : phaseWords({ phase: "ended", result: past.result });
    }

    /**
     * Do something that the server has to answer; meanwhile the buttons rest.
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

    async transfer(colleague, method) {
        await this.run(() => this.calls.transfer(this.card, colleague, method));
        this.state.isTransferring = false;
    }

    onKeydown(ev) {
        if (ev.key === "Escape" && !this.props.isCollapsed) {
            ev.stopPropagation();
            // The focus stays in the card, though what had it goes.
            ev.currentTarget.querySelector(".o_mango_collapse").focus();
            this.props.toggle();
        }
    }
}
