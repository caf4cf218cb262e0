"""The self-test's yellow and red ends: the simulator plays a PBX set up wrong."""

import contextlib
import datetime as dt
import time
from collections.abc import Callable
from typing import NamedTuple

from . import demo
from .console import step

TESTER, OWN, COLLEAGUE = "vera", "103", "101"
IVAN = "74950000201"  # is routed
SOMEBODY = "74950000780"
STRANGERS = [f"7495000077{digit}" for digit in range(8)]  # nobody's client
#: In the PBX's seconds. At its speed here the longer one takes some of our own.
SHORT, LONG = 5, 20
IN_VAIN = dt.timedelta(minutes=6)  # longer than anything is waited for
FORMAT = "%Y-%m-%d %H:%M:%S"
STEPS = ("connection", "staff", "inbound", "outbound", "recording", "statistics")
OK, WARNING, FAILED = "ok", "warning", "failed"
PATIENCE = 20  # seconds until something is judged
LOOK_AGAIN = 0.2  # seconds between two looks
ONGOING = "SELECT id FROM mango_call WHERE state != 'ended'"
#: Recordings of the last call that are not stored at the PBX yet.
COMING = """
    SELECT id FROM mango_recording
     WHERE NOT is_added AND call_id = (SELECT max(id) FROM mango_call)
"""
ALWAYS = 0  # times that a fault is repeated


def check(bed):
    """Play each end.

    :param TestBed bed: where Odoo is served.
    :return: name, success and detail of each check, as they come.
    :rtype: ~collections.abc.Iterator[tuple[str, bool, str]]
    """
    with step("The ends of the self-test"), administering(bed, TESTER):
        tester = Tester(bed)
        # Of a new PBX that has told nothing yet this would be yellow.
        tester.call(SOMEBODY, SHORT)
        for play in PLAYS:
            yield tester.judge(play)
            bed.pbx.post("reset", settings=True)
            tester.set(speed=bed.speed)


@contextlib.contextmanager
def administering(bed, login):
    """Let somebody administrate the telephony for the time of the block."""
    admin = bed.log_in("admin", "admin")
    domain = [("module", "=", "mango_office"), ("name", "=", "group_admin")]
    [group] = admin.search_read("ir.model.data", domain, ["res_id"])
    users = admin.call("res.users", "search", [("login", "=", login)])
    admin.call("res.users", "write", users, {"group_ids": [(4, group["res_id"])]})
    try:
        yield
    finally:
        admin.call("res.users", "write", users, {"group_ids": [(3, group["res_id"])]})


