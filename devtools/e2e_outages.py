"""Outages: a PBX that hangs, a killed server, a lost database."""

import collections
import os
import signal
import statistics
import threading
import time
from datetime import date, timedelta

from . import e2e_chaos, paths, traffic
from .console import step
from .e2e_chaos import CONNECTIONS, SEED, WORKERS

ASKING_TRIES = 20  # a second each
PATIENCE = 120  # maximum seconds to wait
LOG = paths.LOGS / "e2e-outage.log"


def run(bed):
    """Run all these checks.

    :param TestBed bed: with Odoo stopped.
    :return: name, success and detail of each check, as they come.
    :rtype: ~collections.abc.Iterator[tuple[str, bool, str]]
    """
    recorded = traffic.load()
    yield from _check_slow_pbx(bed, recorded)
    with LOG.open("w") as log:
        yield from _check_kill(bed, recorded)
        yield from _check_reconciled(bed)
        yield from _check_lost_database(bed, recorded, log)
    yield _check_outage_log()


# ---------------------------------------------------------------------------
# A PBX that hangs


def _check_slow_pbx(bed, recorded):
    """The PBX's behaviour must not delay the answers to its notifications."""
    [routed] = (
        scenario for scenario in recorded if scenario.name == "inbound-known-manager"
    )
    greeted = routed._replace(posts=routed.posts[:1])  # routed from the greeting
    posts = {
        name: traffic.copies([greeted] * 100, name) for name in ("well", "slow", "down")
    }
    with bed.serving(WORKERS):
        well = _latencies(bed, posts["well"], "The PBX answers")
        since = bed.pbx.last_id()
        fault = {"kind": "slow", "times": 0, "seconds": 30}
        bed.pbx.post("settings", faults=[fault], speed=1)
        with step("Waiting for a request to the PBX"):
            is_asked = _is_asked(bed, greeted, since)
        slow = _latencies(bed, posts["slow"], "The PBX hangs for 30 seconds")
        bed.pbx.post("settings", faults=[], speed=bed.speed)
        yield _check_latency("the PBX hangs", well, slow, is_asked)
        bed.stop_pbx()
        down = _latencies(bed, posts["down"], "The PBX is down")
        bed.start_pbx()
        yield _check_latency("the PBX is down", well, down, True)


def _is_asked(bed, greeted, since):
    """Simulate callers until one of them is to be routed.

    Earlier callers may have used up the PBX's slots for some seconds.

    :return: whether a command is waiting for the PBX.
    :rtype: bool
    """
    for order in range(ASKING_TRIES):
        traffic.deliver(traffic.copies([greeted], f"asked{order}"), [bed.url], 1)
        time.sleep(1)
        if bed.pbx.commands("commands/route", since):
            return True
    return False


def _latencies(bed, posts, text):
    with step(text):
        answers = traffic.deliver(posts, [bed.url], WORKERS)
    return [answer.seconds if answer.status == 200 else 1e9 for answer in answers]


def _check_latency(what, well, now, is_asked):
    """A request that waited for the PBX would take seconds, not a little longer."""
    ratio = statistics.median(now) / statistics.median(well)
    detail = f"median × {ratio:.1f}, longest {max(now):.1f} s, asked: {is_asked}"
    ok = ratio < 3 and max(now) < 5 and is_asked
    return f"notifications are answered as fast while {what}", ok, detail


# ---------------------------------------------------------------------------
# Outages


def _check_kill(bed, recorded):
    posts = traffic.disordered(traffic.copies(recorded, "kill"), SEED)
    answers = []

    def kill_in_the_middle(answer):
        answers.append(answer)
        if len(answers) == len(posts) // 3:
            os.killpg(server.pid, signal.SIGKILL)

    with bed.serving(WORKERS) as server:
        with step("The server is killed"):
            traffic.deliver(posts, [bed.url], CONNECTIONS, kill_in_the_middle)
    with bed.serving(WORKERS):
        yield _check_kept("killed", bed, answers)
        yield e2e_chaos.check_queue(bed)


