"""Statistics of finished calls (mango-api.md 6.6): what the webhook may have missed.

An entry of the statistics is one more piece of evidence for the fold, and the weakest:
:func:`with_statistics` turns it into the notifications that would have told the same,
as far as the PBX's real notifications say nothing. So a call is folded in one way,
wherever it is known from.

The PBX is as generous here as in its notifications, and what cannot be read counts as
missing: only an entry without ``entry_id`` is none.
"""

import json
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta, timezone
from functools import cached_property

from .errors import NotificationError

# The members of notifications, which the statistics share.
from .notifications import (
    LegEvent,
    RecordAdded,
    RecordingEvent,
    Summary,
    _code,
    _integer,
    _object,
    _optional_id,
    _text,
    _time,
)
from .texts import clean

#: The kind of an entry among the notifications. No path that the PBX posts to has it.
KIND = "statistics/call"

#: How many entries the PBX gives at a time.
LIMITS = (1, 5, 10, 20, 50, 100, 500, 1000, 2000, 5000)
#: Thirty days are refused, one second less is not.
LONGEST = timedelta(days=30)
#: The PBX's wall clock; Moscow has had no summer time since 2014.
MOSCOW = timezone(timedelta(hours=3))
#: With these the PBX says, of some periods, that there is nothing in them.
EMPTY_CODES = frozenset({3104, 3300, 4000})

PENDING = "pending"
COMPLETE = "complete"
LOST = "lost"

_STATUSES = {
    "request": PENDING,
    "work": PENDING,  # with a part of the data, which is not all of it
    "complete": COMPLETE,
    "cancel": LOST,
    "error": LOST,
    "not-found": LOST,
}
# Statistics count directions differently from the summary.
_DIRECTIONS = {1: "inbound", 2: "outbound", 3: "internal"}
#: The employee had the PBX dial.
_ORDERED = 4

_MAX_LEGS = 200
_MAX_TEXT = 256 * 1024


@dataclass(frozen=True)
class Report:
    """The state of a report that was asked for.

    ``status`` is ``pending`` (ask again), ``complete`` or ``lost`` (order it anew).
    ``row_count`` is how many rows came, ``entries`` those that are objects.
    """

    status: str
    entries: tuple[dict, ...] = ()
    row_count: int = 0


@dataclass(frozen=True)
class StatisticsLeg:
    """Somebody who was rung, or a group of them. Times are epoch seconds or None."""

    type: str | None = None
    ref: str | None = None
    number: str | None = None
    extension: str | None = None
    pbx_user_ref: str | None = None
    started_at: int | None = None
    answered_at: int | None = None
    ended_at: int | None = None
    end_reason: int | None = None
    recordings: tuple[str, ...] = ()
    members: tuple["StatisticsLeg", ...] = ()

    @property
    def is_open(self):
        return self.answered_at is not None and self.ended_at is None


@dataclass(frozen=True)
class StatisticsCall:
    """One call of the statistics. Times are epoch seconds or None.

    ``is_ordered`` tells that the PBX dialled for an employee; ``end_reason`` is that of
    the last one rung.
    """

    entry_id: str
    direction: str | None = None
    is_ordered: bool = False
    answered: bool = False
    caller_number: str | None = None
    caller_extension: str | None = None
    called_number: str | None = None
    started_at: int | None = None
    answered_at: int | None = None
    ended_at: int | None = None
    end_reason: int | None = None
    legs: tuple[StatisticsLeg, ...] = ()

    kind = KIND

    @cached_property
    def _all_legs(self):
        members = (member for leg in self.legs for member in leg.members)
        return (*self.legs, *members)

    @property
    def is_ended(self):
        """Whether the call is over, as far as can be told."""
        return self.ended_at is not None and not any(
            leg.is_open for leg in self._all_legs
        )

    @property
    def recording_refs(self):
        """The recordings, each once."""
        return {ref for leg in self._all_legs for ref in leg.recordings}


# ---------------------------------------------------------------------------
# Asking


