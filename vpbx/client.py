"""Requests to the PBX (mango-api.md 2, 5, 6).

All HTTP happens in one place, :meth:`Client._send`: a timeout on every request, TLS
verified, no redirects, no retries, status *and* body checked, secrets masked, and every
failure raised as one of :mod:`.errors`.
"""

import json
import logging
import re
import time
from dataclasses import dataclass, field
from datetime import timezone
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from . import codes, recordings, statistics
from .addresses import check_base_url, check_link, is_loopback
from .errors import (
    BadAnswerError,
    LockedOutError,
    NotReadyError,
    RateLimitedError,
    RefusedError,
    TransportError,
    VpbxError,
)
from .signature import sign
from .texts import clean, visible
from .transport import transport_error

_logger = logging.getLogger(__name__)

#: Seconds to connect, and between two chunks of an answer.
TIMEOUT = (5, 20)
#: 5,000 employees with all requested fields take about 5 MB.
MAX_ANSWER = 32 * 1024 * 1024

# user_id comes only when asked for; recordings and statistics need it
# (mango-api.md 6.1).
_USER_FIELDS = ("general.user_id", "general.mobile")

#: The link to a recording, sent instead of an answer (mango-api.md 6.3).
_REDIRECTS = (302, 303, 307)
#: Maximum length of a message of the PBX that is shown, in characters.
_MAX_TOLD = 200
_NO_RECORDING = 3320
#: Of the black list (mango-api.md 7).
_IN_USE, _NOT_FOUND = 3106, 3300
#: Characters of a name that an advertisement gave, and of a page's address.
_MAX_NAME, _MAX_ADDRESS = 100, 500

_CODE = re.compile(r"\d{1,9}", re.ASCII)
_SIGNATURE = re.compile(r"\b[0-9a-fA-F]{64}\b")


@dataclass(frozen=True)
class Device:
    """A phone of an employee; ``order`` is its position in the ringing order.

    ``number`` is digits or a SIP address, ``protocol`` mostly ``sip``, ``tel`` or
    ``fmc``.
    """

    number: str
    protocol: str
    order: int
    is_on: bool


@dataclass(frozen=True)
class User:
    """An employee of the PBX. ``extension`` is text: ``"0511"`` exists."""

    ref: str | None
    name: str
    email: str
    department: str
    position: str
    extension: str | None
    devices: tuple[Device, ...]
    mobile: str | None


@dataclass(frozen=True)
class Group:
    """A group of employees; ``members`` are extensions."""

    ref: str | None
    name: str
    extension: str | None
    members: tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """An incoming line; ``number`` is digits or a SIP address."""

    ref: str | None
    number: str
    name: str
    region: str
    schema_name: str


@dataclass(frozen=True)
class Blocked:
    """An entry of the black list; ``number`` is digits or a mask."""

    ref: str
    number: str
    comment: str


@dataclass(frozen=True)
class Visitor:
    """Where a visitor of the site has come from; each text may be empty.

    ``page`` is the address of the page they look at.
    """

    source: str
    medium: str
    campaign: str
    page: str


@dataclass(frozen=True)
class Exchange:
    """A request and what became of it, without the secrets.

    ``path`` is below ``/vpbx/``, ``text`` the ``json`` field. ``http_status`` and
    ``code`` (the PBX's) are None without an answer or a code, ``uuid`` is the PBX's
    name of the request. ``error`` is the name of the class of :mod:`.errors`, None if
    all went well.
    """

    path: str
    text: str
    seconds: float
    http_status: int | None
    code: int | None
    uuid: str | None
    error: str | None


@dataclass(frozen=True)
class _Answer:
    payload: dict
    code: int | None
    facts: dict  # details of the answer, as keyword arguments of the errors
    location: str | None = field(default=None, repr=False)  # may be a one-time link


