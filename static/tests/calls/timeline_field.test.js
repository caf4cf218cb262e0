import { describe, expect, test } from "@odoo/hoot";
import { queryAllTexts } from "@odoo/hoot-dom";
import { mountView } from "@web/../tests/web_test_helpers";
import { defineMangoOfficeModels } from "../mango_office_test_helpers";

describe.current.tags("desktop");
defineMangoOfficeModels();

const arch = `<form><field name="timeline" widget="mango_timeline"/></form>`;

test("the steps of a call in order, with their time", async () => {
    await mountView({ type: "form", resModel: "mango.call", resId: 1, arch });
    expect(queryAllTexts(".o_mango_timeline_offset")).toEqual(["0:00", "", "1:25"]);
    expect(queryAllTexts(".o_mango_timeline .fw-bold")).toEqual(["Greeting", "Routed", "End"]);
});

test("an empty timeline shows a message", async () => {
    await mountView({ type: "form", resModel: "mango.call", resId: 2, arch });
    expect(".o_mango_timeline").toHaveCount(0);
    expect(".o_field_widget[name=timeline]").toHaveText(
        "The PBX has not reported anything about this call yet."
    );
});
