"""The members that the PBX may send (mango-api.md 3 and 6.6).

Nothing is refused because of these tables: parsing is lenient. They are used to find
unexpected data and to replace personal data.
"""

from enum import Enum
from typing import NamedTuple

from .statistics import KIND as STATISTICS


class Type(Enum):
    """The content of a member, as text or as a number."""

    ID = "id"
    INTEGER = "integer"
    TIME = "time"  # epoch seconds
    MILLISECONDS = "milliseconds"
    CODE = "code"
    EXTENSION = "extension"
    NUMBER = "number"  # a phone, a device of the PBX, or an extension
    FLAG = "flag"
    TEXT = "text"
    IDS = "ids"  # a list of them, or a single one


class Words(NamedTuple):
    """One of several words, in lower case."""

    words: frozenset[str]


class Many(NamedTuple):
    """A list of objects."""

    members: dict


def _words(*words):
    return Words(frozenset(words))


_PARTY = {
    "extension": Type.EXTENSION,
    "number": Type.NUMBER,
    "line_number": Type.NUMBER,
    "acd_group": Type.EXTENSION,
    "taken_from_call_id": Type.ID,
    "was_transferred": Type.FLAG,
    "was_transfered": Type.FLAG,  # sic, mango-api.md 3.1
    "hold_initiator": Type.FLAG,
}
_TRACKING = {"type": Type.INTEGER, "number": Type.NUMBER}

_LEG = {
    "entry_id": Type.ID,
    "call_id": Type.ID,
    "timestamp": Type.TIME,
    "seq": Type.INTEGER,
    "call_state": _words("appeared", "connected", "onhold", "disconnected"),
    "location": _words("ivr", "queue", "abonent"),
    "locaton": _words("ivr", "queue", "abonent"),  # sic, mango-api.md 3.1
    "from": _PARTY,
    "to": _PARTY,
    "dct": _TRACKING,
    "disconnect_reason": Type.CODE,
    "transfer": _words("consultative", "blind", "return_blind"),
    "sip_call_id": Type.ID,
    "command_id": Type.ID,
    "task_id": Type.INTEGER,
    "callback_initiator": _words(
        "cc",
        "api",
        "web",
        "obdial",
        "callbackwidget",
        "missgroupcallcallback",
        "missinivrcallcallback",
    ),
}

_SUMMARY = {
    "entry_id": Type.ID,
    "call_direction": _words("0", "1", "2"),
    "from": _PARTY,
    "to": _PARTY,
    "line_number": Type.NUMBER,
    "dct": _TRACKING,
    "create_time": Type.TIME,
    "forward_time": Type.TIME,
    "talk_time": Type.TIME,
    "end_time": Type.TIME,
    "entry_result": _words("0", "1"),
    "disconnect_reason": Type.CODE,
    "sip_call_id": Type.ID,
}

_RECORDING = {
    "recording_id": Type.ID,
    "recording_state": _words("started", "continued", "completed"),
    "seq": Type.INTEGER,
    "entry_id": Type.ID,
    "call_id": Type.ID,
    "extension": Type.EXTENSION,
    "timestamp": Type.TIME,
    "completion_code": Type.CODE,
    "recipient": _words("cloud", "mail", "cloudandmail"),
    "command_id": Type.ID,
}

_RECORD_ADDED = {
    "entry_id": Type.ID,
    "product_id": Type.INTEGER,
    "user_id": Type.INTEGER,
    "timestamp": Type.TIME,
    "recording_id": Type.ID,
}

_DTMF = {
    "seq": Type.INTEGER,
    "dtmf": Type.TEXT,
    "timestamp": Type.TIME,
    "call_id": Type.ID,
    "entry_id": Type.ID,
    "location": _words("ivr"),
    "initiator": Type.NUMBER,
    "from_number": Type.NUMBER,
    "to_number": Type.NUMBER,
    "line_number": Type.NUMBER,
}

_SMS = {"command_id": Type.ID, "timestamp": Type.TIME, "reason": Type.CODE}

_STATUS = {
    "abonent_id": Type.INTEGER,
    "status": Type.INTEGER,
    "status_alias": Type.TEXT,
    "parent_status": Type.INTEGER,
    "when": Type.MILLISECONDS,
    "timestamp": Type.MILLISECONDS,
}

_COMMAND = {"command_id": Type.ID, "result": Type.CODE}

