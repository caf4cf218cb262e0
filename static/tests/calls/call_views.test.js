import { beforeEach, Deferred, describe, expect, test } from "@odoo/hoot";
import { animationFrame, queryAllTexts, runAllTimers } from "@odoo/hoot-dom";
import {
    asyncStep,
    contains,
    getService,
    MockServer,
    mountView,
    onRpc,
    patchWithCleanup,
    waitForSteps,
} from "@web/../tests/web_test_helpers";
import { session } from "@web/session";
import { defineMangoOfficeModels, tell, useTelephony } from "../mango_office_test_helpers";

describe.current.tags("desktop");
defineMangoOfficeModels();

const list = `
    <list js_class="mango_call_list">
        <field name="client_number_display"/>
        <field name="talk_duration" widget="mango_duration" sum="Total Talk"/>
    </list>`;

beforeEach(() => {
    useTelephony();
});

async function changeCall() {
    getService("mango_office.call").bus.addEventListener("changed", () => asyncStep("told"));
    MockServer.env["mango.call"].write([1], { talk_duration: 90 });
    const message = { id: 1, state: "ended", direction: "inbound", result: "answered" };
    tell("call", message);
    await waitForSteps(["told"]);
    await runAllTimers();
    await animationFrame();
}

const durations = () => queryAllTexts("[name=talk_duration]");

test("the list follows a call", async () => {
    await mountView({ type: "list", resModel: "mango.call", arch: list });
    expect(durations()[0]).toBe("1:15");
    await changeCall();
    expect(durations()[0]).toBe("1:30");
});

/** Let a call change while a view is read for the first time. */
async function changeDuring(method, mount) {
    const read = new Deferred();
    onRpc("mango.call", method, async () => void (await read));
    const mounted = mount();
    await animationFrame();
    getService("mango_office.call").tellWatchers();
    tell("call", { id: 1 });
    await runAllTimers();
    read.resolve();
    await mounted;
    await animationFrame();
    await runAllTimers();
    await animationFrame();
}

test("the log is not kept empty by a call that changes while it is opened", async () => {
    await changeDuring("web_search_read", () =>
        mountView({ type: "list", resModel: "mango.call", arch: list })
    );
    expect(durations()[0]).toBe("1:15");
});

test("a form is opened while other calls change, of which supervisors are told", async () => {
    patchWithCleanup(session.mango_office, { is_supervisor: true });
    await changeDuring("web_read", () =>
        mountView({
            type: "form",
            resModel: "mango.call",
            resId: 1,
            arch: `
                <form js_class="mango_call_form">
                    <field name="talk_duration" widget="mango_duration" readonly="1"/>
                </form>`,
        })
    );
    expect(durations()[0]).toBe("1:15");
});

test("a sum is labelled", async () => {
    await mountView({ type: "list", resModel: "mango.call", arch: list });
    expect("tfoot .o_list_number").toHaveText("Total Talk\n1:01:15");
});

test("the kanban follows a call", async () => {
    await mountView({
        type: "kanban",
        resModel: "mango.call",
        arch: `
            <kanban js_class="mango_call_kanban">
                <templates>
                    <t t-name="card">
                        <field name="talk_duration" widget="mango_duration"/>
                    </t>
                </templates>
            </kanban>`,
    });
    expect(durations()[0]).toBe("1:15");
    await changeCall();
    expect(durations()[0]).toBe("1:30");
});

test("the form follows a call, unless it has unsaved changes", async () => {
    await mountView({
        type: "form",
        resModel: "mango.call",
        resId: 1,
        arch: `
            <form js_class="mango_call_form">
                <field name="talk_duration" widget="mango_duration" readonly="1"/>
                <field name="client_number_display"/>
            </form>`,
    });
    expect(durations()[0]).toBe("1:15");
    await changeCall();
    expect(durations()[0]).toBe("1:30");
    await contains("[name=client_number_display] input").edit("typed", { confirm: false });
    MockServer.env["mango.call"].write([1], { talk_duration: 95 });
    tell("call", { id: 1 });
    await waitForSteps(["told"]);
    await runAllTimers();
    await animationFrame();
    expect("[name=client_number_display] input").toHaveValue("typed");
    expect(durations()[0]).toBe("1:30");
});

test("a call changes without clearing the selection", async () => {
    await mountView({ type: "list", resModel: "mango.call", arch: list });
    await contains(".o_data_row:first .o_list_record_selector input").click();
    await changeCall();
    expect(durations()[0]).toBe("1:30");
    expect(".o_data_row:first .o_list_record_selector input").toBeChecked();
});