class Tester:
    """Goes through the wizard as the web client does.

    :param TestBed bed: where Odoo is served.
    """

    def __init__(self, bed):
        self.pbx = bed.pbx
        self._wait_for_none = bed.wait_for_none
        self._server = bed.log_in(TESTER, demo.PASSWORD)
        [self._account] = self._server.call("mango.account", "search", [], limit=1)

    def begin(self, step_name=STEPS[0], mobile=IVAN):
        """Open a new test and go to one of its steps.

        :return: the test's id.
        :rtype: int
        """
        action = self._server.call("mango.account", "action_self_test", self._account)
        test = action["res_id"]
        self._server.call("mango.self.test", "write", test, {"mobile": f"+{mobile}"})
        return self.go_to(test, step_name)

    def go_to(self, test, step_name):
        """Go on to a step.

        :return: the test's id.
        :rtype: int
        """
        while self.read(test)["step"] != step_name:
            self.press(test, "action_next")
        return test

    def press(self, test, button):
        self._server.call("mango.self.test", button, test)

    def wait_in_vain(self, test):
        """Let the present step have begun some minutes ago."""
        since = dt.datetime.strptime(self.read(test)["since"], FORMAT) - IN_VAIN
        vals = {"since": since.strftime(FORMAT)}
        self._server.call("mango.self.test", "write", test, vals)

    def read(self, test):
        [found] = self._server.call("mango.self.test", "read", test, ["step", "since"])
        return found

    def set(self, **settings):
        self.pbx.post("settings", **settings)

    def fail(self, kind, path=""):
        """Let the PBX answer requests wrongly, as long as the play lasts."""
        self.set(faults=[{"kind": kind, "path": path, "times": ALWAYS}])

    def load_users(self):
        self._server.call("mango.account", "action_load_users", self._account)

    def call(self, number, greeting):
        """Call, listen to the greeting, and hang up."""
        call = self.pbx.post("call", **{"from": number}, greeting=greeting)
        self.pbx.wait_for(_greeting_is_over, "the greeting to end")
        self.pbx.post("hangup", entry_id=call["entry_id"])

    def talk(self):
        """Call as Ivan, talk with a colleague, and hang up."""
        call = self.pbx.post("call", **{"from": IVAN}, greeting=LONG)
        self.wait_until_rings(COLLEAGUE)
        self.pbx.post("pickup", extension=COLLEAGUE)
        self.pbx.post("hangup", entry_id=call["entry_id"])

    def wait_until_told(self):
        """Wait until Odoo has been told all of the last call and its recordings."""
        self._wait_for_none(ONGOING, "the call's end")
        self._wait_for_none(COMING, "its recordings")

    def wait_until_rings(self, extension):
        self.pbx.wait_for(
            lambda state: any(extension in call["ringing"] for call in state["calls"]),
            f"phone {extension} to ring",
        )

    def look(self, test):
        """Look at the present step.

        :return: ``state``, ``end`` and ``message`` of its line.
        :rtype: dict
        """
        self.press(test, "action_look")
        domain = [("test_id", "=", test), ("step", "=", self.read(test)["step"])]
        fields = ["state", "end", "message"]
        [line] = self._server.search_read("mango.self.test.step", domain, fields)
        return line

    def see(self, test):
        """Look until the present step is judged.

        :return: as :meth:`look` does.
        :rtype: dict
        """
        deadline = time.monotonic() + PATIENCE
        while True:
            line = self.look(test)
            if line["state"] != "waiting" or time.monotonic() > deadline:
                return line
            time.sleep(LOOK_AGAIN)

    def judge(self, play):
        """Play an end, and compare what the wizard says of it.

        :param Play play: one of :data:`PLAYS`.
        :return: name, success and detail of the check.
        :rtype: tuple[str, bool, str]
        """
        # Or those whom the last call has rung still count as being rung.
        self._wait_for_none(ONGOING, "the end of the last call")
        line = self.see(play.act(self))
        ok = (line["state"], line["end"]) == (play.verdict, play.end)
        ok = ok and play.words in line["message"]
        detail = f"expected {play.verdict} {play.end} {play.words!r}, found {line}"
        return f"self-test: {play.name}", ok, detail


def _greeting_is_over(state):
    return all(call["stage"] != "menu" for call in state["calls"])


# ---------------------------------------------------------------------------
# What is done at the PBX and in the wizard; each returns the test


def connect(tester):
    return tester.begin()


def fail(kind):
    def act(tester):
        tester.fail(kind)
        return tester.begin()

    return act


def other_clock(tester):
    tester.set(clock_shift=300)
    return tester.begin()


def load_staff(*unlisted):
    """Make the function that loads the PBX's users, without some of them."""

    def act(tester):
        tester.set(unlisted=unlisted)
        tester.load_users()
        return tester.begin("staff")

    return act


def load_nobody(tester):
    staff = tester.pbx.get("state")["staff"]
    return load_staff(*(one["extension"] for one in staff))(tester)


def never_told(tester):
    # Nor may the call be fetched from the statistics meanwhile.
    tester.set(notify=False, in_statistics=False)
    test = tester.begin("inbound", STRANGERS[0])
    tester.call(STRANGERS[0], SHORT)
    tester.wait_in_vain(test)
    return test


def call_in(number, greeting, **settings):
    """Make the function that calls in."""

    def act(tester):
        tester.set(**settings)
        test = tester.begin("inbound", number)
        tester.call(number, greeting)
        return test

    return act


def call_by_click(number, **settings):
    """Make the function that presses *Call*."""

    def act(tester):
        tester.set(**settings)
        test = tester.begin("outbound", number)
        tester.press(test, "action_call")
        return test

    return act


def call_by_click_in_vain(tester):
    test = call_by_click(STRANGERS[4], callback="nothing")(tester)
    tester.wait_in_vain(test)
    return test


def call_by_click_to_a_busy_phone(tester):
    test = call_by_click(STRANGERS[6], client="busy")(tester)
    tester.wait_until_rings(OWN)
    tester.pbx.post("pickup", extension=OWN)
    return test


def not_recorded(tester):
    tester.set(recording=False)
    test = _after_a_talk(tester)
    tester.wait_in_vain(test)
    return test


def recording_without_a_link(tester):
    tester.fail("empty", "queries/recording")
    return _after_a_talk(tester)


