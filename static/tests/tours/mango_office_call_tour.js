import { registry } from "@web/core/registry";
import { cardIs, closeCard } from "./mango_office_tour_utils";

const tours = registry.category("web_tour.tours");
const IVAN = "Иван Петров";

const clickNumber = {
    content: "the phone icon beside the lead's number",
    trigger: ".o_field_widget[name=phone] .o_mango_call_button",
    run: "click",
};

/** A salesperson double-clicks a lead's number, and talks to the client. */
tours.add("mango_office_call_answered", {
    steps: () => [
        { ...clickNumber, run: "dblclick" },
        cardIs("pick_up", IVAN, "asked to pick up"),
        cardIs("calling", IVAN, "the client's phone rings"),
        cardIs("talking", "Поставка офисной мебели"),
        {
            content: "the timer runs",
            trigger: ".o_mango_card[data-phase=talking] .o_mango_card_timer:contains(0:0)",
            run() {
                console.info("cue: talking");
            },
        },
        cardIs("ended", IVAN),
        ...closeCard(),
    ],
});

/**
 * @param {string} name
 * @param {string} words the outcome on the card
 */
function addOutcome(name, words) {
    tours.add(`mango_office_call_${name}`, {
        steps: () => [
            clickNumber,
            cardIs("pick_up", IVAN, "asked to pick up"),
            cardIs("calling", IVAN, "the client's phone rings"),
            cardIs("ended", words),
            ...closeCard(),
        ],
    });
}

addOutcome("busy", "Busy");
addOutcome("unanswered", "Nobody answered");

tours.add("mango_office_call_not_picked_up", {
    steps: () => [
        clickNumber,
        cardIs("pick_up", IVAN),
        cardIs("ended", "was not answered"),
        ...closeCard(),
    ],
});

/**
 * @param {string} name
 * @param {string} words the failure on the card
 */
function addFailure(name, words) {
    tours.add(`mango_office_call_${name}`, {
        steps: () => [clickNumber, cardIs("failed", words), ...closeCard()],
    });
}

addFailure("refused_money", "not enough money");
addFailure("refused_direction", "blocked");
addFailure("unreachable", "cannot be reached");

/** The PBX's answer was lost, so the phone may ring. Another click sends nothing. */
tours.add("mango_office_call_unclear", {
    steps: () => [
        clickNumber,
        cardIs("pick_up", "did not answer clearly"),
        ...closeCard(),
        clickNumber,
        cardIs("pick_up", "did not answer clearly"),
        ...closeCard(),
    ],
});

/** Users without an extension get Odoo's own phone field. */
tours.add("mango_office_call_without_extension", {
    steps: () => [
        { trigger: ".o_field_widget[name=phone]:has(a[href^='tel:'])" },
        { trigger: "body:not(:has(.o_mango_call_button)):not(:has(.o_mango_systray))" },
    ],
});
