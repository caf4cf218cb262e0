import {
    animationFrame,
    beforeEach,
    Deferred,
    describe,
    expect,
    runAllTimers,
    test,
} from "@odoo/hoot";
import { press, queryAllTexts } from "@odoo/hoot-dom";
import {
    asyncStep,
    contains,
    getService,
    makeServerError,
    MockServer,
    mountView,
    mountWithCleanup,
    onRpc,
    patchWithCleanup,
    waitForSteps,
} from "@web/../tests/web_test_helpers";
import { browser } from "@web/core/browser/browser";
import { MainComponentsContainer } from "@web/core/main_components_container";
import { ConnectionLostError } from "@web/core/network/rpc";
import { findPeaks } from "@mango_office/recordings/recording_player/waveform";
import {
    defineMangoOfficeModels,
    FakeAudio,
    makeRecording,
    tell,
    useFakeAudio,
    useRecordings,
    useTelephony,
} from "../mango_office_test_helpers";

describe.current.tags("desktop");
defineMangoOfficeModels();

const ANNA = "/web/content/mango.recording/11/audio";
const LIST = `
    <list js_class="mango_call_list">
        <header><button name="action_request_recordings" type="object" string="Request"/></header>
        <field name="client_number_display"/>
        <field name="recording_state" widget="mango_recordings"/>
    </list>`;
const FORM = `<form><widget name="mango_recordings"/></form>`;

const cell = ".o_data_row:eq(0) .o_mango_recording";
const player = (id) => `.o_mango_player[data-id="${id}"]`;
const dock = ".o_mango_player_dock";
const audio = () => FakeAudio.all[0];

beforeEach(() => {
    useTelephony();
    useFakeAudio();
});

/** Mount the list, with the docked player. */
async function mountList() {
    await mountWithCleanup(MainComponentsContainer, { noMainContainer: true });
    await mountView({ type: "list", resModel: "mango.call", arch: LIST });
}

/** Change recordings on the server, which notifies. */
async function becomes(state, error = false) {
    MockServer.env["mango.call"].write([1], { recording_state: state, recording_error: error });
    await hear();
}

async function hear(callId = 1) {
    const { bus } = getService("mango_office.call");
    const heard = new Promise((resolve) => {
        bus.addEventListener("changed", resolve, { once: true });
    });
    tell("call", { id: callId });
    await heard;
    await settle();
}

async function settle() {
    await animationFrame();
    await runAllTimers();
    await animationFrame();
    await animationFrame();
}

/** The steps of playing a recording from the start. */
const begun = (id) => [`src /web/content/mango.recording/${id}/audio`, "play", `log ${id}`];

async function mountForm(...recordings) {
    useRecordings(recordings);
    await mountWithCleanup(MainComponentsContainer, { noMainContainer: true });
    await mountView({ type: "form", resModel: "mango.call", resId: 1, arch: FORM });
}

async function play(id = 11, duration = 600) {
    await contains(`${player(id)} .o_mango_player_toggle`).click();
    await waitForSteps(begun(id));
    audio().sound(duration);
    await animationFrame();
}

