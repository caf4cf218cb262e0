import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { CallBackButton } from "./call_back_button";

/** Button to call the client of an entry back; shows who is already calling them. */
export class CallBackField extends Component {
    static template = "mango_office.CallBackField";
    static components = { CallBackButton };
    static props = { ...standardFieldProps };

    setup() {
        this.calls = useService("mango_office.call");
        this.callBack = this.callBack.bind(this);
    }

    get data() {
        return this.props.record.data;
    }

    callBack() {
        const { resId } = this.props.record;
        return this.calls.callWaiting({ id: resId, dial: this.data.client_number });
    }
}

registry.category("fields").add("mango_call_back", {
    component: CallBackField,
    displayName: _t("Call Back"),
    supportedTypes: ["char"],
    fieldDependencies: [
        { name: "client_number", type: "char" },
        { name: "client_number_display", type: "char" },
        { name: "is_calling_me", type: "boolean" },
        { name: "is_talking", type: "boolean" },
        { name: "state", type: "selection" },
    ],
});
