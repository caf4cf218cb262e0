import { onWillDestroy } from "@odoo/owl";
import { useBus, useService } from "@web/core/utils/hooks";

/**
 * Call back on each change of a call that the user may see.
 *
 * @param {(callId: number | undefined) => void} onChange called without an id for
 *  calls of colleagues: supervisors only learn that something has changed
 */
export function useCallChanges(onChange) {
    const calls = useService("mango_office.call");
    useBus(calls.bus, "changed", ({ detail }) => onChange(detail.id));
    if (calls.isSupervisor) {
        onWillDestroy(calls.watchAll(() => onChange()));
    }
}