def period(start, end, limit, offset):
    """Build the request for the calls that began in a period.

    :param ~datetime.datetime start: aware
    :param ~datetime.datetime end: aware, less than 30 days later
    :param int limit: one of :data:`LIMITS`
    :param int offset: how many calls to pass over
    :return: the ``json`` field of ``stats/calls/request``
    :rtype: dict
    :raise ValueError: if the PBX would refuse that, and count it against us
    """
    if not timedelta(0) <= end - start < LONGEST:
        raise ValueError("The period must be shorter than 30 days.")
    if limit not in LIMITS or offset < 0:
        raise ValueError("The PBX does not give such a page.")
    return {
        "start_date": _wall_time(start),
        "end_date": _wall_time(end),
        "limit": limit,
        "offset": offset,
    }


def _wall_time(moment):
    return moment.astimezone(MOSCOW).strftime("%d.%m.%Y %H:%M:%S")


def read_report(payload):
    """Read the answer to ``stats/calls/result``.

    :param payload: the decoded answer; None for HTTP 204
    :type payload: dict | None
    :rtype: Report
    :raise ValueError: if it cannot be read; half a report is none
    """
    if payload is None:
        return Report(PENDING)
    word = _text(payload.get("status"))
    if not word:
        raise ValueError("The report has no status.")
    status = _STATUSES.get(word.lower().replace("_", "-"), PENDING)
    if status != COMPLETE:
        return Report(status)
    rows = list(_rows(payload.get("data")))
    return Report(
        status, tuple(row for row in rows if isinstance(row, dict)), len(rows)
    )


def _rows(days):
    if not isinstance(days, list):
        if days in (None, "", {}):
            return
        raise ValueError("The report cannot be read.")
    for day in days:
        if isinstance(day, dict) and "entry_id" in day:
            yield day
            continue
        rows = day.get("list") if isinstance(day, dict) else day
        if not isinstance(rows, list):
            raise ValueError("A day of the report cannot be read.")
        yield from rows


# ---------------------------------------------------------------------------
# Reading an entry


def as_text(entry, extensions=None):
    """Return the text of an entry, as it is kept.

    The PBX gives extensions at times, and the employees' ids always. Extensions that it
    left out are filled in under the PBX's own names, for an employee may get another
    one some day.

    :param dict entry: of a report
    :param extensions: by the PBX's ``user_id``
    :type extensions: Mapping[str, str] | None
    :rtype: str
    """
    extensions = extensions or {}
    entry = dict(entry)
    _fill_in(entry, "caller_extension", extensions.get(_text(entry.get("caller_id"))))
    legs = entry.get("context_calls")
    if isinstance(legs, list):
        entry["context_calls"] = [_with_extension(leg, extensions) for leg in legs]
    return clean(json.dumps(entry, ensure_ascii=False, default=str))


def _with_extension(leg, extensions):
    if not isinstance(leg, dict):
        return leg
    leg = dict(leg)
    if _text(leg.get("call_type")) != "group":
        ref = _text(leg.get("call_abonent_id"))
        _fill_in(leg, "call_abonent_extension", extensions.get(ref))
    if isinstance(leg.get("members"), list):
        leg["members"] = [_with_extension(m, extensions) for m in leg["members"]]
    return leg


def _fill_in(target, name, value):
    if value and not _text(target.get(name)):
        target[name] = value


def parse(text):
    """Read the text of an entry.

    :param str text: from :func:`as_text`
    :rtype: StatisticsCall
    :raise NotificationError: if it is no entry
    """
    try:
        if len(text) > _MAX_TEXT:
            raise ValueError
        entry = json.loads(text)
    except (ValueError, RecursionError):
        raise NotificationError("The entry cannot be read.") from None
    entry_id = _optional_id(_object(entry).get("entry_id"))
    if entry_id is None:
        raise NotificationError("The entry has no entry_id.")
    return _call(entry_id, entry)


def _call(entry_id, entry):
    legs = _legs(entry.get("context_calls"))
    everybody = [*legs, *(member for leg in legs for member in leg.members)]
    started_at = _time(entry.get("context_start_time"))
    if started_at is None:
        started_at = _earliest(leg.started_at for leg in everybody)
    ended_at = _end(started_at, _integer(entry.get("duration")), everybody)
    is_ordered = _integer(entry.get("context_init_type")) == _ORDERED
    answers = sorted(leg.answered_at for leg in everybody if leg.answered_at)
    # The first to answer an ordered call is the employee who ordered it.
    answers = answers[1:] if is_ordered else answers
    talk = _integer(entry.get("talk_duration"))
    # Hanging up in the menu may come as successful.
    is_success = _integer(entry.get("context_status")) in (1, None)
    answered = is_success and (talk > 0 if talk else bool(answers))
    return StatisticsCall(
        entry_id=entry_id,
        direction=_DIRECTIONS.get(_integer(entry.get("context_type"))),
        is_ordered=is_ordered,
        answered=answered,
        caller_number=_text(entry.get("caller_number")),
        caller_extension=_text(entry.get("caller_extension")),
        called_number=_text(entry.get("called_number")),
        started_at=started_at,
        answered_at=_answer(answers, talk, ended_at, started_at) if answered else None,
        ended_at=ended_at,
        end_reason=_end_reason(legs),
        legs=legs,
    )


