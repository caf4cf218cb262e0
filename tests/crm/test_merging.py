"""Contacts that are merged with Odoo's own wizard lose nothing of their calls."""

from odoo.tests import new_test_user, tagged

from ..callbacks.test_callbacks import IVAN, OLGA
from .test_leads import STRANGER, CrmCase


class MergeCase(CrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.olga = cls.create_partner("Ольга", "74950000202")

    def merge(self, user=None):
        """Merge Ivan into Olga."""
        wizard = self.env["base.partner.merge.automatic.wizard"].with_user(
            user or self.env.user
        )
        wizard.create({})._merge((self.ivan | self.olga).ids, self.olga)
        self.env.invalidate_all()

    def identify(self, number):
        partner, _lead = self.env["mango.caller.lookup"]._identify(self.account, number)
        return self.env["mango.callback"]._contact(partner)


@tagged("post_install", "-at_install")
class TestMerging(MergeCase):
    def test_calls_recordings_and_choices(self):
        call = self.talked(10)
        recording = self.env["mango.recording"].create(
            {"call_id": call.id, "recording_ref": "R1", "state": "ready"}
        )
        chosen = self.stranger_talked()
        chosen.with_user(self.vera).partner_id = self.ivan
        self.merge()
        self.assertEqual(call.partner_id, self.olga)
        self.assertEqual(self.olga.mango_call_ids, call | chosen)
        self.assertEqual(call.recording_ids, recording)
        self.assertTrue(chosen.partner_is_manual)
        self.assertFalse(call.partner_is_manual)

    def test_numbers(self):
        """Who calls from either number is the contact that is left."""
        self.talked(10)
        self.merge()
        self.assertEqual(self.olga.phone_sanitized, OLGA)
        self.assertEqual(self.identify(IVAN), self.olga)
        self.assertEqual(self.identify(OLGA), self.olga)
        call = self.missed(5)
        self.assertEqual(
            self.env["mango.callback"]._contact(call.partner_id), self.olga
        )

    def test_number_that_was_added(self):
        self.vera.group_ids += self.env.ref("base.group_partner_manager")
        call = self.stranger_talked()
        self.env.flush_all()
        call.with_user(self.vera).add_number_to(self.ivan.id)
        self.env.invalidate_all()
        self.merge()
        self.assertEqual(self.identify(STRANGER), self.olga)

    def test_number_that_nobody_has_called_from(self):
        self.merge()
        self.assertFalse(self.olga.child_ids)

    def test_number_for_a_contact_without_one(self):
        self.olga.phone = False
        self.talked(10)
        self.merge()
        self.assertEqual(self.olga.phone_sanitized, IVAN)
        self.assertFalse(self.olga.child_ids)

    def test_by_somebody_without_telephony(self):
        self.talked(10)
        clerk = new_test_user(
            self.env,
            "mango_clerk",
            # Odoo's own wizard reads fields that only who manages users may read.
            "base.group_partner_manager,base.group_erp_manager",
            company_id=self.company.id,
        )
        self.merge(clerk)
        self.assertEqual(self.identify(IVAN), self.olga)


@tagged("post_install", "-at_install")
class TestMergingLeads(MergeCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.write({"lead_policy": "always", "lead_policy_known": "always"})

    def rows_of(self, partner):
        return self.env["mango.client.lead"].search(
            [("client_key", "=", f"contact,{partner.id}")]
        )

    def test_lead_of_the_source(self):
        call = self.missed(10)
        self.work_off()
        lead = call.lead_id
        row = self.rows_of(self.ivan)
        self.assertEqual(row.lead_id, lead)
        self.merge()
        self.assertEqual(self.rows_of(self.olga), row)
        self.assertFalse(self.rows_of(self.ivan))
        self.assertEqual(lead.partner_id, self.olga)
        # Neither number makes a second lead, and an earlier call takes it over.
        later = self.missed(5, number=OLGA)
        earlier = self.missed(20, number=OLGA)
        self.work_off()
        self.assertEqual((later | earlier).lead_id, lead)
        self.assertEqual(row.call_id, earlier)

    def test_leads_of_both(self):
        ivans, olgas = self.missed(10), self.missed(9, number=OLGA)
        self.work_off()
        self.assertNotEqual(ivans.lead_id, olgas.lead_id)
        self.merge()
        self.assertEqual(self.rows_of(self.olga).lead_id, olgas.lead_id)
        call = self.missed(5)
        self.work_off()
        self.assertEqual(call.lead_id, olgas.lead_id)
        self.assertTrue(ivans.lead_id.exists(), "a person says what becomes of it")

    def test_only_the_source_has_an_open_one(self):
        ivans, olgas = self.missed(10), self.missed(9, number=OLGA)
        self.work_off()
        olgas.lead_id.action_set_lost()
        self.merge()
        self.assertEqual(self.rows_of(self.olga).lead_id, ivans.lead_id)


@tagged("post_install", "-at_install")
class TestMergingOpportunities(MergeCase):
    """What belongs to a lead belongs to the one that it was merged into."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.write({"lead_policy": "always", "callback_enabled": True})
        cls.kept = cls.create_lead("Ромашки", user_id=cls.boris.id, probability=90)

    def merge_lead(self, lead):
        self.env.flush_all()
        kept = (self.kept | lead).merge_opportunity()
        self.env.invalidate_all()
        self.assertEqual(kept, self.kept)
        self.assertFalse(lead.exists())

    def test_calls(self):
        call = self.stranger_missed(10)
        self.work_off()
        self.merge_lead(call.lead_id)
        self.assertEqual(self.kept.mango_call_ids, call)
        self.assertFalse(call.lead_is_manual)
        self.assertIn(self.boris, call.user_ids)

    def test_next_call(self):
        self.stranger_missed(10)
        self.work_off()
        self.merge_lead(self.leads())
        self.kept.phone = False
        call = self.stranger_missed(5)
        self.work_off()
        self.assertEqual(call.lead_id, self.kept)

    def test_who_waits(self):
        call = self.stranger_missed(10)
        lead = self.create_lead("Тюльпаны", phone=STRANGER)
        call.lead_id = lead
        self.env.flush_all()
        self.run_cron("ir_cron_callbacks")
        self.assertEqual(self.entries().lead_id, lead)
        self.merge_lead(lead)
        self.assertEqual(self.entries().lead_id, self.kept)


@tagged("post_install", "-at_install")
class TestMergingCallbacks(MergeCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.callback_enabled = True

    def work_off_callbacks(self):
        self.env.flush_all()
        self.run_cron("ir_cron_callbacks")
        return self.entries()

    def test_who_waits(self):
        self.missed(20)
        entry = self.work_off_callbacks()
        entry.with_user(self.vera).user_id = self.boris
        self.merge()
        self.assertEqual(self.work_off_callbacks(), entry)
        self.assertEqual(entry.partner_id, self.olga)
        self.assertEqual(entry.client_key, f"contact,{self.olga.id}")
        self.assertEqual((entry.state, entry.user_id), ("open", self.boris))
        self.called(5, number=OLGA)
        self.assertEqual(self.work_off_callbacks().state, "done")

    def test_who_was_called_back(self):
        self.missed(20)
        self.called(10)
        entry = self.work_off_callbacks()
        self.merge()
        self.work_off_callbacks()
        self.assertEqual((entry.state, entry.partner_id), ("done", self.olga))
        self.assertEqual(entry.closed_by, "called_back")
