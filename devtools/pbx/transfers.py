"""Transfers to a colleague, a group or an outside number (``mango-api.md`` 4.6).

A transfer has two legs: the *source*, put on hold, with the customer and the employee
who transfers; and the new leg from that employee to the target, whose ``from`` becomes
the customer once the employee leaves. For a group there is such a leg to each member
that is rung.
"""

from functools import partial

from .legs import APPEARED, CONNECTED, DESK, INBOUND, ON_HOLD, NotPossible

CALLER_HUNG_UP, CALLEE_HUNG_UP, ANOTHER_ASSIGNED = 1110, 1120, 1183
CONSULTATIVE, BLIND, RETURN_BLIND = "consultative", "blind", "return_blind"


class Transfers:
    def __init__(self, exchange):
        self._exchange = exchange

    def consult(self, call, source, initiator, target, extra=None):
        """Put the customer on hold and ring the target for a consultation.

        :param Leg source: the leg in ``Connected``.
        :param Staff initiator: who transfers, one side of ``source``.
        :param str target: extension, group or number.
        :param dict extra: further members of the new legs' notifications.
        :return: the new leg; of a group's the first.
        :raise NotPossible: if nobody of a group is free.
        """
        return self._begin(call, source, initiator, target, "consult", extra)

    def blind(self, call, source, initiator, target, extra=None):
        """Ring the target; the initiator leaves at once."""
        leg = self._begin(call, source, initiator, target, "blind", extra)
        self._hand_over(call, source, initiator.extension)
        return leg

    def can_reach(self, target):
        """Return whether a telephone rings there: of a group, at least one is free."""
        return bool(self._waves(target))

    def consulting(self, call, leg):
        """The target of a consultation answered."""
        call.waves = []
        self._exchange.stop_ringing(call, ANOTHER_ASSIGNED)
        self._exchange.recordings.follow(call, leg, leg.initiator)
        if leg.extension:
            self._exchange.recordings.start(call, leg, leg.extension)

    def hang_up(self, call, leg, extension):
        """One of the two employees of a transfer's leg hangs up."""
        if leg.extension == extension:
            # The target hangs up: the customer returns to the initiator.
            if leg.role == "consult":
                self.back(call, leg, CALLEE_HUNG_UP)
            else:
                self._exchange.finish(call, CALLEE_HUNG_UP)
            return
        self._hand_over(call, leg.source, extension)

    def fail(self, call, leg, reason):
        """A telephone is not answered: the next ones of the group, or back."""
        if len(self._legs_from(call, leg.source)) > 1:
            self._exchange.end_leg(call, leg, reason)
        elif call.waves:
            self._exchange.end_leg(call, leg, reason)
            call.waves.pop(0)()
        elif leg.role == "consult":
            self.back(call, leg, reason)
        else:
            self._give_back(call, leg, reason)

    def back(self, call, leg, reason):
        """A consultation ended without a transfer."""
        source = leg.source
        call.waves = []
        self._exchange.recordings.complete(call, leg.extension)
        for one in self._legs_from(call, source):
            self._exchange.end_leg(call, one, reason)
        self._exchange.recordings.follow(call, source, leg.initiator)
        self._exchange.event(call, source, CONNECTED)

    def _give_back(self, call, leg, reason):
        """The target of a blind transfer is not reached: ring the initiator back."""
        exchange = self._exchange
        initiator = exchange.company.find_staff(leg.transferred_by)
        exchange.end_leg(call, leg, reason)
        back = exchange.add_leg(
            call,
            DESK,
            "return",
            {**self._other(leg.source, initiator), "taken_from_call_id": leg.call_id},
            self._callee(call, initiator),
            extra=self._kind(RETURN_BLIND),
        )
        exchange.reach(call, back)

    def _begin(self, call, source, initiator, target, role, extra):
        exchange = self._exchange
        waves = self._waves(target)
        if not waves:
            raise NotPossible("Nobody of the group is free.")
        hold = {"hold_initiator": True} if exchange.settings.api_v2 else {}
        side = "callee" if source.extension == initiator.extension else "caller"
        before = getattr(source, side)
        setattr(source, side, {**before, **hold})
        exchange.event(call, source, ON_HOLD)
        setattr(source, side, before)
        call.waves = [
            partial(self._ring, call, source, initiator, wave, role, extra or {})
            for wave in waves
        ]
        call.waves.pop(0)()
        return self._legs_from(call, source)[0]

    def _waves(self, target):
        """Return what is rung, as lists of what is rung at once.

        :return: each one an employee and the members that a group adds, or a number.
        """
        company = self._exchange.company
        group = company.find_group(target)
        if not group:
            return [[(company.find_staff(target) or target, {})]]
        by_group = {"acd_group": group.extension}
        return [
            [(staff, by_group) for staff in wave]
            for wave in self._exchange.waves(group)
        ]

    def _ring(self, call, source, initiator, wave, role, extra):
        """Ring some of the target's telephones, for the customer if they are alone."""
        exchange = self._exchange
        legs = [
            exchange.add_leg(
                call,
                DESK,
                role,
                {**initiator.party, "taken_from_call_id": source.call_id},
                {"number": party}
                if isinstance(party, str)
                else {**self._callee(call, party), **by_group},
                extra={
                    **self._kind(CONSULTATIVE if role == "consult" else BLIND),
                    **extra,
                },
                source=source,
            )
            for party, by_group in wave
        ]
        for leg in legs:
            if not source.live:
                self._replace(leg, initiator)
            exchange.reach(call, leg)

    def _legs_from(self, call, source):
        return [leg for leg in call.live_legs if leg.source is source]

    def _hand_over(self, call, source, extension):
        """The initiator leaves; the customer replaces them in the new legs."""
        initiator = self._exchange.company.find_staff(extension)
        called = source.extension == extension
        self._leave(call, source, called)
        self._exchange.recordings.complete(call, extension)
        for leg in self._legs_from(call, source):
            self._replace(leg, initiator)
            self._tell_replaced(call, leg)

    def _replace(self, leg, initiator):
        source = leg.source
        leg.caller = {
            **self._other(source, initiator),
            "taken_from_call_id": source.call_id,
        }
        leg.transferred_by = initiator.extension
        if leg.role == "consult" and not leg.answered_at:
            leg.role = "blind"
            leg.extra = {**leg.extra, **self._kind(BLIND)}

    def _tell_replaced(self, call, leg):
        exchange = self._exchange
        if leg.ringing:
            exchange.event(call, leg, APPEARED)
            return
        leg.role = "member"
        exchange.event(call, leg, CONNECTED)
        exchange.talk(call, leg)

    def _leave(self, call, source, called):
        reason = CALLEE_HUNG_UP if called else CALLER_HUNG_UP
        if self._exchange.settings.api_v2:
            # "from" means that the called party left, "to" the calling one.
            side = "caller" if called else "callee"
            party = {**getattr(source, side), "was_transferred": True}
            setattr(source, side, party)
        self._exchange.end_leg(call, source, reason)

    def _other(self, source, initiator):
        """Return whom the initiator talked to, as ``from`` of the next leg."""
        called = source.extension == initiator.extension
        party = source.caller if called else source.callee
        return {k: v for k, v in party.items() if k in ("extension", "number")}

    def _callee(self, call, staff):
        line = {"line_number": call.line} if call.direction == INBOUND else {}
        return {**staff.party, **line}

    def _kind(self, kind):
        return {"transfer": kind} if self._exchange.settings.api_v2 else {}
