"""Import of calls from the PBX's statistics, over HTTP."""

import json
from collections import Counter
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from unittest.mock import patch

from freezegun import freeze_time
from psycopg2.errors import UniqueViolation

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import RecordCapturer, tagged
from odoo.tools import mute_logger

from ...models.calls.mango_call_apply import QUIET_TIME
from ...models.history import mango_statistics_import as mango_history_fetch
from ...models.history.mango_statistics_import import (
    KEPT_TIME,
    LONG_OVERLAP,
    MAX_ATTEMPTS,
    MAX_POLLS,
    OVERLAP,
    RUN_TIME,
)
from ...vpbx.errors import LockedOutError
from ...vpbx.statistics import KIND
from ..calls.test_call_apply import utc
from ..common import MangoCase, failing_for
from ..pbx_answers import BALANCE, USERS, pbx_user
from ..statistics_entries import answered, entry, of_scenario, person, user_ref
from ..vpbx_scenarios import (
    CLIENT,
    LINE,
    T0,
    inbound_answered,
    menu,
    missed_by_group,
    missed_off_duty,
)

ORDER = "stats/calls/request"
RESULT = "stats/calls/result"
CRON = "ir_cron_reconcile_statistics"
EVENT_LOGGER = "odoo.addons.mango_office.models.inbox.mango_event"
DATE = "%d.%m.%Y %H:%M:%S"
MOSCOW = timezone(timedelta(hours=3))
START = utc(T0) - timedelta(hours=1)
START_TEXT = "01.01.2026 11:00:00"
NOON = utc(T0) + timedelta(hours=2)
DAY = timedelta(days=1)
#: The fields that do not depend on the source of the call.
SAME_FACTS = (
    "direction",
    "result",
    "extension_id",
    "user_id",
    "group_number",
    "group_id",
    "rung_extension_ids",
    "owner_id",
    "user_ids",
)


class Statistics:
    """The PBX's statistics: a report for every request, ready at the second poll."""

    def __init__(self, pbx):
        self.calls = []
        self.orders = []
        self.polls_before = 1
        self._pbx = pbx
        self._waiting = {}
        pbx.answers_by(ORDER, self._order)
        pbx.answers_by(RESULT, self._result)

    def _order(self, payload):
        self.orders.append(payload)
        key = f"key-{len(self.orders)}"
        self._waiting[key] = self.polls_before
        return {"key": key}

    def _result(self, payload):
        key = payload["key"]
        if self._waiting[key]:
            self._waiting[key] -= 1
            # Contains half of the data, which must be ignored.
            return {"result": 1000, "status": "work", "data": self.days(self.calls[:1])}
        order = self.orders[int(key.removeprefix("key-")) - 1]
        return {
            "result": 1000,
            "status": "complete",
            "data": self.days(self.page(order)),
        }

    def page(self, order):
        start, end = (self.moment(order[name]) for name in ("start_date", "end_date"))
        found = [c for c in self.calls if start <= c["context_start_time"] < end]
        return found[order["offset"] : order["offset"] + order["limit"]]

    @staticmethod
    def moment(text):
        return datetime.strptime(text, DATE).replace(tzinfo=MOSCOW).timestamp()

    @staticmethod
    def days(calls):
        return [{"period": "2026-01-01", "list": calls}]


