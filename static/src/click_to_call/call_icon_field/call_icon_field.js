import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { PhoneField, phoneField } from "@web/views/fields/phone/phone_field";
import "../phone_field/phone_field";

/** Call button without the number, where there is no room for it. */
export class CallIconField extends PhoneField {
    static template = "mango_office.CallButton";
}

registry.category("fields").add("mango_call_icon", {
    ...phoneField,
    component: CallIconField,
    displayName: _t("Call Icon"),
});
