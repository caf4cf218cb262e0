"""Notifications in the situations of mango-api.md 4 and 9.2, and their results.

The expected results were written by hand from the manual's tables.
"""

import json
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests

from ..vpbx.notifications import parse

# Odoo replaces it while tests run.
_send = requests.Session.send

T0 = 1767258000  # 2026-01-01 09:00:00 UTC
CLIENT = "74950000201"
LINE = "74950000100"
SIP_LINE = "sip:line3@romashka.mangosip.ru"
LINES = (LINE, "74950000101", SIP_LINE)


class LoopbackRequests:
    """Mixin: allow requests of the test to this machine only.

    Odoo's own handler compares ``timeout`` with a number; the client passes a pair.
    """

    @classmethod
    def _request_handler(cls, session, request, /, **options):
        host = urlsplit(request.url).hostname
        if host not in ("127.0.0.1", "localhost"):
            raise AssertionError(f"The test must not talk to {host}")
        return _send(session, request, **options)


@dataclass(frozen=True)
class Scenario:
    """One call: ``posts`` are (kind, payload); ``expected`` names fields of CallState.

    ``legs`` in ``expected`` are (leg, place, state, end reason), in order.
    """

    name: str
    posts: tuple
    expected: dict

    @property
    def notifications(self):
        return [read(post) for post in self.posts]


def read(post):
    """Parse a post as text."""
    kind, payload = post
    return parse(kind, json.dumps(payload))


# ---------------------------------------------------------------------------
# Building posts


def device(extension):
    return f"sip:user{extension}@romashka.mangosip.ru"


def outside(number=CLIENT, taken_from=None):
    """Build the ``from`` or ``to`` of an outside party, anonymous without a number."""
    party = {"number": number} if number else {}
    if taken_from:
        party["taken_from_call_id"] = taken_from
    return party


def staff(extension, line=None, group=None, taken_from=None):
    """Build the ``from`` or ``to`` of an employee."""
    party = {"extension": extension, "number": device(extension)}
    if line:
        party["line_number"] = line
    if group:
        party["acd_group"] = group
    if taken_from:
        party["taken_from_call_id"] = taken_from
    return party


def dialled(line=LINE):
    """Build the ``to`` of a menu leg: the line that was dialled."""
    return {"number": line, "line_number": line}


def leg(ref, seq, state, at, caller, callee, *, place="abonent", reason=None, **more):
    """Build an ``events/call``; ``at`` is seconds since T0."""
    payload = {
        "entry_id": "E1",
        "call_id": ref,
        "timestamp": T0 + at,
        "seq": seq,
        "call_state": state,
        "location": place,
        "from": caller,
        "to": callee,
        **more,
    }
    if reason:
        payload["disconnect_reason"] = reason
    return "events/call", payload


def summary(direction, caller, callee, *, talk, end, reason, line=LINE, **more):
    """Build an ``events/summary``; times are seconds since T0, ``talk`` may be None."""
    payload = {
        "entry_id": "E1",
        "call_direction": direction,
        "from": caller,
        "to": callee,
        "create_time": T0,
        "forward_time": T0 if direction != 1 else T0 + 10,
        "talk_time": T0 + talk if talk else 0,
        "end_time": T0 + end,
        "entry_result": 1 if talk else 0,
        "disconnect_reason": reason,
        **more,
    }
    if line:
        payload["line_number"] = line
    return "events/summary", payload


def result(command, command_id, code):
    return f"result/{command}", {"command_id": command_id, "result": code}


def menu(number=CLIENT, line=LINE, end=10, reason=1100):
    """Build the two posts of a menu leg L1."""
    caller, callee = outside(number), dialled(line)
    return (
        leg("L1", 1, "Appeared", 0, caller, callee, place="ivr"),
        leg("L1", 2, "Disconnected", end, caller, callee, place="ivr", reason=reason),
    )


MENU_LEFT = ("L1", "ivr", "disconnected", 1100)

# ---------------------------------------------------------------------------
# Inbound


