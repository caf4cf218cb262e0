"""A call as a fold over its notifications (mango-api.md 4, design.md 2).

:func:`fold` takes *all* notifications of one ``entry_id`` and gives the state of the
call. It is pure and total, and treats its input as a set: neither order nor repetition
matters, so duplicates, disorder and replay need no special handling.

How it works:

1. **Legs.** Events are grouped by leg. The event with the highest ``seq`` gives the
   state of its leg, because a leg may go back (``Connected`` twice) and its caller may
   change in a transfer. Times are the earliest over the events, and members that later
   events may omit (line, group, command) are taken from earlier ones. Timestamps are
   whole seconds and do not order events; within a leg ``seq`` does, between legs the
   chain of ``taken_from`` breaks ties.
2. **Direction.** Guessed on the opening event of the first leg (mango-api.md 4.7) and
   overruled by the summary. An employee's callback is outbound although its first leg
   looks like an incoming call.
3. **Talks.** The events that connect an employee with the client. A consultation
   between colleagues does not count, nor does the first leg of a callback, where only
   the employee has picked up.
4. **End.** Only the summary ends a call, or the caller of :func:`fold` by passing
   ``closed_at``: leaving the menu is a ``Disconnected`` leg, too. Since nothing
   revokes a summary, no late event can reopen a call. The summary wins over the legs.
5. **Only a recording.** If nothing else is known of a call, its recordings tell when
   there was a talk, and whose.
6. **Statistics** fill in what nothing else has told (:mod:`.statistics`).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from functools import cached_property
from typing import NamedTuple

from . import codes
from .notifications import (
    LegEvent,
    Notification,
    RecordAdded,
    RecordingEvent,
    Summary,
    Tracking,
)
from .numbers import is_external, is_hidden, is_line, is_pbx_device
from .statistics import StatisticsCall
from .statistics_evidence import with_statistics

INBOUND = "inbound"
OUTBOUND = "outbound"
INTERNAL = "internal"

RINGING = "ringing"
TALKING = "talking"
ENDED = "ended"

_CONNECTED_STATES = ("connected", "onhold")
_GONE = "disconnected"
#: Locations where a caller hears a greeting or waits, and no phone rings.
MENU_LOCATIONS = ("ivr", "queue")


@dataclass(frozen=True)
class LegState:
    """One place that the call visited: the menu, a queue, or a phone.

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
        return self.state == _GONE

    @property
    def is_menu(self):
        return self.location in MENU_LOCATIONS


@dataclass(frozen=True)
class RecordingState:
    """One recording of the call; ``stored`` means that it may be fetched.

    It usually becomes available some seconds later, which ``is_added`` confirms.
    """

    ref: str
    extension: str | None
    pbx_user_ref: str | None
    stored: bool
    completion_code: int | None
    is_added: bool = False

    @property
    def is_refused(self):
        """Whether recording failed for a reason other than too short a talk."""
        code = self.completion_code or codes.DONE
        return not self.stored and code // 1000 != 1 and code != codes.TOO_SHORT


@dataclass(frozen=True)
class CallState:
    """One conversation as a person sees it.

    Times are epoch seconds or None, durations whole seconds, never negative.
    ``state`` is ``ringing`` until an employee and the client talk, ``talking`` from
    then on, through hold and transfer, until the call has ``ended``. ``result`` is
    ``answered``, ``missed``, ``unanswered``, ``busy`` or ``failed``, and None until the
    end. ``extension`` is the one who talked (first); without a talk, the only one rung.
    A call that several people missed belongs to their group, ``group_number``. In
    outbound and internal calls ``extension`` is the caller. Numbers are as received; an
    anonymous client is None. ``in_menu_leg`` is the leg that a route command may use;
    ``all_legs_gone`` tells that nothing is going on any more although the summary may
    be missing.
    """

    entry_id: str | None
    direction: str | None
    state: str
    result: str | None
    client_number: str | None
    line_number: str | None
    group_number: str | None
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
    tracking: Tracking | None


def fold(
    notifications: Iterable[Notification | StatisticsCall],
    lines: Collection[str] = (),
    closed_at: int | None = None,
) -> CallState:
    """Compute the state of a call from all its notifications.

    :param notifications: of one ``entry_id``, in any order, repeated or not, including
        entries of the statistics; kinds that say nothing about a call are ignored
    :param lines: our own lines as the PBX gives them, which are never the client
    :param closed_at: the epoch second at which a call without a summary was closed. It
        must be passed from then on: without it such a call is open again
    :return: the call; without any notification, a ringing call without data
    """
    facts = with_statistics(frozenset(notifications))
    evidence = _Evidence(facts, lines, closed_at)
    names = (field.name for field in fields(CallState))
    return CallState(**{name: getattr(evidence, name) for name in names})


