import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { queryAll, queryAllTexts, queryFirst } from "@odoo/hoot-dom";
import { EventBus, reactive } from "@odoo/owl";
import {
    contains,
    mockService,
    mountView,
    mountWithCleanup,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";
import { CallCards } from "@mango_office/screen/call_card/call_cards";
import {
    defineMangoOfficeModels,
    EXTENSION,
    makeCard,
    MangoCall,
} from "../mango_office_test_helpers";

describe.current.tags("desktop");
defineMangoOfficeModels();

/** Markup that a stranger can bring into a name, a note or a number. */
const IMG = `<img src="x" onerror="window.mangoHostile = true">`;

beforeEach(() => {
    patchWithCleanup(window, { mangoHostile: false });
});

function expectText() {
    expect(queryAll(`img[src="x"]`)).toHaveLength(0);
    expect(queryAll("script", { root: queryFirst(".o_mango_cards, .o_form_view") })).toHaveLength(
        0
    );
    expect(window.mangoHostile).toBe(false);
}

test("the card escapes all texts", async () => {
    const colleague = {
        type: "colleague",
        id: 2,
        number: IMG,
        dial: IMG,
        name: IMG,
        user_id: 3,
        avatar: "",
        state: "free",
        status: "available",
        away_until: false,
    };
    const past = {
        call_id: 9,
        direction: "inbound",
        result: "answered",
        started_at: "2026-01-01 09:00:00",
        talk_duration: 5,
        user: IMG,
    };
    const state = reactive({
        cards: [
            makeCard({
                phase: "talking",
                name: IMG,
                number: IMG,
                line: IMG,
                message: IMG,
                consulting: IMG,
                note: IMG,
                owner: IMG,
                partner: { id: 17, name: IMG, company: IMG, avatar: "" },
                candidates: [{ id: 18, name: IMG, company: IMG, avatar: "" }],
                lead: { id: 4, name: IMG, stage: IMG, revenue: IMG, user: IMG },
                history: [past],
                can_hang_up: true,
                can_transfer: true,
            }),
        ],
        extension: { ...EXTENSION, name: IMG },
    });
    mockService("mango_office.call", () => ({
        bus: new EventBus(),
        state,
        transferTargets: async () => [colleague],
    }));
    await mountWithCleanup(CallCards, { noMainContainer: true });
    expect(".o_mango_card_name").toHaveText(IMG);
    expectText();
    await contains(".o_mango_transfer").click();
    expectText();
});

test("the timeline escapes all texts", async () => {
    MangoCall._records[0].timeline = [
        { key: "leg-1", kind: "live", offset: 0, title: IMG, text: IMG },
    ];
    MangoCall._records[0].display_name = IMG;
    MangoCall._records[0].client_number_display = IMG;
    await mountView({
        type: "form",
        resModel: "mango.call",
        resId: 1,
        arch: `
            <form>
                <field name="display_name"/>
                <field name="client_number_display" readonly="1"/>
                <field name="timeline" widget="mango_timeline"/>
            </form>`,
    });
    expect(queryAllTexts(".o_mango_timeline .fw-bold")).toEqual([IMG]);
    expectText();
});

test("the list escapes all texts", async () => {
    MangoCall._records[0].client_number_display = IMG;
    await mountView({
        type: "list",
        resModel: "mango.call",
        arch: `<list js_class="mango_call_list"><field name="client_number_display"/></list>`,
    });
    expect(queryAllTexts("[name=client_number_display]")[0]).toBe(IMG);
    expectText();
});