def _after_a_talk(tester):
    test = tester.begin("inbound")
    tester.talk()
    tester.see(test)  # which finds the call
    # Asked for in the middle of its notifications, it would be asked for twice.
    tester.wait_until_told()
    return tester.go_to(test, "recording")


def no_call_at_all(tester):
    return tester.begin("statistics", STRANGERS[7])


def statistics(**settings):
    """Make the function that compares a call with the statistics."""

    def act(tester):
        tester.set(**settings)
        return _at_statistics(tester)

    return act


def statistics_refused(tester):
    test = _at_statistics(tester)
    tester.fail("3100", "stats/calls")
    return test


def _at_statistics(tester):
    test = tester.begin("inbound", STRANGERS[5])
    tester.call(STRANGERS[5], SHORT)
    tester.see(test)  # which finds the call
    # No two orders of statistics within a moment.
    tester.set(rate_limits=False)
    return tester.go_to(test, "statistics")


# ---------------------------------------------------------------------------


class Play(NamedTuple):
    """``end`` and ``verdict``: as in the addon's table of ends; ``act``: plays it.

    ``words``: of the message, where the end does not say all.
    """

    name: str
    end: str
    verdict: str
    act: Callable[[Tester], int]
    words: str = ""


#: Every yellow and every red end (see ``tests/test_e2e_self_test.py``). In order: what
#: one does to Odoo's data the next one mends.
PLAYS = (
    Play("the PBX refuses", "not_connected", FAILED, fail("401")),
    Play("the PBX hangs up on Odoo", "not_connected", FAILED, fail("drop")),
    Play("the PBX's clock is wrong", "connected_but", WARNING, other_clock, "clocks"),
    Play("too many requests", "connected_but", WARNING, fail("429")),
    Play("the PBX is well again", "connected", OK, connect),
    Play("the PBX lists nobody", "no_extensions", FAILED, load_nobody),
    Play("but the tester", "no_own_extension", WARNING, load_staff(OWN)),
    Play("the PBX lists everybody", "staff", OK, load_staff()),
    Play("no notification comes", "no_call", FAILED, never_told),
    Play("no greeting", "no_greeting", FAILED, call_in(STRANGERS[0], 0)),
    Play(
        "a greeting that is much too short",
        "greeting_too_short",
        FAILED,
        call_in(STRANGERS[1], SHORT),
    ),
    Play(
        "a short greeting, played to its end",
        "greeting_short",
        WARNING,
        call_in(IVAN, LONG, greeting_to_end=True),
    ),
    Play(
        "a caller whom Odoo does not route",
        "not_routed",
        WARNING,
        call_in(STRANGERS[2], LONG),
    ),
    Play(
        "the PBX refuses the route",
        "route_failed",
        FAILED,
        call_in(IVAN, LONG, route="reply"),
    ),
    Play(
        "the PBX takes the route, then refuses",
        "route_failed",
        FAILED,
        call_in(IVAN, LONG, route="result"),
    ),
    Play(
        "the outcome of the route is never told",
        "route_unclear",
        WARNING,
        call_in(IVAN, LONG, route="untold"),
    ),
    Play(
        "a call by click is refused",
        "call_refused",
        FAILED,
        call_by_click(STRANGERS[3], callback="reply", refusal=2240),
    ),
    Play(
        "a call by click is taken, then refused",
        "call_refused",
        FAILED,
        call_by_click(STRANGERS[4], callback="result", refusal=2240),
    ),
    Play(
        "a call by click is taken, and nothing rings",
        "no_call_of_command",
        FAILED,
        call_by_click_in_vain,
    ),
    Play(
        "the mobile is busy",
        "call_not_answered",
        WARNING,
        call_by_click_to_a_busy_phone,
    ),
    Play("no recording is announced", "no_recording", WARNING, not_recorded),
    Play(
        "no link to the recording",
        "recording_failed",
        FAILED,
        recording_without_a_link,
    ),
    Play("nobody has called", "nothing_to_compare", WARNING, no_call_at_all),
    Play("statistics are refused", "statistics_refused", FAILED, statistics_refused),
    Play(
        "another clock",
        "other_times",
        FAILED,
        statistics(statistics_shift=60),
        "60 s off",
    ),
    Play(
        "another time zone",
        "other_time_zone",
        FAILED,
        statistics(statistics_shift=-10800),
        "-3 hours",
    ),
    Play(
        "statistics without the call",
        "not_in_statistics",
        WARNING,
        statistics(in_statistics=False),
    ),
    # It also ends the pause of automatic requests that the failures have caused.
    Play("all is well in the end", "connected", OK, connect),
)
