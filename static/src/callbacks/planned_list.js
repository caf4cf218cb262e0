import { Component, onMounted, useState } from "@odoo/owl";
import { deserializeDate, today } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { user } from "@web/core/user";
import { KeepLast } from "@web/core/utils/concurrency";
import { useBus, useService } from "@web/core/utils/hooks";
import { useLiveReload } from "../screen/call_service/live_reload";

/** List of the calls that the user has planned until today, with a call button each. */
export class PlannedList extends Component {
    static template = "mango_office.PlannedList";
    static props = { close: Function };

    setup() {
        this.orm = useService("orm");
        this.calls = useService("mango_office.call");
        this.answers = new KeepLast();
        this.state = useState({ rows: null });
        const loadSoon = useLiveReload(() => this.load());
        useBus(this.calls.bus, "activity", loadSoon);
        onMounted(() => this.load());
    }

    async load() {
        const asked = this.orm.silent.call("res.users", "mango_planned", [[user.userId]]);
        this.state.rows = await this.answers.add(asked);
    }

    isLate(row) {
        return deserializeDate(row.date) < today();
    }

    /** @returns {string} the due date, relative to today */
    since(row) {
        return deserializeDate(row.date).toRelativeCalendar({ unit: "days" });
    }

    callTitle(row) {
        return _t("Call %s", row.number);
    }

    call(row) {
        this.props.close();
        return this.calls.call(row.dial, { resModel: row.res_model, resId: row.res_id });
    }

    open(row) {
        this.props.close();
        return this.calls.openForm(row.res_model, row.res_id);
    }
}
