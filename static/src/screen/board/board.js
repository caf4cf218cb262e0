import { Component, markRaw, onWillDestroy, onWillStart, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { DIRECTIONS, EXTENSION_STATES } from "../../calls/call_looks";
import { CallTimer } from "../call_card/call_timer";
import { useLiveReload } from "../call_service/live_reload";
import { StatusSelect } from "../status/status_select";
import { BoardWall } from "./board_wall";
import { byDepartment, DepartmentSelect, useDepartmentChoice } from "./departments";
import { NO_CALLS, PersonFigures } from "./person_figures";

/** How often the board is reloaded without a call, because a new day begins or an absence ends. */
const CALM_INTERVAL = 60_000; // milliseconds

const FREE = { state: "free", call: false, status: "available", away_until: false };

/** Live view of all extensions and waiting callers, for supervisors. */
export class Board extends Component {
    static template = "mango_office.Board";
    static components = {
        BoardWall,
        CallTimer,
        DepartmentSelect,
        Layout,
        PersonFigures,
        StatusSelect,
    };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.calls = useService("mango_office.call");
        this.action = useService("action");
        this.states = EXTENSION_STATES;
        this.directions = DIRECTIONS;
        this.state = useState({ extensions: [], waiting: [], onlyState: "", term: "" });
        this.choice = useDepartmentChoice();
        this.answers = new KeepLast();
        this.wall = useState({ isShown: false });
        const refreshSoon = useLiveReload(() => this.refresh());
        onWillStart(() => this.load());
        onWillDestroy(this.calls.watchAll(refreshSoon));
        const interval = browser.setInterval(refreshSoon, CALM_INTERVAL);
        onWillDestroy(() => browser.clearInterval(interval));
    }

    async load() {
        const { extensions, waiting, today } = await this.ask("get_board");
        this.show(extensions, waiting, today);
    }

    /** Reload only what changes during calls; without an answer, the board stays as it is. */
    async refresh() {
        const asked = this.calls.read(() => this.ask("get_board_calls"));
        const answer = await this.answers.add(asked);
        if (!answer) {
            return;
        }
        const { busy, absent, waiting, today } = answer;
        const byId = new Map(busy.map(({ id, ...activity }) => [id, activity]));
        for (const { id, ...status } of absent) {
            byId.set(id, { ...byId.get(id), ...status });
        }
        const extensions = this.state.extensions.map((extension) => ({
            ...extension,
            ...FREE,
            ...byId.get(extension.id),
        }));
        this.show(extensions, waiting, today);
    }

    show(extensions, waiting, today) {
        const figures = new Map(today.map((one) => [one.id, one]));
        // Replaced as a whole, so their content need not be reactive. Otherwise Owl keeps every
        // value that a component was ever given until the component is destroyed.
        this.state.waiting = markRaw(waiting);
        this.state.extensions = markRaw(
            extensions.map((extension) => ({
                ...extension,
                figures: figures.get(extension.id) || NO_CALLS,
            }))
        );
    }

    ask(method) {
        return this.orm.silent.call("mango.extension", method, []);
    }

    // -- display ------------------------------------------------------------------

    get departments() {
        return byDepartment(this.state.extensions);
    }

    /** The department that is shown, null for all; one that was remembered may be gone. */
    get department() {
        const { department } = this.choice;
        return this.departments.some(({ name }) => name === department) ? department : null;
    }

    get isGrouped() {
        return this.choice.isGrouped && this.departments.length > 1;
    }

    /** The people of the department that is shown. */
    get people() {
        const { department } = this;
        return department === null
            ? this.state.extensions
            : this.state.extensions.filter((extension) => extension.department === department);
    }

    get counters() {
        return Object.entries(EXTENSION_STATES).map(([state, look]) => ({
            ...look,
            state,
            count: this.people.filter((extension) => extension.state === state).length,
        }));
    }

    get groups() {
        if (this.isGrouped) {
            return byDepartment(this.shown);
        }
        return [{ name: "", words: "", extensions: this.shown }];
    }

    get shown() {
        const { onlyState, term } = this.state;
        const wanted = term.trim().toLowerCase();
        return this.people.filter(
            ({ state, name, number, department }) =>
                (!onlyState || state === onlyState) &&
                (!wanted || `${number} ${name} ${department}`.toLowerCase().includes(wanted))
        );
    }

    showAll() {
        Object.assign(this.state, { onlyState: "", term: "" });
        this.choice.change({ department: null });
    }

    toggleState(state) {
        this.state.onlyState = this.state.onlyState === state ? "" : state;
    }

    openExtensions() {
        this.action.doAction("mango_office.mango_extension_action");
    }
}

registry.category("actions").add("mango_office_board", Board);
