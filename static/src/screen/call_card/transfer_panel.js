import { Component, onWillStart, useRef, useState } from "@odoo/owl";
import { useAutofocus } from "@web/core/utils/hooks";
import { useDebounced } from "@web/core/utils/timing";
import { STATES } from "./call_words";

const SEARCH_DELAY = 200; // milliseconds

/** Choose the colleague to whom the client is put through, at once or after asking. */
export class TransferPanel extends Component {
    static template = "mango_office.TransferPanel";
    static props = {
        search: Function, // (term) -> Promise of colleagues
        transfer: Function, // (colleague, method)
        close: Function,
    };

    setup() {
        this.states = STATES;
        this.list = useRef("list");
        this.input = useAutofocus();
        this.state = useState({ colleagues: [], isSearching: true });
        this.searchSoon = useDebounced(() => this.search(), SEARCH_DELAY);
        onWillStart(() => this.search());
    }

    async search() {
        const term = this.input.el?.value || "";
        this.lastTerm = term;
        const colleagues = await this.props.search(term.trim());
        // An older answer may come last.
        if (this.lastTerm === term) {
            Object.assign(this.state, { colleagues, isSearching: false });
        }
    }

    /** Arrows go through the buttons, Escape leaves. */
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
