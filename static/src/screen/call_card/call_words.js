import { _t } from "@web/core/l10n/translation";
import { sortBy } from "@web/core/utils/arrays";

/** What the card says of a call that is over. */
const END_WORDS = {
    answered: _t("Call ended"),
    missed: _t("Missed call"),
    unanswered: _t("No answer"),
    busy: _t("Busy"),
    failed: _t("Call failed"),
};

const PHASE_WORDS = {
    requested: _t("Asking the PBX…"),
    pick_up: _t("Pick up your phone"),
    calling: _t("Calling…"),
    greeting: _t("Hears the greeting"),
    talking: _t("Talking"),
    hold: _t("On hold"),
    elsewhere: _t("Rings elsewhere"),
    taken: _t("Taken by a colleague"),
    left: _t("Put through"),
    failed: _t("Not called"),
};

/** How a phase looks: an icon and the colour of the card's edge. */
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
/** What a colleague has to do with it shows in the icon too. */
const ABOUT_ICONS = {
    asking: "fa-question-circle",
    asked: "fa-question-circle",
    back: "fa-reply",
};
const END_LOOK = ["fa-phone", "secondary"];
const MISSED_LOOK = ["fa-phone", "danger"];

/**
 * Say where a call stands.
 *
 * @param {Object} card see `mango.card.content` on the server
 * @returns {string}
 */
export function phaseWords({ phase, about, direction, result, target }) {
    if (phase === "ended") {
        return String(END_WORDS[result] || END_WORDS.answered);
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
        return _t("Transferring…"); // to several phones of no group
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

/** What an extension is doing, in a word and a colour; see `mango.extension._states`. */
export const STATES = {
    free: { words: _t("Free"), color: "success" },
    ringing: { words: _t("Rings"), color: "warning" },
    talking: { words: _t("Talking"), color: "danger" },
    hold: { words: _t("On hold"), color: "warning" },
};

/** @param {Object} card */
export function isOver({ phase }) {
    return phase === "ended" || phase === "failed";
}

/** Which phases need the user first: their phone rings, they talk, all others. */
const URGENT_PHASES = [
    ["ringing", "pick_up"],
    ["talking", "hold"],
];

/**
 * @param {Object} card
 * @returns {number} of several cards the smallest is the most urgent
 */
export function urgency(card) {
    if (isOver(card) || card.leaves) {
        return URGENT_PHASES.length + 1;
    }
    const place = URGENT_PHASES.findIndex((phases) => phases.includes(card.phase));
    return place === -1 ? URGENT_PHASES.length : place;
}

/** @returns {Object | undefined} the one of some cards that needs the user first */
export function mostUrgent(cards) {
    return sortBy(cards, urgency)[0];
}
