"""Download of recordings: whole or a range, slowly, or interrupted.

The vendor's file server is not documented; this one behaves like common servers: ranges
(RFC 9110), and an ``ETag`` that identifies the file.
"""

import asyncio
import hashlib
import re

from aiohttp import web

PIECES_A_SECOND = 20
RANGE = re.compile(r"bytes=(\d+)-(\d*)", re.ASCII)


def make_answer(request, data, name, rate=0, is_cut=False):
    """Return the response to a request for a file.

    :param request: may ask for a range; unsupported ones are ignored.
    :param bytes data: the file.
    :param str name: the file's name.
    :param int rate: bytes per second; 0 sends all at once.
    :param bool is_cut: whether the connection is closed in the middle of the answer.
    :rtype: aiohttp.web.Response
    """
    mark = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'attachment; filename="{name}"',
        "ETag": mark,
    }
    start, end, status = _wanted(request, len(data), mark)
    if status == 416:
        headers["Content-Range"] = f"bytes */{len(data)}"
        return web.Response(status=416, headers=headers)
    if status == 206:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(data)}"
    headers["Content-Length"] = str(end - start)
    return web.Response(
        body=_pieces(request, data[start:end], rate, is_cut),
        status=status,
        headers=headers,
        content_type="audio/mpeg",
    )


def _wanted(request, size, mark):
    """Return the requested part of a file.

    :return: its start, its end, and the HTTP status.
    :rtype: tuple[int, int, int]
    """
    found = RANGE.fullmatch(request.headers.get("Range", ""))
    if not found or request.headers.get("If-Range", mark) != mark:
        return 0, size, 200
    start, last = int(found[1]), int(found[2] or size)
    if start >= size or last < start:
        return 0, 0, 416
    return start, min(last + 1, size), 206


async def _pieces(request, data, rate, is_cut):
    length = max(rate // PIECES_A_SECOND, 1) if rate else len(data)
    if is_cut:
        data = data[: len(data) // 2]
    for start in range(0, len(data), length):
        yield data[start : start + length]
        if rate:
            await asyncio.sleep(1 / PIECES_A_SECOND)
    if is_cut and request.transport:
        request.transport.close()
