import { queryOne, waitUntil } from "@odoo/hoot-dom";
import { registry } from "@web/core/registry";
import { cardIs, closeCard, cue, pageIsLoaded } from "./mango_office_tour_utils";

const tours = registry.category("web_tour.tours");
const IVAN = "Иван Петров";

/**
 * @param {string} text
 * @returns {Object[]} the steps of writing a note on the only card
 */
function writeNote(text) {
    return [
        { trigger: ".o_mango_card_note textarea", run: `edit ${text}` },
        noteIs(text, "note typed"),
    ];
}

function noteIs(text, cueWords) {
    return {
        content: `the note is "${text}"`,
        trigger: `.o_mango_card_note textarea:value("${text}")`,
        run: cueWords ? () => cue(cueWords) : undefined,
    };
}

/** A client calls; the note typed during the talk is kept after a reload. */
tours.add("mango_office_inbound_note", {
    steps: () => [
        cardIs("ringing", IVAN, "rings"),
        {
            content: "what is going on with this client",
            trigger: ".o_mango_card .o_mango_lead:contains('Поставка офисной мебели')",
        },
        cardIs("talking", IVAN),
        ...writeNote("Счёт до пятницы"),
        cardIs("ended", IVAN),
        {
            content: "the page is loaded again",
            trigger: ".o_mango_card",
            run: () => location.reload(),
            expectUnloadPage: true,
        },
        cardIs("ended", IVAN),
        noteIs("Счёт до пятницы"),
        ...closeCard(),
    ],
});

const MARIA = "Мария Котова";

/** Maria calls a company that is not active; the page is not loaded again. */
tours.add("mango_office_card_of_another_company", {
    steps: () => [
        cardIs("ringing", MARIA),
        {
            trigger: ".o_mango_card_own_company:contains('ООО «Лилия»')",
            run: () => document.body.classList.add("mango_same_page"),
        },
        ...writeNote("Просит счёт"),
        {
            content: "the note is saved",
            trigger: ".o_mango_card_note:contains('Saved')",
        },
        { trigger: ".o_mango_card .o_mango_open_partner", run: "click" },
        {
            content: "her form is open, in the same page",
            trigger: `body.mango_same_page .o_form_view .o_field_widget[name=name]:contains("${MARIA}")`,
        },
        {
            content: "both companies are active",
            trigger: ".o_switch_company_menu button",
            run: "click",
        },
        {
            trigger:
                ".o_switch_company_item:contains('ООО «Лилия»') [role=menuitemcheckbox][aria-checked=true]",
        },
        { trigger: ".o_switch_company_item:contains('ООО «Ромашка»') [aria-checked=true]" },
        cardIs("ringing", MARIA),
    ],
});

/** In the first of two tabs; the caller checks the second one. */
tours.add("mango_office_two_tabs", {
    steps: () => [
        cardIs("ringing", IVAN, "rings"),
        cardIs("talking", IVAN),
        ...writeNote("Перезвонить завтра"),
        cardIs("ended", IVAN, "ended"),
        { content: "closed in the other tab", trigger: "body:not(:has(.o_mango_card))" },
    ],
});

/** A colleague was faster: the card says so, and closes. */
tours.add("mango_office_group_loser", {
    steps: () => [
        cardIs("ringing", "Сергей Волков", "rings"),
        cardIs("taken", "Борис Кузнецов"),
        { content: "the card is gone", trigger: "body:not(:has(.o_mango_card))" },
    ],
});

/** The colleague who was faster. */
tours.add("mango_office_group_winner", {
    steps: () => [
        cardIs("ringing", "Сергей Волков", "rings"),
        cardIs("talking", "Сергей Волков", "talking"),
        cardIs("ended", "Сергей Волков"),
        ...closeCard(),
    ],
});

/** Return the element that a click in the middle of an element would hit. */
function isReachable(anchor) {
    const { left, top, width, height } = anchor.getBoundingClientRect();
    const found = document.elementFromPoint(left + width / 2, top + height / 2);
    if (!anchor.contains(found)) {
        throw new Error(`${anchor.className} is below ${found?.className}`);
    }
}

