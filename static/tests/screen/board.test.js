import {
    advanceTime,
    animationFrame,
    beforeEach,
    Deferred,
    describe,
    expect,
    test,
} from "@odoo/hoot";
import { queryAllAttributes, queryAllTexts, queryOne } from "@odoo/hoot-dom";
import {
    asyncStep,
    contains,
    getService,
    makeServerError,
    mockService,
    mountWithCleanup,
    onRpc,
    patchWithCleanup,
    waitForSteps,
} from "@web/../tests/web_test_helpers";
import { BoardWall } from "@mango_office/screen/board/board_wall";
import { browser } from "@web/core/browser/browser";
import { WebClient } from "@web/webclient/webclient";
import { defineMangoOfficeModels, tell, useTelephony } from "../mango_office_test_helpers";

describe.current.tags("desktop");
defineMangoOfficeModels();

const CALL = { id: 1, direction: "inbound", name: "Ivan Petrov", number: "", seconds: 65 };
const extension = (id, number, name, values) => ({
    id,
    number,
    name,
    department: "Sales",
    user_id: id,
    avatar: "",
    state: "free",
    call: false,
    status: "available",
    away_until: false,
    ...values,
});
let board;

beforeEach(() => {
    useTelephony();
    board = {
        extensions: [
            extension(1, "101", "Anna", { state: "talking", call: CALL }),
            extension(2, "102", "Boris"),
            extension(3, "103", "Door", { user_id: false, department: "" }),
        ],
        waiting: [],
        today: [{ id: 1, answered: 12, missed: 2, made: 5, talk_seconds: 3725 }],
    };
    onRpc("mango.extension", "get_board", () => board);
    onRpc("mango.extension", "get_board_calls", () => {
        asyncStep("read");
        return {
            busy: board.extensions.filter(({ state }) => state !== "free"),
            absent: board.extensions.filter(({ status }) => status !== "available"),
            waiting: board.waiting,
            today: board.today,
        };
    });
});

const NOTHING = { busy: [], absent: [], waiting: [], today: [] };

async function mountBoard() {
    await mountWithCleanup(WebClient);
    await getService("action").doAction({ type: "ir.actions.client", tag: "mango_office_board" });
}
const numbers = () => queryAllAttributes(".o_mango_board_tile", "data-number");
const counters = () => queryAllTexts(".o_mango_board_counter");

test("every extension with its state and call", async () => {
    await mountBoard();
    expect(numbers()).toEqual(["101", "102", "103"]);
    expect(".o_mango_board_tile:eq(0)").toHaveText(
        /Anna[\s\S]*Talking[\s\S]*Ivan Petrov[\s\S]*1:05/
    );
    expect(".o_mango_board_tile:eq(1)").toHaveText(/Boris[\s\S]*Free/);
    expect(".o_mango_board_tile:eq(2)").toHaveText(/No employee/);
    expect(counters()).toEqual(["Free2", "Ringing0", "Talking1", "On hold0"]);
});

test("filter by state", async () => {
    await mountBoard();
    await contains(".o_mango_board_counter[data-state=free]").click();
    expect(numbers()).toEqual(["102", "103"]);
    expect(".o_mango_board_counter[data-state=free]").toHaveAttribute("aria-pressed", "true");
    await contains(".o_mango_board_counter[data-state=free]").click();
    expect(numbers()).toHaveLength(3);
});

test("filter by name or number", async () => {
    await mountBoard();
    await contains(".o_mango_board_search").edit("bor", { confirm: false });
    expect(numbers()).toEqual(["102"]);
    await contains(".o_mango_board_search").edit("103", { confirm: false });
    expect(numbers()).toEqual(["103"]);
    await contains(".o_mango_board_search").edit("zed", { confirm: false });
    expect(".o_mango_board").toHaveText(/No match/);
});

const headings = () => queryAllTexts(".o_mango_board_department");
/** Three departments, counting that of those who have none. */
function haveDepartments() {
    board.extensions.push(extension(4, "104", "Vera", { department: "Archive" }));
}
const DEPARTMENTS = ["All departments", "Archive (1)", "Sales (2)", "No department (1)"];

