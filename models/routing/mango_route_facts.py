from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pytz import timezone, utc

from odoo import api, fields, models
from odoo.tools import SQL

from ..calls.mango_call_apply import RINGING_TIME
from ..calls.mango_call_leg import SHORT_TALK
from .decision import OWNERS, Facts, Person

#: A route command without a leg is disregarded after this time.
COMMAND_LIFE = timedelta(minutes=2)
#: A last call longer ago does not matter: everybody without one since is equally idle.
#: So the calls of a day are read, not the last one of each of hundreds of employees.
IDLE_WINDOW = timedelta(days=1)


@dataclass(frozen=True)
class Caller:
    """A caller and the line called; records may be empty.

    ``call`` is the call itself, if any: it does not make anybody busy.
    """

    account: Any
    partner: Any
    lead: Any
    number: str | None
    line: Any
    call: Any = None


@dataclass(frozen=True)
class Findings:
    """The facts of a decision, and the data needed to explain it.

    :param dict owner_of: by target, the name of the record that the owner comes from
    :param dict extension_ids: the ids of ``mango.extension`` by number
    :param frozenset step_ids: the steps that still exist: the plan is cached
    """

    facts: Facts
    owner_of: dict
    extension_ids: dict
    step_ids: frozenset


@dataclass(frozen=True)
class Calendar:
    """The working hours of a week, in hours from midnight."""

    tz: str
    is_flexible: bool
    is_two_weeks: bool
    is_holiday: bool
    attendances: tuple[tuple[str, float, float, str | None], ...]


