import { mailModels } from "@mail/../tests/mail_test_helpers";
import { defineModels, fields, models } from "@web/../tests/web_test_helpers";

/** The log's model as the web client sees it: what the widgets and the service read. */
export class MangoCall extends models.Model {
    _name = "mango.call";

    client_number_display = fields.Char();
    display_name = fields.Char();
    lead_id = fields.Char();
    direction = fields.Selection({
        selection: [
            ["inbound", "Inbound"],
            ["outbound", "Outbound"],
            ["internal", "Internal"],
        ],
    });
    talk_duration = fields.Integer({ aggregator: "sum" });
    timeline = fields.Json();

    _records = [
        {
            id: 1,
            client_number_display: "+7 495 000-02-01",
            direction: "inbound",
            display_name: "Ivan Petrov",
            talk_duration: 75,
            timeline: [
                { key: "leg-1", kind: "menu", offset: 0, title: "Greeting", text: "0:05" },
                { key: "route", kind: "route", offset: null, title: "Routed", text: "Anna" },
                { key: "end", kind: "end", offset: 85, title: "End", text: "" },
            ],
        },
        {
            id: 2,
            client_number_display: "",
            direction: "internal",
            display_name: "Hidden number",
            talk_duration: 3600,
            timeline: [],
        },
    ];
}

export function defineMangoOfficeModels() {
    return defineModels({ ...mailModels, MangoCall });
}
