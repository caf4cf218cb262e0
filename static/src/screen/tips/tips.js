import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { session } from "@web/session";

export const TIPS = "mango_office_tips";

registry.category("web_tour.tours").add(TIPS, {
    steps: () => [
        {
            trigger: ".o_mango_systray",
            content: _t("Call anybody from here, by number or by name."),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: ".o_mango_call_menu [data-tab=missed]",
            content: _t("Clients whom nobody answered wait here. One click calls them back."),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: ".o_mango_call_menu .o_mango_all_calls",
            content: _t("All your calls are here, with their notes and recordings."),
            tooltipPosition: "top",
            run: "click",
        },
    ],
});

/** Three tips for new users: shown once automatically, and again from the menu. */
export const tipsService = {
    dependencies: ["orm", "tour_service"],
    start(env, { orm, tour_service: tours }) {
        async function show() {
            // Do not show the tips again if the user leaves them.
            await orm.call("web_tour.tour", "consume", [TIPS]);
            await tours.startTour(TIPS, {
                mode: "manual",
                redirect: false,
                rainbowManMessage: _t("When a client calls, a card shows you who it is."),
            });
            if (!session.tour_enabled) {
                // Starting a tour enables the tours of all apps.
                await orm.call("res.users", "switch_tour_enabled", [false]);
            }
        }
        // If tours are enabled, Odoo shows it itself.
        if (session.mango_office?.shows_tips && !session.tour_enabled) {
            env.bus.addEventListener("WEB_CLIENT_READY", show, { once: true });
        }
        return { show };
    },
};

registry.category("services").add("mango_office.tips", tipsService);
registry
    .category("actions")
    .add("mango_office.tips", (env) => env.services["mango_office.tips"].show());
