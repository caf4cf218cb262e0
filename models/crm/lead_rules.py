"""The rules for creating a lead from a call. Pure: no Odoo, no clock."""

from dataclasses import dataclass
from datetime import datetime, timedelta

NEVER, MISSED, ANSWERED, ALWAYS = "never", "missed", "answered", "always"

#: The verdict to create a lead; all others are reasons not to.
CREATE = "create"


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings for the called line.

    ``unknown`` and ``known`` are policies; with ``again`` a client whose lead was won
    or lost gets a new one; a call that became known later than ``max_age`` after its
    start is ignored.
    """

    unknown: str
    known: str
    again: bool
    max_age: timedelta


@dataclass(frozen=True, slots=True)
class Facts:
    """A call and its client.

    ``is_refused``: the number is our own, a colleague's or blocked. ``delay``
    is how long after its start the call became known. ``closed_at`` is when the last
    lead of the client was won or lost.
    """

    direction: str | None
    number: str | None
    is_answered: bool
    is_ended: bool
    started_at: datetime
    delay: timedelta = timedelta()
    is_known: bool = False
    is_refused: bool = False
    is_chosen_by_hand: bool = False
    closed_at: datetime | None = None


def decide(facts, rules):
    """Decide whether to create a lead from a call of a client without an open one.

    :param Facts facts: the call and its client.
    :param Rules rules: the rules of its line.
    :return: :data:`CREATE`, or the reason why not.
    :rtype: str
    """
    if facts.direction != "inbound":
        return "not_inbound"
    if not facts.number:
        return "hidden"
    if facts.is_refused:
        return "refused"
    if facts.is_chosen_by_hand:
        return "by_hand"
    if facts.delay > rules.max_age:
        return "history"
    if facts.closed_at and (not rules.again or facts.started_at <= facts.closed_at):
        return "closed"
    policy = rules.known if facts.is_known else rules.unknown
    return CREATE if _is_met(policy, facts) else "policy"


def _is_met(policy, facts):
    if facts.is_answered:
        return policy in (ANSWERED, ALWAYS)
    return facts.is_ended and policy in (MISSED, ALWAYS)
