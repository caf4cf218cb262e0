import { onWillDestroy, status, useComponent } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { inTurn } from "./in_turn";

/** Debounce: a call changes several times within a moment. */
const QUIET_DELAY = 200; // milliseconds
/** Maximum delay during a steady stream of changes. */
const MAX_WAIT = 1000;

/**
 * Reload a component after changes: debounced, and one request at a time.
 *
 * @param {() => Promise | void} reload must ignore outdated answers
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
    onWillDestroy(stop);
    return () => {
        browser.clearTimeout(quietTimer);
        quietTimer = browser.setTimeout(run, QUIET_DELAY);
        lastTimer ??= browser.setTimeout(run, MAX_WAIT);
    };
}

/**
 * Track whether a model is being loaded.
 *
 * A second load cancels the one that is running: a view that has just been opened would
 * stay empty, and a search would be lost.
 *
 * @param {import("@web/model/model").Model} model
 * @returns {() => boolean} whether it is being loaded
 */
function trackLoading(model) {
    const load = model.load;
    let current;
    model.load = async function (...args) {
        const own = (current = {});
        try {
            return await load.apply(this, args);
        } finally {
            if (current === own) {
                current = undefined;
            }
        }
    };
    return () => Boolean(current);
}

/**
 * Keep the records of a list's or kanban's controller up to date.
 *
 * @param {(record: Object) => number} [idOf] maps a record to the id that its changes are reported with
 * @returns {(id?: number) => void} to be called at each change, without id if it is unknown
 */
export function useLiveRecords(idOf = ({ resId }) => resId) {
    const { model } = useComponent();
    const changed = new Set();
    const isLoading = trackLoading(model);
    const reloadSoon = useLiveReload(() => {
        if (isLoading()) {
            return reloadSoon();
        }
        if (!model.root) {
            return;
        }
        const records = model.root.records.filter((record) => changed.has(idOf(record)));
        changed.clear();
        if (!model.root.selection?.length) {
            return model.load();
        }
        // Reloading the list would clear the selection.
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
 * @returns {(id?: number) => void} to be called at each change, without id if it is unknown
 */
export function useLiveRecord() {
    const { model } = useComponent();
    const isLoading = trackLoading(model);
    const reloadSoon = useLiveReload(async () => {
        if (isLoading()) {
            return reloadSoon();
        }
        const { root } = model;
        // Keep unsaved changes.
        if (root?.resId && !(await root.isDirty())) {
            await root.load();
        }
    });
    return (id) => {
        if (!id || !model.root || id === model.root.resId) {
            reloadSoon();
        }
    };
}
