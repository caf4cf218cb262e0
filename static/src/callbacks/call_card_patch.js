import { deserializeDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { patch } from "@web/core/utils/patch";
import { CallCard } from "../screen/call_card/call_card";
import { CallService } from "../screen/call_service/call_service";
import { isOver } from "../screen/call_card/call_words";
import { callingWords } from "./call_back_button";

/** What has become of the client of a missed call, by the outcome of the entry. */
const FOLLOW_UPS = {
    in_time: _t("Called back"),
    late: _t("Called back"),
    got_through: _t("Reached since"),
    never: _t("Not called back"),
};
const FOLLOW_UP_LOOK = { icon: "fa-check", color: "secondary" };

patch(CallCard.prototype, {
    get words() {
        const { follow_up } = this.card;
        return follow_up ? String(FOLLOW_UPS[follow_up.outcome]) : super.words;
    },

    get look() {
        return this.card.follow_up ? FOLLOW_UP_LOOK : super.look;
    },

    get followUpWords() {
        return _t("Dealt with by %s", this.card.follow_up.user);
    },

    get canCallBack() {
        return super.canCallBack && !this.callingWords;
    },

    /** @returns {string} who is taking care of the client of an ended call now */
    get callingWords() {
        const { callback } = this.card;
        return isOver(this.card) && callback?.calling ? callingWords(callback) : "";
    },

    /** Whether the client was missed before this call, which the card itself shows as missed. */
    get wasMissed() {
        const { callback, phase, result } = this.card;
        const isThisCall = phase === "ended" && result === "missed" && callback?.attempts === 1;
        return callback && !isThisCall;
    },

    /** @returns {string} how often the client was missed, and since when */
    get missedWords() {
        const { attempts, since } = this.card.callback;
        const when = deserializeDateTime(since).toRelative();
        return attempts > 1
            ? _t("Missed %(count)s times, first %(when)s", { count: attempts, when })
            : _t("Missed %s", when);
    },
});

patch(CallService.prototype, {
    /** The client of an earlier call may be on the phone now. */
    wantRelated() {
        super.wantRelated();
        for (const { call_id, callback } of this.state.cards) {
            if (call_id && callback) {
                this.wanted.add(call_id);
            }
        }
    },
});
