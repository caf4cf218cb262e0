"""``./dev bench``: notifications, beside a bare webhook that inserts one row."""

import itertools
import json
import random
import threading
import time

from . import traffic
from .bench_table import Budget, Row, at_most
from .console import step

#: Calls whose notifications are measured in turn, alternating with bare ones.
CALLS = 25
WARM_UP = 3  # calls that are not counted
CALLER = "inbound-known-manager"  # known, and routed to the manager
STRANGER = "inbound-unknown"
FLOOR = "/mango_office_bench/insert"

THROUGHPUT_CALLS = 40
RATE = 20  # notifications a second while it rings
ROUTE_INTERVAL = 2.8  # seconds; commands leave 2.5 s apart

_marks = itertools.count(int(time.time()))


#: What calls cause afterwards: leads, lines in the chatter, call backs.
CONSEQUENCES = {
    True: {
        "lead_policy": "always",
        "lead_policy_known": "always",
        "chatter_enabled": True,
        "callback_enabled": True,
    },
    False: {
        "lead_policy": "never",
        "lead_policy_known": "never",
        "chatter_enabled": False,
        "callback_enabled": False,
    },
}


def notification(bed, small=None):
    """Measure one notification, stored and applied, from the post to the answer.

    :param list small: the same rows for the small database, or none.
    :rtype: list[Row]
    """
    budget = at_most(2.5)
    _set_consequences(bed, False)
    floor, firsts, others = _posted(bed, CALLER)
    what = "notification, any; leads, chatter and call backs off"
    off = Row(what, firsts + others, floor.p50, budget)
    _set_consequences(bed, True)
    floor, firsts, others = _posted(bed, STRANGER)
    what = "notification, any; an unknown caller, of whom a lead is made"
    unknown = Row(what, firsts + others, floor.p50, budget)
    floor, firsts, others = _posted(bed, CALLER)
    rows = [
        floor,
        Row("notification, any", firsts + others, floor.p50, budget),
        Row("notification, the first of a call: identify, route", firsts, floor.p50),
        Row("notification, a later one", others, floor.p50),
    ]
    if small:
        rows.append(_flat(rows, small))
    return [*rows, unknown, off]


def _set_consequences(bed, are_on):
    server = bed.log_in("admin", "admin")
    ids = server.call("mango.account", "search", [])
    server.call("mango.account", "write", ids, CONSEQUENCES[are_on])


def _posted(bed, name):
    """Post calls, and bare notifications in turn with them.

    :param str name: of the calls' scenario.
    :return: the row of bare ones, and the seconds of the first and of the other
        notifications of the calls.
    :rtype: tuple[Row, list[float], list[float]]
    """
    scenario = _take(name)
    calls = [_copy(scenario) for _number in range(CALLS + WARM_UP)]
    floors, firsts, others = [], [], []
    with step(f"Posting {len(calls)} calls"):
        for order, (first, *rest) in enumerate(calls):
            found = [seconds(bed, post) for post in (first, *rest)]
            bare = [seconds(bed, post, FLOOR) for post in (first, *rest)]
            if order >= WARM_UP:
                firsts += found[:1]
                others += found[1:]
                floors += bare
    return Row("bare webhook that inserts one row", floors), firsts, others


def _flat(rows, small):
    """Compare a notification with the same one on the small database.

    The two were measured at different times; differences of the machine's load are
    compensated by the bare webhook, which was measured in turn with each.
    """
    large_bare, large = rows[:2]
    small_bare, before = small[:2]
    as_it_is_now = before.p50 * large_bare.p50 / small_bare.p50
    budget = at_most(1.3)._replace(words="≤ 1.3 × of ten thousand calls")
    what = "the same, beside a small database"
    return Row(what, large.values, as_it_is_now, budget)


