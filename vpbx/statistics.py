"""Statistics of finished calls (mango-api.md 6.6), which the webhook may have missed.

Requests and parsing; :mod:`.statistics_evidence` turns entries into evidence.

Parsing is as lenient as for notifications, and what cannot be read counts as missing:
only an entry without ``entry_id`` is refused.
"""

import json
from dataclasses import dataclass
from datetime import timedelta, timezone
from functools import cached_property

from .errors import NotificationError

# The members of notifications, which the statistics share.
from .notifications import (
    read_code,
    read_integer,
    read_object,
    read_optional_id,
    read_text,
    read_time,
)
from .texts import clean

#: The kind of an entry among the notifications. The webhook ignores this kind.
KIND = "statistics/call"

#: Page sizes that the PBX accepts.
LIMITS = (1, 5, 10, 20, 50, 100, 500, 1000, 2000, 5000)
#: Thirty days are refused, one second less is accepted.
LONGEST = timedelta(days=30)
#: The PBX's wall clock; Moscow has had no summer time since 2014.
MOSCOW = timezone(timedelta(hours=3))
#: Codes with which the PBX may report that a period is empty.
EMPTY_CODES = frozenset({3104, 3300, 4000})

PENDING = "pending"
COMPLETE = "complete"
LOST = "lost"

_STATUSES = {
    "request": PENDING,
    "work": PENDING,  # the data is still incomplete
    "complete": COMPLETE,
    "cancel": LOST,
    "error": LOST,
    "not-found": LOST,
}
# Statistics number directions differently from the summary.
_DIRECTIONS = {1: "inbound", 2: "outbound", 3: "internal"}
#: A callback ordered by an employee.
_ORDERED = 4

_MAX_LEGS = 200
_MAX_TEXT = 256 * 1024


@dataclass(frozen=True)
class Report:
    """The state of an ordered report.

    ``status`` is ``pending`` (poll again), ``complete`` or ``lost`` (order it again).
    ``row_count`` is the number of rows, ``entries`` holds those that are objects.
    """

    status: str
    entries: tuple[dict, ...] = ()
    row_count: int = 0


@dataclass(frozen=True)
class StatisticsLeg:
    """A person or a group that was rung. Times are epoch seconds or None."""

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
    the last person rung.
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
# Requests


