"""A plausible past month of calls that only the statistics know (``--history``).

Every day is made from a random generator of its own, seeded with the date: a restarted
simulator repeats the same calls with the same ids. Whoever looks before the day has
begun, or at a weekend, gets a :class:`BusyToday` for today.
"""

import base64
import heapq
import itertools
import random
from datetime import datetime, timedelta, timezone
from functools import partial

from .legs import (
    DESK,
    DISCONNECTED,
    INBOUND,
    INTERNAL,
    MENU,
    OUTBOUND,
    Call,
    Leg,
)

DAYS = 30
SEED = "romashka"
MOSCOW = timezone(timedelta(hours=3))

#: calls that begin in each hour of a day, relative to each other
BUSY_HOURS = {
    8: 2,
    9: 9,
    10: 14,
    11: 15,
    12: 11,
    13: 7,
    14: 11,
    15: 13,
    16: 11,
    17: 7,
    18: 3,
    19: 1,
    20: 1,
}
OPEN_HOURS = range(9, 19)
#: mean number of calls by weekday, Monday first
CALLS = (129, 120, 117, 119, 106, 27, 12)
SATURDAY = 5
KINDS = {"inbound": 64, "outbound": 29, "internal": 7}
#: share of the inbound calls by position of the line in the directory
LINES = (40, 24, 8, 16, 12)
SALES, SUPPORT = ("101", "102", "103"), ("104", "0511")
DIALLING = (*SALES, *SUPPORT, "105")
ON_DUTY = ("103", "104")  # at weekends
#: a day is worth looking at from this hour
LATE = 12
RECENT_HOURS, CALLS_AN_HOUR = 3, 9

#: the manager of a customer, as in Odoo's demo data; rung alone while free
MANAGERS = {
    "74950000200": "101",
    "74950000201": "101",
    "74950000203": "102",
    "74950000205": "103",
    "74950000206": "102",
    "74950000207": "104",
}

#: numbers of customers who are not in ``company.json``
STRANGERS = [f"7495000{number}" for number in range(1000, 1420)]
ANONYMOUS, KNOWN = 0.02, 0.35
LEFT_IN_MENU, PICKED_UP, PICKED_UP_ALONE = 0.04, 0.9, 0.76
PICKED_UP_BY_MANAGER = 0.84
CALLED_BACK, CALLED_AGAIN = 0.6, 0.2
CLIENT_ANSWERS, TRANSFERRED, RECORDED, ORDERED = 0.7, 0.08, 0.4, 0.5

DONE, LEFT, CALLER_HUNG_UP, NO_ANSWER, CALLEE_HUNG_UP = 1000, 1100, 1110, 1111, 1120
BUSY, NOBODY_AVAILABLE, BY_SCHEME, ANOTHER_ASSIGNED = 1121, 1164, 1170, 1183


def past_calls(company, recordings, now):
    """Return the finished calls of the past month, oldest first.

    :param Company company: whose calls they are.
    :param Recordings recordings: to store their recordings in.
    :param float now: end of the month, in seconds since the epoch.
    :rtype: list[~.legs.Call]
    """
    moment = datetime.fromtimestamp(now, MOSCOW)
    today = moment.date()
    calls = []
    for ago in range(DAYS, 0, -1):
        calls += Day(company, recordings, today - timedelta(days=ago)).play(now)
    if moment.hour < LATE or moment.weekday() >= SATURDAY:
        day = BusyToday(company, recordings, today, moment.hour)
    else:
        day = Day(company, recordings, today)
    return calls + day.play(now)


