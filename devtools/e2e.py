"""End-to-end tests: the simulator calls, a real Odoo with several processes answers.

They test what Odoo's own tests cannot, because those share one transaction: hooks after
a commit, locks between server processes, and timely route commands.
"""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from . import (
    e2e_browser,
    e2e_burst,
    e2e_chaos,
    e2e_recordings,
    e2e_routing,
    e2e_self_test,
    paths,
    testbed,
)
from .report import Report

DATABASE = "mango_e2e"
LOG = paths.LOGS / "e2e.log"
WORKERS = 3
ASKING = 5  # people at once
FETCHING_SECONDS = 60
CHAOS = "chaos"  # runs e2e_chaos instead of scenarios in the browser
ORDERS = "chaos-order"  # only compares calls in order and in disorder
ROUTING = "routing"  # the same for e2e_routing
RECORDINGS = "recordings"  # the same for e2e_recordings
SELF_TEST = "self-test"  # the same for e2e_self_test
SPEED = 5  # shortens waiting only; the greeting still takes a second

CALL_FIELDS = [
    "direction",
    "state",
    "result",
    "client_number",
    "partner_id",
    "user_id",
    "route_state",
    "route_reason",
    "leg_ids",
]
ANSWERED = {"state": "ended", "result": "answered"}
MISSED = {"state": "ended", "result": "missed"}
IVAN = "ООО «Вектор», Иван Петров"

#: The logged values of a scenario's call, and the target in the route command.
EXPECTED = {
    "inbound-known-manager": (
        {**ANSWERED, "user": "anna", "partner": IVAN, "route_state": "accepted"},
        "101",
    ),
    "inbound-lead-only": (
        {**ANSWERED, "user": "vera", "partner": False, "route_state": "accepted"},
        "103",
    ),
    "inbound-missed": ({**MISSED, "partner": IVAN, "route_state": "accepted"}, "101"),
    "inbound-group-transfer": ({**ANSWERED, "route_state": "skipped"}, None),
    "inbound-anonymous": (
        {**ANSWERED, "client_number": False, "route_state": "skipped"},
        None,
    ),
    "inbound-shuffled": ({**ANSWERED, "partner": "Сергей Волков"}, None),
    "inbound-doubled": ({**ANSWERED, "partner": "Сергей Волков"}, None),
    "summary-first": ({**ANSWERED, "partner": "Сергей Волков"}, None),
    "missed-in-menu-result-1": (MISSED, None),
    "callback-answered": (
        {**ANSWERED, "direction": "outbound", "client_number": "+74950000201"},
        None,
    ),
    "internal-call": ({**ANSWERED, "direction": "internal", "partner": False}, None),
    "route-late": ({"state": "ended", "route_state": "failed"}, None),
}


def main(scenarios, seeds, times):
    """Run only these tests.

    :param list scenarios: as for :func:`run`.
    :param ~collections.abc.Iterable[int] seeds: the same.
    :param int times: the same.
    :return: exit status.
    :rtype: int
    """
    report = Report()
    for name, ok, detail in run(scenarios, seeds, times):
        report.add(name, ok, detail)
    return report.finish()


def run(scenarios=(), seeds=(), times=e2e_routing.AT_ONCE):
    """Run the scenarios against Odoo, then the tours in a browser, then chaos.

    :param list scenarios: names of browser scenarios, ``routing``, ``recordings``,
        ``self-test``, ``chaos`` or ``chaos-order``; empty for all.
    :param ~collections.abc.Iterable[int] seeds: of the disorder, for ``chaos-order``.
    :param int times: how often two callers of one manager call together.
    :return: name, success and detail of each check, as they come.
    :rtype: ~collections.abc.Iterator[tuple[str, bool, str]]
    """
    with testbed.opened(DATABASE, LOG, SPEED) as bed:
        if not scenarios:
            with bed.serving(WORKERS):
                yield from _check_scenarios(bed.pbx, Log(bed))
                yield e2e_burst.run(bed, "processes")
        if not scenarios or ROUTING in scenarios:
            with bed.serving_twice(WORKERS):
                yield from e2e_routing.check(bed, times)
        if not scenarios or RECORDINGS in scenarios:
            with bed.serving(WORKERS):
                yield e2e_recordings.check(bed)
        if not scenarios or SELF_TEST in scenarios:
            with bed.serving(workers=0):
                yield from e2e_self_test.check(bed)
        others = (CHAOS, ORDERS, ROUTING, RECORDINGS, SELF_TEST)
        in_browser = [name for name in scenarios if name not in others]
        if not scenarios or in_browser:
            with bed.serving_twice(workers=0):
                yield from e2e_browser.run(bed, in_browser)
        if not scenarios:
            with bed.serving(workers=0):
                yield e2e_burst.run(bed, "threads")
        if not scenarios or CHAOS in scenarios:  # It leaves calls without an end.
            yield from e2e_chaos.run(bed)
        if ORDERS in scenarios:
            yield from e2e_chaos.run_orders(bed, seeds)
    yield _check_log()


