/**
 * Print a cue for the simulated phones.
 *
 * `devtools/e2e_browser.py` waits for it, and picks up, hangs up or answers; Odoo's own tests
 * ignore it.
 *
 * @param {string} words
 */
export function cue(words) {
    console.info(`cue: ${words}`);
}

/** The step that waits for the first page after the web client has started. */
export const pageIsLoaded = {
    content: "the page is loaded",
    trigger: ".o_action_manager :is(.o_action, .o-mail-Discuss)",
};

/**
 * Wait for a card in a phase.
 *
 * @param {string} phase see `mango.call.presence`
 * @param {string} words text on the card
 * @param {string} [cueWords] given once the card is there
 * @returns {Object} a step
 */
export function cardIs(phase, words, cueWords) {
    return {
        content: `the card is "${phase}" and says "${words}"`,
        trigger: `.o_mango_card[data-phase=${phase}]:contains("${words}")`,
        run: cueWords ? () => cue(cueWords) : undefined,
    };
}

/** @returns {Object[]} the steps of closing the only card */
export function closeCard() {
    return [
        { trigger: ".o_mango_card .o_mango_close", run: "click" },
        { content: "no card is left", trigger: "body:not(:has(.o_mango_card))" },
    ];
}
