import { describe, expect, test } from "@odoo/hoot";
import { animationFrame, waitFor, waitForNone } from "@odoo/hoot-dom";
import {
    asyncStep,
    contains,
    mockService,
    mountWithCleanup,
    onRpc,
    serverState,
    waitForSteps,
    MockServer,
} from "@web/../tests/web_test_helpers";
import { WebClient } from "@web/webclient/webclient";
import { defineMangoOfficeModels } from "./mango_office_test_helpers";

describe.current.tags("desktop");
defineMangoOfficeModels();

function tell(message) {
    const payload = { id: 1, state: "ringing", direction: "inbound", result: false, ...message };
    MockServer.env["bus.bus"]._sendone(serverState.partnerId, "mango_office/call", payload);
}

test("a customer who calls is announced, once, until the call has ended", async () => {
    await mountWithCleanup(WebClient);
    tell({});
    tell({});
    await waitFor(".o_notification");
    expect(".o_notification").toHaveCount(1);
    expect(".o_notification").toHaveText(/Ivan Petrov is calling/);
    expect(".o_notification").toHaveText(/\+7 495 000-02-01/);

    tell({ state: "talking" });
    await animationFrame();
    expect(".o_notification").toHaveCount(1);

    tell({ state: "ended", result: "answered" });
    await waitForNone(".o_notification");
});

test("the announcement opens the call", async () => {
    mockService("action", {
        doAction({ res_model, res_id }) {
            asyncStep(`${res_model} ${res_id}`);
        },
    });
    await mountWithCleanup(WebClient);
    tell({});
    await contains(".o_notification button:contains(Open)").click();
    await waitForSteps(["mango.call 1"]);
});

test("outbound, internal and past calls are not announced", async () => {
    onRpc("mango.call", "read", () => asyncStep("read"));
    await mountWithCleanup(WebClient);
    tell({ direction: "outbound" });
    tell({ direction: "internal" });
    tell({ state: "talking" });
    tell({ state: "ended" });
    // The last message is announced; by then the others have been handled.
    tell({ id: 2 });
    await waitFor(".o_notification");
    await waitForSteps(["read"]);
    expect(".o_notification").toHaveCount(1);
    expect(".o_notification").toHaveText(/Hidden number is calling/);
});

test("a call that the user may not read is not announced", async () => {
    onRpc("mango.call", "read", () => []);
    await mountWithCleanup(WebClient);
    tell({});
    await animationFrame();
    await animationFrame();
    expect(".o_notification").toHaveCount(0);
});
