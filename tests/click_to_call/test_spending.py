"""Limits for a stolen session: calls per hour, and destinations."""

from contextlib import contextmanager, suppress
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import BaseCase, tagged

from ...models.click_to_call import mango_command
from ...vpbx.numbers import destination
from ..common import MangoCase

HOME = "+74950000201"
GERMANY, KAZAKHSTAN = "+4930901820", "+77172000000"
COSTLY = {
    "Russian premium": "+78091234567",
    "German premium": "+499001234567",
    "Inmarsat": "+870773111632",
    "Iridium": "+881612345678",
    "Thuraya": "+88216123456",
    "international network": "+883510000000",
    "international premium": "+979112345678",
}


@tagged("post_install", "-at_install")
class TestDestination(BaseCase):
    def test_regions(self):
        for number, region in (
            (HOME, "RU"),
            (GERMANY, "DE"),
            (KAZAKHSTAN, "KZ"),
            ("+375291234567", "BY"),
            ("+80012345678", None),  # free of charge worldwide
        ):
            with self.subTest(number=number):
                self.assertEqual(destination(number), (region, False))

    def test_costly(self):
        for name, number in COSTLY.items():
            with self.subTest(name=name):
                self.assertTrue(destination(number).is_costly)

    def test_no_number(self):
        for text in ("101", "0511", "", None, "+", "+abc", 7, "sip:a@b.mangosip.ru"):
            with self.subTest(text=text):
                self.assertIsNone(destination(text))


