import { browser } from "@web/core/browser/browser";

/** How long an answer is waited for before the question is asked once more. */
const PATIENCE = 5000; // milliseconds

/**
 * Run a task one at a time: however often it is asked for while it runs, it runs once
 * more afterwards. What is asked for in one breath is one run.
 *
 * An answer that never comes stops nothing for good, so the task itself must drop an
 * answer that comes after a newer one.
 *
 * @template T
 * @param {() => Promise<T>} task
 * @returns {() => Promise<T>} asks for a run that has not begun yet, and gives its answer
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

/** Wait until a promise is kept or broken, or for as long as patience lasts. */
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
