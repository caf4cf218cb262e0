import { _t } from "@web/core/l10n/translation";

const ARROWS = {
    inbound: { icon: "fa-arrow-down text-success", words: _t("Inbound") },
    outbound: { icon: "fa-arrow-up text-info", words: _t("Outbound") },
    internal: { icon: "fa-exchange text-muted", words: _t("Internal") },
};

/** Bent, so that it is told apart without its colour too. */
export const MISSED_ARROW = { icon: "fa-level-down text-danger", words: _t("Missed call") };

/**
 * How a call looks wherever there is room for an icon only.
 *
 * @param {{ direction: string | false, result: string | false }} call
 * @returns {{ icon: string, words: string } | undefined} nothing while nobody knows
 */
export function callArrow({ direction, result }) {
    return result === "missed" ? MISSED_ARROW : ARROWS[direction];
}
