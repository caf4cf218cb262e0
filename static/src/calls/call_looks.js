import { _t } from "@web/core/l10n/translation";

export const DIRECTIONS = {
    inbound: { icon: "fa-arrow-down", color: "success", words: _t("Inbound") },
    outbound: { icon: "fa-arrow-up", color: "info", words: _t("Outbound") },
    internal: { icon: "fa-exchange", color: "muted", words: _t("Internal") },
};

/** Results of calls that were not answered. */
export const RESULTS = {
    missed: _t("Missed call"),
    unanswered: _t("No answer"),
    busy: _t("Busy"),
    failed: _t("Call failed"),
};

/**
 * Return the result of a past call in few words, for lists.
 *
 * @param {string | false} result
 * @returns {string} empty if it was answered
 */
export function resultWords(result) {
    return result === "missed" ? _t("Missed") : String(RESULTS[result] || "");
}

/** Its shape differs too, not only its color. */
export const MISSED_ARROW = { icon: "fa-level-down text-danger", words: RESULTS.missed };

/** The states of an extension, see `mango.extension._states`. */
export const EXTENSION_STATES = {
    free: { words: _t("Free"), color: "success", icon: "fa-check-circle" },
    ringing: { words: _t("Ringing"), color: "warning", icon: "fa-bell" },
    talking: { words: _t("Talking"), color: "danger", icon: "fa-phone" },
    hold: { words: _t("On hold"), color: "info", icon: "fa-pause" },
};

/**
 * Return the icon of a call and its meaning.
 *
 * @param {{ direction: string | false, result: string | false }} call
 * @returns {{ icon: string, words: string } | undefined} undefined without a direction
 */
export function callArrow({ direction, result }) {
    if (result === "missed") {
        return MISSED_ARROW;
    }
    const look = DIRECTIONS[direction];
    return look && { icon: `${look.icon} text-${look.color}`, words: look.words };
}