test("by department, those without one last; or in one row", async () => {
    haveDepartments();
    await mountBoard();
    expect(headings()).toEqual(["Archive 1", "Sales 2", "No department 1"]);
    expect(numbers()).toEqual(["104", "101", "102", "103"]);
    await contains(".o_mango_board_group").click();
    expect(".o_mango_board_group").toHaveAttribute("aria-pressed", "false");
    expect(headings()).toEqual([]);
    expect(numbers()).toEqual(["101", "102", "103", "104"]);
    expect(".o_mango_board_tile:eq(3)").toHaveText(/104 · Archive/);
});

test("only one department, which this browser remembers", async () => {
    haveDepartments();
    await mountBoard();
    expect(queryAllTexts(".o_mango_departments option")).toEqual(DEPARTMENTS);
    await contains(".o_mango_departments").select("2");
    expect(numbers()).toEqual(["101", "102"]);
    expect(counters()).toEqual(["Free1", "Ringing0", "Talking1", "On hold0"]);
    await contains(".o_mango_board_group").click();

    await getService("action").doAction({ type: "ir.actions.client", tag: "mango_office_board" });
    expect(".o_mango_departments").toHaveValue("2");
    expect(numbers()).toEqual(["101", "102"]);
    expect(headings()).toEqual([]);
});

test("a department that is gone hides nobody", async () => {
    browser.localStorage.setItem("mango_office.board", '{"department": "Gone"}');
    await mountBoard();
    expect(numbers()).toHaveLength(3);
    expect(".o_mango_departments").toHaveValue("0");
});

test("without departments there is nothing to choose", async () => {
    board.extensions.splice(2);
    await mountBoard();
    expect(".o_mango_departments").toHaveCount(0);
    expect(".o_mango_board_group").toHaveCount(0);
    expect(headings()).toEqual([]);
});

test("if nobody is left, one click shows all", async () => {
    await mountBoard();
    await contains(".o_mango_departments").select("1");
    await contains(".o_mango_board_counter[data-state=hold]").click();
    expect(".o_mango_board").toHaveText(/No match/);
    await contains(".o_mango_board_all").click();
    expect(numbers()).toHaveLength(3);
    expect(".o_mango_departments").toHaveValue("0");
});

const figuresOf = (place) =>
    queryAllTexts(`.o_mango_board_tile:eq(${place}) .o_mango_figures dl > div`);

test("what each has done today, live", async () => {
    await mountBoard();
    expect(figuresOf(0)).toEqual(["answered\n12", "missed\n2", "made\n5", "talked\n1:02:05"]);
    expect(figuresOf(1)).toEqual(["answered\n0", "missed\n0", "made\n0", "talked\n0:00"]);
    expect(".o_mango_board_tile:eq(0) [data-figure=missed]").toHaveAttribute(
        "title",
        /only they were rung/
    );
    board.today.push({ id: 2, answered: 1, missed: 0, made: 0, talk_seconds: 7 });
    tell("board", {});
    await advanceTime(500);
    await waitForSteps(["read"]);
    await animationFrame();
    expect(figuresOf(1)).toEqual(["answered\n1", "missed\n0", "made\n0", "talked\n0:07"]);
});

test("without an answer the board stays as it is, and no dialog opens", async () => {
    await mountBoard();
    onRpc("mango.extension", "get_board_calls", () => {
        asyncStep("refused");
        throw makeServerError({ type: "AccessError" });
    });
    tell("board", {});
    await advanceTime(500);
    await waitForSteps(["refused"]);
    await animationFrame();
    expect(numbers()).toHaveLength(3);
    expect(".o_error_dialog").toHaveCount(0);
});

test("a new day begins without a call", async () => {
    await mountBoard();
    board.today = [];
    await advanceTime(61_000);
    await waitForSteps(["read"]);
    await animationFrame();
    expect(figuresOf(0)).toEqual(["answered\n0", "missed\n0", "made\n0", "talked\n0:00"]);
});

test("live: one request for many changes at once", async () => {
    await mountBoard();
    board.extensions = [
        extension(1, "101", "Anna"),
        extension(2, "102", "Boris", { state: "ringing", call: CALL }),
    ];
    board.waiting = [
        { call_id: 5, name: "Olga", number: "", line: "Sales", in_queue: true, seconds: 7 },
    ];
    tell("board", {});
    tell("board", {});
    await animationFrame();
    await advanceTime(300);
    await waitForSteps(["read"]);
    await animationFrame();
    expect(queryAllAttributes(".o_mango_board_tile", "data-state")).toEqual([
        "free",
        "ringing",
        "free",
    ]);
    expect(".o_mango_board_waiting").toHaveText(/Olga\s*0:07[\s\S]*In the queue/);
});