class HistoryCase(MangoCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = cls.create_user("admin", "Админ", "group_admin")
        for number in ("101", "102"):
            cls.account.extension_ids.filtered(
                lambda ext, number=number: ext.number == number
            ).pbx_user_ref = str(user_ref(number))

    def setUp(self):
        super().setUp()
        self.statistics = Statistics(self.pbx)
        self.clock = self.enterContext(freeze_time(NOON))
        waiting = patch.object(mango_history_fetch, "time")
        sleep = self.enterContext(waiting).sleep
        sleep.side_effect = self.clock.tick

    def fetch(self, start=START, end=None, runs=30):
        """Import a period, running the cron until it is done.

        :return: the job
        """
        job = (
            self.env["mango.statistics.import"]
            .sudo()
            ._start(self.account, start, end or NOON)
        )
        return self.run_all(job, runs)

    def run_all(self, job, runs=30):
        for _run in range(runs):
            if job.state not in ("queued", "running"):
                break
            self.run_cron(CRON)
            self.clock.tick(60)
        return job

    def statistics_events(self):
        return self.events().filtered(lambda event: event.kind == KIND)

    def messages(self):
        """Return the types of the messages on the bus."""
        rows = self.env["bus.bus"].sudo().search([])
        return [json.loads(row.message)["type"] for row in rows]


@tagged("post_install", "-at_install")
class TestFetching(HistoryCase):
    def test_call_deleted_by_age_does_not_come_back(self):
        self.account.call_retention_days = 1
        self.statistics.calls = [
            answered("OLD", context_start_time=T0 - 2 * 86400),
            answered("E1"),
        ]
        job = self.fetch(START - 3 * DAY)
        self.assertFalse(self.call("OLD"))
        self.assertTrue(self.call("E1"))
        self.assertEqual(job.new_count, 1)

    def test_a_run_waits_as_long_as_it_may(self):
        """What is due soon after does not make the cron run again and again."""
        job = (
            self.env["mango.statistics.import"].sudo()._start(self.account, START, NOON)
        )
        delay = timedelta(seconds=50)
        job.next_at = NOON + delay
        with RecordCapturer(self.env["ir.cron.trigger"].sudo()) as triggers:
            self.run_cron(CRON)
        self.assertEqual(fields.Datetime.now(), NOON + RUN_TIME)
        self.assertEqual(job.state, "queued")
        self.assertIn(NOON + RUN_TIME, triggers.records.mapped("call_at"))
        self.run_cron(CRON)
        self.assertGreaterEqual(fields.Datetime.now(), NOON + delay)
        self.assertEqual(job.state, "done")

    def test_call_without_notifications(self):
        self.statistics.calls = [answered(recordings=["R1"])]
        job = self.fetch()
        self.assertRecordValues(
            job,
            [
                {
                    "state": "done",
                    "fetched_count": 1,
                    "new_count": 1,
                    "completed_count": 0,
                    "recording_count": 1,
                    "progress": 100,
                }
            ],
        )
        self.assertRecordValues(
            self.call(),
            [
                {
                    "source": "statistics",
                    "direction": "inbound",
                    "state": "ended",
                    "result": "answered",
                    "partner_id": self.ivan.id,
                    "extension_id": self.anna_extension.id,
                    "user_id": self.anna.id,
                    "started_at": utc(T0),
                    "answered_at": utc(T0 + 20),
                    "ended_at": utc(T0 + 95),
                    "wait_duration": 20,
                    "talk_duration": 75,
                    "end_reason": 1110,
                    "line_number": LINE,
                }
            ],
        )
        self.assertIn(self.anna, self.call().user_ids)
        self.assertEqual(self.call().leg_ids.leg_ref, "L3")

    def test_queues_are_woken_once_per_page(self):
        self.account.write({"callback_enabled": True, "lead_policy": "always"})
        leg = person("101", 12, None, 40)
        self.statistics.calls = [entry(f"E{n}", leg, talk=0) for n in range(3)]
        with RecordCapturer(self.env["ir.cron.trigger"].sudo()) as triggers:
            self.fetch()
        self.assertEqual(self.env["mango.callback.task"].search_count([]), 3)
        self.assertEqual(self.env["mango.crm.task"].search_count([]), 3)
        woken = Counter(trigger.cron_id.id for trigger in triggers.records)
        for name in ("ir_cron_callbacks", "ir_cron_crm"):
            self.assertEqual(woken[self.env.ref(f"mango_office.{name}").id], 1, name)

    def test_request_as_the_pbx_wants_it(self):
        self.fetch()
        [order] = self.statistics.orders
        self.assertEqual(
            order,
            {
                "start_date": START_TEXT,
                "end_date": "01.01.2026 14:00:00",
                "limit": 500,
                "offset": 0,
            },
        )

    def test_again_changes_nothing(self):
        self.statistics.calls = [answered(recordings=["R1"])]
        self.fetch()
        before, events = self.snapshot(self.call()), len(self.events())
        job = self.fetch()
        self.assertEqual((job.fetched_count, job.new_count), (1, 0))
        self.assertEqual(job.recording_count, 0)
        self.assertEqual(self.snapshot(self.call()), before)
        self.assertEqual(len(self.events()), events)

    def test_known_call_is_not_doubled(self):
        self.play(inbound_answered())
        before = self.snapshot(self.call())
        self.statistics.calls = [answered()]
        job = self.fetch()
        self.assertEqual((job.new_count, job.completed_count), (0, 0))
        self.assertEqual(self.snapshot(self.call()), before)
        self.assertFalse(self.statistics_events())
        self.assertEqual(self.call().source, "webhook")

    def test_recording_of_a_known_call(self):
        self.play(inbound_answered())
        before = self.snapshot(self.call())
        self.statistics.calls = [answered(recordings=["R1"])]
        job = self.fetch()
        self.assertEqual((job.new_count, job.recording_count), (0, 1))
        self.assertEqual(self.snapshot(self.call()), before)
        state = self.call()._fold(self.call()._events())
        self.assertEqual([(r.ref, r.stored) for r in state.recordings], [("R1", True)])

    def test_unfinished_call_is_completed(self):
        for post in inbound_answered().posts[:6]:
            self.receive(*post)
        self.assertEqual(self.call().state, "talking")
        self.statistics.calls = [answered()]
        job = self.fetch()
        self.assertEqual((job.new_count, job.completed_count), (0, 1))
        self.assertRecordValues(
            self.call(),
            [{"state": "ended", "result": "answered", "talk_duration": 75}],
        )
        self.assertFalse(
            self.call().leg_ids._live().filtered(lambda leg: leg.leg_ref == "L3")
        )

    def test_late_notifications_win(self):
        self.statistics.calls = [answered()]
        self.fetch()
        self.play(inbound_answered())
        by_both = self.snapshot(self.call())
        self.play(inbound_answered(), entry_id="E2")
        by_webhook = self.snapshot(self.call("E2"))
        # Routing is only decided while the call is ringing.
        for values in (by_both, by_webhook):
            for name in ("routed_extension_id", "route_state", "route_reason"):
                values.pop(name)
        self.assertEqual(by_both, by_webhook)
        self.assertEqual(self.call().source, "statistics")

    def test_missed_by_a_group(self):
        """The statistics contain the PBX's id of the group, not its number."""
        sales = self.env["mango.group"].create(
            {
                "account_id": self.account.id,
                "number": "500",
                "name": "Продажи",
                "pbx_group_ref": "77",
            }
        )
        members = [person(number, 12, None, 40) for number in ("101", "102")]
        group = person(None, 12, None, 40, call_type="group", members=members)
        group["call_abonent_id"] = 77
        self.statistics.calls = [entry("E1", group, talk=0, duration=40)]
        self.fetch()
        self.assertRecordValues(
            self.call(),
            [
                {
                    "result": "missed",
                    "user_id": False,
                    "group_id": sales.id,
                    "wait_duration": 40,
                }
            ],
        )
        self.assertLessEqual(self.anna | self.boris, self.call().user_ids)

    def test_the_same_as_the_notifications_tell(self):
        self.account.routing_enabled = False
        for scenario in (missed_by_group(), inbound_answered(), missed_off_duty()):
            with self.subTest(scenario=scenario.name):
                told = self.play(scenario, entry_id=f"told {scenario.name}")
                entry_id = f"counted {scenario.name}"
                raw = {**of_scenario(scenario), "entry_id": entry_id}
                self.statistics.calls = [raw]
                self.fetch()
                counted = self.call(entry_id)
                for name in SAME_FACTS:
                    self.assertEqual(told[name], counted[name], name)

    def test_unassigned_extension(self):
        self.statistics.calls = [
            entry("E1", person("104", 12, 20)),
            entry("E2", person("999", 12, 20)),
        ]
        self.fetch()
        self.assertEqual(self.call("E1").extension_id.number, "104")
        self.assertFalse(self.call("E1").user_id)
        self.assertEqual(self.call("E2").leg_ids.to_extension, "999")
        self.assertEqual(self.call("E2").result, "answered")

    def test_employee_by_the_pbx_id(self):
        leg = person("101", 12, 20)
        del leg["call_abonent_extension"]
        self.statistics.calls = [entry("E1", leg)]
        self.fetch()
        self.assertEqual(self.call().user_id, self.anna)

    def test_employee_who_left(self):
        self.anna_extension.active = False
        leg = person("101", 12, 20)
        del leg["call_abonent_extension"]
        self.statistics.calls = [entry("E1", leg)]
        self.fetch()
        self.assertEqual(self.call().leg_ids.to_extension, "101")

    def test_history_disturbs_nobody(self):
        self.statistics.calls = [answered(f"E{nth}") for nth in range(5)]
        self.env["bus.bus"].sudo().search([]).unlink()
        self.fetch()
        self.env.cr.precommit.run()
        self.assertEqual(len(self.env["mango.call"].search([])), 5)
        for kind in ("mango_office/call", "mango_office/board"):
            self.assertNotIn(kind, self.messages())
        self.assertFalse(self.env["mango.call.presence"].sudo().search([]))
        self.assertFalse(self.call("E1").routed_extension_id)
        self.assertEqual(self.call("E1").route_state, "none")
        self.assertNotIn("commands/route", self.pbx.paths())

    def test_call_on_the_screen_is_notified(self):
        for post in inbound_answered().posts[:6]:
            self.receive(*post)
        self.env.cr.precommit.run()
        self.env["bus.bus"].sudo().search([]).unlink()
        self.statistics.calls = [answered()]
        self.fetch()
        self.env.cr.precommit.run()
        self.assertIn("mango_office/call", self.messages())

    def test_a_call_that_goes_on_is_left(self):
        talking = person("101", 12, 20, call_end_time=None)
        self.statistics.calls = [entry("E1", talking)]
        job = self.fetch()
        self.assertEqual((job.fetched_count, job.new_count), (1, 0))
        self.assertFalse(self.call())

    def test_entries_that_cannot_be_read(self):
        real = answered()
        self.statistics.page = lambda order: [{"context_type": 1}, 7, None, real]
        job = self.fetch()
        self.assertEqual((job.state, job.fetched_count), ("done", 4))
        self.assertEqual((job.new_count, job.unreadable_count), (1, 3))

    def test_a_call_that_cannot_be_applied_does_not_stop_others(self):
        self.statistics.calls = [answered("E1"), answered("E2")]
        with failing_for("E1"), self.assertLogs(EVENT_LOGGER, "ERROR"):
            job = self.fetch()
        self.assertEqual(job.state, "done")
        self.assertFalse(self.call("E1"))
        self.assertTrue(self.call("E2"))
        self.assertEqual(self.account.failed_event_count, 1)
        self.run_cron("ir_cron_process_events")
        self.assertEqual(self.call("E1").result, "answered")

    def test_statistics_are_no_notifications(self):
        self.assertFalse(self.account.last_event_at)
        self.statistics.calls = [answered()]
        self.fetch()
        self.account.invalidate_recordset()
        self.assertFalse(self.account.last_event_at)


@tagged("post_install", "-at_install")
class TestPages(HistoryCase):
    def calls_of(self, days, per_day):
        return [
            answered(f"E{day}-{nth}", context_start_time=T0 + day * 86400 + nth)
            for day in range(days)
            for nth in range(per_day)
        ]

    def test_days_and_pages(self):
        self.statistics.calls = self.calls_of(3, 7)
        with patch.multiple(mango_history_fetch, PAGE=5, FEW=0):
            job = self.fetch(START, START + 3 * DAY)
        self.assertEqual((job.state, job.new_count), ("done", 21))
        orders = self.statistics.orders[:6]  # The regular fetch comes after.
        asked = [(order["start_date"][:2], order["offset"]) for order in orders]
        self.assertEqual(
            asked, [("01", 0), ("01", 5), ("02", 0), ("02", 5), ("03", 0), ("03", 5)]
        )

    def test_quiet_times_are_asked_for_at_once(self):
        self.statistics.calls = self.calls_of(30, 1)
        job = self.fetch(START, START + 30 * DAY)
        self.assertEqual((job.state, job.new_count), ("done", 30))
        self.assertLess(len(self.statistics.orders), 12)

    def test_what_a_person_ordered_comes_first(self):
        jobs = self.env["mango.statistics.import"].sudo()
        planned = jobs._start(self.account, START - 9 * DAY, START, "first")
        ordered = jobs._start(self.account, START - 9 * DAY, START)
        self.run_cron(CRON)
        self.assertGreater(ordered.position, ordered.date_from)
        self.run_all(ordered)
        self.run_all(planned)
        self.assertEqual((planned | ordered).mapped("state"), ["done", "done"])

    def test_full_last_page(self):
        self.statistics.calls = self.calls_of(1, 5)
        with patch.multiple(mango_history_fetch, PAGE=5, FEW=0):
            job = self.fetch()
        self.assertEqual((job.state, job.new_count), ("done", 5))

    def test_resumed_after_a_kill(self):
        """The process is killed at any moment; the next one only has the database."""
        self.statistics.calls = self.calls_of(2, 7)
        with patch.multiple(mango_history_fetch, PAGE=5, FEW=0):
            job = (
                self.env["mango.statistics.import"]
                .sudo()
                ._start(self.account, START, START + 2 * DAY)
            )
            for _time in range(200):
                if job.state == "done":
                    break
                with self.transaction() as env:
                    # One exchange with the PBX, and no memory of it.
                    self.clock.tick(20)
                    job.with_env(env)._step()
        self.assertEqual((job.state, job.new_count), ("done", 14))
        self.assertEqual(len(self.statistics.orders), 4)

    def test_killed_while_a_page_is_taken(self):
        self.statistics.calls = self.calls_of(1, 4)
        real = type(self.env["mango.event"])._import_entry
        taken = []

        def dying(events, account, call, text):
            taken.append(call.entry_id)
            if len(taken) == 3:
                raise KeyboardInterrupt
            return real(events, account, call, text)

        job = (
            self.env["mango.statistics.import"].sudo()._start(self.account, START, NOON)
        )
        with (
            patch.object(type(self.env["mango.event"]), "_import_entry", dying),
            self.assertRaises(KeyboardInterrupt),
        ):
            self.run_cron(CRON)
        self.env.invalidate_all()
        self.run_all(job)
        self.assertEqual(job.state, "done")
        calls = self.env["mango.call"].search([])
        self.assertEqual(len(calls), 4)
        self.assertEqual(len(self.statistics_events()), 4)

    def test_report_that_was_forgotten(self):
        """The PBX was restarted, or Odoo after a long time."""
        self.statistics.calls = [answered()]
        job = (
            self.env["mango.statistics.import"].sudo()._start(self.account, START, NOON)
        )
        job.report_key = "key-of-last-year"
        self.statistics._waiting["key-of-last-year"] = 0
        self.pbx.answers(RESULT, {"result": 1000, "status": "not-found", "data": []})
        self.run_cron(CRON)
        self.assertFalse(job.report_key)
        self.pbx.answers_by(RESULT, self.statistics._result)
        self.clock.tick(120)
        self.run_all(job)
        self.assertEqual((job.state, job.new_count), ("done", 1))

    def test_report_that_never_gets_ready(self):
        self.statistics.polls_before = 10**9
        job = self.fetch(runs=400)
        self.assertEqual(job.state, "failed")
        self.assertIn("did not complete", job.error)
        orders = [o for o in self.statistics.orders if o["start_date"] == START_TEXT]
        self.assertEqual(len(orders), MAX_ATTEMPTS)
        self.assertLessEqual(
            self.pbx.paths().count(RESULT), (MAX_ATTEMPTS + 1) * (MAX_POLLS + 1)
        )

    def test_not_ready_204(self):
        self.statistics.calls = [answered()]
        self.pbx.answers(RESULT, body="", status=204)
        job = (
            self.env["mango.statistics.import"].sudo()._start(self.account, START, NOON)
        )
        self.run_cron(CRON)
        self.assertEqual(job.state, "running")
        self.assertTrue(self.account._may_request())
        self.pbx.answers_by(RESULT, self.statistics._result)
        self.clock.tick(60)
        self.run_all(job)
        self.assertEqual((job.state, job.new_count), ("done", 1))

    def test_orders_keep_their_distance(self):
        moments = []
        order = self.statistics._order

        def noted(payload):
            moments.append(self.clock())
            return order(payload)

        self.pbx.answers_by(ORDER, noted)
        self.fetch(START, START + 20 * DAY)
        gaps = [later - sooner for sooner, later in pairwise(moments)]
        self.assertGreaterEqual(len(gaps), 4)
        self.assertGreaterEqual(min(gaps), timedelta(seconds=2))

    def test_two_pbxs_take_turns(self):
        other = self.create_account(api_key="test_api_key_0007", api_salt="x")
        jobs = self.env["mango.statistics.import"].sudo()
        first = jobs._start(self.account, START, START + 9 * DAY)
        second = jobs._start(other, START, START + 9 * DAY)
        self.run_cron(CRON)
        self.assertGreater(first.position, START)
        self.assertGreater(second.position, START)

    def test_periods_that_the_pbx_calls_wrong(self):
        for code in (3104, 3300, 4000):
            with self.subTest(code=code):
                self.pbx.answers(ORDER, {"result": code})
                job = self.fetch()
                self.assertEqual((job.state, job.refused_count), ("done", 1))
                self.assertFalse(self.account.requests_stopped_reason)

    def test_refusals_keep_their_distance(self):
        moments = []

        def refuse(_payload):
            moments.append(self.clock())
            return {"result": 3104}

        self.pbx.answers_by(ORDER, refuse)
        self.fetch(START, START + 3 * DAY)
        gaps = [later - sooner for sooner, later in pairwise(moments)]
        self.assertGreaterEqual(min(gaps), timedelta(minutes=2))


@tagged("post_install", "-at_install")
class TestTrouble(HistoryCase):
    """Failures of the PBX: nothing is lost, and no user has to act."""

    TROUBLE = {
        "down": {"body": None},
        "503": {"body": "<html>", "status": 503},
        "502": {"body": "", "status": 502},
        "429": {"body": '{"code": 0, "status": 429}', "status": 429},
        "5008": {"body": '{"result": 5008}'},
        "html": {"body": "<html>", "content_type": "text/html"},
        "empty": {"body": ""},
        "cut": {"body": '{"result":1000,"status":"complete","data":[{"li'},
        "list": {"body": "[]"},
        "no status": {"body": '{"result": 1000}'},
        "wrong data": {"body": '{"result":1000,"status":"complete","data":7}'},
    }

    def test_recovers_by_itself(self):
        for name, answer in self.TROUBLE.items():
            for path in (ORDER, RESULT):
                with self.subTest(trouble=name, path=path):
                    self.recover(path, answer)

    def recover(self, path, answer):
        self.env["mango.event"].sudo().search([]).unlink()
        self.env["mango.call"].sudo().search([]).unlink()
        self.env["mango.statistics.import"].sudo().search([]).unlink()
        self.account.action_resume_requests()
        self.statistics = Statistics(self.pbx)
        self.statistics.calls = [answered()]
        self.pbx.answers(path, **answer)
        job = (
            self.env["mango.statistics.import"].sudo()._start(self.account, START, NOON)
        )
        self.run_cron(CRON)
        self.assertIn(job.state, ("queued", "running"))
        self.assertFalse(self.account._may_request())
        asked = len(self.pbx.requests)
        self.run_cron(CRON)
        self.assertEqual(len(self.pbx.requests), asked, "asked again at once")
        job.invalidate_recordset()
        self.assertTrue(job.wait_reason)
        self.statistics = Statistics(self.pbx)
        self.statistics.calls = [answered()]
        self.statistics._waiting["key-1"] = 0
        self.clock.tick(120)
        if path == RESULT and job.report_key:
            self.pbx.answers(RESULT, {"result": 1000, "status": "not-found"})
            self.run_cron(CRON)
            self.pbx.answers_by(RESULT, self.statistics._result)
            self.clock.tick(120)
        self.run_all(job)
        self.assertEqual((job.state, job.new_count), ("done", 1))
        self.assertTrue(self.account._may_request())

    def test_webhook_does_not_care(self):
        self.pbx.answers(ORDER, body=None)
        self.fetch(runs=1)
        self.play(inbound_answered())
        self.assertEqual(self.call().result, "answered")

    def test_refused_requests_stop(self):
        self.pbx.answers(ORDER, {"result": 3102})
        job = self.fetch(runs=5)
        self.assertEqual(self.pbx.paths(), [ORDER])
        self.assertEqual(job.state, "running")
        self.assertIn("The secret is wrong", job.wait_reason)
        self.pbx.answers_by(ORDER, self.statistics._order)
        self.account.write({"api_salt": "test_api_salt_0099"})
        self.run_all(job)
        self.assertEqual(job.state, "done")

    def test_unknown_refusal_ends_the_job_with_words(self):
        self.pbx.answers(ORDER, {"result": 5200})
        job = self.fetch()
        self.assertEqual(job.state, "failed")
        self.assertIn("An option of the PBX is missing", job.error)
        self.assertEqual(len(self.pbx.requests), MAX_ATTEMPTS)

    def test_internal_error_does_not_block_other_jobs(self):
        other = self.create_account(api_key="test_api_key_0007", api_salt="x")
        jobs = self.env["mango.statistics.import"].sudo()
        broken = jobs._start(self.account, START, NOON)
        fine = jobs._start(other, START, NOON)
        real = type(jobs)._on_report

        def on_report(job, report):
            if job.id == broken.id:
                raise ValueError("moon")
            real(job, report)

        with (
            patch.object(type(jobs), "_on_report", on_report),
            self.assertLogs(mango_history_fetch.__name__, "ERROR"),
        ):
            self.run_all(broken)
        self.assertEqual((fine.state, broken.state), ("done", "failed"))
        self.assertEqual(broken.error, "ValueError: moon")

    def test_go_on_after_a_failure(self):
        self.pbx.answers(ORDER, {"result": 5200})
        job = self.fetch()
        self.pbx.answers_by(ORDER, self.statistics._order)
        job.with_user(self.admin).action_go_on()
        self.run_all(job)
        self.assertEqual(job.state, "done")

    def test_no_code_no_job(self):
        job = (
            self.env["mango.statistics.import"].sudo()._start(self.account, START, NOON)
        )
        self.account.api_salt = False
        self.run_cron(CRON)
        self.assertEqual(job.state, "failed")
        self.assertIn("code and secret", job.error)


@tagged("post_install", "-at_install")
class TestPlan(HistoryCase):
    """Scheduled imports."""

    def jobs(self):
        return self.env["mango.statistics.import"].search(
            [("account_id", "=", self.account.id)], order="id"
        )

    def prove(self):
        self.env.flush_all()
        self.account._record_answer()

    def sync_up_to(self, moment):
        self.env.flush_all()
        self.env["mango.circuit.breaker"].sudo()._record_synced(self.account, moment)

    def test_nothing_before_the_connection_is_proven(self):
        self.run_cron(CRON)
        self.assertFalse(self.jobs())
        self.assertFalse(self.pbx.requests)

    def test_first_connection(self):
        self.account.history_days = 3
        self.prove()
        self.statistics.calls = [
            answered("OLD", context_start_time=T0 - 4 * 86400),
            answered("E1", context_start_time=T0 - 2 * 86400),
        ]
        self.run_cron(CRON)
        job = self.run_all(self.jobs())
        self.assertRecordValues(
            job, [{"kind": "first", "state": "done", "new_count": 1}]
        )
        self.assertEqual(job.date_from, NOON - 3 * DAY)
        self.assertEqual(self.account.last_sync_at, job.date_to)
        self.assertFalse(self.call("OLD"))

    def test_first_connection_without_history(self):
        self.account.history_days = 0
        self.prove()
        self.run_cron(CRON)
        self.assertLess(NOON - self.jobs().date_from, timedelta(hours=1))

    def test_connection_check_starts_it(self):
        self.pbx.answers(BALANCE, {"result": 1000, "balance": "1", "currency": "RUB"})
        self.pbx.answers(USERS, {"users": [pbx_user("101")]})
        self.env.flush_all()
        self.account.with_user(self.admin).action_test_connection()
        self.run_cron(CRON)
        self.assertEqual(self.jobs().kind, "first")

    def test_regular(self):
        self.prove()
        self.run_cron(CRON)
        first = self.run_all(self.jobs())
        synced_at = self.account.last_sync_at
        self.clock.tick(timedelta(minutes=15))
        self.run_cron(CRON)
        regular = self.jobs() - first
        self.assertEqual(regular.kind, "regular")
        self.assertEqual(regular.date_from, synced_at - OVERLAP)
        self.run_all(regular)
        self.assertEqual(self.account.last_sync_at, regular.date_to)

    def test_not_more_often_than_needed(self):
        self.prove()
        self.run_cron(CRON)
        self.run_all(self.jobs())
        for _time in range(3):
            self.run_cron(CRON)
        self.assertEqual(len(self.jobs()), 1)

    def test_archived_pbx_is_asked_nothing(self):
        self.env["mango.statistics.import"].sudo()._start(self.account, START, NOON)
        self.account.active = False
        self.run_cron(CRON)
        self.assertFalse(self.pbx.requests)
        self.account.active = True
        self.run_cron(CRON)
        self.assertTrue(self.pbx.requests)

    def test_once_a_day_it_looks_back_further(self):
        self.prove()
        self.sync_up_to(NOON - timedelta(hours=1))
        self.run_cron(CRON)
        self.assertEqual(self.jobs().kind, "nightly")
        self.assertEqual(
            self.jobs().date_from, NOON - timedelta(hours=1) - LONG_OVERLAP
        )

    def test_after_a_long_outage(self):
        self.prove()
        self.sync_up_to(NOON - 10 * DAY)
        self.statistics.calls = [
            answered(f"E{day}", context_start_time=T0 - day * 86400)
            for day in range(10)
        ]
        self.run_cron(CRON)
        job = self.run_all(self.jobs())
        self.assertEqual(job.new_count, 10)

    def test_failed_fetch_does_not_count_as_synced(self):
        self.prove()
        self.sync_up_to(NOON - DAY)
        self.pbx.answers(ORDER, {"result": 5200})
        self.run_cron(CRON)
        job = self.run_all(self.jobs())
        self.assertEqual(job.state, "failed")
        self.assertEqual(self.account.last_sync_at, NOON - DAY)
        self.pbx.answers_by(ORDER, self.statistics._order)
        self.clock.tick(timedelta(minutes=15))
        self.run_cron(CRON)
        self.run_all(self.jobs() - job)
        self.assertGreater(self.account.last_sync_at, NOON - DAY)

    def test_older_fetch_that_is_continued_blocks_nothing(self):
        self.prove()
        self.sync_up_to(NOON - timedelta(hours=1))
        self.run_cron(CRON)
        nightly = self.jobs()
        nightly.action_stop()
        self.clock.tick(timedelta(minutes=15))
        self.run_cron(CRON)
        self.run_all(self.jobs() - nightly)
        self.clock.tick(DAY)
        nightly.action_go_on()
        self.run_all(nightly)
        self.assertEqual(nightly.state, "done")

    def test_manual_fetch_of_the_past_is_not_synced(self):
        self.fetch(START - 9 * DAY, START - 8 * DAY)
        self.assertFalse(self.account.last_sync_at)

    def test_uneventful_fetches_are_forgotten(self):
        self.prove()
        self.run_cron(CRON)
        self.run_all(self.jobs())
        for _time in range(4):
            self.clock.tick(timedelta(minutes=15))
            self.run_cron(CRON)
            self.run_all(self.jobs()[-1])
        self.assertEqual(self.jobs().mapped("kind"), ["first", "regular"])

    def test_old_fetches_are_forgotten(self):
        job = self.fetch()
        running = (
            self.env["mango.statistics.import"].sudo()._start(self.account, START, NOON)
        )
        with freeze_time(max(job.create_date, running.create_date) + KEPT_TIME):
            self.env["mango.statistics.import"].sudo()._gc_old()
            self.assertTrue(job.exists())
        with freeze_time(max(job.create_date, running.create_date) + KEPT_TIME + DAY):
            self.env["mango.statistics.import"].sudo()._gc_old()
        self.assertFalse(job.exists())
        self.assertTrue(running.exists())

    def test_archived_or_unconnected_pbx_is_left(self):
        self.prove()
        self.account.active = False
        self.create_account()
        self.run_cron(CRON)
        self.assertFalse(self.pbx.requests)


@tagged("post_install", "-at_install")
class TestAbandoned(HistoryCase):
    """A call without an end waits for the statistics, but not forever."""

    def begin(self, count=9):
        with freeze_time(utc(T0 + 95)):
            for post in inbound_answered().posts[:count]:
                self.receive(*post)
        self.assertEqual(self.call().state, "talking")

    def close(self, minutes):
        with freeze_time(utc(T0 + 95) + timedelta(minutes=minutes)):
            self.run_cron("ir_cron_close_calls")

    def sync_up_to(self, seconds):
        self.env.flush_all()
        self.env["mango.circuit.breaker"].sudo()._record_synced(
            self.account, utc(T0 + seconds)
        )

    def test_waits_while_the_statistics_may_tell(self):
        self.begin()
        self.sync_up_to(60)
        self.close(QUIET_TIME.seconds // 60 + 1)
        self.assertEqual(self.call().state, "talking")

    def test_closed_when_statistics_have_nothing(self):
        self.begin()
        self.sync_up_to(3600)
        self.close(30)
        self.assertEqual(self.call().state, "ended")

    def test_given_up_when_they_do_not_come(self):
        self.begin()
        self.sync_up_to(60)
        self.close(90)
        self.assertEqual(self.call().state, "ended")

    def test_given_up_when_the_pbx_is_not_asked(self):
        self.begin()
        self.sync_up_to(60)
        self.account._record_answer(LockedOutError(""))
        self.close(30)
        self.assertEqual(self.call().state, "ended")

    def test_statistics_correct_what_was_given_up(self):
        self.begin(6)
        with freeze_time(utc(T0) + DAY):
            self.run_cron("ir_cron_close_calls")
        self.assertEqual(self.call().state, "ended")
        self.assertNotEqual(self.call().talk_duration, 75)
        self.statistics.calls = [answered()]
        self.fetch()
        self.assertEqual(self.call().talk_duration, 75)
        self.assertEqual(self.call().ended_at, utc(T0 + 95))


@tagged("post_install", "-at_install")
class TestByHand(HistoryCase):
    """Imports by button, and the rights for it."""

    def order(self, user, date_from="2025-12-30", date_to="2026-01-01", account=None):
        start = (
            self.env["mango.statistics.import.start"]
            .with_user(user)
            .create(
                {
                    "account_id": (account or self.account).id,
                    "date_from": date_from,
                    "date_to": date_to,
                }
            )
        )
        action = start.action_start()
        return self.env["mango.statistics.import"].browse(action["res_id"])

    def test_admin(self):
        self.admin.tz = "Europe/Moscow"
        job = self.order(self.admin)
        self.assertEqual(job.date_from, datetime(2025, 12, 29, 21))
        self.assertEqual(job.date_to, NOON, "the future is not asked for")
        self.assertEqual(job.create_uid, self.admin)
        self.assertEqual(self.run_all(job).state, "done")

    def test_progress_is_notified(self):
        job = self.order(self.admin)
        self.env["bus.bus"].sudo().search([]).unlink()
        self.run_all(job)
        self.env.cr.precommit.run()
        self.assertIn("mango_office/history", self.messages())

    def test_others_may_not(self):
        for user in (self.anna, self.vera):
            with self.subTest(user=user.name), self.assertRaises(AccessError):
                self.order(user)
            with self.subTest(user=user.name), self.assertRaises(AccessError):
                self.account.with_user(user).action_fetch_history()
            with self.subTest(user=user.name), self.assertRaises(AccessError):
                self.env["mango.statistics.import"].with_user(user).search([])

    def test_jobs_are_read_only(self):
        job = self.order(self.admin).with_user(self.admin)
        with self.assertRaises(AccessError):
            job.write({"state": "done"})
        with self.assertRaises(AccessError):
            job.unlink()
        with self.assertRaises(AccessError):
            job.create({"account_id": self.account.id})

    def test_other_company(self):
        there = self.env["res.company"].create({"name": "Другая"})
        account = self.create_account(
            company_id=there.id, api_key="test_api_key_0007", api_salt="x"
        )
        with self.assertRaises(AccessError):
            self.order(self.admin, account=account)
        job = self.env["mango.statistics.import"].sudo()._start(account, START, NOON)
        for method in ("action_stop", "action_go_on", "action_view_calls"):
            with self.subTest(method=method), self.assertRaises(AccessError):
                getattr(job.with_user(self.admin), method)()

    def test_one_at_a_time(self):
        self.order(self.admin)
        with self.assertRaisesRegex(UserError, "Already in progress"):
            self.order(self.admin)

    def test_concurrent_orders_create_one_job(self):
        job = self.order(self.admin)
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(UniqueViolation),
            self.env.cr.savepoint(),
        ):
            job.sudo().copy()

    def test_wrong_periods(self):
        for dates in (("2026-01-02", "2026-01-01"), ("2026-02-01", "2026-02-02")):
            with self.subTest(dates=dates), self.assertRaises(UserError):
                self.order(self.admin, *dates)

    def test_stop_and_go_on(self):
        self.statistics.calls = [answered()]
        job = self.order(self.admin)
        job.with_user(self.admin).action_stop()
        self.assertEqual(job.state, "failed")
        self.assertIn("Админ", job.error)
        self.run_cron(CRON)
        self.assertFalse(self.pbx.requests)
        job.with_user(self.admin).action_go_on()
        self.run_all(job)
        self.assertEqual((job.state, job.new_count), ("done", 1))

    def test_view_calls(self):
        self.statistics.calls = [answered()]
        job = self.fetch()
        action = job.with_user(self.admin).action_view_calls()
        self.assertEqual(self.env["mango.call"].search(action["domain"]), self.call())

    def test_no_secret_in_a_job(self):
        self.pbx.answers(ORDER, {"result": 5200, "fields": {"x": CLIENT}})
        job = self.fetch()
        [values] = job.with_user(self.admin).read()
        for secret in (self.account.api_key, self.account.api_salt):
            self.assertNotIn(secret, str(values))


@tagged("post_install", "-at_install")
class TestMenuCallInStatistics(HistoryCase):
    """Notifications and statistics of the same call, one after the other."""

    def test_hung_up_in_the_menu(self):
        self.statistics.calls = [entry("E1", talk=0, duration=10)]
        self.fetch()
        self.assertRecordValues(
            self.call(), [{"result": "missed", "wait_duration": 10, "user_id": False}]
        )

    def test_group_call_by_both(self):
        self.play(missed_by_group())
        before = self.snapshot(self.call())
        self.statistics.calls = [entry("E1", talk=0, duration=40)]
        self.fetch()
        self.assertEqual(self.snapshot(self.call()), before)

    def test_live_call_in_the_greeting(self):
        """The statistics of a period with unfinished calls do not end them."""
        self.receive(*menu()[0])
        self.statistics.calls = [entry("E1", duration=None, talk=None)]
        self.fetch()
        self.assertEqual(self.call().state, "ringing")
