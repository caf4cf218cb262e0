"""What a talk has come to."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .test_leads import CrmCase


@tagged("post_install", "-at_install")
class TestOutcomes(CrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls.env.ref("mango_office.outcome_order")
        cls.later = cls.env.ref("mango_office.outcome_call_later")

    def card(self, call, user=None):
        content = self.env["mango.card.content"].with_user(user or self.anna)
        return content._card_of_call(call.with_user(user or self.anna))

    def names(self, call):
        return [outcome["name"] for outcome in self.card(call)["outcomes"]]

    def choose(self, call, outcome, user=None):
        self.env.flush_all()
        call.with_user(user or self.anna).choose_outcome(outcome.id)
        self.env.invalidate_all()

    def test_on_the_card(self):
        call = self.talked(10)
        self.assertIn("Complaint", self.names(call))
        self.assertNotIn("Not reached", self.names(call))
        self.assertIn("Not reached", self.names(self.tried(5)))
        self.assertEqual(self.names(self.missed(5)), [])
        self.assertEqual(self.names(self.add(5, "answered", "internal")), [])
        self.choose(call, self.order)
        self.assertEqual(self.card(call)["outcome_id"], self.order.id)

    def test_archived_one_that_was_chosen(self):
        call = self.talked(10)
        call.outcome_id = self.order
        self.order.active = False
        self.assertIn("Order placed", self.names(call))

    def test_chosen_by_a_participant_only(self):
        call = self.talked(10)
        self.choose(call, self.order)
        self.assertEqual(call.outcome_id, self.order)
        with self.assertRaises(AccessError):
            self.choose(call, self.later, self.kirill)
        with self.assertRaises(AccessError):
            call.with_user(self.kirill).outcome_id = self.later
        call.with_user(self.vera).outcome_id = False
        self.assertFalse(call.outcome_id)

    def test_next_activity(self):
        self.anna.group_ids += self.env.ref("sales_team.group_sale_salesman_all_leads")
        call = self.talked(10).with_user(self.anna)
        self.choose(call, self.later)
        activity = self.ivan.activity_ids
        self.assertEqual(activity.user_id, self.anna)
        self.assertEqual(activity.activity_type_id, self.later.activity_type_id)
        self.choose(call, self.order)
        self.assertFalse(self.ivan.activity_ids)
        lead = self.create_lead("Мебель", partner_id=self.ivan.id)
        call.sudo().lead_id = lead
        self.choose(call, self.later)
        self.assertEqual(len(lead.activity_ids), 1)
        self.assertFalse(self.ivan.activity_ids)

    def test_activity_of_an_unknown_client(self):
        call = self.stranger_talked()
        self.choose(call, self.later)
        self.assertEqual(len(call.activity_ids), 1)

    def test_required(self):
        call = self.talked(10)
        self.assertFalse(self.card(call)["needs_outcome"])
        self.account.outcome_required = True
        self.assertTrue(self.card(call)["needs_outcome"])
        with self.assertRaises(UserError):
            call.with_user(self.anna).close_card()
        # Whoever only sees the call is not asked.
        self.assertFalse(self.card(call, self.vera)["needs_outcome"])
        call.with_user(self.vera).close_card()
        self.assertFalse(self.card(self.missed(5))["needs_outcome"])
        self.choose(call, self.order)
        call.with_user(self.anna).close_card()

    def test_in_the_chatter(self):
        call = self.talked(10)
        self.work_off()
        self.choose(call, self.order)
        self.work_off()
        self.assertIn("Order", call.chatter_message_id.body)
