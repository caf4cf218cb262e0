import { describe, expect, test } from "@odoo/hoot";
import { mountView } from "@web/../tests/web_test_helpers";
import { defineMangoOfficeModels, MangoCall } from "../mango_office_test_helpers";

describe.current.tags("desktop");
defineMangoOfficeModels();

test("the direction is an arrow with a label, and a word", async () => {
    await mountView({
        type: "form",
        resModel: "mango.call",
        resId: 1,
        arch: `<form><field name="direction" widget="mango_direction" readonly="1"/></form>`,
    });
    expect(".o_mango_direction i").toHaveAttribute("aria-label", "Inbound");
    expect(".o_mango_direction i").toHaveClass("fa-arrow-down");
    expect(".o_mango_direction span").toHaveText("Inbound");
});

test("a missed call has another arrow, in shape and color", async () => {
    MangoCall._records[0].result = "missed";
    await mountView({
        type: "form",
        resModel: "mango.call",
        resId: 1,
        arch: `<form><field name="direction" widget="mango_direction" readonly="1"/></form>`,
    });
    expect(".o_mango_direction i").toHaveAttribute("aria-label", "Missed call");
    expect(".o_mango_direction i").toHaveClass(["fa-level-down", "text-danger"]);
    expect(".o_mango_direction span").toHaveText("Inbound");
});

test("icon only", async () => {
    await mountView({
        type: "form",
        resModel: "mango.call",
        resId: 2,
        arch: `<form>
            <field name="direction" widget="mango_direction" options="{'icon_only': True}"/>
        </form>`,
    });
    expect(".o_mango_direction i").toHaveAttribute("aria-label", "Internal");
    expect(".o_mango_direction span").toHaveCount(0);
});
