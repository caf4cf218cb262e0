"""Pseudonyms for personal data from the PBX.

Support needs the notifications, but no personal numbers or names. So everything is
replaced unless it is known to be harmless: codes, times, and the words of the protocol.
A pseudonym keeps form, length and type, and the same value always gets the same one, so
that a call can be folded from the pseudonyms as from the originals:

* phone numbers keep their country, those of lines also their area, and all spellings of
  a number get the same one. Russian ones become unassigned numbers: no number begins
  with a zero after the area code
* extensions keep their length and their first digit
* devices of the PBX stay devices of the PBX
* ids keep their order, which matters for legs of the same second

Pseudonyms are derived with a secret that is not kept, so they cannot be reversed.
"""

import hmac
import re

import phonenumbers

from . import codes
from .members import KINDS, REQUESTS, UNDESCRIBED, Many, Type, Words
from .notifications import read_integer
from .numbers import HOME_REGION, e164, is_sip

#: Smaller numbers are counts.
_LARGEST_COUNT = 99_999
_LARGEST_CODE = 9_999
#: A text that does not count as a time.
_NO_TIME = 1
_TRIES = 1000

_DIGITS = re.compile(r"[0-9]+")
_EXTENSION = re.compile(r"[0-9]{1,6}")
#: Numbers of Russia, not of Kazakhstan: the area code and the rest.
_RUSSIAN = re.compile(r"\+7([3-589][0-9]{2})[0-9]{7}")
_WRITTEN = re.compile(r"[0-9+\-() .]+")
_TOKEN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[_./-]")
#: Marks of the PBX's devices and of hidden numbers.
_KEPT_HOST = re.compile(r"(?:^|\.)(?:mangosip\.ru|invalid)(?=[:;?>]|$)", re.IGNORECASE)
_HIDDEN = frozenset(
    {"anonymous", "private", "restricted", "unavailable", "unknown", "withheld"}
)
_HOMOGLYPHS = str.maketrans({"С": "C", "с": "c"})

_ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyz",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "абвгдежзийклмнопрстуфхцчшщъыьэюя",
    "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ",
    "0123456789",
)
_PLACES = {
    sign: (letters, n) for letters in _ALPHABETS for n, sign in enumerate(letters)
}
_KEPT_SIGNS = frozenset(" +-()./:;,@_=?&#%<>[]{}|'\"!*")
#: In the order of their codes, like text comparison.
_ID_SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

# Parts of the names of members and of the protocol's words.
_MORE_TOKENS = """
    ab agent answer api app appeal attempt auto began begin bill billing block
    bridge busy callback called caller campaign cancel channel client close closed
    cloud code comment company conf contact context cost count created custom data
    date delay delete department device dial digits disabled duration enabled end
    ended entry error event events external failed file flag group hangup held hold
    id ids in index info init internal is item items kind label language last leg
    level line list mail menu message mode music mute name new next no number old
    online order out parent park parked party pbx phone pin position prefix previous
    priority product provider queue rate reason recall record recorded region
    rejected request result retry ring ringing route schema screen script segment
    seq server service session sip skill source speech start state stats status stop
    sum tag target task text time timeout to token topic track transfer trunk type
    updated url user uuid value version via voice wait widget word words zone
"""


def _tokens_of_members(members):
    for name, expected in members.items():
        yield from _TOKEN.findall(name)
        if isinstance(expected, dict):
            yield from _tokens_of_members(expected)
        elif isinstance(expected, Many):
            yield from _tokens_of_members(expected.members)
        elif isinstance(expected, Words):
            yield from expected.words


def _all_tokens():
    yield from _MORE_TOKENS.split()
    for kind, members in (KINDS | REQUESTS).items():
        yield from _TOKEN.findall(kind)
        yield from _tokens_of_members(members)
    for kind in UNDESCRIBED:
        yield from _TOKEN.findall(kind)


#: The first parts of both differ.
_MEMBERS = KINDS | REQUESTS

