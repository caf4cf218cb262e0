import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

/** Delete all recordings of a contact after confirmation, and tell how many there were. */
function deleteRecordings(env, { params }) {
    const { dialog, notification } = env.services;
    const recordings = env.services["mango_office.recording"];
    dialog.add(ConfirmationDialog, {
        title: _t("Delete Recordings"),
        body: _t(
            "All recordings of calls with these contacts are permanently deleted, including those marked to be kept. The calls stay in the log."
        ),
        confirmLabel: _t("Delete"),
        confirmClass: "btn-danger",
        confirm: async () => {
            const count = await recordings.removeOfPartners(params.partner_ids);
            if (count !== undefined) {
                notification.add(_t("Recordings deleted: %s.", count), { type: "info" });
            }
        },
        cancel: () => {},
    });
}

registry.category("actions").add("mango_office_delete_recordings", deleteRecordings);
