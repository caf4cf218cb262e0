"""The company of a PBX, and who reads its chatter."""

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from ..common import MangoCase
from ..vpbx_scenarios import menu

LIMIT_REACHED = "Анна достигла ограничения"


@tagged("post_install", "-at_install")
class TestCompany(MangoCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.env["res.company"].create({"name": "ООО «Василёк»"})
        cls.admin = cls.create_user(
            "admin",
            "Админ",
            "group_admin",
            company_ids=[(6, 0, (cls.company | cls.other).ids)],
        )
        cls.own = cls.as_admin(cls.account)

    @classmethod
    def as_admin(cls, account):
        companies = (cls.company | cls.other).ids
        return account.with_user(cls.admin).with_context(allowed_company_ids=companies)

    def test_stays_once_there_are_calls(self):
        self.receive(*menu()[0])
        with self.assertRaises(UserError):
            self.own.company_id = self.other
        self.own.company_id = self.company
        self.assertEqual(self.call().company_id, self.account.company_id)

    def test_calls_of_other_pbxs_do_not_matter(self):
        self.receive(*menu()[0])
        second = self.create_account(name="Вторая")
        self.as_admin(second).company_id = self.other
        self.assertEqual(second.company_id, self.other)

    def test_main_pbx_is_of_the_company(self):
        with self.assertRaises(ValidationError):
            self.other.mango_account_id = self.account

    def test_main_pbx_moves(self):
        self.assertEqual(self.company.mango_account_id, self.account)
        self.own.company_id = self.other
        self.assertFalse(self.company.mango_account_id)
        self.assertEqual(self.other.mango_account_id, self.account)
        # Another one of the new company stays its main one.
        second = self.create_account(name="Вторая")
        self.assertEqual(self.company.mango_account_id, second)
        self.as_admin(second).company_id = self.other
        self.assertFalse(self.company.mango_account_id)
        self.assertEqual(self.other.mango_account_id, self.account)


@tagged("post_install", "-at_install")
class TestChatter(MangoCase):
    def test_only_those_who_configure_the_pbx_read_it(self):
        admin = self.create_user("admin", "Админ", "group_admin")
        message = self.account.message_post(body=LIMIT_REACHED)
        for user in (self.anna, self.vera):
            messages = self.env["mail.message"].with_user(user)
            of_account = [
                ("model", "=", "mango.account"),
                ("res_id", "=", self.account.id),
            ]
            self.assertFalse(messages.search(of_account))
            with self.assertRaises(AccessError):
                message.with_user(user).read(["body"])
        self.assertEqual(
            message.with_user(admin).search([("id", "=", message.id)]), message
        )
        self.assertIn(LIMIT_REACHED, message.with_user(admin).body)

    def test_nobody_else_follows(self):
        """Followers get what is posted."""
        for user in (self.anna, self.vera):
            account = self.account.with_user(user)
            with self.assertRaises(AccessError):
                account.message_subscribe(user.partner_id.ids)
        self.account.message_subscribe(self.vera.partner_id.ids)
        self.assertIn(self.vera.partner_id, self.account.message_partner_ids)

    def test_notice_of_overdue_clients_is_for_supervisors(self):
        """It names clients whom not every employee may see."""
        callback = self.env["mango.callback"].create(
            {
                "account_id": self.account.id,
                "client_key": "+74950000299",
                "client_number": "+74950000299",
            }
        )
        self.account._tell_of_overdue(callback)
        found = [("model", "=", "mango.account"), ("res_id", "=", self.account.id)]
        messages = self.env["mail.message"]
        self.assertTrue(messages.with_user(self.vera).search(found))
        self.assertFalse(messages.with_user(self.anna).search(found))
