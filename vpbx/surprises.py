"""Detection of data that mango-api.md does not describe.

The descriptions could not be tested on a real PBX before the first customer. So
deviations are detected, distinguished by place and kind, and shown with an example in
which digits and letters are masked. Nothing is refused because of them.
"""

import json
import re
from typing import NamedTuple

from . import codes
from .members import KINDS, REQUIRED, Many, Type, Words, is_described
from .notifications import (
    LegEvent,
    RecordAdded,
    RecordingEvent,
    Summary,
    infer_kind,
    read_integer,
    read_optional_id,
    read_text,
    read_time,
)
from .numbers import e164, is_hidden, is_sip
from .statistics import StatisticsCall

UNKNOWN_KIND = "kind"
UNKNOWN_MEMBER = "member"
MISSING = "missing"
WRONG_TYPE = "type"
UNKNOWN_WORD = "word"
UNKNOWN_CODE = "code"
ODD_NUMBER = "number"
ODD_TIME = "time"
CONTRADICTION = "contradiction"

#: Maximum number of surprises reported for one notification.
MOST = 20

_MAX_EXAMPLE = 64  # characters
_MAX_DEPTH = 6
# A plausible member name, not a number or a secret in its place.
_NAME = re.compile(r"(?!.*\d{4})[A-Za-z_][A-Za-z0-9_.-]{0,39}", re.ASCII)
_WORD = re.compile(r"[A-Za-z_]{1,24}", re.ASCII)
_KIND = re.compile(r"(?!.*\d{4})[A-Za-z_/.-]{1,64}", re.ASCII)
_EXTENSION = re.compile(r"\d{1,10}", re.ASCII)
# The PBX's format of numbers; faster to check than the numbering plans.
_PLAIN_NUMBER = re.compile(r"\d{1,15}", re.ASCII)
_HOMOGLYPHS = str.maketrans({"С": "C", "с": "c"})  # mango-api.md 3.1

# How much later than its call a leg may end, in seconds of the PBX's clock.
_TOLERANCE = 60


class Surprise(NamedTuple):
    """One deviation from the description.

    ``place`` is the kind and the path of the member, ``what`` one of the constants
    above, ``example`` the masked value.
    """

    place: str
    what: str
    example: str


# ---------------------------------------------------------------------------
# One notification


def find(kind, text):
    """Find the deviations of a notification. Never raises.

    :param str kind: of the notification; ``""`` to infer it from the fields
    :param text: the ``json`` field as received
    :type text: str | None
    :return: each once, at most :data:`MOST`
    :rtype: tuple[Surprise, ...]
    """
    try:
        payload = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return (Surprise(_place(kind), WRONG_TYPE, mask(text)),)
    if not isinstance(payload, dict):
        return (Surprise(_place(kind), WRONG_TYPE, mask(payload)),)
    kind = kind or infer_kind(payload)
    if not is_described(kind):
        return (Surprise(_place(kind), UNKNOWN_KIND, _members_of(payload)),)
    if kind not in KINDS:
        return ()
    found = dict.fromkeys(_missing(kind, payload))
    found |= dict.fromkeys(_in_object(_place(kind), KINDS[kind], payload))
    return tuple(found)[:MOST]


def _place(kind):
    return kind if kind and _KIND.fullmatch(kind) else mask(kind or "?")


def _members_of(payload):
    """Report the member names of an unknown kind, which are of interest."""
    return ", ".join(sorted({_name(name) for name in payload}))[:_MAX_EXAMPLE]


def _missing(kind, payload):
    for name in REQUIRED.get(kind, ()):
        if _is_empty(payload.get(name)):
            yield Surprise(f"{kind}: {name}", MISSING, "")


def _in_object(place, members, payload, depth=0):
    for name, value in payload.items():
        if _is_empty(value):
            continue
        separator = "." if depth else ": "
        here = f"{place}{separator}{_name(name)}"
        expected = members.get(name)
        if expected is None:
            yield Surprise(here, UNKNOWN_MEMBER, mask(value))
        else:
            yield from _in_member(here, expected, value, depth)


def _in_member(place, expected, value, depth):
    if isinstance(expected, dict):
        yield from _in_party(place, expected, value, depth)
    elif isinstance(expected, Many):
        yield from _in_list(place, expected, value, depth)
    elif isinstance(expected, Words):
        yield from _in_word(place, expected, value)
    elif what := _CHECKS[expected](value):
        example = str(value) if what == UNKNOWN_CODE else mask(value)
        yield Surprise(place, what, example)


def _in_party(place, members, value, depth):
    if isinstance(value, dict):
        yield from _in_object(place, members, value, depth + 1)
    else:
        yield Surprise(place, WRONG_TYPE, mask(value))


def _in_list(place, expected, value, depth):
    if not isinstance(value, list):
        yield Surprise(place, WRONG_TYPE, mask(value))
    elif depth < _MAX_DEPTH:
        for row in value:
            yield from _in_party(f"{place}[]", expected.members, row, depth)


def _in_word(place, expected, value):
    word = read_text(value)
    if word is None:
        yield Surprise(place, WRONG_TYPE, mask(value))
        return
    # ivr.1.2 is a position in the menu; the manual has a Cyrillic letter at times.
    head = word.translate(_HOMOGLYPHS).lower().partition(".")[0]
    if head not in expected.words:
        # The word itself is of interest, and not personal.
        example = word if _WORD.fullmatch(word) else mask(word)
        yield Surprise(place, UNKNOWN_WORD, example)


def _is_empty(value):
    # Missing members may also be empty or null (mango-api.md 2.7).
    return value is None or value in ("", {}, [])


# Each returns the kind of surprise about a value, or None.


def _check_id(value):
    return None if read_optional_id(value) else WRONG_TYPE


