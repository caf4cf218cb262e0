"""The one access to the link of a recording (mango-api.md 6.3).

The link works once and for whoever has it. So there is one GET: no repetition, no
redirect, no credentials, no cookies, and the link in no log and in no error.
"""

import logging
import time
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import requests
import urllib3

from .addresses import is_loopback
from .audio import inspect
from .errors import (
    BadAnswerError,
    NotAudioError,
    NotReadyError,
    RateLimitedError,
    TooLargeError,
    TransportError,
)
from .transport import transport_error

_logger = logging.getLogger(__name__)

#: Seconds; whoever waits for the file takes it for lost after that.
DEADLINE = 300
PIECE = 64 * 1024

#: What may be the recording; the file itself decides.
_TYPES = ("audio/", "video/", "application/octet-stream", "binary/octet-stream")
#: The libraries that may write an address into the log.
_TALKATIVE = ("urllib3.connectionpool", "urllib3.util.retry")


def download(link, file, max_size, *, timeout):
    """Load what is behind the link of a recording into a file.

    Piece by piece: what is in memory does not grow with the recording.

    :param str link: as the PBX gave it, checked
    :param file: open for writing and reading, empty
    :type file: ~typing.BinaryIO
    :param int max_size: bytes; what is larger is not read
    :param timeout: seconds to connect and to wait for the next piece
    :type timeout: tuple[float, float]
    :rtype: ~.audio.Audio
    :raise VpbxError: one of :mod:`.errors`; what is in the file then is no recording
    """
    answered = False
    try:
        with _unlogged(link), _session(link) as session:
            with session.get(
                link,
                headers={"Accept": "audio/*", "Accept-Encoding": "identity"},
                # Not None: that would look for a password in the server's .netrc.
                auth=_no_credentials,
                timeout=timeout,
                verify=True,
                allow_redirects=False,
                stream=True,
            ) as response:
                answered = True
                failure = _refusal(response) or _copy(response, file, max_size)
    except (OSError, urllib3.exceptions.HTTPError) as error:
        failure = transport_error(error, answered)
    if failure:
        _logger.info("Mango recording: %s", failure)
        # Raised out here, without a context: that would hold the link.
        raise failure
    return inspect(file)


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


def _refusal(response):
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
    if status != 200:
        return BadAnswerError(f"Unexpected answer (HTTP {status}).", **facts)
    content_type = response.headers.get("Content-Type", "").strip().lower()
    if content_type and not content_type.startswith(_TYPES):
        return NotAudioError("What came is no recording.", **facts)
    return None


def _copy(response, file, max_size):
    """Write the body to a file. None if it is whole, else what is wrong with it."""
    told = response.headers.get("Content-Length", "")
    told = int(told) if told.isascii() and told.isdigit() else None
    too_large = TooLargeError("The recording is too large.", limit=max_size)
    if told is not None and told > max_size:
        return too_large
    size, end = 0, time.monotonic() + DEADLINE
    for piece in response.iter_content(PIECE):
        size += len(piece)
        if size > max_size:
            return too_large
        if time.monotonic() > end:
            return TransportError("The recording came too slowly.", reason="timeout")
        file.write(piece)
    is_packed = response.headers.get("Content-Encoding", "identity") != "identity"
    if told is not None and told != size and not is_packed:
        return TransportError("The recording is cut short.", reason="broken")
    return None
