"""Judgement of the self-test's calls: pure, without a database and a clock.

Each judgement is one of :data:`~.self_test_ends.ENDS`, with the values it tells.
"""

from dataclasses import dataclass
from typing import NamedTuple

#: A greeting shorter than the first leaves no time to route; below the second it is
#: close.
TOO_SHORT, SHORT = 3, 6

#: How long to wait for a notification, and for a recording, in seconds.
PATIENCE, RECORDING_PATIENCE = 120, 300

#: Accepted difference of clocks, in seconds.
CLOCK_TOLERANCE = 5

HOUR = 3600


class Judgement(NamedTuple):
    """``end`` is one of the table; ``values`` are inserted into its sentence."""

    end: str
    values: dict = {}


@dataclass(frozen=True)
class Inbound:
    """The facts about the inbound call; durations are seconds.

    ``greeting`` is None without a greeting, ``in_greeting`` tells that it is still
    playing; ``route_after`` is the time from the first notification to the outcome of
    the route.
    """

    waited: float
    is_there: bool = False
    greeting: int | None = None
    in_greeting: bool = False
    route_state: str = "none"
    route_reason: str = ""
    route_after: int | None = None
    rung: str = ""

    @property
    def is_cut_by_route(self):
        """Whether the route ended the greeting, however long it would have been.

        Otherwise the PBX plays it to its end first. Both are in whole seconds.
        """
        if self.route_state != "accepted" or self.route_after is None:
            return False
        return abs(self.greeting - self.route_after) <= 1


def judge_inbound(call):
    """Judge the call from a mobile to a line.

    :param Inbound call: the facts about it
    :rtype: Judgement
    """
    if not call.is_there:
        if call.waited < PATIENCE:
            return Judgement("no_call_yet")
        return Judgement("no_call")
    if call.greeting is None and not call.in_greeting:
        return Judgement("no_greeting")
    if call.in_greeting:
        return Judgement("greeting_plays")
    return _judge_route(call)


def _judge_route(call):
    """Judge a call whose greeting is over.

    :param Inbound call: what is known of it
    :rtype: Judgement
    """
    values = {
        "greeting": call.greeting,
        "route": call.route_after,
        "rung": call.rung,
        "reason": call.route_reason,
    }
    if call.route_state == "sent":
        # Whatever ended the greeting.
        return Judgement("route_unclear", values)
    if call.is_cut_by_route:
        return Judgement("routed_at_once", values)
    if call.greeting < TOO_SHORT:
        return Judgement("greeting_too_short", values)
    if call.route_state == "failed":
        return Judgement("route_failed", values)
    if call.route_state != "accepted":
        return Judgement("not_routed", values)
    if call.greeting < SHORT:
        return Judgement("greeting_short", values)
    if call.route_after is None:
        # Accepted at once; the outcome is not reported yet.
        return Judgement("routed_untold", values)
    return Judgement("routed", values)


@dataclass(frozen=True)
class Outbound:
    """The facts about the outbound call; the states are Odoo's own."""

    command_state: str | None = None
    command_reason: str = ""
    call_state: str | None = None
    result: str | None = None
    end_reason: str = ""
    waited: float = 0


def judge_outbound(call):
    """Judge the call from one's own phone to the mobile.

    :param Outbound call: the facts about it
    :rtype: Judgement
    """
    if not call.command_state:
        return Judgement("press_call")
    if call.command_state == "failed":
        return Judgement("call_refused", {"reason": call.command_reason})
    if not call.call_state:
        if call.waited < PATIENCE:
            return Judgement("own_phone_rings")
        return Judgement("no_call_of_command")
    if call.call_state != "ended":
        return Judgement("call_goes_on")
    if call.result == "answered":
        return Judgement("call_answered")
    return Judgement("call_not_answered", {"reason": call.end_reason})


def judge_recording(states, waited, error="", is_played=False):
    """Judge the recordings of the test's calls.

    :param states: of each recording, as in ``mango.recording``
    :param float waited: seconds since the end of the calls
    :param str error: the error of a failed one
    :param bool is_played: whether the tester has listened to one
    :rtype: Judgement
    """
    if "ready" in states:
        return Judgement("recording_played" if is_played else "recording_ready")
    if "failed" in states or "expired" in states:
        return Judgement("recording_failed", {"reason": error})
    if states:
        return Judgement("recording_comes")
    if waited < RECORDING_PATIENCE:
        return Judgement("no_recording_yet")
    return Judgement("no_recording")


def judge_statistics(told, known):
    """Compare the start of a call in the statistics and in the notifications.

    :param told: epoch seconds from the statistics; None if the call is not in them
    :type told: int | None
    :param int known: epoch seconds from the notifications
    :rtype: Judgement
    """
    if told is None:
        return Judgement("not_in_statistics")
    difference = told - known
    if abs(difference) <= CLOCK_TOLERANCE:
        return Judgement("same_times", {"seconds": difference})
    hours = round(difference / HOUR)
    if hours and abs(difference - hours * HOUR) <= CLOCK_TOLERANCE:
        return Judgement("other_time_zone", {"hours": hours})
    return Judgement("other_times", {"seconds": difference})
