"""End-to-end tests: the simulator calls, a real Odoo with several processes answers.

They show what Odoo's own tests cannot, because those share one transaction: hooks that
run after a commit, locks between server processes, a route command that is in time.
"""

import contextlib
import itertools
import json
import os
import urllib.request
from http.cookiejar import CookieJar

from . import database, demo, odoo, paths, processes

DATABASE = "mango_e2e"
LOG = paths.LOGS / "e2e.log"
WORKERS = 3
SPEED = 5  # only waiting is shortened; the greeting still takes a second
TIMEOUT = 120  # seconds for one scenario

ANSWERED = {"state": "ended", "result": "answered"}
MISSED = {"state": "ended", "result": "missed"}
IVAN = "ООО «Вектор», Иван Петров"

#: What the log says of a scenario's call, and where the PBX was told to route it.
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


def run(console):
    """Play the scenarios against Odoo.

    :param module console: :mod:`devtools.console`.
    :return: name, success and detail of each check, as they come.
    :rtype: ~collections.abc.Iterator[tuple[str, bool, str]]
    """
    surroundings = database.acquire()
    environment = odoo.environment(surroundings)
    name = f"{DATABASE}_{os.getpid()}"
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("w") as log, contextlib.ExitStack() as stack:
        stack.callback(database.drop, name, surroundings)
        with console.step("Starting Odoo with demo data and the PBX"):
            pbx, server = _start(name, surroundings, environment, log, stack)
        for scenario, (call, route) in EXPECTED.items():
            yield _check_scenario(pbx, server, scenario, call, route)
        yield _check_burst(pbx, server)
        yield _check_events(server)
    yield _check_log()


def _start(name, surroundings, environment, log, stack):
    port, pbx_port = odoo.free_port(), odoo.free_port()
    output = {"stdout": log, "stderr": log, "stdin": processes.DEVNULL}
    simulator = [*demo.simulator(port, pbx_port), f"--speed={SPEED}"]
    stack.enter_context(processes.running(simulator, cwd=paths.ROOT, **output))
    pbx = Pbx(f"http://{demo.HOST}:{pbx_port}")
    demo.wait_for(pbx.url, "the PBX simulator")
    demo.build(
        name, demo.make_wishes(port, pbx_port, "en_US"), surroundings, environment
    )
    command = odoo.command(
        [
            f"--database={name}",
            f"--db-filter=^{name}$",
            f"--http-port={port}",
            f"--gevent-port={odoo.free_port()}",
            f"--workers={WORKERS}",
        ]
    )
    server = stack.enter_context(
        processes.running(command, cwd=paths.DEV, env=environment, **output)
    )
    url = f"http://{demo.HOST}:{port}"
    demo.wait_for(f"{url}/web/health", "Odoo", server)
    return pbx, Server(url, name)


# ---------------------------------------------------------------------------
# Checks


def _check_scenario(pbx, server, scenario, expected, route):
    known = server.call_ids()
    play = pbx.play(scenario)
    new = server.call_ids() - known
    if not play["ok"] or len(new) != 1:
        return scenario, False, f"{len(new)} calls; {play['error']} {play['entries']}"
    call = server.call(new.pop())
    found = {key: call[key] for key in expected}
    routed_to = (play["calls"][0]["route"] or {}).get("to")
    detail = f"expected {expected} at {route}\nfound    {found} at {routed_to}\n{call}"
    return scenario, (found, routed_to) == (expected, route), detail


def _check_burst(pbx, server):
    """Ten customers at once, every notification twice and in any order."""
    name = "burst, doubled and shuffled, over several processes"
    known = server.call_ids()
    pbx.post("settings", {"disorder": "both"})
    play = pbx.play("burst")
    pbx.post("settings", {"disorder": "none"})
    calls = [server.call(call_id) for call_id in server.call_ids() - known]
    open_calls = [call for call in calls if call["state"] != "ended"]
    legs = sum(len(call["legs"]) for call in play["calls"])
    stored_legs = sum(len(call["leg_ids"]) for call in calls)
    ok = play["ok"] and len(calls) == 10 and not open_calls and legs == stored_legs
    detail = f"{len(calls)} calls, open: {open_calls}; legs: {legs}, {stored_legs}"
    return name, ok, f"{detail}; {play['error']}"


def _check_events(server):
    failed = server.search_read("mango.event", [("state", "=", "failed")], ["error"])
    return "no notification failed", not failed, str(failed)


def _check_log():
    """Only Odoo's warning about root is expected at this level."""
    marks = (" WARNING ", " ERROR ", " CRITICAL ", "Traceback")
    with LOG.open(errors="replace") as log:
        bad = [line for line in log if any(mark in line for mark in marks)]
    return "log of the server clean", not bad, "".join(bad)


# ---------------------------------------------------------------------------
# Both ends


class Pbx:
    """The simulator, through its control API.

    :param str url: where it listens.
    """

    def __init__(self, url):
        self.url = url

    def play(self, scenario):
        """Play a scenario to its end.

        :param str scenario: its name.
        :return: ``ok``, ``error``, ``calls`` and ``entries`` of the play.
        :rtype: dict
        """
        return self.post("scenario", {"name": scenario, "wait": True})

    def post(self, name, body):
        return _post(urllib.request.build_opener(), f"{self.url}/control/{name}", body)


class Server:
    """Odoo, as its web client asks it.

    :param str url: where it listens.
    :param str name: the database.
    """

    def __init__(self, url, name):
        self._url = url
        cookies = urllib.request.HTTPCookieProcessor(CookieJar())
        self._opener = urllib.request.build_opener(cookies)
        self._ids = itertools.count(1)
        credentials = {"db": name, "login": "admin", "password": "admin"}
        self._rpc("/web/session/authenticate", credentials)

    def call_ids(self):
        return {call["id"] for call in self.search_read("mango.call", [], ["id"])}

    def call(self, call_id):
        """Read what the log says of a call; ``user`` is a login."""
        domain = [("id", "=", call_id)]
        [call] = self.search_read("mango.call", domain, self._call_fields())
        partner, user = call.pop("partner_id"), call.pop("user_id")
        call["partner"] = partner and partner[1]
        [login] = self.search_read(
            "res.users", [("id", "=", user and user[0])], ["login"]
        ) or [{"login": False}]
        return {**call, "user": login["login"]}

    def _call_fields(self):
        return [
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

    def search_read(self, model, domain, fields):
        return self._rpc(
            f"/web/dataset/call_kw/{model}/search_read",
            {
                "model": model,
                "method": "search_read",
                "args": [domain, fields],
                "kwargs": {},
            },
        )

    def _rpc(self, path, params):
        body = {"jsonrpc": "2.0", "id": next(self._ids), "params": params}
        answer = _post(self._opener, f"{self._url}{path}", body)
        if "error" in answer:
            raise RuntimeError(answer["error"]["data"]["message"])
        return answer["result"]


def _post(opener, url, body):
    request = urllib.request.Request(
        url,
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with opener.open(request, timeout=TIMEOUT) as response:
        return json.load(response)
