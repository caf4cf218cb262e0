import { Component, onWillStart, onWillUpdateProps, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";
import { useCallChanges } from "../call_service/call_changes";
import { RecordingPlayer } from "./recording_player";

/** The recordings of a call on its form, one below the other, each with its employee. */
export class RecordingList extends Component {
    static template = "mango_office.RecordingList";
    static components = { RecordingPlayer };
    static props = { ...standardWidgetProps };

    setup() {
        this.player = useService("mango_office.player");
        this.recordings = useService("mango_office.recording");
        this.unknownEmployee = _t("Employee unknown");
        /** @type {{ recordings: import("./recording_service").Recording[] }} */
        this.state = useState({ recordings: [], asking: new Set() });
        onWillStart(() => this.load(this.props.record.resId));
        onWillUpdateProps(async ({ record }) => {
            if (record.resId !== this.shownCall) {
                await this.load(record.resId);
            }
        });
        useCallChanges((callId) => {
            if (!callId || callId === this.shownCall) {
                this.load(this.shownCall);
            }
        });
    }

    async load(callId) {
        this.shownCall = callId;
        const recordings = callId ? await this.recordings.load(callId) : [];
        if (recordings && this.shownCall === callId) {
            this.state.recordings = recordings;
        }
    }

    // -- what is shown ------------------------------------------------------------

    stateOf({ id, state }) {
        return this.state.asking.has(id) ? "requested" : state;
    }

    words(recording) {
        const texts = {
            announced: _t("Recorded by the PBX"),
            requested: _t("On its way…"),
            ready: _t("Ready"),
            failed: recording.error || _t("The reason is not known."),
            expired: recording.error || _t("Deleted"),
        };
        return texts[this.stateOf(recording)];
    }

    requestWords({ state }) {
        return state === "failed" ? _t("Request again") : _t("Request recording");
    }

    keepTitle({ keep }) {
        return keep
            ? _t("Kept. Delete with the others when it is old")
            : _t("Keep whatever its age");
    }

    // -- what can be done ------------------------------------------------------------

    play(recording, position) {
        const queue = this.state.recordings.filter(({ state }) => state === "ready");
        const { resId, data } = this.props.record;
        this.player.play(recording, queue, { callId: resId, title: data.display_name }, position);
    }

    async request(recording) {
        this.state.asking.add(recording.id);
        try {
            await this.recordings.request(recording);
            await this.load(this.shownCall);
        } finally {
            this.state.asking.delete(recording.id);
        }
    }

    async toggleKeep(recording) {
        await this.recordings.toggleKeep(recording);
        await this.load(this.shownCall);
    }

    remove(recording) {
        this.recordings.remove(recording, () => {
            if (this.player.state.track?.id === recording.id) {
                this.player.close();
            }
            return this.load(this.shownCall);
        });
    }
}

export const recordingList = {
    component: RecordingList,
    fieldDependencies: [{ name: "display_name", type: "char" }],
};

registry.category("view_widgets").add("mango_recordings", recordingList);
