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

/**
 * Keep the records of a list's or kanban's controller up to date.
 *
 * @param {(record: Object) => number} [idOf] gives the id that the changes of a record have
 * @returns {(id?: number) => void} to be called at each change, without id if it is not told
 */
export function useLiveRecords(idOf = ({ resId }) => resId) {
    const { model } = useComponent();
    const changed = new Set();
    const reloadSoon = useLiveReload(() => {
        const records = model.root.records.filter((record) => changed.has(idOf(record)));
        changed.clear();
        if (!model.root.selection?.length) {
            return model.load();
        }
        // Reading all again would drop what the user has selected.
        return Promise.all(records.map((record) => record.load()));
    });
    return (id) => {
        changed.add(id);
        reloadSoon();
    };
}

/**
 * Keep the record of a form's controller up to date.
 *
 * @returns {(id?: number) => void} to be called at each change, without id if it is not told
 */
export function useLiveRecord() {
    const { model } = useComponent();
    const reloadSoon = useLiveReload(async () => {
        const { root } = model;
        // What is being typed stays.
        if (root.resId && !(await root.isDirty())) {
            await root.load();
        }
    });
    return (id) => {
        if (!id || id === model.root.resId) {
            reloadSoon();
        }
    };
}
