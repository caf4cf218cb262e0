import { Component, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";

const CHOICE_KEY = "mango_office.board";

/**
 * Sort people into their departments, by name; those without one come last.
 *
 * @param {Object[]} extensions
 * @returns {{ name: string, words: string, extensions: Object[] }[]}
 */
export function byDepartment(extensions) {
    const groups = Map.groupBy(extensions, ({ department }) => department);
    return [...groups]
        .map(([name, members]) => ({
            name,
            words: name || _t("No department"),
            extensions: members,
        }))
        .sort((a, b) => !a.name - !b.name || a.name.localeCompare(b.name));
}

/**
 * The department that is shown, null for all, and whether people are grouped by department;
 * stored in the browser.
 *
 * @returns {{ department: string | null, isGrouped: boolean, change: (changes: Object) => void }}
 */
export function useDepartmentChoice() {
    const choice = useState({ department: null, isGrouped: true, ...stored() });
    choice.change = (changes) => {
        const { department, isGrouped } = Object.assign(choice, changes);
        browser.localStorage.setItem(CHOICE_KEY, JSON.stringify({ department, isGrouped }));
    };
    return choice;
}

function stored() {
    try {
        return JSON.parse(browser.localStorage.getItem(CHOICE_KEY));
    } catch {
        return null;
    }
}

/** Chooses one of the departments, or all. */
export class DepartmentSelect extends Component {
    static template = "mango_office.DepartmentSelect";
    static props = {
        departments: { type: Array, element: Object },
        chosen: { type: [String, { value: null }] },
        choose: Function,
        className: String,
    };

    get choices() {
        const departments = this.props.departments.map(({ name, words, extensions }) => ({
            name,
            words: `${words} (${extensions.length})`,
        }));
        return [{ name: null, words: _t("All departments") }, ...departments];
    }
}
