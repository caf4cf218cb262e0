import { deserializeDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { patch } from "@web/core/utils/patch";
import { CallCard } from "../screen/call_card/call_card";

patch(CallCard.prototype, {
    /** @returns {string} how often the client was missed, and since when */
    get missedWords() {
        const { attempts, since } = this.card.callback;
        const when = deserializeDateTime(since).toRelative();
        return attempts > 1
            ? _t("Was missed %(count)s times, first %(when)s", { count: attempts, when })
            : _t("Was missed %s", when);
    },
});
