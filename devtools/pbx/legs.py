"""A call and its legs as plain data."""

import base64
import itertools
import random
from dataclasses import dataclass, field

from .notifier import Delivery

INTERNAL, INBOUND, OUTBOUND = 0, 1, 2
MENU, QUEUE, DESK = "ivr", "queue", "abonent"
APPEARED, CONNECTED, ON_HOLD, DISCONNECTED = (
    "Appeared",
    "Connected",
    "OnHold",
    "Disconnected",
)


class NotPossible(Exception):
    """The action is not possible in the present state; the text says why."""


@dataclass(eq=False)
class Leg:
    """One stay of the call at one place.

    ``role``: ``menu``, ``queue``, ``member`` (an employee rung by the scheme or by a
    route), ``forward`` (the mobile of an employee), ``initiator`` (first leg of a
    callback), ``client`` (an outside number), ``consult`` or ``blind`` (the two kinds
    of transfer), ``return`` (the ring back after a failed transfer). ``source``: the
    leg that a transfer starts from; ``transferred_by``: the employee who transferred
    it.
    """

    call_id: str
    location: str
    role: str
    caller: dict
    callee: dict
    extra: dict = field(default_factory=dict)
    source: "Leg | None" = None
    transferred_by: str = ""
    state: str = ""
    seq: int = 0
    started_at: float = 0
    answered_at: float = 0
    ended_at: float = 0
    reason: int = 0
    timer: object = None

    @property
    def live(self):
        return self.state != DISCONNECTED

    @property
    def ringing(self):
        return self.location == DESK and self.state == APPEARED

    @property
    def talking(self):
        return self.state == CONNECTED

    @property
    def extension(self):
        return self.callee.get("extension", "")

    @property
    def initiator(self):
        return self.caller.get("extension", "")

    def stop_timer(self):
        if self.timer:
            self.timer.cancel()
        self.timer = None


@dataclass(eq=False)
class Call:
    """A whole call: one ``entry_id`` and any number of legs.

    ``scheme``: the group that the call scheme leads to. ``waves``: the members of a
    group that are rung next, as functions. ``queued``: groups are entered through a
    queue; ``waiting``: the group whose members the call waits for, set while it is in
    the queue. ``missed_by``: ``to`` of the summary if nobody answers. ``talker``: the
    leg with the conversation. ``forwards``: how often the call has been forwarded.

    ``route``: the last command that changed where the call goes, for display.
    ``slow_route``: ``reply`` or ``result`` to treat every route for this call as too
    late. ``after_route``: where the call goes when a routed employee does not answer,
    ``None`` for the setting; ``came_back``: whether it has, since the last route.

    ``staff_answers``: employees in mode ``on`` pick up by themselves. ``talk_seconds``:
    when the customer hangs up after the answer. ``greeting``: seconds in the menu;
    ``after_greeting``: the target of a route that waits for its end, and additional
    members of the notifications about its legs.
    ``patience``: when the customer hangs up without an answer. ``client_plan``: what a
    called customer does, ``None`` for the setting. ``without_summary``: the summary is
    lost. ``dct``: call tracking data. ``recall_status``: as in the statistics.
    """

    entry_id: str
    direction: int
    client: str | None
    line: str
    created_at: float
    caller: dict = field(default_factory=dict)
    legs: list = field(default_factory=list)
    delivery: Delivery = field(default_factory=Delivery)
    scheme: str = ""
    group: str = ""
    queued: bool = False
    waiting: str = ""
    waves: list = field(default_factory=list)
    missed_by: dict = field(default_factory=dict)
    talker: Leg | None = None
    employee: str = ""
    command: dict = field(default_factory=dict)
    route: dict | None = None
    slow_route: str | None = None
    after_route: str | None = None
    came_back: bool = False
    forwards: int = 0
    staff_answers: bool = False
    talk_seconds: float | None = None
    patience: float | None = None
    dct: dict | None = None
    recall_status: int = 2
    result_order: str | None = None
    client_plan: str | None = None
    recording_not_ready: int = 0
    long_recording: bool = False
    without_summary: bool = False
    timer: object = None
    greeting: float = 0
    after_greeting: tuple | None = None
    menu_until: float = 0
    forwarded_at: float = 0
    talk_at: float = 0
    ended_at: float = 0
    reason: int = 0

    @property
    def live(self):
        return not self.ended_at

    @property
    def live_legs(self):
        return [leg for leg in self.legs if leg.live]

    @property
    def ringing_legs(self):
        return [leg for leg in self.legs if leg.ringing]

    @property
    def stage(self):
        """``menu``, ``queue``, ``ringing``, ``talking``, ``hold`` or ``ended``."""
        if not self.live:
            return "ended"
        legs = self.live_legs
        if any(leg.role == "menu" for leg in legs):
            return "menu"
        if any(leg.talking and leg.role != "initiator" for leg in legs):
            return "talking"
        if any(leg.state == ON_HOLD for leg in legs):
            return "hold"
        waits = legs and all(leg.role == "queue" for leg in legs)
        return "queue" if waits else "ringing"

    def find_leg(self, call_id):
        return next((leg for leg in self.legs if leg.call_id == call_id), None)

    def live_role(self, role):
        """Return the live leg with that role, or ``None``."""
        return next((leg for leg in self.live_legs if leg.role == role), None)


class Ids:
    """Ids in the form of the real PBX: opaque base64, never used twice.

    :param int start: first number. Use the time in ms, so that a restarted PBX makes
        other ids than before.
    """

    def __init__(self, start, rng=None):
        self._numbers = itertools.count(start)
        self._rng = rng or random.Random()

    def entry(self):
        return self._encode(f"{next(self._numbers)}".encode())

    def leg(self):
        return self._encode(f"1:10000001:{next(self._numbers)}:1".encode())

    def recording(self):
        # Two arbitrary bytes, so that "+" and "/" occur in the base64 text.
        tail = bytes(self._rng.randrange(128, 256) for _byte in range(2))
        return self._encode(f"1:10000001:{next(self._numbers)}:".encode() + tail)

    @staticmethod
    def _encode(raw):
        return base64.b64encode(raw).decode()
