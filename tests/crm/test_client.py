"""What the card says of the client's business and day, and what can be begun there."""

from datetime import datetime, timedelta
from types import SimpleNamespace
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from ...models.crm.mango_client_business import MangoClientBusiness
from .test_leads import CrmCase

NOTHING = {"order": False, "quotation": False, "overdue": False}


class FakeModel:
    """Stands for a model of an app that is not installed; notes what it is asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.domains = []

    def search_fetch(self, domain, field_names, order, limit):
        self.domains.append(list(domain))
        return self.answers.pop(0)

    def _read_group(self, domain, aggregates):
        self.domains.append(list(domain))
        return self.answers.pop(0)


class ClientCase(CrmCase):
    def card(self, call, user=None, lang="en_US"):
        user = user or self.anna
        content = self.env["mango.card.content"].with_user(user).with_context(lang=lang)
        return content._card_of_call(call.with_env(content.env))


@tagged("post_install", "-at_install")
class TestBusiness(ClientCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rub = cls.env.ref("base.RUB")
        cls.rub.symbol = "₽"
        cls.company.currency_id = cls.rub
        cls.vector = cls.create_partner("ООО «Вектор»", is_company=True)
        cls.ivan.parent_id = cls.vector

    def order(self, order_id, amount):
        return SimpleNamespace(
            id=order_id,
            name=f"S0000{order_id}",
            amount_total=amount,
            currency_id=self.rub,
            date_order=datetime(2026, 11, 20, 12),
        )

    def business(self, models, lang="en_US"):
        with patch.object(
            MangoClientBusiness, "_readable", lambda _self, model: models.get(model)
        ):
            return self.card(self.talked(10), lang=lang)["business"]

    def test_not_installed_is_not_asked_for(self):
        business = self.env["mango.client.business"].with_user(self.kirill)
        with patch.dict(self.env.registry.models):
            self.env.registry.models.pop("sale.order", None)
            self.env.registry.models.pop("account.move", None)
            self.assertIsNone(business._readable("sale.order"))
            self.ivan.mapped("commercial_partner_id")  # is read before
            with self.assertQueryCount(0):
                found = business._business_with(self.ivan, self.company)
        self.assertEqual(found, NOTHING)

    def test_not_the_users_business(self):
        """What the user may not read is as if it were not there."""
        business = self.env["mango.client.business"].with_user(self.anna)
        self.assertIsNone(business._readable("mango.event"))
        self.assertIsNotNone(business._readable("mango.call"))

    def test_sales(self):
        orders = FakeModel(self.order(3, 12000), self.order(5, 500.5))
        business = self.business({"sale.order": orders})
        self.assertEqual(
            business["order"],
            {
                "id": 3,
                "name": "S00003",
                "amount": "12,000.00\N{NO-BREAK SPACE}₽",
                "date": "11/20/2026",
            },
        )
        self.assertEqual(business["quotation"]["id"], 5)
        self.assertFalse(business["overdue"])
        confirmed, open_ones = orders.domains
        for domain in orders.domains:
            # The whole company's, and only what concerns who was called.
            vector = ("partner_id.commercial_partner_id", "=", self.vector.id)
            self.assertIn(vector, domain)
            self.assertIn(("company_id", "=", self.company.id), domain)
        self.assertIn(("state", "=", "sale"), confirmed)
        self.assertIn("validity_date", [leaf[0] for leaf in open_ones])

    def test_invoices(self):
        invoices = FakeModel([(700.0, 2)])
        business = self.business({"account.move": invoices})
        self.assertEqual(
            business["overdue"], {"amount": "700.00\N{NO-BREAK SPACE}₽", "count": 2}
        )
        self.assertIn(
            ("commercial_partner_id", "=", self.vector.id), invoices.domains[0]
        )

    def test_nothing(self):
        models = {
            "sale.order": FakeModel(None, None),
            "account.move": FakeModel([(False, 0)]),
        }
        self.assertEqual(self.business(models), NOTHING)

    def test_language_of_the_reader(self):
        self.env["res.lang"]._activate_lang("ru_RU")
        orders = FakeModel(self.order(3, 12000), None)
        order = self.business({"sale.order": orders}, lang="ru_RU")["order"]
        self.assertEqual(
            order["amount"], "12\N{NO-BREAK SPACE}000,00\N{NO-BREAK SPACE}₽"
        )
        self.assertEqual(order["date"], "20.11.2026")

    def test_of_a_client_only(self):
        models = {"sale.order": FakeModel(), "account.move": FakeModel()}
        with patch.object(
            MangoClientBusiness, "_readable", lambda _self, model: models.get(model)
        ):
            for call in (
                self.stranger_talked(),
                self.add(5, "answered", "internal", number=False),
            ):
                self.assertEqual(self.card(call)["business"], NOTHING)


@tagged("post_install", "-at_install")
class TestToday(ClientCase):
    def test_other_calls(self):
        with freeze_time("2026-04-09 12:00:00"):
            now = fields.Datetime.now()
            call = self.talked(0, started_at=now)
            self.assertFalse(self.card(call)["today"])
            self.missed(0, started_at=now - timedelta(hours=2))
            self.called(0, started_at=now - timedelta(hours=1))
            self.called(0, started_at=now - timedelta(days=1))
            self.stranger_talked(5, started_at=now)
            self.assertEqual(self.card(call)["today"], {"count": 2, "missed": 1})
            action = call.with_user(self.anna).action_view_today()
        found = self.env["mango.call"].search(action["domain"])
        self.assertEqual(len(found), 2)

    def test_day_of_the_reader(self):
        """At three in the morning in Moscow, yesterday evening is yesterday."""
        self.anna.tz = "Europe/Moscow"
        with freeze_time("2026-04-09 00:30:00"):
            now = fields.Datetime.now()
            call = self.talked(0, started_at=now)
            self.missed(0, started_at=now - timedelta(hours=4))
            self.assertFalse(self.card(call)["today"])
            self.missed(0, started_at=now - timedelta(hours=3))
            self.assertEqual(self.card(call)["today"]["count"], 1)

    def test_unknown_number(self):
        call = self.stranger_talked(1, started_at=self.now)
        with freeze_time(self.now + timedelta(seconds=1)):
            self.stranger_missed(1, started_at=self.now)
            self.assertEqual(self.card(call)["today"], {"count": 1, "missed": 1})

    def test_only_those_that_the_user_may_see(self):
        call = self.talked(0, started_at=self.now)
        self.called(0, started_at=self.now, users=self.boris, partner_id=False)
        hidden = self.called(0, started_at=self.now, users=self.boris)
        hidden.user_ids = self.boris
        with freeze_time(self.now + timedelta(seconds=1)):
            own = self.card(call)["today"]
            seen = self.card(call, self.vera)["today"]
        self.assertEqual(seen, {"count": 1, "missed": 0})
        visible = hidden.with_user(self.anna)._filtered_access("read")
        self.assertEqual(bool(own), bool(visible))

    def test_hidden_numbers_have_nothing_in_common(self):
        calls = [self.missed(0, started_at=self.now, number=False) for _ in range(2)]
        self.assertFalse(self.card(calls[0])["today"])


@tagged("post_install", "-at_install")
class TestBeginning(ClientCase):
    def test_meeting(self):
        lead = self.create_lead("Поставка", partner_id=self.ivan.id)
        call = self.talked(10, lead_id=lead.id)
        self.anna.group_ids += self.env.ref("sales_team.group_sale_salesman_all_leads")
        self.assertTrue(self.card(call)["can_meet"])
        context = call.with_user(self.anna).get_meeting_defaults()
        meeting = self.env["calendar.event"].with_user(self.anna)
        event = meeting.with_context(**context).create({})
        self.assertEqual(event.name, "Поставка")
        self.assertEqual(event.partner_ids, self.anna.partner_id | self.ivan)
        self.assertEqual(event.opportunity_id, lead)

    def test_meeting_with_an_unknown_client(self):
        call = self.stranger_talked()
        context = call.with_user(self.anna).get_meeting_defaults()
        self.assertEqual(context["default_name"], "+7 495 000-02-99")
        self.assertEqual(context["default_partner_ids"], self.anna.partner_id.ids)
        self.assertFalse(context["default_opportunity_id"])

    def test_no_meeting_with_a_colleague(self):
        card = self.card(self.add(5, "answered", "internal", number=False))
        self.assertFalse(card["can_meet"])
        self.assertFalse(card["can_quote"])

    def test_quotation_without_sales(self):
        call = self.talked(10)
        with patch.dict(self.env.registry.models):
            self.env.registry.models.pop("sale.order", None)
            self.assertFalse(self.card(call)["can_quote"])
            with self.assertRaises(UserError):
                call.with_user(self.anna).get_quotation_defaults()

    def test_overdue_without_invoicing(self):
        call = self.talked(10)
        with patch.object(MangoClientBusiness, "_readable", lambda *_args: None):
            with self.assertRaises(UserError):
                call.with_user(self.anna).action_view_overdue()


@tagged("-standard", "mango_sales", "post_install", "-at_install")
class TestWithSales(ClientCase):
    """With the apps themselves: on a database with ``sale_crm``.

    The addon depends on neither; ``./dev test`` installs it and runs this tag last.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        env = cls.env
        env["account.chart.template"].try_loading(
            "generic_coa", company=cls.company, install_demo=False
        )
        cls.anna.group_ids += env.ref("sales_team.group_sale_salesman")
        cls.product = env["product.product"].create(
            {"name": "Стол", "list_price": 100, "taxes_id": False}
        )

    def create_order(self, **vals):
        return self.env["sale.order"].create(
            {
                "partner_id": self.ivan.id,
                "user_id": self.anna.id,
                "company_id": self.company.id,
                "order_line": [Command.create({"product_id": self.product.id})],
                **vals,
            }
        )

    def test_business(self):
        self.create_order().action_confirm()
        last = self.create_order()
        last.action_confirm()
        quotation = self.create_order()
        self.create_order(validity_date="2020-01-01", date_order="2099-01-01 00:00:00")
        self.create_order(user_id=self.boris.id, date_order="2099-01-01 00:00:00")
        invoice = (
            last._create_invoices()
            if last.invoice_status == "to invoice"
            else (
                self.env["account.move"].create(
                    {
                        "move_type": "out_invoice",
                        "partner_id": self.ivan.id,
                        "company_id": self.company.id,
                        "invoice_user_id": self.anna.id,
                        "invoice_line_ids": [
                            Command.create({"product_id": self.product.id})
                        ],
                    }
                )
            )
        )
        invoice.invoice_date = "2026-01-10"
        invoice.invoice_date_due = "2026-01-20"
        invoice.action_post()
        call = self.talked(10)
        business = self.card(call)["business"]
        self.assertEqual(business["order"]["id"], last.id)
        self.assertEqual(business["quotation"]["id"], quotation.id)
        self.assertEqual(business["overdue"]["count"], 1)
        self.assertIn("100.00", business["overdue"]["amount"])
        action = call.with_user(self.anna).action_view_overdue()
        self.assertEqual(self.env["account.move"].search(action["domain"]), invoice)
        asking = self.env["mango.client.business"].with_user(self.anna)
        self.env.flush_all()
        with self.assertQueryCount(3):
            asking._business_with(self.ivan.with_user(self.anna), self.company)

    def test_who_sells_nothing(self):
        self.create_order().action_confirm()
        card = self.card(self.talked(10, users=self.boris), self.boris)
        self.assertEqual(card["business"], NOTHING)
        self.assertFalse(card["can_quote"])

    def test_quotation(self):
        self.anna.group_ids += self.env.ref("sales_team.group_sale_salesman_all_leads")
        lead = self.create_lead("Поставка", partner_id=self.ivan.id)
        call = self.talked(10, lead_id=lead.id)
        self.assertTrue(self.card(call)["can_quote"])
        context = call.with_user(self.anna).get_quotation_defaults()
        orders = self.env["sale.order"].with_user(self.anna)
        order = orders.with_context(**context).create({})
        self.assertEqual(order.partner_id, self.ivan)
        self.assertEqual(order.opportunity_id, lead)
        self.assertFalse(self.card(self.stranger_talked())["can_quote"])
