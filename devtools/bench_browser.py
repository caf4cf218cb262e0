"""``./dev bench``: the time from a call to the screen, and from a click to the PBX."""

import itertools
import json
import time

from . import demo, environment, testbed, traffic
from .bench_table import Budget, Row
from .browser import Browser
from .console import step
from .pbx.company import Company

LOGIN, EXTENSION = "anna", "101"
CALLS = 50
CLICKS = 20
WARM_UP = 3  # first rounds that are not counted, for warming up
LEAD = "Поставка офисной мебели"

CARD = ".o_mango_card[data-key]"
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
    """Simulate a customer who rings a desk and gives up.

    :param TestBed bed: with the Odoo to notify.
    :param str number: the caller's number.
    """

    _ids = itertools.count(int(time.time() * 1000))

    def __init__(self, bed, number):
        self._url = bed.url
        self._entry = f"measured-{next(self._ids)}"
        self._caller = {"number": number}
        line = Company.load().lines[0].number
        callee = Company.load().find_staff(EXTENSION).party
        self._callee = {**callee, "line_number": line}
        self._line = line
        self._started = int(time.time())

    def rings(self):
        self._post("events/call", self._leg(1, "Appeared"))

    def ends(self):
        end = {"disconnect_reason": 1110}
        self._post("events/call", {**self._leg(2, "Disconnected"), **end})
        now = int(time.time())
        self._post(
            "events/summary",
            {
                "entry_id": self._entry,
                "call_direction": 1,
                "from": self._caller,
                "to": {"extension": EXTENSION},
                "line_number": self._line,
                "create_time": self._started,
                "forward_time": self._started,
                "talk_time": 0,
                "end_time": now,
                "entry_result": 0,
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
