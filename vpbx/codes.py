"""Result codes and call-end reasons (mango-api.md 7).

Codes form classes, and a code that is not listed reads as its class: 2219 as 2210, then
2200, then 2000. So nothing is ever validated against the list; it only provides texts.
"""


def _lt(text):
    """Mark a text for Odoo's export of terms; it is translated where it is shown."""
    return text


DONE = 1000
#: The calling side of a leg hung up, e.g. a client who did not want to wait.
CALLER_HUNG_UP = 1110
#: A recording that is too short, and was not stored.
TOO_SHORT = 4002

#: Sentences by code; 0 stands for codes of no known class.
MEANINGS = {
    0: _lt("Unknown code"),
    # 1xxx: success, and reasons for the end of calls
    1000: _lt("Done"),
    1001: _lt("Done, with remarks"),
    1100: _lt("The call ended normally"),
    1110: _lt("The caller hung up"),
    1111: _lt("Nobody answered in time"),
    1120: _lt("The called party hung up"),
    1121: _lt("Busy"),
    1122: _lt("The called party declined the call"),
    1123: _lt("Do-not-disturb is set on the phone"),
    1124: _lt("Do-not-disturb is set in the contact centre"),
    1125: _lt("The agent stopped the campaign task"),
    1130: _lt("Calls to this number are restricted"),
    1131: _lt("The called number is unreachable"),
    1132: _lt("The called number is not in service"),
    1133: _lt("The called number does not exist"),
    1134: _lt("The call was forwarded too many times"),
    1135: _lt("Forwarding is forbidden"),
    1140: _lt("Calls to this region are forbidden in the PBX's settings"),
    1150: _lt("The calling number is restricted"),
    1151: _lt("The calling number is on the black list"),
    1152: _lt("The calling number is not on the white list"),
    1160: _lt("The call to the group failed"),
    1161: _lt("Holding the call is forbidden"),
    1162: _lt("The queue is full"),
    1163: _lt("The waiting time in the queue is over"),
    1164: _lt("All agents are unavailable"),
    1170: _lt("The call was ended by the PBX's scheme"),
    1171: _lt("The PBX's scheme is misconfigured"),
    1180: _lt("The call was ended by a user's command"),
    1181: _lt("The call was ended by an external system"),
    1182: _lt("Another employee picked the call up"),
    1183: _lt("Another employee was assigned to the call"),
    1190: _lt("The employee's number is inactive"),
    1191: _lt("The employee's number is switched off"),
    1192: _lt("The employee's number is off duty by schedule"),
    1193: _lt("The employee is in a talk and rejects further calls"),
    1200: _lt("The contact centre's session failed"),
    1300: _lt("The call ended normally"),
    1310: _lt("An answering machine was detected"),
    1311: _lt("Answering machine: the number is unreachable"),
    1312: _lt("Answering machine: the number is busy"),
    1313: _lt("Answering machine: voice mail"),
    1314: _lt("Answering machine: no answer in time"),
    # 2xxx: billing
    2000: _lt("The PBX's billing forbids this"),
    2100: _lt("The PBX's account has no access"),
    2110: _lt("The PBX's account is blocked"),
    2120: _lt("The PBX's account is closed"),
    2130: _lt("The PBX's account is frozen"),
    2140: _lt("The PBX's account is invalid"),
    2200: _lt("The PBX's account is restricted"),
    2210: _lt("The limit of the period is used up"),
    2211: _lt("The daily limit is used up"),
    2212: _lt("The monthly limit is used up"),
    2220: _lt("Too many calls at the same time"),
    2230: _lt("The service is not available on the PBX's account"),
    2240: _lt("There is not enough money on the PBX's account"),
    2250: _lt("A quantity limit of the PBX's account is reached"),
    2300: _lt("Calls to this destination are blocked"),
    2400: _lt("The PBX's billing failed"),
    # 3xxx: our request
    3000: _lt("Bad request"),
    3100: _lt("Bad parameters"),
    3101: _lt("The request must be a POST"),
    3102: _lt("The signature is wrong: the key for signatures does not match"),
    3103: _lt("A parameter is missing"),
    3104: _lt("A parameter has a wrong format"),
    3105: _lt("The PBX's unique code is wrong"),
    3106: _lt("The value is already in use"),
    3108: _lt("The value is too small"),
    3109: _lt("The value is too large"),
    3110: _lt("A value was not accepted"),
    3111: _lt("The dates are wrong or too far apart"),
    3123: _lt("Exactly one of several parameters is needed"),
    3124: _lt("This line cannot be used for outgoing calls"),
    3125: _lt("All of several parameters are needed"),
    3135: _lt("One of several parameters is needed"),
    3136: _lt("The number has a wrong format"),
    3200: _lt("The subscriber's number is wrong"),
    3300: _lt("Not found"),
    3310: _lt("The call was not found"),
    3320: _lt("The recording was not found"),
    3330: _lt("The number or the employee was not found"),
    3340: _lt("The file was not found"),
    3400: _lt("The JSON of the request is malformed"),
    3503: _lt("The search is too large"),
    # 4xxx: cannot be done now
    4000: _lt("This cannot be done"),
    4001: _lt("The command is not supported"),
    4002: _lt("The recording is too short and was not stored"),
    4100: _lt("This cannot be done in the call's present state"),
    4101: _lt("The call is over or unknown"),
    4102: _lt("The call is already being recorded"),
    4104: _lt("The call was forwarded too many times"),
    4200: _lt("The subscriber is unreachable now"),
    4290: _lt("Too many requests"),
    4300: _lt("The message was not sent"),
    4301: _lt("The message has expired"),
    4391: _lt("The operator lost the message"),
    4392: _lt("The operator declined the message"),
    4393: _lt("The operator cancelled the message"),
    4400: _lt("The conference failed"),
    4500: _lt("The PBX's security settings forbid this"),
    4501: _lt("Too many calls in a short time"),
    4502: _lt("The caller is on the black list"),
    4503: _lt("The file is too large"),
    4504: _lt("The file's size is unknown"),
    4505: _lt("The file's format is unknown"),
    4506: _lt("The security profile forbids this"),
    4507: _lt("Blocked by the PBX's security settings"),
    # 5xxx: the PBX
    5000: _lt("The PBX had an internal error"),
    5001: _lt("The PBX is overloaded"),
    5002: _lt("The PBX is restarting"),
    5003: _lt("The PBX had a technical failure"),
    5004: _lt("The PBX's database failed"),
    5005: _lt("The PBX is in service mode"),
    5006: _lt("The PBX is open for service access only"),
    5007: _lt("A remote part of the PBX failed"),
    5008: _lt("The PBX's service is unavailable"),
    5009: _lt("This could not be added"),
    5010: _lt("There is not enough money for this"),
    5011: _lt("The PBX did not finish in time"),
    5100: _lt("The campaign failed"),
    5200: _lt("An option of the PBX is missing"),
    5201: _lt("Connecting services over the API is switched off in the PBX's cabinet"),
    5202: _lt("The employee or the group is in use"),
    5212: _lt("The employee has no active number"),
    5222: _lt("The limit of 20,000 numbers is reached"),
    5228: _lt("The limit of employees is reached"),
    5300: _lt("The API option of the PBX is missing"),
    5302: _lt("The employee is a robot"),
    6000: _lt("The fax failed"),
}