describe("in the log", () => {
    test("nothing without recordings", async () => {
        await mountList();
        expect(".o_data_row:eq(1) .o_mango_recording").toHaveText("");
        expect(".o_data_row:eq(1) .o_mango_recording button").toHaveCount(0);
    });

    test("requested: progress at once, then the play button", async () => {
        const answer = new Deferred();
        onRpc("mango.call", "action_request_recordings", async ({ args }) => {
            asyncStep(`request ${args[0]}`);
            await answer;
            MockServer.env["mango.call"].write([1], { recording_state: "requested" });
            return true;
        });
        await mountList();
        await contains(`${cell} .o_mango_request`).click();
        expect(cell).toHaveAttribute("data-state", "requested");
        expect(`${cell} [role=status]`).toHaveText("The recording is on its way.");
        await waitForSteps(["request 1"]);
        answer.resolve();
        await settle();
        expect(cell).toHaveAttribute("data-state", "requested");
        await becomes("ready");
        expect(`${cell} .o_mango_play`).toHaveAttribute("aria-label", "Play the recording");
        expect(`${cell} [role=status]`).toHaveText("The recording is ready.");
    });

    test("a click on it does not open the call", async () => {
        onRpc("mango.call", "action_request_recordings", () => {
            asyncStep("request");
            return true;
        });
        await mountView({
            type: "list",
            resModel: "mango.call",
            arch: LIST,
            selectRecord: () => asyncStep("opened"),
        });
        await contains(`${cell} .o_mango_request`).click();
        await waitForSteps(["request"]);
    });

    test("refused by the server: the reason is shown, and it can be requested again", async () => {
        onRpc("mango.call", "action_request_recordings", () => {
            throw makeServerError({ type: "UserError", message: "Not now" });
        });
        await mountList();
        await contains(`${cell} .o_mango_request`).click();
        await animationFrame();
        expect(".o_notification").toHaveText("Not now");
        expect(`${cell} .o_mango_request`).toHaveCount(1);
    });

    test("no recordings at the PBX: a message is shown", async () => {
        onRpc("mango.call", "action_request_recordings", () => ({
            tag: "display_notification",
            params: { type: "warning", message: "No recording can be requested." },
        }));
        await mountList();
        await contains(`${cell} .o_mango_request`).click();
        await animationFrame();
        expect(".o_notification").toHaveText("No recording can be requested.");
    });

    test("failed: the reason is shown, and it can be requested again", async () => {
        onRpc("mango.call", "action_request_recordings", () => {
            asyncStep("request");
            return true;
        });
        await mountList();
        await becomes("failed", "The file is not audio.");
        expect(`${cell} [role=img]`).toHaveAttribute("aria-label", "The file is not audio.");
        expect(`${cell} [role=img]`).toHaveAttribute("data-tooltip", "The file is not audio.");
        expect(`${cell} [role=status]`).toHaveText(/could not be fetched\. The file is not audio/);
        await contains(`${cell} .o_mango_request`).click();
        await waitForSteps(["request"]);
    });

    test("deleted: a message is shown", async () => {
        await mountList();
        await becomes("expired", "Deleted by Vera.");
        expect(`${cell} [data-tooltip]`).toHaveText("Deleted");
        expect(`${cell} [data-tooltip]`).toHaveAttribute("data-tooltip", "Deleted by Vera.");
        expect(`${cell} button`).toHaveCount(0);
    });

    test("requested for several calls at once", async () => {
        onRpc("mango.call", "action_request_recordings", ({ args: [ids] }) => {
            asyncStep(`request ${ids}`);
            MockServer.env["mango.call"].write([1], { recording_state: "requested" });
            return false;
        });
        await mountList();
        await contains(".o_list_record_selector input:first").click();
        await contains(".o_control_panel button[name=action_request_recordings]").click();
        await settle();
        await waitForSteps(["request 1,2"]);
        expect(cell).toHaveAttribute("data-state", "requested");
        await becomes("ready");
        expect(`${cell} .o_mango_play`).toHaveCount(1);
    });

    test("played in the dock, one recording after the other", async () => {
        useRecordings([
            makeRecording(),
            makeRecording({ id: 12, employee: "Boris Kuznetsov" }),
            makeRecording({ id: 13, state: "failed" }),
        ]);
        await mountList();
        await becomes("ready");
        expect(dock).toHaveCount(0);
        expect(FakeAudio.all).toHaveLength(0);
        await contains(`${cell} .o_mango_play`).click();
        await waitForSteps(begun(11));
        await animationFrame();
        expect(`${dock} .o_mango_player_toggle`).toBeFocused();
        expect(`${dock} .o_mango_player_origin`).toHaveText(/Ivan Petrov\s*Anna Sokolova · 1 of 2/);
        audio().tell("ended");
        await waitForSteps(begun(12));
        await animationFrame();
        expect(`${dock} .o_mango_player_origin`).toHaveText(/Boris Kuznetsov · 2 of 2/);
        audio().tell("ended");
        await waitForSteps([]);
        await animationFrame();
        expect(player(12)).toHaveAttribute("data-status", "ended");
    });

    test("the row's button pauses the recording", async () => {
        useRecordings([makeRecording()]);
        await mountList();
        await becomes("ready");
        await contains(`${cell} .o_mango_play`).click();
        audio().sound();
        await animationFrame();
        expect(`${cell} .o_mango_play`).toHaveAttribute("aria-label", "Pause the recording");
        await contains(`${cell} .o_mango_play`).click();
        expect(`${cell} .o_mango_play`).toHaveAttribute("aria-label", "Play the recording");
        expect(FakeAudio.all).toHaveLength(1);
        await waitForSteps([...begun(11), "pause"]);
    });

    test("closed: the dock disappears, and the file is released", async () => {
        useRecordings([makeRecording()]);
        await mountList();
        await becomes("ready");
        await contains(`${cell} .o_mango_play`).click();
        await contains(`${dock} .o_mango_player_close`).click();
        expect(dock).toHaveCount(0);
        await waitForSteps([...begun(11), "pause", "without src"]);
        audio().tell("error");
        await animationFrame();
        expect(".o_mango_player_status").toHaveCount(0);
    });
});

