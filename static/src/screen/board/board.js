import { Component, onWillStart, onWillUnmount, useState } from "@odoo/owl";
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

const FREE = { state: "free", call: false, status: "available", away_until: false };

/** Live view of all extensions and waiting callers, for supervisors. */
export class Board extends Component {
    static template = "mango_office.Board";
    static components = { BoardWall, CallTimer, Layout, StatusSelect };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.calls = useService("mango_office.call");
        this.action = useService("action");
        this.states = EXTENSION_STATES;
        this.directions = DIRECTIONS;
        this.state = useState({ extensions: [], waiting: [], onlyState: "", term: "" });
        this.answers = new KeepLast();
        this.wall = useState({ isShown: false });
        const refreshSoon = useLiveReload(() => this.refresh());
        onWillStart(() => this.load());
        onWillUnmount(this.calls.watchAll(refreshSoon));
    }

    async load() {
        Object.assign(this.state, await this.ask("get_board"));
    }

    /** Reload only what changes during calls. */
    async refresh() {
        const asked = this.ask("get_board_calls");
        const { busy, absent, waiting } = await this.answers.add(asked);
        const byId = new Map(busy.map(({ id, ...activity }) => [id, activity]));
        for (const { id, ...status } of absent) {
            byId.set(id, { ...byId.get(id), ...status });
        }
        this.state.waiting = waiting;
        this.state.extensions = this.state.extensions.map((extension) => ({
            ...extension,
            ...FREE,
            ...byId.get(extension.id),
        }));
    }

    ask(method) {
        return this.orm.silent.call("mango.extension", method, []);
    }

    // -- display ------------------------------------------------------------------

    get counters() {
        return Object.entries(EXTENSION_STATES).map(([state, look]) => ({
            ...look,
            state,
            count: this.state.extensions.filter((extension) => extension.state === state).length,
        }));
    }

    get shown() {
        const { extensions, onlyState, term } = this.state;
        const wanted = term.trim().toLowerCase();
        return extensions.filter(
            ({ state, name, number, department }) =>
                (!onlyState || state === onlyState) &&
                (!wanted || `${number} ${name} ${department}`.toLowerCase().includes(wanted))
        );
    }

    toggleState(state) {
        this.state.onlyState = this.state.onlyState === state ? "" : state;
    }

    openExtensions() {
        this.action.doAction("mango_office.mango_extension_action");
    }
}

registry.category("actions").add("mango_office_board", Board);
