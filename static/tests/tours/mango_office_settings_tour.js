import { registry } from "@web/core/registry";

/** An administrator connects the PBX, loads its users, maps an extension and checks the connection. */
registry.category("web_tour.tours").add("mango_office_settings", {
    url: "/odoo/settings#mango_office",
    steps: () => [
        {
            content: "nothing can be loaded before the code and the secret are stored",
            trigger: ".o_mango_users:not(:has(button[name=action_mango_load_users]))",
        },
        {
            trigger: ".o_field_widget[name=mango_api_key] input",
            run: "edit tour_api_key_0001",
        },
        {
            trigger: ".o_field_widget[name=mango_api_salt] input[type=password]",
            run: "edit tour_api_salt_0002",
        },
        {
            trigger: "button.o_form_button_save",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "the page comes back with what was stored, but without the secret",
            trigger: ".o_field_widget[name=mango_api_salt] input[placeholder*=stored]",
            run({ anchor }) {
                if (anchor.value) {
                    throw new Error("the secret came back to the browser");
                }
            },
        },
        {
            trigger: "button[name=action_mango_load_users]",
            run({ anchor, click }) {
                anchor.scrollIntoView({ block: "center" });
                return click();
            },
        },
        {
            trigger: ".o_notification:contains('Extensions: 2 new, 0 changed, 0 gone.')",
        },
        {
            content: "the page stays where the button was pressed",
            trigger: ".o_mango_users .o_data_row:contains(0511)",
            run() {
                if (!document.querySelector(".settings").scrollTop) {
                    throw new Error("the page has jumped to the top");
                }
            },
        },
        {
            trigger: ".o_mango_users .o_data_row:contains(0511) td[name=user_id]",
            run: "click",
        },
        {
            trigger: ".o_mango_users .o_data_row:contains(0511) td[name=user_id] input",
            run: "edit Борис",
        },
        {
            trigger: ".o-autocomplete--dropdown-item:contains(Борис Кузнецов)",
            run: "click",
        },
        {
            trigger: "button.o_form_button_save",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "saved: the count follows",
            trigger: ".o_mango_users:contains('Mapped: 1 of 2')",
        },
        {
            trigger: "button[name=action_mango_apply_suggestions]",
            run: "click",
        },
        {
            trigger: ".o_mango_users:contains('Mapped: 2 of 2')",
        },
        {
            trigger: "button[name=action_mango_test_connection]",
            run: "click",
        },
        {
            trigger: ".modal .o_data_row:contains('The PBX accepts our signature.')",
        },
        {
            content: "no notification has come yet, and the dialog says what to do",
            trigger: ".modal .o_data_row:contains('/exec/mango')",
        },
        {
            trigger: ".modal button:contains(Close)",
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal))",
        },
        {
            trigger: "button[name=action_mango_fetch_history]",
            run: "click",
        },
        {
            content: "which days to fetch is asked without a calendar over it",
            trigger: ".modal-footer button[name=action_start]:focus",
        },
        {
            trigger: "body:not(:has(.o_datetime_picker))",
        },
        {
            trigger: ".modal button:contains(Discard)",
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal))",
        },
    ],
});
