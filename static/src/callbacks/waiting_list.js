import { Component, onMounted, useState } from "@odoo/owl";
import { deserializeDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { user } from "@web/core/user";
import { KeepLast } from "@web/core/utils/concurrency";
import { useBus, useService } from "@web/core/utils/hooks";
import { MISSED_ARROW } from "../calls/call_looks";
import { useLiveReload } from "../screen/call_service/live_reload";
import { CallBackButton } from "./call_back_button";

/** Classes of the deadline by urgency, see `mango.callback`. */
export const URGENCIES = {
    overdue: "text-danger fw-bold",
    soon: "text-warning fw-bold",
    fine: "text-success",
    later: "text-muted",
};

/** List of the missed clients to call back, in the systray. */
export class WaitingList extends Component {
    static template = "mango_office.WaitingList";
    static components = { CallBackButton };
    static props = { close: Function };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.calls = useService("mango_office.call");
        this.urgencies = URGENCIES;
        this.answers = new KeepLast();
        this.arrow = MISSED_ARROW;
        this.state = useState({ rows: null });
        const loadSoon = useLiveReload(() => this.load());
        useBus(this.calls.bus, "callback", loadSoon);
        // One of the user's own calls may be with a client who waits.
        useBus(this.calls.bus, "changed", loadSoon);
        onMounted(() => this.load());
    }

    async load() {
        const asked = this.orm.silent.call("res.users", "mango_waiting", [[user.userId]]);
        this.state.rows = await this.answers.add(asked);
    }

    /** @returns {string} the text below the name */
    details(row) {
        const missed = deserializeDateTime(row.last_missed_at).toRelative();
        const details = [_t("missed %s", missed)];
        if (row.attempts > 1) {
            details.push(_t("called %s times", row.attempts));
        }
        if (row.tries) {
            details.push(_t("our tries: %s", row.tries));
        }
        return details.join(" · ");
    }

    until(row) {
        return row.deadline && _t("Due %s", deserializeDateTime(row.deadline).toRelative());
    }

    callBack(row) {
        this.props.close();
        return this.calls.callWaiting(row);
    }

    open(row) {
        this.props.close();
        return this.calls.openForm("mango.callback", row.id);
    }

    openAll() {
        this.props.close();
        this.action.doAction("mango_office.mango_callback_action", { clearBreadcrumbs: true });
    }
}