def _end(started_at, duration, legs):
    if started_at is not None and duration and duration > 0:
        return _time(started_at + duration)
    ends = [leg.ended_at for leg in legs if leg.ended_at]
    # A duration of 0 is one: nobody was even rung.
    return max(ends, default=None if duration is None else started_at)


def _answer(answers, talk, ended_at, started_at):
    if talk and ended_at is not None:
        return _time(max(ended_at - talk, started_at or 0))
    return _earliest(answers)


def _end_reason(legs):
    told = [leg for leg in legs if leg.end_reason]
    # The last of those that ended together is the one that the call went on with.
    last = max(reversed(told), key=lambda leg: leg.ended_at or 0, default=None)
    return last.end_reason if last else None


def _earliest(times):
    return min((time for time in times if time is not None), default=None)


def _legs(rows, with_members=True):
    rows = rows[:_MAX_LEGS] if isinstance(rows, list) else []
    return tuple(_leg(row, with_members) for row in rows if isinstance(row, dict))


def _leg(row, with_members):
    return StatisticsLeg(
        type=(_text(row.get("call_type")) or "").lower() or None,
        ref=_optional_id(row.get("external_call_id")),
        number=_text(row.get("call_abonent_number")),
        extension=_text(row.get("call_abonent_extension")),
        pbx_user_ref=_text(row.get("call_abonent_id")),
        started_at=_time(row.get("call_start_time")),
        answered_at=_time(row.get("call_answer_time")),
        ended_at=_time(row.get("call_end_time")),
        end_reason=_code(row.get("call_end_reason")),
        recordings=_recordings(row.get("recording_id")),
        members=_legs(row.get("members"), False) if with_members else (),
    )


def _recordings(value):
    """Read ids: a list, one alone, or the text of a list as the CSV has it."""
    if isinstance(value, str):
        value = value.strip().removeprefix("[").removesuffix("]").split(",")
    value = value if isinstance(value, list) else [value]
    ids = (_optional_id(v.strip() if isinstance(v, str) else v) for v in value)
    return tuple(dict.fromkeys(ref for ref in ids if ref))


# ---------------------------------------------------------------------------
# As evidence


def with_statistics(facts):
    """Put what only the statistics tell in the words of notifications.

    :param facts: everything known of one call
    :type facts: frozenset[Notification | StatisticsCall]
    :return: without entries of the statistics
    :rtype: frozenset[Notification]
    """
    entries = [fact for fact in facts if isinstance(fact, StatisticsCall)]
    if not entries:
        return facts
    facts = facts.difference(entries)
    # Of several the last to be complete; always the same one.
    entry = max(
        entries, key=lambda e: (e.is_ended, e.ended_at or 0, len(e.legs), repr(e))
    )
    told = {fact for each in entries for fact in _recording_facts(each)}
    if not entry.is_ended:
        return facts | told
    events = [fact for fact in facts if isinstance(fact, LegEvent)]
    has_summary = any(isinstance(fact, Summary) for fact in facts)
    if not has_summary:
        told.add(_summary(entry, has_legs=bool(events)))
    if not events:
        told.update(_events(entry))
    elif not has_summary:
        told.update(_missing_events(entry, events))
    return facts | told


def _summary(entry, has_legs):
    is_inbound = entry.direction == "inbound"
    # The legs give the client's number as it was dialled; the statistics may have an
    # operator's prefix before it (mango-api.md 2.7).
    knows_parties = not has_legs
    return Summary(
        kind=KIND,
        entry_id=entry.entry_id,
        direction=entry.direction,
        from_number=entry.caller_number if knows_parties else None,
        from_extension=None if is_inbound else entry.caller_extension,
        to_number=None if is_inbound or has_legs else entry.called_number,
        to_extension=_never_rung(entry) if is_inbound else None,
        line_number=entry.called_number if is_inbound and knows_parties else None,
        created_at=entry.started_at,
        answered=entry.answered,
        answered_at=entry.answered_at,
        ended_at=entry.ended_at,
        end_reason=entry.end_reason,
    )


