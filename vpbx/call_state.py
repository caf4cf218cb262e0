"""A call as a fold over its notifications (mango-api.md 4, design.md 2).

:func:`fold` takes *all* notifications of one ``entry_id`` and gives the state of the
call. It is pure and total, and it takes its input as a set: neither the order nor the
number of repetitions matters, so duplicates, disorder and replay are no special cases.

How it works:

1. **Legs.** Events are grouped by leg. The event with the highest ``seq`` is the whole
   state of its leg, because a leg may go back (``Connected`` twice) and its caller may
   change in a transfer. Times are the earliest over the events, and what later events
   may leave out (line, group, command) is remembered from earlier ones. Timestamps are
   whole seconds and do not order events; within a leg ``seq`` does, between legs the
   chain of ``taken_from`` breaks ties.
2. **Direction.** Guessed on the opening event of the first leg (mango-api.md 4.7) and
   overruled by the summary. An employee's callback is outbound although its first leg
   looks like an incoming call.
3. **Talks.** The events that connect an employee with the client. A consultation of
   colleagues is none, and neither is the first leg of a callback, where only the
   employee has picked up.
4. **End.** Only the summary ends a call, or its caretaker by giving ``closed_at``:
   leaving the menu is a ``Disconnected`` leg, too. Since nothing takes a summary back,
   no late event can reopen a call. What the summary says wins over what the legs say.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from . import codes
from .notifications import LegEvent, Notification, RecordAdded, RecordingEvent, Summary
from .numbers import is_external, is_line, is_pbx_device

INBOUND = "inbound"
OUTBOUND = "outbound"
INTERNAL = "internal"

RINGING = "ringing"
TALKING = "talking"
ENDED = "ended"

_CONNECTED_STATES = ("connected", "onhold")
_MENU_LOCATIONS = ("ivr", "queue")


@dataclass(frozen=True)
class LegState:
    """One place the call visited: the menu, a queue, or an employee's phone.

    Times are epoch seconds or None.
    """

    leg_ref: str
    seq: int
    state: str
    location: str | None
    from_number: str | None
    from_extension: str | None
    to_number: str | None
    to_extension: str | None
    line_number: str | None
    acd_group: str | None
    started_at: int | None
    answered_at: int | None
    ended_at: int | None
    end_reason: int | None
    taken_from: str | None
    transfer: str | None
    command_id: str | None

    @property
    def is_gone(self):
        return self.state == "disconnected"

    @property
    def is_menu(self):
        return _is_menu(self.location)


@dataclass(frozen=True)
class RecordingState:
    """One recording of the call; ``stored`` means that it may be fetched."""

    ref: str
    extension: str | None
    pbx_user_ref: str | None
    stored: bool
    completion_code: int | None


@dataclass(frozen=True)
class CallState:
    """One conversation as a person sees it.

    Times are epoch seconds or None, durations whole seconds, never negative.
    ``state`` is ``ringing`` until an employee and the client talk, ``talking`` from
    then on, through hold and transfer, until the call has ``ended``. ``result`` is
    ``answered``, ``missed``, ``unanswered``, ``busy`` or ``failed``, and None until the
    end. ``extension`` is who talked (first); until somebody does, whose phone rang
    first, which for a missed call is who missed it. In outbound and internal calls it
    is who called. Numbers are as received; an anonymous client is None.
    ``in_menu_leg`` is the leg that a route command may take; ``all_legs_gone`` tells
    that nothing is going on although the summary may not be here.
    """

    entry_id: str | None
    direction: str | None
    state: str
    result: str | None
    client_number: str | None
    line_number: str | None
    group_extension: str | None
    extension: str | None
    started_at: int | None
    answered_at: int | None
    ended_at: int | None
    wait_duration: int
    talk_duration: int
    end_reason: int | None
    legs: tuple[LegState, ...]
    recordings: tuple[RecordingState, ...]
    command_ids: tuple[str, ...]
    callback: bool
    in_menu_leg: str | None
    all_legs_gone: bool


class _Leg(NamedTuple):
    state: LegState
    events: tuple[LegEvent, ...]  # by seq

    @property
    def opening(self):
        """The first event that says who calls whom."""
        for event in self.events:
            if _caller(event) != (None, None) or _callee(event) != (None, None):
                return event
        return self.events[0]


def fold(
    notifications: Iterable[Notification],
    lines: Collection[str] = (),
    closed_at: int | None = None,
) -> CallState:
    """Compute the state of a call from all its notifications.

    :param notifications: of one ``entry_id``, in any order, repeated or not; kinds that
        say nothing of a call are passed over
    :param lines: our own lines as the PBX gives them, which are never the client
    :param closed_at: the epoch second at which a call without a summary was given up.
        Give it for good: without it a call that has no summary is open again
    :return: the call; without any notification a ringing call that knows nothing
    """
    facts = set(notifications)
    summary = _summary(facts)
    legs = _legs(event for event in facts if isinstance(event, LegEvent))
    recordings = _recordings(facts)

    first = _first_leg(legs)
    callback = _is_callback(first, legs)
    direction = _direction(first, callback, summary, lines)
    client_number = _client_number(direction, callback, first, legs, summary, lines)
    talks = _talks(direction, client_number, legs)
    groups = {leg.state.acd_group for leg in legs} - {None}

    ended = summary is not None or closed_at is not None
    answered = summary.answered if summary else bool(talks)
    answered_at = _answered_at(talks, summary) if answered else None
    started_at = _started_at(legs, summary)
    ended_at = _ended_at(legs, summary, closed_at) if ended else None
    end_reason = _end_reason(first, callback, legs, summary) if ended else None

    return CallState(
        entry_id=min((fact.entry_id for fact in facts if fact.entry_id), default=None),
        direction=direction,
        state=ENDED if ended else TALKING if answered else RINGING,
        result=_result(direction, answered, end_reason) if ended else None,
        client_number=client_number,
        line_number=_line_number(direction, first, legs, summary),
        group_extension=_group(talks, legs),
        extension=_extension(direction, first, legs, talks, groups, summary),
        started_at=started_at,
        answered_at=answered_at,
        ended_at=ended_at,
        wait_duration=_span(started_at, answered_at if answered else ended_at),
        talk_duration=_span(answered_at, ended_at),
        end_reason=end_reason,
        legs=tuple(leg.state for leg in legs),
        recordings=recordings,
        command_ids=_command_ids(legs, summary),
        callback=callback,
        in_menu_leg=None if ended or answered else _menu_leg(legs),
        all_legs_gone=_all_gone(legs),
    )


# ---------------------------------------------------------------------------
# Legs


def _legs(events):
    """Group events into legs, in the order in which the call visited them."""
    by_leg = defaultdict(list)
    for event in events:
        by_leg[event.leg_ref].append(event)
    legs = [_leg(sorted(group, key=_seq_rank)) for group in by_leg.values()]
    parents = {leg.state.leg_ref: leg.state.taken_from for leg in legs}
    return sorted(legs, key=lambda leg: _leg_rank(leg.state, parents))


def _seq_rank(event):
    # Two different events with one seq should not exist; the rest of the key makes even
    # those fall into the same order every time.
    return (
        event.seq,
        event.timestamp or 0,
        event.state == "disconnected",
        repr(event),
    )


def _leg_rank(leg, parents):
    started_at = leg.started_at if leg.started_at is not None else float("inf")
    return started_at, _depth(leg.leg_ref, parents), leg.leg_ref


def _depth(leg_ref, parents):
    """Count the legs that this one continues; a circle ends the counting."""
    seen = {leg_ref}
    while (leg_ref := parents.get(leg_ref)) in parents and leg_ref not in seen:
        seen.add(leg_ref)
    return len(seen)


def _leg(events):
    newest = events[-1]
    from_number, from_extension = _newest(events, _caller)
    to_number, to_extension = _newest(events, _callee)
    gone = newest.state == "disconnected"
    return _Leg(
        LegState(
            leg_ref=newest.leg_ref,
            seq=newest.seq,
            state=newest.state,
            location=_remembered(events, "location"),
            from_number=from_number,
            from_extension=from_extension,
            to_number=to_number,
            to_extension=to_extension,
            line_number=_remembered(events, "line_number"),
            acd_group=_remembered(events, "acd_group"),
            started_at=_earliest(events),
            answered_at=_earliest(e for e in events if e.state in _CONNECTED_STATES),
            ended_at=_earliest(e for e in events if e.state == newest.state)
            if gone
            else None,
            end_reason=newest.end_reason if gone else None,
            taken_from=_remembered(events, "taken_from"),
            transfer=_remembered(events, "transfer"),
            command_id=_remembered(events, "command_id"),
        ),
        tuple(events),
    )


def _caller(event):
    return event.from_number, event.from_extension


def _callee(event):
    return event.to_number, event.to_extension


def _newest(events, party):
    """Give the party as the newest event that knows it says."""
    for event in reversed(events):
        if party(event) != (None, None):
            return party(event)
    return None, None


def _remembered(events, name):
    """Give a member that later events may leave out."""
    values = (getattr(event, name) for event in reversed(events))
    return next((value for value in values if value is not None), None)


def _earliest(events):
    return min((e.timestamp for e in events if e.timestamp is not None), default=None)


def _is_menu(location):
    # dtmf-like places (ivr.1.2) are the menu, too
    return location is not None and location.partition(".")[0] in _MENU_LOCATIONS


def _first_leg(legs):
    """Find the leg that the call began with: the earliest that continues no other."""
    ordered = [leg for leg in legs if leg.state.taken_from is None] or legs
    return ordered[0] if ordered else None


def _all_gone(legs):
    return bool(legs) and all(leg.state.is_gone for leg in legs)


def _menu_leg(legs):
    """Find the leg in which the client listens to the menu or waits in a queue."""
    left = {leg.state.taken_from for leg in legs}
    waiting = [
        leg.state.leg_ref
        for leg in legs
        if leg.state.is_menu
        and leg.state.state in ("appeared", "connected")
        # A menu leg that another continues is over although we were not told yet. A
        # queue leg lasts while the agents' phones ring.
        and (leg.state.location == "queue" or leg.state.leg_ref not in left)
    ]
    return waiting[-1] if waiting else None


# ---------------------------------------------------------------------------
# Direction and parties


def _is_callback(first, legs):
    """Tell whether an employee had the PBX dial (mango-api.md 4.4)."""
    if any(event.callback_initiator for leg in legs for event in leg.events):
        return True
    if first is None or first.state.taken_from or first.state.is_menu:
        return False
    # Any later command_id may stem from a hang-up or a hold of ours.
    opening = first.opening
    return bool(opening.command_id) and opening.state in ("appeared", "connected")


def _direction(first, callback, summary, lines):
    if summary and summary.direction:
        # No sample of a callback's summary is known (mango-api.md 10, 11).
        if callback and summary.direction == INBOUND:
            return OUTBOUND
        return summary.direction
    return _guessed_direction(first, callback, lines) if first else None


def _guessed_direction(first, callback, lines):
    event = first.opening
    from_outside = is_external(event.from_number, lines)
    to_outside = is_external(event.to_number, lines)
    if callback or event.task_id:
        return OUTBOUND
    if event.from_extension:
        inside = event.to_extension and not from_outside and not to_outside
        return INTERNAL if inside else OUTBOUND
    # From here on the caller is from outside, or anonymous.
    if event.to_extension or event.line_number or first.state.is_menu:
        return INBOUND
    return OUTBOUND if from_outside and to_outside else None


def _client_number(direction, callback, first, legs, summary, lines):
    """Find the outside party: who says it best comes first."""
    if direction == INTERNAL:
        return None
    candidates = []
    if callback:
        # The opening of the first leg shows the client as its caller.
        events = [event for leg in legs for event in leg.events]
        candidates += [_caller(e) for e in events if not e.taken_from]
        candidates += [_callee(e) for e in events if not e.to_extension]
    side = _callee if direction == OUTBOUND else _caller
    if summary:
        candidates.append(side(summary))
    if first:
        candidates += [side(event) for event in first.events]
    # On other legs a number with an extension is a colleague's mobile phone.
    others = [side(event) for leg in legs for event in leg.events]
    candidates += [party for party in others if party[1] is None]
    return next((n for n, ext in candidates if _may_be_client(n, ext, lines)), None)


def _may_be_client(number, extension, lines):
    if not number or number == extension:
        return False
    if is_pbx_device(number) or is_line(number, lines):
        return False
    # Words stand for hidden numbers.
    return any(sign.isdecimal() for sign in number.partition("@")[0])


def _talks(direction, client_number, legs):
    """List the events in which an employee and the client are connected, by time."""
    talks = [
        (event.timestamp or 0, position, event)
        for position, leg in enumerate(legs)
        for event in leg.events
        if not leg.state.is_menu
        and event.state in _CONNECTED_STATES
        and _is_talk(direction, client_number, event)
    ]
    # Legs and their events are in order already and the sort is stable.
    return [event for _time, _position, event in sorted(talks, key=lambda t: t[:2])]


def _is_talk(direction, client_number, event):
    def is_client(number, extension):
        return extension is None or (number and number == client_number)

    if direction == INTERNAL:
        return True
    if direction != OUTBOUND:
        return is_client(*_caller(event))
    # On the caller's side the client is after a transfer only: a leg that opens with
    # them there is a callback's first.
    return is_client(*_callee(event)) or (
        event.taken_from is not None and is_client(*_caller(event))
    )


def _extension(direction, first, legs, talks, groups, summary):
    if direction in (OUTBOUND, INTERNAL):
        return (summary and summary.from_extension) or _initiator(first, legs)
    told = summary.to_extension if summary else None
    if told and told not in groups:
        return told
    if talks:
        return talks[0].to_extension
    rung = (leg.state.to_extension for leg in legs if not leg.state.is_menu)
    return next((ext for ext in rung if ext and ext not in groups), None)


def _initiator(first, legs):
    """Find the employee who calls; a callback's first leg has them as the called."""
    events = [first.opening] if first else []
    events += [event for leg in legs for event in leg.events]
    callers = (event.from_extension or event.to_extension for event in events)
    return next((ext for ext in callers if ext), None)


