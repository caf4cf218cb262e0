"""The one access to the link of a recording (mango-api.md 6.3).

The link works once and for whoever has it. So there is one GET: no repetition, no
redirect, no credentials, no cookies, and the link in no log and in no error.

What takes too long for one access is continued with another link, if the server of the
files supports it (HTTP Range).
"""

import logging
import re
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
import urllib3

from .addresses import is_loopback
from .audio import inspect
from .errors import (
    BadAnswerError,
    NotAudioError,
    NotReadyError,
    PartialError,
    RateLimitedError,
    TooLargeError,
    TransportError,
)
from .transport import transport_error

_logger = logging.getLogger(__name__)

#: Seconds. A cron that takes longer than 120 is killed (``limit_time_real_cron``), and
#: others may have run before it: a file that can be continued is left after so long …
BUDGET = 50
#: … and one that cannot, only after so long.
DEADLINE = 90
PIECE = 64 * 1024

#: What may be the recording; the file itself decides.
_TYPES = ("audio/", "video/", "application/octet-stream", "binary/octet-stream")
_RANGE = re.compile(r"bytes (\d{1,15})-\d{1,15}/(\d{1,15})", re.ASCII)
#: The libraries that may write an address into the log.
_TALKATIVE = ("urllib3.connectionpool", "urllib3.util.retry")


@dataclass(frozen=True)
class Version:
    """Which file a part is of: its size in bytes, and the server's mark of it."""

    size: int
    mark: str


def download(link, file, max_size, *, timeout, version=None):
    """Load what is behind the link of a recording into a file.

    Piece by piece: what is in memory does not grow with the recording.

    :param str link: as the PBX gave it, checked
    :param file: open for writing and reading: empty, or with the first part of the
        recording, which is continued
    :type file: ~typing.BinaryIO
    :param int max_size: bytes; what is larger is not read
    :param timeout: seconds to connect and to wait for the next piece
    :type timeout: tuple[float, float]
    :param version: what the first part is of
    :type version: Version | None
    :rtype: ~.audio.Audio
    :raise PartialError: what is in the file then is the first part of the recording
    :raise VpbxError: one of :mod:`.errors`; what is in the file then is no recording
    """
    answered, found, start = False, None, file.seek(0, 2) if version else 0
    try:
        with _unlogged(link), _session(link) as session:
            with session.get(
                link,
                headers=_headers(start, version),
                # Not None: that would look for a password in the server's .netrc.
                auth=_no_credentials,
                timeout=timeout,
                verify=True,
                allow_redirects=False,
                stream=True,
            ) as response:
                answered = True
                failure = _refusal(response, start, version)
                if not failure:
                    found = _version(response, version)
                    start = start if response.status_code == 206 else 0
                    failure = _copy(response, file, start, max_size, found)
    except (OSError, urllib3.exceptions.HTTPError) as error:
        failure = transport_error(error, answered)
    if found and isinstance(failure, TransportError):
        failure = PartialError(
            str(failure), reason=failure.reason, start=start, version=found
        )
    if failure:
        _logger.info("Mango recording: %s", failure)
        # Raised out here, without a context: that would hold the link.
        raise failure
    return inspect(file)


def _headers(start, version):
    headers = {"Accept": "audio/*", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if version.mark:
            headers["If-Range"] = version.mark
    return headers


def _session(link):
    session = requests.Session()
    session.trust_env = not is_loopback(urlsplit(link).hostname)
    return session


def _no_credentials(request):
    return request


@contextmanager
def _unlogged(link):
    """Keep a link out of what the libraries write into the log at level DEBUG."""
    path = urlsplit(link).path

    def does_not_tell(record):
        return path not in record.getMessage()

    with ExitStack() as stack:
        for name in _TALKATIVE:
            logger = logging.getLogger(name)
            logger.addFilter(does_not_tell)
            stack.callback(logger.removeFilter, does_not_tell)
        yield


def _version(response, version):
    """Return which file an answer is of; None if it cannot be continued.

    :rtype: Version | None
    """
    if response.status_code == 206:
        return version
    headers = response.headers
    size = headers.get("Content-Length", "")
    is_continued = headers.get("Accept-Ranges", "").strip().lower() == "bytes"
    if not is_continued or not (size.isascii() and size.isdigit()):
        return None
    mark = headers.get("ETag", "")
    if not mark.startswith('"'):  # a weak mark does not vouch for every byte
        mark = headers.get("Last-Modified", "")
    return Version(int(size), mark)


def _continues(response, start, version):
    """Tell whether an answer is the rest of the file that a part is here of."""
    told = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    mark = response.headers.get("ETag", "")
    return (
        bool(told)
        and (int(told[1]), int(told[2])) == (start, version.size)
        and (not version.mark.startswith('"') or mark in ("", version.mark))
    )


def _refusal(response, start, version):
    """Say why an answer is not the recording, by its head. None if it may be."""
    status = response.status_code
    facts = {"http_status": status}
    if 300 <= status < 400:
        return BadAnswerError("The link to the recording leads on.", **facts)
    if status == 429:
        return RateLimitedError("Too many requests to the PBX.", **facts)
    if status in (401, 403, 404, 408, 410, 425):
        # Used up or not there yet: another request gives another link.
        return NotReadyError("The PBX does not hand out the recording.", **facts)
    if status >= 500:
        return TransportError(
            f"The PBX's files are unavailable (HTTP {status}).",
            reason="unavailable",
            **facts,
        )
    is_rest = start and status == 206
    if (start and status == 416) or (
        is_rest and not _continues(response, start, version)
    ):
        # The next link gives the whole file.
        message = "The recording is another one now."
        return PartialError(message, reason="broken", **facts)
    if status != 200 and not is_rest:
        return BadAnswerError(f"Unexpected answer (HTTP {status}).", **facts)
    content_type = response.headers.get("Content-Type", "").strip().lower()
    if content_type and not content_type.startswith(_TYPES):
        return NotAudioError("What came is no recording.", **facts)
    return None


def _copy(response, file, start, max_size, version):
    """Write the body to a file. None if it is whole, else what is wrong with it.

    :param int start: where the body belongs; what was behind is dropped
    :param version: which file it is; None if it cannot be continued
    :type version: Version | None
    """
    file.seek(start)
    file.truncate()
    told = response.headers.get("Content-Length", "")
    told = int(told) if told.isascii() and told.isdigit() else None
    too_large = TooLargeError("The recording is too large.", limit=max_size)
    if told is not None and start + told > max_size:
        return too_large
    size, end = start, time.monotonic() + (BUDGET if version else DEADLINE)
    for piece in response.iter_content(PIECE):
        size += len(piece)
        if size > max_size:
            return too_large
        file.write(piece)
        if time.monotonic() > end and not (version and size == version.size):
            return TransportError("The recording came too slowly.", reason="timeout")
    is_packed = response.headers.get("Content-Encoding", "identity") != "identity"
    if told is not None and start + told != size and not is_packed:
        return TransportError("The recording is cut short.", reason="broken")
    return None
