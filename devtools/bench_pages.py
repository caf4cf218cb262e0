"""``./dev bench``: identifying a caller, the call log, and pages that are not ours."""

import time
from xml.etree import ElementTree as ET

from . import demo
from .bench_table import Budget, Row, at_most
from .console import step

MODULE_PREFIX = "mango_"
ROUNDS = 20
LIMIT = 80  # records of a list, as the web client asks for
SUPERVISOR, SALESPERSON = ("admin", "admin"), ("anna", demo.PASSWORD)


def identification(bed):
    """Finding the contact behind a number.

    :rtype: list[Row]
    """
    server = bed.log_in(*SUPERVISOR)
    with step("Identifying callers"):
        suffix = Row(
            "contact by a suffix ILIKE", _time(server, "identify_by_suffix", 5)
        )
        odoo = Row(
            "contact by Odoo's phone_mobile_search",
            _time(server, "identify_by_odoo", ROUNDS),
        )
        ours = _time(server, "identify", 10 * ROUNDS)
        whole = _time(server, "identify_all", 5 * ROUNDS)
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
    """Lists of calls beside lists of leads, and what we add to other pages.

    :rtype: list[Row]
    """
    rows = []
    with step("Opening pages"):
        supervisor = bed.log_in(*SUPERVISOR)
        salesperson = bed.log_in(*SALESPERSON)
        user_id = salesperson.user_id
        rows += _lists("supervisor", supervisor, user_id)
        rows += _lists("salesperson", salesperson, user_id)
        rows += _contact(supervisor)
        rows += _beside_without(supervisor, "write_contact", "writing a contact", 50)
        rows += _beside_without(
            supervisor, "session_info", "loading the web client", 50
        )
        screen = _time(supervisor, "get_screen", 50)
    return [*rows, Row("the screen of somebody without an extension", screen)]


def _lists(who, server, user_id):
    """Open, filter and group the call log and the leads alike."""
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


class _List:
    """A list in the web client, as it asks the server.

    :param Server server: with somebody's session.
    :param str model: of the records.
    :param str date: the field that they are filtered by.
    :param int user_id: whose records they are filtered to.
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
        """Of clients who were missed, as the menu opens them."""
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
    """Open the contact with most calls, with our fields and without."""
    [call] = server.call(
        "mango.call",
        "search_read",
        [("entry_id", "=like", "bench-%"), ("partner_id.name", "=", "Контакт 1")],
        ["partner_id"],
        limit=1,
    )
    partner_id = call["partner_id"][0]
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

    def opened(specification):
        server.call("res.partner", "web_read", [partner_id], specification)

    without, with_us = _in_turn(lambda: opened(theirs), lambda: opened(ours))
    calls = server.call("mango.call", "search_count", [("partner_id", "=", partner_id)])
    floor = Row(f"contact with {calls} calls, our fields left out", without)
    what = f"contact with {calls} calls, opened"
    return [floor, Row(what, with_us, floor.p50, at_most(1.5))]


def _beside_without(server, name, what, rounds):
    floor = Row(f"{what}, the addon left out", _time(server, f"{name}_without", rounds))
    return [floor, Row(what, _time(server, name, rounds), floor.p50, at_most(1.5))]


def _is_large(bed):
    [count] = bed.query("SELECT count(*) FROM res_partner")
    return int(count) >= 1_000_000


def _time(server, what, rounds):
    """Measure inside the server; the first round is to warm up."""
    params = {"what": what, "rounds": rounds + 1}
    return server.rpc("/mango_office_bench/time", params)[1:]


def _in_turn(*ways):
    """Measure some ways in turn, so that the machine is the same for all of them.

    :param ways: functions without parameters.
    :return: the seconds of each way's rounds; the first one is to warm up.
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
    """Return what the web client would ask of each record of a view.

    :param str arch: of the view.
    :param dict fields: of the model; those inside of x2many fields are passed over.
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
