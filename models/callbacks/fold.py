"""Derive from the calls of one client when they waited to be called back.

Pure: no Odoo, no clock. The same facts give the same loops, whatever their order and
repetition (``design.md`` 4, "Missed calls").
"""

from dataclasses import dataclass, field
from datetime import datetime

#: The client called and nobody picked up.
MISSED = "missed"
#: Somebody called the client, who did not answer.
TRY = "try"
#: Somebody spoke with the client.
TALK = "talk"
#: A user closed the entry.
HAND = "hand"

#: The order of facts of the same second.
_RANKS = {MISSED: 0, TRY: 1, TALK: 2, HAND: 3}


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened between one client and the company.

    ``ref`` names the call or the entry, independently of the database; ``record_id`` is
    the id of its record.
    """

    kind: str
    at: datetime
    ref: str
    until: datetime | None = None
    is_outbound: bool = False
    record_id: int | None = field(default=None, compare=False)


@dataclass(slots=True)
class Loop:
    """The time from the first missed call to the talk, or to a user's decision."""

    missed: list[Fact] = field(default_factory=list)
    tries: list[Fact] = field(default_factory=list)
    closing: Fact | None = None

    @property
    def is_open(self):
        return self.closing is None

    @property
    def closed_by(self):
        """How the loop was closed: ``called_back``, ``got_through`` or ``hand``."""
        if self.closing is None:
            return None
        if self.closing.kind == HAND:
            return "hand"
        return "called_back" if self.closing.is_outbound else "got_through"

    @property
    def facts(self):
        """The calls of the loop, the closing one included."""
        closing = [self.closing] if self.closing and self.closing.kind == TALK else []
        return [*self.missed, *self.tries, *closing]


def fold(facts):
    """Return the loops that follow from the facts about one client.

    A missed call opens a loop or joins the open one. A talk closes it. A missed call
    that begins during a talk opens nothing, because the two are speaking.

    :param Iterable[Fact] facts: in any order, repeated or not.
    :return: the oldest first; only the last one may be open.
    :rtype: list[Loop]
    """
    loops = []
    spoken_until = datetime.min
    for fact in sorted(set(facts), key=_order):
        loop = loops[-1] if loops and loops[-1].is_open else None
        if fact.kind == HAND:
            _close_by_hand(loops, fact)
        elif fact.kind == TALK:
            spoken_until = max(spoken_until, fact.until or fact.at)
            if loop:
                loop.closing = fact
        elif loop:
            (loop.missed if fact.kind == MISSED else loop.tries).append(fact)
        elif fact.kind == MISSED and fact.at >= spoken_until:
            loops.append(Loop([fact]))
    return loops


def _order(fact):
    return fact.at, _RANKS[fact.kind], fact.ref


def _close_by_hand(loops, fact):
    """Close the last loop as a user did; this is final.

    A talk that becomes known later does not undo it.
    """
    if loops and loops[-1].closed_by != "hand":
        loops[-1].closing = fact