def _group(talks, legs):
    if talks and talks[0].acd_group:
        return talks[0].acd_group
    groups = (leg.state.acd_group for leg in legs)
    return next((group for group in groups if group), None)


def _line_number(direction, first, legs, summary):
    if summary and summary.line_number:
        return summary.line_number
    if direction == INTERNAL:
        return None
    numbers = [leg.state.line_number for leg in legs]
    if first and first.state.is_menu:
        numbers.append(first.state.to_number)
    return next((number for number in numbers if number), None)


def _command_ids(legs, summary):
    ids = {event.command_id for leg in legs for event in leg.events}
    if summary:
        ids.add(summary.command_id)
    return tuple(sorted(ids - {None}))


# ---------------------------------------------------------------------------
# Times and the end


def _summary(facts):
    """Give the summary. One is sent; of several different ones always the same."""
    summaries = [fact for fact in facts if isinstance(fact, Summary)]
    return max(summaries, key=lambda s: (s.ended_at or 0, repr(s)), default=None)


def _started_at(legs, summary):
    if summary and summary.created_at:
        return summary.created_at
    return _earliest(event for leg in legs for event in leg.events)


def _answered_at(talks, summary):
    return summary.answered_at if summary else _earliest(talks)


def _ended_at(legs, summary, closed_at):
    if summary and summary.ended_at:
        return summary.ended_at
    if not summary and not _all_gone(legs):
        return closed_at
    # The last we heard of the call.
    times = [event.timestamp for leg in legs for event in leg.events]
    if summary:
        times += [summary.answered_at, summary.forwarded_at, summary.created_at]
    return max((time for time in times if time is not None), default=closed_at)


