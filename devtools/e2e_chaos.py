"""The addon's worst day: disorder, a killed server, a lost database, a PBX that hangs.

The scenarios' notifications are recorded once and delivered in copies, shuffled and
doubled, over many connections, to two Odoo servers with several processes each.
"""

import collections
import contextlib
import os
import random
import signal
import statistics
import threading
import time
from datetime import date, timedelta

from . import demo, e2e_callbacks, odoo, paths, takes
from .console import step

CALLS = 1000
CONNECTIONS = 16
WORKERS = 2
ASKING_TRIES = 20  # a second each
PATIENCE = 120  # seconds to wait for what must come
SEED = 20260101  # the same disorder in every run
IN_ORDER = "order"
OUTAGE_LOG = paths.LOGS / "e2e-outage.log"

#: What of a call says when its notifications came, not what they say: the caller may
#: have left the greeting before the first one that arrives.
OF_THE_MOMENT = {
    "routed_extension_id",
    "route_state",
    "route_reason",
    "route_command_id",
    "timeline",  # tells of the route
}
#: Not of the PBX: Odoo's own marks on any record, and the chatter's.
OF_ODOO = {"id", "create_date", "write_date", "create_uid", "write_uid", "call_id"}
OF_ODOO |= {"display_name"}  # made of the others
OF_CHATTER = ("message_", "activity_", "my_activity_", "rating_", "has_message")


def run(theatre):
    """Put the addon through all of it.

    :param Stage theatre: where Odoo is served; nobody serves it now.
    :return: name, success and detail of each check, as they come.
    :rtype: ~collections.abc.Iterator[tuple[str, bool, str]]
    """
    recorded = takes.load()
    yield from _check_disorder(theatre, recorded)
    yield from _check_slow_pbx(theatre, recorded)
    with OUTAGE_LOG.open("w") as log:
        yield from _check_kill(theatre, recorded)
        yield from _check_reconciled(theatre)
        yield from _check_lost_database(theatre, recorded, log)
    yield _check_outage_log()


# ---------------------------------------------------------------------------
# Disorder


def _check_disorder(theatre, recorded):
    with _two_servers(theatre) as urls:
        with step("Every scenario in order"):
            _deliver_in_order(recorded, urls)
        copies = _posts(takes.multiplied(recorded, CALLS), "chaos")
        answers = []
        with step("A thousand calls in disorder", lambda: f"{len(answers)} posts"):
            started = time.monotonic()
            takes.deliver(_disordered(copies), urls, CONNECTIONS, answers.append)
            rate = len(answers) / (time.monotonic() - started)
        yield _check_answers(f"{len(answers)} posts, {rate:.0f} a second", answers)
        yield _check_stored_once(theatre, copies)
        yield _check_queue(theatre)
        with step("Comparing the calls"):
            yield _check_same(theatre)
        yield from e2e_callbacks.check(theatre, recorded, urls)


def _deliver_in_order(recorded, urls):
    """Deliver each recording one notification after the other."""
    threads = [
        threading.Thread(target=takes.deliver, args=(_posts([take], IN_ORDER), urls, 1))
        for take in recorded
    ]
    for start in range(0, len(threads), CONNECTIONS):
        batch = threads[start : start + CONNECTIONS]
        for thread in batch:
            thread.start()
        for thread in batch:
            thread.join()


def _check_answers(what, answers):
    statuses = collections.Counter(answer.status for answer in answers)
    return f"all answered 200: {what}", set(statuses) == {200}, str(statuses)


def _check_stored_once(theatre, posts):
    name = "every notification is stored once"
    stored = collections.Counter(_stored(theatre))
    wrong = [post for post in posts if stored[post] != 1]
    return name, not wrong, f"{len(wrong)}, such as {wrong[:3]}"


def _check_queue(theatre):
    rows = theatre.query(
        "SELECT concat_ws(' ', state, kind, error) FROM mango_event "
        "WHERE state NOT IN ('done', 'ignored')"
    )
    return "no notification failed or waits", not rows, "\n".join(rows[:5])


def _check_same(theatre):
    name = "calls in disorder are those in order, field for field"
    calls = _Calls(theatre).read()
    expected, found = {}, collections.defaultdict(list)
    for entry, mark, values in calls:
        delivery, take, _order = mark.split(takes.SEPARATOR)
        if delivery == IN_ORDER:
            expected[take, entry] = values
        else:
            found[take, entry].append(values)
    total = sum(map(len, found.values()))
    wrong = [
        _difference(expected[entry], values)
        for entry, copies in found.items()
        for values in copies
        if values != expected[entry]
    ]
    ok = total >= CALLS and set(found) == set(expected) and not wrong
    return f"{name}: {total}", ok, f"{len(wrong)} wrong, such as {wrong[:3]}"


def _difference(expected, found):
    names = [name for name in expected if expected[name] != found.get(name)]
    return {name: (expected[name], found.get(name)) for name in names}


