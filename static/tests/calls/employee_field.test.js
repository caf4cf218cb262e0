import { describe, expect, test } from "@odoo/hoot";
import { mountView } from "@web/../tests/web_test_helpers";
import { defineMangoOfficeModels } from "../mango_office_test_helpers";

describe.current.tags("desktop");
defineMangoOfficeModels();

const ARCH = `<list><field name="user_id" widget="mango_employee"/></list>`;

test("a missed call of a group shows the group, another one the employee", async () => {
    await mountView({ type: "list", resModel: "mango.call", arch: ARCH });
    expect(".o_data_row:eq(0) .o_mango_group_text").toHaveText("Sales (500)");
    expect(".o_data_row:eq(0) .o_mango_group_text").toHaveAttribute(
        "title",
        "Sales, nobody answered"
    );
    expect(".o_data_row:eq(0) .o_m2o_avatar").toHaveCount(0);
    expect(".o_data_row:eq(1) .o_mango_group_text").toHaveCount(0);
    expect(".o_data_row:eq(1) .o_m2o_avatar").toHaveCount(1);
});

test("the field with the group's text does not count as empty in a form", async () => {
    await mountView({
        type: "form",
        resModel: "mango.call",
        resId: 1,
        arch: `<form><field name="user_id" widget="mango_employee" readonly="1"/></form>`,
    });
    expect(".o_field_mango_employee").toHaveText("Sales, nobody answered");
    expect(".o_field_mango_employee").not.toHaveClass("o_field_empty");
});
