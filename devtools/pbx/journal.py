"""The log of requests in both directions and their answers."""

import itertools
from collections import deque
from dataclasses import asdict, dataclass

SENT, RECEIVED = "sent", "received"
KEPT = 1000


@dataclass
class Entry:
    """One notification sent or one request received.

    ``status``: of the answer; ``None`` while there is none. ``expected``: which status
    family is right, ``"2xx"`` or an exact ``"403"``. ``at``: epoch seconds. ``ms``: how
    long the answer took.
    """

    id: int
    direction: str
    path: str
    body: object
    at: float
    expected: str = "2xx"
    note: str = ""
    status: int | None = None
    answer: str = ""
    ms: float | None = None
    done: bool = False

    @property
    def ok(self):
        """Whether the answer is the expected one; ``None`` while waiting."""
        if not self.done:
            return None
        if self.status is None:
            return False
        if self.expected.endswith("xx"):
            return self.status // 100 == int(self.expected[0])
        return str(self.status) == self.expected

    def as_dict(self):
        return {**asdict(self), "ok": self.ok}


class Journal:
    """The newest entries, and callbacks for every change."""

    def __init__(self, clock):
        self._clock = clock
        self._ids = itertools.count(1)
        self._watchers = []
        self.entries = deque(maxlen=KEPT)

    def watch(self, callback):
        """Call ``callback(entry)`` for each new entry and again for its answer."""
        self._watchers.append(callback)
        return lambda: self._watchers.remove(callback)

    def open(self, direction, path, body, **fields):
        entry = Entry(
            next(self._ids), direction, path, body, self._clock.now(), **fields
        )
        self.entries.append(entry)
        self._tell(entry)
        return entry

    def close(self, entry, status, answer, ms):
        entry.status, entry.answer, entry.ms = status, answer, ms
        entry.done = True
        self._tell(entry)

    def since(self, entry_id):
        """Return the entries after the one with that id, oldest first."""
        return [entry for entry in self.entries if entry.id > entry_id]

    @property
    def last_id(self):
        return self.entries[-1].id if self.entries else 0

    @property
    def waiting(self):
        return [entry for entry in self.entries if not entry.done]

    def _tell(self, entry):
        for callback in list(self._watchers):
            callback(entry)
