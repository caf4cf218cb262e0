"""Phone numbers, devices and extensions as written by the PBX and by people.

The PBX sends external numbers as digits with country code and without a plus, its own
devices as ``sip:user@company.mangosip.ru`` (mango-api.md 2.7). People type anything.
"""

import re
import unicodedata
from typing import NamedTuple

import phonenumbers

#: The PBX's country, the last one tried for numbers without a country code.
HOME_REGION = "RU"

_MIN_DIGITS = 7  # shorter ones are extensions or service numbers
_MAX_DIGITS = 18  # E.164 allows 15; room for an international prefix
_MAX_LENGTH = 200
_MAX_E164 = 16  # a plus and 15 digits
_PBX_HOST = "mangosip.ru"
_HIDDEN_NAMES = frozenset(
    {"", "anonymous", "private", "restricted", "unavailable", "unknown"}
)

# Satellite, maritime and international networks, and international premium numbers.
_COSTLY_NETWORKS = frozenset({870, 878, 881, 882, 883, 888, 979})
_COSTLY_TYPES = (
    phonenumbers.PhoneNumberType.PREMIUM_RATE,
    phonenumbers.PhoneNumberType.SHARED_COST,
)
_NO_COUNTRY = phonenumbers.phonenumberutil.REGION_CODE_FOR_NON_GEO_ENTITY

# The end of the first number: an extension mark or the next number.
_TAIL = re.compile(
    r"доб|вн|ext|x|х|[#,;/|\r\n]|(?<=\d)\s*\+",  # the second х is Cyrillic
    re.IGNORECASE,
)
_LETTER = re.compile(r"[^\W\d_]")
# A whole Russian number without a plus, as the PBX sends it or as people dial it.
# After 8, only digits that begin a Russian area code: 80… is dialled in Belarus.
_RUSSIAN = re.compile(r"7\d{10}|8[34789]\d{9}")


def e164(raw, regions=(HOME_REGION,)):
    """Normalise a phone number written in any usual way. Never raises.

    An extension behind the number is dropped; of several numbers the first counts.
    Numbers need not be allocated, only possible.

    :param raw: what was typed or received
    :type raw: str | None
    :param regions: ISO country codes to try in order before Russia
    :type regions: ~collections.abc.Iterable[str]
    :return: the number in E.164 (``+74950000201``), or None for extensions, SIP
        addresses and text
    :rtype: str | None
    """
    head = _first_number(raw)
    if head is None:
        return None
    digits = _digits(head)
    if not _MIN_DIGITS <= len(digits) <= _MAX_DIGITS:
        return None
    if head.startswith("+") or digits.startswith("00"):
        return _possible(f"+{digits.lstrip('0')}", None)
    if _RUSSIAN.fullmatch(digits):
        return _possible(f"+7{digits[1:]}", None)
    for region in (*regions, HOME_REGION):
        if found := _possible(digits, region):
            return found
    # As the PBX sends a foreign number.
    return _possible(f"+{digits}", None)


def is_whole_russian(raw):
    """Tell whether this is a whole Russian number without a plus: 8 (495) 000-02-01.

    Such a text means the same wherever its owner lives.

    :type raw: str | None
    :rtype: bool
    """
    head = _first_number(raw)
    if not head or head.startswith("+"):
        return False
    return bool(_RUSSIAN.fullmatch(_digits(head)))


def _first_number(raw):
    """Cut a text after its first number; None if it does not begin with a number."""
    if not isinstance(raw, str) or len(raw) > _MAX_LENGTH:
        return None
    text = unicodedata.normalize("NFKC", raw).strip().lower().removeprefix("tel:")
    if is_sip(text):
        return None
    head = _TAIL.split(text, maxsplit=1)[0].strip()
    return None if _LETTER.search(head) else head


def _digits(text):
    return "".join(str(int(sign)) for sign in text if sign.isdecimal())


def _possible(number, region):
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    # Not is_possible_number(): it also takes numbers without an area code.
    reason = phonenumbers.is_possible_number_with_reason(parsed)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    found = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    # The library lets some numbers pass that are not E.164, or do not round-trip.
    is_stable = len(found) <= _MAX_E164 and phonenumbers.parse(found) == parsed
    return found if is_stable else None


class Destination(NamedTuple):
    """The destination of a call to a number.

    ``region`` is an ISO country code, or None for an international number;
    ``is_costly`` tells that it is a premium-rate or a satellite number.
    """

    region: str | None
    is_costly: bool


def destination(number):
    """Return the destination of a call to a number. Never raises.

    :param number: E.164
    :type number: str | None
    :return: None if it is not a number in E.164, such as an extension
    :rtype: Destination | None
    """
    if not isinstance(number, str) or not number.startswith("+"):
        return None
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    # A number unknown to the library belongs to the main country of its code.
    region = phonenumbers.region_code_for_number(parsed)
    region = region or phonenumbers.region_code_for_country_code(parsed.country_code)
    is_costly = (
        parsed.country_code in _COSTLY_NETWORKS
        or phonenumbers.number_type(parsed) in _COSTLY_TYPES
    )
    return Destination(None if region == _NO_COUNTRY else region, is_costly)


def to_pbx(number):
    """Convert an E.164 number, or whatever a person may dial, to the PBX's format.

    :param str number: ``+74950000201``
    :return: digits without the plus: ``74950000201``
    :rtype: str
    """
    return number.removeprefix("+")


def is_sip(raw):
    """Tell whether this is a SIP address, with or without its scheme.

    :type raw: str | None
    :rtype: bool
    """
    text = (raw or "").strip().lower()
    return "@" in text or text.startswith(("sip:", "sips:"))


def is_pbx_device(raw):
    """Tell whether this is a device or a line of the PBX itself (``…mangosip.ru``).

    :type raw: str | None
    :rtype: bool
    """
    text = (raw or "").strip().lower()
    host = re.split("[:;?>]", text.removeprefix("sip:").rpartition("@")[2])[0]
    return host == _PBX_HOST or host.endswith(f".{_PBX_HOST}")


def is_hidden(raw):
    """Tell whether a text stands for a hidden number.

    ``anonymous`` and ``sip:anonymous@anonymous.invalid`` are hidden;
    ``sip:alice@partner.example.org`` is an address like any other.

    :type raw: str | None
    :rtype: bool
    """
    text = (raw or "").strip().lower()
    if any(sign.isdecimal() for sign in text.partition("@")[0]):
        return False
    name = text.removeprefix("sips:").removeprefix("sip:").partition("@")[0]
    host = re.split("[:;?>]", text.rpartition("@")[2])[0]
    return not is_sip(text) or name in _HIDDEN_NAMES or host.endswith(".invalid")


def is_line(raw, lines):
    """Tell whether this is one of our own lines.

    :type raw: str | None
    :param lines: the lines' numbers or SIP addresses as the PBX gives them
    :type lines: ~collections.abc.Collection[str]
    :rtype: bool
    """
    if not raw:
        return False
    return raw in lines or raw.removeprefix("+") in lines


def is_external(raw, lines=()):
    """Tell whether this can only be a number outside the PBX (mango-api.md 4.7).

    :type raw: str | None
    :param lines: our own lines, which are not external
    :type lines: ~collections.abc.Collection[str]
    :rtype: bool
    """
    if not raw or is_pbx_device(raw) or is_line(raw, lines):
        return False
    return sum(sign.isdecimal() for sign in raw.partition("@")[0]) >= 10