def inbound_answered():
    """4.1: menu, queue, parallel group of two; 101 answers, the client hangs up."""
    caller = outside(taken_from="L1")
    anna, boris = staff("101", LINE, "500"), staff("102", LINE, "500")
    queue = {"line_number": LINE, "acd_group": "500"}
    return Scenario(
        "inbound_answered",
        (
            *menu(),
            leg("L2", 1, "Appeared", 10, caller, queue, place="queue"),
            leg("L3", 1, "Appeared", 12, caller, anna),
            leg("L4", 1, "Appeared", 12, caller, boris),
            leg("L3", 2, "Connected", 20, caller, anna),
            leg("L4", 2, "Disconnected", 20, caller, boris, reason=1183),
            leg("L2", 2, "Disconnected", 20, caller, queue, place="queue", reason=1100),
            leg("L3", 3, "Disconnected", 95, caller, anna, reason=1110),
            summary(1, outside(), staff("101"), talk=20, end=95, reason=1110),
        ),
        {
            "direction": "inbound",
            "state": "ended",
            "result": "answered",
            "client_number": CLIENT,
            "line_number": LINE,
            "group_number": "500",
            "extension": "101",
            "started_at": T0,
            "answered_at": T0 + 20,
            "ended_at": T0 + 95,
            "wait_duration": 20,
            "talk_duration": 75,
            "end_reason": 1110,
            "callback": False,
            "command_ids": (),
            "legs": [
                MENU_LEFT,
                ("L2", "queue", "disconnected", 1100),
                ("L3", "abonent", "disconnected", 1110),
                ("L4", "abonent", "disconnected", 1183),
            ],
        },
    )


def missed_in_menu(entry_result):
    """4.2: the client hangs up in the menu; the PBX may even report a talk."""
    return Scenario(
        f"missed_in_menu_{entry_result}",
        (
            *menu(end=8, reason=1170),
            summary(
                1,
                outside(),
                {},
                talk=None,
                end=8,
                reason=1170,
                entry_result=entry_result,
            ),
        ),
        {
            "direction": "inbound",
            "state": "ended",
            "result": "missed",
            "client_number": CLIENT,
            "line_number": LINE,
            "group_number": None,
            "extension": None,
            "started_at": T0,
            "answered_at": None,
            "ended_at": T0 + 8,
            "wait_duration": 8,
            "talk_duration": 0,
            "end_reason": 1170,
            "legs": [("L1", "ivr", "disconnected", 1170)],
        },
    )


def missed_by_group():
    """4.2: three phones ring together and nobody picks up; ``to`` is the group."""
    caller = outside(taken_from="L1")
    first, second, third = (staff(n, LINE, "500") for n in ("101", "102", "103"))
    return Scenario(
        "missed_by_group",
        (
            *menu(),
            leg("L2", 1, "Appeared", 11, caller, first),
            leg("L3", 1, "Appeared", 12, caller, second),
            leg("L4", 1, "Appeared", 12, caller, third),
            leg("L2", 2, "Disconnected", 42, caller, first, reason=1111),
            leg("L3", 2, "Disconnected", 15, caller, second, reason=1122),
            leg("L4", 2, "Disconnected", 42, caller, third, reason=1111),
            summary(1, outside(), {"extension": "500"}, talk=None, end=42, reason=1160),
        ),
        {
            "direction": "inbound",
            "state": "ended",
            "result": "missed",
            "client_number": CLIENT,
            "group_number": "500",
            "extension": None,
            "answered_at": None,
            "wait_duration": 42,
            "talk_duration": 0,
            "end_reason": 1160,
            "legs": [
                MENU_LEFT,
                ("L2", "abonent", "disconnected", 1111),
                ("L3", "abonent", "disconnected", 1122),
                ("L4", "abonent", "disconnected", 1111),
            ],
        },
    )


def missed_off_duty():
    """4.2: outside the schedule there is no leg of the employee at all."""
    return Scenario(
        "missed_off_duty",
        (
            *menu(),
            summary(1, outside(), staff("104"), talk=None, end=30, reason=1192),
        ),
        {
            "direction": "inbound",
            "result": "missed",
            "extension": "104",
            "group_number": None,
            "wait_duration": 30,
            "end_reason": 1192,
            "legs": [MENU_LEFT],
        },
    )


