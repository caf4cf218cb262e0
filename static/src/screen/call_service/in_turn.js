import { browser } from "@web/core/browser/browser";

/** Time after which the next run no longer waits for the previous one. */
const PATIENCE = 5000; // milliseconds

/**
 * Run a task one at a time: all requests during a run are served by one more run
 * afterwards.
 *
 * A run that takes too long does not block the next one, so the task itself must ignore
 * the answers of outdated runs.
 *
 * @template T
 * @param {() => Promise<T>} task
 * @returns {() => Promise<T>} requests a run that has not started yet, and returns its result
 */
export function inTurn(task) {
    let running = Promise.resolve();
    let next;
    return () => {
        next ??= running.then(() => {
            next = undefined;
            const answer = Promise.resolve(task());
            running = settled(answer);
            return answer;
        });
        return next;
    };
}

/** Wait until a promise is settled, but not longer than `PATIENCE`. */
function settled(promise) {
    return new Promise((resolve) => {
        const timer = browser.setTimeout(resolve, PATIENCE);
        const finish = () => {
            browser.clearTimeout(timer);
            resolve();
        };
        promise.then(finish, finish);
    });
}
