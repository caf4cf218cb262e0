"""Notifications: shaped, signed, and sent in parallel without waiting.

The PBX does not repeat a notification that was not answered (``mango-api.md`` 2.4).
"""

import asyncio
import itertools
import json
import time
from dataclasses import dataclass, field

import aiohttp

from .journal import SENT
from .signature import sign

TIMEOUT_SECONDS = 15
SHUFFLE_SECONDS = 1.5


@dataclass
class Delivery:
    """How the notifications of one call are delivered.

    ``disorder``: as in the settings, which ``None`` stands for. ``numbers``: ``int``,
    ``string`` or ``reverse`` (text of digits as integers), ``None`` for the settings.
    ``held``: a list collects instead of sending, see :meth:`Notifier.release`.
    ``silent``: nothing is sent, as if the network were down.
    """

    disorder: str | None = None
    numbers: str | None = None
    held: list | None = None
    silent: bool = False


@dataclass
class Envelope:
    """A notification, with members that deliberately break it."""

    path: str
    payload: object
    text: str | None = None
    key: str | None = None
    sign: str | None = None
    without_json: bool = False
    expected: str = "2xx"
    note: str = ""
    delivery: Delivery = field(default_factory=Delivery)


def as_strings(value):
    """Return the value with integers as text, recursively; booleans are kept."""
    if isinstance(value, dict):
        return {name: as_strings(member) for name, member in value.items()}
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


def as_integers(value):
    """Return the value with digits as integers, unless they begin with a zero."""
    if isinstance(value, dict):
        return {name: as_integers(member) for name, member in value.items()}
    if isinstance(value, str) and value.isdigit() and not value.startswith("0"):
        return int(value)
    return value


SHAPES = {"string": as_strings, "reverse": as_integers}


class Notifier:
    """Sends to the one external system that is set up.

    :param transport: ``transport(entry, form)`` delivers and closes the entry.
    """

    def __init__(self, clock, settings, journal, transport, key, salt, rng):
        self._clock = clock
        self._settings = settings
        self._journal = journal
        self._transport = transport
        self._key, self._salt = key, salt
        self._rng = rng

    def send(self, path, payload, delivery=None, **odd):
        """Send one notification, at once or according to its delivery.

        :param str path: the tail, such as ``events/call``.
        :param dict payload: the members of ``json``.
        :param Delivery delivery: the call's way of delivery.
        :param odd: further members of :class:`Envelope`.
        """
        delivery = delivery or Delivery()
        if delivery.silent or not self._settings.notify:
            return
        envelope = Envelope(path, payload, delivery=delivery, **odd)
        if delivery.held is not None:
            delivery.held.append(envelope)
            return
        self._dispatch(envelope)

    def release(self, delivery, order=None):
        """Send the held notifications in the order of ``order(envelopes)``."""
        held, delivery.held = delivery.held or [], None
        for envelope in order(held) if order else held:
            self._dispatch(envelope)

    def _dispatch(self, envelope):
        for delay in self._delays(envelope.delivery):
            if not delay:
                self._post(envelope)
                continue
            self._clock.call_later(delay, lambda: self._post(envelope))

    def _delays(self, delivery):
        disorder = delivery.disorder or self._settings.disorder
        copies = 2 if disorder in ("double", "both") else 1
        if disorder in ("shuffle", "both"):
            return [
                self._rng.uniform(0.001, SHUFFLE_SECONDS) for _copy in range(copies)
            ]
        return [0.3 * copy for copy in range(copies)]

    def _post(self, envelope):
        payload = self._shape(envelope)
        text = envelope.text
        if text is None:
            text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
        key = envelope.key or self._key
        form = {
            "vpbx_api_key": key,
            "sign": envelope.sign or sign(key, text, self._salt),
        }
        if not envelope.without_json:
            form["json"] = text
        body = text if envelope.text is not None else payload
        entry = self._journal.open(
            SENT, envelope.path, body, expected=envelope.expected, note=envelope.note
        )
        self._transport(entry, form)

    def _shape(self, envelope):
        numbers = envelope.delivery.numbers or self._settings.numbers
        return SHAPES.get(numbers, lambda value: value)(envelope.payload)


class HttpTransport:
    """Posts to the webhook; every notification is a task of its own.

    :param list[str] webhooks: several servers of one Odoo are notified in turn.
    """

    def __init__(self, webhooks, journal):
        self.webhook = " ".join(webhooks)
        self._webhooks = itertools.cycle(one.rstrip("/") for one in webhooks)
        self._journal = journal
        self._session = None
        self._tasks = set()

    def __call__(self, entry, form):
        task = asyncio.get_running_loop().create_task(self._post(entry, form))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _post(self, entry, form):
        started = time.monotonic()
        status, answer = None, "no answer"
        try:
            async with self._open().post(
                f"{next(self._webhooks)}/{entry.path}",
                data=form,
                allow_redirects=False,
            ) as response:
                text = await response.text(errors="replace")
                status, answer = response.status, text[:2000]
        except asyncio.TimeoutError:
            answer = f"no answer within {TIMEOUT_SECONDS} s"
        except (aiohttp.ClientError, OSError):
            pass
        self._journal.close(
            entry, status, answer, round((time.monotonic() - started) * 1000, 1)
        )

    def _open(self):
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
                connector=aiohttp.TCPConnector(limit=0),
            )
        return self._session

    async def close(self):
        for task in list(self._tasks):
            task.cancel()
        if self._session:
            await self._session.close()
