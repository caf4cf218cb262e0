import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { _t } from "@web/core/l10n/translation";
import { ConnectionLostError, RPCError } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";

/**
 * @typedef {Object} Recording see `mango.call.get_recordings` on the server
 * @property {number} id
 * @property {"announced" | "requested" | "ready" | "failed" | "expired"} state
 * @property {string} employee who was recorded
 * @property {number} duration whole seconds
 * @property {number} size bytes
 * @property {string} error why there is no audio
 * @property {boolean} can_request
 * @property {boolean} can_download
 * @property {boolean} can_delete
 * @property {boolean} keep whether it is exempt from deletion by age
 */

/** The server's methods for recordings; nothing else calls them. */
export class RecordingService {
    static dependencies = ["dialog", "mango_office.call", "orm"];

    /**
     * @param {import("@web/env").OdooEnv} env
     * @param {Object} services
     */
    constructor(env, services) {
        this.calls = services["mango_office.call"];
        this.dialog = services.dialog;
        this.orm = services.orm;
    }

    audioUrl({ id }) {
        return `/web/content/mango.recording/${id}/audio`;
    }

    downloadUrl(recording) {
        return `${this.audioUrl(recording)}?download=true`;
    }

    /**
     * Read the recordings of a call, in order.
     *
     * @param {number} callId
     * @returns {Promise<Recording[] | undefined>} undefined without a connection
     */
    load(callId) {
        return this.calls.read(() =>
            this.orm.silent.call("mango.call", "get_recordings", [[callId]])
        );
    }

    /** Request the missing recordings of a call from the PBX. */
    async requestOfCall(callId) {
        const action = await this.onServer("mango.call", "action_request_recordings", callId);
        if (action?.params?.type === "warning") {
            this.calls.notification.add(action.params.message, { type: "warning" });
        }
    }

    request({ id }) {
        return this.onServer("mango.recording", "action_request", id);
    }

    /** Exempt a recording from deletion by age, or not. */
    toggleKeep({ id }) {
        return this.onServer("mango.recording", "action_keep", id);
    }

    /**
     * Delete the audio permanently, after confirmation.
     *
     * @param {Recording} recording
     * @param {Function} onDeleted
     */
    remove({ id, employee }, onDeleted) {
        this.dialog.add(ConfirmationDialog, {
            title: _t("Delete this recording?"),
            body: employee
                ? _t(
                      "The recording of %s can no longer be played. The call stays in the log.",
                      employee
                  )
                : _t("It can no longer be played. The call stays in the log."),
            confirmLabel: _t("Delete"),
            confirmClass: "btn-danger",
            confirm: async () => {
                await this.onServer("mango.recording", "action_delete", id);
                onDeleted();
            },
            cancel: () => {},
        });
    }

    /** @returns {Promise<number | undefined>} the number of deleted recordings */
    removeOfPartners(partnerIds) {
        return this.onServer("res.partner", "action_delete_mango_recordings", ...partnerIds);
    }

    /** Log that the user listens; playing does not wait for the answer. */
    logPlay({ id }) {
        return this.calls.read(() => this.orm.silent.call("mango.recording", "log_play", [[id]]));
    }

    /**
     * Find out why a recording cannot be played; the browser only reports a failure.
     *
     * @param {Recording} recording
     * @returns {Promise<string>} the reason
     */
    async whyNot({ id }) {
        let stored;
        try {
            [stored] = await this.orm.silent.read("mango.recording", [id], ["state", "error"]);
        } catch (error) {
            return this.errorWords(error);
        }
        if (!stored) {
            return _t("This recording no longer exists.");
        }
        if (stored.state !== "ready") {
            return stored.error || _t("This recording no longer exists.");
        }
        return _t("The file could not be played. It may be damaged, or missing on the server.");
    }

    errorWords(error) {
        if (error instanceof ConnectionLostError) {
            return _t("The connection was lost. Try again in a moment.");
        }
        if (!(error instanceof RPCError)) {
            throw error;
        }
        const name = error.exceptionName || "";
        if (name.endsWith(".SessionExpiredException")) {
            return _t("Your session has expired. Reload the page and log in.");
        }
        if (name.endsWith(".AccessError")) {
            return _t("You may not listen to this recording.");
        }
        return _t("This recording no longer exists.");
    }

    onServer(model, method, ...ids) {
        return this.calls.attempt(() => this.orm.call(model, method, [ids]));
    }
}

export const recordingService = {
    dependencies: RecordingService.dependencies,
    start: (env, services) => new RecordingService(env, services),
};

registry.category("services").add("mango_office.recording", recordingService);