class Client:
    """The PBX's HTTP API. Keeps its connection open between requests.

    Every method raises one of :mod:`.errors`: ``TransportError``, ``RefusedError``,
    ``RateLimitedError``, ``LockedOutError`` or ``BadAnswerError``. Nothing is ever
    retried: a repeated callback dials twice, and repeated refusals lock the account out
    for two minutes (mango-api.md 2.5).

    :param str base_url: ``https://app.mango-office.ru``, without ``/vpbx/``
    :param str api_key: the PBX's unique code
    :param str api_salt: the PBX's key for signatures
    :param timeout: seconds to connect and to wait for the next chunk of the answer
    :type timeout: tuple[float, float]
    :param session: to share or to replace the connection
    :type session: ~requests.Session | None
    :param on_answer: called with the :class:`Exchange` after each request, in its
        thread; must not raise
    :type on_answer: ~collections.abc.Callable | None
    :raise ValueError: if the address may not be used
    """

    def __init__(
        self,
        base_url,
        api_key,
        api_salt,
        *,
        timeout=TIMEOUT,
        session=None,
        on_answer=None,
    ):
        self._base_url = check_base_url(base_url)
        self._api_key = api_key or ""
        self._api_salt = api_salt or ""
        self._timeout = timeout
        self._session = session or self._new_session()
        self._on_answer = on_answer or (lambda exchange: None)

    def __repr__(self):
        return f"{type(self).__name__}({self._base_url!r})"

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()

    def close(self):
        """Close the connection. The next request opens a new one."""
        self._session.close()

    # -- queries ---------------------------------------------------------------

    def users(self):
        """Load all employees.

        :rtype: tuple[User, ...]
        """
        payload = {"ext_fields": list(_USER_FIELDS)}
        answer = self._post("config/users/request", payload)
        return self._rows(answer, "users", _user)

    def groups(self):
        """Load all groups with their members.

        :rtype: tuple[Group, ...]
        """
        return self._rows(self._post("groups", {"show_users": 1}), "groups", _group)

    def lines(self):
        """Load all incoming lines.

        :rtype: tuple[Line, ...]
        """
        return self._rows(self._post("incominglines", {}), "lines", _line)

    def request_calls(self, start, end, limit, offset):
        """Order the statistics of the calls that began in a period (mango-api.md 6.6).

        :param ~datetime.datetime start: aware
        :param ~datetime.datetime end: aware, less than 30 days later
        :param int limit: maximum number of calls, one of ``statistics.LIMITS``
        :param int offset: how many calls to skip
        :return: the key of the report, which takes some time to be prepared
        :rtype: str
        :raise ValueError: if the PBX does not accept these parameters
        """
        payload = statistics.period(start, end, limit, offset)
        answer = self._post("stats/calls/request", payload)
        key = _text(answer.payload.get("key"))
        if not key:
            raise BadAnswerError("The answer has no key.", **answer.facts)
        return key

    def calls(self, key):
        """Poll for the ordered statistics; not more often than every few seconds.

        :param str key: from :meth:`request_calls`
        :rtype: ~.statistics.Report
        """
        try:
            answer = self._post("stats/calls/result", {"key": key})
        except BadAnswerError as error:
            if error.http_status == 404:
                return statistics.Report(statistics.LOST)
            raise
        is_empty = answer.facts["http_status"] == 204
        try:
            return statistics.read_report(None if is_empty else answer.payload)
        except ValueError as error:
            raise BadAnswerError(str(error), **answer.facts) from error

    def probe(self):
        """Test the connection with one harmless signed request.

        :return: the PBX's clock (aware, UTC), None if it is unknown; errors carry it as
            ``server_time``
        :rtype: ~datetime.datetime | None
        """
        answer = self._post("account/balance", {})
        _check_balance(answer)
        return answer.facts["server_time"]

    def visitor(self, number):
        """Ask who sees a number of dynamic call tracking now (mango-api.md 6.7a).

        :param str number: the tracking number as the PBX gave it
        :return: None if the PBX knows nobody
        :rtype: Visitor | None
        """
        payload = {"number": number}
        answer = self._post("queries/user_info_by_dct_number", payload).payload
        channel = _object(answer.get("channel"))
        page = _short(answer.get("current_page"), _MAX_ADDRESS)
        found = Visitor(
            source=_short(channel.get("source")),
            medium=_short(channel.get("medium")),
            campaign=_short(channel.get("campaign")),
            # Shown as a link: nothing but an address of the web is one.
            page=page if page.startswith(("https://", "http://")) else "",
        )
        return found if any(vars(found).values()) else None

    def blocked(self):
        """Load the black list of incoming callers (mango-api.md 6.7a).

        :rtype: tuple[Blocked, ...]
        """
        answer = self._post("bwlists/numbers/", {})
        black = _object(_object(answer.payload.get("data")).get("black"))
        rows = _Answer(black, answer.code, answer.facts)
        return self._rows(rows, "numbers", _blocked)

    def block(self, number, comment):
        """Put a number on the black list; one that is there already is no error.

        :param str number: digits
        :param str comment: for whoever looks at the list
        :return: the PBX's name of the entry
        :rtype: str
        """
        payload = {"list_type": "black", "number": number, "number_type": "tel"}
        try:
            answer = self._post("bwlists/number/add/", {**payload, "comment": comment})
        except RefusedError as error:
            if error.code != _IN_USE:
                raise
            refs = {known.number: known.ref for known in self.blocked()}
            if number not in refs:
                raise
            return refs[number]
        ref = _text(_object(answer.payload.get("data")).get("number_id"))
        if not ref:
            raise BadAnswerError("The answer has no number_id.", **answer.facts)
        return ref

    def unblock(self, ref):
        """Take an entry off the black list; one that is gone already is no error.

        :param str ref: from :meth:`block`
        """
        try:
            self._command("bwlists/number/delete/", {"number_id": ref})
        except RefusedError as error:
            if error.code != _NOT_FOUND:
                raise

    def fetch_recording(self, recording_ref, file, max_size, version=None):
        """Download a recording: one request, and one access to the link in its answer.

        :param str recording_ref: the PBX's ``recording_id``
        :param file: open for writing and reading, empty or with the first part of the
            recording; its content is complete only if nothing is raised
        :type file: ~typing.BinaryIO
        :param int max_size: bytes; a larger file is not read
        :param version: which file the first part belongs to
        :type version: ~.recordings.Version | None
        :rtype: ~.audio.Audio
        :raise NotReadyError: it is not available yet, or not any more
        :raise PartialError: the file holds only the first part of it
        :raise NotAudioError: the downloaded file is not a recording
        :raise TooLargeError: it is larger than ``max_size``
        """
        link = self._recording_link(recording_ref)
        return recordings.download(
            link, file, max_size, timeout=self._timeout, version=version
        )

    def _recording_link(self, recording_ref):
        """Ask for the link to a recording.

        :return: an address that works once, without authentication: it must not be
            logged
        :rtype: str
        """
        payload = {"recording_id": recording_ref, "action": "download"}
        answer = self._post("queries/recording/post", payload, is_for_link=True)
        if not answer.location:
            message = "The PBX's answer has no link to the recording."
            raise BadAnswerError(message, **answer.facts)
        link = urljoin(f"{self._base_url}/", answer.location)
        if not check_link(link, self._base_url):
            message = "The PBX's link to the recording leads to a forbidden address."
            raise BadAnswerError(message, **answer.facts)
        return link

    # -- commands: None means accepted; the outcome comes as result/<command> --------

    def route(self, command_id, call_id, to_number):
        """Route a call that is in the menu or ringing (mango-api.md 5.4).

        :param str command_id: chosen by us; repeated in the notifications
        :param str call_id: the leg
        :param str to_number: an extension, a group, or any number
        """
        self._command(
            "commands/route",
            {"command_id": command_id, "call_id": call_id, "to_number": to_number},
        )

    def callback(self, command_id, extension, to_number, line_number=None, device=None):
        """Call an employee and then connect them to a number (mango-api.md 5.1).

        After an error with ``ambiguous`` set, the phones may ring nevertheless.

        :param str command_id: chosen by us; repeated in the notifications
        :param str extension: the employee's
        :param str to_number: an extension, a group, or digits
        :param line_number: the outgoing line; by default the employee's
        :type line_number: str | None
        :param device: the employee's phone to ring; by default as set up in the PBX
        :type device: str | None
        """
        payload = {
            "command_id": command_id,
            "from": {"extension": extension},
            "to_number": to_number,
        }
        if device:
            payload["from"]["number"] = device
        if line_number:
            payload["line_number"] = line_number
        self._command("commands/callback", payload)

    def hangup(self, command_id, call_id):
        """End a leg (mango-api.md 5.3).

        :param str command_id: chosen by us; repeated in the notifications
        :param str call_id: the leg
        """
        self._command(
            "commands/call/hangup", {"command_id": command_id, "call_id": call_id}
        )

    def transfer(self, command_id, call_id, method, to_number, initiator):
        """Transfer a connected leg (mango-api.md 5.5).

        :param str command_id: chosen by us; repeated in the notifications
        :param str call_id: the leg
        :param str method: ``blind`` or ``hold``
        :param str to_number: an extension, a group, or any number
        :param str initiator: extension or number of the employee on the leg
        """
        self._command(
            "commands/transfer",
            {
                "command_id": command_id,
                "call_id": call_id,
                "method": method,
                "to_number": to_number,
                "initiator": initiator,
            },
        )

    # -- HTTP ------------------------------------------------------------------

    def _new_session(self):
        session = requests.Session()
        # A proxy must not be used for this machine.
        session.trust_env = not is_loopback(urlsplit(self._base_url).hostname)
        return session

    def _command(self, path, payload):
        """Send a command; only a result code counts as accepted."""
        answer = self._post(path, payload)
        if answer.code is None:
            raise BadAnswerError("The answer has no result.", **answer.facts)

    def _post(self, path, payload, *, is_for_link=False):
        """Send one signed request, read its answer, and tell of both.

        :param str path: below ``/vpbx/``
        :param dict payload: the ``json`` field
        :param bool is_for_link: the answer is the address of a recording
        :rtype: _Answer
        """
        text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
        began = time.monotonic()

        def tell(**outcome):
            seconds = time.monotonic() - began
            self._on_answer(Exchange(path, text, seconds, **outcome))

        try:
            answer = self._send(path, text, is_for_link)
        except VpbxError as error:
            tell(
                http_status=error.http_status,
                code=getattr(error, "code", None),
                uuid=error.uuid,
                error=type(error).__name__,
            )
            raise
        tell(
            http_status=answer.facts["http_status"],
            code=answer.code,
            uuid=answer.facts["uuid"],
            error=None,
        )
        return answer

    def _send(self, path, text, is_for_link):
        """Send one signed request and read its answer. All HTTP happens here.

        :param str path: below ``/vpbx/``
        :param str text: the ``json`` field
        :param bool is_for_link: the answer is the address of a recording
        :rtype: _Answer
        """
        form = {
            "vpbx_api_key": self._api_key,
            "sign": sign(self._api_key, text, self._api_salt),
            "json": text,
        }
        answered = False
        try:
            with self._session.post(
                f"{self._base_url}/vpbx/{path}",
                data=form,
                timeout=self._timeout,
                verify=True,
                allow_redirects=False,
                stream=True,
            ) as response:
                answered = True
                body = _read_limited(response)
        except (OSError, urllib3.exceptions.HTTPError) as error:
            failure = transport_error(error, answered)
        else:
            return self._read_answer(path, response, body, is_for_link)
        _logger.info("Mango %s: no answer (%s)", path, failure.reason)
        # Raised outside of the handler: the context would hold the request with its
        # secrets.
        raise failure

    def _read_answer(self, path, response, body, is_for_link):
        status = response.status_code
        facts = {
            "uuid": self._mask(response.headers.get("X-Uuid", ""))[:128] or None,
            "http_status": status,
            "server_time": _server_time(response.headers.get("Date")),
        }
        payload = _decode(body)
        code = _result_code(payload or {})
        failure = self._failure(status, body, payload, code, facts, is_for_link)
        _logger.log(
            logging.INFO if failure else logging.DEBUG,
            "Mango %s: HTTP %s, code %s, X-Uuid %s",
            path,
            status,
            code,
            facts["uuid"],
        )
        if failure:
            raise failure
        return _Answer(payload or {}, code, facts, response.headers.get("Location"))

    def _failure(self, status, body, payload, code, facts, is_for_link):
        """Return the most specific error of an answer, or None."""
        content = payload or {}
        if 429 in (status, content.get("status")) or code == 4290:
            return RateLimitedError("Too many requests to the PBX.", **facts)
        if is_for_link and (status == 404 or code == _NO_RECORDING):
            message = "The PBX does not have the recording."
            return NotReadyError(message, code=code, **facts)
        if code and not _is_success(code):
            fields = self._mask(_json_text(content.get("fields")))
            return RefusedError(code, codes.meaning(code), fields=fields, **facts)
        if status == 401:
            message = (
                "The PBX rejects all requests: its code is wrong, or it has locked us "
                "out for two minutes after wrong requests."
            )
            told = self._mask(_text(content.get("message")) or "")[:_MAX_TOLD]
            return LockedOutError(message, told=told, **facts)
        if status >= 500:
            message = f"The PBX is unavailable (HTTP {status})."
            # With a gateway's 502 or 504 the request may have been carried out.
            return TransportError(
                message, reason="unavailable", ambiguous=status != 503, **facts
            )
        if is_for_link and status in _REDIRECTS:
            return None
        return _bad_answer(status, body, payload, code, facts)

    def _rows(self, answer, name, read):
        """Read a list, skipping bad rows; fail if all of them are bad.

        A broken answer must not be mistaken for an empty list.
        """
        rows = answer.payload.get(name)
        if not isinstance(rows, list):
            raise BadAnswerError(f"The answer has no list of {name}.", **answer.facts)
        found = [read(row) for row in rows if isinstance(row, dict)]
        found = tuple(row for row in found if row is not None)
        if skipped := len(rows) - len(found):
            _logger.warning("Mango: %d rows of %s cannot be read", skipped, name)
        if rows and not found:
            raise BadAnswerError(f"The list of {name} cannot be read.", **answer.facts)
        return found

    def _mask(self, text):
        """Mask our secrets in a text from outside."""
        for secret in filter(None, (self._api_key, self._api_salt)):
            text = text.replace(secret, "***")
        return _SIGNATURE.sub("***", text)


