import { Component, useState } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

/** Button of the call's form to call its client. */
export class CallBackWidget extends Component {
    static template = "mango_office.CallBackWidget";
    static props = { ...standardWidgetProps };

    setup() {
        this.calls = useService("mango_office.call");
        this.service = useState(this.calls.state);
    }

    callBack() {
        const { data, resId, resModel } = this.props.record;
        return this.calls.call(data.client_number, { resModel, resId });
    }
}

registry.category("view_widgets").add("mango_call_back", {
    component: CallBackWidget,
    fieldDependencies: [
        { name: "client_number", type: "char" },
        { name: "direction", type: "selection" },
    ],
});
