import { animationFrame, describe, test } from "@odoo/hoot";
import {
    asyncStep,
    getService,
    makeMockEnv,
    mockService,
    onRpc,
    patchWithCleanup,
    waitForSteps,
} from "@web/../tests/web_test_helpers";
import { session } from "@web/session";
import { defineMangoOfficeModels, EXTENSION } from "../mango_office_test_helpers";

describe.current.tags("desktop");
defineMangoOfficeModels();

/** @param {Object} values of the session */
async function openOdoo(values) {
    patchWithCleanup(session, values);
    onRpc("web_tour.tour", "consume", ({ args }) => {
        asyncStep(`consume ${args[0]}`);
        return false;
    });
    onRpc("res.users", "switch_tour_enabled", ({ args }) => {
        asyncStep(`other tours: ${args[0]}`);
        return args[0];
    });
    mockService("tour_service", { startTour: async (name) => asyncStep(`start ${name}`) });
    const env = await makeMockEnv();
    env.bus.trigger("WEB_CLIENT_READY");
    await animationFrame();
}

const NEW = { mango_office: { extension: EXTENSION, shows_tips: true }, tour_enabled: false };
const SHOWN = ["consume mango_office_tips", "start mango_office_tips", "other tours: false"];

test("shown once to a new user, without the tours of other apps", async () => {
    await openOdoo(NEW);
    await waitForSteps(SHOWN);
});

test("shown again from the menu", async () => {
    await openOdoo({ ...NEW, mango_office: { extension: EXTENSION, shows_tips: false } });
    await waitForSteps([]);
    await getService("mango_office.tips").show();
    await waitForSteps(SHOWN);
});

test("not shown if tours are enabled, since Odoo shows them", async () => {
    await openOdoo({ ...NEW, tour_enabled: true });
    await waitForSteps([]);
});
