import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const ICONS = {
    inbound: "fa-arrow-down text-success",
    outbound: "fa-arrow-up text-info",
    internal: "fa-exchange text-muted",
};

/** The direction of a call as an arrow and, where there is room, a word. */
export class DirectionField extends Component {
    static template = "mango_office.DirectionField";
    static props = { ...standardFieldProps, iconOnly: { type: Boolean, optional: true } };

    get value() {
        return this.props.record.data[this.props.name];
    }
    get icon() {
        return ICONS[this.value];
    }
    get label() {
        const { selection } = this.props.record.fields[this.props.name];
        return (selection.find(([value]) => value === this.value) || [])[1];
    }
}

export const directionField = {
    component: DirectionField,
    displayName: _t("Call Direction"),
    supportedOptions: [{ label: _t("Icon only"), name: "icon_only", type: "boolean" }],
    supportedTypes: ["selection"],
    extractProps: ({ options }) => ({ iconOnly: Boolean(options.icon_only) }),
};

registry.category("fields").add("mango_direction", directionField);
