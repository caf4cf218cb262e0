import { onWillUnmount } from "@odoo/owl";
import { useBus, useService } from "@web/core/utils/hooks";

/**
 * Hear of each call that changes and that the user may see.
 *
 * @param {(callId: number | undefined) => void} onChange without an id when it is a
 *  colleague's call: supervisors are told that something has changed, not what
 */
export function useCallChanges(onChange) {
    const calls = useService("mango_office.call");
    useBus(calls.bus, "changed", ({ detail }) => onChange(detail.id));
    if (calls.isSupervisor) {
        onWillUnmount(calls.watchAll(() => onChange()));
    }
}
