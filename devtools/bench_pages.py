"""``./dev bench``: identification of callers, the call log, and other apps' pages."""

import datetime as dt
import time
from xml.etree import ElementTree as ET

from . import demo
from .bench_table import Budget, Row, at_most
from .console import step

MODULE_PREFIX = "mango_"
ROUNDS = 20
LIMIT = 80  # records of a list page in the web client
MONTH = dt.timedelta(days=30)
#: What the analysis of calls shows at first, and as many measures of leads.
CALL_MEASURES = [
    "answered_share:avg",
    "in_time_share:avg",
    "missed:sum",
    "not_called_back:sum",
    "answer_time:avg",
    "talk_time:sum",
]
LEAD_MEASURES = [
    "expected_revenue:sum",
    "prorated_revenue:sum",
    "probability:avg",
    "day_open:avg",
    "day_close:avg",
    "color:max",
]
SUPERVISOR, SALESPERSON = ("admin", "admin"), ("anna", demo.PASSWORD)


def identification(bed):
    """Measure finding the contact with a number.

    :rtype: list[Row]
    """
    server = bed.log_in(*SUPERVISOR)
    with step("Identifying callers"):
        suffix = Row(
            "contact by a suffix ILIKE", timed(server, "identify_by_suffix", 5)
        )
        odoo = Row(
            "contact by Odoo's phone_mobile_search",
            timed(server, "identify_by_odoo", ROUNDS),
        )
        ours = timed(server, "identify", 10 * ROUNDS)
        whole = timed(server, "identify_all", 5 * ROUNDS)
    fast = Budget("p50 ≤ 1 ms", lambda row: row.p50 <= 0.001)
    rows = [suffix, odoo, Row("contact by the index, beside ILIKE", ours, suffix.p50)]
    if _is_large(bed):
        rows[-1].budget = Budget("≤ 1 / 1000", lambda row: row.ratio <= 0.001)
    return [
        *rows,
        Row("contact by the index, beside phone_mobile_search", ours, odoo.p50, fast),
        Row("contact and open lead, with the ORM", whole),
    ]


def pages(bed):
    """Compare lists of calls and leads, and measure what we add to other pages.

    :rtype: list[Row]
    """
    rows = []
    with step("Opening pages"):
        supervisor = bed.log_in(*SUPERVISOR)
        salesperson = bed.log_in(*SALESPERSON)
        user_id = salesperson.user_id
        rows += _lists("supervisor", supervisor, user_id)
        rows += _lists("salesperson", salesperson, user_id)
        rows += _analysis(supervisor)
        rows += _contact(supervisor)
        rows += _beside_without(supervisor, "write_contact", "writing a contact", 50)
        rows += _beside_without(
            supervisor, "session_info", "loading the web client", 50
        )
        screen = timed(supervisor, "get_screen", 50)
    return [*rows, Row("the screen of somebody without an extension", screen)]


def _lists(who, server, user_id):
    """Open, filter and group the call log and the leads in the same way."""
    calls = _List(server, "mango.call", "started_at", user_id)
    leads = _List(server, "crm.lead", "create_date", user_id)
    for name in ("opened", "filtered", "grouped", "grouped_by_month"):
        what = name.replace("_", " ")
        bare, found = _in_turn(getattr(leads, name), getattr(calls, name))
        floor = Row(f"leads, {what}, {who}", bare)
        yield floor
        yield Row(f"call log, {what}, {who}", found, floor.p50, at_most(2))
    waiting = _List(server, "mango.callback", "first_missed_at", user_id)
    bare, found = _in_turn(calls.opened, waiting.waiting)
    yield Row(f"To Call Back, opened, {who}", found, Row("", bare).p50, at_most(1.5))


def _analysis(server):
    """Group a month of calls and of leads in the same ways."""
    calls = _Month(server, "mango.call.report", "started_at", CALL_MEASURES)
    leads = _Month(server, "crm.lead", "create_date", LEAD_MEASURES)
    for name in ("by_day", "by_employee_and_day", "by_employee_with_measures"):
        what = name.replace("_", " ")
        bare, found = _in_turn(getattr(leads, name), getattr(calls, name))
        floor = Row(f"leads of a month, {what}", bare)
        yield floor
        yield Row(f"calls of a month, {what}", found, floor.p50, at_most(2))


class _Month:
    """The requests of an analysis of the last month.

    :param Server server: with a user's session.
    :param str model: the records' model.
    :param str date: the field of the records' time.
    :param list measures: fields with their aggregators.
    """

    def __init__(self, server, model, date, measures):
        self._server, self._model, self._date = server, model, date
        self._measures = measures
        begin = dt.datetime.now(dt.timezone.utc) - MONTH
        self._domain = [[date, ">=", begin.strftime("%Y-%m-%d %H:%M:%S")]]

    def by_day(self):
        self._grouped([f"{self._date}:day"])

    def by_employee_and_day(self):
        self._grouped(["user_id", f"{self._date}:day"])

    def by_employee_with_measures(self):
        self._grouped(["user_id"], self._measures)

    def _grouped(self, groups, measures=()):
        self._server.call(
            self._model,
            "formatted_read_group",
            self._domain,
            groups,
            ["__count", *measures],
        )


