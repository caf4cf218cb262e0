import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { formatDuration } from "../../calls/duration_field/duration_field";

export const NO_CALLS = { answered: 0, missed: 0, made: 0, talk_seconds: 0 };

const FIGURES = [
    {
        key: "answered",
        words: _t("answered"),
        title: _t("Clients' calls that they answered today"),
        icon: "fa-arrow-down",
    },
    {
        key: "missed",
        words: _t("missed"),
        title: _t("Clients' calls that they missed today: only they were rung, or Odoo chose them"),
        icon: "fa-level-down",
    },
    {
        key: "made",
        words: _t("made"),
        title: _t("Calls to clients today, answered or not"),
        icon: "fa-arrow-up",
    },
    {
        key: "talk_seconds",
        words: _t("talked"),
        title: _t("How long they talked with clients today"),
        icon: "fa-clock-o",
        format: formatDuration,
    },
];

/** Today's figures of a person. */
export class PersonFigures extends Component {
    static template = "mango_office.PersonFigures";
    static props = { figures: Object };

    get figures() {
        return FIGURES.map(({ format = String, ...figure }) => {
            const value = this.props.figures[figure.key];
            return { ...figure, isNone: !value, text: format(value) };
        });
    }
}