class _Leg(NamedTuple):
    state: LegState
    events: tuple[LegEvent, ...]  # by seq

    @property
    def opening(self):
        """The first event that tells who calls whom."""
        for event in self.events:
            if _knows(_caller(event)) or _knows(_callee(event)):
                return event
        return self.events[0]


class _Evidence:
    """The facts of a call, from which each field of CallState is derived."""

    def __init__(self, facts, lines, closed_at):
        self._facts = facts
        self._lines = lines
        self._closed_at = closed_at

    # -- input ------------------------------------------------------------------

    @cached_property
    def _summary(self):
        """The summary. If there are different ones, the choice is deterministic."""
        summaries = [fact for fact in self._facts if isinstance(fact, Summary)]
        return max(summaries, key=lambda s: (s.ended_at or 0, repr(s)), default=None)

    @cached_property
    def _legs(self):
        """The legs in the order in which the call visited them."""
        by_leg = defaultdict(list)
        for fact in self._facts:
            if isinstance(fact, LegEvent):
                by_leg[fact.leg_ref].append(fact)
        legs = [_leg(_by_seq(events)) for events in by_leg.values()]
        depths = _depths({leg.state.leg_ref: leg.state.taken_from for leg in legs})
        return sorted(legs, key=lambda leg: _leg_rank(leg.state, depths))

    @cached_property
    def _events(self):
        return [event for leg in self._legs for event in leg.events]

    @cached_property
    def _first_leg(self):
        """The leg that the call began with: the earliest without a predecessor."""
        roots = [leg for leg in self._legs if leg.state.taken_from is None]
        return next(iter(roots or self._legs), None)

    @cached_property
    def _groups(self):
        return {leg.state.acd_group for leg in self._legs} - {None}

    @property
    def entry_id(self):
        ids = {fact.entry_id for fact in self._facts} - {None}
        return min(ids, default=None)

    @property
    def legs(self):
        return tuple(leg.state for leg in self._legs)

    @property
    def all_legs_gone(self):
        if self._is_only_recorded:
            return bool(self._talk_recordings)
        return bool(self._legs) and all(leg.state.is_gone for leg in self._legs)

    @property
    def command_ids(self):
        ids = {event.command_id for event in self._events}
        if self._summary:
            ids.add(self._summary.command_id)
        return tuple(sorted(ids - {None}))

    @property
    def tracking(self):
        told = [event.tracking for event in self._events]
        told += [self._summary.tracking] if self._summary else []
        return next(filter(None, told), None)

    # -- direction and parties ---------------------------------------------------

    @cached_property
    def callback(self):
        """Whether the call is a callback ordered by an employee (mango-api.md 4.4)."""
        if any(event.callback_initiator for event in self._events):
            return True
        first = self._first_leg
        if first is None or first.state.taken_from or first.state.is_menu:
            return False
        # Any later command_id may stem from a hang-up or a hold of ours.
        opening = first.opening
        return bool(opening.command_id) and opening.state in ("appeared", "connected")

    @cached_property
    def direction(self):
        told = self._summary.direction if self._summary else None
        if told == INBOUND and self.callback:
            # No sample of a callback's summary is known (mango-api.md 10).
            return OUTBOUND
        if told or not self._first_leg:
            return told
        return self._guessed_direction(self._first_leg)

    def _guessed_direction(self, leg):
        """Guess the direction (mango-api.md 4.7)."""
        event = leg.opening
        from_outside = is_external(event.from_number, self._lines)
        to_outside = is_external(event.to_number, self._lines)
        if self.callback or event.task_id:
            return OUTBOUND
        if event.from_extension:
            inside = event.to_extension and not from_outside and not to_outside
            return INTERNAL if inside else OUTBOUND
        # From here on the caller is from outside, or anonymous.
        if event.to_extension or event.line_number or leg.state.is_menu:
            return INBOUND
        return OUTBOUND if from_outside and to_outside else None

    @cached_property
    def client_number(self):
        if self.direction == INTERNAL:
            return None
        parties = self._possible_clients()
        return next((n for n, ext in parties if self._may_be_client(n, ext)), None)

    def _possible_clients(self):
        """List numbers and extensions of the parties, the best source first."""
        side = _callee if self.direction == OUTBOUND else _caller
        if self.callback:
            # The first leg shows the client as its caller.
            yield from (_caller(e) for e in self._events if not e.taken_from)
        if self._summary:
            yield side(self._summary)
        if self._first_leg:
            yield from map(side, self._first_leg.events)
        # On other legs a number with an extension is a colleague's mobile phone.
        others = map(side, self._events)
        yield from (party for party in others if party[1] is None)

    def _may_be_client(self, number, extension):
        if not number or number == extension:
            return False
        if is_pbx_device(number) or is_line(number, self._lines):
            return False
        return not is_hidden(number)

    @property
    def line_number(self):
        if self._summary and self._summary.line_number:
            return self._summary.line_number
        numbers = [leg.state.line_number for leg in self._legs]
        if self._first_leg and self._first_leg.state.is_menu:
            numbers.append(self._first_leg.state.to_number)
        return next(filter(None, numbers), None)

    @property
    def group_number(self):
        groups = [talk.acd_group for talk in self._talks[:1]]
        groups += [leg.state.acd_group for leg in self._legs]
        return next(filter(None, groups), None)

    @property
    def extension(self):
        if self.direction in (OUTBOUND, INTERNAL):
            return self._calling_extension
        if self._is_only_recorded:
            return next(filter(None, (r.extension for r in self.recordings)), None)
        if self._is_answered and self._told_extension:
            return self._told_extension
        return self._talks[0].to_extension if self._talks else self._only_one_rung

    @property
    def _told_extension(self):
        told = self._summary.to_extension if self._summary else None
        return told if told not in self._groups else None

    @property
    def _only_one_rung(self):
        """The extension that an unanswered call is attributed to.

        If several phones rang, the summary names one of them; it may also name somebody
        whose phone did not ring (mango-api.md 3.2).
        """
        if self._groups and not self._is_ended:
            return None  # The next phone of the group may ring in a moment.
        rung = {leg.state.to_extension for leg in self._legs if not leg.state.is_menu}
        rung -= {None, *self._groups}
        if len(rung) > 1:
            return None
        return next(iter(rung), self._told_extension)

    @property
    def _calling_extension(self):
        if self._summary and self._summary.from_extension:
            return self._summary.from_extension
        # On a callback's first leg the calling employee is the called party.
        events = [self._first_leg.opening, *self._events] if self._first_leg else []
        extensions = (event.from_extension or event.to_extension for event in events)
        return next(filter(None, extensions), None)

    # -- talks -------------------------------------------------------------------

    @cached_property
    def _talks(self):
        """The events in which an employee and the client are connected, by time."""
        talks = [
            event
            for leg in self._legs
            for event in leg.events
            if not leg.state.is_menu
            and event.state in _CONNECTED_STATES
            and self._is_talk(event)
        ]
        # The sort is stable: legs and their events are in order already.
        return sorted(talks, key=lambda event: event.timestamp or 0)

    def _is_talk(self, event):
        if self.direction == INTERNAL:
            return True
        if self.direction != OUTBOUND:
            return self._is_client(_caller(event))
        # The client is on the caller's side only after a transfer: a leg that opens
        # with them there is the first leg of a callback.
        return self._is_client(_callee(event)) or (
            event.taken_from is not None and self._is_client(_caller(event))
        )

    def _is_client(self, party):
        number, extension = party
        return extension is None or (
            number is not None and number == self.client_number
        )

    @property
    def in_menu_leg(self):
        """The leg in which the client listens to the menu or waits in a queue."""
        if self._is_ended or self._is_answered:
            return None
        left = {leg.state.taken_from for leg in self._legs}
        waiting = [
            leg.state.leg_ref
            for leg in self._legs
            if leg.state.is_menu
            and leg.state.state in ("appeared", "connected")
            # A menu leg that another leg continues is over, even if the end is not
            # known yet. A queue leg lasts while the agents' phones ring.
            and (leg.state.location == "queue" or leg.state.leg_ref not in left)
        ]
        return waiting[-1] if waiting else None

    # -- state, times and the end ------------------------------------------------

    @property
    def _is_ended(self):
        return self._summary is not None or self._closed_at is not None

    @property
    def _is_answered(self):
        if self._is_only_recorded:
            return bool(self._talk_recordings)
        return self._summary.answered if self._summary else bool(self._talks)

    @property
    def state(self):
        if self._is_ended:
            return ENDED
        return TALKING if self._is_answered else RINGING

    @property
    def started_at(self):
        if self._summary and self._summary.created_at:
            return self._summary.created_at
        if self._is_only_recorded:
            return _earliest(self._recording_facts)
        return _earliest(self._events)

    @cached_property
    def answered_at(self):
        if not self._is_answered:
            return None
        if self._is_only_recorded:
            return self.started_at
        return self._summary.answered_at if self._summary else _earliest(self._talks)

    @cached_property
    def ended_at(self):
        if not self._is_ended:
            return None
        if self._summary and self._summary.ended_at:
            return self._summary.ended_at
        if not self._summary and not self.all_legs_gone:
            return self._closed_at
        # The last sign of life of the call.
        times = [event.timestamp for event in self._events]
        if self._summary:
            told = self._summary
            times += [told.answered_at, told.forwarded_at, told.created_at]
        times = [time for time in times if time is not None]
        return max(times, default=self._closed_at)

    @property
    def wait_duration(self):
        end = self.answered_at if self._is_answered else self.ended_at
        return _span(self.started_at, end)

    @property
    def talk_duration(self):
        return _span(self.answered_at, self.ended_at)

    @cached_property
    def end_reason(self):
        if not self._is_ended:
            return None
        if self._summary and self._summary.end_reason:
            return self._summary.end_reason
        gone = [leg for leg in self._legs if leg.state.end_reason]
        # Once there is a second leg, the end of a callback's first leg means nothing
        # (mango-api.md 10), and the end of the menu matters only if nobody was rung.
        if self.callback:
            gone = [leg for leg in gone if leg is not self._first_leg] or gone
        gone = [leg for leg in gone if not leg.state.is_menu] or gone
        last = max(gone, key=lambda leg: leg.state.ended_at or 0, default=None)
        return last.state.end_reason if last else None

    @property
    def result(self):
        if not self._is_ended:
            return None
        if self._is_answered:
            return "answered"
        if self.direction == INBOUND:
            return "missed"
        outcome = codes.outcome(self.end_reason)
        return outcome if outcome in ("busy", "failed") else "unanswered"

    # -- recordings --------------------------------------------------------------

    @cached_property
    def _recording_facts(self):
        kinds = RecordingEvent, RecordAdded
        return [fact for fact in self._facts if isinstance(fact, kinds)]

    @cached_property
    def recordings(self):
        """The recordings, one for each recorded employee."""
        by_ref = defaultdict(list)
        for fact in self._recording_facts:
            by_ref[fact.recording_ref].append(fact)
        return tuple(_recording(ref, by_ref[ref]) for ref in sorted(by_ref))

    @cached_property
    def _is_only_recorded(self):
        """Whether recordings are all that is known of the call."""
        return not self._legs and self._summary is None and bool(self._recording_facts)

    @property
    def _talk_recordings(self):
        """The recordings that the PBX has stored, which prove a talk."""
        return [recording for recording in self.recordings if recording.stored]


