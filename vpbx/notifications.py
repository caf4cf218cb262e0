"""Notifications of the PBX as value objects (mango-api.md 3).

The PBX is not strict: members are missing, empty or null, integers come as text and
vice versa, new states, locations and kinds appear over the years. So parsing is
lenient: a notification is refused only if it lacks what the fold needs to place it, and
anything else that cannot be read counts as missing. The result is safe to store: no
NUL, no lone surrogate, no over-long text, no time out of range.
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

from .errors import NotificationError
from .texts import clean, visible

MAX_LENGTH = 128  # characters; according to the manual, ids have at most 128 bytes

# Epoch seconds that count as a time: from the year 2000 on, within a 32-bit number of
# seconds, so that no duration can overflow a database integer.
_EARLIEST = 946_684_800
_LATEST = _EARLIEST + 2**31 - 1
_LARGEST_CODE = 99_999
_MAX_DEPTH = 50  # levels of nesting; the PBX uses two
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)
_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)

# The manual prints some initiators with a Cyrillic С (mango-api.md 3.1).
_HOMOGLYPHS = str.maketrans({"С": "C", "с": "c"})

_DIRECTIONS = {0: "internal", 1: "inbound", 2: "outbound"}

_TRACKING_KINDS = {1: "dynamic", 2: "static"}

_COMMAND_RESULTS = frozenset(
    {
        "result",  # inferred from the fields: the command is not named
        "result/callback",
        "result/callback_group",
        "result/call/hangup",
        "result/route",
        "result/transfer",
    }
)


@dataclass(frozen=True)
class Tracking:
    """Call tracking: the number that the client saw on the site or in an advertisement.

    ``kind`` is ``dynamic`` (shown to one visitor at a time) or ``static``.
    """

    kind: str
    number: str


@dataclass(frozen=True)
class LegEvent:
    """``events/call``: the state of one leg changed.

    Times are epoch seconds or None; ``state`` and ``location`` are lower-case text.
    ``location`` is ``ivr``, ``queue`` or ``abonent``, without the position in the menu.
    """

    kind: str
    entry_id: str
    leg_ref: str
    seq: int
    state: str
    timestamp: int | None = None
    location: str | None = None
    from_number: str | None = None
    from_extension: str | None = None
    taken_from: str | None = None
    to_number: str | None = None
    to_extension: str | None = None
    line_number: str | None = None
    acd_group: str | None = None
    end_reason: int | None = None
    transfer: str | None = None
    command_id: str | None = None
    task_id: str | None = None
    callback_initiator: str | None = None
    tracking: Tracking | None = None


@dataclass(frozen=True)
class Summary:
    """``events/summary``: the call is over. Times are epoch seconds or None."""

    kind: str
    entry_id: str
    direction: str | None = None
    from_number: str | None = None
    from_extension: str | None = None
    to_number: str | None = None
    to_extension: str | None = None
    line_number: str | None = None
    created_at: int | None = None
    forwarded_at: int | None = None
    answered: bool = False
    answered_at: int | None = None
    ended_at: int | None = None
    end_reason: int | None = None
    command_id: str | None = None
    tracking: Tracking | None = None


@dataclass(frozen=True)
class RecordingEvent:
    """``events/recording``: a recording started, moved to another leg, or completed."""

    kind: str
    entry_id: str
    recording_ref: str
    seq: int
    state: str
    leg_ref: str | None = None
    extension: str | None = None
    timestamp: int | None = None
    completion_code: int | None = None
    recipient: str | None = None
    command_id: str | None = None


@dataclass(frozen=True)
class RecordAdded:
    """``events/record/added``: a recording is in the cloud and may be fetched."""

    kind: str
    entry_id: str
    recording_ref: str
    pbx_user_ref: str | None = None
    timestamp: int | None = None


@dataclass(frozen=True)
class CommandResult:
    """``result/<command>``: the outcome of one of our commands."""

    kind: str
    command_id: str
    code: int | None = None
    entry_id: None = None


@dataclass(frozen=True)
class Ignored:
    """An unused kind, or a ``ping``."""

    kind: str
    entry_id: str | None = None


Notification = (
    LegEvent | Summary | RecordingEvent | RecordAdded | CommandResult | Ignored
)


# ---------------------------------------------------------------------------
# Kind


def kind_of(path_tail):
    """Determine the kind of a notification from the path that it was posted to.

    Only the end matters: ``vpbx/events/call/`` and ``events/events/call`` are
    ``events/call``, because the address in the cabinet is entered in many ways.

    :param path_tail: the path after our base address
    :type path_tail: str | None
    :return: the kind, or ``""`` if the path says nothing
    :rtype: str
    """
    parts = [part for part in clean(path_tail or "").split("/") if part]
    for position in range(len(parts) - 1, -1, -1):
        if parts[position] in ("events", "result"):
            parts = parts[position:]
            break
    if parts in (["events"], ["result"]):
        return ""
    if parts and parts[-1] == "ping":
        return "ping"
    return "/".join(parts)[:MAX_LENGTH]


def infer_kind(payload):
    """Infer the kind of a notification from its fields.

    :param dict payload: the decoded ``json`` field
    :return: the kind; ``result`` for a command's result; ``ping`` for an empty
        object; ``""`` if nothing fits
    :rtype: str
    """
    fields = payload.keys()
    if not fields:
        return "ping"
    if "dtmf" in fields:
        return "events/dtmf"
    if fields >= {"call_id", "call_state"}:
        return "events/call"
    if "recording_state" in fields:
        return "events/recording"
    if fields >= {"entry_id", "recording_id"}:
        return "events/record/added"
    if fields & {"entry_result", "call_direction"}:
        return "events/summary"
    if fields >= {"command_id", "reason"}:
        return "events/sms"
    if fields >= {"command_id", "result"}:
        return "result"
    return ""


# ---------------------------------------------------------------------------
# Reading


@lru_cache(maxsize=256)  # all notifications of a call are read again with each new one
def parse(kind, text):
    """Read a notification.

    :param str kind: from :func:`kind_of`; ``""`` to infer it from the fields
    :param text: the ``json`` form field as received
    :type text: str | None
    :return: the notification; its ``kind`` is the given or the inferred one
    :rtype: Notification
    :raise NotificationError: if the text is missing, is not a JSON object, or lacks
        what its kind needs
    """
    if kind == "ping":
        return Ignored(kind)
    payload = _load(text)
    kind = kind or infer_kind(payload)
    read = _READERS.get(kind)
    if read is None and kind in _COMMAND_RESULTS:
        read = _command_result
    if read is None:
        return Ignored(kind, read_optional_id(payload.get("entry_id")))
    return read(kind, payload)


def _load(text):
    if not isinstance(text, str) or not text.strip():
        raise NotificationError("The field json is missing.")
    try:
        text.encode()  # lone surrogates cannot be stored
        _check_depth(text)
        payload = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        # ValueError also covers a number with thousands of digits
        raise NotificationError("The field json cannot be read.") from None
    if not isinstance(payload, dict):
        raise NotificationError("The field json is not an object.")
    return payload


def _check_depth(text):
    # Not left to json: its limit depends on the depth of the call stack, and a text
    # that was read once must stay readable.
    if text.count("[") + text.count("{") <= _MAX_DEPTH:
        return
    depth = 0
    for token in _TOKEN.findall(text):
        depth += (token in "[{") - (token in "]}")
        if depth > _MAX_DEPTH:
            raise ValueError("too deep")


def _refuse_constant(name) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _leg_event(kind, payload):
    caller, callee = read_object(payload.get("from")), read_object(payload.get("to"))
    location = payload.get("location", payload.get("locaton"))  # sic, mango-api.md 3.1
    return LegEvent(
        kind=kind,
        entry_id=_required_id(payload, "entry_id"),
        leg_ref=_required_id(payload, "call_id"),
        seq=_required_integer(payload, "seq"),
        state=_required_word(payload, "call_state"),
        timestamp=read_time(payload.get("timestamp")),
        location=_place(location),
        from_number=read_text(caller.get("number")),
        from_extension=read_text(caller.get("extension")),
        taken_from=read_optional_id(caller.get("taken_from_call_id")),
        to_number=read_text(callee.get("number")),
        to_extension=read_text(callee.get("extension")),
        # For an outgoing call only the caller has it (mango-api.md 3.1).
        line_number=read_text(callee.get("line_number"))
        or read_text(caller.get("line_number")),
        acd_group=read_text(callee.get("acd_group")),
        end_reason=read_code(payload.get("disconnect_reason")),
        transfer=_word(payload.get("transfer")),
        command_id=read_optional_id(payload.get("command_id")),
        task_id=_task(payload.get("task_id")),
        callback_initiator=_initiator(payload.get("callback_initiator")),
        tracking=_tracking(payload.get("dct")),
    )


def _summary(kind, payload):
    caller, callee = read_object(payload.get("from")), read_object(payload.get("to"))
    talk_time = read_integer(payload.get("talk_time")) or 0
    # Both are checked: hanging up in the menu may have entry_result 1 (mango-api.md
    # 3.2).
    answered = read_integer(payload.get("entry_result")) in (1, None) and talk_time > 0
    return Summary(
        kind=kind,
        entry_id=_required_id(payload, "entry_id"),
        direction=_DIRECTIONS.get(read_integer(payload.get("call_direction"))),
        from_number=read_text(caller.get("number")),
        from_extension=read_text(caller.get("extension")),
        to_number=read_text(callee.get("number")),
        to_extension=read_text(callee.get("extension")),
        line_number=read_text(payload.get("line_number")),
        created_at=read_time(payload.get("create_time")),
        forwarded_at=read_time(payload.get("forward_time")),
        answered=answered,
        answered_at=read_time(talk_time) if answered else None,
        ended_at=read_time(payload.get("end_time")),
        end_reason=read_code(payload.get("disconnect_reason")),
        command_id=read_optional_id(payload.get("command_id")),
        tracking=_tracking(payload.get("dct")),
    )


def _recording_event(kind, payload):
    return RecordingEvent(
        kind=kind,
        entry_id=_required_id(payload, "entry_id"),
        recording_ref=_required_id(payload, "recording_id"),
        seq=read_integer(payload.get("seq")) or 0,
        state=_required_word(payload, "recording_state"),
        leg_ref=read_optional_id(payload.get("call_id")),
        extension=read_text(payload.get("extension")),
        timestamp=read_time(payload.get("timestamp")),
        completion_code=read_code(payload.get("completion_code")),
        recipient=_word(payload.get("recipient")),
        command_id=read_optional_id(payload.get("command_id")),
    )


def _record_added(kind, payload):
    user = read_text(payload.get("user_id"))
    return RecordAdded(
        kind=kind,
        entry_id=_required_id(payload, "entry_id"),
        recording_ref=_required_id(payload, "recording_id"),
        pbx_user_ref=None if user == "-1" else user,  # -1 is "unknown"
        timestamp=read_time(payload.get("timestamp")),
    )


def _command_result(kind, payload):
    return CommandResult(
        kind=kind,
        command_id=_required_id(payload, "command_id"),
        code=read_code(payload.get("result")),
    )


_READERS = {
    "events/call": _leg_event,
    "events/summary": _summary,
    "events/recording": _recording_event,
    "events/record/added": _record_added,
}


# ---------------------------------------------------------------------------
# Members


def read_object(value: Any) -> dict:
    return value if isinstance(value, dict) else {}


def read_text(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    # The cut also keeps an indexed column within PostgreSQL's limit.
    return " ".join(visible(value[: 8 * MAX_LENGTH]).split())[:MAX_LENGTH] or None


def _word(value: Any) -> str | None:
    text = read_text(value)
    return text and text.lower()


def _place(value: Any) -> str | None:
    # ivr.1.2 is a position in the menu (mango-api.md 3.5).
    text = _word(value)
    return text and text.partition(".")[0]


def _task(value: Any) -> str | None:
    text = read_text(value)
    return None if text == "0" else text


def _tracking(value: Any) -> Tracking | None:
    # Every call has the member, mostly {"type": 0} (mango-api.md 3.1).
    dct = read_object(value)
    kind = _TRACKING_KINDS.get(read_integer(dct.get("type")))
    number = read_text(dct.get("number"))
    return Tracking(kind, number) if kind and number else None


def _initiator(value: Any) -> str | None:
    text = read_text(value)
    return text and text.translate(_HOMOGLYPHS)


def read_optional_id(value: Any) -> str | None:
    """Read an opaque id, without any repair: a repaired id is another id.

    Ids have no unprintable characters, such as NUL, lone surrogates or bidi marks.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_LENGTH:
        return None
    return value if value.isprintable() else None


def read_integer(value: Any) -> int | None:
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if abs(value) < 10**18 else None


def read_time(value: Any) -> int | None:
    seconds = read_integer(value)
    if seconds is None or not _EARLIEST <= seconds <= _LATEST:
        return None
    return seconds


def read_code(value: Any) -> int | None:
    code = read_integer(value)
    return code if code is not None and 0 < code <= _LARGEST_CODE else None


def _required_id(payload: dict, name: str) -> str:
    return _required(read_optional_id(payload.get(name)), name)


def _required_integer(payload: dict, name: str) -> int:
    return _required(read_integer(payload.get(name)), name)


def _required_word(payload: dict, name: str) -> str:
    return _required(_word(payload.get(name)), name)


def _required(value, name):
    if value is None:
        raise NotificationError(f"The field {name} is missing or cannot be read.")
    return value
