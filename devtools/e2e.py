"""End-to-end tests: the simulator calls, a real Odoo with several processes answers.

They test what Odoo's own tests cannot, because those share one transaction: hooks after
a commit, locks between server processes, and timely route commands.
"""

import functools
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from . import (
    database,
    e2e_browser,
    e2e_burst,
    e2e_chaos,
    e2e_outages,
    e2e_recordings,
    e2e_replay,
    e2e_routing,
    e2e_self_test,
    parts,
    paths,
    testbed,
)
from .console import step
from .report import Report

DATABASE = "mango_e2e"
WORKERS = 3
ASKING = 5  # people at once
FETCHING_SECONDS = 60
SPEED = 5  # shortens waiting only; the greeting still takes a second
UNHURRIED = 2.5  # where the greeting must leave time enough on a slow machine, too

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


def main(names, seeds, times):
    """Run only these tests.

    :param list names: of :data:`CHECKS`, or of scenarios in the browser; empty for all.
    :param ~collections.abc.Iterable[int] seeds: of the disorder, for ``chaos-order``.
    :param int times: how often two callers of one manager call together.
    :return: exit status.
    :rtype: int
    """
    report = Report()
    wanted = Wanted(names, seeds, times)
    if names:
        _run(report, "e2e", wanted.checks(), wanted)
        return report.finish()
    surroundings = database.acquire()
    with testbed.template(surroundings) as template:
        beside, alone = split(template, times)
        parts.run_side_by_side(report, *beside)
        parts.run_side_by_side(report, [alone])
    return report.finish()


def split(template, times=e2e_routing.AT_ONCE):
    """Return all these tests in parts that do not depend on each other.

    :param str template: the database that each part gets a copy of.
    :param int times: how often two callers of one manager call together.
    :return: lanes of parts to run side by side, and a part to run alone because it
        measures times.
    :rtype: tuple[list[list[Part]], Part]
    """
    wanted = Wanted(times=times)

    def part(name, *checks, gives_way=False):
        run = functools.partial(
            _run, name=name, checks=checks, wanted=wanted, template=template
        )
        return parts.Part(f"End-to-end: {name}", run, gives_way)

    phones = part("phones", _scenarios, _recordings)
    routing = part("routing", _routing)
    # After the others somebody may still count as being rung.
    self_test = part("self-test", _self_test)
    browser = part("browser", _browser)
    chaos = part("chaos", _chaos, gives_way=True)
    replay = parts.Part("End-to-end: replay", _run_replay)
    outages = part("outages", _bursts, _outages)
    return [[phones, chaos], [browser], [routing, self_test, replay]], outages


class Wanted:
    """What is to be run; the parameters are those of :func:`main`."""

    def __init__(self, names=(), seeds=(), times=e2e_routing.AT_ONCE):
        self._names = names
        self.scenarios = [name for name in names if name not in CHECKS]
        self.seeds = seeds
        self.times = times

    def checks(self):
        """:return: the functions of these names, in the order of :data:`CHECKS`."""
        checks = [check for name, check in CHECKS.items() if name in self._names]
        return [*([_browser] if self.scenarios else []), *checks]


def _run(report, name, checks, wanted, template=None):
    """Run checks against one Odoo.

    :param str name: of the log.
    :param checks: functions of the test bed and of what is wanted.
    :param str template: the database to copy.
    """
    log = paths.LOGS / f"{name if name == 'e2e' else f'e2e-{name}'}.log"
    with testbed.opened(DATABASE, log, SPEED, template=template) as bed:
        for check in checks:
            for result in check(bed, wanted):
                report.add(*result)
    report.add(*_check_log(log))


def _run_replay(report):
    for result in e2e_replay.check():
        report.add(*result)


def _scenarios(bed, _wanted):
    with step("Scenarios at the phones"), bed.serving(WORKERS):
        bed.pbx.play("burst")  # Processes that have just started are slow.
        bed.pbx.post("settings", speed=UNHURRIED)
        yield from _check_scenarios(bed.pbx, Log(bed))
        bed.pbx.post("settings", speed=bed.speed)


def _routing(bed, wanted):
    with bed.serving_twice(WORKERS):
        yield from e2e_routing.check(bed, wanted.times)


def _recordings(bed, _wanted):
    with bed.serving(WORKERS):
        yield e2e_recordings.check(bed)


def _self_test(bed, _wanted):
    with bed.serving(workers=0):
        yield from e2e_self_test.check(bed)


def _browser(bed, wanted):
    with bed.serving_twice(workers=0):
        yield from e2e_browser.run(bed, wanted.scenarios)


def _replay(_bed, _wanted):
    yield from e2e_replay.check()


def _bursts(bed, _wanted):
    for mode, workers in (("processes", WORKERS), ("threads", 0)):
        with step(f"A burst of calls, {mode}"), bed.serving(workers):
            yield e2e_burst.run(bed, mode)


def _chaos(bed, _wanted):
    yield from e2e_chaos.run(bed)


def _orders(bed, wanted):
    yield from e2e_chaos.run_orders(bed, wanted.seeds)


def _outages(bed, _wanted):
    yield from e2e_outages.run(bed)


#: What ``./dev e2e`` can run by name. The last ones leave calls without an end.
CHECKS = {
    "scenarios": _scenarios,
    "routing": _routing,
    "recordings": _recordings,
    "self-test": _self_test,
    "browser": _browser,
    "replay": _replay,
    "bursts": _bursts,
    "chaos": _chaos,
    "chaos-order": _orders,
    "outages": _outages,
}


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


def _check_log(path):
    """Expects no messages at these levels."""
    marks = (" WARNING ", " ERROR ", " CRITICAL ", "Traceback")
    lines = path.read_text(errors="replace").splitlines(keepends=True)
    bad = [line for line in lines if any(mark in line for mark in marks)]
    return f"log of the server clean: {path.name}", not bad, "".join(bad)


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
