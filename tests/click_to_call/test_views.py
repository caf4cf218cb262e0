"""Views in which numbers can be clicked on."""

from lxml import etree

from odoo.tests import tagged

from ..common import MangoCase

MODELS = ("res.partner", "res.users", "res.company", "crm.lead")


@tagged("post_install", "-at_install")
class TestViewsWithNumbers(MangoCase):
    def test_every_number_can_be_called(self):
        views = self.env["ir.ui.view"].search(
            [
                ("model", "in", MODELS),
                ("type", "in", ("form", "list", "kanban")),
                ("mode", "=", "primary"),
            ]
        )
        widgets = {
            node.get("widget")
            for view in views
            for node in self.numbers_in(self.env[view.model], view.type, view.id)
        }
        self.assertFalse(widgets - {"phone", "mango_call_icon"})

    def test_search_stays_a_search(self):
        view = self.env["ir.ui.view"].create(
            {
                "name": "search",
                "type": "search",
                "model": "res.partner",
                "arch": "<search><field name='phone'/></search>",
            }
        )
        arch = self.env["res.partner"].get_view(view.id, "search")["arch"]
        self.assertIsNone(etree.fromstring(arch).find("field").get("widget"))

    def test_cards_of_leads(self):
        for name in ("crm_case_kanban_view_leads", "view_crm_lead_kanban"):
            with self.subTest(view=name):
                view = self.env.ref(f"crm.{name}")
                leads = self.env["crm.lead"].with_user(self.create_seller(name))
                [node] = self.numbers_in(leads, "kanban", view.id)
                self.assertEqual(node.get("widget"), "mango_call_icon")

    def create_seller(self, login):
        seller = self.create_user(login, "Продавец")
        seller.group_ids += self.env.ref("sales_team.group_sale_salesman")
        return seller

    def numbers_in(self, model, view_type, view_id):
        arch = etree.fromstring(model.get_view(view_id, view_type)["arch"])
        return arch.findall(".//field[@name='phone']")
