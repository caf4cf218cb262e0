"""The way from an unknown caller to the analysis, in the browser."""

from odoo.tests import tagged

from ..common import MangoHttpCase, sound
from ..test_ui import talk
from ..vpbx_scenarios import LINE


@tagged("post_install", "-at_install")
class TestCrmTours(MangoHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.write({"lead_policy": "always", "outcome_required": True})
        cls.anna.group_ids += cls.env.ref("sales_team.group_sale_salesman")
        line = cls.account.line_ids.filtered(lambda line: line.number == LINE)
        line.source_id = cls.env["utm.source"].create({"name": "Журнал"})
        line.campaign_id = cls.env["utm.campaign"].create({"name": "Осень"})

    def hear_of_a_talk(self):
        for kind, payload in talk("E1", "74950000299", "101"):
            self.receive(kind, payload)
        recording = self.announce()
        self.pbx.offers_recording(sound(20))
        recording.action_request()
        self.fetch_recordings()
        self.run_cron("ir_cron_crm")
        return self.call()

    def test_crm(self):
        call = self.hear_of_a_talk()
        self.start_tour("/odoo/my-calls", "mango_office_crm", login=self.anna.login)
        self.assertTrue(call.outcome_id)
        self.assertEqual(call.lead_id.user_id, self.anna)
        self.assertEqual(call.lead_id.campaign_id.name, "Осень")

    def speak_russian(self):
        self.env["res.lang"]._activate_lang("ru_RU")
        modules = self.env["ir.module.module"]
        modules._load_module_terms(["mango_office"], ["ru_RU"])
        (self.anna | self.vera).lang = "ru_RU"
        self.company.partner_id.lang = "ru_RU"

    def test_crm_in_russian(self):
        self.speak_russian()
        call = self.hear_of_a_talk()
        self.start_tour("/odoo/my-calls", "mango_office_crm_ru", login=self.anna.login)
        self.assertTrue(call.outcome_id)
        self.assertIn("Звонок", call.lead_id.name)
        self.assertIn("Слушать", call.chatter_message_id.body)

    def test_sources(self):
        self.hear_of_a_talk()
        self.start_tour(
            "/odoo/calls-by-source", "mango_office_sources", login=self.vera.login
        )

    def test_sources_in_russian(self):
        self.speak_russian()
        self.hear_of_a_talk()
        self.start_tour(
            "/odoo/calls-by-source", "mango_office_sources_ru", login=self.vera.login
        )
