import { Component, onMounted, useState } from "@odoo/owl";
import { deserializeDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { user } from "@web/core/user";
import { useBus, useService } from "@web/core/utils/hooks";
import { formatDuration } from "../duration_field/duration_field";

const DIRECTIONS = {
    inbound: { icon: "fa-arrow-down text-success", words: _t("Inbound") },
    outbound: { icon: "fa-arrow-up text-info", words: _t("Outbound") },
    internal: { icon: "fa-exchange text-muted", words: _t("Internal") },
};
const RESULTS = {
    missed: _t("Missed"),
    unanswered: _t("No answer"),
    busy: _t("Busy"),
    failed: _t("Failed"),
};

/** The user's missed or last calls, each with a click to call again. */
export class CallLists extends Component {
    static template = "mango_office.CallLists";
    static props = {
        kind: { validate: (kind) => ["missed", "recent"].includes(kind) },
        close: Function,
    };

    setup() {
        this.orm = useService("orm");
        this.calls = useService("mango_office.call");
        this.directions = DIRECTIONS;
        this.state = useState({ rows: null });
        useBus(this.calls.bus, "changed", () => this.load());
        onMounted(async () => {
            await this.load();
            // Not before the list is there: what is marked as seen changes the button.
            await this.markSeen();
        });
    }

    async load() {
        const lists = await this.call("mango_recent");
        this.state.rows = lists[this.props.kind];
    }

    async markSeen() {
        if (this.props.kind === "missed" && this.calls.state.missedCount) {
            this.calls.state.missedCount = await this.call("mango_missed_seen");
        }
    }

    call(method) {
        return this.orm.silent.call("res.users", method, [[user.userId]]);
    }

    when(row) {
        return deserializeDateTime(row.started_at).toRelative();
    }

    outcome(row) {
        return row.talk_duration ? formatDuration(row.talk_duration) : RESULTS[row.result] || "";
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