/** Note and hang-up stay usable while the user creates the client in a dialog. */
tours.add("mango_office_card_beside_dialog", {
    steps: () => [
        pageIsLoaded, // which closes dialogs
        cardIs("talking", "+7 495 000-02-09"),
        { trigger: ".o_mango_card .o_mango_create_partner", run: "click" },
        {
            content: "what is typed in the dialog stays there",
            trigger: ".modal [name=name] :is(input, textarea)",
            run: "edit Пётр Орлов",
        },
        // A trigger that begins with "body" may be outside of the dialog.
        {
            trigger: "body .o_mango_card .o_mango_hang_up",
            run: ({ anchor }) => isReachable(anchor),
        },
        {
            trigger: "body .o_mango_card_note textarea",
            async run(helpers) {
                isReachable(helpers.anchor);
                await helpers.edit("Просит счёт");
            },
        },
        { content: "the note is saved", trigger: ".o_mango_card_note:contains(Saved)" },
        { trigger: ".modal .o_form_button_save", run: "click" },
        {
            content: "the card is Pyotr's now",
            trigger: "body:not(:has(.modal)) .o_mango_card_name:contains('Пётр Орлов')",
        },
    ],
});

/** Two contacts have the number: the user chooses one of them. */
tours.add("mango_office_choice", {
    steps: () => [
        cardIs("ringing", "Наталья Белова", "rings"),
        cardIs("talking", "Наталья Белова"),
        {
            trigger: ".o_mango_card .o_mango_candidate:contains('Андрей Белов')",
            run: "click",
        },
        {
            content: "the card is Andrey's now",
            trigger: ".o_mango_card .o_mango_card_name:contains('Андрей Белов')",
            run: () => cue("chosen"),
        },
        cardIs("ended", "Андрей Белов"),
        ...closeCard(),
    ],
});

/** A client hangs up before anybody answers: the badge, and a call back with one click. */
tours.add("mango_office_missed", {
    steps: () => [
        cardIs("ringing", IVAN, "rings"),
        cardIs("ended", "Missed"),
        ...closeCard(),
        {
            content: "the badge counts the missed call",
            trigger: ".o_mango_systray .badge:contains(1)",
        },
        { trigger: ".o_mango_systray", run: "click" },
        {
            trigger: `.o_mango_systray_menu .o_mango_missed:contains('${IVAN}') .o_mango_call_back`,
            run: "click",
        },
        cardIs("pick_up", IVAN, "asked to pick up"),
        cardIs("ended", IVAN),
        ...closeCard(),
        {
            content: "nobody has spoken with the client yet",
            trigger: ".o_mango_systray .badge:contains(1)",
        },
    ],
});

const ANNA = ".o_mango_board_tile[data-number='101']";
const ANSWERED = `${ANNA} [data-figure=answered] dd`;

/** A supervisor watches a colleague's call, and then it counts. */
tours.add("mango_office_board", {
    steps: () => {
        const answered = () => Number(queryOne(ANSWERED).textContent);
        let before;
        return [
            {
                content: "only one department",
                trigger: ".o_mango_departments",
                run: "selectByLabel Отдел продаж",
            },
            { trigger: ".o_mango_board:not(:has(.o_mango_board_tile[data-number='105']))" },
            { trigger: ANSWERED, run: () => (before = answered()) },
            annaIs("free", "watching"),
            annaIs("ringing", "rings"),
            annaIs("talking", "talking"),
            annaIs("free"),
            { trigger: ANSWERED, run: () => waitUntil(() => answered() === before + 1) },
            {
                content: "everybody again",
                trigger: ".o_mango_departments",
                run: "selectByIndex 0",
            },
            { trigger: ".o_mango_board_tile[data-number='105']" },
        ];
    },
});

function annaIs(state, cueWords) {
    return {
        content: `Anna is ${state}`,
        trigger: `${ANNA}[data-state=${state}]:contains('Анна')`,
        run: cueWords ? () => cue(cueWords) : undefined,
    };
}

/** The user finds a client in the dial pad, but does not call them. */
tours.add("mango_office_dial_pad", {
    steps: () => [
        { trigger: ".o_mango_systray", run: "click" },
        { trigger: ".o_mango_systray_menu [data-tab=dial]", run: "click" },
        { trigger: ".o_mango_dial_input", run: "edit Петров" },
        { trigger: `.o_mango_search_result:contains('${IVAN}')`, run: "click" },
        cardIs("pick_up", IVAN),
        { trigger: ".o_mango_card .o_mango_hang_up", run: "click" },
        cardIs("ended", IVAN),
        ...closeCard(),
    ],
});
