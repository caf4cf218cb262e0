import { registry } from "@web/core/registry";
import { cardIs, closeCard, cue } from "./mango_office_tour_utils";

const tours = registry.category("web_tour.tours");
const IVAN = "Иван Петров";
const ANNA = "Анна Соколова";
const BORIS = "Борис Кузнецов";

/**
 * @param {"blind"|"hold"} method
 * @returns {Object[]} the steps of talking to a client and transferring them to Boris
 */
function transfer(method) {
    return [
        cardIs("ringing", IVAN, "rings"),
        cardIs("talking", IVAN),
        { trigger: ".o_mango_card .o_mango_transfer", run: "click" },
        { trigger: ".o_mango_transfer_panel input", run: "edit Борис" },
        {
            content: "only the colleague of that name is offered",
            trigger: `.o_mango_transfer_panel:not(:has(.o_mango_colleague:contains('Вера Морозова')))`,
        },
        {
            trigger: `.o_mango_colleague:contains('${BORIS}') .o_mango_transfer_${method}`,
            run: "click",
        },
    ];
}

tours.add("mango_office_transfer_blind", {
    steps: () => [
        ...transfer("blind"),
        cardIs("transferring", `Transferring to ${BORIS}…`),
        cardIs("transferring", `Ringing at ${BORIS}`, "transferring"),
        cardIs("left", BORIS),
        ...closeCard(),
    ],
});

/** The colleague declines, and the phone rings again. */
tours.add("mango_office_transfer_declined", {
    steps: () => [
        ...transfer("blind"),
        cardIs("transferring", `Ringing at ${BORIS}`, "transferring"),
        cardIs("ringing", "The client is back"),
        cardIs("ringing", `${BORIS} did not take the call.`, "back"),
        cardIs("talking", IVAN, "talking"),
        cardIs("ended", IVAN),
        ...closeCard(),
    ],
});

tours.add("mango_office_transfer_hold", {
    steps: () => [
        ...transfer("hold"),
        cardIs("hold", BORIS),
        {
            content: "the client waits while the colleague is asked",
            trigger: `.o_mango_card:contains('${BORIS}')`,
            run: () => cue("consulting"),
        },
        cardIs("left", BORIS),
        ...closeCard(),
    ],
});

/** The user consults a colleague, goes back to the client, and hangs up. */
tours.add("mango_office_transfer_given_up", {
    steps: () => [
        ...transfer("hold"),
        cardIs("hold", BORIS),
        { trigger: ".o_mango_card .o_mango_stop_consulting", run: "click" },
        cardIs("talking", IVAN),
        { trigger: ".o_mango_card .o_mango_hang_up", run: "click" },
        cardIs("ended", IVAN),
        ...closeCard(),
    ],
});

/** The colleague who is consulted before the transfer. */
tours.add("mango_office_transfer_asked", {
    steps: () => [
        cardIs("ringing", "A colleague asks you"),
        cardIs("ringing", `${ANNA} asks you. The client is waiting.`, "rings"),
        cardIs("talking", "A colleague asks you"),
        {
            content: "who is only asked cannot put the client through",
            trigger: ".o_mango_card:has(.o_mango_hang_up):not(:has(.o_mango_transfer))",
            run: () => cue("asked"),
        },
        {
            content: "the client is theirs now",
            trigger: ".o_mango_card[data-phase=talking]:has(.o_mango_transfer)",
            run: () => cue("talking"),
        },
        cardIs("ended", IVAN),
        ...closeCard(),
    ],
});

/** The colleague who gets the client. */
tours.add("mango_office_transfer_target", {
    steps: () => [
        cardIs("ringing", IVAN, "rings"),
        cardIs("talking", IVAN, "talking"),
        cardIs("ended", IVAN),
        ...closeCard(),
    ],
});
