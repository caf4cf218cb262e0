"""``./dev bench``: calls on the screen, and clicks on their way to the PBX."""

import itertools
import json
import time

from . import demo, environment, testbed, traffic
from .bench_table import Budget, Row, at_most
from .browser import Browser
from .browser_unwatched import UnwatchedPage
from .console import step
from .pbx.company import Company

LOGIN, EXTENSION = "anna", "101"
CALLS = 50
CLICKS = 20
WARM_UP = 3  # first rounds that are not counted, for warming up
LEAD = "Поставка офисной мебели"
SUPERVISOR = "vera"
#: Whose phones ring on the wall board; not the supervisor's own.
RUNG = ("101", "102", "104", "0511")
UPDATES = 10  # of the board after each change of a call

CARD = ".o_mango_card[data-key]"
TO_WALL, WALL_TILE = ".o_mango_board_to_wall", ".o_mango_wall_tile"
# Records when a card is on the screen (two frames after it was added to the page) and
# when a bare message arrived, in wall time.
PROBE = """
(() => {
    const cards = [];
    const buses = {};
    const known = new Set();
    const painted = () =>
        new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const look = () => {
        for (const card of document.querySelectorAll(".o_mango_card[data-key]")) {
            if (!known.has(card.dataset.key)) {
                known.add(card.dataset.key);
                painted().then(() => {
                    cards.push(Date.now());
                    document.body.dataset.benchCards = cards.length;
                });
            }
        }
    };
    const observer = new MutationObserver(look);
    observer.observe(document.body, { subtree: true, childList: true });
    const { bus_service } = odoo.__WOWL_DEBUG__.root.env.services;
    bus_service.subscribe("mango_office_bench/bus", ({ number }) => {
        buses[number] = Date.now();
        document.body.dataset.benchBus = number;
    });
    window.mangoBench = { cards, buses };
})()
"""
# Lets the wall board read all again and draw it for a number of times, as it does when
# it is told of a change. It would wait until the calls are quiet, which is left out, so
# that a day passes in minutes.
UPDATE = """
(() => {
    const { browser } = odoo.loader.modules.get("@web/core/browser/browser");
    const { rpcBus } = odoo.loader.modules.get("@web/core/network/rpc");
    const calls = odoo.__WOWL_DEBUG__.root.env.services["mango_office.call"];
    const setTimeout = browser.setTimeout;
    browser.setTimeout = (task, delay, ...args) =>
        setTimeout(task, delay <= 1000 ? 0 : delay, ...args);
    const updated = () =>
        new Promise((done) => {
            const onResponse = ({ detail }) => {
                if (detail.data.params.method === "get_board_calls") {
                    rpcBus.removeEventListener("RPC:RESPONSE", onResponse);
                    requestAnimationFrame(done);
                }
            };
            rpcBus.addEventListener("RPC:RESPONSE", onResponse);
            calls.tellWatchers();
        });
    window.mangoUpdate = async (times) => {
        for (let time = 0; time < times; time++) {
            await updated();
        }
    };
})()
"""
# Clicks, and returns the time.
CLICK = """
(() => {
    const at = Date.now();
    document.querySelector(%s).click();
    return at;
})()
"""


def ring_to_card(bed):
    """Measure from a notification's post to the card, and a bare bus message.

    :rtype: list[Row]
    """
    server = bed.log_in(LOGIN, demo.PASSWORD)
    cards, buses = [], []
    numbers = itertools.cycle(contact["number"] for contact in Company.load().contacts)
    with Browser(environment.ensure_browser()) as browser:
        page = _open(browser, bed, server, "/odoo")
        page.evaluate(PROBE)
        for order in _rounds("Ringing", CALLS):
            buses.append(_measure_bus(page, server, order))
            cards.append(_measure_card(page, bed, next(numbers), order))
        _check_console(page)
    bare = Row("bare bus message in the same browser", buses[WARM_UP:])
    within = Budget("p95 ≤ 1 s", lambda row: row.p95 <= 1)
    ring = "notification in → card drawn"
    return [bare, Row(ring, cards[WARM_UP:], floor=bare.p50, budget=within)]


def click_to_command(bed):
    """Measure from the click on a number to the command at the PBX.

    :rtype: list[Row]
    """
    server = bed.log_in(LOGIN, demo.PASSWORD)
    lead = server.find("crm.lead", LEAD)
    found = []
    with Browser(environment.ensure_browser()) as browser:
        page = _open(browser, bed, server, f"/odoo/crm.lead/{lead}")
        for _order in _rounds("Clicking", CLICKS):
            found.append(_measure_click(page, bed.pbx))
        _check_console(page)
    return [Row("click on a number → command at the PBX", found[WARM_UP:])]


def wall_memory(bed, first, last):
    """Measure the memory of the wall board after a number of updates, and after more.

    Meanwhile people call, are talked to, and hang up. The page is one that Playwright
    does not watch: it would make the browser keep data of each request.

    :param int first: updates until the page has everything that it needs.
    :param int last: updates of a long day.
    :rtype: list[Row]
    """
    server = bed.log_in(SUPERVISOR, demo.PASSWORD)
    cookie = {"url": bed.url, "name": testbed.SESSION_COOKIE}
    cookie["value"] = server.session_id
    with Browser(environment.ensure_browser()) as browser:
        page = UnwatchedPage(browser.session(), cookie)
        page.open(f"{bed.url}/odoo/calls-board", testbed.CONNECTED)
        page.wait_for(_is_shown(TO_WALL))
        page.evaluate(f"document.querySelector('{TO_WALL}').click()")
        page.wait_for(_is_shown(WALL_TILE))
        page.evaluate(UPDATE)
        calls = _calls(bed, page)
        begun = _heap_after(first, page, calls)
        done = _heap_after(last - first, page, calls)
        _check_console(page)
    floor = Row(f"memory of the wall board after {first} updates", [begun], unit="MB")
    what = f"memory of the wall board after {last} updates"
    return [floor, Row(what, [done], begun, at_most(1.1), unit="MB")]


