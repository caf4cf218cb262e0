import { deserializeDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { patch } from "@web/core/utils/patch";
import { CallCard } from "../screen/call_card/call_card";

patch(CallCard.prototype, {
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
