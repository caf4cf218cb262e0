"""Old notifications are deleted, which does not change their calls."""

from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import tagged

from ...models.inbox import mango_event as mango_event_cleaning
from ..common import failing_for
from ..history.test_statistics_import import HistoryCase
from ..statistics_entries import answered
from ..vpbx_scenarios import SCENARIOS, Scenario, inbound_answered, menu

EVENT_LOGGER = "odoo.addons.mango_office.models.inbox.mango_event"
DAY = timedelta(days=1)


@tagged("post_install", "-at_install")
class TestCleaning(HistoryCase):
    def age(self, days=100, entries=None):
        """Make everything received so far older."""
        self.clock.tick(days * DAY)

    def clean(self):
        with self.transaction() as env:
            has_more = True
            while has_more:
                _count, has_more = env["mango.event"]._gc_old()

    def whole(self, call):
        """Return all values of a call, except for the time of the last write."""
        [values] = call.sudo().read(load=None)
        for name in ("write_date", "sealed_at", "event_ids", "__last_update"):
            values.pop(name, None)
        return values, self.snapshot(call)

    def play_all(self):
        """Receive every scenario as a separate call."""
        calls = self.env["mango.call"]
        for nth, scenario in enumerate(SCENARIOS):
            calls += self.play(scenario, entry_id=f"E{nth}")
        return calls

    def test_no_call_changes(self):
        calls = self.play_all()
        before = [self.whole(call) for call in calls]
        self.age()
        self.clean()
        self.assertFalse(self.events())
        self.env.invalidate_all()
        self.assertEqual([self.whole(call) for call in calls], before)

    def test_no_call_changes_later_either(self):
        calls = self.play_all()
        self.age()
        self.clean()
        before = [self.whole(call) for call in calls]
        for nth, scenario in enumerate(SCENARIOS):
            posts = [post for post in scenario.posts if "entry_id" in post[1]]
            # One notification alone would give another state.
            late = Scenario("late", (posts[nth % len(posts)],), {})
            self.play(late, entry_id=f"E{nth}")
        self.statistics.calls = [
            answered(f"E{nth}", talk=7, duration=8) for nth in range(len(calls))
        ]
        job = self.fetch()
        self.assertEqual((job.new_count, job.completed_count), (0, 0))
        for event in self.events():
            event.sudo().action_process_again()
        self.run_cron("ir_cron_process_events")
        self.run_cron("ir_cron_close_calls")
        self.assertEqual([self.whole(call) for call in calls], before)
        self.assertEqual(set(self.events().mapped("state")), {"done"})

    def test_late_notifications_go_in_their_turn(self):
        self.play(inbound_answered())
        self.age()
        self.clean()
        self.receive(*inbound_answered().posts[3])
        self.clean()
        self.assertEqual(len(self.events()), 1)
        self.age()
        self.clean()
        self.assertFalse(self.events())

    def test_young_ones_stay_all_together(self):
        for post in inbound_answered().posts[:9]:
            self.receive(*post)
        self.age()
        self.receive(*inbound_answered().posts[9])
        count = len(self.events())
        self.clean()
        self.assertEqual(len(self.events()), count)
        self.assertFalse(self.call().sealed_at)

    def test_calls_that_go_on_keep_theirs(self):
        self.receive(*menu()[0])
        self.age()
        self.clean()
        self.assertEqual(len(self.events()), 1)
        self.assertEqual(self.call().state, "ringing")

    def test_failed_ones_stay_and_so_does_their_call(self):
        for post in inbound_answered().posts[:-1]:
            self.receive(*post)
        with failing_for("E1"), self.assertLogs(EVENT_LOGGER, "ERROR"):
            self.receive(*inbound_answered().posts[-1])
        self.call().sudo().write({"state": "ended", "ended_at": self.clock()})
        count = len(self.events())
        self.age()
        self.clean()
        self.assertEqual(len(self.events()), count)
        self.assertEqual(self.account.failed_event_count, 1)
        self.events().sudo().filtered(
            lambda event: event.state == "failed"
        ).action_process_again()
        self.run_cron("ir_cron_process_events")
        self.assertEqual(self.call().talk_duration, 75)
        self.age()
        self.clean()
        self.assertFalse(self.events())

    def test_what_no_call_is_made_of(self):
        self.receive("events/dtmf", {"entry_id": "E1", "dtmf": "1", "seq": 1})
        self.receive("result/route", {"command_id": "x", "result": 1000})
        self.receive("events/weather", {"it": "rains"})
        self.assertEqual(len(self.events()), 3)
        self.clean()
        self.assertEqual(len(self.events()), 3)
        self.age()
        self.clean()
        self.assertFalse(self.events())

    def test_days_are_the_accounts(self):
        self.play(inbound_answered())
        self.account.event_retention_days = 200
        self.age()
        self.clean()
        self.assertTrue(self.events())
        self.age(101)
        self.clean()
        self.assertFalse(self.events())

    def test_for_ever(self):
        self.play(inbound_answered())
        self.account.event_retention_days = 0
        self.age(4000)
        self.clean()
        self.assertTrue(self.events())
        self.assertFalse(self.call().sealed_at)

    def test_in_batches(self):
        for nth in range(5):
            self.play(inbound_answered(), entry_id=f"E{nth}")
        self.age()
        with self.transaction() as env:
            self.startPatcher(
                self.patch_batches(mango_event_cleaning, calls=2, events=7)
            )
            count, has_more = env["mango.event"]._gc_old()
        self.assertEqual((count, has_more), (7, True))
        self.clean()
        self.assertFalse(self.events())

    def patch_batches(self, module, calls, events):
        return patch.multiple(module, CALLS_AT_A_TIME=calls, EVENTS_AT_A_TIME=events)

    def test_archived_accounts_are_cleaned_too(self):
        self.play(inbound_answered())
        self.account.active = False
        self.age()
        self.clean()
        self.assertFalse(self.events())

    def test_call_from_the_statistics(self):
        self.statistics.calls = [answered()]
        self.fetch()
        before = self.whole(self.call())
        self.age()
        self.clean()
        self.assertFalse(self.events())
        self.assertEqual(self.whole(self.call()), before)
        job = self.fetch()
        self.assertEqual(job.new_count, 0)
        self.assertEqual(self.whole(self.call()), before)


@tagged("post_install", "-at_install")
class TestCards(HistoryCase):
    """Cards are kept as long as a screen may show them."""

    def clean(self, days):
        cards = self.env["mango.call.presence"].sudo()
        with freeze_time(max(cards.search([]).mapped("create_date")) + days * DAY):
            cards._gc_old()
        return cards.search([])

    def test_old_cards_go_and_calls_stay(self):
        self.play(inbound_answered())
        self.assertTrue(self.clean(days=1))
        self.assertFalse(self.clean(days=4))
        self.assertEqual(self.call().result, "answered")

    def test_cards_of_calls_that_go_on_stay(self):
        for post in inbound_answered().posts[:6]:
            self.receive(*post)
        self.assertTrue(self.clean(days=4))
