"""A call and its legs: what is known about them, without any behaviour of phones."""

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


@dataclass(eq=False)
class Leg:
    """One stay of the call at one place.

    ``role``: ``menu``, ``queue``, ``member`` (rung by the scheme or by a route),
    ``initiator`` (first leg of a callback), ``client`` (a number outside), ``consult``
    or ``blind`` (the two kinds of transfer), ``return`` (rung back after a transfer).
    ``source``: the leg that a transfer starts from; ``transferred_by``: whose it was.
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
    """What a person calls a call: one ``entry_id``, any number of legs.

    ``serial``: extensions of a group still to be rung one by one. ``missed_by``: what
    ``summary.to`` says if nobody talks. ``talker``: the leg with the talk.
    ``route``: the command that changed where the call went, for display.
    ``slow_route``: ``reply`` or ``result``: a route for this call is taken as too late.
    ``without_summary``: the summary gets lost on the way.
    ``client_plan``: what the customer does when rung, ``None`` for the settings.
    """

    entry_id: str
    direction: int
    client: str | None
    line: str
    created_at: float
    caller: dict = field(default_factory=dict)
    legs: list = field(default_factory=list)
    delivery: Delivery = field(default_factory=Delivery)
    group: str = ""
    queued: bool = False
    serial: list = field(default_factory=list)
    missed_by: dict = field(default_factory=dict)
    talker: Leg | None = None
    employee: str = ""
    command: dict = field(default_factory=dict)
    route: dict | None = None
    slow_route: str | None = None
    result_order: str | None = None
    client_plan: str | None = None
    recording_not_ready: int = 0
    long_recording: bool = False
    without_summary: bool = False
    timer: object = None
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
        """:return: the live leg of that role, or ``None``."""
        return next((leg for leg in self.live_legs if leg.role == role), None)


class Ids:
    """Ids as the real PBX makes them: base64, opaque, never used twice.

    :param int start: where counting starts; the time in ms, so that a restarted PBX
        does not repeat itself in a database that remembers.
    """

    def __init__(self, start, rng=None):
        self._numbers = itertools.count(start)
        self._rng = rng or random.Random()

    def entry(self):
        return self._encode(f"{next(self._numbers)}".encode())

    def leg(self):
        return self._encode(f"1:10000001:{next(self._numbers)}:1".encode())

    def recording(self):
        # Two arbitrary bytes let "+" and "/" occur, as they do in base64 of old.
        tail = bytes(self._rng.randrange(128, 256) for _byte in range(2))
        return self._encode(f"1:10000001:{next(self._numbers)}:".encode() + tail)

    @staticmethod
    def _encode(raw):
        return base64.b64encode(raw).decode()