class _Calls:
    """The call log with its legs, as somebody reads it who may read all.

    :param Stage theatre: where Odoo is served.
    """

    def __init__(self, theatre):
        self._server = theatre.log_in("admin", "admin")

    def read(self):
        """:return: of each call the recording's entry, the copy's mark, the values."""
        legs = collections.defaultdict(list)
        for leg in self._read("mango.call.leg", "call_id"):
            legs[leg.pop("call_id")[0]].append(leg)
        for call in self._read("mango.call", "id"):
            of_call = sorted(legs[call.pop("id")], key=lambda leg: leg["leg_ref"])
            entry, _separator, mark = call.pop("entry_id").partition(takes.SEPARATOR)
            if mark:  # others were called before
                yield entry, mark, {**call, "legs": of_call}

    def _read(self, model, link):
        fields = self._server.call(model, "fields_get", [], ["type", "relation"])
        names = [name for name, field in fields.items() if self._is_of_pbx(name, field)]
        records = self._server.search_read(model, [], [*names, link])
        for record in records:
            for name in names:
                record[name] = self._normalised(record[name], fields[name])
            if "leg_ref" in record:
                record["leg_ref"] = takes.unmarked(record["leg_ref"])
            if link != "id":
                record.pop("id")
        return records

    @staticmethod
    def _is_of_pbx(name, field):
        if name in OF_ODOO | OF_THE_MOMENT or name.startswith(OF_CHATTER):
            return False
        return field["type"] != "binary"

    @staticmethod
    def _normalised(value, field):
        """Make two calls comparable: of what belongs to a call only the number."""
        if field["type"] not in ("one2many", "many2many"):
            return value
        return len(value) if field["relation"].startswith("mango.") else sorted(value)


# ---------------------------------------------------------------------------
# A PBX that hangs


def _check_slow_pbx(theatre, recorded):
    """What the PBX does must not be felt by whoever notifies."""
    [routed] = (take for take in recorded if take.name == "inbound-known-manager")
    greeted = routed._replace(posts=routed.posts[:1])  # and routed from the greeting
    posts = {name: _posts([greeted] * 100, name) for name in ("well", "slow", "down")}
    with theatre.serving(WORKERS):
        well = _latencies(theatre, posts["well"], "The PBX answers")
        since = theatre.pbx.last_id()
        fault = {"kind": "slow", "times": 0, "seconds": 30}
        theatre.pbx.post("settings", faults=[fault], speed=1)
        with step("Waiting until the PBX is asked something"):
            is_asked = _is_asked(theatre, greeted, since)
        slow = _latencies(theatre, posts["slow"], "The PBX hangs for 30 seconds")
        theatre.pbx.post("settings", faults=[], speed=theatre.speed)
        yield _check_latency("the PBX hangs", well, slow, is_asked)
        theatre.stop_pbx()
        down = _latencies(theatre, posts["down"], "The PBX is down")
        theatre.start_pbx()
        yield _check_latency("the PBX is down", well, down, True)


def _is_asked(theatre, greeted, since):
    """Let people call until one of them is to be routed.

    Those who called before them may have used up the PBX's turns for some seconds.

    :return: whether somebody waits for the PBX now.
    :rtype: bool
    """
    for order in range(ASKING_TRIES):
        takes.deliver(_posts([greeted], f"asked{order}"), [theatre.url], 1)
        time.sleep(1)
        if theatre.pbx.commands("commands/route", since):
            return True
    return False


def _latencies(theatre, posts, text):
    with step(text):
        answers = takes.deliver(posts, [theatre.url], WORKERS)
    return [answer.seconds if answer.status == 200 else 1e9 for answer in answers]


def _check_latency(what, well, now, is_asked):
    """A request that waited for the PBX would take seconds, not a little longer."""
    ratio = statistics.median(now) / statistics.median(well)
    detail = f"median × {ratio:.1f}, longest {max(now):.1f} s, asked: {is_asked}"
    ok = ratio < 3 and max(now) < 5 and is_asked
    return f"notifications are answered as fast while {what}", ok, detail


# ---------------------------------------------------------------------------
# Outages


def _check_kill(theatre, recorded):
    posts = _disordered(_posts(recorded, "kill"))
    answers = []

    def kill_in_the_middle(answer):
        answers.append(answer)
        if len(answers) == len(posts) // 3:
            os.killpg(server.pid, signal.SIGKILL)

    with theatre.serving(WORKERS) as server:
        with step("The server is killed"):
            takes.deliver(posts, [theatre.url], CONNECTIONS, kill_in_the_middle)
    with theatre.serving(WORKERS):
        yield _check_kept("killed", theatre, answers)
        yield _check_queue(theatre)


