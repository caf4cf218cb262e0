"""The self-test's yellow and red ends: the simulator plays a PBX set up wrong."""

import contextlib
import datetime as dt
import time

from . import demo
from .console import step

TESTER, COLLEAGUE = "vera", "101"
IVAN = "74950000201"  # is routed
SOMEBODY = "74950000780"
STRANGERS = [f"7495000077{digit}" for digit in range(6)]  # nobody's client
#: In the PBX's seconds. At its speed here the longer one takes some of our own.
SHORT, LONG = 5, 20
IN_VAIN = dt.timedelta(minutes=6)  # longer than anything is waited for
FORMAT = "%Y-%m-%d %H:%M:%S"
STEPS = ("connection", "staff", "inbound", "outbound", "recording", "statistics")
PATIENCE = 20  # seconds until something is judged
LOOK_AGAIN = 0.2  # seconds between two looks
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
        for play in ENDS:
            yield play(tester)
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

    def call(self, number, greeting):
        """Call, listen to the greeting, and hang up."""
        call = self.pbx.post("call", **{"from": number}, greeting=greeting)
        self.pbx.wait_for(_greeting_is_over, "the greeting to end")
        self.pbx.post("hangup", entry_id=call["entry_id"])

    def look(self, test):
        """Look at the present step.

        :return: ``state`` and ``message`` of its line.
        :rtype: dict
        """
        self.press(test, "action_look")
        domain = [("test_id", "=", test), ("step", "=", self.read(test)["step"])]
        fields = ["state", "message"]
        [line] = self._server.search_read("mango.self.test.step", domain, fields)
        return line

    def judge(self, name, test, verdict, words=""):
        """Look, and compare with what is expected.

        :param str name: of the end.
        :param int test: the test's id.
        :param str verdict: as in ``mango.self.test.step``.
        :param str words: of the sentence that tells the cause.
        :return: name, success and detail of the check.
        :rtype: tuple[str, bool, str]
        """
        line = {"state": "waiting"}
        deadline = time.monotonic() + PATIENCE
        while line["state"] == "waiting" and time.monotonic() < deadline:
            line = self.look(test)
            time.sleep(LOOK_AGAIN)
        ok = line["state"] == verdict and words in (line["message"] or "")
        return f"self-test: {name}", ok, f"expected {verdict} {words!r}, found {line}"


def _greeting_is_over(state):
    return all(call["stage"] != "menu" for call in state["calls"])


# ---------------------------------------------------------------------------
# Ends


def refused(tester):
    tester.set(faults=[{"kind": "401", "times": ALWAYS}])
    return tester.judge("the PBX refuses", tester.begin(), "failed")


def well_again(tester):
    return tester.judge("the PBX is well again", tester.begin(), "ok")


def no_call(tester):
    # Nor may the call be fetched from the statistics meanwhile.
    tester.set(notify=False, in_statistics=False)
    test = tester.begin("inbound", STRANGERS[0])
    tester.call(STRANGERS[0], SHORT)
    tester.wait_in_vain(test)
    return tester.judge("no notification comes", test, "failed", "two minutes")


def no_greeting(tester):
    return _inbound(tester, "no greeting", STRANGERS[0], 0, "failed", "without")


def greeting_too_short(tester):
    name, words = "a greeting that is too short", "too short"
    return _inbound(tester, name, STRANGERS[1], SHORT, "failed", words)


def not_routed(tester):
    name, words = "a caller whom Odoo does not route", "did not route"
    return _inbound(tester, name, STRANGERS[2], LONG, "warning", words)


def route_refused(tester):
    tester.set(route="reply")
    name, words = "the PBX refuses the route", "did not take"
    return _inbound(tester, name, IVAN, LONG, "failed", words)


def route_refused_later(tester):
    tester.set(route="result")
    name, words = "the PBX takes the route, then refuses", "did not take"
    return _inbound(tester, name, IVAN, LONG, "failed", words)


def route_untold(tester):
    tester.set(route="untold")
    name, words = "the outcome of the route is never told", "has not told"
    return _inbound(tester, name, IVAN, LONG, "warning", words)


def _inbound(tester, name, number, greeting, *expected):
    test = tester.begin("inbound", number)
    tester.call(number, greeting)
    return tester.judge(name, test, *expected)


def call_refused(tester):
    tester.set(callback="reply", refusal=2240)
    test = tester.begin("outbound", STRANGERS[3])
    tester.press(test, "action_call")
    return tester.judge("a call by click is refused", test, "failed", "refused")


def nothing_rings(tester):
    tester.set(callback="nothing")
    test = tester.begin("outbound", STRANGERS[4])
    tester.press(test, "action_call")
    tester.wait_in_vain(test)
    name = "a call by click is taken, and nothing rings"
    return tester.judge(name, test, "failed", "nothing rang")


def not_recorded(tester):
    tester.set(recording=False)
    test = tester.begin("inbound")
    call = tester.pbx.post("call", **{"from": IVAN}, greeting=LONG)
    tester.pbx.wait_for(_colleague_rings, "a phone to ring")
    tester.pbx.post("pickup", extension=COLLEAGUE)
    tester.pbx.post("hangup", entry_id=call["entry_id"])
    tester.judge("", test, "ok")  # which finds the call
    tester.go_to(test, "recording")
    tester.wait_in_vain(test)
    return tester.judge("no recording is announced", test, "warning", "announced")


def _colleague_rings(state):
    return any(COLLEAGUE in call["ringing"] for call in state["calls"])


def statistics_off_by_a_minute(tester):
    tester.set(statistics_shift=60)
    return _statistics(tester, "another clock", "failed", "60 seconds")


def statistics_of_another_time_zone(tester):
    tester.set(statistics_shift=-10800)
    return _statistics(tester, "another time zone", "failed", "-3 hours")


def statistics_without_the_call(tester):
    tester.set(in_statistics=False)
    return _statistics(tester, "statistics without the call", "warning", "not in")


def _statistics(tester, name, *expected):
    number = STRANGERS[5]
    test = tester.begin("inbound", number)
    tester.call(number, SHORT)
    tester.judge("", test, "failed")  # which finds the call
    # No two orders of statistics within a moment.
    tester.set(rate_limits=False)
    return tester.judge(name, tester.go_to(test, "statistics"), *expected)


ENDS = [
    refused,
    well_again,
    no_call,
    no_greeting,
    greeting_too_short,
    not_routed,
    route_refused,
    route_refused_later,
    route_untold,
    call_refused,
    nothing_rings,
    not_recorded,
    statistics_off_by_a_minute,
    statistics_of_another_time_zone,
    statistics_without_the_call,
]
