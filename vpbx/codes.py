"""Result codes and call-end reasons (mango-api.md 7).

Codes form classes, and a code that is not listed reads as its class: 2219 as 2210, then
2200, then 2000. So nothing is ever checked against the list; it only gives words.
"""

#: Plain sentences by code; 0 is what is said of a code of no known class.
MEANINGS = {
    0: "Unknown code",
    # 1xxx: done, and how calls end
    1000: "Done",
    1001: "Done, with remarks",
    1100: "The call ended normally",
    1110: "The caller hung up",
    1111: "Nobody answered in time",
    1120: "The called party hung up",
    1121: "Busy",
    1122: "The called party declined the call",
    1123: "Do-not-disturb is set on the phone",
    1124: "Do-not-disturb is set in the contact centre",
    1125: "The agent stopped the campaign task",
    1130: "Calls to this number are restricted",
    1131: "The called number is unreachable",
    1132: "The called number is not in service",
    1133: "The called number does not exist",
    1134: "The call was forwarded too many times",
    1135: "Forwarding is forbidden",
    1140: "Calls to this region are forbidden in the PBX's settings",
    1150: "The calling number is restricted",
    1151: "The calling number is on the black list",
    1152: "The calling number is not on the white list",
    1160: "The call to the group failed",
    1161: "Holding the call is forbidden",
    1162: "The queue is full",
    1163: "The waiting time in the queue is over",
    1164: "All agents are unavailable",
    1170: "The call was ended by the PBX's scheme",
    1171: "The PBX's scheme is misconfigured",
    1180: "The call was ended by a user's command",
    1181: "The call was ended by an external system",
    1182: "Another employee picked the call up",
    1183: "Another employee was assigned to the call",
    1190: "The employee's number is inactive",
    1191: "The employee's number is switched off",
    1192: "The employee's number is off duty by schedule",
    1193: "The employee is in a talk and rejects further calls",
    1200: "The contact centre's session failed",
    1300: "The call ended normally",
    1310: "An answering machine was detected",
    1311: "Answering machine: the number is unreachable",
    1312: "Answering machine: the number is busy",
    1313: "Answering machine: voice mail",
    1314: "Answering machine: no answer in time",
    # 2xxx: billing
    2000: "The PBX's billing forbids this",
    2100: "The PBX's account has no access",
    2110: "The PBX's account is blocked",
    2120: "The PBX's account is closed",
    2130: "The PBX's account is frozen",
    2140: "The PBX's account is invalid",
    2200: "The PBX's account is restricted",
    2210: "The limit of the period is used up",
    2211: "The daily limit is used up",
    2212: "The monthly limit is used up",
    2220: "Too many calls at the same time",
    2230: "The service is not available on the PBX's account",
    2240: "There is not enough money on the PBX's account",
    2250: "A quantity limit of the PBX's account is reached",
    2300: "Calls to this destination are blocked",
    2400: "The PBX's billing failed",
    # 3xxx: our request
    3000: "Bad request",
    3100: "Bad parameters",
    3101: "The request must be a POST",
    3102: "The signature is wrong: the key for signatures does not match",
    3103: "A parameter is missing",
    3104: "A parameter has a wrong format",
    3105: "The PBX's unique code is wrong",
    3106: "The value is already in use",
    3108: "The value is too small",
    3109: "The value is too large",
    3110: "A value was not accepted",
    3111: "The dates are wrong or too far apart",
    3123: "Exactly one of several parameters is needed",
    3124: "This line cannot be used for outgoing calls",
    3125: "All of several parameters are needed",
    3135: "One of several parameters is needed",
    3136: "The number has a wrong format",
    3200: "The subscriber's number is wrong",
    3300: "Not found",
    3310: "The call was not found",
    3320: "The recording was not found",
    3330: "The number or the employee was not found",
    3340: "The file was not found",
    3400: "The JSON of the request is malformed",
    3503: "The search is too large",
    # 4xxx: cannot be done now
    4000: "This cannot be done",
    4001: "The command is not supported",
    4002: "The recording is too short and was not stored",
    4100: "This cannot be done in the call's present state",
    4101: "The call is over or unknown",
    4102: "The call is already being recorded",
    4104: "The call was forwarded too many times",
    4200: "The subscriber is unreachable now",
    4290: "Too many requests",
    4300: "The message was not sent",
    4301: "The message has expired",
    4391: "The operator lost the message",
    4392: "The operator declined the message",
    4393: "The operator cancelled the message",
    4400: "The conference failed",
    4500: "The PBX's security settings forbid this",
    4501: "Too many calls in a short time",
    4502: "The caller is on the black list",
    4503: "The file is too large",
    4504: "The file's size is unknown",
    4505: "The file's format is unknown",
    4506: "The security profile forbids this",
    4507: "Blocked by the PBX's security settings",
    # 5xxx: the PBX
    5000: "The PBX had an internal error",
    5001: "The PBX is overloaded",
    5002: "The PBX is restarting",
    5003: "The PBX had a technical failure",
    5004: "The PBX's database failed",
    5005: "The PBX is in service mode",
    5006: "The PBX is open for service access only",
    5007: "A remote part of the PBX failed",
    5008: "The PBX's service is unavailable",
    5009: "This could not be added",
    5010: "There is not enough money for this",
    5011: "The PBX did not finish in time",
    5100: "The campaign failed",
    5200: "An option of the PBX is missing",
    5201: "Connecting services over the API is switched off in the PBX's cabinet",
    5202: "The employee or the group is in use",
    5212: "The employee has no active number",
    5222: "The limit of 20,000 numbers is reached",
    5228: "The limit of employees is reached",
    5300: "The API option of the PBX is missing",
    5302: "The employee is a robot",
    6000: "The fax failed",
}

# Temporary by mango-api.md 7.2; 429 and 503 are HTTP statuses told in a code's place.
_TRANSIENT = frozenset(
    {429, 503, 4200, 4290, 5000, 5001, 5002, 5003, 5004, 5007, 5008, 5011}
)

# What an end reason says about a call without a talk. A code that is not here reads as
# its class, like everywhere.
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
    """Find a code in a table, else its class: digits become zeros from the right."""
    for unit in (1, 10, 100, 1000):
        nearest = code // unit * unit
        if nearest and nearest in table:
            return nearest
    return None


def known(code):
    """Give the nearest listed code.

    :param int code: any code
    :return: the code itself, its class (2219 gives 2210), or 0 for no known class
    :rtype: int
    """
    return _read_as(code, MEANINGS) or 0


def meaning(code):
    """Say what a code means.

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


def outcome(code):
    """Say what an end reason means for a call in which nobody talked.

    :param code: a call-end reason
    :type code: int | None
    :return: ``busy``, ``failed``, ``no_answer``, ``declined``, ``unavailable``,
        ``abandoned``, ``elsewhere`` or ``normal``
    :rtype: str
    """
    return _OUTCOMES.get(_read_as(code or 0, _OUTCOMES), "normal")
