import { EventBus } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";

const FIELDS = ["display_name", "client_number_display", "lead_id"];

/**
 * @typedef {Object} CallMessage what the server tells of a call (`mango.call`)
 * @property {number} id
 * @property {"ringing"|"talking"|"ended"} state
 * @property {"inbound"|"outbound"|"internal"|false} direction
 * @property {string | false} result
 */

/**
 * Tell the user that a customer of theirs calls, once per call.
 *
 * The message names the call only; what is shown of it is read under the user's rights.
 * Whoever shows calls listens to the event "changed" of the service's `bus`.
 */
export const callService = {
    dependencies: ["action", "bus_service", "notification", "orm"],

    start(env, { action, bus_service, notification, orm }) {
        const bus = new EventBus();
        /** @type {Map<number, () => void>} calls that are shown, with what closes them */
        const shown = new Map();

        function open(callId) {
            return action.doAction({
                type: "ir.actions.act_window",
                res_model: "mango.call",
                res_id: callId,
                views: [[false, "form"]],
            });
        }

        async function show(callId) {
            shown.set(callId, () => {});
            const [call] = await orm.silent.read("mango.call", [callId], FIELDS);
            // The call may have been hung up while it was read.
            if (!call || !shown.has(callId)) {
                return;
            }
            const number = call.client_number_display;
            const lead = call.lead_id && call.lead_id[1];
            const lines = [number !== call.display_name && number, lead].filter(Boolean);
            const close = notification.add(lines.join(" · "), {
                title: _t("%(name)s is calling", { name: call.display_name }),
                type: "info",
                sticky: true,
                buttons: [{ name: _t("Open"), primary: true, onClick: () => open(callId) }],
            });
            shown.set(callId, close);
        }

        /** @param {CallMessage} message */
        function onMessage({ id, state, direction }) {
            bus.trigger("changed", { id });
            if (state === "ended") {
                shown.get(id)?.();
                shown.delete(id);
            } else if (direction === "inbound" && state === "ringing" && !shown.has(id)) {
                show(id);
            }
        }

        if (user.isInternalUser) {
            bus_service.subscribe("mango_office/call", onMessage);
            bus_service.start();
        }
        return { bus };
    },
};

registry.category("services").add("mango_office.call", callService);