def _bad_answer(status, body, payload, code, facts):
    """Return why an answer cannot be used, or None."""
    if not 200 <= status < 300:
        return BadAnswerError(f"Unexpected answer (HTTP {status}).", **facts)
    if body is None:
        return BadAnswerError("The PBX's answer is too large.", **facts)
    if status == 204:
        return None  # Means "not ready" for a report, and an error for everything else.
    if not body.strip():
        return BadAnswerError("The PBX's answer is empty.", **facts)
    if payload is None:
        return BadAnswerError("The PBX's answer cannot be read.", **facts)
    if code is None and payload.get("result") is not None:
        return BadAnswerError("The result in the answer cannot be read.", **facts)
    return None


def _read_limited(response):
    """Read the body.

    :return: the bytes, or None if there are too many
    :rtype: bytes | None
    """
    pieces, size = [], 0
    for piece in response.iter_content(64 * 1024):
        size += len(piece)
        if size > MAX_ANSWER:
            return None
        pieces.append(piece)
    return b"".join(pieces)


def _decode(body):
    try:
        payload = json.loads(body or b"", parse_float=Decimal)
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None


def _result_code(payload):
    """Read ``result``, else ``code``: an integer, text, or absent.

    :return: the code; None also for 0, which rate-limited answers contain
    :rtype: int | None
    """
    result = payload.get("result")
    code = _text(payload.get("code") if result is None else result)
    return int(code) or None if code and _CODE.fullmatch(code) else None


