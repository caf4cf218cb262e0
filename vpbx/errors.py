"""The exceptions of the protocol.

No message, argument or attribute ever holds a secret: the client masks texts from
outside before it raises.
"""


class VpbxError(Exception):
    """Communication with the PBX failed.

    :param str message: one English sentence, safe to show and to log
    :param uuid: the PBX's ``X-Uuid`` of the request, for the vendor's support
    :type uuid: str | None
    :param http_status: the answer's HTTP status, if there was an answer
    :type http_status: int | None
    :param server_time: the PBX's clock (aware, UTC), if there was an answer
    :type server_time: ~datetime.datetime | None
    """

    #: Whether the PBX may have carried out the request in spite of the failure. A
    #: command that dials must then not be repeated.
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
    """The download of a recording broke off or took too long, and can be continued.

    :param start: offset of the new bytes in the file: 0 if the download started over
    :param version: which file the part belongs to; None if the earlier part is useless
        because the file has changed
    :type version: ~.recordings.Version | None
    """

    def __init__(self, message, *, start=0, version=None, **facts):
        super().__init__(message, **facts)
        self.start = start
        self.version = version


class RefusedError(VpbxError):
    """The PBX refused the request.

    :param int code: the PBX's result code (mango-api.md 7.2)
    :param str meaning: the code in plain English
    :param str fields: the PBX's details about the fields, as JSON text; ``""`` if none
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
    """An unreadable answer: empty, HTML, truncated, or with another structure."""

    # There was an answer, so the request arrived; its outcome is unknown.
    ambiguous = True


class NotReadyError(VpbxError):
    """The recording is not available yet, or not any more (HTTP 404, code 3320).

    :param code: the PBX's result code, if it gave one
    :type code: int | None
    """

    def __init__(self, message, *, code=None, **facts):
        super().__init__(message, **facts)
        self.code = code


class NotAudioError(BadAnswerError):
    """The answer is not a recording: a web page, empty, or an unsupported format."""


class TooLargeError(VpbxError):
    """The recording is larger than allowed; it was not read to the end.

    :param int limit: bytes
    """

    def __init__(self, message, *, limit, **facts):
        super().__init__(message, **facts)
        self.limit = limit


class NotificationError(VpbxError, ValueError):
    """A notification that cannot be read or lacks what its kind needs (HTTP 400)."""
