import { Component, useState } from "@odoo/owl";
import { Dropdown } from "@web/core/dropdown/dropdown";
import { useDropdownState } from "@web/core/dropdown/dropdown_hooks";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { KeepLast } from "@web/core/utils/concurrency";
import { useBus, useService } from "@web/core/utils/hooks";
import { session } from "@web/session";
import { PlannedList } from "../../callbacks/planned_list";
import { WaitingList } from "../../callbacks/waiting_list";
import { EXTENSION_STATES } from "../../calls/call_looks";
import { useLiveReload } from "../call_service/live_reload";
import { StatusSelect, statusWords } from "../status/status_select";
import { CallLists } from "./call_lists";
import { DialPad } from "./dial_pad";

/** The user's own state; unlike for colleagues, talking is green. */
const STATES = {
    ...EXTENSION_STATES,
    free: { ...EXTENSION_STATES.free, icon: "fa-phone" },
    talking: {
        ...EXTENSION_STATES.talking,
        color: "success",
        icon: "fa-volume-control-phone",
    },
};

/** Systray menu: the user's state, missed and recent calls, dial pad. */
export class CallMenu extends Component {
    static template = "mango_office.CallMenu";
    static components = { CallLists, DialPad, Dropdown, PlannedList, StatusSelect, WaitingList };
    static props = {};

    setup() {
        this.calls = useService("mango_office.call");
        this.action = useService("action");
        this.service = useState(this.calls.state);
        this.dropdown = useDropdownState();
        this.userId = user.userId;
        this.state = useState({ tab: "", canAsk: this.calls.canAskNotifications, running: [] });
        this.answers = new KeepLast();
        const loadSoon = useLiveReload(() => this.loadRunning());
        useBus(this.calls.bus, "changed", () => this.dropdown.isOpen && loadSoon());
        useBus(this.calls.bus, "dial", () => this.openDialPad());
        this.wantedTab = "";
        this.close = () => this.dropdown.close();
    }

    get look() {
        return STATES[this.service.myState];
    }

    get isFree() {
        return this.service.myState === "free";
    }

    /** The user's state; if free, the reason why no calls are routed to them. */
    get stateWords() {
        const { myStatus } = this.service;
        const isOff = this.isFree && myStatus.status !== "available";
        return isOff ? statusWords(myStatus) : this.look.words;
    }

    /** Title of the button: state and number of missed calls. */
    get title() {
        const { extension, missedCount } = this.service;
        const words = extension
            ? _t("Calls: %(state)s (%(number)s)", {
                  state: this.stateWords,
                  number: extension.number,
              })
            : _t("Calls");
        return missedCount
            ? _t("%(calls)s, missed: %(count)s", { calls: words, count: missedCount })
            : words;
    }

    get tabs() {
        const tabs = [
            { name: "missed", title: _t("Missed Calls"), count: this.service.missedCount },
            { name: "planned", title: _t("Planned"), count: this.service.plannedCount },
            { name: "recent", title: _t("Recent"), count: 0 },
        ];
        return this.service.extension
            ? [{ name: "dial", title: _t("Dial"), count: 0 }, ...tabs]
            : tabs;
    }

    openDialPad() {
        this.state.tab = this.wantedTab = "dial";
        this.dropdown.open();
    }

    onOpen() {
        const first = this.service.extension ? "dial" : "recent";
        this.state.tab = this.wantedTab || (this.service.missedCount ? "missed" : first);
        this.wantedTab = "";
        this.state.canAsk = this.calls.canAskNotifications;
        this.loadRunning();
    }

    async loadRunning() {
        this.state.running = (await this.answers.add(this.calls.running())) || [];
    }

    showCard(call) {
        this.close();
        return this.calls.reopen(call);
    }

    async askNotifications() {
        await this.calls.askNotifications();
        this.state.canAsk = this.calls.canAskNotifications;
    }

    openAll() {
        this.close();
        this.action.doAction("mango_office.mango_call_action_mine", { clearBreadcrumbs: true });
    }
}

registry.category("systray").add(
    "mango_office.call_menu",
    {
        Component: CallMenu,
        isDisplayed: () => Boolean(session.mango_office),
    },
    { sequence: 22 }
);