describe("on the form", () => {
    test("no player without recordings", async () => {
        await mountForm();
        expect(".o_mango_recordings").toHaveCount(0);
    });

    test("each recording with its employee and state", async () => {
        await mountForm(
            makeRecording(),
            makeRecording({ id: 12, employee: "Boris", state: "announced", can_request: true }),
            makeRecording({ id: 13, state: "failed", error: "Too large.", can_request: true }),
            makeRecording({ id: 14, employee: "", state: "announced" }),
            makeRecording({ id: 15, state: "requested", error: "Not there yet." })
        );
        expect(queryAllTexts(".o_mango_recording_row .fw-bold")).toEqual([
            "Anna Sokolova",
            "Boris",
            "Anna Sokolova",
            "Employee unknown",
            "Anna Sokolova",
        ]);
        expect(queryAllTexts(".o_mango_recording_state")).toEqual([
            "Ready",
            "At the PBX",
            "Too large.",
            "Not stored by the PBX yet",
            "On its way… Not there yet.",
        ]);
        expect(".o_mango_player").toHaveCount(1);
        expect(queryAllTexts(".o_mango_request")).toEqual(["Request recording", "Request again"]);
    });

    test("nothing is loaded before it is played, but the total is shown", async () => {
        await mountForm(makeRecording({ duration: 3723 }));
        expect(FakeAudio.all).toHaveLength(0);
        expect(".o_mango_player_total").toHaveText("1:02:03");
        await play();
        expect(audio().preload).toBe("none");
    });

    test("requested: progress at once, then the player", async () => {
        onRpc("mango.recording", "action_request", async ({ args: [ids] }) => {
            asyncStep(`request ${ids}`);
            await answer;
            recordings[0].state = "requested";
            return true;
        });
        const answer = new Deferred();
        const recordings = [makeRecording({ state: "announced", can_request: true })];
        await mountForm();
        useRecordings(recordings);
        await hear();
        await contains(".o_mango_request").click();
        expect(".o_mango_recording_state").toHaveText("On its way…");
        expect(".o_mango_request").toHaveCount(0);
        answer.resolve();
        await settle();
        expect(".o_mango_recording_state").toHaveText("On its way…");
        recordings[0].state = "ready";
        await hear();
        expect(player(11)).toHaveCount(1);
        await waitForSteps(["request 11"]);
    });

    test("no request after changes of other calls", async () => {
        await mountForm(makeRecording());
        onRpc("mango.call", "get_recordings", () => asyncStep("asked"));
        await hear(2);
        await waitForSteps([]);
    });

    test("one plays at a time, without a dock", async () => {
        await mountForm(makeRecording(), makeRecording({ id: 12 }));
        await play(11);
        expect(player(11)).toHaveAttribute("data-status", "playing");
        await play(12);
        expect(player(11)).toHaveAttribute("data-status", "paused");
        expect(player(12)).toHaveAttribute("data-status", "playing");
        expect(FakeAudio.all).toHaveLength(1);
        expect(dock).toHaveCount(0);
    });

    test("elapsed and total time, also for screen readers", async () => {
        await mountForm(makeRecording());
        expect(player(11)).toHaveAttribute("role", "group");
        expect(player(11)).toHaveAttribute("aria-label", "Recording of Anna Sokolova");
        await play();
        expect(`${player(11)} [role=status]`).toHaveText("Playing");
        audio().tell("timeupdate", { currentTime: 65.4 });
        await animationFrame();
        const seek = `${player(11)} .o_mango_player_seek input`;
        expect(".o_mango_player_elapsed").toHaveText("1:05");
        expect(seek).toHaveAttribute("aria-valuetext", "1:05 of 10:00");
        expect(seek).toHaveAttribute("max", "600");
        expect(`${player(11)} .o_mango_player_toggle`).toHaveAttribute("aria-label", "Pause");
    });

    test("seek with the bar, also where nothing has been loaded yet", async () => {
        await mountForm(makeRecording());
        const seek = `${player(11)} .o_mango_player_seek input`;
        await contains(seek).edit(300, { confirm: false });
        await waitForSteps(begun(11));
        expect(audio().currentTime).toBe(0);
        audio().sound();
        expect(audio().currentTime).toBe(300);
        await contains(seek).edit(120, { confirm: false });
        expect(audio().currentTime).toBe(120);
        expect(".o_mango_player_elapsed").toHaveText("2:00");
    });

    test("keys while the player has the focus", async () => {
        await mountForm(makeRecording());
        await play();
        audio().tell("timeupdate", { currentTime: 100 });
        await contains(`${player(11)} .o_mango_player_mute`).focus();
        for (const [key, time] of [
            ["l", 105],
            ["ArrowRight", 110],
            ["j", 105],
            ["ArrowLeft", 100],
            ["Home", 0],
            ["ArrowLeft", 0],
            ["End", 600],
        ]) {
            await press(key);
            expect(audio().currentTime).toBe(time, { message: key });
        }
        await press("k");
        await waitForSteps(["pause"]);
        await press(" "); // handled by the focused button
        await waitForSteps([]);
        await contains(`${player(11)} .o_mango_player_seek input`).focus();
        await press(" ");
        await waitForSteps(["play"]);
        await press("ArrowDown");
        expect(audio().volume).toBe(0.9);
        expect(audio().muted).toBe(false);
        await press("m");
        expect(audio().muted).toBe(true);
        await press(["ctrl", "m"]);
        expect(audio().muted).toBe(true);
        document.activeElement.blur();
        await press("m");
        expect(audio().muted).toBe(true);
    });

    test("speed and volume are kept for the next recording", async () => {
        await mountForm(makeRecording(), makeRecording({ id: 12 }));
        await play();
        expect(queryAllTexts(`${player(11)} .o_mango_player_rate option`)).toEqual([
            "0.5×",
            "0.75×",
            "1×",
            "1.25×",
            "1.5×",
            "2×",
            "3×",
        ]);
        await contains(`${player(11)} .o_mango_player_rate`).select("1.5");
        expect(audio().playbackRate).toBe(1.5);
        await contains(`${player(11)} .o_mango_player_volume`).edit(0.4, { confirm: false });
        expect(audio().volume).toBe(0.4);
        await play(12);
        expect(audio().playbackRate).toBe(1.5);
        expect(`${player(12)} .o_mango_player_rate`).toHaveValue("1.5");
        const stored = browser.localStorage.getItem("mango_office.player");
        expect(JSON.parse(stored)).toEqual({ rate: 1.5, volume: 0.4 });
    });

    test("the browser requires another click before it plays sound", async () => {
        await mountForm(makeRecording());
        FakeAudio.refusal = new DOMException("", "NotAllowedError");
        await contains(`${player(11)} .o_mango_player_toggle`).click();
        await waitForSteps(begun(11));
        await animationFrame();
        expect(player(11)).toHaveAttribute("data-status", "paused");
    });

    test("it plays on in the dock when the form is left", async () => {
        useRecordings([makeRecording()]);
        await mountWithCleanup(MainComponentsContainer, { noMainContainer: true });
        const service = getService("mango_office.player");
        const recording = makeRecording();
        service.play(recording, [recording], { callId: 1, title: "Ivan Petrov" });
        await waitForSteps(begun(11));
        audio().sound();
        const detach = service.attach(recording);
        await animationFrame();
        expect(dock).toHaveCount(0);
        detach();
        await animationFrame();
        expect(`${dock} ${player(11)}`).toHaveAttribute("data-status", "playing");
        expect(`${dock} .o_mango_player_toggle`).not.toBeFocused();
    });
});

