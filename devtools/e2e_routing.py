"""Callers whose manager cannot take the call, over two servers."""

import collections
import contextlib
import random
import time

from .console import step

SPEED = 2
SEED = 20260303
AT_ONCE = 10  # how often two callers of one manager call together
APART = 2.5  # maximum seconds between them
TALK = 2.0
GREETING = 15.0
RING_SECONDS = 4
LAST = 99  # the place of a step behind all others
#: Two customers of Anna.
CALLERS = ("74950000201", "74950000200")
STRANGER = "74950000299"
PATIENCE = 20  # seconds until Odoo knows of the end

CALL_FIELDS = ["result", "user_id", "route_trace", "route_attempts", "route_answered"]

#: Who answers, after those skipped or rung without an answer: extension and reason.
EXPECTED = {
    "owner-busy": ("102", [("101", "talking")]),
    "owner-busy-unseen": ("102", [("101", "busy")]),
    "owner-declines": ("102", [("101", "declined")]),
    "owner-away-substitute": ("102", [("101", "unavailable")]),
    "owner-no-answer-next": ("102", [("101", "no_answer")]),
}


def check(bed, times):
    """Run the scenarios of the routing plan.

    :param TestBed bed: with Odoo running on two servers.
    :param int times: how often two callers call together.
    :return: name, success and detail of each check, as they come.
    :rtype: ~collections.abc.Iterator[tuple[str, bool, str]]
    """
    log = Log(bed)
    bed.pbx.post("settings", speed=SPEED)
    with log.unlimited(), planned(bed):
        for name, (answered_by, passed) in EXPECTED.items():
            yield _check_scenario(bed.pbx, log, name, answered_by, passed)
        yield _check_status(bed.pbx, log)
        yield _check_refused(bed.pbx, log)
        yield _check_nobody(bed.pbx, log)
        yield _check_team(bed.pbx, log)
        yield from _check_trouble(bed.pbx, log)
        yield _check_hang_up(bed.pbx, log)
        yield _check_two_at_once(bed.pbx, log, times)
    bed.pbx.post("settings", speed=bed.speed)


def _check_scenario(pbx, log, name, answered_by, passed):
    [call] = log.play(pbx, name, inbound_of=CALLERS[0])
    trace = [entry for entry in call["route_trace"] if entry["extension"]]
    found = [(entry["extension"], entry["reason"]) for entry in trace[:-1]]
    last = trace[-1]
    ok = call["result"] == "answered" and call["route_answered"]
    ok = ok and (last["extension"], last["verdict"]) == (answered_by, "answered")
    return name, ok and found == passed, str(call)


def _check_status(pbx, log):
    """An employee who is away in Odoo is not rung at all."""
    name = "away in Odoo: the substitute is rung at once"
    log.set_status("anna", "away")
    try:
        [call] = log.play(pbx, "owner-no-answer-next", inbound_of=CALLERS[0])
    finally:
        log.set_status("anna", "available")
    trace = [(one["extension"], one["verdict"]) for one in call["route_trace"]]
    ok = call["route_attempts"] == 1 and trace[-1] == ("102", "answered")
    return name, ok, str(call)


def _check_refused(pbx, log):
    """A PBX that cannot re-route ringing phones ends routing without errors."""
    name = "a ringing phone cannot be routed: 4100, and the PBX handles the call itself"
    pbx.post("settings", reroute="reply")
    try:
        [call] = log.play(pbx, "owner-no-answer-next", inbound_of=CALLERS[0])
    finally:
        pbx.post("settings", reroute="accept")
    ok = call["route_attempts"] == 2 and call["route_trace"][-1]["code"] == 4100
    return name, ok, str(call)


def _check_nobody(pbx, log):
    name = "nobody-available"
    [call] = log.play(pbx, name, inbound_of=CALLERS[0])
    people = [entry["extension"] for entry in call["route_trace"] if entry["extension"]]
    ok = call["result"] == "missed" and len(people) == len(set(people)) >= 1
    return name, ok, str(call)


