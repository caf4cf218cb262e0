import {
    advanceTime,
    animationFrame,
    Deferred,
    describe,
    expect,
    freezeTime,
    test,
    tick,
} from "@odoo/hoot";
import { Component, useState, xml } from "@odoo/owl";
import { asyncStep, mountWithCleanup, waitForSteps } from "@web/../tests/web_test_helpers";
import { inTurn } from "@mango_office/screen/call_service/in_turn";
import { useLiveReload } from "@mango_office/screen/call_service/live_reload";
import { defineMangoOfficeModels } from "../mango_office_test_helpers";

describe.current.tags("desktop");
defineMangoOfficeModels();

describe("in turn", () => {
    test("one run for simultaneous requests", async () => {
        const ask = inTurn(async () => asyncStep("asked"));
        await Promise.all([ask(), ask(), ask()]);
        await waitForSteps(["asked"]);
        await ask();
        await waitForSteps(["asked"]);
    });

    test("all requests during a run get the result of the next one", async () => {
        const answers = [new Deferred(), new Deferred()];
        const asked = [...answers];
        const ask = inTurn(() => {
            asyncStep("asked");
            return asked.shift();
        });
        const first = ask();
        await tick();
        const others = [ask(), ask()];
        await tick();
        await waitForSteps(["asked"]);
        answers[0].resolve("old");
        expect(await first).toBe("old");
        await tick();
        await waitForSteps(["asked"]);
        answers[1].resolve("new");
        expect(await Promise.all(others)).toEqual(["new", "new"]);
    });

    test("neither an error nor a missing answer blocks it", async () => {
        const asked = [Promise.reject(new Error("gone")), new Deferred(), "answer"];
        const ask = inTurn(() => asked.shift());
        await expect(ask()).rejects.toThrow("gone");
        ask();
        await tick();
        const answer = ask();
        await advanceTime(5000);
        expect(await answer).toBe("answer");
    });
});

describe("live reload", () => {
    let state;

    async function mountLive(reload = () => asyncStep("read")) {
        class Live extends Component {
            static template = xml`<div/>`;
            static props = {};
            setup() {
                this.change = useLiveReload(reload);
            }
        }
        class Parent extends Component {
            static template = xml`<Live t-if="state.isShown"/>`;
            static components = { Live };
            static props = {};
            setup() {
                state = this.state = useState({ isShown: true });
            }
        }
        const parent = await mountWithCleanup(Parent);
        return Object.values(parent.__owl__.children)[0].component.change;
    }

    test("changes are debounced", async () => {
        const change = await mountLive();
        for (let count = 0; count < 5; count++) {
            change();
            await advanceTime(100);
        }
        await waitForSteps([]);
        await advanceTime(200);
        await waitForSteps(["read"]);
        await advanceTime(2000);
        await waitForSteps([]);
    });

    test("one reload per second during a steady stream of changes", async () => {
        freezeTime(); // time must not pass by itself in a slow browser
        const change = await mountLive();
        for (let count = 0; count < 35; count++) {
            change();
            await advanceTime(100);
        }
        await waitForSteps(["read", "read", "read"]);
    });

    test("the next reload waits for the previous one", async () => {
        const answers = [new Deferred(), new Deferred()];
        const asked = [...answers];
        const change = await mountLive(() => {
            asyncStep("read");
            return asked.shift();
        });
        for (let count = 0; count < 20; count++) {
            change();
            await advanceTime(100);
        }
        await waitForSteps(["read"]);
        answers[0].resolve();
        await tick();
        await waitForSteps(["read"]);
    });

    test("no reload after unmounting", async () => {
        const answer = new Deferred();
        const change = await mountLive(() => {
            asyncStep("read");
            return answer;
        });
        change();
        await advanceTime(200);
        change();
        await advanceTime(200);
        change();
        state.isShown = false;
        await animationFrame();
        answer.resolve();
        await advanceTime(2000);
        await waitForSteps(["read"]);
    });
});