def _check_reconciled(bed):
    """Unanswered notifications are made up for by the PBX's statistics, once."""
    played = []
    bursts = threading.Thread(target=lambda: played.append(bed.pbx.play("burst")))
    with bed.serving(WORKERS) as server:
        with step("The server is killed while ten customers call"):
            since = bed.pbx.last_id()
            bursts.start()
            _wait_until(lambda: len(_answered(bed, since)) >= 12, "answers")
            os.killpg(server.pid, signal.SIGKILL)
            bursts.join()
    [outcome] = played
    told = {entry["body"].get("entry_id") for entry in _answered(bed, since)}
    with bed.serving(WORKERS):
        with step("Fetching the calls from the PBX"):
            log = bed.log_in("admin", "admin")
            before = _results(log, outcome)
            _fetch_history(log)
            after = _results(log, outcome)
    expected = {
        call["entry_id"]: ["ended", "answered" if call["talk_at"] else "missed"]
        for call in outcome["calls"]
    }
    detail = f"expected {expected}\nbefore {before}\nafter {after}"
    is_outage = bool(told) and before != expected
    yield (
        "killed: what was not answered is imported from the statistics",
        is_outage and after == expected,
        detail,
    )


def _answered(bed, since):
    """Return the calls whose notifications were answered 200."""
    entries = bed.pbx.get(f"log?since={since}")
    return [e for e in entries if e["direction"] == "sent" and e["status"] == 200]


def _results(log, outcome):
    """Return state and result of each call that is in the log exactly once."""
    entries = [call["entry_id"] for call in outcome["calls"]]
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
    """Import the calls of today and yesterday manually, and wait for them."""
    [account] = log.search_read("mango.account", [], ["id"])
    today = date.today()
    values = {
        "account_id": account["id"],
        "date_from": str(today - timedelta(days=1)),
        "date_to": str(today + timedelta(days=1)),
    }
    # Requests to a PBX that was down are paused; this is "Try Now" on its form.
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
            raise RuntimeError(f"Timeout after {PATIENCE} s while waiting for {what}.")
        time.sleep(0.05)


def _check_lost_database(bed, recorded, log):
    posts = traffic.disordered(traffic.copies(recorded, "lost"), SEED)
    cuts = {len(posts) * part // 6 for part in (1, 2, 3)}
    answers = []

    def cut_now_and_then(answer):
        answers.append(answer)
        if len(answers) in cuts:
            bed.cut_connections()

    with bed.serving(WORKERS, log=log) as server:
        with step("The database is lost three times"):
            traffic.deliver(posts, [bed.url], CONNECTIONS, cut_now_and_then)
        recovered = answers[-len(posts) // 3 :]
        yield _check_kept("without its database", bed, answers)
        yield e2e_chaos.check_answers("the server recovers by itself", recovered)
        alive = server.poll() is None
        yield "the server survives the loss of its database", alive, ""
        yield e2e_chaos.check_queue(bed)


def _check_kept(what, bed, answers):
    """Check that what was answered 200 is stored, and that the outage was real."""
    kept = [answer.post for answer in answers if answer.status == 200]
    lost = len(answers) - len(kept)
    missing = set(kept) - set(e2e_chaos.stored(bed))
    detail = f"{len(kept)} answered, {lost} not; {len(missing)} missing"
    ok = bool(kept and lost) and not missing
    return f"{what}: whatever was answered 200 is stored", ok, detail


def _check_outage_log():
    """Odoo itself logs lost connections; the addon must not log more."""
    with LOG.open(errors="replace") as log:
        marks = (" WARNING ", " ERROR ", " CRITICAL ")
        bad = [line for line in log if any(mark in line for mark in marks)]
    ours = [line for line in bad if f"odoo.addons.{paths.MODULE}" in line]
    return "no messages of the addon in the log of the outages", not ours, "".join(ours)
