import {
    Component,
    onWillRender,
    useEffect,
    useExternalListener,
    useRef,
    useState,
} from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { sortBy } from "@web/core/utils/arrays";
import { useBus, useService } from "@web/core/utils/hooks";
import { clamp } from "@web/core/utils/numbers";
import { CallCard, REST_DELAY } from "./call_card";
import { isOver, mostUrgent, urgency } from "./call_words";
import { useActiveWhileUsed } from "./use_beside_dialogs";

const PLACE_KEY = "mango_office.cards.place";

/** Maximum number of visible cards; the others are only counted. */
const SHOWN_CARDS = 4;

/**
 * The cards of the user's calls, above the web client. The stack can be dragged, or moved
 * to the other side by a button, and each card can be collapsed. The most urgent of
 * several calls is expanded.
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
        /** Cards that the user has collapsed (true) or expanded (false), by key. */
        this.collapsed = useState(new Map());
        /** Keys of the cards that collapsed automatically after the call. */
        this.resting = useState(new Set());
        /** Keys of all cards so far: true if the call was long over at first. */
        this.seen = new Map();
        onWillRender(() => this.markSeen());
        this.state = useState({ showsAll: false });
        this.wanted = "";
        useEffect(() => this.focusWanted());
        useActiveWhileUsed(this.root);
        useBus(this.service.bus, "note", () => this.writeNote());
        useBus(this.service.bus, "show", ({ detail }) => this.showCard(detail.key));
        // The dragged stack may be outside of a smaller window.
        useExternalListener(window, "resize", () => Object.assign(this.place, { x: 0, y: 0 }));
    }

    /** The cards of ended calls. */
    get past() {
        return this.calls.cards.filter(isOver);
    }

    get closePastWords() {
        return _t("Close Ended Calls (%s)", this.past.length);
    }

    closePast() {
        return Promise.all(this.past.map((card) => this.service.close(card)));
    }

    // -- display ---------------------------------------------------------------------------

    /** The cards by urgency, then those in use, then the newest. */
    get ranked() {
        const isInUse = (card) => this.collapsed.get(card.key) === false;
        return sortBy(this.calls.cards, (card) => urgency(card) + (isInUse(card) ? 0 : 0.5));
    }

    get main() {
        return mostUrgent(this.calls.cards);
    }

    // -- focus -----------------------------------------------------------------------------

    /** Focus the note of the most urgent call. */
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

    /** Expand and focus a card. */
    showCard(key) {
        this.collapsed.set(key, false);
        this.focusSoon(`[data-key="${key}"] .o_mango_collapse`);
    }

    /** Focus an element now, or after the next rendering if it does not exist yet. */
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

    /** Restore the focus that the user had before a shortcut moved it to a card. */
    focusBack() {
        const element = this.cameFrom;
        this.cameFrom = null;
        element?.focus();
        return Boolean(element) && element === document.activeElement;
    }

    /** The visible cards, in the order of the calls: a moved card would lose the focus. */
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
        // On a phone, a new card must not cover the screen.
        const isSmallAtFirst = this.env.isSmall || card.key !== this.main.key;
        const isResting = isOver(card) && (this.resting.has(card.key) || this.seen.get(card.key));
        return this.collapsed.get(card.key) ?? (isSmallAtFirst || isResting);
    }

    /** Note which calls were over long before this page was opened. */
    markSeen() {
        for (const card of this.calls.cards.filter(({ key }) => !this.seen.has(key))) {
            this.seen.set(card.key, card.ended_seconds * 1000 > REST_DELAY);
        }
    }

    rest(card) {
        this.collapsed.delete(card.key);
        this.resting.add(card.key);
    }

    toggle(card) {
        this.collapsed.set(card.key, !this.isCollapsed(card));
    }

    /** Keep a card expanded while the user is writing in it. */
    keepOpen(card) {
        this.collapsed.set(card.key, false);
    }

    // -- place: the side, and the distance that the stack was dragged from its corner ---

    get style() {
        return `--mango-cards-x: ${this.place.x}px; --mango-cards-y: ${this.place.y}px;`;
    }

    moveToOtherSide() {
        this.putAt({ side: this.place.side === "start" ? "end" : "start", x: 0, y: 0 });
    }

    /** @param {PointerEvent} ev on the header of a card */
    startDragging(ev) {
        const isHandle = ev.target.closest(".o_mango_card_header") && !ev.target.closest("button");
        // Dialogs leave a strip for the stack, which must stay there.
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
        ev.preventDefault(); // do not select text
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