# ---------------------------------------------------------------------------
# Legs


def _by_seq(events):
    if len({event.seq for event in events}) < len(events):
        # There should not be different events with one seq. If there are, their order
        # must be deterministic.
        events = sorted(events, key=repr)
        events.sort(key=lambda event: event.timestamp or 0)
    return sorted(events, key=lambda event: event.seq)


def _leg_rank(leg, depths):
    started_at = leg.started_at if leg.started_at is not None else float("inf")
    return started_at, depths[leg.leg_ref], leg.leg_ref


def _depths(parents):
    """Return the length of the chain that ends at each leg.

    Each leg is visited once, however long the chains are. All legs of a cycle have its
    length.

    :param dict parents: for each leg, the one that it continues, or None.
    :rtype: dict[str, int]
    """
    depths = {}
    for leg_ref in parents:
        chain = {}  # leg -> its position in the chain
        while leg_ref in parents and leg_ref not in depths and leg_ref not in chain:
            chain[leg_ref] = len(chain)
            leg_ref = parents[leg_ref]
        # The chain ends at a leg that is known already, in a cycle, or at None.
        end = chain.get(leg_ref, len(chain))
        above = depths.get(leg_ref, len(chain) - end)
        for link, place in chain.items():
            depths[link] = above + max(0, end - place)
    return depths


def _leg(events):
    newest = events[-1]
    from_number, from_extension = _newest(events, _caller)
    to_number, to_extension = _newest(events, _callee)
    # A leg that came back is live, whatever an earlier event said.
    ends = [event for event in events if event.state == newest.state == _GONE]
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
            ended_at=_earliest(ends),
            end_reason=newest.end_reason if ends else None,
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


def _knows(party):
    return party != (None, None)


def _newest(events, party):
    """Return the party according to the newest event that has it."""
    known = (party(event) for event in reversed(events))
    return next(filter(_knows, known), (None, None))


def _remembered(events, name):
    """Return a member that later events may omit."""
    values = (getattr(event, name) for event in reversed(events))
    return next((value for value in values if value is not None), None)


def _earliest(events):
    return min((e.timestamp for e in events if e.timestamp is not None), default=None)


def _span(start, end):
    return max(0, end - start) if start is not None and end is not None else 0


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
        is_added=bool(added),
    )


def _is_stored(event):
    # With the recipient Mail there is nothing to fetch.
    return (
        event.state == "completed"
        and (event.completion_code or 0) // 1000 == 1
        and "cloud" in (event.recipient or "")
    )