def period(start, end, limit, offset):
    """Build the request for calls that began in a period.

    :param ~datetime.datetime start: aware
    :param ~datetime.datetime end: aware, less than 30 days later
    :param int limit: one of :data:`LIMITS`
    :param int offset: how many calls to skip
    :return: the ``json`` field of ``stats/calls/request``
    :rtype: dict
    :raise ValueError: if the PBX would refuse it, which counts towards the lock-out
    """
    if not timedelta(0) <= end - start < LONGEST:
        raise ValueError("The period must be shorter than 30 days.")
    if limit not in LIMITS or offset < 0:
        raise ValueError("The PBX does not accept this limit or offset.")
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
    :raise ValueError: if it cannot be read completely
    """
    if payload is None:
        return Report(PENDING)
    word = read_text(payload.get("status"))
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


def as_text(entry, extensions=None, groups=None):
    """Return the text of an entry as it is stored.

    The PBX always gives the ids of employees and groups, but extensions only sometimes.
    Missing ones are filled in under the PBX's own names now, because an employee's
    extension may change later.

    :param dict entry: of a report
    :param extensions: by the PBX's ``user_id``
    :type extensions: Mapping[str, str] | None
    :param groups: their short numbers by the PBX's ``group_id``
    :type groups: Mapping[str, str] | None
    :rtype: str
    """
    extensions, groups = extensions or {}, groups or {}
    entry = dict(entry)
    caller = read_text(entry.get("caller_id"))
    _fill_in(entry, "caller_extension", extensions.get(caller))
    legs = entry.get("context_calls")
    if isinstance(legs, list):
        entry["context_calls"] = [
            _with_extension(leg, extensions, groups) for leg in legs
        ]
    return clean(json.dumps(entry, ensure_ascii=False, default=str))


def _with_extension(leg, extensions, groups):
    if not isinstance(leg, dict):
        return leg
    leg = dict(leg)
    known = groups if read_text(leg.get("call_type")) == "group" else extensions
    ref = read_text(leg.get("call_abonent_id"))
    _fill_in(leg, "call_abonent_extension", known.get(ref))
    if isinstance(leg.get("members"), list):
        leg["members"] = [
            _with_extension(member, extensions, groups) for member in leg["members"]
        ]
    return leg


def _fill_in(target, name, value):
    if value and not read_text(target.get(name)):
        target[name] = value


def parse(text):
    """Read the text of an entry.

    :param str text: from :func:`as_text`
    :rtype: StatisticsCall
    :raise NotificationError: if it is not a valid entry
    """
    try:
        if len(text) > _MAX_TEXT:
            raise ValueError
        entry = json.loads(text)
    except (ValueError, RecursionError):
        raise NotificationError("The entry cannot be read.") from None
    entry_id = read_optional_id(read_object(entry).get("entry_id"))
    if entry_id is None:
        raise NotificationError("The entry has no entry_id.")
    return _call(entry_id, entry)


def _call(entry_id, entry):
    legs = _legs(entry.get("context_calls"))
    everybody = [*legs, *(member for leg in legs for member in leg.members)]
    started_at = read_time(entry.get("context_start_time"))
    if started_at is None:
        started_at = _earliest(leg.started_at for leg in everybody)
    ended_at = _end(started_at, read_integer(entry.get("duration")), everybody)
    is_ordered = read_integer(entry.get("context_init_type")) == _ORDERED
    answers = sorted(leg.answered_at for leg in everybody if leg.answered_at)
    # The first one to answer a callback is the employee who ordered it.
    answers = answers[1:] if is_ordered else answers
    talk = read_integer(entry.get("talk_duration"))
    # Hanging up in the menu may be reported as successful.
    is_success = read_integer(entry.get("context_status")) in (1, None)
    answered = is_success and (talk > 0 if talk else bool(answers))
    return StatisticsCall(
        entry_id=entry_id,
        direction=_DIRECTIONS.get(read_integer(entry.get("context_type"))),
        is_ordered=is_ordered,
        answered=answered,
        caller_number=read_text(entry.get("caller_number")),
        caller_extension=read_text(entry.get("caller_extension")),
        called_number=read_text(entry.get("called_number")),
        started_at=started_at,
        answered_at=_answer(answers, talk, ended_at, started_at) if answered else None,
        ended_at=ended_at,
        end_reason=_end_reason(legs),
        legs=legs,
    )


def _end(started_at, duration, legs):
    if started_at is not None and duration and duration > 0:
        return read_time(started_at + duration)
    ends = [leg.ended_at for leg in legs if leg.ended_at]
    # A duration of 0 is valid: nobody was rung.
    return max(ends, default=None if duration is None else started_at)


def _answer(answers, talk, ended_at, started_at):
    if talk and ended_at is not None:
        return read_time(max(ended_at - talk, started_at or 0))
    return _earliest(answers)


def _end_reason(legs):
    told = [leg for leg in legs if leg.end_reason]
    # Of those that ended together, the call went on with the last one.
    last = max(reversed(told), key=lambda leg: leg.ended_at or 0, default=None)
    return last.end_reason if last else None


def _earliest(times):
    return min((time for time in times if time is not None), default=None)


def _legs(rows, with_members=True):
    rows = rows[:_MAX_LEGS] if isinstance(rows, list) else []
    return tuple(_leg(row, with_members) for row in rows if isinstance(row, dict))


def _leg(row, with_members):
    return StatisticsLeg(
        type=(read_text(row.get("call_type")) or "").lower() or None,
        ref=read_optional_id(row.get("external_call_id")),
        number=read_text(row.get("call_abonent_number")),
        extension=read_text(row.get("call_abonent_extension")),
        pbx_user_ref=read_text(row.get("call_abonent_id")),
        started_at=read_time(row.get("call_start_time")),
        answered_at=read_time(row.get("call_answer_time")),
        ended_at=read_time(row.get("call_end_time")),
        end_reason=read_code(row.get("call_end_reason")),
        recordings=_recordings(row.get("recording_id")),
        members=_legs(row.get("members"), False) if with_members else (),
    )


def _recordings(value):
    """Read ids: a list, a single id, or a list as text as in the CSV report."""
    if isinstance(value, str):
        value = value.strip().removeprefix("[").removesuffix("]").split(",")
    value = value if isinstance(value, list) else [value]
    ids = (read_optional_id(v.strip() if isinstance(v, str) else v) for v in value)
    return tuple(dict.fromkeys(ref for ref in ids if ref))
