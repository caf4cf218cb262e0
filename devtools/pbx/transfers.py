"""Transfers to a colleague (``mango-api.md`` 4.6).

A transfer has two legs: the *source*, put on hold, with the customer and the employee
who transfers; and the new leg from that employee to the target, whose ``from`` becomes
the customer once the employee leaves.
"""

from .legs import APPEARED, CONNECTED, DESK, INBOUND, ON_HOLD

CALLER_HUNG_UP, CALLEE_HUNG_UP = 1110, 1120
CONSULTATIVE, BLIND, RETURN_BLIND = "consultative", "blind", "return_blind"


class Transfers:
    def __init__(self, exchange):
        self._exchange = exchange

    def consult(self, call, source, initiator, target, extra=None):
        """Put the customer on hold and ring the target for a consultation.

        :param Leg source: the leg in ``Connected``.
        :param Staff initiator: who transfers, one side of ``source``.
        :param str target: extension or number.
        :param dict extra: further members of the new leg's notifications.
        :return: the new leg.
        """
        return self._begin(call, source, initiator, target, "consult", extra)

    def blind(self, call, source, initiator, target, extra=None):
        """Ring the target; the initiator leaves at once."""
        leg = self._begin(call, source, initiator, target, "blind", extra)
        self._hand_over(call, leg)
        return leg

    def consulting(self, call, leg):
        """The target of a consultation answered."""
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
        self._hand_over(call, leg)

    def back(self, call, leg, reason):
        """A consultation ended without a transfer."""
        source = leg.source
        self._exchange.recordings.complete(call, leg.extension)
        self._exchange.end_leg(call, leg, reason)
        self._exchange.recordings.follow(call, source, leg.initiator)
        self._exchange.event(call, source, CONNECTED)

    def give_back(self, call, leg, reason):
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
        hold = {"hold_initiator": True} if exchange.settings.api_v2 else {}
        side = "callee" if source.extension == initiator.extension else "caller"
        before = getattr(source, side)
        setattr(source, side, {**before, **hold})
        exchange.event(call, source, ON_HOLD)
        setattr(source, side, before)
        staff = exchange.company.find_staff(target)
        leg = exchange.add_leg(
            call,
            DESK,
            role,
            {**initiator.party, "taken_from_call_id": source.call_id},
            self._callee(call, staff) if staff else {"number": target},
            extra={
                **self._kind(CONSULTATIVE if role == "consult" else BLIND),
                **(extra or {}),
            },
            source=source,
        )
        exchange.reach(call, leg)
        return leg

    def _hand_over(self, call, leg):
        """The initiator leaves; the customer replaces them in the new leg."""
        exchange, source = self._exchange, leg.source
        initiator = exchange.company.find_staff(leg.initiator)
        called = source.extension == initiator.extension
        self._leave(call, source, called)
        exchange.recordings.complete(call, initiator.extension)
        leg.caller = {
            **self._other(source, initiator),
            "taken_from_call_id": source.call_id,
        }
        leg.transferred_by = initiator.extension
        if leg.ringing:
            leg.role = "blind"
            leg.extra = {**leg.extra, **self._kind(BLIND)}
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