def _check_reconciled(theatre):
    """What was not answered comes from the PBX's statistics, once."""
    played = []
    bursts = threading.Thread(target=lambda: played.append(theatre.pbx.play("burst")))
    with theatre.serving(WORKERS) as server:
        with step("The server is killed while ten customers call"):
            since = theatre.pbx.last_id()
            bursts.start()
            _wait_until(lambda: len(_answered(theatre, since)) >= 12, "answers")
            os.killpg(server.pid, signal.SIGKILL)
            bursts.join()
    [play] = played
    told = {entry["body"].get("entry_id") for entry in _answered(theatre, since)}
    with theatre.serving(WORKERS):
        with step("Fetching the calls from the PBX"):
            log = theatre.log_in("admin", "admin")
            before = _results(log, play)
            _fetch_history(log)
            after = _results(log, play)
    expected = {
        call["entry_id"]: ["ended", "answered" if call["talk_at"] else "missed"]
        for call in play["calls"]
    }
    detail = f"expected {expected}\nbefore {before}\nafter {after}"
    is_outage = bool(told) and before != expected
    yield (
        "killed: whatever was not answered comes by reconcile",
        is_outage and after == expected,
        detail,
    )


def _answered(theatre, since):
    """Return what the PBX has told and Odoo has answered with 200."""
    entries = theatre.pbx.get(f"log?since={since}")
    return [e for e in entries if e["direction"] == "sent" and e["status"] == 200]


def _results(log, play):
    """Return state and result of each call of a play that the log has exactly once."""
    entries = [call["entry_id"] for call in play["calls"]]
    calls = log.search_read(
        "mango.call", [("entry_id", "in", entries)], ["entry_id", "state", "result"]
    )
    times = collections.Counter(call["entry_id"] for call in calls)
    return {
        call["entry_id"]: [call["state"], call["result"]]
        for call in calls
        if times[call["entry_id"]] == 1
    }


def _fetch_history(log):
    """Order the calls of today and yesterday by hand, and wait for them."""
    [account] = log.search_read("mango.account", [], ["id"])
    today = date.today()
    values = {
        "account_id": account["id"],
        "date_from": str(today - timedelta(days=1)),
        "date_to": str(today + timedelta(days=1)),
    }
    # A PBX that was down is left alone for a while; "Try now" on its form.
    log.call("mango.account", "action_resume_requests", [account["id"]])
    [wizard] = log.call("mango.statistics.import.start", "create", [values])
    job = log.call("mango.statistics.import.start", "action_start", [wizard])["res_id"]

    def is_over():
        [row] = log.search_read(
            "mango.statistics.import", [("id", "=", job)], ["state"]
        )
        return row["state"] in ("done", "failed")

    _wait_until(is_over, "the calls from the PBX")


def _wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"Waited {PATIENCE} s in vain for {what}.")
        time.sleep(0.05)


def _check_lost_database(theatre, recorded, log):
    posts = _disordered(_posts(recorded, "lost"))
    cuts = {len(posts) * part // 6 for part in (1, 2, 3)}
    answers = []

    def cut_now_and_then(answer):
        answers.append(answer)
        if len(answers) in cuts:
            theatre.cut_connections()

    with theatre.serving(WORKERS, log=log) as server:
        with step("The database is lost three times"):
            takes.deliver(posts, [theatre.url], CONNECTIONS, cut_now_and_then)
        recovered = answers[-len(posts) // 3 :]
        yield _check_kept("without its database", theatre, answers)
        yield _check_answers("the server recovers by itself", recovered)
        alive = server.poll() is None
        yield "the server survives the loss of its database", alive, ""
        yield _check_queue(theatre)


def _check_kept(what, theatre, answers):
    """What was answered 200 is there; and it was an outage: something was not."""
    kept = [answer.post for answer in answers if answer.status == 200]
    lost = len(answers) - len(kept)
    missing = set(kept) - set(_stored(theatre))
    detail = f"{len(kept)} answered, {lost} not; {len(missing)} missing"
    ok = bool(kept and lost) and not missing
    return f"{what}: whatever was answered 200 is stored", ok, detail


def _check_outage_log():
    """That connections are lost is said by Odoo itself; the addon says nothing more."""
    with OUTAGE_LOG.open(errors="replace") as log:
        marks = (" WARNING ", " ERROR ", " CRITICAL ")
        bad = [line for line in log if any(mark in line for mark in marks)]
    ours = [line for line in bad if f"odoo.addons.{paths.MODULE}" in line]
    return "log of the outages has nothing of ours", not ours, "".join(ours)


# ---------------------------------------------------------------------------
# Posts


@contextlib.contextmanager
def _two_servers(theatre):
    port = odoo.free_port()
    with theatre.serving(WORKERS), theatre.serving(WORKERS, port):
        yield [theatre.url, f"http://{demo.HOST}:{port}"]


def _posts(recorded, name):
    """Return the notifications of a copy of each recording.

    :param list[Take] recorded: each as often as it is to be copied.
    :param str name: what the marks of the copies begin with.
    :rtype: list[Post]
    """
    return [
        post
        for order, take in enumerate(recorded)
        for post in take.copy(takes.SEPARATOR.join([name, take.name, str(order)]))
    ]


def _disordered(posts):
    """Return every notification twice, in any order."""
    twice = [*posts, *posts]
    random.Random(SEED).shuffle(twice)
    return twice


def _stored(theatre):
    rows = theatre.query(r"SELECT kind || E'\n' || body FROM mango_event")
    return [takes.Post(*row.split("\n", 1)) for row in rows]