def _check_team(pbx, log):
    """Three unknown callers in turn: each time the longest idle employee is rung."""
    known = log.call_ids()
    for _time in range(3):
        _call(pbx, STRANGER)
        pbx.wait_for(_is_quiet, "the end of a call", 60)
        log.calls(known)
    calls = log.calls(known)
    answered_by = {call["user_id"] and call["user_id"][1] for call in calls}
    ok = len(answered_by) == 3 and all(call["route_answered"] for call in calls)
    return "team-longest-idle", ok, str(calls)


#: Trouble with the route command, in seconds of the simulator where it has any: what it
#: is, and who answers the customer of Anna. The greeting takes half of its time.
TROUBLE = {
    "carried out, but the answer is lost": ({"kind": "lost"}, "Анна"),
    "lost on its way: the next step follows": ({"kind": "drop"}, "Борис"),
    "answered slowly": ({"kind": "slow", "seconds": 5}, "Анна"),
    "answered after the greeting: the PBX handles the call itself": (
        {"kind": "slow", "seconds": 12},
        "",
    ),
    "refused by a failing PBX, which handles the call itself": ({"kind": "503"}, ""),
}


def _check_trouble(pbx, log):
    """Whatever becomes of the command, the caller is answered."""
    for what, (fault, who) in TROUBLE.items():
        known = log.call_ids()
        pbx.post("settings", faults=[{**fault, "path": "commands/route"}])
        try:
            _call(pbx, CALLERS[0])
            pbx.wait_for(_is_quiet, "the end of a call", 60)
        finally:
            pbx.post("settings", faults=[])
        calls = log.calls(known)
        ok = [call["result"] for call in calls] == ["answered"]
        ok = ok and who in (_who(calls[0]) or "")
        yield f"a route command is {what}", ok, str(calls)


def _check_hang_up(pbx, log):
    """The caller hangs up while the PBX is still thinking about the command."""
    known, since = log.call_ids(), pbx.last_id()
    fault = {"kind": "slow", "seconds": 3, "path": "commands/route"}
    pbx.post("settings", faults=[fault])
    try:
        _call(pbx, CALLERS[0])
        deadline = time.monotonic() + PATIENCE
        while not pbx.commands("commands/route", since):
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
        pbx.post("hangup")
        pbx.wait_for(_is_quiet, "the end of a call", 60)
        time.sleep(fault["seconds"])  # until the PBX has answered
    finally:
        pbx.post("settings", faults=[])
    calls = log.calls(known)
    ok = [(call["result"], call["route_attempts"]) for call in calls] == [("missed", 1)]
    return "the caller hangs up during the command", ok, str(calls)


def _call(pbx, number):
    options = {"reactive": True, "greeting": GREETING, "talk_seconds": TALK}
    pbx.post("call", **{"from": number}, **options, after_route="menu")


def _is_quiet(state):
    return all(call["stage"] == "ended" for call in state["calls"])


def _check_two_at_once(pbx, log, times):
    """No caller is lost while somebody in the plan is free."""
    source = random.Random(SEED)
    lost, answered_by = [], collections.Counter()
    text = f"Two callers of one manager at once, {times} times"
    with step(text, lambda: f"{answered_by.total()} answered, {len(lost)} lost"):
        for _time in range(times):
            calls = _two_at_once(pbx, log, source)
            lost += [call for call in calls if call["result"] != "answered"]
            lost += [{"missing": 2 - len(calls)}] if len(calls) != 2 else []
            answered_by.update(_who(call) for call in calls if call not in lost)
    people = ", ".join(f"{who} {count}" for who, count in answered_by.most_common())
    name = f"two-at-once-one-owner, {times} times: nobody is lost ({people})"
    return name, not lost, f"{len(lost)} lost: {lost[:3]}"


def _two_at_once(pbx, log, source):
    """Let two customers of Anna call, in any order.

    :param random.Random source: of the order and the time between them.
    :return: their calls.
    :rtype: list[dict]
    """
    known = log.call_ids()
    first, second = source.sample(CALLERS, 2)
    _call(pbx, first)
    time.sleep(source.uniform(0, APART))
    _call(pbx, second)
    pbx.wait_for(_is_quiet, "the end of two calls", 60)
    return log.calls(known)


def _who(call):
    return call["user_id"] and call["user_id"][1]


