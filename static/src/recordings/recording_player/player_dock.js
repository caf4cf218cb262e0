import { Component, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { RecordingPlayer } from "./recording_player";

/**
 * Player of the current recording below the action, which stays when the user navigates.
 * Hidden while the page itself shows the player of that recording.
 */
export class PlayerDock extends Component {
    static template = "mango_office.PlayerDock";
    static components = { RecordingPlayer };
    static props = {};

    setup() {
        this.calls = useService("mango_office.call");
        this.player = useService("mango_office.player");
        this.state = useState(this.player.state);
    }

    get isDocked() {
        const { track, shown } = this.state;
        return track && !shown[track.id];
    }

    /** @returns {string} the employee, and the position among several recordings */
    get details() {
        const { queue, track } = this.state;
        const number = queue.findIndex(({ id }) => id === track.id) + 1;
        const place =
            queue.length > 1 && _t("%(number)s of %(count)s", { number, count: queue.length });
        return [track.employee, place].filter(Boolean).join(" · ");
    }

    open() {
        return this.calls.open(this.state.origin.callId);
    }
}

registry.category("main_components").add("mango_office.PlayerDock", { Component: PlayerDock });
