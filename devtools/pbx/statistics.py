"""Statistics over finished calls (``mango-api.md`` 6.5 and 6.6)."""

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from .legs import INBOUND, INTERNAL, OUTBOUND
from .refusals import Refused, required

MOSCOW = timezone(timedelta(hours=3))
DATE_FORMAT = "%d.%m.%Y %H:%M:%S"
LONGEST = timedelta(days=30)
LIMITS = (1, 5, 10, 20, 50, 100, 500, 1000, 2000, 5000)
#: statistics count directions differently from ``events/summary``
CONTEXT_TYPES = {INBOUND: 1, OUTBOUND: 2, INTERNAL: 3}

BAD_PARAMETERS, MISSING, WRONG, BAD_DATES = 3100, 3103, 3104, 3111

CSV_DEFAULT = (
    "records,start,finish,answer,from_extension,from_number,to_extension,to_number,"
    "disconnect_reason,line_number,location"
)


@dataclass
class Job:
    """A requested report; ``polls`` counts how often its result was asked for."""

    rows: list
    polls: int = 0
    fields: tuple = ()


class Statistics:
    """Reports: created on request, ready after some polls."""

    def __init__(self, exchange):
        self._exchange = exchange
        self._recordings = exchange.recordings
        self._jobs = {}
        self._keys = itertools.count(1)
        #: number of polls of the extended report that are still answered 204
        self.empty_polls = 0

    def clear(self):
        self._jobs.clear()
        self.empty_polls = 0

    # -- extended --------------------------------------------------------------

    def request_calls(self, params):
        """``stats/calls/request``.

        :raise Refused: 3103, 3104 for what is missing or malformed; 3100 with 3111 for
            a period of 30 days or more.
        """
        start, end = (
            self._moment(params, "start_date"),
            self._moment(params, "end_date"),
        )
        limit = self._number(params, "limit")
        offset = self._number(params, "offset")
        if limit not in LIMITS:
            raise Refused(WRONG, "limit is not one of those allowed", {"limit": WRONG})
        if end < start or end - start >= LONGEST:
            raise Refused(BAD_PARAMETERS, "Bad period", {"end_date": BAD_DATES})
        calls = [c for c in self._between(start, end) if self._wanted(c, params)]
        page = calls[offset : offset + limit]
        return {"key": self._keep(Job([self.describe(call) for call in page]))}

    def result_calls(self, params):
        """``stats/calls/result``.

        :return: the reply, or ``None`` for HTTP 204. The first poll returns no data,
        the
            second a part, the third everything.
        """
        key = required(params, "key")
        job = self._jobs.get(key)
        if not job:
            return {"result": 1000, "status": "not-found", "data": []}
        if self.empty_polls:
            self.empty_polls -= 1
            return None
        job.polls += 1
        if job.polls == 1:
            return {"result": 1000, "status": "request", "data": []}
        if job.polls == 2:
            half = job.rows[: len(job.rows) // 2]
            return {"result": 1000, "status": "work", "data": self._by_day(half)}
        return {"result": 1000, "status": "complete", "data": self._by_day(job.rows)}

    def describe(self, call):
        """Return one entry of the extended report."""
        employee = self._exchange.company.find_staff(call.employee)
        return {
            "entry_id": call.entry_id,
            "context_type": CONTEXT_TYPES[call.direction],
            "context_status": int(bool(call.talk_at)),
            "caller_id": employee.user_id if employee else None,
            "caller_name": employee.name if employee else "",
            "caller_number": call.caller.get("number", ""),
            "called_number": call.line if not call.employee else call.client,
            "context_start_time": self._told(call.created_at),
            "duration": int(call.ended_at) - int(call.created_at),
            "talk_duration": self._span(call.talk_at, call.ended_at),
            "context_init_type": 4 if "callback_initiator" in call.command else 0,
            "recall_status": call.recall_status,
            "context_calls": self._context_calls(call),
        }

    def _context_calls(self, call):
        recordings = self._recordings.of(call)
        desks = [leg for leg in call.legs if leg.location == "abonent"]
        grouped = [leg for leg in desks if "acd_group" in leg.callee]
        legs = [self._leg(call, leg, recordings) for leg in desks if leg not in grouped]
        group = self._exchange.company.find_group(call.group)
        if not grouped and not (group and not desks):
            return legs
        members = [self._leg(call, leg, recordings) for leg in grouped]
        return [self._group_leg(call, group, grouped, members), *legs]

    def _group_leg(self, call, group, legs, members):
        """The leg of a group with those rung; empty if nobody was available (4.2)."""
        answered = min((leg.answered_at for leg in legs if leg.answered_at), default=0)
        started = min((leg.started_at for leg in legs), default=call.ended_at)
        ended = max((leg.ended_at for leg in legs), default=call.ended_at)
        return {
            "call_type": "group",
            "call_abonent_id": group.id,
            "call_abonent_info": group.name,
            "call_abonent_number": None,
            "call_abonent_extension": group.extension,
            **self._times(started, answered, ended),
            "call_end_reason": call.reason,
            "recording_id": [],
            "external_call_id": call.legs[0].call_id if call.legs else "",
            "DirectionInbound": True,
            "ModeGroup": True,
            "members": members,
        }

    def _leg(self, call, leg, recordings):
        staff = self._exchange.company.find_staff(leg.extension)
        return {
            "call_type": "user" if staff else "number",
            "call_abonent_id": staff.user_id if staff else None,
            "call_abonent_info": staff.name if staff else "",
            "call_abonent_number": leg.callee.get("number"),
            "call_abonent_extension": leg.extension or None,
            **self._times(leg.started_at, leg.answered_at, leg.ended_at),
            "call_end_reason": leg.reason,
            "recording_id": [r.id for r in recordings if r.leg is leg and r.added],
            "external_call_id": leg.call_id,
            "DirectionInbound": call.direction == INBOUND,
            "ModeConversation": True,
            "members": None,
        }

    def _times(self, started, answered, ended):
        return {
            "call_start_time": self._told(started),
            "call_answer_time": self._told(answered) if int(answered) else None,
            "call_end_time": self._told(ended),
            "call_duration": self._span(started, ended),
            "talk_duration": self._span(answered, ended),
            "dial_duration": self._span(started, answered or ended),
            "hold_duration": None,
        }

    def _told(self, moment):
        """Return a time as the statistics tell it."""
        return int(moment) + self._exchange.settings.statistics_shift

    @staticmethod
    def _span(start, end):
        return max(int(end) - int(start), 0) if start else 0

    def _between(self, start, end):
        first, last = start.timestamp(), end.timestamp()
        settings = self._exchange.settings
        calls = self._exchange.history if settings.in_statistics else ()
        found = [call for call in calls if first <= self._told(call.created_at) <= last]
        return sorted(found, key=lambda call: call.created_at)

    def _wanted(self, call, params):
        types = params.get("context_type")
        types = types if isinstance(types, list) else [types]
        if types != [None] and CONTEXT_TYPES[call.direction] not in map(int, types):
            return False
        status = params.get("context_status")
        return status is None or bool(call.talk_at) == bool(int(status))

    @staticmethod
    def _by_day(items):
        def day(item):
            moment = datetime.fromtimestamp(item["context_start_time"], MOSCOW)
            return moment.strftime("%Y-%m-%d")

        days = []
        for period, group in itertools.groupby(items, day):
            members = list(group)
            days.append(
                {
                    "period": period,
                    "total_calls_count": len(members),
                    "total_calls_duration": sum(i["duration"] for i in members),
                    "total_talks_duration": sum(i["talk_duration"] for i in members),
                    "list": members,
                }
            )
        return days

    def _moment(self, params, name):
        """Parse Moscow wall time; other formats are refused, including ISO dates."""
        text = required(params, name)
        try:
            return datetime.strptime(text, DATE_FORMAT).replace(tzinfo=MOSCOW)
        except ValueError:
            raise Refused(WRONG, f"{name}: bad date", {name: WRONG}) from None

    @staticmethod
    def _number(params, name):
        value = required(params, name, (int, str))
        if not str(value).isdigit():
            raise Refused(WRONG, f"{name} is not a number", {name: WRONG})
        return int(value)

    # -- basic -----------------------------------------------------------------

    def request_csv(self, params):
        """``stats/request``; the ready report is announced as ``result/stat``."""
        start = self._number(params, "date_from")
        end = self._number(params, "date_to")
        if end < start or end - start > 31 * 86400:
            raise Refused(BAD_PARAMETERS, "Bad period", {"date_to": BAD_DATES})
        fields = params.get("fields") or CSV_DEFAULT
        names = fields.split(",") if isinstance(fields, str) else list(fields)
        rows = [
            self._csv_leg(call, leg)
            for call in self._exchange.history
            for leg in call.legs
            if start <= leg.started_at <= end
        ]
        unknown = [name for name in names if rows and name not in rows[0]]
        if unknown:
            raise Refused(WRONG, f"No such column: {unknown[0]}", {"fields": WRONG})
        key = self._keep(Job(rows, fields=tuple(names)))
        payload = {"key": key, "request_id": str(params.get("request_id", ""))}
        self._exchange.clock.call_later(
            1, lambda: self._exchange.notifier.send("result/stat", payload)
        )
        return {"key": key}

    def result_csv(self, params):
        """``stats/result``.

        :return: HTTP status and text: 404 for an unknown key, 204 at the first poll.
        """
        job = self._jobs.get(required(params, "key"))
        if not job or not job.fields:
            return 404, ""
        job.polls += 1
        if job.polls == 1:
            return 204, ""
        lines = (";".join(str(row[name]) for name in job.fields) for row in job.rows)
        return 200, "".join(f"{line}\r\n" for line in lines)

    def _csv_leg(self, call, leg):
        recordings = self._recordings.of(call)
        ids = ",".join(r.id for r in recordings if r.leg is leg and r.added)
        return {
            "records": f"[{ids}]",
            "start": int(leg.started_at),
            "finish": int(leg.ended_at),
            "answer": int(leg.answered_at),
            "from_extension": leg.initiator,
            "from_number": leg.caller.get("number", ""),
            "to_extension": leg.extension,
            "to_number": leg.callee.get("number", ""),
            "disconnect_reason": leg.reason,
            "line_number": call.line,
            "location": leg.location,
            "create": int(call.created_at),
            "entry_id": call.entry_id,
        }

    def _keep(self, job):
        key = f"report-{next(self._keys)}"
        self._jobs[key] = job
        return key
