import { Component, useEffect, useExternalListener, useRef, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { sortBy } from "@web/core/utils/arrays";
import { useBus, useService } from "@web/core/utils/hooks";
import { clamp } from "@web/core/utils/numbers";
import { CallCard } from "./call_card";
import { isOver, mostUrgent, urgency } from "./call_words";
import { useActiveWhileUsed } from "./use_beside_dialogs";

const PLACE_KEY = "mango_office.cards.place";

/** More cards than this are counted only. */
const SHOWN_CARDS = 4;

/**
 * The user's calls, above whatever they are working on and never in its way: the stack
 * can be dragged, moved to the other side by a button, and each card be collapsed. Of
 * several calls the most urgent is wholly visible.
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
        /** By key, whether the user has made a card smaller; else it depends. */
        this.collapsed = useState(new Map());
        /** Keys of the cards that have become smaller by themselves after the call. */
        this.resting = useState(new Set());
        this.state = useState({ showsAll: false });
        this.wanted = "";
        useEffect(() => this.focusWanted());
        useActiveWhileUsed(this.root);
        useBus(this.service.bus, "note", () => this.writeNote());
        useBus(this.service.bus, "show", ({ detail }) => this.showCard(detail.key));
        // A smaller window might not show where the stack was dragged to.
        useExternalListener(window, "resize", () => Object.assign(this.place, { x: 0, y: 0 }));
    }

    /** The calls that are over, whose cards wait to be closed. */
    get past() {
        return this.calls.cards.filter(isOver);
    }

    get closePastWords() {
        return _t("Close Ended Calls (%s)", this.past.length);
    }

    closePast() {
        return Promise.all(this.past.map((card) => this.service.close(card)));
    }

    // -- which are shown, and how much of each ---------------------------------------------

    /** The calls by urgency; of equal ones, those in use and then the newest come first. */
    get ranked() {
        const isInUse = (card) => this.collapsed.get(card.key) === false;
        return sortBy(this.calls.cards, (card) => urgency(card) + (isInUse(card) ? 0 : 0.5));
    }

    get main() {
        return mostUrgent(this.calls.cards);
    }

    // -- focus -----------------------------------------------------------------------------

    /** Have the user write about the most urgent call. */
    writeNote() {
        if (!this.main) {
            return;
        }
        const { activeElement } = document;
        if (!this.root.el?.contains(activeElement)) {
            this.cameFrom = activeElement;
        }
        this.keepOpen(this.main);
        this.focusSoon(".o_mango_cards_main .o_mango_card_note textarea");
    }

    /** Make a card large and lead the user to it. */
    showCard(key) {
        this.collapsed.set(key, false);
        this.focusSoon(`[data-key="${key}"] .o_mango_collapse`);
    }

    /** Focus what is drawn already, or else is as soon as the cards have changed. */
    focusSoon(selector) {
        this.wanted = this.focus(selector) ? "" : selector;
    }

    focusWanted() {
        if (this.wanted) {
            this.focus(this.wanted);
            this.wanted = "";
        }
    }

    focus(selector) {
        const element = this.root.el?.querySelector(selector);
        element?.focus();
        return Boolean(element);
    }

    /** Give the focus back to what had it when a key led the user to a card. */
    focusBack() {
        const element = this.cameFrom;
        this.cameFrom = null;
        element?.focus();
        return Boolean(element) && element === document.activeElement;
    }

    /** In the order of the calls: a card that moved would lose the focus. */
    get shown() {
        if (this.state.showsAll) {
            return this.calls.cards;
        }
        const shown = new Set(this.ranked.slice(0, SHOWN_CARDS));
        return this.calls.cards.filter((card) => shown.has(card));
    }

    get hiddenCount() {
        return Math.max(this.calls.cards.length - SHOWN_CARDS, 0);
    }

    get hiddenWords() {
        if (this.state.showsAll) {
            return _t("Fewer calls");
        }
        return this.hiddenCount === 1 ? _t("1 more call") : _t("%s more calls", this.hiddenCount);
    }

    isCollapsed(card) {
        // On a phone a card must not cover what the user was doing.
        const isSmallAtFirst = this.env.isSmall || card.key !== this.main.key;
        const isResting = isOver(card) && this.resting.has(card.key);
        return this.collapsed.get(card.key) ?? (isSmallAtFirst || isResting);
    }

    rest(card) {
        this.collapsed.delete(card.key);
        this.resting.add(card.key);
    }

    toggle(card) {
        this.collapsed.set(card.key, !this.isCollapsed(card));
    }

    /** A card that somebody writes in does not make room for the next call. */
    keepOpen(card) {
        this.collapsed.set(card.key, false);
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
        // Below an open dialog room is made for the stack, which stays there.
        const isFixed = this.env.isSmall || document.body.classList.contains("modal-open");
        if (isFixed || ev.button || !isHandle) {
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
