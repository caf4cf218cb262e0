import { registry } from "@web/core/registry";
import { cardIs, closeCard, cue } from "./mango_office_tour_utils";

const LINE = ".o_mango_chatter_line";

/**
 * An unknown caller gets a lead, the talk an outcome, and the lead's chatter the call.
 *
 * @param {Object} words
 * @param {string} words.missing text of the card while the outcome is missing
 * @param {string} words.play the button in the chatter
 */
function crmSteps({ missing, play }) {
    return [
        cardIs("ended", "+7 495 000-02-99"),
        {
            content: "the call has made a lead",
            trigger: ".o_mango_card .o_mango_lead:contains('+7 495 000-02-99')",
        },
        { trigger: ".o_mango_card .o_mango_close", run: "click" },
        {
            content: "the card stays until the outcome is chosen, and says why",
            trigger: `.o_mango_card .o_mango_outcomes .text-danger:contains("${missing}")`,
        },
        { trigger: ".o_mango_card .o_mango_outcome:eq(1)", run: "click" },
        {
            content: "the outcome is chosen",
            trigger: ".o_mango_card .o_mango_outcome[aria-pressed=true]",
        },
        {
            content: "a meeting can be arranged from the card",
            trigger: ".o_mango_card .o_mango_meeting",
            run: "click",
        },
        {
            content: "it is about the lead",
            trigger: ".modal .o_field_widget[name=name] input:value(02-99)",
        },
        { trigger: ".modal .o_form_button_cancel", run: "click" },
        { content: "the dialog is closed", trigger: "body:not(:has(.modal))" },
        { trigger: ".o_mango_card .o_mango_lead", run: "click" },
        {
            content: "the call is in the chatter of the lead",
            trigger: `.o_form_view .o-mail-Message:contains('Анна Соколова') ${LINE}`,
        },
        { trigger: `${LINE} a.o_mango_play:contains("${play}")`, run: "click" },
        { content: "and can be heard there", trigger: ".o_mango_player_dock .o_mango_player" },
        ...closeCard(),
    ];
}

registry.category("web_tour.tours").add("mango_office_crm", {
    steps: () =>
        crmSteps({
            missing: "Outcome: choose it, then the card can be closed",
            play: "Play",
        }),
});

registry.category("web_tour.tours").add("mango_office_crm_ru", {
    steps: () =>
        crmSteps({
            missing: "Итог: выберите его, и карточку можно будет закрыть",
            play: "Слушать",
        }),
});

/**
 * The source and the campaign of the line are in the analysis.
 *
 * @param {string} clients the name of a measure
 */
function sourceSteps(clients) {
    return [
        {
            content: "the source is a row of the pivot",
            trigger: ".o_pivot th:contains('Журнал')",
        },
        {
            content: "and the campaign below it",
            trigger: ".o_pivot th:contains('Осень')",
        },
        {
            content: "the analysis counts new clients",
            trigger: `.o_pivot th:contains("${clients}")`,
        },
    ];
}

registry.category("web_tour.tours").add("mango_office_sources", {
    steps: () => sourceSteps("New Clients"),
});

registry.category("web_tour.tours").add("mango_office_sources_ru", {
    steps: () => sourceSteps("Новые клиенты"),
});

/** With people at the phones, see `devtools/e2e_browser.py`. */
registry.category("web_tour.tours").add("mango_office_unknown_caller", {
    steps: () => [
        cardIs("ringing", "+7 495 000-02-7", "rings"),
        cardIs("talking", "+7 495 000-02-7"),
        {
            content: "the lead comes to the card while they talk",
            trigger: ".o_mango_card[data-phase=talking] .o_mango_lead:contains('+7 495 000-02-7')",
            run: () => cue("has a lead"),
        },
        cardIs("ended", "+7 495 000-02-7"),
        { trigger: ".o_mango_card .o_mango_outcome:eq(0)", run: "click" },
        {
            content: "the outcome is chosen",
            trigger: ".o_mango_card .o_mango_outcome[aria-pressed=true]",
        },
        ...closeCard(),
    ],
});