def _check_scenarios(pbx, log):
    for scenario, (call, route) in EXPECTED.items():
        yield _check_scenario(pbx, log, scenario, call, route)
    yield _check_burst(pbx, log)
    yield _check_recordings(pbx, log)
    yield _check_events(log)


# ---------------------------------------------------------------------------
# Checks


def _check_scenario(pbx, log, scenario, expected, route):
    known = log.call_ids()
    played = pbx.play(scenario)
    new = log.call_ids() - known
    if not played["ok"] or len(new) != 1:
        return (
            scenario,
            False,
            f"{len(new)} calls; {played['error']} {played['entries']}",
        )
    call = log.call(new.pop())
    found = {key: call[key] for key in expected}
    routed_to = (played["calls"][0]["route"] or {}).get("to")
    detail = f"expected {expected} at {route}\nfound    {found} at {routed_to}\n{call}"
    return scenario, (found, routed_to) == (expected, route), detail


def _check_burst(pbx, log):
    """Ten customers at once, every notification twice and in any order."""
    name = "burst, doubled and shuffled, over several processes"
    known = log.call_ids()
    pbx.post("settings", disorder="both")
    played = pbx.play("burst")
    pbx.post("settings", disorder="none")
    calls = [log.call(call_id) for call_id in log.call_ids() - known]
    open_calls = [call for call in calls if call["state"] != "ended"]
    legs = sum(len(call["legs"]) for call in played["calls"])
    stored_legs = sum(len(call["leg_ids"]) for call in calls)
    ok = played["ok"] and len(calls) == 10 and not open_calls and legs == stored_legs
    detail = f"{len(calls)} calls, open: {open_calls}; legs: {legs}, {stored_legs}"
    return name, ok, f"{detail}; {played['error']}"


def _check_recordings(pbx, log):
    """Everybody requests all recordings at once; each is fetched completely, once."""
    since = max(entry["id"] for entry in pbx.get("log"))
    with ThreadPoolExecutor(ASKING) as pool:
        list(pool.map(lambda asked: log.request_recordings(), range(ASKING)))
    deadline = time.monotonic() + FETCHING_SECONDS
    while (states := log.recording_states()) != {"ready"}:
        if time.monotonic() > deadline:
            break
        time.sleep(0.2)
    entries = pbx.get(f"log?since={since}")
    counts = Counter(
        entry["path"] for entry in entries if entry["direction"] == "received"
    )
    expected = log.recording_count()
    found = states, counts["queries/recording/post"], counts["files"]
    ok = expected >= ASKING and found == ({"ready"}, expected, expected)
    name = "recordings requested by several users at once, each fetched once"
    return name, ok, f"{expected} recordings: {found}"


def _check_events(log):
    failed = log.failed_events()
    return "no notification failed", not failed, str(failed)


def _check_log():
    """Expects only Odoo's warning about root at this level."""
    marks = (" WARNING ", " ERROR ", " CRITICAL ", "Traceback")
    with LOG.open(errors="replace") as log:
        bad = [line for line in log if any(mark in line for mark in marks)]
    return "log of the server clean", not bad, "".join(bad)


class Log:
    """Access to Odoo's call log.

    :param TestBed bed: with Odoo running.
    """

    def __init__(self, bed):
        self._server = bed.log_in("admin", "admin")

    def call_ids(self):
        calls = self._server.search_read("mango.call", [], ["id"])
        return {call["id"] for call in calls}

    def call(self, call_id):
        """Read a call from the log; ``user`` is a login."""
        domain = [("id", "=", call_id)]
        [call] = self._server.search_read("mango.call", domain, CALL_FIELDS)
        partner, user = call.pop("partner_id"), call.pop("user_id")
        call["partner"] = partner and partner[1]
        [login] = self._server.search_read(
            "res.users", [("id", "=", user and user[0])], ["login"]
        ) or [{"login": False}]
        return {**call, "user": login["login"]}

    def request_recordings(self):
        self._server.call(
            "mango.call", "action_request_recordings", list(self.call_ids())
        )

    def recording_states(self):
        recordings = self._server.search_read("mango.recording", [], ["state"])
        return {recording["state"] for recording in recordings}

    def recording_count(self):
        return self._server.call("mango.recording", "search_count", [])

    def failed_events(self):
        domain = [("state", "=", "failed")]
        return self._server.search_read("mango.event", domain, ["error"])