def _end_reason(first, callback, legs, summary):
    if summary and summary.end_reason:
        return summary.end_reason
    gone = [leg for leg in legs if leg.state.is_gone and leg.state.end_reason]
    # A callback's first leg ends as it likes once there is a second (mango-api.md 10),
    # and how the menu ended matters only if nobody was rung.
    if callback:
        gone = [leg for leg in gone if leg is not first] or gone
    gone = [leg for leg in gone if not leg.state.is_menu] or gone
    last = max(gone, key=lambda leg: leg.state.ended_at or 0, default=None)
    return last.state.end_reason if last else None


def _result(direction, answered, end_reason):
    if answered:
        return "answered"
    if direction == INBOUND:
        return "missed"
    outcome = codes.outcome(end_reason)
    return outcome if outcome in ("busy", "failed") else "unanswered"


def _span(start, end):
    return max(0, end - start) if start is not None and end is not None else 0


# ---------------------------------------------------------------------------
# Recordings


def _recordings(facts):
    """List the recordings; each recorded employee has an own one."""
    by_ref = defaultdict(list)
    for fact in facts:
        if isinstance(fact, (RecordingEvent, RecordAdded)):
            by_ref[fact.recording_ref].append(fact)
    return tuple(_recording(ref, by_ref[ref]) for ref in sorted(by_ref))


def _recording(ref, facts):
    events = sorted(
        (fact for fact in facts if isinstance(fact, RecordingEvent)),
        key=lambda event: (event.seq, repr(event)),
    )
    added = sorted(
        (fact for fact in facts if isinstance(fact, RecordAdded)),
        key=lambda fact: (fact.timestamp or 0, repr(fact)),
    )
    return RecordingState(
        ref=ref,
        extension=_remembered(events, "extension"),
        pbx_user_ref=_remembered(added, "pbx_user_ref"),
        stored=bool(added) or any(_is_stored(event) for event in events),
        completion_code=_remembered(events, "completion_code"),
    )


def _is_stored(event):
    # With the recipient Mail there is nothing to fetch.
    return (
        event.state == "completed"
        and (event.completion_code or 0) // 1000 == 1
        and "cloud" in (event.recipient or "")
    )
