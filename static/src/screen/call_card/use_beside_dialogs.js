import { onWillUnmount, useEffect, useExternalListener } from "@odoo/owl";
import { useService } from "@web/core/utils/hooks";

/**
 * Make an element usable while a dialog is open.
 *
 * It becomes the active element while it is used: Escape does not close the dialog, and
 * popovers of the element may take the focus.
 *
 * @param {{ el: HTMLElement | null }} ref
 */
export function useActiveWhileUsed(ref) {
    const ui = useService("ui");
    let active;
    const enter = () => {
        if (!active && ui.activeElement !== document) {
            active = ref.el;
            ui.activateElement(active);
        }
    };
    const leave = () => {
        if (active) {
            ui.deactivateElement(active);
            active = undefined;
        }
    };
    const follow = ({ target }) => (ref.el?.contains(target) ? enter() : leave());
    useExternalListener(document, "focusin", follow);
    useExternalListener(document, "pointerdown", follow);
    // The focused element may have been removed.
    useEffect(() => {
        if (!ref.el?.contains(document.activeElement)) {
            leave();
        }
    });
    onWillUnmount(leave);
}
