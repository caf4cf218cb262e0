import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/**
 * Format a number of seconds: 0:07, 12:34, 1:02:03.
 *
 * @param {number | false} value averages in lists are not integers
 * @returns {string}
 */
export function formatDuration(value) {
    const total = Math.max(Math.round(value || 0), 0);
    const seconds = String(total % 60).padStart(2, "0");
    const minutes = Math.floor(total / 60) % 60;
    const hours = Math.floor(total / 3600);
    if (!hours) {
        return `${minutes}:${seconds}`;
    }
    return `${hours}:${String(minutes).padStart(2, "0")}:${seconds}`;
}

/** Seconds as m:ss, always read-only. */
export class DurationField extends Component {
    static template = "mango_office.DurationField";
    static props = { ...standardFieldProps };

    get formattedValue() {
        return formatDuration(this.props.record.data[this.props.name]);
    }
}

export const durationField = {
    component: DurationField,
    displayName: _t("Duration (m:ss)"),
    supportedTypes: ["integer", "float"],
    isEmpty: () => false,
};

registry.category("fields").add("mango_duration", durationField);
// Lists, pivots and graphs look up the formatter of totals by the widget's name.
registry.category("formatters").add("mango_duration", formatDuration);