class _List:
    """The requests of a list in the web client.

    :param Server server: with a user's session.
    :param str model: the records' model.
    :param str date: the field the field to filter by.
    :param int user_id: the user to filter by.
    """

    def __init__(self, server, model, date, user_id):
        self._server, self._model, self._date = server, model, date
        self._user_id = user_id
        views = server.call(model, "get_views", [[False, "list"]])
        arch = views["views"]["list"]["arch"]
        self._fields = _specification(arch, views["models"][model]["fields"])

    def opened(self):
        self._searched([])

    def waiting(self):
        """The list of missed clients, as opened by the menu."""
        self._searched([["state", "=", "open"]])

    def filtered(self):
        self._searched(
            [
                ["user_id", "=", self._user_id],
                [self._date, ">", time.strftime("%Y-%m-01")],
            ]
        )

    def grouped(self):
        self._grouped("user_id")

    def grouped_by_month(self):
        self._grouped(f"{self._date}:month")

    def _searched(self, domain):
        self._server.call(
            self._model,
            "web_search_read",
            domain=domain,
            specification=self._fields,
            limit=LIMIT,
            count_limit=10001,
        )

    def _grouped(self, group):
        self._server.call(
            self._model, "web_read_group", [], [group], ["__count"], limit=LIMIT
        )


def _contact(server):
    """Open the contact with most calls, and one with messages without our fields."""
    partner_id, other_id = (
        server.find("res.partner", f"Контакт {number}") for number in (1, 2)
    )
    views = server.call("res.partner", "get_views", [[False, "form"]])
    arch, fields = views["views"]["form"]["arch"], views["models"]["res.partner"]
    ours = _specification(arch, fields["fields"])
    theirs = {
        name: value
        for name, value in ours.items()
        if not name.startswith(MODULE_PREFIX)
    }
    if len(theirs) == len(ours):
        raise RuntimeError("The form of a contact shows nothing of ours.")

    def opened(record_id, specification):
        server.call("res.partner", "web_read", [record_id], specification)
        thread = {"thread_model": "res.partner", "thread_id": record_id}
        read = {**thread, "fetch_params": {"limit": 30}}
        shown = server.rpc("/mail/thread/messages", read)["messages"]
        if len(shown) < 30:
            raise RuntimeError("The chatter of a contact shows too little.")

    without, with_us = _in_turn(
        lambda: opened(other_id, theirs), lambda: opened(partner_id, ours)
    )
    calls = server.call("mango.call", "search_count", [("partner_id", "=", partner_id)])
    floor = Row("contact with messages, our fields left out", without)
    what = f"contact with {calls} calls in its chatter, opened"
    return [floor, Row(what, with_us, floor.p50, at_most(1.1))]


def _beside_without(server, name, what, rounds):
    floor = Row(f"{what}, the addon left out", timed(server, f"{name}_without", rounds))
    return [floor, Row(what, timed(server, name, rounds), floor.p50, at_most(1.5))]


def _is_large(bed):
    [count] = bed.query("SELECT count(*) FROM res_partner")
    return int(count) >= 1_000_000


def timed(server, what, rounds):
    """Measure inside the server; the first round is for warming up."""
    params = {"what": what, "rounds": rounds + 1}
    return server.rpc("/mango_office_bench/time", params)[1:]


def _in_turn(*ways):
    """Measure alternatives in turn, so that conditions are the same for all of them.

    :param ways: functions without parameters.
    :return: the seconds of each alternative's rounds, without the first one.
    :rtype: list[list[float]]
    """
    found = [[] for _way in ways]
    for _round in range(ROUNDS + 1):
        for do, seconds in zip(ways, found, strict=True):
            started = time.perf_counter()
            do()
            seconds.append(time.perf_counter() - started)
    return [seconds[1:] for seconds in found]


def _specification(arch, fields):
    """Return the specification with which the web client reads a view's records.

    :param str arch: of the view.
    :param dict fields: of the model; fields inside x2many fields are ignored.
    :rtype: dict
    """
    names = set(_names(ET.fromstring(arch))) & fields.keys()
    return {name: _nested(fields[name]["type"]) for name in sorted(names)}


def _names(node):
    for child in node:
        if child.tag == "field":
            yield child.attrib["name"]
        else:
            yield from _names(child)


def _nested(kind):
    return {"fields": {"display_name": {}}} if kind == "many2one" else {}
