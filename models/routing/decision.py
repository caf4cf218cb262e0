"""The decision who is rung next for a caller (``design.md`` 4, routing plan).

A pure function of plain data: no ORM, no clock. People are identified by keys, because
an extension may have no user in Odoo.

People are tried in the order of the plan, each followed by their substitutes, and
everybody at most once in a call. For a call that was routed and not answered, the
decision is made again, with the targets already rung among the facts.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

#: The steps that ring the person responsible for the caller.
OWNERS = ("lead_owner", "contact_owner", "company_owner")


@dataclass(frozen=True)
class Step:
    """One step of a PBX's plan.

    :param int position: from 1; the order of the plan
    :param calendar: the working hours for ``hours``, None for the company's
    :param problem: the code of a problem with the step itself, None if it works
    :param number: of a group or outside, in the format of commands
    """

    id: int
    position: int
    target: str
    lines: frozenset[int] = frozenset()
    tags: frozenset[int] = frozenset()
    caller: str = "any"
    hours: str = "any"
    calendar: int | None = None
    user: int | None = None
    team: int | None = None
    number: str | None = None
    within_days: int = 0
    ring_seconds: int = 0
    only_working_hours: bool = True
    problem: str | None = None


@dataclass(frozen=True)
class Person:
    """A person who may be rung.

    :param extension: their number in the PBX, None if they have none
    :param obstacle: the code of the reason why they cannot be rung, None if they can
    :param substitute: the key of their substitute
    :param float idle_since: the epoch second of their last call's end, 0 for never
    """

    extension: str | None = None
    obstacle: str | None = None
    is_off_hours: bool = False
    substitute: int | None = None
    teams: frozenset[int] = frozenset()
    idle_since: float = 0


@dataclass(frozen=True)
class Facts:
    """The facts that a decision is based on.

    :param owners: by target, the person responsible for the caller
    :param last_spoken: who spoke with the caller last, and how many days ago
    :param open_calendars: the calendars whose working hours include the moment; None
        stands for the company's
    :param rung: whom this call has rung without an answer: keys of people, numbers of
        other targets
    :param int since: the position of the step that was rung last
    """

    people: Mapping[int, Person] = field(default_factory=dict)
    owners: Mapping[str, int] = field(default_factory=dict)
    last_spoken: tuple[int, float] | None = None
    is_known: bool = False
    line: int | None = None
    tags: frozenset[int] = frozenset()
    open_calendars: Collection[int | None] = frozenset()
    rung: frozenset[int | str] = frozenset()
    since: int = 0


@dataclass(frozen=True)
class Considered:
    """A step, or one of its people, and the decision about it.

    :param reason: a code: ``available`` for the one to ring, ``pbx`` for the end of the
        plan, else why not
    :param person: the key of the person concerned
    :param number: the number to ring: an extension, a group, or an outside number
    :param stands_in_for: the key of the person whose substitute this is
    """

    step: Step
    reason: str
    person: int | None = None
    number: str | None = None
    stands_in_for: int | None = None

    @property
    def is_chosen(self):
        return self.reason == "available"

    @property
    def rung(self):
        """The key or number that must not be rung again."""
        return self.number if self.person is None else self.person


@dataclass(frozen=True)
class Decision:
    """What was considered, in order; only the last can be chosen.

    :param Facts in_vain: the facts to decide on if the chosen target does not answer
    """

    considered: tuple[Considered, ...]
    in_vain: Facts

    @property
    def chosen(self):
        """The target to ring, None to leave the call to the PBX."""
        last = self.considered[-1] if self.considered else None
        return last if last and last.is_chosen else None


def decide(steps: Iterable[Step], facts: Facts) -> Decision:
    """Decide whom to ring.

    :param steps: the plan, in any order
    :param facts: about the caller, the people and the moment
    """
    considered = []
    for one in _walk(steps, facts):
        considered.append(one)
        if one.is_chosen:
            facts = replace(
                facts, rung=facts.rung | {one.rung}, since=one.step.position
            )
            break
    return Decision(tuple(considered), facts)


def decide_all(steps: Iterable[Step], facts: Facts) -> Iterator[Decision]:
    """Decide again and again, as if nobody ever answered.

    :return: each decision; the last one has chosen nobody
    """
    steps = tuple(steps)
    while True:
        decision = decide(steps, facts)
        yield decision
        if decision.chosen is None:
            return
        facts = decision.in_vain


def _walk(steps, facts):
    """Yield everything that may be considered, in order."""
    asked = set()
    for step in sorted(steps, key=lambda step: (step.position, step.id)):
        if step.position < facts.since:
            continue
        if reason := step.problem or _unmet_condition(step, facts):
            yield Considered(step, reason)
        elif step.target == "pbx":
            yield Considered(step, "pbx")
            return
        elif step.target in ("group", "number"):
            yield from _walk_number(step, facts)
        else:
            yield from _walk_people(step, facts, asked)


def _unmet_condition(step, facts):
    """Return the code of the first condition that is not met, or None."""
    if step.lines and facts.line not in step.lines:
        return "other_line"
    if step.tags and not step.tags & facts.tags:
        return "other_tags"
    if step.caller == "known" and not facts.is_known:
        return "unknown_caller"
    if step.caller == "unknown" and facts.is_known:
        return "known_caller"
    is_open = step.calendar in facts.open_calendars
    if step.hours == "within" and not is_open:
        return "outside_hours"
    if step.hours == "outside" and is_open:
        return "within_hours"
    return None


def _walk_number(step, facts):
    if step.number in facts.rung:
        if step.position != facts.since:
            yield Considered(step, "repeated", number=step.number)
        return
    reason = "available" if step.number else "nobody"
    yield Considered(step, reason, number=step.number)


def _walk_people(step, facts, asked):
    """Yield the people of a step, each followed by their substitutes.

    :param set[int] asked: who has been considered already, with their substitutes, so
        that cycles of substitutes end here
    """
    meant = _meant(step, facts)
    if not meant:
        yield Considered(step, "nobody")
    for head in meant:
        if head in asked:
            yield Considered(step, "repeated", head)
            continue
        key, stands_in_for = head, None
        while key is not None and key not in asked:
            asked.add(key)
            person = facts.people.get(key, Person())
            # The next one is the substitute of the person whom this step has just rung.
            if key not in facts.rung:
                yield _considered(step, key, person, stands_in_for)
            elif step.position != facts.since:
                yield Considered(step, "repeated", key)
            key, stands_in_for = person.substitute, key


def _meant(step, facts):
    """Return the keys of the people of a step, in the order to try them."""
    if step.target in OWNERS:
        key = facts.owners.get(step.target)
    elif step.target == "last_spoken":
        key, days = facts.last_spoken or (None, 0)
        key = key if days <= step.within_days else None
    elif step.target == "team":
        return _longest_idle_first(step.team, facts.people)
    else:
        key = step.user
    return [] if key is None else [key]


def _longest_idle_first(team, people):
    members = [key for key, person in people.items() if team in person.teams]
    return sorted(members, key=lambda key: (people[key].idle_since, key))


def _considered(step, key, person, stands_in_for):
    if not person.extension:
        reason = person.obstacle or "no_extension"
    elif person.obstacle:
        reason = person.obstacle
    elif person.is_off_hours and step.only_working_hours:
        reason = "off_hours"
    else:
        reason = "available"
    return Considered(step, reason, key, person.extension, stands_in_for)
