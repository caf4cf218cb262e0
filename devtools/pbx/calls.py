"""The exchange: runs calls, driven by timers, people and commands.

It notifies the external system about them (``mango-api.md`` 3 and 4).
"""

from collections import deque
from functools import partial

from .blacklist import Blacklist
from .company import (
    ANSWER,
    DECLINE,
    LONGEST_IDLE,
    OFF,
    ON,
    PARALLEL,
    PARALLEL_BY_PRIORITY,
    RANDOM,
    REACHABLE,
)
from .company import BUSY as IS_BUSY
from .company import DO_NOT_DISTURB as HAS_DND
from .legs import (
    APPEARED,
    CONNECTED,
    DESK,
    DISCONNECTED,
    INBOUND,
    INTERNAL,
    MENU,
    ON_HOLD,
    OUTBOUND,
    QUEUE,
    Call,
    Leg,
    NotPossible,
)
from .transfers import Transfers

DONE = 1000
LEFT, CALLER_HUNG_UP, NO_ANSWER = 1100, 1110, 1111
CALLEE_HUNG_UP, BUSY, DECLINED, DO_NOT_DISTURB = 1120, 1121, 1122, 1123
TOO_MANY_FORWARDS, BLACKLISTED = 1134, 1151
QUEUE_TIMEOUT, NOBODY_AVAILABLE, BY_SCHEME = 1163, 1164, 1170
BY_SYSTEM, TAKEN_BY_COLLEAGUE, ANOTHER_ASSIGNED = 1181, 1182, 1183
OFF_SCHEDULE = 1192

SUMMARY_SECONDS = 0.2
REFUSAL_SECONDS = 0.5
BRIDGE_SECONDS = 0.5
STAFF_ANSWERS_SECONDS, STAFF_DECLINES_SECONDS = 3.0, 2.0
QUEUE_SECONDS = 90.0
MOST_FORWARDS = 3
CLIENT_ANSWERS_SECONDS, CLIENT_BUSY_SECONDS, CLIENT_SILENT_SECONDS = 5.0, 2.0, 25.0
HISTORY = 5000