def _rung(entry):
    """List who was rung: pairs of the leg and the group that it was rung for.

    Service elements have no times, and a group stands for itself only if nobody in it
    was rung.
    """
    for leg in entry.legs:
        members = [member for member in leg.members if member.started_at is not None]
        if members:
            yield from ((member, leg.extension) for member in members)
        elif leg.started_at is not None:
            yield leg, leg.extension if leg.type == "group" else None


def _never_rung(entry):
    """Find who should have been rung, if nobody was: off duty, say."""
    if any(_rung(entry)):
        return None
    users = (leg.extension for leg in entry.legs if leg.type != "group")
    return next(filter(None, users), None)


def _events(entry):
    """Build the events of all legs."""
    used = Counter()
    for leg, group in _rung(entry):
        party = leg.extension or leg.number or leg.pbx_user_ref or leg.type
        ref = leg.ref or f"statistics-{leg.started_at}-{party}"
        used[ref] += 1
        if used[ref] > 1:
            ref = f"{ref}#{used[ref]}"
        yield from _leg_events(entry, leg, ref, group)


def _leg_events(entry, leg, ref, group):
    caller, callee = _parties(entry, leg)
    event = LegEvent(
        kind=KIND,
        entry_id=entry.entry_id,
        leg_ref=ref,
        seq=1,
        state="appeared",
        timestamp=leg.started_at,
        location="queue" if leg.type == "group" else "abonent",
        from_number=caller[0],
        from_extension=caller[1],
        to_number=callee[0],
        to_extension=callee[1],
        line_number=entry.called_number if entry.direction == "inbound" else None,
        acd_group=group,
        callback_initiator=KIND if entry.is_ordered else None,
    )
    yield event
    if leg.answered_at is not None:
        yield replace(event, seq=2, state="connected", timestamp=leg.answered_at)
    yield replace(
        event,
        seq=3,
        state="disconnected",
        timestamp=entry.ended_at if leg.ended_at is None else leg.ended_at,
        end_reason=leg.end_reason,
    )


def _parties(entry, leg):
    """Tell who called and who was called on a leg, as number and extension."""
    called = leg.number, leg.extension
    if entry.direction == "inbound":
        return (entry.caller_number, None), called
    if entry.direction == "outbound" and leg.extension:
        # An employee's phone rings for the client: theirs first, or after a transfer.
        return (entry.called_number, None), called
    return (entry.caller_number, entry.caller_extension), called


def _missing_events(entry, events):
    """Build what the events of the legs leave out.

    Whether the statistics call a leg as the events do is known by experience only: if
    they have no leg in common, nothing can be said of any.
    """
    newest = {}
    for event in sorted(events, key=lambda event: (event.seq, repr(event))):
        newest[event.leg_ref] = event
    by_ref = {leg.ref: leg for leg, _group in _rung(entry) if leg.ref}
    if by_ref.keys().isdisjoint(newest):
        return
    for event in _events(entry):
        known = newest.get(event.leg_ref)
        if known is None:
            yield event
        elif event.state == "disconnected" and known.state != "disconnected":
            yield replace(
                known,
                kind=KIND,
                seq=known.seq + 1,
                state=event.state,
                timestamp=event.timestamp,
                end_reason=event.end_reason,
            )


def _recording_facts(entry):
    for leg in entry.legs:
        for person in (leg, *leg.members):
            for ref in person.recordings:
                # A group's recording is of whoever talked.
                is_user = person.type != "group"
                yield RecordAdded(
                    kind=KIND,
                    entry_id=entry.entry_id,
                    recording_ref=ref,
                    pbx_user_ref=person.pbx_user_ref if is_user else None,
                )
                if is_user and person.extension:
                    yield RecordingEvent(
                        kind=KIND,
                        entry_id=entry.entry_id,
                        recording_ref=ref,
                        seq=0,
                        state="completed",
                        extension=person.extension,
                    )
