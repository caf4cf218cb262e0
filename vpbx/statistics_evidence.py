"""Statistics as evidence for the fold.

An entry of the statistics is one more piece of evidence, and the weakest:
:func:`with_statistics` turns it into equivalent notifications, as far as real ones are
missing. So every call is folded in the same way, whatever its source.
"""

from collections import Counter
from dataclasses import replace

from .notifications import LegEvent, RecordAdded, RecordingEvent, Summary
from .statistics import KIND, StatisticsCall


def with_statistics(facts):
    """Convert what only the statistics tell into notifications.

    :param facts: everything known about one call
    :type facts: frozenset[Notification | StatisticsCall]
    :return: the facts, without entries of the statistics
    :rtype: frozenset[Notification]
    """
    entries = [fact for fact in facts if isinstance(fact, StatisticsCall)]
    if not entries:
        return facts
    facts = facts.difference(entries)
    # Of several entries the most complete one; the choice is deterministic.
    entry = max(
        entries, key=lambda e: (e.is_ended, e.ended_at or 0, len(e.legs), repr(e))
    )
    told = {fact for each in entries for fact in _recording_facts(each)}
    if not entry.is_ended:
        return facts | told
    events = [fact for fact in facts if isinstance(fact, LegEvent)]
    has_summary = any(isinstance(fact, Summary) for fact in facts)
    if not has_summary:
        told.add(_summary(entry, has_legs=bool(events)))
    if not events:
        told.update(_events(entry))
    elif not has_summary:
        told.update(_missing_events(entry, events))
    return facts | told


def _summary(entry, has_legs):
    is_inbound = entry.direction == "inbound"
    # The legs have the client's number as dialled; in the statistics it may have an
    # operator's prefix (mango-api.md 2.7).
    knows_parties = not has_legs
    return Summary(
        kind=KIND,
        entry_id=entry.entry_id,
        direction=entry.direction,
        from_number=entry.caller_number if knows_parties else None,
        from_extension=None if is_inbound else entry.caller_extension,
        to_number=None if is_inbound or has_legs else entry.called_number,
        to_extension=_never_rung(entry) if is_inbound else None,
        line_number=entry.called_number if is_inbound and knows_parties else None,
        created_at=entry.started_at,
        answered=entry.answered,
        answered_at=entry.answered_at,
        ended_at=entry.ended_at,
        end_reason=entry.end_reason,
    )


def _rung(entry):
    """List who was rung, as pairs of the leg and the group that it was rung for.

    Service elements have no times, and a group counts itself only if none of its
    members was rung.
    """
    for leg in entry.legs:
        members = [member for member in leg.members if member.started_at is not None]
        if members:
            yield from ((member, leg.extension) for member in members)
        elif leg.started_at is not None:
            yield leg, leg.extension if leg.type == "group" else None


def _never_rung(entry):
    """Return who should have been rung if nobody was, such as somebody off duty."""
    if any(_rung(entry)):
        return None
    users = (leg.extension for leg in entry.legs if leg.type != "group")
    return next(filter(None, users), None)


def _events(entry):
    """Build the events of all legs."""
    used = Counter()
    for leg, group in _rung(entry):
        party = leg.extension or leg.number or leg.pbx_user_ref or leg.type
        ref = leg.ref or f"statistics-{leg.started_at}-{party}"
        used[ref] += 1
        if used[ref] > 1:
            ref = f"{ref}#{used[ref]}"
        yield from _leg_events(entry, leg, ref, group)


def _leg_events(entry, leg, ref, group):
    caller, callee = _parties(entry, leg)
    event = LegEvent(
        kind=KIND,
        entry_id=entry.entry_id,
        leg_ref=ref,
        seq=1,
        state="appeared",
        timestamp=leg.started_at,
        location="queue" if leg.type == "group" else "abonent",
        from_number=caller[0],
        from_extension=caller[1],
        to_number=callee[0],
        to_extension=callee[1],
        line_number=entry.called_number if entry.direction == "inbound" else None,
        acd_group=group,
        callback_initiator=KIND if entry.is_ordered else None,
    )
    yield event
    if leg.answered_at is not None:
        yield replace(event, seq=2, state="connected", timestamp=leg.answered_at)
    yield replace(
        event,
        seq=3,
        state="disconnected",
        timestamp=entry.ended_at if leg.ended_at is None else leg.ended_at,
        end_reason=leg.end_reason,
    )


def _parties(entry, leg):
    """Return the caller and the called party of a leg, as number and extension."""
    called = leg.number, leg.extension
    if entry.direction == "inbound":
        return (entry.caller_number, None), called
    if entry.direction == "outbound" and leg.extension:
        # An employee's phone rings for the client: on their first leg, or after a
        # transfer.
        return (entry.called_number, None), called
    return (entry.caller_number, entry.caller_extension), called


def _missing_events(entry, events):
    """Build the events that the known legs lack.

    It is not documented that statistics and events use the same leg ids: if they have
    no leg in common, nothing is concluded about any.
    """
    newest = {}
    for event in sorted(events, key=lambda event: (event.seq, repr(event))):
        newest[event.leg_ref] = event
    by_ref = {leg.ref: leg for leg, _group in _rung(entry) if leg.ref}
    if by_ref.keys().isdisjoint(newest):
        return
    for event in _events(entry):
        known = newest.get(event.leg_ref)
        if known is None:
            yield event
        elif event.state == "disconnected" and known.state != "disconnected":
            yield replace(
                known,
                kind=KIND,
                seq=known.seq + 1,
                state=event.state,
                timestamp=event.timestamp,
                end_reason=event.end_reason,
            )


def _recording_facts(entry):
    for leg in entry.legs:
        for person in (leg, *leg.members):
            for ref in person.recordings:
                # A group's recording belongs to the member who talked.
                is_user = person.type != "group"
                yield RecordAdded(
                    kind=KIND,
                    entry_id=entry.entry_id,
                    recording_ref=ref,
                    pbx_user_ref=person.pbx_user_ref if is_user else None,
                )
                if is_user and person.extension:
                    yield RecordingEvent(
                        kind=KIND,
                        entry_id=entry.entry_id,
                        recording_ref=ref,
                        seq=0,
                        state="completed",
                        extension=person.extension,
                    )
