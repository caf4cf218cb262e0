import { describe, expect, test } from "@odoo/hoot";
import {
    asyncStep,
    contains,
    getService,
    mountView,
    patchWithCleanup,
    waitForSteps,
} from "@web/../tests/web_test_helpers";
import { defineMangoOfficeModels, MangoCall, useTelephony } from "../mango_office_test_helpers";

describe.current.tags("desktop");
defineMangoOfficeModels();

const mountForm = () =>
    mountView({
        type: "form",
        resModel: "mango.call",
        resId: 1,
        arch: `<form><header><widget name="mango_call_back"/></header></form>`,
    });

test("the form of a call has a button to call its client", async () => {
    useTelephony();
    await mountForm();
    patchWithCleanup(getService("mango_office.call"), {
        call: (number, { resModel, resId }) => asyncStep([number, resModel, resId].join(" | ")),
    });
    expect(".o_mango_call_back").toHaveText("Call Back");
    await contains(".o_statusbar_buttons .o_mango_call_back").click();
    await waitForSteps(["+74950000201 | mango.call | 1"]);
});

test("a client who was called is called again", async () => {
    useTelephony();
    MangoCall._records[0].direction = "outbound";
    await mountForm();
    expect(".o_mango_call_back").toHaveText("Call Again");
});

test("no button without an extension", async () => {
    useTelephony([], false);
    await mountForm();
    expect(".o_mango_call_back").toHaveCount(0);
});