@contextlib.contextmanager
def planned(bed, ring_seconds=RING_SECONDS):
    """Set up the plan of these scenarios for the time of the block.

    Anna for her customers, then her substitute Boris, Vera for known callers, and last
    the team of all three.

    :param TestBed bed: with Odoo running.
    :param int ring_seconds: how long each of them is rung.
    """
    server = bed.log_in("admin", "admin")
    ids = _ids(server, "mango.extension", "number")
    users = _ids(server, "res.users", "login")
    [account] = server.call("mango.account", "search", [])
    members = [users[login] for login in ("anna", "boris", "vera")]
    common = {
        "account_id": account,
        "ring_seconds": ring_seconds,
        "only_working_hours": False,
    }
    is_last = ("target", "=", "pbx")
    with contextlib.ExitStack() as stack:
        for model, domain, vals in (
            (
                "mango.extension",
                [("number", "=", "101")],
                {"substitute_id": ids["102"]},
            ),
            ("mango.route.step", ["!", is_last], {"ring_seconds": ring_seconds}),
            ("mango.route.step", [is_last], {"sequence": LAST}),
        ):
            stack.enter_context(_changed(server, model, domain, vals))
        team = {"name": "Routing", "member_ids": [(6, 0, members)]}
        team = stack.enter_context(_created(server, "crm.team", team))
        vera = {"target": "user", "user_id": users["vera"], "caller": "known"}
        for sequence, vals in enumerate(
            [vera, {"target": "team", "team_id": team}], 50
        ):
            vals = {**common, **vals, "sequence": sequence}
            stack.enter_context(_created(server, "mango.route.step", vals))
        yield


def _ids(server, model, field):
    """Return the ids of all records of a model by a field."""
    return {
        record[field]: record["id"] for record in server.search_read(model, [], [field])
    }


@contextlib.contextmanager
def _changed(server, model, domain, vals):
    """Change records for the time of the block."""
    earlier = server.call(model, "search_read", domain, [*vals], load=None)
    server.call(model, "write", [record["id"] for record in earlier], vals)
    try:
        yield
    finally:
        for record in earlier:
            server.call(model, "write", [record.pop("id")], record)


@contextlib.contextmanager
def _created(server, model, vals):
    """Create a record for the time of the block.

    It is only archived then, because the last calls may still be written, and they
    refer to it.

    :return: its id.
    """
    [record] = server.call(model, "create", [vals])
    try:
        yield record
    finally:
        server.call(model, "write", [record], {"active": False})


class Log:
    """Access to the calls in Odoo, and to who takes them.

    :param TestBed bed: where Odoo is served.
    """

    def __init__(self, bed):
        self._server = bed.log_in("admin", "admin")
        self._users = _ids(self._server, "res.users", "login")

    def unlimited(self):
        """Ring people for the time of the block however often they do not answer."""
        limit = {"route_unanswered_limit": 0}
        return _changed(self._server, "mango.account", [], limit)

    def set_status(self, login, status):
        self._server.call("res.users", "mango_set_status", [self._users[login]], status)

    def play(self, pbx, name, inbound_of=None):
        """Play a scenario.

        :param str inbound_of: a number, to ignore the calls of others.
        :return: its inbound calls in order.
        :rtype: list[dict]
        :raise RuntimeError: if it could not be played.
        """
        known = self.call_ids()
        play = pbx.play(name)
        if not play["ok"]:
            raise RuntimeError(f"{name}: {play['error']}")
        return self.calls(known, inbound_of)

    def call_ids(self):
        calls = self._server.search_read("mango.call", [], ["id"])
        return {call["id"] for call in calls}

    def calls(self, known, number=None):
        """Return the new inbound calls, once all of them have ended.

        :param set known: the ids of old calls.
        """
        deadline = time.monotonic() + PATIENCE
        going_on = [("id", "not in", list(known)), ("state", "!=", "ended")]
        while self._server.call("mango.call", "search_count", going_on):
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
        domain = [("id", "not in", list(known)), ("direction", "=", "inbound")]
        if number:
            domain.append(("client_number", "=", f"+{number}"))
        found = self._server.search_read("mango.call", domain, CALL_FIELDS)
        return sorted(found, key=lambda call: call["id"])
