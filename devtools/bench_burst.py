"""``./dev bench``: bursts of notifications, a large group, and a slow PBX."""

import json
import threading
import time

from . import bench_pages, bench_routing, bench_webhook, e2e_burst, traffic
from .bench_table import Budget, Row, at_most
from .console import step

GROUP = 50  # phones
#: Of each of the requests for users, groups, lines and the black list.
SLOW_SECONDS = 5
WARM_UP, CALLS = 3, 15
UNROUTED = "missed-in-menu"


def burst(bed, mode):
    """Measure hundreds of notifications at once.

    :param TestBed bed: with Odoo running.
    :param str mode: the server's mode, for the name of the row.
    :rtype: list[Row]
    """
    count = e2e_burst.CALLS
    with step(f"Posting {count} notifications of {count} calls at once, {mode}"):
        answers = e2e_burst.deliver(bed, mode)
    bad = sum(answer.status != 200 for answer in answers)
    budget = Budget("all answered 200", lambda _row: not bad)
    what = f"{count} notifications of {count} calls at once, {mode}"
    return [Row(what, [answer.seconds for answer in answers], budget=budget)]


def group(bed):
    """Count the bus messages of a large group that rings until one picks up.

    :param TestBed bed: with Odoo running.
    :rtype: list[Row]
    """
    bench_routing.employees(bed)
    numbers = bed.query(
        "SELECT number FROM mango_extension WHERE name LIKE 'bench-%' "
        f"ORDER BY number LIMIT {GROUP}"
    )
    first, *others = numbers
    posts = [
        *(_leg(number, 1, "Appeared", time=0) for number in numbers),
        _leg(first, 2, "Connected", time=5),
        *(
            _leg(number, 2, "Disconnected", time=5, disconnect_reason=1162)
            for number in others
        ),
    ]
    with step(f"Ringing a group of {GROUP}"):
        before = _last_message(bed)
        for post in posts:
            bench_webhook.seconds(bed, post)
        sent = _last_message(bed) - before
    what = f"bus messages: a group of {GROUP} rings, one picks up"
    budget = Budget("≤ 200", lambda row: row.p50 <= 200)
    return [Row(what, [sent], budget=budget, unit="messages")]


def _last_message(bed):
    return int(bed.query("SELECT last_value FROM bus_bus_id_seq")[0])


def _leg(number, seq, state, *, time, **members):
    payload = {
        "entry_id": "group-of-fifty",
        "call_id": f"group-{number}",
        "timestamp": 1700000000 + time,
        "seq": seq,
        "call_state": state,
        "location": "abonent",
        "from": {"number": "74950009999"},
        "to": {
            "number": number,
            "extension": number,
            "line_number": e2e_burst.LINE,
            "acd_group": "500",
        },
        **members,
    }
    return traffic.Post("events/call", json.dumps(payload))


def beside_slow_pbx(bed):
    """Measure notifications while the PBX keeps "Load PBX Users" waiting.

    :param TestBed bed: with Odoo running.
    :rtype: list[Row]
    """
    bare = _notifications(bed)
    server = bed.log_in(*bench_pages.SUPERVISOR)
    accounts = server.call("mango.account", "search", [], limit=1)
    load = threading.Thread(
        target=server.call, args=("mango.account", "action_load_users", accounts)
    )
    slow = {"kind": "slow", "times": 0, "seconds": SLOW_SECONDS}
    bed.pbx.post("settings", faults=[slow])
    try:
        with step("Posting while users are loaded from a slow PBX"):
            load.start()
            time.sleep(1)  # the first request is under way
            found = _notifications(bed)
            was_loading = load.is_alive()
            load.join()
    finally:
        bed.pbx.post("settings", faults=[])
    budget = at_most(1.5)
    if not was_loading:
        budget = Budget("while loading", lambda _row: False)
    what = "a notification while users are loaded from a slow PBX"
    return [
        Row("a notification, nothing beside it", bare),
        Row(what, found, Row("", bare).p50, budget),
    ]


def _notifications(bed):
    found = []
    for number in range(WARM_UP + CALLS):
        first, *_others = bench_webhook.copy_of(UNROUTED)
        seconds = bench_webhook.seconds(bed, first)
        if number >= WARM_UP:
            found.append(seconds)
    return found