test("a call to a group of 50, ringing and answered: at most four requests", async () => {
    let questions = 0;
    onRpc("mango.extension", "get_board_calls", () => {
        questions++;
        return NOTHING;
    });
    await mountBoard();
    for (let count = 0; count < 100; count++) {
        tell("board", {});
        await advanceTime(20);
    }
    await advanceTime(1000);
    expect(questions).toBeWithin(1, 4);
});

test("outdated answers are ignored", async () => {
    const answers = [new Deferred(), new Deferred()];
    const asked = [...answers];
    onRpc("mango.extension", "get_board_calls", () => asked.shift());
    await mountBoard();
    const answer = (state) => ({ ...NOTHING, busy: [{ id: 2, state, call: false }] });
    tell("board", {});
    await advanceTime(200);
    tell("board", {});
    await advanceTime(6000); // the next request does not wait for the first one
    answers[1].resolve(answer("talking"));
    await animationFrame();
    answers[0].resolve(answer("ringing"));
    await animationFrame();
    await animationFrame();
    expect(".o_mango_board_tile:eq(1)").toHaveAttribute("data-state", "talking");
});

test("open the call", async () => {
    await mountBoard();
    patchWithCleanup(getService("action"), {
        doAction: ({ res_id }) => asyncStep(`call ${res_id}`),
    });
    await contains(".o_mango_board_call").click();
    await waitForSteps(["call 1"]);
});

test("a supervisor sets the status of an employee", async () => {
    onRpc("res.users", "mango_set_status", ({ args }) => {
        asyncStep(JSON.stringify(args.slice(0, 2)));
        board.extensions[1].status = "dnd";
        return true;
    });
    await mountBoard();
    const boris = ".o_mango_board_tile[data-number='102']";
    expect(".o_mango_board_tile[data-number='103'] .o_mango_status").toHaveCount(0);
    await contains(`${boris} .o_mango_status select`).select("dnd");
    await waitForSteps(['[[2],"dnd"]']);
    getService("mango_office.call").tellWatchers();
    await advanceTime(500);
    await waitForSteps(["read"]);
    await animationFrame();
    expect(`${boris} .o_mango_status`).toHaveAttribute("data-status", "dnd");
    expect(`${boris} select`).toHaveValue("dnd");
});

test("help without extensions", async () => {
    board.extensions = [];
    await mountBoard();
    patchWithCleanup(getService("action"), { doAction: (action) => asyncStep(action) });
    expect(".o_mango_board").toHaveText(/No extensions yet/);
    await contains(".o_mango_board .btn-primary").click();
    await waitForSteps(["mango_office.mango_extension_action"]);
});

async function mountWall() {
    onRpc("mango.extension", "get_board_figures", () => {
        asyncStep("figures");
        return { to_call_back: 4, overdue: 1, inbound: 8, answered_share: 0.875 };
    });
    patchWithCleanup(Element.prototype, {
        requestFullscreen: () => Promise.reject(new TypeError("not here")),
    });
    await mountBoard();
    await contains(".o_mango_board_to_wall", { visible: false }).click();
    await waitForSteps(["figures"]);
}
const tiles = () => queryAllAttributes(".o_mango_wall_tile", "data-number");
const figure = (key) => `.o_mango_wall_figure[data-figure='${key}'] .o_mango_wall_value`;

test("TV screen: all extensions, waiting callers, and the figures of the day", async () => {
    board.waiting = [
        { call_id: 5, name: "Olga", number: "", line: "Sales", in_queue: true, seconds: 65 },
        { call_id: 6, name: "Oleg", number: "", line: "Sales", in_queue: true, seconds: 7 },
    ];
    await mountWall();
    expect(tiles()).toEqual(["101", "102", "103"]);
    expect(".o_mango_wall_tile:eq(0)").toHaveText(/Anna[\s\S]*Ivan Petrov[\s\S]*Talking\s*1:05/);
    expect(figure("talking")).toHaveText("1");
    expect(figure("waiting")).toHaveText(/2\s*1:05/);
    expect(figure("to_call_back")).toHaveText("4");
    expect(figure("overdue")).toHaveText("1");
    expect(figure("answered")).toHaveText("88 %");
    await advanceTime(30_000);
    await waitForSteps(["figures"]);
    await contains(".o_mango_wall_close").click();
    expect(".o_mango_wall").toHaveCount(0);
    await advanceTime(60_000);
    await waitForSteps(["read"]); // by the board
});

