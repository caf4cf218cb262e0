"""The target of a call's routing."""

from unittest.mock import patch

from odoo.tests import tagged

from ...models.routing.mango_router import MangoRouter
from ..common import MangoCase
from ..vpbx_scenarios import (
    CLIENT,
    LINE,
    inbound_answered,
    leg,
    menu,
    outbound,
    outside,
    staff,
)


@tagged("post_install", "-at_install")
class TestDecision(MangoCase):
    def ring(self, number=CLIENT):
        """Receive the start of a call in the greeting.

        :return: the call
        """
        self.receive(*menu(number)[0])
        return self.call()

    def assertRouted(self, call, extension, reason):
        self.assertRecordValues(
            call,
            [
                {
                    "route_state": "none",
                    "routed_extension_id": extension.id,
                    "route_reason": reason,
                }
            ],
        )
        self.assertTrue(call.route_command_id)

    def assertNotRouted(self, call, reason):
        self.assertRecordValues(
            call,
            [
                {
                    "route_state": "skipped",
                    "routed_extension_id": False,
                    "route_reason": reason,
                    "route_command_id": False,
                }
            ],
        )

    # -- routed ------------------------------------------------------------------

    def test_manager_of_the_contact(self):
        self.assertRouted(
            self.ring(),
            self.anna_extension,
            "Анна Соколова (101), the salesperson of the contact “Иван Петров”.",
        )

    def test_salesperson_of_the_open_lead_comes_first(self):
        self.create_lead("Мебель", partner_id=self.ivan.id, user_id=self.boris.id)
        self.assertRouted(
            self.ring(),
            self.boris_extension,
            "Борис Кузнецов (102), the salesperson of the open lead “Мебель”.",
        )

    def test_manager_of_the_company(self):
        self.ivan.parent_id = self.create_partner("Вектор", is_company=True)
        self.ivan.user_id = False
        self.ivan.parent_id.user_id = self.boris
        self.assertRouted(
            self.ring(),
            self.boris_extension,
            "Борис Кузнецов (102), the salesperson of the company “Вектор”.",
        )

    def test_next_one_if_the_first_has_no_extension(self):
        self.create_lead("Мебель", partner_id=self.ivan.id, user_id=self.kirill.id)
        self.assertEqual(self.ring().routed_extension_id, self.anna_extension)

    def test_lead_without_a_contact(self):
        self.create_lead("Заявка", phone="8 (495) 000-02-05", user_id=self.anna.id)
        self.assertRouted(
            self.ring("74950000205"),
            self.anna_extension,
            "Анна Соколова (101), the salesperson of the open lead “Заявка”.",
        )

    def test_first_of_several_extensions(self):
        self.create_extension("100", self.anna)
        self.assertEqual(self.ring().routed_extension_id.number, "100")

    def test_call_in_a_queue(self):
        queue = {"line_number": LINE, "acd_group": "500"}
        self.receive(*leg("L1", 1, "Appeared", 0, outside(), queue, place="queue"))
        self.assertEqual(self.call().routed_extension_id, self.anna_extension)

    # -- not routed --------------------------------------------------------------

    def test_owner_without_an_extension(self):
        self.ivan.user_id = self.kirill
        reason = (
            "Кирилл Фёдоров, the salesperson of the contact “Иван Петров”. "
            "Has no extension."
        )
        self.assertNotRouted(self.ring(), reason)

    def test_extension_that_left_the_pbx(self):
        self.anna_extension.active = False
        self.assertEqual(self.ring().route_state, "skipped")

    def test_extension_of_another_pbx(self):
        other = self.create_account(api_key="test_api_key_0007", api_salt="x")
        self.anna_extension.account_id = other
        self.assertEqual(self.ring().route_state, "skipped")

    def test_nobody_is_responsible(self):
        self.ivan.user_id = False
        self.assertNotRouted(self.ring(), "Nobody is responsible for the caller.")

    def test_unknown_caller(self):
        self.assertNotRouted(
            self.ring("74950000299"),
            "No contact and no open lead has the caller's number.",
        )

    def test_hidden_number(self):
        self.assertNotRouted(self.ring(None), "The caller hides their number.")

    def test_switched_off(self):
        self.account.routing_enabled = False
        reason = "Routing is switched off in the settings."
        self.assertNotRouted(self.ring(), reason)

    def test_not_in_a_greeting(self):
        self.receive(*leg("L1", 1, "Appeared", 0, outside(), staff("102", LINE)))
        self.assertNotRouted(
            self.call(),
            "Анна Соколова (101), the salesperson of the contact “Иван Петров”. "
            "Not routed: the caller was no longer in the greeting.",
        )

    def test_greeting_over_when_we_hear_of_it(self):
        """The notification of the end of the menu arrives before that of its start."""
        self.receive(*menu()[1])
        self.assertEqual(self.call().route_state, "skipped")
        self.receive(*menu()[0])
        self.assertEqual(self.call().route_state, "skipped")

    def test_outbound_and_internal_calls_are_not_routed(self):
        self.receive(*outbound(1111).posts[0])
        self.assertRecordValues(
            self.call(), [{"route_state": "none", "route_reason": ""}]
        )

    def test_decided_once(self):
        """Neither later notifications nor other changes affect it."""
        with patch.object(
            MangoRouter, "_send_after_commit", autospec=True
        ) as send_after_commit:
            first, *posts = inbound_answered().posts
            self.receive(*first)
            before = self.call().read(["route_reason", "route_command_id"])
            self.ivan.user_id = self.boris
            for post in posts:
                self.receive(*post)
        self.assertEqual(self.call().read(["route_reason", "route_command_id"]), before)
        self.assertEqual(send_after_commit.call_count, 1)

    def test_reason_in_the_companys_language(self):
        self.env["res.lang"]._activate_lang("ru_RU")
        self.company.partner_id.lang = "ru_RU"
        with patch.object(MangoRouter, "_decide", autospec=True) as decide:
            decide.return_value = {}
            self.receive(*menu()[0])
        self.assertEqual(decide.call_args.args[0].env.lang, "ru_RU")
