"""The one exception family of the protocol.

No message, argument or attribute ever holds a secret: the client masks whatever
comes from outside before it raises.
"""


class VpbxError(Exception):
    """Something between us and the PBX went wrong.

    :param str message: one English sentence, safe to show and to log
    :param uuid: the PBX's ``X-Uuid`` of the request, for the vendor's support
    :type uuid: str | None
    :param http_status: the answer's HTTP status, if there was an answer
    :type http_status: int | None
    :param server_time: the PBX's clock (aware, UTC), if there was an answer
    :type server_time: ~datetime.datetime | None
    """

    #: True when the PBX may have done what was asked although we saw a failure.
    #: A command that dials must then not be repeated.
    ambiguous = False

    def __init__(self, message, *, uuid=None, http_status=None, server_time=None):
        super().__init__(message)
        self.uuid = uuid
        self.http_status = http_status
        self.server_time = server_time


class TransportError(VpbxError):
    """There was no usable answer: unreachable, TLS failure, timeout, HTTP 5xx.

    :param str reason: ``dns``, ``connect``, ``tls``, ``timeout``, ``broken`` (the
        connection ended in the middle) or ``unavailable`` (HTTP 5xx without a code)
    :param bool ambiguous: the request may have reached the PBX
    """

    def __init__(self, message, *, reason, ambiguous=False, **facts):
        super().__init__(message, **facts)
        self.reason = reason
        self.ambiguous = ambiguous


class PartialError(TransportError):
    """A recording broke off or took too long; what has come of it can be used.

    :param start: where in the file the new bytes begin: 0 if it began anew
    :param version: what the part is of; None if what was there already is worthless,
        because the file is another one now
    :type version: ~.recordings.Version | None
    """

    def __init__(self, message, *, start=0, version=None, **facts):
        super().__init__(message, **facts)
        self.start = start
        self.version = version


class RefusedError(VpbxError):
    """The PBX understood and refused.

    :param int code: the PBX's result code (mango-api.md 7.2)
    :param str meaning: the code in plain English
    :param str fields: what the PBX says about the fields, as JSON text; ``""`` if
        nothing
    """

    def __init__(self, code, meaning, *, fields="", **facts):
        super().__init__(f"The PBX refused with code {code}: {meaning}", **facts)
        self.code = code
        self.meaning = meaning
        self.fields = fields


class RateLimitedError(VpbxError):
    """Too many requests (HTTP 429 or code 4290). Slow down."""


class LockedOutError(VpbxError):
    """HTTP 401 without a code: wrong key, lock-out of two minutes, or no API connector.

    :param str told: the PBX's own message, such as ``Service disabled``; ``""`` if none
    """

    def __init__(self, message, *, told="", **facts):
        super().__init__(message, **facts)
        self.told = told


class BadAnswerError(VpbxError):
    """An answer that cannot be read: empty, HTML, cut short, of another shape."""

    # An answer came, so the request arrived; what became of it is unknown.
    ambiguous = True


class NotReadyError(VpbxError):
    """The recording is not there: not yet, or not any more (HTTP 404, code 3320).

    :param code: the PBX's result code, if it gave one
    :type code: int | None
    """

    def __init__(self, message, *, code=None, **facts):
        super().__init__(message, **facts)
        self.code = code


class NotAudioError(BadAnswerError):
    """What came is no recording: a web page, nothing, or a format nobody plays."""


class TooLargeError(VpbxError):
    """The recording is larger than it may be; it was not read to the end.

    :param int limit: bytes
    """

    def __init__(self, message, *, limit, **facts):
        super().__init__(message, **facts)
        self.limit = limit


class NotificationError(VpbxError, ValueError):
    """A notification that cannot be read or lacks what its kind needs (HTTP 400)."""
