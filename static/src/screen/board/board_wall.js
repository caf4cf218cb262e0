import {
    Component,
    onMounted,
    onWillStart,
    onWillUnmount,
    useExternalListener,
    useRef,
    useState,
} from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";
import { CallTimer } from "../call_card/call_timer";
import { statusWords } from "../status/status_select";

/** How often the figures of the day are counted again. */
const FIGURES_INTERVAL = 30_000; // milliseconds
/** Tiles of this shape fill a television best, and names fit in. */
const TILE_RATIO = 1.6;

const BUSY_FIRST = ["ringing", "talking", "hold", "free"];
const ORDERS = {
    number: { words: _t("By Number"), key: ({ number }) => number },
    name: { words: _t("By Name"), key: ({ name }) => name },
    state: { words: _t("By State"), key: ({ state }) => BUSY_FIRST.indexOf(state) },
    department: { words: _t("By Department"), key: ({ department }) => department },
};

/** The board on a television: everybody at once, without anything to click or to scroll. */
export class BoardWall extends Component {
    static template = "mango_office.BoardWall";
    static components = { CallTimer };
    static props = {
        extensions: { type: Array, element: Object },
        waiting: { type: Array, element: Object },
        states: Object,
        directions: Object,
        close: Function,
    };

    setup() {
        this.orm = useService("orm");
        this.calls = useService("mango_office.call");
        this.root = useRef("root");
        this.orders = ORDERS;
        this.state = useState({ figures: false, order: "number" });
        onWillStart(() => this.loadFigures());
        const interval = browser.setInterval(() => this.loadFigures(), FIGURES_INTERVAL);
        onWillUnmount(() => browser.clearInterval(interval));
        onMounted(() => this.fillScreen());
        onWillUnmount(() => this.leaveScreen());
        useExternalListener(document, "fullscreenchange", () => this.onScreenChange());
        useExternalListener(window, "keydown", (ev) => ev.key === "Escape" && this.props.close());
    }

    /** Count again; without an answer the last figures stay, for nobody closes a dialog here. */
    async loadFigures() {
        const figures = await this.calls.read(() =>
            this.orm.silent.call("mango.extension", "get_board_figures", [])
        );
        if (figures) {
            this.state.figures = figures;
        }
    }

    // -- the screen -------------------------------------------------------------------

    async fillScreen() {
        try {
            await this.root.el.requestFullscreen();
        } catch {
            // Not allowed here: it fills the window then.
        }
    }

    leaveScreen() {
        if (document.fullscreenElement) {
            document.exitFullscreen();
        }
    }

    onScreenChange() {
        if (!document.fullscreenElement) {
            this.props.close();
        }
    }

    // -- what is shown ----------------------------------------------------------------

    /** Rows and columns that show everybody at once. */
    get style() {
        const count = Math.max(this.props.extensions.length, 1);
        const rows = Math.max(2, Math.round(Math.sqrt(count / TILE_RATIO)));
        return `--rows: ${rows}; --columns: ${Math.ceil(count / rows)}`;
    }

    get sorted() {
        const { key } = ORDERS[this.state.order];
        return [...this.props.extensions].sort(
            (a, b) => compare(key(a), key(b)) || compare(a.number, b.number)
        );
    }

    /** How many are in each state, who waits, and the figures of the day. */
    get figures() {
        const { extensions, states, waiting } = this.props;
        const counted = Object.entries(states).map(([state, { words }]) => ({
            key: state,
            words,
            value: extensions.filter((extension) => extension.state === state).length,
        }));
        const queue = { key: "waiting", words: _t("Waiting Now"), value: waiting.length };
        if (waiting.length) {
            // They come sorted: the first one has been waiting for the longest time.
            queue.seconds = waiting[0].seconds;
        }
        return [...counted, queue, ...this.figuresOfTheDay];
    }

    get figuresOfTheDay() {
        const { to_call_back: toCallBack, overdue, answered_share: share } = this.state.figures;
        return [
            { key: "to_call_back", words: _t("To Call Back"), value: toCallBack ?? "–" },
            { key: "overdue", words: _t("Overdue"), value: overdue ?? "–" },
            {
                key: "answered",
                words: _t("Answered Today"),
                value: Number.isFinite(share) ? `${Math.round(share * 100)} %` : "–",
            },
        ];
    }

    /** What keeps somebody who is free from being rung. */
    absence(extension) {
        return extension.status === "available" ? "" : statusWords(extension);
    }
}

/** Texts as people sort them, numbers as numbers. */
function compare(a, b) {
    if (typeof a === "number") {
        return a - b;
    }
    return (a || "").localeCompare(b || "", undefined, { numeric: true });
}