_TOKENS = frozenset(token.lower() for token in _all_tokens()) | set("_./-")


def _is_word_of_protocol(text):
    """Tell whether a word consists of parts of the protocol's words."""
    tokens = _TOKEN.findall(text)
    return "".join(tokens) == text and all(t.lower() in _TOKENS for t in tokens)


class Learned:
    """What must be collected from all notifications before any replacement."""

    def __init__(self):
        self.ids = set()
        self.numbers = set()
        self.lines = set()

    def learn(self, kind, payload):
        """Collect the ids and numbers of a notification or a request.

        :param str kind: of the notification, or the path of the request
        :param dict payload: the decoded ``json``
        """
        self._learn_object(_MEMBERS.get(kind, {}), payload)

    def _learn_object(self, members, payload):
        for name, value in payload.items():
            expected = members.get(name)
            if isinstance(expected, dict) and isinstance(value, dict):
                self._learn_object(expected, value)
            elif isinstance(expected, Many) and isinstance(value, list):
                for row in value:
                    if isinstance(row, dict):
                        self._learn_object(expected.members, row)
            elif expected in (Type.ID, Type.IDS):
                values = value if isinstance(value, list) else [value]
                self.ids.update(str(one) for one in values if _is_plain(one))
            elif expected is Type.NUMBER and _is_plain(value):
                numbers = self.lines if name == "line_number" else self.numbers
                numbers.add(str(value))


