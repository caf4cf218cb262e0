"""Notifications that were stored but not applied, and calls without an end."""

from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time
from psycopg2.errors import SerializationFailure

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...models.calls.mango_call_apply import MAX_LIFE, QUIET_TIME, MangoCall
from ...models.inbox.mango_event import MAX_ATTEMPTS
from ..calls.test_call_apply import utc
from ..common import MangoCase, failing_for
from ..vpbx_scenarios import (
    T0,
    anonymous,
    inbound_answered,
    leg,
    menu,
    missed_by_group,
    outside,
    staff,
)

EVENT_LOGGER = "odoo.addons.mango_office.models.inbox.mango_event"
APPEARED = menu()[0]
SECOND = timedelta(seconds=1)


@tagged("post_install", "-at_install")
class TestQueue(MangoCase):
    def receive_failing(self, *entries):
        with failing_for(*entries), self.assertLogs(EVENT_LOGGER, "ERROR"):
            for entry in entries:
                self.receive(APPEARED[0], {**APPEARED[1], "entry_id": entry})

    def test_failing_call_does_not_stop_others(self):
        self.receive_failing("E1", "E2")
        with failing_for("E1"), self.assertLogs(EVENT_LOGGER, "ERROR"):
            self.run_cron("ir_cron_process_events")
        self.assertRecordValues(
            self.events().sorted("entry_id"),
            [
                {"entry_id": "E1", "state": "failed", "attempts": 2},
                {"entry_id": "E2", "state": "done", "attempts": 1},
            ],
        )
        self.assertFalse(self.call("E1"))
        self.assertTrue(self.call("E2"))

    def test_given_up_after_many_attempts(self):
        self.receive_failing("E1")
        self.events().sudo().attempts = MAX_ATTEMPTS
        self.run_cron("ir_cron_process_events")
        self.assertEqual(self.events().state, "failed")
        self.events().sudo().attempts = MAX_ATTEMPTS - 1
        self.run_cron("ir_cron_process_events")
        self.assertEqual(self.events().state, "done")

    def test_process_again(self):
        self.receive_failing("E1")
        self.events().sudo().attempts = MAX_ATTEMPTS
        admin = self.create_user("admin", "Админ", "group_admin")
        cron = self.env.ref("mango_office.ir_cron_process_events")
        triggers = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        self.events().with_user(admin).action_process_again()
        self.assertRecordValues(
            self.events(), [{"state": "pending", "error": False, "attempts": 0}]
        )
        woken = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        self.assertEqual(len(woken - triggers), 1)
        self.run_cron("ir_cron_process_events")
        self.assertEqual(self.events().state, "done")
        self.assertEqual(self.call().partner_id, self.ivan)

    def test_process_again_is_not_for_everybody(self):
        self.receive(*APPEARED)
        for user in (self.anna, self.vera):
            with self.assertRaises(AccessError):
                self.events().with_user(user).action_process_again()

    def test_process_again_of_what_is_not_used(self):
        """An ignored notification stays without effect."""
        self.receive("events/weather", {"entry_id": "E1", "sky": "blue"})
        self.assertEqual(self.events().state, "ignored")
        self.events().action_process_again()
        self.run_cron("ir_cron_process_events")
        self.assertFalse(self.call(), "a call was made of the weather")
        self.assertIn(self.events().state, ("ignored", "done"))

    def test_several_events_of_a_call_are_one_apply(self):
        *posts, _last = inbound_answered().posts
        with failing_for("E1"), self.assertLogs(EVENT_LOGGER, "ERROR"):
            for post in posts[:4]:
                self.receive(*post)
        real = MangoCall._update_from
        with patch.object(MangoCall, "_update_from", autospec=True) as update:
            update.side_effect = real
            self.run_cron("ir_cron_process_events")
        self.assertEqual(update.call_count, 1)
        self.assertEqual(set(self.events().mapped("state")), {"done"})

    def test_concurrent_update_is_repeated(self):
        """It does not count as an error of the notification (design.md 2)."""
        with colliding_once() as tries:
            self.receive(*APPEARED)
        self.env.invalidate_all()
        self.assertEqual(len(tries), 2)
        self.assertEqual(self.events().state, "done")
        self.assertEqual(self.call().state, "ringing")

    def test_concurrent_update_does_not_end_the_run(self):
        self.receive_failing("E1", "E2")
        with colliding_once():
            self.run_cron("ir_cron_process_events")
        self.assertEqual(self.events().mapped("state"), ["done", "done"])


class Conflict(SerializationFailure):
    """A serialization failure of PostgreSQL."""

    pgcode = "40001"


