"""Retention and deletion of recordings and calls."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from ...models.recordings import mango_account as mango_account_retention
from ..common import MangoCase, sound
from ..vpbx_scenarios import inbound_answered


class KeepingCase(MangoCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = cls.create_user("admin", "Админ", "group_admin")

    def recorded(self, number=1, age=0):
        """Add a call with an available recording; ``age`` in days."""
        entry_id, ref = f"E{number}", f"R{number}"
        call = self.play(inbound_answered(), entry_id=entry_id)
        recording = self.announce(ref, entry_id=entry_id)
        self.pbx.offers_recording(sound(number))
        recording.action_request()
        self.fetch_recordings()
        self.assertEqual(recording.state, "ready")
        call.started_at = fields.Datetime.now() - timedelta(days=age, minutes=1)
        return recording

    def files(self, recordings):
        return self.env["ir.attachment"].search(
            [
                ("res_model", "=", "mango.recording"),
                ("res_id", "in", recordings.ids),
                ("res_field", "=", "audio"),
            ]
        )

    def run_retention(self):
        self.run_cron("ir_cron_retention")


@tagged("post_install", "-at_install")
class TestRetention(KeepingCase):
    def test_for_ever_unless_said_otherwise(self):
        recording = self.recorded(age=5000)
        self.run_retention()
        self.assertEqual(recording.state, "ready")
        self.assertTrue(self.files(recording))

    def test_recordings(self):
        old, young, kept = (
            self.recorded(1, 31),
            self.recorded(2, 29),
            self.recorded(3, 90),
        )
        kept.with_user(self.admin).action_keep()
        self.account.recording_retention_days = 30
        self.run_retention()
        self.assertRecordValues(
            old | young | kept,
            [{"state": "expired"}, {"state": "ready"}, {"state": "ready"}],
        )
        self.assertEqual(self.files(old | young | kept), self.files(young | kept))
        self.assertRecordValues(old, [{"size": 0, "expired_by_id": False}])
        self.assertTrue(old.expired_at)
        self.assertEqual(old.call_id.recording_state, "expired")
        # It is not requested from the PBX again.
        old.action_request()
        self.assertEqual(old.state, "expired")
        kept.with_user(self.admin).action_keep()
        self.run_retention()
        self.assertEqual(kept.state, "expired")

    def test_calls(self):
        recordings = old, young, kept = (
            self.recorded(1, 400),
            self.recorded(2, 300),
            self.recorded(3, 400),
        )
        calls = self.env["mango.call"].concat(*(r.call_id for r in recordings))
        old_files = self.files(old)
        kept.with_user(self.admin).action_keep()
        self.account.call_retention_days = 365
        self.run_retention()
        self.assertEqual(calls.exists(), (young | kept).call_id)
        self.assertFalse(old.exists())
        self.assertFalse(old_files.exists())
        self.assertEqual(set(self.events().mapped("entry_id")), {"E2", "E3"})
        self.assertEqual(len(self.files(young | kept)), 2)

    def test_call_that_goes_on_stays(self):
        call = self.recorded(1, 400).call_id
        call.state = "talking"
        self.account.call_retention_days = 365
        self.run_retention()
        self.assertTrue(call.exists())

    def test_other_accounts_keep_theirs(self):
        recording = self.recorded(1, 400)
        other = self.create_account(api_key="test_api_key_0007", api_salt="x")
        other.recording_retention_days = other.call_retention_days = 1
        self.run_retention()
        self.assertEqual(recording.state, "ready")

    def test_in_batches(self):
        recordings = [self.recorded(number, 40) for number in range(1, 4)]
        self.account.recording_retention_days = 30
        self.patch(mango_account_retention, "BATCH_SIZE", 2)
        self.run_retention()
        self.assertEqual({r.state for r in recordings}, {"expired"})

    def test_disk_use(self):
        self.assertEqual(self.account.recording_count, 0)
        self.assertEqual(self.account.recording_disk_usage, "Nothing stored")
        self.recorded(1)
        self.recorded(2)
        self.account.invalidate_recordset()
        self.assertEqual(self.account.recording_count, 2)
        self.assertIn("23.5", self.account.with_user(self.anna).recording_disk_usage)


@tagged("post_install", "-at_install")
class TestDelete(KeepingCase):
    def test_says_so(self):
        recording = self.recorded()
        recording.with_user(self.admin).action_delete()
        self.assertRecordValues(
            recording, [{"state": "expired", "expired_by_id": self.admin.id}]
        )
        self.assertFalse(self.files(recording))
        self.assertTrue(recording.expired_at)

    def test_of_a_person(self):
        ivans = self.recorded(1)
        others = self.recorded(2)
        announced = self.announce("R3")
        others.call_id.partner_id = self.create_partner("Пётр")
        ivans.with_user(self.admin).action_keep()
        calls = self.env["mango.call"].search_count([])
        with self.assertRaises(AccessError):
            self.ivan.with_user(self.vera).action_delete_mango_recordings()
        self.assertEqual(ivans.state, "ready")
        company = self.create_partner("ООО «Петров»", is_company=True)
        self.ivan.parent_id = company
        self.assertEqual(
            company.with_user(self.admin).action_delete_mango_recordings(), 2
        )
        self.assertEqual(set((ivans | announced).mapped("state")), {"expired"})
        self.assertEqual(others.state, "ready")
        self.assertFalse(self.files(ivans))
        # The call stays and is counted as before.
        self.assertEqual(self.env["mango.call"].search_count([]), calls)
        self.assertEqual(ivans.call_id.talk_duration, 75)
        # Recordings still at the PBX are not fetched any more, either.
        announced.action_request()
        self.assertEqual(announced.state, "expired")
