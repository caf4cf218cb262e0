"""Download of a recording by its one-time link (mango-api.md 6.3).

The link works once, without authentication. So there is one GET: no retry, no redirect,
no credentials, no cookies, and the link never appears in a log or an error.

A download that takes too long for one access is continued with another link, if the
file server supports it (HTTP Range).
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
#: others may have run before it: a download that can be continued is interrupted after
#: …
BUDGET = 50
#: … and one that cannot, after …
DEADLINE = 90
PIECE = 64 * 1024

#: Content types that may be a recording; the content decides.
_TYPES = ("audio/", "video/", "application/octet-stream", "binary/octet-stream")
_RANGE = re.compile(r"bytes (\d{1,15})-\d{1,15}/(\d{1,15})", re.ASCII)
#: Loggers that may log an address.
_TALKATIVE = ("urllib3.connectionpool", "urllib3.util.retry")


@dataclass(frozen=True)
class Version:
    """The file that a part belongs to: its size in bytes, and its ETag."""

    size: int
    mark: str


def download(link, file, max_size, *, timeout, version=None):
    """Download a recording by its link into a file.

    It is read in chunks, so memory use does not grow with its size.

    :param str link: as sent by the PBX, checked
    :param file: open for writing and reading: empty, or with the first part of the
        recording, which is continued
    :type file: ~typing.BinaryIO
    :param int max_size: bytes; a larger file is not read
    :param timeout: seconds to connect and to wait for the next chunk
    :type timeout: tuple[float, float]
    :param version: which file the first part belongs to
    :type version: Version | None
    :rtype: ~.audio.Audio
    :raise PartialError: the file then holds the first part of the recording
    :raise VpbxError: one of :mod:`.errors`; the content of the file is then useless
    """
    answered, found, start = False, None, file.seek(0, 2) if version else 0
    try:
        with _unlogged(link), _session(link) as session:
            with session.get(
                link,
                headers=_headers(start, version),
                # Not None: that would look up a password in .netrc.
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
        # Raised outside of the handler: the context would hold the link.
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
    """Keep a link out of the DEBUG messages of the libraries."""
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
    """Return the file that an answer belongs to; None if it cannot be continued.

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
    if not mark.startswith('"'):  # a weak ETag does not guarantee identical bytes
        mark = headers.get("Last-Modified", "")
    return Version(int(size), mark)


def _continues(response, start, version):
    """Tell whether an answer is the rest of a partly downloaded file."""
    told = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    mark = response.headers.get("ETag", "")
    return (
        bool(told)
        and (int(told[1]), int(told[2])) == (start, version.size)
        and (not version.mark.startswith('"') or mark in ("", version.mark))
    )


def _refusal(response, start, version):
    """Return why an answer is not a recording, judging by its headers, or None."""
    status = response.status_code
    facts = {"http_status": status}
    if 300 <= status < 400:
        return BadAnswerError("The link to the recording redirects.", **facts)
    if status == 429:
        return RateLimitedError("Too many requests to the PBX.", **facts)
    if status in (401, 403, 404, 408, 410, 425):
        # Used already or not ready yet: another request gives another link.
        return NotReadyError("The PBX does not give access to the recording.", **facts)
    if status >= 500:
        return TransportError(
            f"The PBX's file server is unavailable (HTTP {status}).",
            reason="unavailable",
            **facts,
        )
    is_rest = start and status == 206
    if (start and status == 416) or (
        is_rest and not _continues(response, start, version)
    ):
        # With the next link the whole file is downloaded.
        message = "The recording has changed since the first part."
        return PartialError(message, reason="broken", **facts)
    if status != 200 and not is_rest:
        return BadAnswerError(f"Unexpected answer (HTTP {status}).", **facts)
    content_type = response.headers.get("Content-Type", "").strip().lower()
    if content_type and not content_type.startswith(_TYPES):
        return NotAudioError("The answer is not a recording.", **facts)
    return None


def _copy(response, file, start, max_size, version):
    """Write the body to a file. Return the error, or None if it is complete.

    :param int start: offset of the body; the file is truncated there first
    :param version: the file's version; None if it cannot be continued
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
            return TransportError("The download was too slow.", reason="timeout")
    is_packed = response.headers.get("Content-Encoding", "identity") != "identity"
    if told is not None and start + told != size and not is_packed:
        return TransportError("The recording is incomplete.", reason="broken")
    return None
