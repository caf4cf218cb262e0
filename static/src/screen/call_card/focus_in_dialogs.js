import { onWillUnmount, useEffect } from "@odoo/owl";
import { useService } from "@web/core/utils/hooks";

/**
 * Let an element be used while a dialog is open.
 *
 * While the focus is in it, the keys are not the dialog's: Escape does not close it, and
 * what is opened in the element may take the focus.
 *
 * @param {{ el: HTMLElement | null }} ref
 */
export function useActiveWhileFocused(ref) {
    const ui = useService("ui");
    let active;
    const leave = () => {
        if (active) {
            ui.deactivateElement(active);
            active = undefined;
        }
    };
    const onFocusin = () => {
        if (!active && ui.activeElement !== document) {
            active = ref.el;
            ui.activateElement(active);
        }
    };
    const onFocusout = ({ relatedTarget }) => {
        if (!ref.el?.contains(relatedTarget)) {
            leave();
        }
    };
    useEffect(
        (el) => {
            el?.addEventListener("focusin", onFocusin);
            el?.addEventListener("focusout", onFocusout);
            return () => {
                el?.removeEventListener("focusin", onFocusin);
                el?.removeEventListener("focusout", onFocusout);
            };
        },
        () => [ref.el]
    );
    // What had the focus may have gone.
    useEffect(() => {
        if (active && !active.contains(document.activeElement)) {
            leave();
        }
    });
    onWillUnmount(leave);
}
