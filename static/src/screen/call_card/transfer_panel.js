import { Component, onWillStart, useRef, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { useAutofocus } from "@web/core/utils/hooks";
import { useDebounced } from "@web/core/utils/timing";
import { statusWords } from "../status/status_select";
import { EXTENSION_STATES } from "../../calls/call_looks";

const SEARCH_DELAY = 200; // milliseconds

const ICONS = { colleague: "fa-user", group: "fa-users", outside: "fa-phone" };

/** Choose the target of a transfer, blind or attended. */
export class TransferPanel extends Component {
    static template = "mango_office.TransferPanel";
    static props = {
        search: Function, // (term) -> Promise of targets
        transfer: Function, // (target, method)
        close: Function,
    };

    setup() {
        this.icons = ICONS;
        this.list = useRef("list");
        this.input = useAutofocus();
        this.state = useState({ targets: [], isSearching: true });
        this.searchSoon = useDebounced(() => this.search(), SEARCH_DELAY);
        onWillStart(() => this.search());
    }

    async search() {
        const term = this.input.el?.value || "";
        this.lastTerm = term;
        const targets = await this.props.search(term.trim());
        // Ignore outdated answers.
        if (this.lastTerm === term) {
            Object.assign(this.state, { targets, isSearching: false });
        }
    }

    /** The target's state, or why it should not be rung. */
    availability(target) {
        if (target.type === "outside") {
            return { words: _t("Outside number"), color: "muted" };
        }
        if (target.state !== "free") {
            const { words, color } = EXTENSION_STATES[target.state];
            return { words: target.type === "group" ? _t("Nobody is free") : words, color };
        }
        if (target.status !== "available") {
            return { words: statusWords(target), color: "muted" };
        }
        return EXTENSION_STATES.free;
    }

    /** The arrow keys move between the buttons, Escape closes the panel. */
    onKeydown(ev) {
        if (ev.key === "Escape") {
            ev.stopPropagation();
            this.props.close();
        }
        const step = { ArrowDown: 1, ArrowUp: -1 }[ev.key];
        if (step) {
            ev.preventDefault();
            const rows = [...this.list.el.querySelectorAll(".o_mango_colleague")];
            const here = rows.findIndex((row) => row.contains(document.activeElement));
            const next = rows[here + step];
            (next ? next.querySelector("button") : this.input.el).focus();
        }
    }

    onEnter(ev) {
        if (ev.key === "Enter") {
            ev.preventDefault();
            this.list.el.querySelector("button")?.focus();
        }
    }
}
