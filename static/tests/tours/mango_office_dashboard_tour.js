import { registry } from "@web/core/registry";

/** Open a dashboard, open the records of one of its figures, and go back. */
const follow = (dashboard, figure, words) => [
    {
        content: `choose ${dashboard}`,
        trigger: `.o_search_panel_category_value[data-name='${dashboard}']`,
        run: "click",
    },
    {
        content: `${dashboard} is shown, and ${figure} was counted`,
        trigger: `.o_search_panel_category_value[data-name='${dashboard}'].active`,
    },
    {
        trigger: `canvas.o-scorecard[data-title='${figure}'][role=button]`,
        run: "click",
    },
    {
        content: `what was counted for ${figure}`,
        trigger: `.o_list_view .o_data_row:contains('${words}')`,
    },
    { trigger: ".o_breadcrumb .o_back_button, .breadcrumb-item a:eq(0)", run: "click" },
    { trigger: ".o_spreadsheet_dashboard_action" },
];

registry.category("web_tour.tours").add("mango_office_dashboards", {
    steps: () => [
        ...follow("Calls", "Missed Calls", "Иван Петров"),
        ...follow("Team", "Talk Time", "Answered"),
        ...follow("Today", "To Call Back Now", "Иван Петров"),
        {
            content: "from a figure to its calls",
            trigger: "canvas.o-scorecard[data-title='Missed Calls'][role=button]",
            run: "click",
        },
        {
            content: "and to the call itself",
            trigger: ".o_list_view .o_data_row:contains('Иван Петров') .o_data_cell:eq(0)",
            run: "click",
        },
        { trigger: ".o_form_view .o_field_mango_timeline" },
    ],
});