def anonymous():
    """A caller with a hidden number: it is absent everywhere."""
    caller = outside(None, taken_from="L1")
    anna = staff("101", LINE)
    return Scenario(
        "anonymous",
        (
            *menu(number=None),
            leg("L2", 1, "Appeared", 10, caller, anna),
            leg("L2", 2, "Connected", 14, caller, anna),
            leg("L2", 3, "Disconnected", 40, caller, anna, reason=1120),
            summary(1, {}, staff("101"), talk=14, end=40, reason=1120),
        ),
        {
            "direction": "inbound",
            "result": "answered",
            "client_number": None,
            "line_number": LINE,
            "extension": "101",
            "wait_duration": 14,
            "talk_duration": 26,
            "end_reason": 1120,
        },
    )


def without_menu():
    """The line rings 0511 directly; the line is a SIP trunk; later events forget it."""
    daria = staff("0511")
    return Scenario(
        "without_menu",
        (
            leg("L1", 1, "Appeared", 0, outside(), staff("0511", SIP_LINE)),
            leg("L1", 2, "Connected", 5, outside(), daria),
            leg("L1", 3, "Disconnected", 65, outside(), daria, reason=1120),
            summary(1, outside(), daria, talk=5, end=65, reason=1120, line=SIP_LINE),
        ),
        {
            "direction": "inbound",
            "result": "answered",
            "client_number": CLIENT,
            "line_number": SIP_LINE,
            "extension": "0511",
            "wait_duration": 5,
            "talk_duration": 60,
        },
    )


# ---------------------------------------------------------------------------
# Routing by us


def _routed(code, anna_command):
    caller = outside(taken_from="L1")
    anna = staff("101", LINE)
    return (
        *menu(end=4),
        result("route", "odoo-route-1", code),
        leg("L2", 1, "Appeared", 4, caller, anna, **anna_command),
        leg("L2", 2, "Connected", 9, caller, anna, **anna_command),
        leg("L2", 3, "Disconnected", 30, caller, anna, reason=1110, **anna_command),
        summary(1, outside(), staff("101"), talk=9, end=30, reason=1110),
    )


def routed():
    """4.6: our route moves the call out of the menu: command_id *with* taken_from."""
    return Scenario(
        "routed",
        _routed(1000, {"command_id": "odoo-route-1"}),
        {
            "direction": "inbound",
            "state": "ended",
            "result": "answered",
            "client_number": CLIENT,
            "extension": "101",
            "callback": False,
            "command_ids": ("odoo-route-1",),
            "wait_duration": 9,
            "talk_duration": 21,
            "legs": [MENU_LEFT, ("L2", "abonent", "disconnected", 1110)],
        },
    )


def routed_too_late():
    """5.4: the route comes too late (4101) and the PBX's own scheme goes on."""
    return Scenario(
        "routed_too_late",
        _routed(4101, {}),
        {
            "direction": "inbound",
            "result": "answered",
            "extension": "101",
            "callback": False,
            "command_ids": (),
        },
    )


# ---------------------------------------------------------------------------
# Outbound and internal


def outbound(reason, talk=None):
    """4.3: from a phone; the first event may lack ``from.number``."""
    anna = staff("101")
    connected = ()
    if talk:
        connected = (leg("L1", 2, "Connected", talk, anna, outside()),)
    results = {1110: "answered", 1111: "unanswered", 1121: "busy", 1131: "failed"}
    return Scenario(
        f"outbound_{reason}",
        (
            leg("L1", 1, "Appeared", 0, {"extension": "101"}, outside()),
            *connected,
            leg("L1", 3, "Disconnected", 30, anna, outside(), reason=reason),
            summary(2, anna, outside(), talk=talk, end=30, reason=reason),
        ),
        {
            "direction": "outbound",
            "state": "ended",
            "result": results[reason],
            "client_number": CLIENT,
            "line_number": LINE,
            "extension": "101",
            "started_at": T0,
            "answered_at": T0 + talk if talk else None,
            "ended_at": T0 + 30,
            "wait_duration": talk or 30,
            "talk_duration": 30 - talk if talk else 0,
            "end_reason": reason,
            "callback": False,
        },
    )