class Day:
    """One day of the company.

    :param Company company: the company.
    :param Recordings recordings: to store the recordings in.
    :param datetime.date date: the day, in Moscow.
    """

    def __init__(self, company, recordings, date):
        self._company = company
        self._recordings = recordings
        self._date = date
        self._name = f"{date:%Y%m%d}"
        self._rng = random.Random(f"{SEED} {date}")
        midnight = datetime(date.year, date.month, date.day, tzinfo=MOSCOW)
        self._midnight = midnight.timestamp()
        self._numbers = itertools.count(1)
        self._busy_until = {}
        self._events = []
        self._order_of_events = itertools.count()
        self._calls = []
        self._recorded = []

    def play(self, until):
        """Return the calls that are over at ``until``, oldest first."""
        self._plan()
        while self._events and self._events[0][0] < until:
            moment, _order, action = heapq.heappop(self._events)
            action(moment)
        calls = [call for call in self._calls if call.ended_at < until]
        for call, leg in self._recorded:
            if call.ended_at < until:
                self._recordings.add_past(self._id("r", leg.call_id), call, leg)
        return sorted(calls, key=lambda call: call.created_at)

    def _plan(self):
        actions = {
            "inbound": self._inbound,
            "outbound": self._outbound,
            "internal": self._internal,
        }
        for hour in self._busy_hours():
            kind = self._pick(KINDS)
            seconds = hour * 3600 + self._rng.uniform(0, 3600)
            self._at(self._midnight + seconds, actions[kind])

    def _busy_hours(self):
        """Return the hour in which each call begins."""
        mean = CALLS[self._date.weekday()]
        count = max(round(self._rng.gauss(mean, mean / 12)), 0)
        hours, weights = list(BUSY_HOURS), list(BUSY_HOURS.values())
        return self._rng.choices(hours, weights, k=count)

    def _at(self, moment, action):
        heapq.heappush(self._events, (moment, next(self._order_of_events), action))

    # -- inbound ---------------------------------------------------------------

    def _inbound(self, moment, client=None):
        line = self._rng.choices(self._company.lines, LINES)[0]
        if client is None and self._rng.random() >= ANONYMOUS:
            client = self._client()
        call = self._call(INBOUND, client, line.number, moment)
        call.caller = {"number": client} if client else {}
        call.scheme = line.group
        menu = self._menu(call, moment + self._rng.uniform(4, 12))
        if self._rng.random() < LEFT_IN_MENU or not self._is_open(moment):
            self._end(call, menu.ended_at, BY_SCHEME)
            menu.reason = BY_SCHEME
            self._missed(call)
            return
        call.forwarded_at = menu.ended_at
        manager = MANAGERS.get(client)
        if manager and self._free([manager], call.forwarded_at):
            call.missed_by = {"extension": manager}
            self._ring(call, menu, [manager], PICKED_UP_BY_MANAGER)
            return
        group = self._company.find_group(line.group)
        free = self._free(group.members, call.forwarded_at)
        call.group = group.extension
        call.missed_by = {"extension": free[0] if free else group.extension}
        if not free:
            self._end(call, call.forwarded_at + 1, NOBODY_AVAILABLE)
            self._missed(call)
            return
        picked_up = PICKED_UP if len(free) > 1 else PICKED_UP_ALONE
        self._ring(call, menu, free, picked_up)

    def _menu(self, call, until):
        callee = {"number": call.line, "line_number": call.line}
        menu = self._leg(call, MENU, "menu", dict(call.caller), callee)
        self._times(menu, call.created_at, 0, until, LEFT)
        return menu

    def _ring(self, call, menu, free, picked_up):
        """Ring telephones; ``picked_up`` is the probability of an answer."""
        if self._rng.random() < picked_up:
            self._answer(call, menu, free)
        else:
            self._ring_in_vain(call, menu, free)

    def _ring_in_vain(self, call, menu, free):
        ended = call.forwarded_at + self._rng.uniform(9, 40)
        reason = self._rng.choice((CALLER_HUNG_UP, NO_ANSWER))
        for extension in free:
            leg = self._member(call, menu, extension)
            self._times(leg, call.forwarded_at, 0, ended, reason)
        self._end(call, ended, reason)
        self._missed(call)

    def _answer(self, call, menu, free):
        answered = call.forwarded_at + min(2 + self._rng.expovariate(1 / 7), 40)
        chosen = self._rng.choice(free)
        for extension in free:
            leg = self._member(call, menu, extension)
            if extension != chosen:
                start = call.forwarded_at
                self._times(leg, start, 0, answered, ANOTHER_ASSIGNED)
                continue
            call.talker = leg
        ended = answered + self._talk_seconds()
        call.talk_at = answered
        leg = call.talker
        reason = self._rng.choice((CALLER_HUNG_UP, CALLEE_HUNG_UP))
        self._times(leg, call.forwarded_at, answered, ended, reason)
        self._occupy(chosen, ended)
        self._record(call, leg)
        if self._rng.random() < TRANSFERRED:
            ended = self._transfer(call, leg)
        self._end(call, ended, reason)

    def _transfer(self, call, source):
        """Hand a conversation over to a colleague.

        :return: the end of the second conversation.
        """
        start = source.ended_at
        colleagues = [e for e in (*SALES, *SUPPORT) if e != source.extension]
        free = self._free(colleagues, start)
        if not free:
            return start
        extension = self._rng.choice(free)
        source.reason = CALLEE_HUNG_UP
        leg = self._member(call, source, extension)
        leg.callee.pop("acd_group", None)
        answered = start + self._rng.uniform(2, 12)
        ended = answered + self._talk_seconds()
        self._times(leg, start, answered, ended, CALLER_HUNG_UP)
        self._occupy(extension, ended)
        self._record(call, leg)
        call.talker = leg
        return ended

    def _missed(self, call):
        """Let somebody call a missed customer back, or the customer call again."""
        if not call.client:
            return
        chance = self._rng.random()
        if chance < CALLED_AGAIN:
            moment = call.ended_at + self._rng.uniform(90, 900)
            self._at(moment, partial(self._inbound, client=call.client))
        elif chance < CALLED_AGAIN + CALLED_BACK:
            moment = call.ended_at + self._rng.uniform(240, 5400)
            self._at(moment, partial(self._outbound, missed=call))

    # -- outbound and internal -------------------------------------------------

    def _outbound(self, moment, missed=None):
        free = self._free(DIALLING, moment)
        if not free:
            return
        extension = self._rng.choice(free)
        client = missed.client if missed else self._client()
        line = self._company.lines[0].number
        call = self._call(OUTBOUND, client, line, moment)
        start = self._order(call, extension) if missed else moment
        answers = self._rng.random() < CLIENT_ANSWERS
        self._talk(call, extension, {"number": client}, start, answers)
        if missed:
            missed.recall_status = int(answers)

    def _order(self, call, extension):
        """Make the call a callback: the employee's telephone rings first.

        :return: the moment when it was answered.
        """
        staff = self._company.find_staff(extension)
        command_id = f"past-{call.entry_id}"
        call.command = {"command_id": command_id, "callback_initiator": "API"}
        client = {"number": call.client}
        leg = self._leg(call, DESK, "initiator", client, dict(staff.party))
        answered = call.created_at + self._rng.uniform(2, 8)
        self._times(leg, call.created_at, answered, answered + 1, DONE)
        return answered + 1

    def _internal(self, moment):
        free = self._free(DIALLING, moment)
        if len(free) < 2:
            return
        extension, colleague = self._rng.sample(free, 2)
        call = self._call(INTERNAL, colleague, "", moment)
        answers = self._rng.random() < CLIENT_ANSWERS
        party = dict(self._company.find_staff(colleague).party)
        self._talk(call, extension, party, moment, answers)
        self._occupy(colleague, call.ended_at)

    def _talk(self, call, extension, callee, start, answers):
        """Ring somebody for an employee, who may answer."""
        staff = self._company.find_staff(extension)
        call.employee, call.caller = extension, dict(staff.party)
        leg = self._leg(call, DESK, "client", dict(staff.party), callee)
        if answers:
            call.talk_at = start + self._rng.uniform(3, 18)
            call.talker = leg
            ended = call.talk_at + self._talk_seconds()
            reason = self._rng.choice((CALLER_HUNG_UP, CALLEE_HUNG_UP))
            self._record(call, leg)
        else:
            ended = start + self._rng.uniform(4, 35)
            reason = self._rng.choice((BUSY, NO_ANSWER, CALLER_HUNG_UP))
        self._times(leg, start, call.talk_at, ended, reason)
        self._end(call, ended, reason)
        self._occupy(extension, ended)

    # -- parts -----------------------------------------------------------------

    def _pick(self, weights):
        return self._rng.choices(list(weights), list(weights.values()))[0]

    def _client(self):
        """Return a customer's number; some customers call more often than others."""
        if self._rng.random() < KNOWN:
            return self._rng.choice(self._company.contacts)["number"]
        share = self._rng.random() ** 2
        return STRANGERS[int(share * len(STRANGERS))]

    def _talk_seconds(self):
        return min(max(self._rng.lognormvariate(4.7, 0.8), 8), 1500)

    def _is_open(self, moment):
        hour = (moment - self._midnight) // 3600
        return hour in OPEN_HOURS

    def _free(self, extensions, moment):
        """Return those who are at work and not on a call."""
        if not self._is_open(moment):
            return []
        return [
            extension
            for extension in extensions
            if self._busy_until.get(extension, 0) <= moment
            and self._is_on_duty(extension)
        ]

    def _is_on_duty(self, extension):
        return self._date.weekday() < SATURDAY or extension in ON_DUTY

    def _occupy(self, extension, until):
        before = self._busy_until.get(extension, 0)
        self._busy_until[extension] = max(before, until)

    def _call(self, direction, client, line, moment):
        number = f"{self._name}{next(self._numbers):04}"
        call = Call(
            entry_id=self._id("e", number),
            direction=direction,
            client=client,
            line=line,
            created_at=moment,
        )
        self._calls.append(call)
        return call

    def _member(self, call, taken_from, extension):
        caller = {**call.caller, "taken_from_call_id": taken_from.call_id}
        party = self._company.find_staff(extension).party
        callee = {**party, "line_number": call.line}
        if call.group:
            callee["acd_group"] = call.group
        return self._leg(call, DESK, "member", caller, callee)

    def _leg(self, call, location, role, caller, callee):
        call_id = self._id("l", f"{call.entry_id}{len(call.legs)}")
        leg = Leg(call_id, location, role, caller, callee, state=DISCONNECTED)
        call.legs.append(leg)
        return leg

    @staticmethod
    def _times(leg, started, answered, ended, reason):
        leg.started_at, leg.answered_at = started, answered
        leg.ended_at, leg.reason = ended, reason

    @staticmethod
    def _end(call, moment, reason):
        call.ended_at, call.reason = moment, reason

    def _record(self, call, leg):
        if self._rng.random() < RECORDED:
            self._recorded.append((call, leg))

    @staticmethod
    def _id(kind, text):
        return base64.b64encode(f"past:{kind}:{text}".encode()).decode()


class BusyToday(Day):
    """Today for whoever looks when nobody is at work: the hours before are busy.

    Its calls have ids of their own: the same day looked at later is a usual one.

    :param int hour: that has begun.
    """

    def __init__(self, company, recordings, date, hour):
        super().__init__(company, recordings, date)
        self._name += f"h{hour:02}"
        self._hours = range(max(hour - RECENT_HOURS, 0), hour + 1)

    def _busy_hours(self):
        return [hour for hour in self._hours for _call in range(CALLS_AN_HOUR)]

    def _is_open(self, moment):
        return True

    def _is_on_duty(self, extension):
        return True
