import { registry } from "@web/core/registry";
import { cardIs, closeCard, cue } from "./mango_office_tour_utils";

// Names and selectors only, since these run in English and in Russian.
const tours = registry.category("web_tour.tours");
const VOLKOV = "Сергей Волков";
const IVAN = "Иван Петров";
const LEAD = "Поставка офисной мебели";

const badgeIs = (count, cueWords) => ({
    content: `the badge counts ${count}`,
    trigger: `.o_mango_systray .badge:contains(${count})`,
    run: cueWords ? () => cue(cueWords) : undefined,
});
const noBadge = {
    content: "nobody waits any more",
    trigger: ".o_mango_systray:not(:has(.badge))",
};

/** A group misses a client; one of its members calls back with one click. */
tours.add("mango_office_waiting_called_back", {
    steps: () => [
        cardIs("ringing", VOLKOV, "rings"),
        cardIs("ended", VOLKOV),
        ...closeCard(),
        badgeIs(1),
        { trigger: ".o_mango_systray", run: "click" },
        {
            content: "the colleague has seen that they wait",
            trigger: `.o_mango_systray_menu .o_mango_missed:contains('${VOLKOV}') .o_mango_call_back`,
            run: () => cue("ready to call"),
        },
        {
            content: "the colleague looks at the list",
            trigger: "body.o_mango_go_on",
        },
        {
            trigger: `.o_mango_systray_menu .o_mango_missed:contains('${VOLKOV}') .o_mango_call_back`,
            run: "click",
        },
        cardIs("pick_up", VOLKOV, "asked to pick up"),
        cardIs("talking", VOLKOV, "talking"),
        cardIs("ended", VOLKOV),
        ...closeCard(),
        noBadge,
    ],
});

/** A colleague follows it in the list. */
tours.add("mango_office_waiting_watched", {
    steps: () => [
        cardIs("ringing", VOLKOV, "rings"),
        cardIs("ended", VOLKOV),
        ...closeCard(),
        badgeIs(1),
        {
            content: "the client waits",
            trigger: `.o_data_row:contains('${VOLKOV}') .o_mango_call_back`,
            run: () => cue("sees who waits"),
        },
        {
            content: "Anna is calling them, and nobody else can",
            trigger: `.o_data_row:contains('${VOLKOV}'):not(:has(.o_mango_call_back)) .o_mango_calling:contains('Анна')`,
            run: () => cue("sees who calls"),
        },
        {
            content: "they do not wait any more",
            trigger: `.o_list_view:not(:has(.o_data_row:contains('${VOLKOV}')))`,
        },
        noBadge,
    ],
});

/** A planned call: call with one click, talk, mark as done. */
tours.add("mango_office_planned_call", {
    steps: () => [
        { trigger: ".o_mango_systray", run: "click" },
        { trigger: ".o_mango_systray_menu [data-tab=planned] .badge:contains(1)", run: "click" },
        {
            trigger: `.o_mango_systray_menu .o_mango_planned:contains('${LEAD}') .o_mango_call_planned`,
            run: "click",
        },
        cardIs("pick_up", IVAN, "asked to pick up"),
        cardIs("talking", LEAD, "talking"),
        cardIs("ended", LEAD),
        { trigger: ".o_mango_card .o_mango_activity_done", run: "click" },
        {
            content: "there is nothing more to be done",
            trigger: ".o_mango_card:not(:has(.o_mango_card_activity))",
        },
        ...closeCard(),
        { trigger: ".o_mango_systray", run: "click" },
        { trigger: ".o_mango_systray_menu [data-tab=planned]:not(:has(.badge))" },
    ],
});