def _heap_after(updates, page, calls):
    """Update the wall board and return the size of the page's heap in bytes."""
    count = 0
    with step(f"Updating the wall board {updates} times", lambda: f"{count} times"):
        while count < updates:
            count += next(calls)
    return page.heap()


def _calls(bed, page):
    """Let people call, with some updates of the wall board after each change.

    :return: the number of updates of each call.
    """
    numbers = itertools.cycle(contact["number"] for contact in Company.load().contacts)
    for extension, number in zip(itertools.cycle(RUNG), numbers, strict=False):
        call = _Ring(bed, number, extension)
        tile = f"{WALL_TILE}[data-number='{extension}']"
        for change, state in (
            (call.rings, "ringing"),
            (call.is_answered, "talking"),
            (call.ends, "free"),
        ):
            change()
            page.wait_for(_is_shown(f"{tile}[data-state={state}]"))
            page.evaluate(f"mangoUpdate({UPDATES})")
        yield 3 * UPDATES


def _is_shown(selector):
    """Return the condition that there is such an element."""
    return f"document.querySelector({json.dumps(selector)})"


def _open(browser, bed, server, path):
    context = browser.context()
    context.set_cookie(bed.url, testbed.SESSION_COOKIE, server.session_id)
    page = context.page()
    page.open(f"{bed.url}{path}")
    page.wait_for(testbed.CONNECTED)
    return page


def _rounds(text, count):
    """Count the rounds of a measure from 1, and show the progress.

    :param str text: what each round does.
    :param int count: the number of counted rounds.
    """
    order, total = 0, count + WARM_UP

    def progress():
        return f"{order} of {total}"

    with step(text, progress):
        for order in range(1, total + 1):
            yield order


def _measure_bus(page, server, order):
    started = time.time()
    server.rpc("/mango_office_bench/bus", {"number": order})
    page.wait_for(f"document.body.dataset.benchBus == {order}")
    return page.evaluate(f"mangoBench.buses[{order}]") / 1000 - started


def _measure_card(page, bed, number, order):
    call = _Ring(bed, number)
    started = time.time()
    call.rings()
    page.wait_for(f"document.body.dataset.benchCards == {order}")
    seconds = page.evaluate("mangoBench.cards.at(-1)") / 1000 - started
    call.ends()
    _close_card(page)
    return seconds


def _measure_click(page, pbx):
    button = ".o_field_widget[name=phone] .o_mango_call_button"
    page.wait_for_selector(button)
    known = len(pbx.commands("commands/callback"))
    clicked = page.evaluate(CLICK % json.dumps(button))
    page.wait_for_selector(f"{CARD}[data-phase=pick_up]")
    [command] = pbx.commands("commands/callback")[known:]
    pbx.post("decline", extension=EXTENSION)
    _close_card(page)
    return command["at"] - clicked / 1000


def _close_card(page):
    """Close the card after the end of its call."""
    page.wait_for_selector(f"{CARD}[data-phase=ended]")
    page.evaluate(f"document.querySelector('{CARD} .o_mango_close').click()")
    page.wait_for_no_selector(CARD)


def _check_console(page):
    if page.errors:
        raise RuntimeError("The page complained: " + "; ".join(page.errors))


class _Ring:
    """Simulate a customer who rings a desk.

    :param TestBed bed: with the Odoo to notify.
    :param str number: the caller's number.
    :param str extension: of the desk.
    """

    _ids = itertools.count(int(time.time() * 1000))

    def __init__(self, bed, number, extension=EXTENSION):
        self._url = bed.url
        self._entry = f"measured-{next(self._ids)}"
        self._caller = {"number": number}
        line = Company.load().lines[0].number
        callee = Company.load().find_staff(extension).party
        self._extension = extension
        self._callee = {**callee, "line_number": line}
        self._line = line
        self._started = int(time.time())
        self._answered = 0

    def rings(self):
        self._post("events/call", self._leg(1, "Appeared"))

    def is_answered(self):
        self._answered = int(time.time())
        self._post("events/call", self._leg(2, "Connected"))

    def ends(self):
        end = {"disconnect_reason": 1110}
        self._post("events/call", {**self._leg(3, "Disconnected"), **end})
        now = int(time.time())
        self._post(
            "events/summary",
            {
                "entry_id": self._entry,
                "call_direction": 1,
                "from": self._caller,
                "to": {"extension": self._extension},
                "line_number": self._line,
                "create_time": self._started,
                "forward_time": self._started,
                "talk_time": self._answered,
                "end_time": now,
                "entry_result": int(bool(self._answered)),
                **end,
            },
        )

    def _leg(self, seq, state):
        return {
            "entry_id": self._entry,
            "call_id": f"{self._entry}-leg",
            "timestamp": int(time.time()),
            "seq": seq,
            "call_state": state,
            "location": "abonent",
            "from": self._caller,
            "to": self._callee,
        }

    def _post(self, kind, payload):
        answer = traffic.send(traffic.Post(kind, json.dumps(payload)), self._url)
        if answer.status != 200:
            raise RuntimeError(f"A notification was answered {answer.status}.")
