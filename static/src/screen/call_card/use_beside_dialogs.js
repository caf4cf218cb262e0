import { onWillUnmount, useEffect, useExternalListener } from "@odoo/owl";
import { useService } from "@web/core/utils/hooks";

/**
 * Let an element be used while a dialog is open.
 *
 * While it is being used, the keys are not the dialog's: Escape does not close it, and
 * what is opened in the element may take the focus.
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
    // What had the focus may have gone.
    useEffect(() => {
        if (!ref.el?.contains(document.activeElement)) {
            leave();
        }
    });
    onWillUnmount(leave);
}