describe("in the list of recordings", () => {
    const both = [makeRecording(), makeRecording({ id: 12, employee: "Boris" })];

    test("a row only plays its own recording", async () => {
        useRecordings(both);
        await mountWithCleanup(MainComponentsContainer, { noMainContainer: true });
        await mountView({
            type: "list",
            resModel: "mango.recording",
            arch: `<list js_class="mango_call_list"><field name="state" widget="mango_recording"/></list>`,
        });
        await contains(".o_data_row:eq(1) .o_mango_play").click();
        await waitForSteps(begun(12));
        audio().sound();
        audio().tell("ended");
        await animationFrame();
        expect(player(12)).toHaveAttribute("data-status", "ended");
        expect(`${dock} .o_mango_player_origin`).toHaveText(/Ivan Petrov\s*Boris/);
    });

    test("requested: progress at once", async () => {
        onRpc("mango.recording", "action_request", ({ args: [ids] }) => {
            asyncStep(`request ${ids}`);
            return answer;
        });
        const answer = new Deferred();
        await mountView({
            type: "list",
            resModel: "mango.recording",
            arch: `<list js_class="mango_call_list"><field name="state" widget="mango_recording"/></list>`,
        });
        MockServer.env["mango.recording"].write([12], { state: "failed", error: "Too large." });
        await hear();
        const row = ".o_data_row:eq(1)";
        expect(`${row} [role=img]`).toHaveAttribute("aria-label", "Too large.");
        await contains(`${row} .o_mango_request`).click();
        expect(`${row} .o_mango_recording`).toHaveAttribute("data-state", "requested");
        answer.resolve(true);
        await waitForSteps(["request 12"]);
    });

    test("the form has a player of this recording", async () => {
        useRecordings(both);
        await mountView({
            type: "form",
            resModel: "mango.recording",
            resId: 12,
            arch: `<form><field name="call_id"/><widget name="mango_recordings"/></form>`,
        });
        expect(".o_mango_player").toHaveCount(1);
        expect(player(12)).toHaveAttribute("aria-label", "Recording of Boris");
    });
});