def throughput(bed, workers):
    """Measure how many notifications the server handles.

    :param int workers: processes of the server.
    :rtype: list[Row]
    """
    recorded = traffic.load()
    posts = [
        post
        for number in range(THROUGHPUT_CALLS)
        for post in _copy(recorded[number % len(recorded)])
    ]
    random.Random(workers).shuffle(posts)
    rows = []
    for name, webhook in (("bare rows", FLOOR), ("notifications", traffic.WEBHOOK)):
        with step(f"Posting {len(posts)} {name} to {workers} workers"):
            started = time.monotonic()
            answers = traffic.deliver(
                posts, [bed.url], connections=2 * workers, webhook=webhook
            )
            rate = len(answers) / (time.monotonic() - started)
        _check(answers)
        what = f"{name}, {workers} workers: {rate:.0f} a second"
        rows.append(Row(what, [answer.seconds for answer in answers]))
    rows[1].floor = rows[0].p50
    return rows


def ring_to_route(bed, rounds):
    """Measure from the post of a known caller's ring to the route command at the PBX.

    Meanwhile there are notifications of other calls, and the PBX answers slowly.

    :param int rounds: how many callers.
    :rtype: list[Row]
    """
    fault = {"kind": "slow", "times": 0, "seconds": 1.5}
    bed.pbx.post("settings", faults=[fault])
    # Nobody picks up here, and everybody is rung again all the same.
    bed.query("UPDATE mango_account SET route_unanswered_limit = 0")
    rings = [_copy(_take(CALLER)) for _round in range(rounds + WARM_UP)]
    found = []
    done = threading.Event()
    crowd = threading.Thread(target=_crowd, args=(bed, done))
    with step(f"Ringing {len(rings)} times amid {RATE} notifications a second"):
        crowd.start()
        try:
            for ring, *_others, summary in rings:
                found.append(_seconds_to_route(bed, ring))
                seconds(bed, summary)  # or the manager would be rung for ever
        finally:
            done.set()
            crowd.join()
            bed.pbx.post("settings", faults=[])
    budget = Budget("p95 ≤ 150 ms", lambda row: row.p95 <= 0.15)
    what = f"ring → route command, {RATE} notifications a second, a slow PBX"
    return [Row(what, found[WARM_UP:], budget=budget)]


def _seconds_to_route(bed, ring):
    since = bed.pbx.last_id()
    started, begun = time.time(), time.monotonic()
    seconds(bed, ring)
    leg = json.loads(ring.text)["call_id"]
    while time.monotonic() - begun < ROUTE_INTERVAL:
        time.sleep(0.1)
    for command in bed.pbx.commands("commands/route", since):
        if leg in str(command["body"]):
            return command["at"] - started
    raise RuntimeError("The PBX got no command to route the call.")


def _crowd(bed, done):
    """Post notifications of other calls at a steady rate until the measure is done."""
    # No phone rings for them: the manager is not to be busy.
    calls = iter(lambda: _copy(_take("missed-in-menu")), None)
    posts = itertools.chain.from_iterable(calls)
    threads = []
    while not done.wait(1 / RATE):
        post = next(posts)
        thread = threading.Thread(target=traffic.send, args=(post, bed.url))
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()


_recorded = {}


def _take(name):
    if not _recorded:
        _recorded.update({scenario.name: scenario for scenario in traffic.load()})
    return _recorded[name]


def copy_of(name):
    """Return the notifications of a copy of a recorded scenario.

    :rtype: list[Post]
    """
    return _copy(_take(name))


def _copy(scenario):
    return scenario.copy(f"bench{next(_marks)}")


def seconds(bed, post, webhook=traffic.WEBHOOK):
    """Post a notification and measure the time to the answer.

    :rtype: float
    :raise RuntimeError: if it is not answered 200.
    """
    answer = traffic.send(post, bed.url, webhook)
    _check([answer])
    return answer.seconds


def _check(answers):
    bad = [answer.status for answer in answers if answer.status != 200]
    if bad:
        raise RuntimeError(f"Notifications were answered {bad[:5]}.")
