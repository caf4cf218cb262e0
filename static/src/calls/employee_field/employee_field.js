import {
    Many2OneAvatarUserField,
    many2OneAvatarUserField,
} from "@mail/views/web/fields/many2one_avatar_user_field/many2one_avatar_user_field";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

/** The employee of a call; a text instead if a whole group has missed it. */
export class EmployeeField extends Many2OneAvatarUserField {
    static template = "mango_office.EmployeeField";

    get text() {
        return !this.value && this.props.record.data.group_text;
    }
}

export const employeeField = {
    ...many2OneAvatarUserField,
    component: EmployeeField,
    displayName: _t("Employee or Group"),
    fieldDependencies: [{ name: "group_text", type: "char" }],
    isEmpty: (record, name) => !record.data[name] && !record.data.group_text,
};

registry.category("fields").add("mango_employee", employeeField);