def internal():
    """4.5: a colleague calls a colleague."""
    anna, boris = staff("101"), staff("102")
    return Scenario(
        "internal",
        (
            leg("L1", 1, "Appeared", 0, anna, boris),
            leg("L1", 2, "Connected", 3, anna, boris),
            leg("L1", 3, "Disconnected", 13, anna, boris, reason=1120),
            summary(0, anna, boris, talk=3, end=13, reason=1120, line=None),
        ),
        {
            "direction": "internal",
            "result": "answered",
            "client_number": None,
            "line_number": None,
            "extension": "101",
            "wait_duration": 3,
            "talk_duration": 10,
        },
    )


CALLBACK = {"command_id": "odoo-cb-0001", "callback_initiator": "API"}


def callback_answered():
    """4.4: the employee's phone first, then the client's."""
    anna_called = staff("101")
    anna = staff("101", taken_from="L1")
    return Scenario(
        "callback_answered",
        (
            result("callback", "odoo-cb-0001", "1000"),
            leg("L1", 1, "Appeared", 0, outside(), anna_called, **CALLBACK),
            leg("L1", 2, "Connected", 6, outside(), anna_called, **CALLBACK),
            leg("L2", 1, "Appeared", 7, anna, outside(), **CALLBACK),
            leg(
                "L1",
                3,
                "Disconnected",
                7,
                outside(),
                anna_called,
                reason=1000,
                **CALLBACK,
            ),
            leg("L2", 2, "Connected", 15, anna, outside(), **CALLBACK),
            leg("L2", 3, "Disconnected", 75, anna, outside(), reason=1120, **CALLBACK),
            summary(2, staff("101"), outside(), talk=15, end=75, reason=1120),
        ),
        {
            "direction": "outbound",
            "state": "ended",
            "result": "answered",
            "client_number": CLIENT,
            "line_number": LINE,
            "extension": "101",
            "answered_at": T0 + 15,
            "wait_duration": 15,
            "talk_duration": 60,
            "callback": True,
            "command_ids": ("odoo-cb-0001",),
        },
    )


def callback_employee_silent():
    """4.4: the employee does not pick up, so the client is never rung."""
    anna = staff("101")
    return Scenario(
        "callback_employee_silent",
        (
            leg("L1", 1, "Appeared", 0, outside(), anna, **CALLBACK),
            leg("L1", 2, "Disconnected", 30, outside(), anna, reason=1111, **CALLBACK),
            result("callback", "odoo-cb-0001", 1000),
            summary(2, anna, outside(), talk=None, end=30, reason=1111, line=None),
        ),
        {
            "direction": "outbound",
            "result": "unanswered",
            "client_number": CLIENT,
            "line_number": None,
            "extension": "101",
            "callback": True,
            "answered_at": None,
            "wait_duration": 30,
            "talk_duration": 0,
            "end_reason": 1111,
        },
    )


def callback_client_busy():
    """4.4: the employee picked up; the client is busy. Only a command_id tells."""
    command = {"command_id": "odoo-cb-0001"}
    anna_called = staff("101")
    anna = staff("101", taken_from="L1")
    return Scenario(
        "callback_client_busy",
        (
            leg("L1", 1, "Appeared", 0, outside(), anna_called, **command),
            leg("L1", 2, "Connected", 6, outside(), anna_called, **command),
            leg("L2", 1, "Appeared", 7, anna, outside(), **command),
            leg("L2", 2, "Disconnected", 9, anna, outside(), reason=1121, **command),
            leg(
                "L1",
                3,
                "Disconnected",
                9,
                outside(),
                anna_called,
                reason=1183,
                **command,
            ),
            summary(2, staff("101"), outside(), talk=None, end=9, reason=1121),
        ),
        {
            "direction": "outbound",
            "result": "busy",
            "client_number": CLIENT,
            "extension": "101",
            "callback": True,
            "answered_at": None,
            "wait_duration": 9,
            "talk_duration": 0,
            "end_reason": 1121,
        },
    )


