import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { queryOne, queryRect } from "@odoo/hoot-dom";
import {
    asyncStep,
    contains,
    defineModels,
    fields,
    mockService,
    models,
    mountView,
    patchWithCleanup,
    waitForSteps,
} from "@web/../tests/web_test_helpers";
import { session } from "@web/session";
import { defineMangoOfficeModels, EXTENSION } from "../mango_office_test_helpers";

describe.current.tags("desktop");
defineMangoOfficeModels();

const NUMBER = "+7 495 000-02-01";

class Person extends models.Model {
    name = fields.Char();
    phone = fields.Char();
    _records = [
        { id: 3, name: "Ivan", phone: NUMBER },
        { id: 4, name: "Nobody", phone: false },
    ];
}
defineModels([Person]);

beforeEach(() => {
    patchWithCleanup(session, { mango_office: { extension: EXTENSION } });
    mockService("mango_office.call", {
        call: (number, { resModel, resId }) => asyncStep([number, resModel, resId].join(" | ")),
    });
});

const form = (field, options = {}) =>
    mountView({
        type: "form",
        resModel: "person",
        resId: 3,
        arch: `<form>${field}</form>`,
        ...options,
    });
const PHONE = `<field name="phone" widget="phone"/>`;

test("form: our icon replaces the link", async () => {
    await form(PHONE);
    expect(".o_mango_call_button").toHaveAttribute("aria-label", `Call ${NUMBER}`);
    expect(".o_phone_form_link").toHaveCount(0);
    await contains(".o_mango_call_button").click();
    await waitForSteps([`${NUMBER} | person | 3`]);
});

test("form: the number shown is called, even if it is not saved", async () => {
    await form(PHONE);
    await contains("[name=phone] input").edit("102", { confirm: false });
    await contains(".o_mango_call_button").click();
    await waitForSteps(["102 | person | 3"]);
});

test("form: the link that Odoo shows on hover does not move our icon", async () => {
    await form(PHONE);
    const link = document.createElement("a");
    link.style.flex = "0 0 40px";
    queryOne(".o_phone_content").append(link);
    expect(link).toHaveStyle({ visibility: "hidden" });
    expect(queryRect(link).width).toBe(40);
});

test("form: a call from a new record has no origin", async () => {
    await form(PHONE, { resId: false });
    expect(".o_mango_call_button").toHaveCount(0);
    await contains("[name=phone] input").edit(NUMBER);
    await contains(".o_mango_call_button").click();
    await waitForSteps([`${NUMBER} | person | `]);
});

test("read-only: a click on the number calls, too", async () => {
    await form(`<field name="phone" widget="phone" readonly="1"/>`);
    await contains("[name=phone] a").click();
    await waitForSteps([`${NUMBER} | person | 3`]);
    await contains(".o_mango_call_button").click();
    await waitForSteps([`${NUMBER} | person | 3`]);
});

test("list: the row does not open", async () => {
    await mountView({
        type: "list",
        resModel: "person",
        arch: `<list><field name="name"/>${PHONE}</list>`,
        selectRecord: () => asyncStep("opened"),
    });
    expect(".o_mango_call_button").toHaveCount(1);
    await contains(".o_mango_call_button").click();
    await waitForSteps([`${NUMBER} | person | 3`]);
});

test("kanban", async () => {
    await mountView({
        type: "kanban",
        resModel: "person",
        arch: `<kanban><templates><t t-name="card">${PHONE}</t></templates></kanban>`,
    });
    await contains(".o_mango_call_button").click();
    await waitForSteps([`${NUMBER} | person | 3`]);
});

test("icon without the number", async () => {
    await mountView({
        type: "kanban",
        resModel: "person",
        arch: `<kanban><templates><t t-name="card">
            <field name="phone" widget="mango_call_icon"/>
        </t></templates></kanban>`,
    });
    expect(".o_kanban_record:contains(495)").toHaveCount(0);
    expect(".o_mango_call_button").toHaveCount(1);
    expect(".o_mango_call_button").toHaveAttribute("aria-label", `Call ${NUMBER}`);
    await contains(".o_mango_call_button").click();
    await waitForSteps([`${NUMBER} | person | 3`]);
});

test("disabled by an option", async () => {
    await form(`<field name="phone" widget="phone" options="{'mango_call': false}"/>`);
    expect(".o_mango_call_button").toHaveCount(0);
    expect(".o_phone_form_link").toHaveAttribute("href", "tel:+7495000-02-01");
});

describe("Odoo's field without an extension", () => {
    for (const info of [undefined, { extension: false }]) {
        test(`session: ${JSON.stringify(info)}`, async () => {
            patchWithCleanup(session, { mango_office: info });
            await form(PHONE);
            expect(".o_mango_call_button").toHaveCount(0);
            expect(".o_phone_form_link").toHaveAttribute("href", "tel:+7495000-02-01");
        });
    }
});
