import {
    Component,
    onMounted,
    onWillDestroy,
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
import { DepartmentSelect } from "./departments";
import { PersonFigures } from "./person_figures";

/** How often the figures of the day are updated. */
const FIGURES_INTERVAL = 30_000; // milliseconds
/** Aspect ratio of a tile: suits a TV screen and leaves room for names. */
const TILE_RATIO = 1.6;

const BUSY_FIRST = ["ringing", "talking", "hold", "free"];
const ORDERS = {
    number: { words: _t("By Number"), key: ({ number }) => number },
    name: { words: _t("By Name"), key: ({ name }) => name },
    state: { words: _t("By State"), key: ({ state }) => BUSY_FIRST.indexOf(state) },
    department: { words: _t("By Department"), key: ({ department }) => department },
};

/** The board on a TV screen: all extensions at once, nothing to click or scroll. */
export class BoardWall extends Component {
    static template = "mango_office.BoardWall";
    static components = { CallTimer, DepartmentSelect, PersonFigures };
    static props = {
        extensions: { type: Array, element: Object },
        departments: { type: Array, element: Object },
        department: { type: [String, { value: null }] },
        chooseDepartment: Function,
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
        // Also without having been shown: the board may be drawn anew before the answer.
        onWillDestroy(() => browser.clearInterval(interval));
        onMounted(() => this.fillScreen());
        onWillUnmount(() => this.leaveScreen());
        useExternalListener(document, "fullscreenchange", () => this.onScreenChange());
        useExternalListener(window, "keydown", (ev) => ev.key === "Escape" && this.props.close());
    }

    /** Load the figures; errors show no dialog, because nobody could close it on a TV. */
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
            // Full screen is not allowed here: fill the window instead.
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

    // -- display ----------------------------------------------------------------------

    /** Rows and columns of the tiles, so that all are visible. */
    get style() {
        const count = Math.max(this.props.extensions.length, 1);
        const rows = Math.max(2, Math.round(Math.sqrt(count / TILE_RATIO)));
        const lines = rows > 2 ? 1 : 2; // of a client's name
        return `--rows: ${rows}; --columns: ${Math.ceil(count / rows)}; --lines: ${lines}`;
    }

    get sorted() {
        const { key } = ORDERS[this.state.order];
        return [...this.props.extensions].sort(
            (a, b) => compare(key(a), key(b)) || compare(a.number, b.number)
        );
    }

    /** Counters by state, waiting callers, and the figures of the day. */
    get figures() {
        const { extensions, states, waiting } = this.props;
        const counted = Object.entries(states).map(([state, { words }]) => ({
            key: state,
            words,
            value: extensions.filter((extension) => extension.state === state).length,
        }));
        const queue = { key: "waiting", words: _t("Waiting Now"), value: waiting.length };
        if (waiting.length) {
            // Sorted by the server: the first one has been waiting longest.
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

    /** Why a free employee is not rung. */
    absence(extension) {
        return extension.status === "available" ? "" : statusWords(extension);
    }
}

/** Compare texts by locale, and numbers by value. */
function compare(a, b) {
    if (typeof a === "number") {
        return a - b;
    }
    return (a || "").localeCompare(b || "", undefined, { numeric: true });
}
