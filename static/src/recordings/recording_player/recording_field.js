import { Component, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/**
 * The recordings of a call in a row of the log or on a card: a button to request them,
 * the progress, and a play button.
 */
export class RecordingField extends Component {
    static template = "mango_office.RecordingField";
    static props = { ...standardFieldProps };

    setup() {
        this.player = useService("mango_office.player");
        this.recordings = useService("mango_office.recording");
        this.playing = useState(this.player.state);
        this.state = useState({ isAsking: false, isBusy: false });
    }

    // -- recordings: all of a call, or one -----------------------------------------

    get record() {
        return this.props.record;
    }
    get callId() {
        return this.record.resId;
    }
    get title() {
        return this.record.data.display_name;
    }
    get error() {
        return this.record.data.recording_error || _t("The reason is not known.");
    }
    get isCurrent() {
        return this.playing.origin?.callId === this.callId;
    }

    isMine() {
        return true;
    }

    ask() {
        return this.recordings.requestOfCall(this.callId);
    }

    // -- display ------------------------------------------------------------------

    get value() {
        // Show the request at once, without waiting for the server.
        return this.state.isAsking ? "requested" : this.record.data[this.props.name];
    }
    get isPlaying() {
        return this.isCurrent && ["loading", "playing"].includes(this.playing.status);
    }
    get playTitle() {
        return this.isPlaying ? _t("Pause the recording") : _t("Play the recording");
    }
    get playIcon() {
        return this.isPlaying ? "fa-pause-circle" : "fa-play-circle";
    }
    get requestWords() {
        return this.value === "failed" ? _t("Again") : _t("Request");
    }
    get requestTitle() {
        return this.value === "failed"
            ? _t("Request the recording again")
            : _t("Request recording");
    }
    get statusText() {
        const texts = {
            requested: _t("The recording is on its way."),
            ready: _t("The recording is ready."),
            failed: _t("The recording could not be fetched. %s", this.error),
            expired: this.record.data.recording_error || _t("The recording was deleted."),
        };
        return texts[this.value] || "";
    }

    // -- actions --------------------------------------------------------------------

    /** Prevent keys pressed here from opening the record. */
    onClick(ev) {
        if (ev.target.closest("button")) {
            ev.stopPropagation();
        }
    }

    async request() {
        this.state.isAsking = true;
        try {
            await this.ask();
            await this.record.load();
        } finally {
            this.state.isAsking = false;
        }
    }

    async togglePlay() {
        if (this.isCurrent) {
            this.player.toggle();
            return;
        }
        this.state.isBusy = true;
        await this.player.playCall(this.callId, this.title, (recording) => this.isMine(recording));
        this.state.isBusy = false;
    }
}

/** The same for one recording, in the list of recordings. */
export class SingleRecordingField extends RecordingField {
    get callId() {
        return this.record.data.call_id.id;
    }
    get title() {
        return this.record.data.call_id.display_name;
    }
    get error() {
        return this.record.data.error || _t("The reason is not known.");
    }
    get isCurrent() {
        return this.playing.track?.id === this.record.resId;
    }

    isMine({ id }) {
        return id === this.record.resId;
    }

    ask() {
        return this.recordings.request({ id: this.record.resId });
    }
}

const shared = {
    supportedTypes: ["selection"],
    isEmpty: () => false,
    listViewWidth: 115, // the longest text, and a button
};

export const recordingField = {
    ...shared,
    component: RecordingField,
    displayName: _t("Recordings of a Call"),
    fieldDependencies: [
        { name: "recording_error", type: "char" },
        { name: "display_name", type: "char" },
    ],
};

export const singleRecordingField = {
    ...shared,
    component: SingleRecordingField,
    displayName: _t("Recording"),
    fieldDependencies: [
        { name: "error", type: "char" },
        { name: "call_id", type: "many2one" },
    ],
};

registry.category("fields").add("mango_recordings", recordingField);
registry.category("fields").add("mango_recording", singleRecordingField);
