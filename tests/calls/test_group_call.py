"""Calls to groups: employee, extensions rung, and access."""

from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..common import MangoCase
from ..vpbx_scenarios import (
    LINE,
    inbound_answered,
    leg,
    menu,
    missed_by_group,
    missed_in_menu,
    missed_off_duty,
    outside,
    staff,
    summary,
)


@tagged("post_install", "-at_install")
class TestGroupCall(MangoCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Ivan's manager would be chosen by routing.
        cls.account.routing_enabled = False
        cls.ivan.user_id = False
        cls.group = cls.env["mango.group"].create(
            {"account_id": cls.account.id, "number": "500", "name": "Продажи"}
        )

    def rung(self, call):
        return call.rung_extension_ids.mapped("number")

    def ring_in_vain(self, number, ref, at=11, group="500"):
        callee = staff(number, LINE, group)
        caller = outside(taken_from="L1")
        self.receive(*leg(ref, 1, "Appeared", at, caller, callee))
        self.receive(*leg(ref, 2, "Disconnected", at + 20, caller, callee, reason=1111))

    def end(self, callee):
        self.receive(*summary(1, outside(), callee, talk=None, end=60, reason=1111))
        return self.call()

    # -- employee or group -----------------------------------------------------

    def test_missed_by_several_of_a_group(self):
        call = self.play(missed_by_group())
        self.assertRecordValues(
            call,
            [
                {
                    "result": "missed",
                    "user_id": False,
                    "extension_id": False,
                    "group_number": "500",
                    "group_id": self.group.id,
                    "group_text": "Продажи, nobody answered",
                }
            ],
        )
        self.assertEqual(self.rung(call), ["101", "102", "103"])
        self.assertEqual(call.user_ids, self.anna | self.boris | self.vera)

    def test_summary_that_names_the_first_to_miss_it(self):
        self.ring_in_vain("101", "L2")
        self.ring_in_vain("102", "L3")
        self.assertFalse(self.end(staff("101")).user_id)

    def test_missed_by_the_only_one_who_was_rung(self):
        self.ring_in_vain("102", "L2")
        call = self.end({"extension": "500"})
        self.assertRecordValues(
            call,
            [
                {
                    "user_id": self.boris.id,
                    "group_id": self.group.id,
                    "group_text": False,
                }
            ],
        )
        self.assertEqual(self.rung(call), ["102"])

    def test_rung_again_and_again(self):
        self.ring_in_vain("102", "L2")
        self.ring_in_vain("102", "L3", at=35)
        call = self.end({"extension": "500"})
        self.assertEqual(call.user_id, self.boris)
        self.assertEqual(self.rung(call), ["102"])

    def test_several_without_a_group(self):
        self.ring_in_vain("101", "L2", group=None)
        self.ring_in_vain("102", "L3", at=35, group=None)
        call = self.end(staff("101"))
        self.assertFalse(call.user_id or call.group_number or call.group_text)
        self.assertEqual(self.rung(call), ["101", "102"])

    def test_not_rung_at_all(self):
        self.extension("104").user_id = self.kirill
        self.assertEqual(self.play(missed_off_duty()).user_id, self.kirill)
        self.assertFalse(self.rung(self.call()))

    def test_summary_alone(self):
        """It names the group like an employee, but there is no such extension."""
        call = self.end({"extension": "500"})
        self.assertRecordValues(call, [{"user_id": False, "group_id": self.group.id}])
        self.assertEqual(call.group_text, "Продажи, nobody answered")

    def test_answered(self):
        call = self.play(inbound_answered())
        self.assertRecordValues(
            call,
            [
                {
                    "user_id": self.anna.id,
                    "group_id": self.group.id,
                    "group_text": False,
                }
            ],
        )
        self.assertEqual(self.rung(call), ["101", "102"])

    def test_while_it_rings(self):
        for post in menu():
            self.receive(*post)
        callee = staff("101", LINE, "500")
        self.receive(*leg("L3", 1, "Appeared", 11, outside(), callee))
        self.assertRecordValues(
            self.call(), [{"user_id": False, "group_text": "Продажи"}]
        )

    def test_many_calls_cost_as_many_queries(self):
        calls = self.env["mango.call"]
        for number in range(6):
            calls |= self.play(missed_by_group(), entry_id=f"E{number}")
        counts = []
        for some in (calls[:2], calls):
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            some.mapped("rung_extension_ids.display_name")
            some.mapped("group_text")
            counts.append(self.cr.sql_log_count - before)
        self.assertEqual(counts[0], counts[1])

    def test_participants_at_the_time(self):
        call = self.play(missed_by_group())
        self.anna_extension.user_id = self.kirill
        with self.transaction() as env:
            env["mango.call"]._apply("E1", self.account)
        self.assertEqual(call.leg_ids.to_user_id, self.anna | self.boris | self.vera)
        self.assertNotIn(self.kirill, call.user_ids)

    def extension(self, number):
        return self.account.extension_ids.filtered(lambda ext: ext.number == number)

    # -- access ------------------------------------------------------------------

    def test_only_the_owner_of_the_last_client(self):
        call = self.play(missed_in_menu(0))
        for owner in (self.boris, self.kirill):
            partner = self.create_partner("Елена", user_id=owner.id)
            call.with_user(self.vera).partner_id = partner
            self.assertEqual((call.owner_id, call.user_ids), (owner, owner))

    def test_correcting_a_call_keeps_access_to_it(self):
        self.ivan.user_id = self.boris
        call = self.play(missed_in_menu(0))
        self.assertEqual(call.user_ids, self.boris)
        partner = self.create_partner("Елена", user_id=self.kirill.id)
        call.with_user(self.boris).partner_id = partner
        self.assertEqual(call.owner_id, self.kirill)
        self.assertEqual(call.user_ids, self.boris | self.kirill)
        self.assertEqual(call.manual_user_ids, self.boris)

    def test_supervisor_shares_the_call(self):
        *posts, last = inbound_answered().posts
        for post in posts:
            self.receive(*post)
        call = self.call()
        with self.assertRaises(AccessError):
            call.with_user(self.anna).manual_user_ids |= self.kirill
        call.with_user(self.vera).manual_user_ids |= self.kirill
        self.assertIn(self.kirill, call.user_ids)
        self.receive(*last)
        self.assertEqual(call.user_ids, self.anna | self.boris | self.kirill)
        call.with_user(self.vera).manual_user_ids -= self.kirill
        self.assertNotIn(self.kirill, call.user_ids)