class Exchange:
    """All running and finished calls, and the actions on them."""

    def __init__(self, clock, settings, company, notifier, recordings, ids, rng):
        self.clock = clock
        self.settings = settings
        self.company = company
        self.notifier = notifier
        self.recordings = recordings
        self.ids = ids
        self.rng = rng
        self.transfers = Transfers(self)
        self.blacklist = Blacklist()
        self.calls = []
        self.history = deque(maxlen=HISTORY)
        self._watchers = []
        self._serving_queues = False

    # -- queries ---------------------------------------------------------------

    def watch(self, callback):
        """Call ``callback()`` after every change of any call."""
        self._watchers.append(callback)
        return lambda: self._watchers.remove(callback)

    def changed(self):
        for callback in list(self._watchers):
            callback()

    def find_leg(self, call_id):
        """Return ``(call, leg)``, also of a finished call, or ``(None, None)``."""
        for call in [*self.calls, *reversed(self.history)]:
            leg = call.find_leg(call_id)
            if leg:
                return call, leg
        return None, None

    def find_call(self, entry_id):
        return next((c for c in self.calls if c.entry_id == entry_id), None)

    def legs_of(self, extension):
        """Return ``(call, leg)`` of every live leg with that employee."""
        return [
            (call, leg)
            for call in self.calls
            for leg in call.live_legs
            if extension in (leg.extension, leg.initiator)
        ]

    def state_of(self, extension):
        """Return ``free``, ``ringing``, ``calling`` or ``talking``."""
        legs = [leg for _call, leg in self.legs_of(extension)]
        if any(leg.state in (CONNECTED, ON_HOLD) for leg in legs):
            return "talking"
        if any(leg.ringing and leg.extension == extension for leg in legs):
            return "ringing"
        return "calling" if legs else "free"

    def ringing_leg(self, extension, call=None):
        """Return the ``(call, leg)`` that rings there, or ``(None, None)``."""
        return next(
            (
                (found, leg)
                for found, leg in self.legs_of(extension)
                if leg.ringing and leg.extension == extension and call in (None, found)
            ),
            (None, None),
        )

    # -- new calls -------------------------------------------------------------

    def call_in(self, number, line=None, greeting=None, **options):
        """A customer dials a line.

        :param number: who calls, ``None`` for an anonymous caller.
        :param str line: one of the company's lines, its first by default.
        :param float greeting: seconds in the menu, by default those of the settings.
        :param options: members of :class:`~.legs.Call`.
        :rtype: ~.legs.Call
        """
        line = self.company.find_line(line) if line else self.company.lines[0]
        if not line:
            raise NotPossible("There is no such line.")
        caller = {"number": number} if number else {}
        options = {"scheme": line.group, **options}
        call = self._open(INBOUND, number, line.number, caller=caller, **options)
        if self.blacklist.blocks(number):
            self.finish(call, BLACKLISTED)
            return call
        if call.patience:
            self.clock.call_later(call.patience, partial(self._lose_patience, call))
        call.greeting = self.settings.greeting if greeting is None else greeting
        self._enter_menu(call)
        return call

    def _enter_menu(self, call, taken_from=None):
        if call.greeting <= 0:
            self.ring(call, call.scheme, taken_from)
            return
        menu = self.add_leg(
            call,
            MENU,
            "menu",
            self.from_party(call, taken_from),
            {"number": call.line, "line_number": call.line},
        )
        call.menu_until = self.clock.now() + call.greeting
        call.timer = self.clock.call_later(
            call.greeting, partial(self._leave_menu, call, menu)
        )
        self.event(call, menu, APPEARED)

    def _leave_menu(self, call, menu):
        self.end_leg(call, menu, LEFT)
        target, extra = call.after_greeting or (call.scheme, {})
        call.after_greeting = None
        self.ring(call, target, menu, extra)

    def _lose_patience(self, call):
        if call.live and not call.talk_at:
            self.hang_up_client(call)

    def dial(self, extension, number, **options):
        """An employee dials from the phone, a customer or a colleague."""
        staff = self._free_staff(extension)
        colleague = self.company.find_staff(number)
        direction = INTERNAL if colleague else OUTBOUND
        line = "" if colleague else self.company.lines[0].number
        call = self._open(
            direction, number, line, caller=staff.party, employee=extension, **options
        )
        self.ring(call, number)
        return call

    def callback(self, extension, number, line="", command_id="", device="", **options):
        """Ring the employee, then the number (``mango-api.md`` 4.4).

        :param str device: the employee's telephone, their default one if empty.
        """
        staff = self.company.find_staff(extension)
        if not staff:
            raise NotPossible("There is no such extension.")
        initiator = {**staff.party, "number": device or staff.device}
        colleague = self.company.find_staff(number)
        inside = self.company.is_inside(number)
        call = self._open(
            INTERNAL if inside else OUTBOUND,
            number,
            line or ("" if inside else self.company.lines[0].number),
            caller=initiator,
            employee=extension,
            command={"command_id": command_id, "callback_initiator": "API"},
            **options,
        )
        if staff.mode == OFF:
            self.finish(call, OFF_SCHEDULE)
            return call
        target = colleague.party if colleague else {"number": number}
        leg = self.add_leg(
            call, DESK, "initiator", target, initiator, extra=dict(call.command)
        )
        self._reach_staff(call, leg, staff)
        return call

    def _open(self, direction, client, line, **options):
        call = Call(
            entry_id=self.ids.entry(),
            direction=direction,
            client=client,
            line=line,
            created_at=self.clock.now(),
            **options,
        )
        self.calls.append(call)
        return call

    def _free_staff(self, extension):
        staff = self.company.find_staff(extension)
        if not staff:
            raise NotPossible("There is no such extension.")
        if self.state_of(extension) != "free":
            raise NotPossible("This phone is in use.")
        return staff

    # -- ringing ---------------------------------------------------------------

    def ring(self, call, target, taken_from=None, extra=None):
        """Ring an extension, a group or a number for the call.

        :param str target: the extension or number.
        :param Leg taken_from: the previous leg of the caller.
        :param dict extra: additional members of the notifications about the new legs.
        """
        call.forwarded_at = call.forwarded_at or self.clock.now()
        extra = extra or {}
        group = self.company.find_group(target)
        if group:
            self._ring_group(call, group, taken_from, extra)
            return
        staff = self.company.find_staff(target)
        if staff:
            call.group = ""
            call.missed_by = call.missed_by or staff.party
            self._ring_staff(call, staff, taken_from, extra)
            return
        self._ring_client(call, target, taken_from, extra)

    def _ring_group(self, call, group, taken_from, extra):
        call.group = group.extension
        call.missed_by = {"extension": group.extension}
        waves = self.waves(group)
        if call.queued:
            taken_from = self._enter_queue(call, taken_from)
        if not waves:
            self._wait_for_members(call, group)
            return
        self._ring_waves(call, waves, taken_from, extra)

    def _ring_waves(self, call, waves, taken_from, extra):
        call.missed_by = {"extension": waves[0][0].extension}
        call.waves = [
            partial(self._ring_wave, call, wave, taken_from, extra) for wave in waves
        ]
        call.waves.pop(0)()

    def waves(self, group):
        """Return the free members of a group, as lists of those rung at once."""
        staff = [self.company.find_staff(extension) for extension in group.members]
        free = [member for member in staff if self._is_free(member)]
        if group.algorithm == PARALLEL:
            return [free] if free else []
        if group.algorithm == PARALLEL_BY_PRIORITY:
            by_priority = {}
            for member in free:
                priority = group.priority(member.extension)
                by_priority.setdefault(priority, []).append(member)
            return [by_priority[priority] for priority in sorted(by_priority)]
        if group.algorithm == RANDOM:
            self.rng.shuffle(free)
        if group.algorithm == LONGEST_IDLE:
            free.sort(key=lambda member: member.free_since)
        return [[member] for member in free]

    def _is_free(self, staff):
        return staff.mode in REACHABLE and self.state_of(staff.extension) == "free"

    def _ring_wave(self, call, wave, taken_from, extra):
        """Ring those members of a group who are still free."""
        free = [member for member in wave if self._is_free(member)]
        for member in free:
            self._ring_staff(call, member, taken_from, extra)
        if not free:
            self._go_on(call, NOBODY_AVAILABLE)

    def _wait_for_members(self, call, group):
        """Nobody of the group is free: wait in the queue, or end the call."""
        queue = call.live_role("queue")
        if not queue:
            self._give_up(call, NOBODY_AVAILABLE)
            return
        call.waiting = group.extension
        self._later(queue, QUEUE_SECONDS, self.finish, call, QUEUE_TIMEOUT)

    def serve_queues_soon(self):
        """Serve the queues once for all simultaneous changes."""
        if self._serving_queues:
            return
        self._serving_queues = True
        self.clock.call_later(0, self._serve_queues)

    def _serve_queues(self):
        """Ring free employees for waiting calls."""
        self._serving_queues = False
        waiting = [call for call in self.calls if call.waiting]
        nobody_free = set()
        for call in waiting:
            if call.waiting in nobody_free:
                continue
            waves = self.waves(self.company.find_group(call.waiting))
            if not waves:
                nobody_free.add(call.waiting)
                continue
            call.waiting = ""
            queue = call.live_role("queue")
            queue.stop_timer()
            self._ring_waves(call, waves, queue, {})

    def _enter_queue(self, call, taken_from):
        queue = call.live_role("queue")
        if queue:
            return queue
        queue = self.add_leg(
            call,
            QUEUE,
            "queue",
            self.from_party(call, taken_from),
            {"line_number": call.line, "acd_group": call.group},
        )
        self.event(call, queue, APPEARED)
        return queue

    def _ring_staff(self, call, staff, taken_from, extra):
        if staff.mode == OFF:
            # Outside the schedule there are no notifications about an employee (4.2).
            if not self._forward(call, staff, taken_from, extra):
                self._go_on(call, OFF_SCHEDULE)
            return
        leg = self.add_leg(
            call,
            DESK,
            "member",
            self.from_party(call, taken_from),
            self.to_party(call, staff),
            extra={**call.command, **extra},
        )
        self._reach_staff(call, leg, staff)

    def _reach_staff(self, call, leg, staff):
        """Ring the telephone of an employee, who acts according to their mode."""
        refusal = self._refusal(staff, leg)
        self.event(call, leg, APPEARED)
        if refusal:
            self._later(leg, REFUSAL_SECONDS, self.fail_leg, call, leg, refusal)
            return
        self._expect_staff(call, leg, staff)

    def _expect_staff(self, call, leg, staff):
        if staff.mode == DECLINE and leg.role != "forward":
            seconds = min(STAFF_DECLINES_SECONDS, staff.wait_sec)
            self._later(leg, seconds, self.fail_leg, call, leg, DECLINED)
            return
        picks_up = staff.mode == ANSWER or (
            call.staff_answers and (staff.mode == ON or leg.role == "forward")
        )
        if picks_up and staff.wait_sec > STAFF_ANSWERS_SECONDS:
            self._later(leg, STAFF_ANSWERS_SECONDS, self.answer, call, leg)
            return
        self._later(leg, staff.wait_sec, self.fail_leg, call, leg, NO_ANSWER)

    def _forward(self, call, staff, taken_from, extra):
        """Forward a call according to the employee's card.

        :return: whether it was forwarded.
        """
        if not staff.forward:
            return False
        call.forwards += 1
        if call.forwards > MOST_FORWARDS:
            self._give_up(call, TOO_MANY_FORWARDS)
            return True
        if staff.forward == staff.mobile:
            self._ring_mobile(call, staff, taken_from, extra)
            return True
        self.ring(call, staff.forward, taken_from, extra)
        return True

    def _ring_mobile(self, call, staff, taken_from, extra):
        leg = self.add_leg(
            call,
            DESK,
            "forward",
            self.from_party(call, taken_from),
            {**self.to_party(call, staff), "number": staff.mobile},
            extra={**call.command, **extra},
        )
        self.event(call, leg, APPEARED)
        self._expect_staff(call, leg, staff)

    def reach(self, call, leg):
        """Ring the party of a transfer's leg, an employee or an outside number."""
        staff = self.company.find_staff(leg.extension)
        if not staff:
            self.event(call, leg, APPEARED)
            self._expect_client(call, leg)
            return
        self._reach_staff(call, leg, staff)

    def _refusal(self, staff, leg):
        """Return why the telephone of an employee does not ring, 0 if it does."""
        if staff.mode == OFF:
            return OFF_SCHEDULE
        if staff.mode == HAS_DND:
            return DO_NOT_DISTURB
        others = [found for _call, found in self.legs_of(staff.extension)]
        busy = staff.mode == IS_BUSY or any(found is not leg for found in others)
        return BUSY if busy else 0

    def _ring_client(self, call, number, taken_from, extra):
        leg = self.add_leg(
            call,
            DESK,
            "client",
            self.from_party(call, taken_from),
            {"number": number},
            extra={**call.command, **extra},
        )
        self.event(call, leg, APPEARED)
        self._expect_client(call, leg)

    def _expect_client(self, call, leg):
        plan = call.client_plan or self.settings.client
        if plan == "answer":
            self._later(leg, CLIENT_ANSWERS_SECONDS, self.answer, call, leg)
        elif plan == "busy":
            self._later(leg, CLIENT_BUSY_SECONDS, self.fail_leg, call, leg, BUSY)
        else:
            seconds = CLIENT_SILENT_SECONDS * (4 if plan == "manual" else 1)
            self._later(leg, seconds, self.fail_leg, call, leg, NO_ANSWER)

    def _later(self, leg, seconds, action, *arguments):
        leg.stop_timer()
        leg.timer = self.clock.call_later(seconds, partial(action, *arguments))

    # -- people ----------------------------------------------------------------

    def pick_up(self, extension, call=None):
        """An employee picks up a ringing phone."""
        call, leg = self.ringing_leg(extension, call)
        if not leg:
            raise NotPossible("This phone does not ring.")
        self.answer(call, leg)
        return call

    def decline(self, extension, call=None):
        call, leg = self.ringing_leg(extension, call)
        if not leg:
            raise NotPossible("This phone does not ring.")
        self.fail_leg(call, leg, DECLINED)
        return call

    def take_over(self, extension, call):
        """A colleague takes a call that rings elsewhere (1182)."""
        staff = self._free_staff(extension)
        rings = call.ringing_legs
        if not rings:
            raise NotPossible("Nothing rings in this call.")
        self.stop_ringing(call, TAKEN_BY_COLLEAGUE)
        self._ring_staff(call, staff, rings[0], {})
        self.pick_up(extension, call)
        return call

    def hang_up(self, extension):
        """An employee hangs up, or declines a call that rings."""
        legs = self.legs_of(extension)
        if not legs:
            raise NotPossible("This phone is not in use.")
        call, leg = legs[-1]
        if leg.ringing and leg.extension == extension:
            return self.decline(extension, call)
        if leg.role in ("consult", "blind"):
            self.transfers.hang_up(call, leg, extension)
            return call
        # The reason depends on who hangs up: the leg's caller or its callee.
        called = leg.extension == extension and leg.role != "initiator"
        self.finish(call, CALLEE_HUNG_UP if called else CALLER_HUNG_UP)
        return call

    def hang_up_client(self, call):
        """The customer hangs up, wherever the call is."""
        inbound = call.direction == INBOUND
        self.finish(call, CALLER_HUNG_UP if inbound else CALLEE_HUNG_UP)

    def answer_client(self, call, plan="answer"):
        """The called customer answers, is busy, or lets it ring (``silent``)."""
        leg = next((leg for leg in call.ringing_legs if not leg.extension), None)
        if not leg:
            raise NotPossible("The customer's phone does not ring.")
        if plan == "answer":
            self.answer(call, leg)
            return
        self.fail_leg(call, leg, BUSY if plan == "busy" else NO_ANSWER)

    def answer(self, call, leg):
        """A ringing leg is answered."""
        if not leg.ringing:
            raise NotPossible("This phone does not ring.")
        leg.stop_timer()
        leg.answered_at = self.clock.now()
        self.event(call, leg, CONNECTED)
        if leg.role == "initiator":
            self._later(leg, BRIDGE_SECONDS, self._bridge, call, leg)
            return
        if leg.role == "consult":
            self.transfers.consulting(call, leg)
            return
        if leg.role in ("blind", "return"):
            leg.role = "member"
        self.stop_searching(call, ANOTHER_ASSIGNED)
        self.talk(call, leg)

    def talk(self, call, leg):
        """The conversation begins, or goes on after a transfer, in ``leg``."""
        if call.talk_seconds and not call.talk_at:
            self.clock.call_later(call.talk_seconds, partial(self.hang_up_client, call))
        call.talk_at = call.talk_at or self.clock.now()
        call.talker = leg
        for extension in filter(None, (leg.initiator, leg.extension)):
            self.recordings.start(call, leg, extension)
        self.changed()

    def _bridge(self, call, leg):
        """The initiator of a callback has answered: ring the other party."""
        self.end_leg(call, leg, DONE)
        self.ring(call, call.client, leg)

    def stop_ringing(self, call, reason):
        """End all ringing legs."""
        for leg in call.ringing_legs:
            self.end_leg(call, leg, reason)

    def stop_searching(self, call, reason):
        """End ringing legs, menu and queue.

        :param int reason: for the ringing legs.
        """
        call.waves, call.waiting = [], ""
        for role in ("menu", "queue"):
            leg = call.live_role(role)
            if leg:
                self.end_leg(call, leg, LEFT)
        self.stop_ringing(call, reason)

    def fail_leg(self, call, leg, reason):
        """A ringing leg fails; the call goes on elsewhere or ends."""
        if leg.role in ("consult", "blind"):
            self.transfers.fail(call, leg, reason)
            return
        self.end_leg(call, leg, reason)
        staff = self.company.find_staff(leg.extension)
        forwards = leg.role == "member" and "acd_group" not in leg.callee
        forwards = forwards and staff and reason != BY_SYSTEM
        if not (forwards and self._forward(call, staff, leg, leg.extra)):
            self._go_on(call, reason)

    def _go_on(self, call, reason):
        """Ring the next members of the group, if nobody is rung any more."""
        if call.ringing_legs:
            return
        if call.waves:
            call.waves.pop(0)()
            return
        self._give_up(call, reason)

    def _give_up(self, call, reason):
        """Nobody answers: end the call, or let a routed caller come back once."""
        where = call.after_route or self.settings.after_route
        if not call.route or call.came_back or where == "end":
            self.finish(call, reason)
            return
        call.came_back = True
        last = call.legs[-1]
        if where == "menu":
            self._enter_menu(call, last)
            return
        call.queued = call.queued or where == "queue"
        self.ring(call, call.scheme, last)

    # -- legs and notifications ------------------------------------------------

    def add_leg(self, call, location, role, caller, callee, **options):
        leg = Leg(self.ids.leg(), location, role, caller, callee, **options)
        leg.started_at = self.clock.now()
        call.legs.append(leg)
        return leg

    def end_leg(self, call, leg, reason, **extra):
        leg.stop_timer()
        if leg.role == "menu" and call.timer:
            call.timer.cancel()
        leg.ended_at = self.clock.now()
        leg.reason = reason
        if leg.answered_at:
            for extension in filter(None, (leg.extension, leg.initiator)):
                self.company.find_staff(extension).free_since = leg.ended_at
        self.event(call, leg, DISCONNECTED, disconnect_reason=reason, **extra)
        self.serve_queues_soon()

    def event(self, call, leg, state, **extra):
        """Move a leg to ``state`` and notify (``mango-api.md`` 3.1)."""
        leg.seq += 1
        leg.state = state
        payload = {
            "entry_id": call.entry_id,
            "call_id": leg.call_id,
            "timestamp": int(self.clock.now()),
            "seq": leg.seq,
            "call_state": state,
            "location": leg.location,
            "from": leg.caller,
            "to": leg.callee,
            "dct": call.dct or {"type": 0},
            **leg.extra,
            **extra,
        }
        self.notifier.send("events/call", payload, call.delivery)
        self.changed()

    def from_party(self, call, taken_from=None):
        party = dict(call.caller)
        if call.direction == OUTBOUND:
            # Live samples have the line of an outgoing call here only.
            party["line_number"] = call.line
        if taken_from:
            party["taken_from_call_id"] = taken_from.call_id
        return party

    def to_party(self, call, staff):
        party = dict(staff.party)
        if call.direction == INBOUND:
            party["line_number"] = call.line
        if call.group and staff.extension in self._members(call.group):
            party["acd_group"] = call.group
        return party

    def _members(self, extension):
        group = self.company.find_group(extension)
        return group.members if group else []

    # -- the end ---------------------------------------------------------------

    def finish(self, call, reason, entry_result=None):
        """End the call and send its summary.

        :param int reason: for the legs that are still live and for the summary.
        :param int entry_result: overrides the one that follows from the conversation.
        """
        if not call.live:
            return
        call.waves, call.waiting = [], ""
        for leg in call.live_legs:
            self.end_leg(call, leg, reason)
        if call.timer:
            call.timer.cancel()
        call.ended_at = self.clock.now()
        call.reason = reason
        self.calls.remove(call)
        self.history.append(call)
        self.clock.call_later(
            SUMMARY_SECONDS, partial(self._summarise, call, entry_result)
        )
        self.changed()

    def _summarise(self, call, entry_result):
        if not call.without_summary:
            self.notifier.send(
                "events/summary", self.summary(call, entry_result), call.delivery
            )
        self.recordings.complete(call)

    def summary(self, call, entry_result=None):
        """Return the members of ``events/summary`` (``mango-api.md`` 3.2)."""
        talked = int(bool(call.talk_at))
        summary = {
            "entry_id": call.entry_id,
            "call_direction": call.direction,
            "from": dict(call.caller),
            "to": self._summary_to(call),
            "line_number": call.line,
            "create_time": int(call.created_at),
            "forward_time": int(self._forwarded(call)),
            "talk_time": int(call.talk_at),
            "end_time": int(call.ended_at),
            "entry_result": talked if entry_result is None else entry_result,
            "disconnect_reason": call.reason,
        }
        if not call.line:
            del summary["line_number"]
        return summary

    def _forwarded(self, call):
        if call.direction == INBOUND:
            return call.forwarded_at
        return call.created_at

    def _summary_to(self, call):
        if call.direction == INBOUND:
            party = call.talker.callee if call.talker else call.missed_by
            return {k: v for k, v in party.items() if k in ("extension", "number")}
        colleague = self.company.find_staff(call.client)
        return dict(colleague.party) if colleague else {"number": call.client}

    def clear(self):
        """Remove all calls without sending notifications."""
        for call in self.calls:
            for leg in call.legs:
                leg.stop_timer()
            if call.timer:
                call.timer.cancel()
        self.calls.clear()
        self.history.clear()
        self.changed()