class MangoRouteFacts(models.AbstractModel):
    """The facts for a routing decision, read in a handful of queries.

    Their number does not depend on the number of steps, people or calls, because a
    caller is listening to a greeting. Run as superuser. Unflushed changes of the
    current transaction are ignored: they concern the call itself, which does not make
    anybody busy.
    """

    _name = "mango.route.facts"
    _description = "Facts for Routing"

    @api.model
    def _read(self, caller, steps, moment=None, rung=frozenset(), since=0):
        """Return the facts about a caller and all people who may be rung.

        :param Caller caller: the caller.
        :param tuple[Step, ...] steps: the plan.
        :param datetime moment: UTC; by default now, taking into account who is on the
            phone.
        :param frozenset rung: whom the call has rung without an answer.
        :param int since: the position of the step that was rung last.
        :rtype: Findings
        """
        now = moment or fields.Datetime.now()
        row = self._caller_row(caller, steps)
        rows = self._people_rows(caller.account, now)
        calendars = self._calendars(caller.account, steps, rows, now)
        busy = self._busy(caller, rows) if moment is None else {}
        silent = self._unanswered(caller.account, now) if moment is None else {}
        people = self._people(rows, calendars, busy, silent, now)
        for user_id in row["gone"]:
            people[user_id] = Person(obstacle="left")
        facts = Facts(
            people=people,
            owners={target: row[target] for target in OWNERS if row[target]},
            last_spoken=self._last_spoken(row, now),
            is_known=bool(caller.partner or caller.lead),
            line=caller.line.id or None,
            tags=frozenset(row["tags"]),
            open_calendars=frozenset(
                calendar_id
                for calendar_id, calendar in calendars.items()
                if self._is_open(calendar, calendar.tz, now)
            ),
            rung=rung,
            since=since,
        )
        return Findings(
            facts,
            {target: row[f"{target}_of"] or "" for target in OWNERS},
            {one["number"]: one["id"] for one in rows},
            frozenset(row["steps"]),
        )

    def _rows(self, query):
        self.env.cr.execute(query)
        return self.env.cr.dictfetchall()

    # ------------------------------------------------------------
    # The caller
    # ------------------------------------------------------------

    def _caller_row(self, caller, steps):
        is_asked = any(step.target == "last_spoken" for step in steps)
        spoken = self._spoken_query(caller) if is_asked else None
        [row] = self._rows(
            SQL(
                """
                SELECT lead.user_id AS lead_owner, lead.name AS lead_owner_of,
                       partner.user_id AS contact_owner,
                       partner.name AS contact_owner_of,
                       company.user_id AS company_owner,
                       company.name AS company_owner_of,
                       ARRAY(
                           SELECT category_id
                             FROM res_partner_res_partner_category_rel
                            WHERE partner_id = partner.id
                       ) AS tags,
                       ARRAY(
                           SELECT person.id
                             FROM res_users AS person
                            WHERE person.id IN (
                                      lead.user_id, partner.user_id, company.user_id
                                  )
                              AND NOT person.active
                       ) AS gone,
                       ARRAY(
                           SELECT id FROM mango_route_step WHERE id = ANY(%(steps)s)
                       ) AS steps,
                       spoken.extension_id AS spoken_extension_id,
                       spoken.user_id AS spoken_user_id,
                       spoken.started_at AS spoken_at
                  FROM (SELECT 1) AS one
             LEFT JOIN crm_lead AS lead ON lead.id = %(lead_id)s
             LEFT JOIN res_partner AS partner ON partner.id = %(partner_id)s
             LEFT JOIN res_partner AS company
                    ON company.id = partner.commercial_partner_id
             LEFT JOIN (%(spoken)s) AS spoken ON TRUE
                """,
                lead_id=caller.lead.id or None,
                partner_id=caller.partner.id or None,
                steps=[step.id for step in steps],
                spoken=spoken
                or SQL(
                    "SELECT NULL::int AS extension_id, NULL::int AS user_id, "
                    "NULL::timestamp AS started_at"
                ),
            )
        )
        return row

    def _spoken_query(self, caller):
        """Return the query for the last talk with a client; None for hidden numbers."""
        if caller.partner:
            is_client = SQL("partner_id = %s", caller.partner.id)
        elif caller.number:
            is_client = SQL("client_number = %s", caller.number)
        else:
            return None
        return SQL(
            """
            SELECT extension_id, user_id, started_at
              FROM mango_call
             WHERE %s AND account_id = %s AND result = 'answered'
               AND extension_id IS NOT NULL
          ORDER BY started_at DESC
             LIMIT 1
            """,
            is_client,
            caller.account.id,
        )

    def _last_spoken(self, row, now):
        if not row["spoken_at"]:
            return None
        key = row["spoken_user_id"] or -row["spoken_extension_id"]
        return key, (now - row["spoken_at"]) / timedelta(days=1)

    # ------------------------------------------------------------
    # The people
    # ------------------------------------------------------------

    def _people_rows(self, account, now):
        """Return the extensions of a PBX with the data of their users."""
        return self._rows(
            SQL(
                """
                SELECT extension.id, extension.number, extension.user_id,
                       extension.substitute_id, person.active AS is_active,
                       settings.mango_status AS status,
                       settings.mango_away_until AS away_until,
                       ARRAY(
                           SELECT member.crm_team_id
                             FROM crm_team_member AS member
                             JOIN crm_team AS team ON team.id = member.crm_team_id
                            WHERE member.user_id = person.id
                              AND member.active AND team.active
                       ) AS teams,
                       last.started_at AS last_started_at,
                       last.ended_at AS last_ended_at,
                       last.talked_at AS last_talked_at,
                       EXISTS (
                           SELECT FROM resource_resource AS own
                             JOIN resource_calendar_leaves AS absence
                               ON absence.resource_id = own.id
                            WHERE own.user_id = person.id
                              AND own.company_id = extension.company_id
                              AND absence.time_type = 'leave'
                              AND absence.date_from <= %(now)s
                              AND absence.date_to > %(now)s
                       ) AS is_off,
                       %(employee_columns)s
                  FROM mango_extension AS extension
             LEFT JOIN res_users AS person ON person.id = extension.user_id
             LEFT JOIN res_users_settings AS settings ON settings.user_id = person.id
             LEFT JOIN (
                           SELECT extension_id, max(started_at) AS started_at,
                                  max(COALESCE(ended_at, started_at)) AS ended_at,
                                  max(started_at) FILTER (
                                      WHERE answered_at IS NOT NULL
                                  ) AS talked_at
                             FROM mango_call
                            WHERE account_id = %(account_id)s
                              AND started_at > %(since)s
                              AND (answered_at IS NOT NULL OR direction = 'outbound')
                         GROUP BY extension_id
                       ) AS last ON last.extension_id = extension.id
                       %(employee_joins)s
                 WHERE extension.account_id = %(account_id)s AND extension.active
              ORDER BY extension.number, extension.id
                """,
                account_id=account.id,
                now=now,
                since=now - IDLE_WINDOW,
                **self._employee_sql(account),
            )
        )

    def _employee_sql(self, account):
        """Return the SQL for the app Employees, if installed."""
        if "hr.employee" not in self.env:
            return {
                "employee_columns": SQL(
                    "NULL::int AS employee_id, NULL::int AS calendar_id, "
                    "NULL::varchar AS tz"
                ),
                "employee_joins": SQL(),
            }
        return {
            "employee_columns": SQL(
                "employee.id AS employee_id, resource.calendar_id, resource.tz"
            ),
            "employee_joins": SQL(
                """
                LEFT JOIN LATERAL (
                              SELECT id, resource_id
                                FROM hr_employee
                               WHERE user_id = person.id AND company_id = %s AND active
                            ORDER BY id
                               LIMIT 1
                          ) AS employee ON TRUE
                LEFT JOIN resource_resource AS resource
                       ON resource.id = employee.resource_id
                """,
                account.company_id.id,
            ),
        }

    def _people(self, rows, calendars, busy, silent, now):
        """Return everybody with an extension; the first one if there are several.

        :rtype: dict[int, Person]
        """
        keys = {row["id"]: row["user_id"] or -row["id"] for row in rows}
        own = {}
        for row in rows:
            own.setdefault(keys[row["id"]], []).append(row)
        people = {}
        for key, theirs in own.items():
            row = theirs[0]
            substitute_id = next(
                filter(None, (one["substitute_id"] for one in theirs)), None
            )
            # An employee without a calendar works whenever they like.
            is_flexible = row["employee_id"] and not row["calendar_id"]
            calendar = None if is_flexible else calendars.get(row["calendar_id"])
            people[key] = Person(
                extension=row["number"],
                obstacle=self._obstacle(theirs, busy, silent, now),
                is_off_hours=calendar is not None
                and not self._is_open(calendar, row["tz"] or calendar.tz, now),
                substitute=substitute_id and keys.get(substitute_id, -substitute_id),
                teams=frozenset(row["teams"]),
                idle_since=max(
                    self._epoch(one["last_ended_at"] or one["last_started_at"])
                    for one in theirs
                ),
            )
        return people

    def _obstacle(self, rows, busy, silent, now):
        """Return the code of the reason why somebody cannot be rung, or None."""
        row = rows[0]
        if row["user_id"] and not row["is_active"]:
            return "left"
        for one in rows:
            if state := busy.get(one["number"]):
                return state
        if row["status"] == "dnd":
            return "dnd"
        if row["status"] == "away" and (
            not row["away_until"] or row["away_until"] > now
        ):
            return "away"
        if row["is_off"]:
            return "time_off"
        for one in rows:
            last_call = one["last_started_at"] or datetime.min
            if silent.get(one["number"], datetime.min) > last_call:
                return "unanswered"
        return None

    def _epoch(self, moment):
        return moment.replace(tzinfo=utc).timestamp() if moment else 0

    # ------------------------------------------------------------
    # Who is on the phone
    # ------------------------------------------------------------

    def _busy(self, caller, people):
        """Return the extensions that are busy with other calls.

        The target of another routed call counts although its phone does not ring yet:
        two callers of one manager may call within a second. If the end of a call was
        lost, nobody is busy with it once they have talked in a later call, or once it
        has been ringing for longer than any phone rings, as on the board
        (:meth:`mango.call.leg._live_by_extension`).

        :param list[dict] people: of :meth:`_people_rows`, with their last talks: a
            search for them here would read the calls of hours.
        :return: ``talking`` or ``ringing``, by extension.
        :rtype: dict[str, str]
        """
        rows = self._rows(
            SQL(
                """
                SELECT leg.from_extension, leg.to_extension,
                       leg.state != 'appeared' AS is_talking,
                       -- The PBX's clock, or ours: whichever is later.
                       GREATEST(leg.started_at, leg.write_date) AS heard_at
                  FROM mango_call AS call
                  JOIN mango_call_leg AS leg ON leg.call_id = call.id
                 WHERE call.state != 'ended' AND call.account_id = %(account_id)s
                   AND call.id != %(call_id)s
                   AND (
                        leg.state IN ('connected', 'onhold')
                        OR leg.state = 'appeared'
                           AND GREATEST(leg.started_at, leg.write_date) > %(rung_since)s
                   )
             UNION ALL
                SELECT NULL, extension.number, FALSE, NULL
                  FROM mango_call AS call
                  JOIN mango_extension AS extension
                    ON extension.id = call.routed_extension_id
                 WHERE call.state = 'ringing' AND call.account_id = %(account_id)s
                   AND call.id != %(call_id)s
                   AND call.route_state IN ('none', 'sent', 'accepted')
                   -- Every notification writes to its call.
                   AND call.write_date > %(since)s
                   AND NOT EXISTS (
                           SELECT FROM mango_call_leg AS leg
                            WHERE leg.call_id = call.id
                              AND leg.to_extension = extension.number
                              AND leg.state = 'disconnected'
                       )
                """,
                account_id=caller.account.id,
                call_id=caller.call.id if caller.call else 0,
                since=fields.Datetime.now() - COMMAND_LIFE,
                rung_since=fields.Datetime.now() - RINGING_TIME,
            )
        )
        last_talks = {one["number"]: one["last_talked_at"] for one in people}
        busy = {}
        for row in sorted(rows, key=lambda row: row["is_talking"]):
            for number in {row["from_extension"], row["to_extension"]} - {None}:
                if not self._is_talk_lost(row, last_talks.get(number)):
                    busy[number] = "talking" if row["is_talking"] else "ringing"
        return busy

    def _is_talk_lost(self, row, last_talk):
        """Tell whether the end of somebody's talk was not reported.

        :param dict row: of a leg.
        :param datetime last_talk: the start of their last talk; None without one.
        :rtype: bool
        """
        if not row["is_talking"] or not last_talk:
            return False
        is_short = row["heard_at"] > fields.Datetime.now() - SHORT_TALK
        return not is_short and last_talk > row["heard_at"]

    def _unanswered(self, account, now):
        """Return since when too many routed calls were not answered.

        :return: by extension, the start of the call that began the series; an extension
            that has not reached the limit is missing.
        :rtype: dict[str, datetime]
        """
        limit = account.route_unanswered_limit
        if not limit:
            return {}
        rows = self._rows(
            SQL(
                """
                SELECT entry ->> 'extension' AS number,
                       (array_agg(call.started_at ORDER BY call.started_at DESC)
                       )[%(limit)s] AS since
                  FROM mango_call AS call,
                       jsonb_array_elements(call.route_trace) AS entry
                 WHERE call.account_id = %(account_id)s AND call.route_attempts > 0
                   AND call.started_at > %(since)s AND call.started_at <= %(now)s
                   AND entry ->> 'verdict' = 'passed'
                   AND entry ->> 'reason' = 'no_answer'
                   -- A group, or an outside number, has no extension.
                   AND entry ->> 'extension' IS NOT NULL
              GROUP BY 1
                HAVING count(*) >= %(limit)s
                """,
                account_id=account.id,
                limit=limit,
                since=now - timedelta(minutes=account.route_unanswered_minutes),
                now=now,
            )
        )
        return {row["number"]: row["since"] for row in rows}

    # ------------------------------------------------------------
    # Working hours
    # ------------------------------------------------------------

    def _calendars(self, account, steps, rows, now):
        """Return the relevant working hours by calendar id.

        :return: the company's are also under None.
        :rtype: dict[int | None, Calendar]
        """
        if not any(step.only_working_hours or step.hours != "any" for step in steps):
            return {}
        ids = {
            *(step.calendar for step in steps),
            *(row["calendar_id"] for row in rows),
        } - {None}
        calendars = {}
        for row in self._calendar_rows(account, ids, now):
            calendar = Calendar(
                tz=row["tz"],
                is_flexible=row["is_flexible"],
                is_two_weeks=row["is_two_weeks"],
                is_holiday=row["is_holiday"],
                attendances=tuple(map(tuple, row["attendances"] or ())),
            )
            calendars[row["id"]] = calendar
            if row["is_companys"]:
                calendars[None] = calendar
        return calendars

    def _calendar_rows(self, account, ids, now):
        """Return the data of some calendars, and of the company's.

        :param set[int] ids: of ``resource.calendar``.
        :rtype: list[dict]
        """
        return self._rows(
            SQL(
                """
                SELECT calendar.id, calendar.tz,
                       company.id IS NOT NULL AS is_companys,
                       calendar.schedule_type = 'flexible' AS is_flexible,
                       COALESCE(calendar.two_weeks_calendar, FALSE) AS is_two_weeks,
                       EXISTS (
                           SELECT FROM resource_calendar_leaves AS holiday
                            WHERE holiday.resource_id IS NULL
                              AND holiday.time_type = 'leave'
                              AND (holiday.calendar_id = calendar.id
                                   OR holiday.calendar_id IS NULL
                                      AND holiday.company_id = %(company_id)s)
                              AND holiday.date_from <= %(now)s
                              AND holiday.date_to > %(now)s
                       ) AS is_holiday,
                       (SELECT jsonb_agg(jsonb_build_array(
                                   dayofweek, hour_from, hour_to, week_type))
                          FROM resource_calendar_attendance AS attendance
                         WHERE attendance.calendar_id = calendar.id
                           AND attendance.display_type IS NULL
                           AND attendance.day_period != 'lunch'
                       ) AS attendances
                  FROM resource_calendar AS calendar
             LEFT JOIN res_company AS company
                    ON company.resource_calendar_id = calendar.id
                   AND company.id = %(company_id)s
                 WHERE calendar.id = ANY(%(ids)s) OR company.id IS NOT NULL
                """,
                company_id=account.company_id.id,
                now=now,
                ids=list(ids),
            )
        )

    def _is_open(self, calendar, tz, now):
        """Tell whether a moment is within working hours.

        :param Calendar calendar: the working hours.
        :param str tz: their time zone.
        :param datetime now: UTC.
        :rtype: bool
        """
        if calendar.is_holiday:
            return False
        if calendar.is_flexible:
            return True
        local = utc.localize(now).astimezone(timezone(tz or "UTC"))
        hour = local.hour + local.minute / 60 + local.second / 3600
        week = str(self.env["resource.calendar.attendance"].get_week_type(local.date()))
        return any(
            day == str(local.weekday())
            and hour_from <= hour < hour_to
            and (not calendar.is_two_weeks or week_type in (None, week))
            for day, hour_from, hour_to, week_type in calendar.attendances
        )
