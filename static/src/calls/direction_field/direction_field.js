import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { callArrow } from "../call_looks";

/** The direction of a call as an arrow, with its name unless `icon_only` is set. */
export class DirectionField extends Component {
    static template = "mango_office.DirectionField";
    static props = { ...standardFieldProps, iconOnly: { type: Boolean, optional: true } };

    get value() {
        return this.props.record.data[this.props.name];
    }
    get arrow() {
        return callArrow({ direction: this.value, result: this.props.record.data.result });
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
    fieldDependencies: [{ name: "result", type: "selection" }],
    extractProps: ({ options }) => ({ iconOnly: Boolean(options.icon_only) }),
};

registry.category("fields").add("mango_direction", directionField);
