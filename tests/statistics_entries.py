"""Entries of the PBX's statistics, built as mango-api.md 6.6 describes them."""

from ..vpbx.call_state import fold
from .vpbx_scenarios import CLIENT, LINE, LINES, T0

CONTEXT_TYPES = {"inbound": 1, "outbound": 2, "internal": 3}


def user_ref(extension):
    """Return the PBX's id of an employee; the extension is seldom included."""
    return 400000000 + int(extension)


def person(extension=None, start=12, answer=None, end=95, *, number=None, **more):
    """Build a leg; times are seconds since T0, ``answer`` None without an answer."""
    leg = {
        "call_type": "user" if extension else "number",
        "call_abonent_id": user_ref(extension) if extension else None,
        "call_abonent_info": "",
        "call_abonent_number": number,
        "call_start_time": T0 + start,
        "call_answer_time": T0 + answer if answer is not None else None,
        "call_end_time": T0 + end,
        "call_duration": end - start,
        "talk_duration": end - answer if answer is not None else 0,
        "hold_duration": None,
        "call_end_reason": 1110 if answer is not None else 1111,
        "recording_id": [],
        "DirectionInbound": True,
        "members": None,
    }
    if extension:
        leg["call_abonent_extension"] = extension
    return {**leg, **more}


def entry(entry_id="E1", *legs, direction="inbound", talk=75, duration=95, **more):
    """Build a call of the statistics."""
    return {
        "entry_id": entry_id,
        "context_type": CONTEXT_TYPES[direction],
        "context_status": int(bool(talk)),
        "caller_id": None,
        "caller_name": "",
        "caller_number": CLIENT,
        "called_number": LINE,
        "context_start_time": T0,
        "duration": duration,
        "talk_duration": talk,
        "context_init_type": 0,
        "recall_status": 2,
        "context_calls": list(legs),
        **more,
    }


def answered(entry_id="E1", *, recordings=(), **more):
    """Build an inbound call that 101 answered after 20 seconds, as L3."""
    leg = person("101", 12, 20, external_call_id="L3", recording_id=list(recordings))
    return entry(entry_id, leg, **more)


def of_scenario(scenario):
    """Build the statistics' entry of a scenario's call.

    The statistics contain no menu, and no queue from which an employee was rung.
    """
    call = fold(scenario.notifications, LINES)
    desks = [leg for leg in call.legs if not leg.is_menu]
    groups = {leg.acd_group: [] for leg in desks if leg.acd_group}
    legs = []
    for leg in desks:
        (groups[leg.acd_group] if leg.acd_group else legs).append(_leg(call, leg))
    legs = [_group(call, number, legs) for number, legs in groups.items()] + legs
    is_inbound = call.direction == "inbound"
    if call.extension and not legs:
        # Nobody was rung, not even the one reported to have missed the call.
        legs = [{"call_type": "user", "call_abonent_extension": call.extension}]
    return {
        "entry_id": "E1",
        "context_type": CONTEXT_TYPES[call.direction],
        "context_status": int(call.result == "answered"),
        "caller_id": None if is_inbound else user_ref(call.extension),
        "caller_number": (call.client_number or "") if is_inbound else None,
        "called_number": call.line_number if is_inbound else call.client_number,
        "context_start_time": call.started_at,
        "duration": call.ended_at - call.started_at,
        "talk_duration": call.talk_duration,
        "context_init_type": 4 if call.callback else 0,
        "context_calls": legs,
        "caller_extension": None if is_inbound else call.extension,
    }


def _leg(call, leg):
    recordings = [r.ref for r in call.recordings if r.extension == leg.to_extension]
    return {
        "call_type": "user" if leg.to_extension else "number",
        "call_abonent_id": user_ref(leg.to_extension) if leg.to_extension else None,
        "call_abonent_number": leg.to_number,
        "call_abonent_extension": leg.to_extension,
        "call_start_time": leg.started_at,
        "call_answer_time": leg.answered_at,
        "call_end_time": leg.ended_at,
        "call_end_reason": leg.end_reason,
        "recording_id": recordings,
        "external_call_id": leg.leg_ref,
        "members": None,
    }


def _group(call, number, members):
    answers = [m["call_answer_time"] for m in members if m["call_answer_time"]]
    return {
        "call_type": "group",
        "call_abonent_id": 77,
        "call_abonent_extension": number,
        "call_start_time": min(m["call_start_time"] for m in members),
        "call_answer_time": min(answers, default=None),
        "call_end_time": max(m["call_end_time"] for m in members),
        "call_end_reason": call.end_reason,
        "recording_id": [],
        "members": members,
    }