class SpendingCase(MangoCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = cls.create_user("admin", "Админ", "group_admin")

    def dial(self, number, user=None):
        user = user or self.anna
        self.env.flush_all()
        user.with_user(user).mango_call(number)
        self.env.invalidate_all()

    def commands(self):
        return self.env["mango.command"].search([("user_id", "=", self.anna.id)])

    def given(self):
        return self.commands().filtered(lambda command: not command.is_over_limit)


@tagged("post_install", "-at_install")
class TestBudget(SpendingCase):
    def spend(self, count, user=None, age=timedelta(minutes=5)):
        """Add earlier calls."""
        user = user or self.anna
        vals = {"account_id": self.account.id, "user_id": user.id, "kind": "callback"}
        made = self.env["mango.command"].create(
            [{**vals, "target": str(n), "state": "done"} for n in range(count)]
        )
        made.flush_recordset()
        self.env.cr.execute(
            "UPDATE mango_command SET create_date = %s WHERE id = ANY(%s)",
            [fields.Datetime.now() - age, made.ids],
        )
        made.invalidate_recordset()

    def test_default_limit_is_sixty_an_hour(self):
        self.assertEqual(self.account.callback_limit_per_hour, 60)
        self.spend(59)
        self.dial(HOME)
        with self.assertRaisesRegex(UserError, "limit of 60 calls per hour"):
            self.dial("+74950000202")
        self.assertEqual(len(self.given()), 60)

    def test_second_click_gets_the_same_call(self):
        self.account.callback_limit_per_hour = 1
        self.dial(HOME)
        self.dial(HOME)
        self.assertEqual(len(self.commands()), 1)

    def test_everybody_has_a_budget_of_their_own(self):
        self.account.callback_limit_per_hour = 2
        self.spend(2)
        self.dial(HOME, self.boris)
        with self.assertRaises(UserError):
            self.dial(HOME)

    def test_an_hour_later(self):
        self.account.callback_limit_per_hour = 2
        self.spend(2, age=timedelta(minutes=61))
        self.dial(HOME)
        self.assertEqual(len(self.given()), 3)

    def test_extensions_count_too(self):
        """They are free, but a flood of them would keep all phones ringing."""
        self.account.callback_limit_per_hour = 1
        self.dial("102")
        with self.assertRaises(UserError):
            self.dial("104")

    def test_no_limit(self):
        self.account.callback_limit_per_hour = 0
        self.spend(100)
        self.dial(HOME)

    def test_hanging_up_is_never_refused(self):
        self.account.callback_limit_per_hour = 1
        self.spend(5)
        vals = {"account_id": self.account.id, "kind": "hangup", "target": "L1"}
        self.env["mango.command"].with_user(self.anna)._submit_command(
            {**vals, "leg_ref": "L1", "extension": "101"}
        )
        self.assertIn("hangup", self.commands().mapped("kind"))

    def test_administrator_sees_it_once(self):
        self.account.callback_limit_per_hour = 2
        self.spend(2)
        for number in ("+74950000202", "+74950000203", "+74950000204"):
            # Not assertRaises(): that would roll back the warning to administrators.
            with suppress(UserError):
                self.dial(number)
        self.env.invalidate_all()
        seen = self.env["mango.command"].with_user(self.admin)
        refused = seen.search([("is_over_limit", "=", True)])
        self.assertRecordValues(
            refused,
            [{"user_id": self.anna.id, "state": "failed", "to_number": "+74950000202"}],
        )
        self.assertIn("click-to-call limit of", refused.reason)
        told = self.account.message_ids.filtered(lambda m: self.anna.name in m.body)
        self.assertEqual(len(told), 1)
        self.assertFalse(
            self.anna.with_user(self.anna).env["mango.command"]._on_screen()
        )

    def test_refused_ones_do_not_reach_the_pbx(self):
        self.account.callback_limit_per_hour = 1
        self.spend(1)
        with self.assertRaises(UserError):
            self.dial(HOME)
        self.assertNotIn("commands/callback", self.pbx.paths())

    def test_negative_makes_no_sense(self):
        for limit in (-1, 10**12):
            with self.subTest(limit=limit), self.assertRaises(ValidationError):
                self.account.callback_limit_per_hour = limit

    def test_counted_in_one_query(self):
        """However many calls there were."""
        self.spend(50)
        vals = {"account_id": self.account.id, "user_id": self.anna.id}
        commands = self.env["mango.command"].sudo()
        for _time in range(2):  # the first fills the caches
            self.env.flush_all()
            before = self.cr.sql_log_count
            commands._refuse_over_limit({**vals, "kind": "callback"})
        self.assertEqual(self.cr.sql_log_count - before, 1)

    def test_parallel_clicks_are_counted_one_after_another(self):
        """Commands are counted while the employee's lock is held."""
        inside = []
        locked = mango_command.locked_transaction

        @contextmanager
        def watched(env, *locks):
            with locked(env, *locks) as env:
                inside.extend(locks)
                yield env
                inside.pop()

        def count(commands, vals):
            self.assertEqual(inside, [f"mango_office/user/{self.anna.id}"])
            return

        model = type(self.env["mango.command"])
        with (
            patch.object(mango_command, "locked_transaction", watched),
            patch.object(model, "_refuse_over_limit", count),
        ):
            self.dial(HOME)
        self.assertEqual(len(self.commands()), 1)

    def test_only_the_administrator_changes_it(self):
        for user in (self.anna, self.vera):
            for name, value in {
                "callback_limit_per_hour": 0,
                "premium_allowed": True,
                "foreign_calls": "all",
                "foreign_country_ids": False,
                "allowed_addresses": False,
            }.items():
                with self.subTest(user=user.name, field=name):
                    with self.assertRaises(AccessError):
                        self.account.with_user(user).write({name: value})
        self.account.with_user(self.admin).callback_limit_per_hour = 5


@tagged("post_install", "-at_install")
class TestDirections(SpendingCase):
    def assertForbidden(self, number, words):
        with self.assertRaisesRegex(UserError, words):
            self.dial(number)
        self.assertFalse(self.commands())

    def test_costly_numbers_are_forbidden_by_default(self):
        for name, number in COSTLY.items():
            with self.subTest(name=name):
                self.assertForbidden(number, "premium-rate")

    def test_costly_ones_allowed(self):
        self.account.premium_allowed = True
        # Premium numbers do not depend on the country.
        self.account.foreign_calls = "none"
        for number in COSTLY.values():
            self.dial(number)
        self.assertEqual(len(self.commands()), len(COSTLY))

    def test_foreign_numbers_are_allowed_by_default(self):
        self.dial(GERMANY)
        self.assertEqual(self.commands().to_number, GERMANY)

    def test_abroad_forbidden(self):
        self.account.foreign_calls = "none"
        for number in (GERMANY, KAZAKHSTAN, "8 10 49 30 901820", "+80012345678"):
            with self.subTest(number=number):
                self.assertForbidden(number, "this country|no phone number")
        self.dial(HOME)
        self.dial("102")
        self.assertEqual(len(self.commands()), 2)

    def test_some_countries(self):
        self.account.foreign_calls = "listed"
        self.account.foreign_country_ids = self.env.ref("base.kz")
        self.assertForbidden(GERMANY, "this country")
        self.dial(KAZAKHSTAN)
        self.dial(HOME)

    def test_home_is_where_the_company_is(self):
        self.company.country_id = self.env.ref("base.de")
        self.account.foreign_calls = "none"
        self.assertForbidden(HOME, "this country")
        self.dial(GERMANY)
        self.company.country_id = False
        self.dial(HOME)

    def test_transfer_to_a_number(self):
        """The limits hold for every command that dials."""
        vals = {"account_id": self.account.id, "kind": "transfer", "target": "L1 x"}
        vals |= {"leg_ref": "L1", "extension": "101", "method": "blind"}
        commands = self.env["mango.command"].with_user(self.anna)
        with self.assertRaises(UserError):
            commands._submit_command({**vals, "to_number": "+78091234567"})
        commands._submit_command({**vals, "to_number": "102"})
        self.assertEqual(self.commands().to_number, "102")