describe("rights", () => {
    test("no buttons without rights", async () => {
        await mountForm(makeRecording());
        expect(".o_mango_player_download, .o_mango_delete, .o_mango_keep").toHaveCount(0);
    });

    test("download", async () => {
        await mountForm(makeRecording({ can_download: true }));
        expect(".o_mango_player_download").toHaveAttribute("href", `${ANNA}?download=true`);
        expect(".o_mango_delete, .o_mango_keep").toHaveCount(0);
    });

    test("keep, and not any more", async () => {
        onRpc("mango.recording", "action_keep", ({ args: [ids] }) => {
            asyncStep(`keep ${ids}`);
            recordings[0].keep = !recordings[0].keep;
            return true;
        });
        const recordings = [makeRecording({ can_delete: true })];
        await mountForm();
        useRecordings(recordings);
        await hear();
        expect(".o_mango_keep").toHaveAttribute("aria-pressed", "false");
        await contains(".o_mango_keep").click();
        await animationFrame();
        expect(".o_mango_keep").toHaveAttribute("aria-pressed", "true");
        expect(".o_mango_recording_row").toHaveText(/Kept/);
        await waitForSteps(["keep 11"]);
    });

    test("delete after confirmation, while it plays", async () => {
        onRpc("mango.recording", "action_delete", ({ args: [ids] }) => {
            asyncStep(`delete ${ids}`);
            Object.assign(recordings[0], { state: "expired", error: "Deleted by Vera." });
            return true;
        });
        const recordings = [makeRecording({ can_delete: true })];
        await mountForm();
        useRecordings(recordings);
        await hear();
        await play();
        await contains(".o_mango_delete").click();
        expect(".modal-body").toHaveText(/recording of Anna Sokolova can no longer be played/);
        await contains(".modal .btn-danger").click();
        await animationFrame();
        expect(".o_mango_player").toHaveCount(0);
        expect(".o_mango_recording_state").toHaveText("Deleted by Vera.");
        await waitForSteps(["delete 11", "pause", "without src"]);
    });

    test("delete a contact's recordings after confirmation", async () => {
        onRpc("res.partner", "action_delete_mango_recordings", ({ args: [ids] }) => {
            asyncStep(`delete of ${ids}`);
            return 3;
        });
        await mountWithCleanup(MainComponentsContainer, { noMainContainer: true });
        getService("action").doAction({
            type: "ir.actions.client",
            tag: "mango_office_delete_recordings",
            params: { partner_ids: [17, 18] },
        });
        await contains(".modal .btn-danger").click();
        await animationFrame();
        expect(".o_notification").toHaveText("Recordings deleted: 3.");
        await waitForSteps(["delete of 17,18"]);
    });
});

