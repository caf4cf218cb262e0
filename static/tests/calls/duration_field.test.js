import { formatDuration } from "@mango_office/calls/duration_field/duration_field";
import { describe, expect, test } from "@odoo/hoot";
import { mountView } from "@web/../tests/web_test_helpers";
import { defineMangoOfficeModels } from "../mango_office_test_helpers";

describe.current.tags("desktop");
defineMangoOfficeModels();

test("format of durations", () => {
    expect(formatDuration(0)).toBe("0:00");
    expect(formatDuration(7)).toBe("0:07");
    expect(formatDuration(59.6)).toBe("1:00");
    expect(formatDuration(754)).toBe("12:34");
    expect(formatDuration(3600)).toBe("1:00:00");
    expect(formatDuration(36_000 + 62)).toBe("10:01:02");
    expect(formatDuration(false)).toBe("0:00");
    expect(formatDuration(-5)).toBe("0:00");
});

test("a form shows minutes and seconds", async () => {
    await mountView({
        type: "form",
        resModel: "mango.call",
        resId: 1,
        arch: `<form><field name="talk_duration" widget="mango_duration"/></form>`,
    });
    expect(".o_field_widget[name=talk_duration]").toHaveText("1:15");
});

test("a list shows minutes and seconds, also in the total", async () => {
    await mountView({
        type: "list",
        resModel: "mango.call",
        arch: `<list><field name="talk_duration" widget="mango_duration" sum="Total"/></list>`,
    });
    expect(".o_data_row:eq(0) [name=talk_duration]").toHaveText("1:15");
    expect(".o_data_row:eq(1) [name=talk_duration]").toHaveText("1:00:00");
    expect(".o_list_footer .o_list_number").toHaveText("1:01:15");
});
