import { registry } from "@web/core/registry";
import { cardIs, closeCard } from "./mango_office_tour_utils";

const tours = registry.category("web_tour.tours");
const STANDS_IN = {
    en_US: "Анна Соколова is talking · you stand in",
    ru_RU: "Анна Соколова разговаривает · вы замещаете",
};

/** A manager talks with one customer while another one calls. */
tours.add("mango_office_routed_owner", {
    steps: () => [
        cardIs("ringing", "Иван Петров", "rings"),
        cardIs("talking", "Иван Петров", "talking"),
        cardIs("ended", "Иван Петров"),
        ...closeCard(),
    ],
});

/** The substitute, who is told why the phone rings, and reads it again in the log. */
for (const [language, words] of Object.entries(STANDS_IN)) {
    tours.add(`mango_office_routed_substitute_${language}`, {
        steps: () => [
            cardIs("ringing", words, "rings"),
            cardIs("talking", "Вектор", "talking"),
            cardIs("ended", "Вектор"),
            ...closeCard(),
            { trigger: ".o_data_row:first:contains('Вектор') td[name=started_at]", run: "click" },
            {
                content: "why the manager was not rung",
                trigger: ".o_mango_timeline_step:contains('Анна Соколова (101)')",
            },
            {
                content: "who was rung instead",
                trigger: ".o_mango_timeline_step:contains('Борис Кузнецов (102)')",
            },
        ],
    });
}

/** The administrator makes a step, sees the plan in sentences and a bad step in red, and tries it. */
tours.add("mango_office_routing", {
    url: "/odoo/call-routing",
    steps: () => [
        {
            content: "the usual plan, in sentences, with a handle",
            trigger: ".o_list_view .o_data_row:nth-child(4) .o_row_handle",
        },
        {
            content: "a step whose employee has left is red, and says so",
            trigger: ".o_data_row.text-danger:contains('The employee has left.')",
        },
        {
            trigger: ".o_list_button_add",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=target] input",
            run: "click",
        },
        {
            trigger: ".o_select_menu_item:contains('An employee')",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=user_id] input",
            run: "edit Борис",
        },
        {
            trigger: ".o-autocomplete--dropdown-item:contains(Борис Кузнецов)",
            run: "click",
        },
        {
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            trigger: ".o_form_saved",
        },
        {
            trigger: ".o_back_button, .breadcrumb-item a",
            run: "click",
        },
        {
            trigger: ".o_data_row:contains('An employee: Борис Кузнецов, for 20 seconds')",
        },
        {
            trigger: "button:contains('Try It')",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=number] input",
            run: "edit +7 495 000-02-01 && press Tab",
        },
        {
            content: "the same as a call, without any",
            trigger:
                ".modal .o_mango_timeline_step:contains('Анна Соколова (101)'):contains('Rings for 20 seconds')",
        },
        {
            trigger: ".modal .o_field_widget[name=caller]:contains('Иван Петров')",
        },
        {
            trigger: ".modal button[special=cancel]",
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal))",
        },
    ],
});