# ---------------------------------------------------------------------------
# Transfers


def consultation():
    """4.6: 101 asks 102, hangs up, and 102 goes on with the client."""
    anna, boris = staff("101", LINE), staff("102", LINE)
    asking = staff("101", taken_from="L1")
    handed = outside(taken_from="L1")
    return Scenario(
        "consultation",
        (
            leg("L1", 1, "Appeared", 0, outside(), anna),
            leg("L1", 2, "Connected", 5, outside(), anna),
            leg("L1", 3, "OnHold", 30, outside(), anna),
            leg("L2", 1, "Appeared", 32, asking, boris),
            leg("L2", 2, "Connected", 35, asking, boris, transfer="consultative"),
            leg("L1", 4, "Disconnected", 60, outside(), anna, reason=1120),
            leg("L2", 3, "Connected", 60, handed, boris),
            leg("L2", 4, "Disconnected", 90, handed, boris, reason=1110),
            summary(1, outside(), staff("101"), talk=5, end=90, reason=1110),
        ),
        {
            "direction": "inbound",
            "result": "answered",
            "client_number": CLIENT,
            "extension": "101",
            "answered_at": T0 + 5,
            "wait_duration": 5,
            "talk_duration": 85,
            "legs": [
                ("L1", "abonent", "disconnected", 1120),
                ("L2", "abonent", "disconnected", 1110),
            ],
        },
    )


def blind_transfer():
    """4.6: 101 transfers while 102 rings: 102's leg appears twice."""
    anna, boris = staff("101", LINE), staff("102", LINE)
    handed = outside(taken_from="L1")
    return Scenario(
        "blind_transfer",
        (
            leg("L1", 1, "Appeared", 0, outside(), anna),
            leg("L1", 2, "Connected", 5, outside(), anna),
            leg("L1", 3, "OnHold", 20, outside(), anna),
            leg("L2", 1, "Appeared", 20, staff("101", taken_from="L1"), boris),
            leg(
                "L1",
                4,
                "Disconnected",
                22,
                {**outside(), "was_transferred": True},
                anna,
                reason=1120,
            ),
            leg("L2", 2, "Appeared", 22, handed, boris, transfer="blind"),
            leg("L2", 3, "Connected", 28, handed, boris),
            leg("L2", 4, "Disconnected", 50, handed, boris, reason=1120),
            summary(1, outside(), staff("101"), talk=5, end=50, reason=1120),
        ),
        {
            "direction": "inbound",
            "result": "answered",
            "client_number": CLIENT,
            "extension": "101",
            "wait_duration": 5,
            "talk_duration": 45,
            "legs": [
                ("L1", "abonent", "disconnected", 1120),
                ("L2", "abonent", "disconnected", 1120),
            ],
        },
    )


def returned_transfer():
    """4.6: the target does not answer and the PBX rings the initiator back."""
    anna, boris = staff("101", LINE), staff("102", LINE)
    handed = outside(taken_from="L1")
    back = {"transfer": "return_blind"}
    again = outside(taken_from="L2")
    return Scenario(
        "returned_transfer",
        (
            leg("L1", 1, "Appeared", 0, outside(), anna),
            leg("L1", 2, "Connected", 5, outside(), anna),
            leg("L1", 3, "Disconnected", 20, outside(), anna, reason=1120),
            leg("L2", 1, "Appeared", 20, handed, boris, transfer="blind"),
            leg("L2", 2, "Disconnected", 40, handed, boris, reason=1111),
            leg("L3", 1, "Appeared", 40, again, anna, **back),
            leg("L3", 2, "Connected", 44, again, anna, **back),
            leg("L3", 3, "Disconnected", 70, again, anna, reason=1110, **back),
            summary(1, outside(), staff("101"), talk=5, end=70, reason=1110),
        ),
        {
            "direction": "inbound",
            "result": "answered",
            "extension": "101",
            "wait_duration": 5,
            "talk_duration": 65,
            "legs": [
                ("L1", "abonent", "disconnected", 1120),
                ("L2", "abonent", "disconnected", 1111),
                ("L3", "abonent", "disconnected", 1110),
            ],
        },
    )