def _is_success(code):
    return code // 1000 == 1


def _server_time(header):
    try:
        moment = parsedate_to_datetime(header)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        return moment.replace(tzinfo=timezone.utc)
    return moment.astimezone(timezone.utc)


def _json_text(value):
    return json.dumps(value, ensure_ascii=False, default=str) if value else ""


# ---------------------------------------------------------------------------
# Rows. Members may be missing, null, empty, or integers instead of text.


def _text(value):
    if isinstance(value, (str, int, Decimal)) and not isinstance(value, bool):
        return clean(str(value)).strip() or None
    return None


def _short(value, length=_MAX_NAME):
    return " ".join(visible(_text(value) or "").split())[:length]


def _object(value):
    return value if isinstance(value, dict) else {}


def _texts(values, name=None):
    """Read a list of texts, or of objects with the text under a name."""
    values = values if isinstance(values, list) else []
    if name:
        values = [_object(value).get(name) for value in values]
    return tuple(text for text in map(_text, values) if text)


def _user(row):
    general = _object(row.get("general"))
    telephony = _object(row.get("telephony"))
    user = User(
        ref=_text(general.get("user_id")),
        name=_text(general.get("name")) or "",
        email=_text(general.get("email")) or "",
        department=_text(general.get("department")) or "",
        position=_text(general.get("position")) or "",
        extension=_text(telephony.get("extension")),
        devices=_devices(telephony.get("numbers")),
        mobile=_text(general.get("mobile")),
    )
    return user if user.extension or user.ref else None


