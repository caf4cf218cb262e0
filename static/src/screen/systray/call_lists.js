import { Component, onMounted, useState } from "@odoo/owl";
import { deserializeDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { user } from "@web/core/user";
import { KeepLast } from "@web/core/utils/concurrency";
import { useBus, useService } from "@web/core/utils/hooks";
import { callArrow, resultWords } from "../../calls/call_looks";
import { formatDuration } from "../../calls/duration_field/duration_field";
import { CallTimer } from "../call_card/call_timer";
import { useLiveReload } from "../call_service/live_reload";

/** List of the user's recent calls, with a redial button each. */
export class CallLists extends Component {
    static template = "mango_office.CallLists";
    static components = { CallTimer };
    static props = { close: Function };

    setup() {
        this.orm = useService("orm");
        this.calls = useService("mango_office.call");
        this.answers = new KeepLast();
        this.arrowOf = callArrow;
        this.state = useState({ rows: null });
        const loadSoon = useLiveReload(() => this.load());
        useBus(this.calls.bus, "changed", loadSoon);
        onMounted(() => this.load());
    }

    async load() {
        const asked = this.orm.silent.call("res.users", "mango_recent", [[user.userId]]);
        this.state.rows = await this.answers.add(asked);
    }

    when(row) {
        return deserializeDateTime(row.started_at).toRelative();
    }

    outcome(row) {
        return row.talk_duration ? formatDuration(row.talk_duration) : resultWords(row.result);
    }

    redialTitle(row) {
        return _t("Call %s", row.number);
    }

    redial(row) {
        this.props.close();
        return this.calls.call(row.dial);
    }

    open(row) {
        this.props.close();
        return this.calls.open(row.id);
    }
}
