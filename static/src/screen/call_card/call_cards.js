import { Component, useExternalListener, useRef, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { clamp } from "@web/core/utils/numbers";
import { CallCard } from "./call_card";
import { isOver } from "./call_words";

const PLACE_KEY = "mango_office.cards.place";

/**
 * The user's calls, above whatever they are working on and never in its way: the stack
 * can be dragged, moved to the other side by a button, and each card be collapsed.
 */
export class CallCards extends Component {
    static template = "mango_office.CallCards";
    static components = { CallCard };
    static props = {};

    setup() {
        this.service = useService("mango_office.call");
        this.calls = useState(this.service.state);
        this.root = useRef("root");
        this.place = useState(this.readPlace());
        /** Keys of the cards that the user has made smaller or larger. */
        this.toggled = useState(new Set());
        // A smaller window might not show where the stack was dragged to.
        useExternalListener(window, "resize", () => Object.assign(this.place, { x: 0, y: 0 }));
    }

    /** The calls that are over, whose cards wait to be closed. */
    get past() {
        return this.calls.cards.filter(isOver);
    }

    get closePastWords() {
        return _t("Close ended calls (%s)", this.past.length);
    }

    closePast() {
        return Promise.all(this.past.map((card) => this.service.close(card)));
    }

    isCollapsed(card) {
        const isOld = isOver(card) && card.key !== this.calls.cards[0].key;
        // On a phone a card must not cover what the user was doing.
        const isSmallAtFirst = this.env.isSmall || isOld;
        return isSmallAtFirst !== this.toggled.has(card.key);
    }

    toggle(key) {
        if (!this.toggled.delete(key)) {
            this.toggled.add(key);
        }
    }

    // -- place: a side, and how far the stack was dragged from its corner ---------------

    get style() {
        return `--mango-cards-x: ${this.place.x}px; --mango-cards-y: ${this.place.y}px;`;
    }

    moveToOtherSide() {
        this.putAt({ side: this.place.side === "start" ? "end" : "start", x: 0, y: 0 });
    }

    /** @param {PointerEvent} ev on the header of a card */
    startDragging(ev) {
        const isHandle = ev.target.closest(".o_mango_card_header") && !ev.target.closest("button");
        if (this.env.isSmall || ev.button || !isHandle) {
            return;
        }
        const box = this.root.el.getBoundingClientRect();
        const { x, y } = this.place;
        const drag = ({ clientX, clientY }) => {
            const left = clamp(box.left + clientX - ev.clientX, 0, window.innerWidth - box.width);
            const top = clamp(box.top + clientY - ev.clientY, 0, window.innerHeight - box.height);
            this.place.x = x + left - box.left;
            this.place.y = y + top - box.top;
        };
        const stop = () => {
            browser.removeEventListener("pointermove", drag);
            browser.removeEventListener("pointerup", stop);
            browser.removeEventListener("pointercancel", stop);
            this.putAt(this.place);
        };
        browser.addEventListener("pointermove", drag);
        browser.addEventListener("pointerup", stop);
        browser.addEventListener("pointercancel", stop);
        ev.preventDefault(); // no text is selected
    }

    putAt({ side, x, y }) {
        Object.assign(this.place, { side, x, y });
        browser.localStorage.setItem(PLACE_KEY, JSON.stringify({ side, x, y }));
    }

    readPlace() {
        const corner = { side: "start", x: 0, y: 0 };
        try {
            return { ...corner, ...JSON.parse(browser.localStorage.getItem(PLACE_KEY)) };
        } catch {
            return corner;
        }
    }
}

registry.category("main_components").add("mango_office.CallCards", { Component: CallCards });