class Pseudonyms:
    """The pseudonyms of one bundle.

    :param bytes secret: random, and not kept.
    :param Learned learned: collected from everything that will be replaced.
    :param tuple[int, int] moments: epoch seconds between which a number is a time;
        outside it may be a phone number.
    :param regions: as for :func:`.numbers.e164`.
    """

    def __init__(self, secret, learned, moments, regions=(HOME_REGION,)):
        self._secret = secret
        self._moments = moments
        self._regions = regions
        self._ids = self._rank(learned.ids)
        self._lines = set(map(self._e164, learned.lines)) - {None}
        self._originals = self._lines | set(map(self._e164, learned.numbers))
        self._numbers = {}
        self._taken = set()

    # -- notifications ----------------------------------------------------------

    def payload(self, kind, payload):
        """Replace the personal data of a notification or a request.

        :param str kind: of the notification, or the path of the request
        :param dict payload: the decoded ``json``
        :rtype: dict
        """
        return self._object(_MEMBERS.get(kind, {}), payload)

    def kind(self, kind):
        """Replace an unknown kind of notification.

        :param str kind: the end of the path that was posted to
        :rtype: str
        """
        return kind if _is_word_of_protocol(kind) else self.text(kind)

    def _object(self, members, payload):
        return {
            self.name(name): self._member(members.get(name), value)
            for name, value in payload.items()
        }

    def name(self, name):
        """Replace the name of a member, unless it consists of the protocol's words.

        :param str name: such as ``hold_initiator``
        :rtype: str
        """
        return name if _is_word_of_protocol(name) else self.text(name)

    def _member(self, expected, value):
        if value is None or isinstance(value, bool):
            return value
        if isinstance(expected, dict) and isinstance(value, dict):
            return self._object(expected, value)
        if isinstance(value, list):
            inner = expected.members if isinstance(expected, Many) else expected
            return [self._member(inner, one) for one in value]
        if isinstance(value, dict):
            return self._object({}, value)
        if isinstance(value, float):
            # No documented member is a fraction.
            return self._member(expected, int(value)) if value.is_integer() else 0.5
        return self._scalar(expected, value)

    def _scalar(self, expected, value):
        text = str(value) if isinstance(value, str) else _integer_text(value)
        if isinstance(expected, Words):
            replaced = self._word(expected, text)
        elif isinstance(expected, Type):
            replaced = self._REPLACED[expected](self, text)
        else:
            replaced = self.anything(text)
        return _as_type(value, replaced)

    # -- values -----------------------------------------------------------------

    def anything(self, text):
        """Replace an unknown text.

        :param str text: may be a number, an address, a name, or a secret
        :rtype: str
        """
        is_number = _DIGITS.fullmatch(text) or is_sip(text) or self._e164(text)
        return self.number(text) if is_number else self.text(text)

    def id(self, text):
        """Replace an id; ids that were learned keep their order.

        :param str text: opaque
        :rtype: str
        """
        return self._ids.get(text) or self.text(text)

    def number(self, text):
        """Replace a phone number, an address of a device, or an extension.

        :param str text: as it was received, or in E.164
        :rtype: str
        """
        if not text.strip() or text.strip().lower() in _HIDDEN:
            return text
        if is_sip(text):
            return self._address(text)
        if _EXTENSION.fullmatch(text):
            return self._extension(text)
        return self._phone(text) or self.text(text)

    def text(self, text):
        """Replace each letter and each digit by another one.

        :param str text: any
        :return: of the same length, and the same for equal texts
        :rtype: str
        """
        # Case is ignored, as in the fold.
        stream = self._stream("text", text.lower())
        return "".join(_other_sign(sign, next(stream)) for sign in text)

    def moment(self, text):
        """Keep a time, and replace anything else by a text that is not a time.

        :param str text: epoch seconds
        :rtype: str
        """
        return self._moment(text, 1)

    def _moment(self, text, unit):
        time = read_integer(text)
        if time == 0:
            return "0"
        first, last = self._moments
        is_time = time is not None and first <= time // unit <= last
        return str(time if is_time else _NO_TIME)

    def _milliseconds(self, text):
        return self._moment(text, 1000)

    def reference(self, text):
        """Replace an integer that may be an identifier; small ones are counts.

        :param str text: digits
        :rtype: str
        """
        number = read_integer(text)
        if number is not None and abs(number) <= _LARGEST_COUNT:
            return text
        other = self.text(text)
        return f"1{other[1:]}" if other.startswith("0") else other

    def _code(self, text):
        code = read_integer(text)
        if code is not None and (0 <= code <= _LARGEST_CODE or code in codes.MEANINGS):
            return str(code)
        return self.text(text)

    def _word(self, expected, text):
        head, dot, rest = text.partition(".")
        plain = head.strip().translate(_HOMOGLYPHS).lower()
        if plain in expected.words:
            return head + dot + self.text(rest)
        return text if _is_word_of_protocol(text) else self.text(text)

    def _flag(self, text):
        return text if text.lower() in ("0", "1", "true", "false") else self.text(text)

    _REPLACED = {
        Type.ID: id,
        Type.IDS: id,
        Type.INTEGER: reference,
        Type.TIME: moment,
        Type.MILLISECONDS: _milliseconds,
        Type.CODE: _code,
        Type.EXTENSION: number,
        Type.NUMBER: number,
        Type.FLAG: _flag,
        Type.TEXT: text,
    }

    # -- numbers ----------------------------------------------------------------

    def _e164(self, text):
        return e164(text, self._regions)

    def _extension(self, text):
        if len(text) == 1:
            return text
        return self._chosen(text, lambda digits: text[0] + digits(len(text) - 1))

    def _phone(self, text):
        """Replace a phone number in any spelling; None if it is not a phone number."""
        number = self._e164(text)
        if not number or not _WRITTEN.fullmatch(text):
            return None
        written = "".join(_DIGITS.findall(text))
        real, other = number[1:], self._other_phone(number)[1:]
        if written == real:
            digits = other
        elif len(written) == len(real) and written[1:] == real[1:]:
            digits = written[0] + other[1:]  # 8 for 7
        elif real.endswith(written):
            digits = other[-len(written) :]
        elif written.endswith(real) and not written.removesuffix(real).strip("0"):
            digits = written.removesuffix(real) + other
        else:
            return None
        stream = iter(digits)
        return "".join(next(stream) if sign in "0123456789" else sign for sign in text)

    def _other_phone(self, number):
        def candidate(digits):
            if russian := _RUSSIAN.fullmatch(number):
                area = russian[1] if number in self._lines else f"4{digits(2)}"
                return f"+7{area}000{digits(4)}"
            kept = number[: self._country_length(number) + 2]
            return kept + digits(len(number) - len(kept))

        def is_good(other):
            return other not in self._originals and self._e164(other) == other

        return self._chosen(number, candidate, is_good)

    def _country_length(self, number):
        return len(str(phonenumbers.parse(number).country_code))

    def _chosen(self, original, candidate, is_good=lambda other: True):
        """Find an unused pseudonym.

        :param str original: the original; equal ones get the same pseudonym.
        :param candidate: builds one with a function that returns a number of digits.
        :param is_good: tells whether one is acceptable.
        :rtype: str
        """
        if original in self._numbers:
            return self._numbers[original]
        stream = self._stream("number", original)

        def digits(count):
            return "".join(str(next(stream) % 10) for _ in range(count))

        other = candidate(digits)
        for _ in range(_TRIES):
            if other != original and other not in self._taken and is_good(other):
                break
            other = candidate(digits)
        self._taken.add(other)
        self._numbers[original] = other
        return other

    def _address(self, text):
        """Replace a SIP or mail address; a device of the PBX stays one."""
        scheme, colon, rest = text.partition(":")
        if not colon or scheme.strip().lower() not in ("sip", "sips"):
            scheme, colon, rest = "", "", text
        user, at, host = rest.partition("@")
        if user.strip().lower() not in _HIDDEN:
            is_phone = len(user) > 6 and self._e164(user)
            user = self.number(user) if is_phone else self.text(user)
        home = _KEPT_HOST.search(host)
        if home:
            before, after = host[: home.start()], host[home.end() :]
            host = f"{self.text(before)}{home[0]}{self.text(after)}"
        else:
            host = self.text(host)
        return f"{scheme}{colon}{user}{at}{host}"

    # -- derivation -------------------------------------------------------------

    def _rank(self, ids):
        """Assign pseudonyms to ids, in the same sort order.

        :rtype: dict[str, str]
        """
        ids = sorted(ids)
        width = 1
        while len(_ID_SIGNS) ** width < len(ids):
            width += 1
        ranked = {}
        for rank, text in enumerate(ids):
            stream = self._stream("id", text)
            more = max(len(text) - width, 0)
            rest = (_ID_SIGNS[next(stream) % len(_ID_SIGNS)] for _ in range(more))
            ranked[text] = _in_signs(rank, width) + "".join(rest)
        return ranked

    def _stream(self, purpose, text):
        """Yield endless numbers from 0 to 255, the same for equal texts."""
        seed = f"{purpose}\n{text}".encode("utf-8", "surrogatepass")
        count = 0
        while True:
            yield from hmac.digest(self._secret, b"%d\n%b" % (count, seed), "sha256")
            count += 1


def _in_signs(rank, width):
    signs = []
    for _ in range(width):
        rank, place = divmod(rank, len(_ID_SIGNS))
        signs.append(_ID_SIGNS[place])
    return "".join(reversed(signs))


def _other_sign(sign, number):
    if sign in _PLACES:
        letters, place = _PLACES[sign]
        return letters[(place + 1 + number % (len(letters) - 1)) % len(letters)]
    if sign in _KEPT_SIGNS:
        return sign
    return "0" if sign.isnumeric() else "x"


def _is_plain(value):
    if isinstance(value, int) and not isinstance(value, bool):
        return abs(value) < 10**64
    return isinstance(value, str)


def _integer_text(value):
    # Python refuses to write out thousands of digits.
    return str(value) if abs(value) < 10**64 else "1" + "0" * 64


def _as_type(value, text):
    """Return the pseudonym of a number as a number."""
    if isinstance(value, str):
        return text
    return int(text) if re.fullmatch(r"-?[0-9]+", text) else text
