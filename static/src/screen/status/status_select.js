import { Component } from "@odoo/owl";
import { deserializeDateTime, formatDateTime, serializeDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";

const { DateTime } = luxon;

export const STATUSES = {
    available: { words: _t("Takes routed calls"), icon: "fa-check-circle text-success" },
    dnd: { words: _t("Do Not Disturb"), icon: "fa-minus-circle text-danger" },
    away: { words: _t("Away"), icon: "fa-clock-o text-warning" },
};

/** The choices: a status, with a duration if away. */
const CHOICES = [
    { value: "available", words: STATUSES.available.words },
    { value: "dnd", words: STATUSES.dnd.words },
    { value: "away-30", words: _t("Away for half an hour"), minutes: 30 },
    { value: "away-60", words: _t("Away for an hour"), minutes: 60 },
    { value: "away-day", words: _t("Away until tomorrow") },
    { value: "away", words: _t("Away until changed") },
];

/**
 * Return in words whether a user takes routed calls.
 *
 * @param {{ status: string, away_until: string | false }} status
 */
export function statusWords({ status, away_until: awayUntil }) {
    if (status === "away" && awayUntil) {
        const until = deserializeDateTime(awayUntil);
        const isToday = until.hasSame(DateTime.now(), "day");
        const moment = isToday ? until.toFormat("HH:mm") : formatDateTime(until);
        return _t("Away until %s", moment);
    }
    return STATUSES[status].words;
}

/** Shows and changes whether a user takes routed calls. */
export class StatusSelect extends Component {
    static template = "mango_office.StatusSelect";
    static props = {
        userId: Number,
        status: String,
        awayUntil: { type: [String, { value: false }] },
        name: { type: String, optional: true },
    };

    setup() {
        this.calls = useService("mango_office.call");
    }

    /** The choices, including the current one. */
    get choices() {
        const { status, awayUntil } = this.props;
        if (status !== "away" || !awayUntil) {
            return CHOICES;
        }
        const words = statusWords({ status, away_until: awayUntil });
        return [...CHOICES, { value: "now", words }];
    }

    get chosen() {
        const { status, awayUntil } = this.props;
        return status === "away" && awayUntil ? "now" : status;
    }

    get icon() {
        return STATUSES[this.props.status].icon;
    }

    get title() {
        const { name } = this.props;
        return name ? _t("Routed calls of %s", name) : _t("Routed calls");
    }

    choose(value) {
        if (value === "now") {
            return;
        }
        const { minutes } = CHOICES.find((choice) => choice.value === value);
        let until = false;
        if (minutes) {
            until = serializeDateTime(DateTime.now().plus({ minutes }));
        } else if (value === "away-day") {
            until = serializeDateTime(DateTime.now().plus({ days: 1 }).startOf("day"));
        }
        return this.calls.setStatus(this.props.userId, value.split("-")[0], until);
    }
}
