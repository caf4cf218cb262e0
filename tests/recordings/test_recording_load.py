"""Recordings announced by the PBX."""

from freezegun import freeze_time

from odoo import fields
from odoo.tests import tagged, warmup
from odoo.tools import format_datetime

from ...models.recordings.mango_recording import DELAYS
from ...vpbx.errors import RefusedError
from ..common import RECORDING, Answer, MangoCase
from ..vpbx_scenarios import inbound_answered, outside, staff, summary

ADDED = {
    "entry_id": "E1",
    "product_id": 400000001,
    "user_id": 400000101,
    "timestamp": 1767258130,
    "recording_id": "R1",
}


@tagged("post_install", "-at_install")
class TestLoad(MangoCase):
    def added(self, **payload):
        self.receive("events/record/added", {**ADDED, **payload})
        return self.recording(payload.get("recording_id", "R1"))

    def test_announced_after_the_call(self):
        call = self.play(inbound_answered())
        self.assertEqual(call.recording_state, "none")
        recording = self.announce()
        self.assertRecordValues(
            recording,
            [
                {
                    "call_id": call.id,
                    "state": "announced",
                    "is_at_pbx": True,
                    "extension_id": self.anna_extension.id,
                    "user_id": self.anna.id,
                    "started_at": call.started_at,
                }
            ],
        )
        self.assertEqual(call.recording_state, "announced")
        # A second announcement makes no difference.
        self.added()
        self.assertEqual(call.recording_ids, recording)
        self.assertEqual(self.pbx.requests, [])

    def test_started_is_not_announced(self):
        self.play(inbound_answered())
        self.assertFalse(self.announce(recording_state="Started", completion_code=None))
        self.assertEqual(self.call().recording_state, "none")

    def test_several_of_one_call(self):
        call = self.play(inbound_answered())
        self.announce("R1", "101")
        self.announce("R2", "102")
        self.assertEqual(call.recording_ids.user_id, self.anna | self.boris)
        # The recorded employee took part.
        self.assertIn(self.boris, call.user_ids)

    def test_employee_by_the_pbx_name(self):
        self.boris_extension.pbx_user_ref = "400000101"
        self.play(inbound_answered())
        self.assertEqual(self.added().user_id, self.boris)

    def test_employee_reported_later(self):
        self.play(inbound_answered())
        self.assertFalse(self.added(user_id=-1).extension_id)
        self.assertEqual(self.announce().user_id, self.anna)

    def test_unknown_employee(self):
        self.play(inbound_answered())
        recording = self.added(user_id=999)
        self.assertEqual(recording.state, "announced")
        self.assertFalse(recording.user_id)

    def test_not_stored(self):
        self.play(inbound_answered())
        self.assertFalse(self.announce("R1", completion_code=4002))
        self.assertFalse(self.announce("R2", recipient="Mail"))
        self.assertEqual(self.call().recording_state, "none")
        refused = self.announce("R3", completion_code=2240, recipient=None)
        self.assertRecordValues(refused, [{"state": "failed", "is_at_pbx": False}])
        self.assertIn("money", refused.error)
        self.assertEqual(self.call().recording_error, refused.error)
        refused.with_user(self.anna).action_request()
        self.assertEqual(refused.state, "failed")
        # If it is announced after all, it can be requested.
        self.added(recording_id="R3")
        self.assertRecordValues(
            refused, [{"state": "announced", "is_at_pbx": True, "error": False}]
        )

    def test_announced_before_the_call(self):
        """A recording without any other notification proves a talk."""
        recording = self.announce()
        call = recording.call_id
        self.assertRecordValues(
            call,
            [
                {
                    "entry_id": "E1",
                    "state": "talking",
                    "direction": False,
                    "user_id": self.anna.id,
                    "user_ids": self.anna.ids,
                    "recording_state": "announced",
                    "display_name": "Unknown number",
                }
            ],
        )
        self.assertTrue(call.started_at)
        # There is no card.
        screen = self.env["mango.call.presence"].with_user(self.anna).get_screen()
        self.assertEqual(screen["cards"], [])
        self.play(inbound_answered())
        self.assertEqual(call.state, "ended")
        self.assertEqual(call.recording_ids, recording)
        self.assertEqual(recording.started_at, call.started_at)
        with_recording = self.snapshot(call)
        other = self.play(inbound_answered(), entry_id="E2")
        self.assertEqual(with_recording, self.snapshot(other))

    def test_title_is_client_and_date(self):
        self.play(inbound_answered())
        recording = self.announce().with_user(self.anna)
        when = format_datetime(recording.env, self.call().started_at, dt_format="short")
        self.assertEqual(recording.display_name, f"Иван Петров, {when}")

    def test_call_that_never_comes(self):
        call = self.announce().call_id
        self.run_cron("ir_cron_close_calls")
        self.assertEqual(call.state, "talking")
        self.cr.execute("UPDATE mango_call SET write_date = write_date - interval '1h'")
        call.invalidate_recordset()
        self.run_cron("ir_cron_close_calls")
        self.assertRecordValues(call, [{"state": "ended", "result": "answered"}])
        # The summary still wins.
        self.receive(*summary(1, outside(), staff("101"), talk=20, end=95, reason=1110))
        self.assertEqual(call.talk_duration, 75)
        self.assertEqual(call.direction, "inbound")

    def test_asked_for_right_after_the_talk(self):
        """It is fetched as soon as the PBX announces it."""
        self.play(inbound_answered())
        self.announce().with_user(self.anna).action_request()
        self.pbx.answers(RECORDING, status=404, body="")
        self.fetch_recordings()
        self.assertEqual(self.recording().state, "requested")
        self.added()
        self.pbx.answers(RECORDING, status=302, body="", location="link")
        self.pbx.offers_recording()
        self.fetch_recordings()
        self.assertEqual(self.recording().state, "ready")

    def test_of_one_call_only(self):
        self.play(inbound_answered())
        self.play(inbound_answered(), entry_id="E2")
        self.announce("R1")
        self.announce("R2", entry_id="E2")
        self.assertEqual(self.call().recording_ids, self.recording("R1"))
        self.assertEqual(self.call("E2").recording_ids, self.recording("R2"))

    @warmup
    def test_queries(self):
        """Calls without a recording take no additional queries (test_call_apply)."""
        self.play(inbound_answered())
        with self.assertQueryCount(22):
            self.announce()

    def test_after_the_notifications_have_gone(self):
        """A sealed call still accepts recordings, and nothing else."""
        call = self.play(inbound_answered())
        call.sealed_at = fields.Datetime.now()
        self.events().unlink()
        before = self.snapshot(call)
        self.assertEqual(self.announce().call_id, call)
        self.assertEqual(self.recording().user_id, self.anna)
        self.assertEqual(self.snapshot(call), before)