describe("errors are shown", () => {
    const status = `${player(11)} [role=status]`;

    async function fail(answer, orm) {
        onRpc("mango.recording", "read", answer);
        await mountForm(makeRecording());
        await play();
        Object.assign(getService("mango_office.recording"), orm && { orm });
        audio().tell("error");
        await settle();
        expect(player(11)).toHaveAttribute("data-status", "failed");
    }

    test("access denied", async () => {
        await fail(() => {
            throw makeServerError({ type: "AccessError" });
        });
        expect(status).toHaveText("You may not listen to this recording.");
    });

    test("deleted meanwhile", async () => {
        await fail(() => [{ id: 11, state: "expired", error: "Deleted by Vera." }]);
        expect(status).toHaveText("Deleted by Vera.");
    });

    test("the call was deleted", async () => {
        await fail(() => []);
        expect(status).toHaveText("This recording no longer exists.");
    });

    test("no connection", async () => {
        const read = () => Promise.reject(new ConnectionLostError("/web"));
        await fail(() => {}, { silent: { read } });
        expect(status).toHaveText("The connection was lost. Try again in a moment.");
    });

    test("session expired", async () => {
        await fail(() => {
            throw makeServerError({ errorName: "odoo.http.SessionExpiredException" });
        });
        expect(status).toHaveText("Your session has expired. Reload the page and log in.");
    });

    test("file missing on the server; another click retries", async () => {
        await fail(() => [{ id: 11, state: "ready", error: false }]);
        expect(status).toHaveText(/could not be played/);
        await play();
        expect(player(11)).toHaveAttribute("data-status", "playing");
    });
});

describe("waveform", () => {
    test("peaks are relative to the maximum", () => {
        expect(findPeaks(new Float32Array([0, 0.25, -0.5, 0.1]), 2)).toEqual([0.5, 1]);
        expect(findPeaks(new Float32Array([0, 0]), 2)).toEqual([]);
        expect(findPeaks(new Float32Array([]), 2)).toEqual([]);
    });

    for (const [name, values] of [
        ["of many megabytes", {}],
        ["of an hour", { size: 1000, duration: 3600 }],
    ]) {
        test(`a recording ${name} has none`, async () => {
            await mountForm(makeRecording(values));
            patchWithCleanup(browser, { fetch: () => asyncStep("fetched") });
            await play();
            await waitForSteps([]);
            expect(".o_mango_waveform").toHaveCount(0);
        });
    }

    test("a short recording has one once it plays", async () => {
        const samples = new Float32Array(1600).fill(0.5);
        patchWithCleanup(window, {
            OfflineAudioContext: class {
                decodeAudioData() {
                    return { getChannelData: () => samples };
                }
            },
        });
        await mountForm(makeRecording({ size: 40000, duration: 20 }));
        patchWithCleanup(browser, {
            fetch(url) {
                asyncStep(`fetched ${url}`);
                return { ok: true, arrayBuffer: () => new ArrayBuffer(8) };
            },
        });
        expect(".o_mango_waveform").toHaveCount(0);
        await play(11, 20);
        await waitForSteps([`fetched ${ANNA}`]);
        await settle();
        expect(".o_mango_waveform path").toHaveCount(2);
    });

    test("a recording that cannot be decoded plays without one", async () => {
        await mountForm(makeRecording({ size: 40000, duration: 20 }));
        patchWithCleanup(browser, { fetch: () => Promise.reject(new TypeError("gone")) });
        await play(11, 20);
        await settle();
        expect(".o_mango_waveform").toHaveCount(0);
        expect(player(11)).toHaveAttribute("data-status", "playing");
    });
});