#: End reasons of calls ended by a command: ours or another program's.
ENDED_BY_COMMAND = frozenset({1180, 1181})

# Temporary by mango-api.md 7.2; 429 and 503 are HTTP statuses used as codes.
_TRANSIENT = frozenset(
    {429, 503, 4200, 4290, 5000, 5001, 5002, 5003, 5004, 5007, 5008, 5011}
)

# What an end reason means for a call without a talk. An unlisted code reads as its
# class, as everywhere.
_OUTCOMES = {
    1000: "normal",
    1110: "abandoned",
    1111: "no_answer",
    1120: "normal",
    1121: "busy",
    1122: "declined",
    1123: "unavailable",
    1124: "unavailable",
    1130: "failed",
    1140: "failed",
    1150: "failed",
    1160: "no_answer",
    1161: "unavailable",
    1162: "unavailable",
    1163: "unavailable",
    1164: "unavailable",
    1170: "no_answer",
    1180: "normal",
    1182: "elsewhere",
    1183: "elsewhere",
    1190: "unavailable",
    1200: "failed",
    1300: "normal",
    1310: "no_answer",
    1311: "failed",
    1312: "busy",
    2000: "failed",
    3000: "failed",
    4000: "failed",
    5000: "failed",
    6000: "failed",
}


def _read_as(code, table):
    """Find a code in a table, or its class: digits become zeros from the right."""
    for unit in (1, 10, 100, 1000):
        nearest = code // unit * unit
        if nearest in table:
            return nearest
    return None


def known(code):
    """Return the nearest listed code.

    :param int code: any code
    :return: the code itself, its class (2219 gives 2210), or 0 for no known class
    :rtype: int
    """
    return _read_as(code, MEANINGS) or 0


def meaning(code):
    """Return the meaning of a code.

    :param int code: any code
    :return: a plain English sentence without a full stop
    :rtype: str
    """
    return MEANINGS[known(code)]


def is_transient(code):
    """Tell whether the same request may succeed later.

    :param int code: a result code, or HTTP status 429 or 503
    :rtype: bool
    """
    return code in _TRANSIENT


def is_caller_blocked(code):
    """Tell whether the PBX has refused a call because of the caller's number.

    :param code: a call-end reason
    :type code: int | None
    :rtype: bool
    """
    return _read_as(code or 0, _OUTCOMES) == 1150


def outcome(code):
    """Return what an end reason means for a call without a talk.

    :param code: a call-end reason
    :type code: int | None
    :return: ``busy``, ``failed``, ``no_answer``, ``declined``, ``unavailable``,
        ``abandoned``, ``elsewhere`` or ``normal``
    :rtype: str
    """
    return _OUTCOMES.get(_read_as(code or 0, _OUTCOMES), "normal")
