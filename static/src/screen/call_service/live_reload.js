import { onWillUnmount, status, useComponent } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { inTurn } from "./in_turn";

/** A call changes several times within a moment, which is read once. */
const QUIET_DELAY = 200; // milliseconds
/** Changes that never cease are read all the same. */
const MAX_WAIT = 1000;

/**
 * Read what a component shows again when it has changed: soon, but neither at each
 * change nor while the last question is still open.
 *
 * @param {() => Promise | void} reload must drop an answer that comes after a newer one
 * @returns {() => void} to be called at each change
 */
export function useLiveReload(reload) {
    const component = useComponent();
    const reloadInTurn = inTurn(() => status(component) !== "destroyed" && reload());
    let quietTimer, lastTimer;
    const stop = () => {
        browser.clearTimeout(quietTimer);
        browser.clearTimeout(lastTimer);
        lastTimer = undefined;
    };
    const run = () => {
        stop();
        return reloadInTurn();
    };
    onWillUnmount(stop);
    return () => {
        browser.clearTimeout(quietTimer);
        quietTimer = browser.setTimeout(run, QUIET_DELAY);
        lastTimer ??= browser.setTimeout(run, MAX_WAIT);
    };
}
