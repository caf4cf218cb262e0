import { Component, onWillStart, onWillUpdateProps, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";
import { useCallChanges } from "../../screen/call_service/call_changes";
import { RecordingPlayer } from "./recording_player";

/**
 * The recordings of a call on its form, each with its employee; or a single recording on
 * its own form.
 */
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
        onWillStart(() => this.load(this.props.record));
        onWillUpdateProps(async ({ record }) => {
            if (record.resId !== this.shown.resId) {
                await this.load(record);
            }
        });
        useCallChanges((callId) => {
            if (!callId || callId === this.shown.callId) {
                this.reload();
            }
        });
    }

    async load({ resId, resModel, data }) {
        const isCall = resModel === "mango.call";
        const shown = isCall
            ? { resId, callId: resId, title: data.display_name }
            : { resId, callId: data.call_id.id, title: data.call_id.display_name, onlyId: resId };
        this.shown = shown;
        await this.reload();
    }

    async reload() {
        const { shown } = this;
        const recordings = shown.callId ? await this.recordings.load(shown.callId) : [];
        if (recordings && this.shown === shown) {
            this.state.recordings = recordings.filter(
                ({ id }) => !shown.onlyId || id === shown.onlyId
            );
        }
    }

    // -- display ------------------------------------------------------------------

    stateOf({ id, state }) {
        return this.state.asking.has(id) ? "requested" : state;
    }

    words(recording) {
        const texts = {
            announced: recording.can_request ? _t("At the PBX") : _t("Not stored by the PBX yet"),
            requested: [_t("On its way…"), recording.error].filter(Boolean).join(" "),
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
        return keep ? _t("Kept forever. Click to delete it by age again") : _t("Keep forever");
    }

    // -- actions --------------------------------------------------------------------

    play(recording, position) {
        const queue = this.state.recordings.filter(({ state }) => state === "ready");
        const { callId, title } = this.shown;
        this.player.play(recording, queue, { callId, title }, position);
    }

    async request(recording) {
        this.state.asking.add(recording.id);
        try {
            await this.recordings.request(recording);
            await this.reload();
        } finally {
            this.state.asking.delete(recording.id);
        }
    }

    async toggleKeep(recording) {
        await this.recordings.toggleKeep(recording);
        await this.reload();
    }

    remove(recording) {
        this.recordings.remove(recording, () => {
            if (this.player.state.track?.id === recording.id) {
                this.player.close();
            }
            return this.reload();
        });
    }
}

export const recordingList = {
    component: RecordingList,
    fieldDependencies: [{ name: "display_name", type: "char" }],
};

registry.category("view_widgets").add("mango_recordings", recordingList);
