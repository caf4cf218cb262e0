import { Component, onWillUnmount, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { hasTouch } from "@web/core/browser/feature_detection";
import { user } from "@web/core/user";
import { useAutofocus, useService } from "@web/core/utils/hooks";
import { useDebounced } from "@web/core/utils/timing";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];
/** Characters entered by a long press. */
const LONG_PRESSED = { 0: "+" };
const LONG_PRESS = 500; // milliseconds
const ICONS = { partner: "fa-user", lead: "fa-star", colleague: "fa-phone" };
const MIN_TERM = 2;
const SEARCH_DELAY = 250; // milliseconds
const NUMBER = /^\+?[\d\s().*#-]+$/;
const LETTER = /\p{L}/u;

/** Dial a number, or search clients and colleagues by name or number. */
export class DialPad extends Component {
    static template = "mango_office.DialPad";
    static props = { close: Function };

    setup() {
        this.orm = useService("orm");
        this.calls = useService("mango_office.call");
        this.keys = KEYS;
        this.longPressed = LONG_PRESSED;
        this.icons = ICONS;
        this.input = useAutofocus();
        this.state = useState({ term: "", found: [], isSearched: false, problem: "" });
        this.searchSoon = useDebounced(() => this.search(), SEARCH_DELAY);
        this.isLongPress = false;
        onWillUnmount(() => this.endPress());
    }

    get isNumber() {
        return NUMBER.test(this.state.term.trim());
    }

    /** The keys stay while a number is typed: another element in their place would be hit. */
    get hasKeys() {
        return !LETTER.test(this.state.term);
    }

    type(term) {
        this.state.term = term;
        this.state.isSearched = false;
        this.state.problem = "";
        this.searchSoon();
    }

    /** @param {PointerEvent} ev */
    startPress(key, { button }) {
        this.endPress();
        this.isLongPress = false;
        if (key in LONG_PRESSED && !button) {
            this.pressTimer = browser.setTimeout(() => {
                this.isLongPress = true;
                this.append(LONG_PRESSED[key]);
            }, LONG_PRESS);
        }
    }

    endPress() {
        browser.clearTimeout(this.pressTimer);
    }

    /** Ignore the click at the end of a long press. */
    press(key) {
        this.endPress();
        if (!this.isLongPress) {
            this.append(key);
        }
        this.isLongPress = false;
    }

    append(text) {
        this.type(this.state.term + text);
        // On a phone, the on-screen keyboard would cover the keys.
        if (!hasTouch()) {
            this.input.el.focus();
        }
    }

    async search() {
        const term = this.state.term.trim();
        if (term.length < MIN_TERM) {
            this.state.found = [];
            return;
        }
        const found = await this.orm.silent.call("res.users", "mango_search", [
            [user.userId],
            term,
        ]);
        // Ignore outdated answers.
        if (this.state.term.trim() === term) {
            Object.assign(this.state, { found, isSearched: true });
        }
    }

    onKeydown(ev) {
        if (ev.key !== "Enter") {
            return;
        }
        ev.preventDefault();
        ev.stopPropagation();
        if (this.isNumber) {
            this.dial();
        } else if (this.state.found.length) {
            this.call(this.state.found[0]);
        }
    }

    /** Call the number; if that fails, show the reason below it. */
    async dial() {
        this.state.problem = "";
        const isCalling = await this.calls.call(this.state.term.trim(), {}, (problem) => {
            this.state.problem = problem;
        });
        if (isCalling) {
            this.props.close();
        }
    }

    /** @param {Object} found a result of `res.users.mango_search` */
    call({ dial, res_model, res_id }) {
        this.props.close();
        return this.calls.call(dial, { resModel: res_model, resId: res_id });
    }
}
