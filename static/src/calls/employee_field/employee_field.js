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

    get words() {
        return this.text;
    }
}

/** In a list, only the group: the result stands beside it. */
export class ListEmployeeField extends EmployeeField {
    get words() {
        return this.props.record.data.group_id?.display_name || this.text;
    }
}

export const employeeField = {
    ...many2OneAvatarUserField,
    component: EmployeeField,
    displayName: _t("Employee or Group"),
    fieldDependencies: [{ name: "group_text", type: "char" }],
    isEmpty: (record, name) => !record.data[name] && !record.data.group_text,
};

export const listEmployeeField = {
    ...employeeField,
    component: ListEmployeeField,
    fieldDependencies: [
        ...employeeField.fieldDependencies,
        { name: "group_id", type: "many2one", relation: "mango.group" },
    ],
};

registry.category("fields").add("mango_employee", employeeField);
registry.category("fields").add("list.mango_employee", listEmployeeField);
