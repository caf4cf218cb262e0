import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

/** A salesperson finds a missed call, reads its timeline and adds a note. */
registry.category("web_tour.tours").add("mango_office_call_log", {
    url: "/odoo",
    steps: () => [
        ...stepUtils.goToAppSteps("mango_office.mango_office_menu_root"),
        {
            content: "a colleague's call is not here",
            trigger: ".o_list_view:not(:contains('+7 495 000-02-03'))",
        },
        {
            trigger: ".o_data_row:contains('+7 495 000-02-01') .badge:contains(Missed)",
        },
        {
            content: "calls are made by the PBX, not by people",
            trigger: ".o_control_panel:not(:has(.o_list_button_add))",
        },
        {
            trigger: ".o_data_row:contains('+7 495 000-02-01') td[name=started_at]",
            run: "click",
        },
        {
            trigger: ".o_mango_timeline_step:contains(Greeting)",
        },
        {
            trigger: ".o_mango_timeline_step:contains('Анна Соколова (101)'):contains(Rang 0:12)",
        },
        {
            trigger: ".o_field_widget[name=note] textarea",
            run: "edit Call back on Monday",
        },
        ...stepUtils.saveForm(),
        {
            content: "the contact's card leads to the same call",
            trigger: ".o_field_widget[name=partner_id]",
            run: "hover && click .o_field_widget[name=partner_id] .o_external_button",
        },
        {
            trigger: "button[name=action_view_mango_calls]:contains(1)",
            run: "click",
        },
        {
            trigger: ".o_data_row:contains('+7 495 000-02-01')",
        },
    ],
});
