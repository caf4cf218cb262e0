import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { BadgeField, badgeField } from "@web/views/fields/badge/badge_field";
import { CallTimer } from "../../screen/call_card/call_timer";

/** The result of a call; its state while it is going on. */
export class ResultField extends BadgeField {
    static template = "mango_office.ResultField";
    static components = { CallTimer };

    get data() {
        return this.props.record.data;
    }
}

registry.category("fields").add("mango_result", {
    ...badgeField,
    component: ResultField,
    displayName: _t("Call Result"),
    supportedTypes: ["selection"],
    // A call that is going on has no result yet, but still shows its state.
    isEmpty: () => false,
    fieldDependencies: [
        { name: "state", type: "selection" },
        { name: "talking_seconds", type: "integer" },
    ],
});
