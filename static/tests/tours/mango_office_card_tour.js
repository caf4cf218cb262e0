import { queryOne, waitUntil } from "@odoo/hoot-dom";
import { registry } from "@web/core/registry";
import { cardIs, closeCard, cue } from "./mango_office_tour_utils";

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

/** A client calls; what was typed during the talk is there after a reload. */
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

/** In the first of two tabs; what the second one shows is looked at from outside. */
tours.add("mango_office_two_tabs", {
    steps: () => [
        cardIs("ringing", IVAN, "rings"),
        cardIs("talking", IVAN),
        ...writeNote("Перезвонить завтра"),
        cardIs("ended", IVAN, "ended"),
        { content: "closed in the other tab", trigger: "body:not(:has(.o_mango_card))" },
    ],
});

/** Somebody whose colleague was faster: the card says so and leaves by itself. */
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

/** What a click in the middle of an element would hit. */
function isReachable(anchor) {
    const { left, top, width, height } = anchor.getBoundingClientRect();
    const found = document.elementFromPoint(left + width / 2, top + height / 2);
    if (!anchor.contains(found)) {
        throw new Error(`${anchor.className} is below ${found?.className}`);
    }
}

/** While somebody talks and enters the client, note and hang-up stay at hand. */
tours.add("mango_office_card_beside_dialog", {
    steps: () => [
        cardIs("talking", "+7 495 000-02-09"),
        { trigger: ".o_mango_card .o_mango_create_partner", run: "click" },
        {
            content: "what is typed in the dialog stays there",
            trigger: ".modal [name=name] :is(input, textarea)",
            run: "edit Пётр Орлов",
        },
        // A tour may reach past a dialog if its trigger begins with "body".
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

/** Two contacts have the number: the person says who it is, and that stays. */
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

/** A client hangs up before anybody answers: the badge, and one click calls back. */
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

/** Somebody finds a client from the dial pad and thinks better of calling them. */
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
