/**
 * Tell those at the phones that it is their turn.
 *
 * Nobody hears it in Odoo's own tests. `devtools/e2e_browser.py` does, and has somebody pick up,
 * hang up or answer.
 *
 * @param {string} words
 */
export function cue(words) {
    console.info(`cue: ${words}`);
}

/**
 * Wait for a card in a phase.
 *
 * @param {string} phase see the contract of `mango.call.presence`
 * @param {string} words what the card has to say
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