_FLAGS = (
    "DirectionInbound",
    "DirectionOutbound",
    "ModeConversation",
    "ModeListen",
    "ModePrompt",
    "ModeConference",
    "ModeGroup",
    "RecordInbound",
    "RecordOutbound",
    "BlindTransfer",
    "ConsultTransfer",
    "OutboundDialing",
    "Intercepted",
    "IvrNotUsed",
)
_MEMBER = {
    "call_type": _words("number", "user", "group", "conference"),
    "call_abonent_id": Type.INTEGER,
    "call_abonent_info": Type.TEXT,
    "call_abonent_number": Type.NUMBER,
    "call_abonent_extension": Type.EXTENSION,
    "call_start_time": Type.TIME,
    "call_answer_time": Type.TIME,
    "call_end_time": Type.TIME,
    "call_duration": Type.INTEGER,
    "talk_duration": Type.INTEGER,
    "dial_duration": Type.INTEGER,
    "hold_duration": Type.INTEGER,
    "operator_call_duration": Type.INTEGER,
    "call_end_reason": Type.CODE,
    "recording_id": Type.IDS,
    "external_call_id": Type.ID,
    "communication_id": Type.IDS,
    "call_id": Type.IDS,
    **dict.fromkeys(_FLAGS, Type.FLAG),
}
_STATISTICS = {
    "entry_id": Type.ID,
    "context_type": _words("1", "2", "3"),
    "context_status": _words("0", "1"),
    "caller_id": Type.INTEGER,
    "caller_name": Type.TEXT,
    "caller_number": Type.NUMBER,
    "caller_extension": Type.EXTENSION,
    "caller_login": Type.TEXT,
    "called_number": Type.NUMBER,
    "context_start_time": Type.TIME,
    "duration": Type.INTEGER,
    "talk_duration": Type.INTEGER,
    "operator_dial_duration": Type.INTEGER,
    "context_init_type": Type.INTEGER,
    "recall_status": Type.INTEGER,
    "communication_id": Type.IDS,
    "context_calls": Many({**_MEMBER, "members": Many(_MEMBER)}),
}

_RESULTS = (
    "callback",
    "callback_group",
    "call/hangup",
    "route",
    "transfer",
    "sms",
    "recording/start",
    "play/start",
    "calls_connect",
    "transfer_cancel",
    "call/hold/on",
)

#: The members of each documented kind of notification.
KINDS = {
    "events/call": _LEG,
    "events/summary": _SUMMARY,
    "events/recording": _RECORDING,
    "events/record/added": _RECORD_ADDED,
    "events/dtmf": _DTMF,
    "events/sms": _SMS,
    "events/user/status_changed": _STATUS,
    "result": _COMMAND,
    **{f"result/{name}": _COMMAND for name in _RESULTS},
    STATISTICS: _STATISTICS,
}

_ORDER = {"command_id": Type.ID, "call_id": Type.ID, "to_number": Type.NUMBER}

#: The parameters of our requests that are about calls (mango-api.md 5 and 6.3).
REQUESTS = {
    "commands/callback": {**_ORDER, "from": _PARTY, "line_number": Type.NUMBER},
    "commands/route": _ORDER,
    "commands/call/hangup": _ORDER,
    "commands/transfer": {
        **_ORDER,
        "method": _words("blind", "hold"),
        "initiator": Type.NUMBER,
    },
    "queries/recording/post": {"recording_id": Type.ID, "action": _words("download")},
}

#: Kinds that are known to exist, with undocumented content.
UNDESCRIBED = frozenset(
    {
        "ping",
        "events/record/tagged",
        "events/recognized/offline",
        "events/user/session_end",
        "result/stat",
        "result/stats",
    }
)

#: Members that occur several times.
UNDESCRIBED_FAMILIES = ("events/ab/", "events/md")

#: Members that a kind requires, because the fold cannot place it without them.
REQUIRED = {
    "events/call": ("entry_id", "call_id", "seq", "call_state"),
    "events/summary": ("entry_id",),
    "events/recording": ("entry_id", "recording_id", "recording_state"),
    "events/record/added": ("entry_id", "recording_id"),
    STATISTICS: ("entry_id",),
}


def is_described(kind):
    """Tell whether a kind of notification is in mango-api.md.

    :param str kind: as returned by :func:`.notifications.kind_of`
    :rtype: bool
    """
    if kind in KINDS or kind in UNDESCRIBED:
        return True
    return kind.startswith(UNDESCRIBED_FAMILIES)
