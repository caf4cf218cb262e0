import { advanceTime, beforeEach, describe, expect, freezeTime, mockDate, test } from "@odoo/hoot";
import { waitFor } from "@odoo/hoot-dom";
import { mountView } from "@web/../tests/web_test_helpers";
import { defineMangoOfficeModels, MangoCall } from "../mango_office_test_helpers";

describe.current.tags("desktop");
defineMangoOfficeModels();

beforeEach(() => {
    mockDate("2026-01-01 12:00:00");
    freezeTime(); // the timer must not advance in a slow browser
    Object.assign(MangoCall._records[0], { state: "talking", talking_seconds: 42 });
    Object.assign(MangoCall._records[1], { state: "ringing", talking_seconds: 0 });
});

const mountList = () =>
    mountView({
        type: "list",
        resModel: "mango.call",
        arch: `<list>
            <field name="result" widget="mango_result" decoration-danger="result == 'missed'"/>
        </list>`,
    });

test("a call in progress shows its state and duration", async () => {
    await mountList();
    expect(".o_data_row:eq(0) td[name=result]").toHaveText("Talking 0:42");
    expect(".o_data_row:eq(1) td[name=result]").toHaveText("Ringing");
    await advanceTime(1500);
    await waitFor(".o_data_row:eq(0) td[name=result]:contains('Talking 0:43')");
});

test("an ended call shows its result", async () => {
    Object.assign(MangoCall._records[0], { state: "ended", result: "missed" });
    await mountList();
    expect(".o_data_row:eq(0) .badge").toHaveText("Missed");
    expect(".o_data_row:eq(0) .badge").toHaveClass("text-bg-danger");
});