@contextmanager
def colliding_once():
    """Let the first update of a call collide with another one.

    :return: context manager giving the list of tries.
    """
    real, tries = MangoCall._update_from, []

    def update(call, state):
        tries.append(state)
        if len(tries) == 1:
            raise Conflict
        return real(call, state)

    with (
        patch.object(MangoCall, "_update_from", update),
        patch("odoo.service.model.time.sleep"),
    ):
        yield tries


@tagged("post_install", "-at_install")
class TestAbandoned(MangoCase):
    def play_without_summary(self, scenario):
        *posts, _summary = scenario.posts
        for kind, payload in posts:
            with freeze_time(utc(payload["timestamp"])):
                self.receive(kind, payload)
        return self.call(), utc(posts[-1][1]["timestamp"])

    def close_at(self, moment):
        with freeze_time(moment):
            self.run_cron("ir_cron_close_calls")

    def test_closed_when_all_legs_are_long_gone(self):
        call, last = self.play_without_summary(inbound_answered())
        self.close_at(last + QUIET_TIME - SECOND)
        self.assertEqual(call.state, "talking")
        self.close_at(last + QUIET_TIME + SECOND)
        self.assertRecordValues(
            call,
            [
                {
                    "state": "ended",
                    "result": "answered",
                    "ended_at": last,
                    "talk_duration": 75,
                    "end_reason": 1110,
                }
            ],
        )

    def test_one_that_cannot_be_closed(self):
        """The others are closed all the same."""
        call, last = self.play_without_summary(inbound_answered())
        for kind, payload in inbound_answered().posts[:-1]:
            with freeze_time(utc(payload["timestamp"])):
                self.receive(kind, {**payload, "entry_id": "E2"})
        with (
            failing_for("E1"),
            mute_logger("odoo.addons.mango_office.models.calls.mango_call_apply"),
        ):
            self.close_at(last + QUIET_TIME + SECOND)
        self.assertEqual((call | self.call("E2")).mapped("state"), ["talking", "ended"])

    def test_missed_without_summary(self):
        call, last = self.play_without_summary(missed_by_group())
        self.close_at(last + QUIET_TIME + SECOND)
        self.assertRecordValues(
            call, [{"state": "ended", "result": "missed", "group_number": "500"}]
        )

    def test_conversation_goes_on(self):
        """There are no notifications for a long time during a talk."""
        posts = [
            leg("L1", 1, "Appeared", 0, outside(), staff("101")),
            leg("L1", 2, "Connected", 5, outside(), staff("101")),
        ]
        for kind, payload in posts:
            with freeze_time(utc(payload["timestamp"])):
                self.receive(kind, payload)
        self.close_at(utc(T0) + MAX_LIFE - SECOND)
        self.assertEqual(self.call().state, "talking")
        self.close_at(utc(T0) + MAX_LIFE + SECOND)
        self.assertRecordValues(self.call(), [{"state": "ended", "result": "answered"}])

    def test_summary_after_closing_corrects(self):
        scenario = inbound_answered()
        call, last = self.play_without_summary(scenario)
        self.close_at(last + QUIET_TIME + SECOND)
        kind, payload = scenario.posts[-1]
        self.receive(kind, {**payload, "end_time": T0 + 100, "disconnect_reason": 1120})
        self.assertRecordValues(
            call,
            [{"ended_at": utc(T0 + 100), "talk_duration": 80, "end_reason": 1120}],
        )

    def test_late_event_after_closing_does_not_reopen(self):
        call, last = self.play_without_summary(anonymous())
        self.close_at(last + QUIET_TIME + SECOND)
        self.receive(*leg("L3", 1, "Appeared", 50, outside(None), staff("101")))
        self.assertEqual(call.state, "ended")
        self.assertEqual(len(call.leg_ids), 3)

    def test_closing_again_changes_nothing(self):
        call, last = self.play_without_summary(inbound_answered())
        self.close_at(last + QUIET_TIME + SECOND)
        before = self.snapshot(call)
        self.close_at(last + 2 * QUIET_TIME)
        self.assertEqual(self.snapshot(call), before)

    def test_legs_gone_without_times(self):
        """The state tells that a leg is gone, not its time."""
        kind, payload = leg("L1", 1, "Disconnected", 0, outside(), staff("101"))
        with freeze_time(utc(T0)):
            self.receive(kind, {**payload, "timestamp": None})
        self.assertEqual(self.call().state, "ringing")
        self.close_at(utc(T0) + QUIET_TIME + SECOND)
        self.assertEqual(self.call().state, "ended")
