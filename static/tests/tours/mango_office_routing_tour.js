import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

/** The administrator adds a step, reads the plan with an invalid step in red, and tries it. */
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
