import { _t } from "@web/core/l10n/translation";
import { sortBy } from "@web/core/utils/arrays";
import { RESULTS } from "../../calls/call_looks";

const PHASE_WORDS = {
    requested: _t("Asking the PBX…"),
    pick_up: _t("Pick up your phone"),
    calling: _t("Calling…"),
    greeting: _t("Hears the greeting"),
    talking: _t("Talking"),
    hold: _t("On hold"),
    elsewhere: _t("Rings elsewhere"),
    taken: _t("With a colleague"),
    left: _t("Put through"),
    failed: _t("Not called"),
};

/** Icon, and color of the card's border, by phase. */
const LOOKS = {
    requested: ["fa-spinner fa-pulse", "info"],
    pick_up: ["fa-bell", "warning"],
    calling: ["fa-phone", "info"],
    greeting: ["fa-volume-up", "info"],
    ringing: ["fa-bell", "warning"],
    talking: ["fa-phone", "success"],
    hold: ["fa-pause", "warning"],
    transferring: ["fa-share", "info"],
    failed: ["fa-exclamation-triangle", "danger"],
};
/** Icons of calls that involve a colleague. */
const ABOUT_ICONS = {
    asking: "fa-question-circle",
    asked: "fa-question-circle",
    back: "fa-reply",
};
const END_LOOK = ["fa-phone", "secondary"];
const MISSED_LOOK = ["fa-phone", "danger"];

/**
 * Return the phase of a call in words.
 *
 * @param {Object} card see `mango.card.content` on the server
 * @returns {string}
 */
export function phaseWords({ phase, about, direction, result, target }) {
    if (phase === "ended") {
        return String(RESULTS[result] || _t("Call ended"));
    }
    if (phase === "transferring") {
        return transferWords(about, target);
    }
    if (about === "asked") {
        return _t("A colleague asks you");
    }
    if (about === "back") {
        return _t("The client is back");
    }
    if (phase === "ringing") {
        return direction === "internal" ? _t("A colleague is calling") : _t("Is calling you");
    }
    return String(PHASE_WORDS[phase] || "");
}

function transferWords(about, target) {
    if (!target) {
        return _t("Transferring…"); // to several phones without a group
    }
    return about === "asking" ? _t("Asking %s…", target) : _t("Transferring to %s…", target);
}

/**
 * @param {Object} card
 * @returns {{ icon: string, color: string }}
 */
export function phaseLook({ phase, about, result }) {
    const missed = phase === "ended" && result && result !== "answered";
    const [icon, color] = LOOKS[phase] || (missed ? MISSED_LOOK : END_LOOK);
    return { icon: ABOUT_ICONS[about] || icon, color };
}

/** @param {Object} card */
export function isOver({ phase }) {
    return phase === "ended" || phase === "failed";
}

/** Phases by urgency: the user's phone is ringing, they are talking; then all others. */
const URGENT_PHASES = [
    ["ringing", "pick_up"],
    ["talking", "hold"],
];

/**
 * @param {Object} card
 * @returns {number} the smaller, the more urgent
 */
export function urgency(card) {
    if (isOver(card) || card.leaves) {
        return URGENT_PHASES.length + 1;
    }
    const place = URGENT_PHASES.findIndex((phases) => phases.includes(card.phase));
    return place === -1 ? URGENT_PHASES.length : place;
}

/** @returns {Object | undefined} the most urgent of some cards */
export function mostUrgent(cards) {
    return sortBy(cards, urgency)[0];
}