# ---------------------------------------------------------------------------
# Recordings, unusual members


def two_recordings():
    """9.2, 12: each employee has a separate recording; ``added`` before ``summary``."""

    def recording(ref, seq, state, at, **more):
        return "events/recording", {
            "recording_id": ref,
            "recording_state": state,
            "seq": seq,
            "entry_id": "E1",
            "call_id": "L1",
            "timestamp": T0 + at,
            **more,
        }

    def added(ref, user_id):
        return "events/record/added", {
            "entry_id": "E1",
            "product_id": 400000001,
            "user_id": user_id,
            "timestamp": T0 + 95,
            "recording_id": ref,
        }

    base = consultation()
    *events, last = base.posts
    done = {"completion_code": 1000, "recipient": "Cloud"}
    return Scenario(
        "two_recordings",
        (
            *events,
            recording("R1", 1, "Started", 5, extension="101"),
            recording("R1", 2, "Completed", 60, extension="101", **done),
            recording("R2", 1, "Started", 60, extension="102"),
            recording("R3", 1, "Started", 60, extension="102"),
            recording("R3", 2, "Completed", 61, extension="", completion_code=4002),
            added("R1", 400000101),
            added("R2", -1),
            last,
        ),
        {
            **base.expected,
            # reference, extension, user of the PBX, stored, completion code
            "recordings": [
                ("R1", "101", "400000101", True, 1000),
                ("R2", "102", None, True, None),
                ("R3", "102", None, False, 4002),
            ],
        },
    )


def unknown_members():
    """9.2, 14: an unknown code, an unknown state, unknown fields, an unknown kind."""
    anna = staff("101", LINE)
    return Scenario(
        "unknown_members",
        (
            leg("L1", 1, "Appeared", 0, outside(), anna, moon="full"),
            leg("L1", 2, "Pondering", 3, outside(), anna),
            leg("L1", 3, "Disconnected", 9, outside(), anna, reason=1199),
            ("events/weather", {"entry_id": "E1", "sky": "blue"}),
            summary(
                1, outside(), staff("101"), talk=None, end=9, reason=1199, mood=["x"]
            ),
        ),
        {
            "direction": "inbound",
            "result": "missed",
            "client_number": CLIENT,
            "extension": "101",
            "end_reason": 1199,
            "wait_duration": 9,
            "legs": [("L1", "abonent", "disconnected", 1199)],
        },
    )


def numeric_texts():
    """9.2, 13: every integer comes as text, and texts of digits as integers."""
    base = inbound_answered()
    return Scenario(
        "numeric_texts",
        tuple((kind, _swap_types(payload)) for kind, payload in base.posts),
        base.expected,
    )


def _swap_types(value):
    if isinstance(value, dict):
        return {name: _swap_types(member) for name, member in value.items()}
    if isinstance(value, int):
        return str(value)
    return int(value) if value.isdecimal() else value


def empty_members():
    """2.7: missing members may also be empty or null; ``location`` may be missing."""
    base = inbound_answered()
    posts = []
    for kind, payload in base.posts:
        payload = {**payload, "command_id": "", "task_id": None, "dct": {}}
        if payload.get("location") == "abonent":
            payload["locaton"] = payload.pop("location")  # sic, mango-api.md 3.1
        posts.append((kind, payload))
    return Scenario("empty_members", tuple(posts), base.expected)


SCENARIOS = (
    inbound_answered(),
    missed_in_menu(0),
    missed_in_menu(1),
    missed_by_group(),
    missed_off_duty(),
    anonymous(),
    without_menu(),
    routed(),
    routed_too_late(),
    outbound(1110, talk=8),
    outbound(1111),
    outbound(1121),
    outbound(1131),
    internal(),
    callback_answered(),
    callback_employee_silent(),
    callback_client_busy(),
    consultation(),
    blind_transfer(),
    returned_transfer(),
    two_recordings(),
    unknown_members(),
    numeric_texts(),
    empty_members(),
)
