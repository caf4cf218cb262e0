"""The line of a call in the chatter."""

from datetime import timedelta

from odoo.tests import tagged

from .test_leads import CrmCase


@tagged("post_install", "-at_install")
class TestChatter(CrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subtype = cls.env.ref("mango_office.mt_call")
        cls.olga = cls.create_partner("Ольга", "74950000202")

    def lines(self, record):
        return record.message_ids.filtered(
            lambda message: message.subtype_id == self.subtype
        )

    def test_line_of_a_contact(self):
        before = self.env["mail.mail"].sudo().search_count([])
        self.talked(10, talk_duration=75, note="Хочет <b>шкаф</b>")
        self.work_off()
        line = self.lines(self.ivan)
        self.assertRecordValues(
            line,
            [
                {
                    "author_id": self.anna.partner_id.id,
                    "message_type": "notification",
                    "is_internal": True,
                    "date": self.now - timedelta(minutes=10) + timedelta(seconds=30),
                }
            ],
        )
        self.assertIn("Inbound call", line.body)
        self.assertIn("Answered, 1:15", line.body)
        self.assertEqual(line.author_id, self.anna.partner_id)
        self.assertIn("Хочет &lt;b&gt;шкаф&lt;/b&gt;", line.body)
        self.assertNotIn("o_mango_play", line.body)
        self.assertFalse(line.notification_ids)
        self.assertEqual(self.env["mail.mail"].sudo().search_count([]), before)

    def test_followers_are_not_told(self):
        self.ivan.message_subscribe(self.vera.partner_id.ids, self.subtype.ids)
        self.missed(10)
        self.work_off()
        self.assertFalse(self.lines(self.ivan).notification_ids)

    def test_lead_first(self):
        lead = self.create_lead("Мебель", partner_id=self.ivan.id)
        self.missed(10, lead_id=lead.id)
        self.work_off()
        self.assertIn("Missed after 0:30", self.lines(lead).body)
        self.assertFalse(self.lines(self.ivan))

    def test_lead_that_the_call_makes(self):
        self.account.lead_policy = "always"
        call = self.stranger_missed()
        self.work_off()
        self.assertEqual(self.lines(self.leads()), call.chatter_message_id)
        self.assertEqual(len(self.lines(self.leads())), 1)

    def test_updated_never_repeated(self):
        call = self.missed(10)
        self.work_off()
        line = self.lines(self.ivan)
        call.with_user(self.vera).note = "Перезвонить"
        call._on_ended()
        self.work_off()
        self.assertEqual(self.lines(self.ivan), line)
        self.assertIn("Перезвонить", line.body)

    def test_follows_a_correction(self):
        call = self.missed(10)
        self.work_off()
        line = self.lines(self.ivan)
        call.with_user(self.vera).partner_id = self.olga
        self.work_off()
        self.assertEqual(self.lines(self.olga), line)
        self.ivan.invalidate_recordset()
        self.assertFalse(self.lines(self.ivan))
        lead = self.create_lead("Мебель", partner_id=self.olga.id)
        call.with_user(self.vera).lead_id = lead
        self.work_off()
        self.assertEqual(self.lines(lead), line)
        call.with_user(self.vera).write({"lead_id": False, "partner_id": False})
        self.work_off()
        self.assertFalse(line.exists())

    def test_lead_that_was_deleted(self):
        lead = self.create_lead("Мебель", partner_id=self.ivan.id)
        call = self.missed(10, lead_id=lead.id)
        self.work_off()
        lead.unlink()
        call.invalidate_recordset()
        call._on_ended()
        self.work_off()
        self.assertEqual(self.lines(self.ivan), call.chatter_message_id)

    def test_goes_with_the_call(self):
        call = self.talked(10, note="Хочет шкаф")
        self.work_off()
        line = self.lines(self.ivan)
        self.assertTrue(line)
        self.account.call_retention_days = 1
        call.started_at = self.now - timedelta(days=2)
        self.env.flush_all()
        self.run_cron("ir_cron_retention")
        self.assertFalse(call.exists())
        self.assertFalse(line.exists())

    def test_recording(self):
        call = self.talked(10)
        self.work_off()
        recording = self.env["mango.recording"].create(
            {
                "call_id": call.id,
                "recording_ref": "R1",
                "state": "ready",
                "audio": "SUQz",
            }
        )
        recording._notify_listeners()
        self.work_off()
        line = self.lines(self.ivan)
        self.assertIn(f'data-oe-id="{call.id}"', line.body)
        self.assertIn("o_mango_play", line.body)
        recording._expire()
        self.work_off()
        self.assertNotIn("o_mango_play", line.body)

    def test_cost_of_the_end_of_a_call(self):
        """The webhook only notes that there is a line to write."""
        call = self.missed(10)
        self.env.flush_all()
        before = self.env.cr.sql_log_count
        call._on_ended()
        self.env.flush_all()
        # Both the call backs and the CRM look whether there is something to do.
        self.assertLessEqual(self.env.cr.sql_log_count - before, 6)

    def test_switched_off(self):
        self.account.chatter_enabled = False
        self.missed(10)
        self.assertFalse(self.env["mango.crm.task"].search([]))
        self.work_off()
        self.assertFalse(self.lines(self.ivan))

    def test_none(self):
        self.add(10, "answered", "internal")
        self.missed(0, started_at=self.now - timedelta(hours=25))
        self.stranger_missed()
        self.work_off()
        self.assertFalse(self.lines(self.ivan))
        self.assertFalse(self.env["mango.call"].search([]).chatter_message_id)

    def test_language_of_the_company(self):
        self.env["res.lang"]._activate_lang("ru_RU")
        self.company.partner_id.lang = "ru_RU"
        self.missed(10)
        self.work_off()
        self.assertTrue(self.lines(self.ivan))

    def test_merged_contacts(self):
        call = self.missed(10)
        self.work_off()
        line = self.lines(self.ivan)
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge([self.ivan.id, self.olga.id], self.olga)
        call.invalidate_recordset()
        self.olga.invalidate_recordset()
        self.assertEqual(call.partner_id, self.olga)
        self.assertEqual(self.lines(self.olga), line)
        call._on_ended()
        self.work_off()
        self.assertEqual(self.lines(self.olga), line)