def _devices(rows):
    rows = [_object(row) for row in rows] if isinstance(rows, list) else []
    devices = {}
    for row in rows:
        if number := _text(row.get("number")):
            devices.setdefault(number, _device(number, row, len(devices)))
    return tuple(devices.values())


def _device(number, row, place):
    order = _text(row.get("order")) or ""
    return Device(
        number=number,
        protocol=_text(row.get("protocol")) or "",
        order=int(order) if _CODE.fullmatch(order) else place,
        is_on=_text(row.get("status")) != "off",
    )


def _group(row):
    group = Group(
        ref=_text(row.get("id")),
        name=_text(row.get("name")) or "",
        extension=_text(row.get("extension")),
        members=_texts(row.get("operators"), "extension"),
    )
    return group if group.extension or group.ref else None


def _blocked(row):
    ref, number = _text(row.get("number_id")), _text(row.get("number"))
    if not ref or not number:
        return None
    return Blocked(ref, number, _short(row.get("comment"), _MAX_ADDRESS))


def _line(row):
    number = _text(row.get("number"))
    if not number:
        return None
    return Line(
        ref=_text(row.get("line_id")),
        number=number,
        name=_text(row.get("name")) or _text(row.get("comment")) or "",
        region=_text(row.get("region")) or "",
        schema_name=_text(row.get("schema_name")) or "",
    )


def _check_balance(answer):
    """Refuse an answer without a balance, which is not the PBX's.

    :raise BadAnswerError: if it has none.
    """
    try:
        amount = Decimal(_text(answer.payload.get("balance")) or "")
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise BadAnswerError("The balance cannot be read.", **answer.facts)