@tagged("post_install", "-at_install")
class TestAutomatic(MangoCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.recording_mode = "automatic"

    def states(self):
        self.play(inbound_answered())
        return self.announce().state

    def test_of_an_answered_call(self):
        self.assertEqual(self.states(), "requested")
        self.assertTrue(self.recording().is_automatic)

    def test_fetched_by_the_cron(self):
        self.pbx.offers_recording()
        self.states()
        self.receive("events/record/added", ADDED)
        self.fetch_recordings()
        self.assertEqual(self.recording().state, "ready")

    def test_not_before_it_is_there(self):
        """It is requested once announced, or after a while without an announcement."""
        self.pbx.offers_recording()
        self.states()
        self.fetch_recordings()
        self.assertEqual(self.pbx.requests, [])
        self.receive("events/record/added", ADDED)
        self.fetch_recordings()
        self.assertEqual(self.recording().state, "ready")
        self.announce("R2")
        self.recording("R2").next_fetch_at -= DELAYS[0]
        self.fetch_recordings()
        self.assertEqual(self.recording("R2").state, "ready")

    def test_not_before_the_end(self):
        scenario = inbound_answered()
        for kind, payload in scenario.posts:
            if kind == "events/summary":
                self.assertEqual(self.announce().state, "announced")
            self.receive(kind, payload)
        self.assertEqual(self.recording().state, "requested")

    def test_too_short_a_talk(self):
        self.account.recording_min_duration = 76
        self.assertEqual(self.states(), "announced")

    def test_long_enough_a_talk(self):
        self.account.recording_min_duration = 75
        self.assertEqual(self.states(), "requested")

    def test_other_extensions(self):
        self.account.recording_extension_ids = self.boris_extension
        self.assertEqual(self.states(), "announced")
        self.assertEqual(self.announce("R2", "102").state, "requested")

    def test_only_answered(self):
        posts = summary(1, outside(), staff("101"), talk=None, end=95, reason=1111)
        self.receive(*posts)
        self.assertEqual(self.announce().state, "announced")
        self.account.recording_only_answered = False
        self.assertEqual(self.announce("R2").state, "requested")

    def test_of_long_ago(self):
        """Recordings that are due for deletion are not fetched."""
        self.account.recording_retention_days = 30
        with freeze_time("2026-03-01"):
            self.assertEqual(self.states(), "announced")
        with freeze_time("2026-01-20"):
            self.assertEqual(self.announce("R2").state, "requested")

    def test_pbx_that_is_not_to_be_asked(self):
        """Users may still request recordings when automatic requests are stopped."""
        self.pbx.offers_recording()
        self.states()
        self.receive("events/record/added", ADDED)
        self.env.flush_all()
        self.account._record_answer(RefusedError(3102, ""))
        self.fetch_recordings()
        self.assertEqual(self.recording().state, "requested")
        self.assertEqual(self.pbx.requests, [])
        self.recording().with_user(self.anna).action_request()
        self.fetch_recordings()
        self.assertEqual(self.recording().state, "ready")

    def test_the_account_learns(self):
        for answer, may_go_on in (
            (Answer(302, "", location="link"), True),
            (Answer(404, ""), True),
            # An invalid request for the PBX: two of them would lock us out.
            (Answer(404, '{"result": 3320}'), False),
            (Answer(503, "busy"), False),
            (Answer(200, '{"result": 3102}'), False),
        ):
            with self.subTest(answer):
                self.pbx.reset()
                self.pbx.answers(RECORDING, **vars(answer))
                self.pbx.offers_recording()
                self.states()
                self.recording().write({"state": "announced"})
                self.recording()._request(is_automatic=True)
                self.account._resume_requests()
                self.assertTrue(self.account._may_request())
                self.fetch_recordings()
                self.assertEqual(len(self.pbx.requests), 1)
                self.assertEqual(self.account._may_request(), may_go_on)

    def test_answer_to_a_person_counts(self):
        self.account.recording_mode = "on_request"
        self.pbx.answers(RECORDING, body='{"result": 3102}')
        self.states()
        self.env.flush_all()
        self.recording().with_user(self.anna).action_request()
        self.fetch_recordings()
        self.assertEqual(self.recording().state, "failed")
        self.assertFalse(self.account._may_request())

    def test_deleted_stays_deleted(self):
        self.states()
        self.recording()._expire()
        self.announce(seq=3)
        self.assertEqual(self.recording().state, "expired")
