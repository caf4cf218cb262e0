import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { MISSED_ARROW } from "../call_looks";
import { formatDuration } from "../duration_field/duration_field";

/**
 * @typedef {Object} TimelineStep see `mango.timeline` on the server
 * @property {string} key
 * @property {"menu"|"queue"|"answered"|"unanswered"|"live"|"route"|"skipped"|"end"|"missed"} kind
 * @property {number | null} offset seconds from the start of the call
 * @property {string} title
 * @property {string} text
 */

const ICONS = {
    menu: "fa-bullhorn text-muted",
    queue: "fa-hourglass-half text-muted",
    answered: "fa-phone text-success",
    unanswered: "fa-bell-slash-o text-warning",
    live: "fa-bell text-info",
    route: "fa-random text-primary",
    skipped: "fa-share text-muted",
    end: "fa-stop-circle-o text-muted",
    missed: MISSED_ARROW.icon,
};

/** The course of a call through menu, queue and phones, from top to bottom. */
export class TimelineField extends Component {
    static template = "mango_office.TimelineField";
    static props = { ...standardFieldProps };

    /** @returns {TimelineStep[]} */
    get steps() {
        return this.props.record.data[this.props.name] || [];
    }

    iconOf(step) {
        return ICONS[step.kind];
    }

    offsetOf(step) {
        return step.offset === null ? "" : formatDuration(step.offset);
    }
}

export const timelineField = {
    component: TimelineField,
    displayName: _t("Call Timeline"),
    supportedTypes: ["json"],
    isEmpty: () => false,
};

registry.category("fields").add("mango_timeline", timelineField);
