import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { animationFrame, queryAllTexts, runAllTimers } from "@odoo/hoot-dom";
import {
    contains,
    defineModels,
    fields,
    MockServer,
    models,
    mountView,
} from "@web/../tests/web_test_helpers";
import { defineMangoOfficeModels, tell, useTelephony } from "../mango_office_test_helpers";

class MangoHistory extends models.Model {
    _name = "mango.statistics.import";

    new_count = fields.Integer();

    _records = [
        { id: 1, new_count: 10 },
        { id: 2, new_count: 20 },
    ];
}

describe.current.tags("desktop");
defineMangoOfficeModels();
defineModels({ MangoHistory });

const list = `
    <list js_class="mango_statistics_import_list">
        <field name="new_count"/>
    </list>`;
const form = `
    <form js_class="mango_statistics_import_form">
        <field name="new_count" readonly="1"/>
    </form>`;

beforeEach(() => {
    useTelephony();
});

async function fetchMore(id) {
    MockServer.env["mango.statistics.import"].write([id], { new_count: 99 });
    tell("history", { id });
    await runAllTimers();
    await animationFrame();
}

const counts = () => queryAllTexts("[name=new_count]");

test("the form follows the progress of an import", async () => {
    await mountView({ type: "form", resModel: "mango.statistics.import", resId: 1, arch: form });
    expect(counts()).toEqual(["10"]);
    await fetchMore(1);
    expect(counts()).toEqual(["99"]);
});

test("the form ignores other imports", async () => {
    await mountView({ type: "form", resModel: "mango.statistics.import", resId: 2, arch: form });
    MockServer.env["mango.statistics.import"].write([2], { new_count: 50 });
    await fetchMore(1);
    expect(counts()).toEqual(["20"]);
});

test("the list follows the progress of imports", async () => {
    await mountView({ type: "list", resModel: "mango.statistics.import", arch: list });
    await fetchMore(1);
    expect(queryAllTexts(".o_data_row [name=new_count]")).toEqual(["99", "20"]);
});

test("the list keeps the selection", async () => {
    await mountView({ type: "list", resModel: "mango.statistics.import", arch: list });
    await contains(".o_data_row:first .o_list_record_selector input").click();
    await fetchMore(1);
    expect(queryAllTexts(".o_data_row [name=new_count]")).toEqual(["10", "20"]);
});