def _check_integer(value):
    return WRONG_TYPE if read_integer(value) is None else None


def _check_time(value):
    seconds = read_integer(value)
    if seconds is None:
        return WRONG_TYPE
    return None if seconds == 0 or read_time(seconds) else ODD_TIME


def _check_milliseconds(value):
    milliseconds = read_integer(value)
    if milliseconds is None:
        return WRONG_TYPE
    return None if read_time(milliseconds // 1000) else ODD_TIME


def _check_code(value):
    code = read_integer(value)
    if code is None or not 0 <= code <= 99_999:
        return WRONG_TYPE
    return None if code == 0 or code in codes.MEANINGS else UNKNOWN_CODE


def _check_extension(value):
    text = read_text(value)
    if text is None:
        return WRONG_TYPE
    return None if _EXTENSION.fullmatch(text) else ODD_NUMBER


def _check_number(value):
    text = read_text(value)
    if text is None:
        return WRONG_TYPE
    fits = _PLAIN_NUMBER.fullmatch(text) or is_sip(text) or is_hidden(text)
    return None if fits or e164(text) else ODD_NUMBER


def _check_flag(value):
    return None if value in (True, False, "0", "1", "true", "false") else WRONG_TYPE


def _check_text(value):
    return None if isinstance(value, str | int) else WRONG_TYPE


def _check_ids(value):
    values = value if isinstance(value, list) else [value]
    return None if all(map(read_optional_id, values)) else WRONG_TYPE


_CHECKS = {
    Type.ID: _check_id,
    Type.INTEGER: _check_integer,
    Type.TIME: _check_time,
    Type.MILLISECONDS: _check_milliseconds,
    Type.CODE: _check_code,
    Type.EXTENSION: _check_extension,
    Type.NUMBER: _check_number,
    Type.FLAG: _check_flag,
    Type.TEXT: _check_text,
    Type.IDS: _check_ids,
}


# ---------------------------------------------------------------------------
# One call


def contradictions(notifications):
    """Find contradictions in the notifications of one call. Never raises.

    :param notifications: all of one ``entry_id``, parsed
    :return: each once
    :rtype: tuple[Surprise, ...]
    """
    facts = list(notifications)
    legs = [fact for fact in facts if isinstance(fact, LegEvent)]
    summaries = [fact for fact in facts if isinstance(fact, Summary)]
    entries = [fact for fact in facts if isinstance(fact, StatisticsCall)]
    found = [*_between_summaries(summaries), *_unannounced(facts, entries)]
    for summary in summaries:
        found += _between_legs_and_summary(legs, summary)
        found += _between_summary_and_statistics(summary, entries)
    places = dict.fromkeys(found)
    return tuple(Surprise(place, CONTRADICTION, said) for place, said in places)


def _between_summaries(summaries):
    if len(set(summaries)) > 1:
        yield "events/summary", "two that differ"


def _between_legs_and_summary(legs, summary):
    phones = [leg for leg in legs if leg.location not in ("ivr", "queue")]
    talks = [leg for leg in phones if leg.state == "connected"]
    # In a callback the first leg is connected before anybody talks.
    is_order = any(leg.callback_initiator or leg.command_id for leg in legs)
    is_plain = summary.direction == "inbound" and not is_order
    if summary.answered and phones and not talks:
        yield "events/summary: talk_time", "a talk, and no leg Connected"
    if not summary.answered and is_plain and talks:
        yield "events/summary: talk_time", "no talk, and a leg Connected"
    ends = [leg.timestamp for leg in legs if leg.timestamp]
    if ends and summary.ended_at and max(ends) > summary.ended_at + _TOLERANCE:
        yield "events/summary: end_time", "before the end of a leg"


def _between_summary_and_statistics(summary, entries):
    for entry in entries:
        if not entry.is_ended:
            continue
        directions = {entry.direction, summary.direction} - {None}
        if len(directions) > 1 and not entry.is_ordered:
            yield "statistics/call: context_type", "not call_direction's"
        if entry.answered != summary.answered:
            yield "statistics/call: talk_duration", "not talk_time's"
        ends = [end for end in (entry.ended_at, summary.ended_at) if end]
        if ends and max(ends) - min(ends) > _TOLERANCE:
            yield "statistics/call: duration", "not end_time's"


def _unannounced(facts, entries):
    announced = {
        fact.recording_ref
        for fact in facts
        if isinstance(fact, RecordAdded | RecordingEvent)
    }
    was_told = any(isinstance(fact, Summary) for fact in facts)
    if was_told and any(entry.recording_refs - announced for entry in entries):
        yield "statistics/call: recording_id", "never announced"


# ---------------------------------------------------------------------------
# Masking


def mask(value):
    """Return the form of a value without its content. Never raises.

    :param value: any JSON value
    :return: digits as 0, letters as x; only the type of objects and lists
    :rtype: str
    """
    if isinstance(value, dict):
        return "{…}"
    if isinstance(value, list):
        return "[…]"
    if value is None or isinstance(value, bool):
        return str(value).lower()
    text = str(value) if isinstance(value, str | float) else _integer_as_text(value)
    hidden = "".join(map(_mask_sign, text[:_MAX_EXAMPLE]))
    return hidden if len(text) <= _MAX_EXAMPLE else f"{hidden[:-1]}…"


def _integer_as_text(value):
    # Python refuses to write out thousands of digits.
    return str(value) if abs(value) < 10**_MAX_EXAMPLE else "0" * (_MAX_EXAMPLE + 1)


def _mask_sign(sign):
    if sign.isascii() and not sign.isalnum() and sign.isprintable():
        return sign
    if sign.isnumeric():
        return "0"
    return "x" if sign.isalpha() else "?"


def _name(name):
    return name if _NAME.fullmatch(name) else mask(name)