test("TV screen: live, and sorted in another order", async () => {
    board.extensions[1].department = "Archive";
    board.extensions[2].department = "Warehouse";
    await mountWall();
    await contains(".o_mango_wall_order").select("department");
    expect(tiles()).toEqual(["102", "101", "103"]);
    await contains(".o_mango_wall_order").select("state");
    expect(tiles()).toEqual(["101", "102", "103"]);
    board.extensions[2] = { ...board.extensions[2], state: "ringing", call: CALL };
    tell("board", {});
    await advanceTime(500);
    await waitForSteps(["read"]);
    await animationFrame();
    expect(tiles()).toEqual(["103", "101", "102"]);
});

test("TV screen: one department, with the figures of its people", async () => {
    await mountWall();
    await contains(".o_mango_wall .o_mango_departments").select("1");
    expect(tiles()).toEqual(["101", "102"]);
    expect(figure("free")).toHaveText("1");
    expect(queryAllTexts(".o_mango_wall_tile:eq(0) .o_mango_figures dd")).toEqual([
        "12",
        "2",
        "5",
        "1:02:05",
    ]);
    await contains(".o_mango_wall_close").click();
    expect(numbers()).toEqual(["101", "102"]);
});

test("TV screen: without an answer the last figures stay, and no dialog opens", async () => {
    await mountWall();
    expect(".o_mango_wall_figure[data-figure='overdue']").toHaveAttribute("data-is-some", "yes");
    onRpc("mango.extension", "get_board_figures", () => {
        asyncStep("refused");
        throw makeServerError({ type: "AccessError" });
    });
    await advanceTime(30_000);
    await waitForSteps(["refused"]);
    await animationFrame();
    expect(figure("answered")).toHaveText("88 %");
    expect(".o_error_dialog").toHaveCount(0);
});

test("TV screen: one that never appeared counts no longer", async () => {
    patchWithCleanup(BoardWall.prototype, {
        loadFigures() {
            asyncStep("counts");
            return new Deferred();
        },
    });
    await mountBoard();
    await contains(".o_mango_board_to_wall", { visible: false }).click();
    await waitForSteps(["counts"]);
    await getService("action").doAction({ type: "ir.actions.client", tag: "mango_office_board" });
    await advanceTime(30_000);
    await waitForSteps([]);
});

const clientLines = () =>
    getComputedStyle(queryOne(".o_mango_wall_client:eq(0)")).getPropertyValue("-webkit-line-clamp");

test("TV screen: where few people are shown, a long client's name has two lines", async () => {
    await mountWall();
    expect(clientLines()).toBe("2");
});

test("TV screen: forty extensions fit without scrolling", async () => {
    const call = { ...CALL, name: "Ivan Konstantinopolsky, Northern Furniture" };
    board.extensions = [...Array(40).keys()].map((place) =>
        extension(place + 1, `${100 + place}`, `Anastasia Konstantinopolskaya ${place}`, {
            state: "talking",
            call,
        })
    );
    await mountWall();
    expect(tiles()).toHaveLength(40);
    expect(".o_mango_wall").toHaveStyle({ position: "fixed" });
    expect(clientLines()).toBe("1");
    const grid = queryOne(".o_mango_wall_tiles");
    expect(grid.scrollHeight).toBeLessThan(grid.clientHeight + 1);
    expect(grid.scrollWidth).toBeLessThan(grid.clientWidth + 1);
});

test("all calls are only watched while a view shows them", async () => {
    mockService("bus_service", {
        addChannel: (channel) => asyncStep(`add ${channel}`),
        deleteChannel: (channel) => asyncStep(`delete ${channel}`),
    });
    await mountWithCleanup("<div/>");
    const calls = getService("mango_office.call");
    const first = calls.watchAll(() => asyncStep("first"));
    const second = calls.watchAll(() => asyncStep("second"));
    await waitForSteps(["add mango_office_board"]);
    calls.tellWatchers();
    await waitForSteps(["first", "second"]);
    first();
    calls.tellWatchers();
    await waitForSteps(["second"]);
    second();
    await waitForSteps(["delete mango_office_board"]);
});
