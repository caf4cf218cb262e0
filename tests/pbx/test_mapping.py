"""Mapping of extensions to users."""

from psycopg2.errors import UniqueViolation

from odoo.exceptions import AccessError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from ..pbx_answers import AccountCase


@tagged("post_install", "-at_install")
class TestMapping(AccountCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # A user without telephony so far.
        cls.egor = new_test_user(
            cls.env,
            login="mango_egor",
            name="Егор Павлов",
            email="Egor.Pavlov@romashka.example",
            phone="8 (495) 000-03-05",
            company_id=cls.company.id,
        )
        cls.group = cls.env.ref("mango_office.group_user")

    def extension(self, number="201", **vals):
        return self.create_extension(number, account_id=self.fresh.id, **vals)

    def assertSuggested(self, user, **vals):
        extension = self.extension(**vals)
        self.assertEqual(extension.suggested_user_id, user)
        self.assertFalse(extension.user_id, "a suggestion is no decision")

    # -- suggestions --------------------------------------------------------------

    def test_by_email(self):
        self.assertSuggested(
            self.egor,
            email=" EGOR.pavlov@romashka.example ",
            mobile="74950000999",
            name="Анна Соколова",
        )

    def test_then_by_phone(self):
        self.assertSuggested(
            self.egor,
            email="other@romashka.example",
            mobile="74950000305",
            name="Анна Соколова",
        )

    def test_then_by_exact_name(self):
        self.assertSuggested(self.egor, name=" егор ПАВЛОВ ")
        self.assertSuggested(self.env["res.users"], number="202", name="Егор Павлович")

    def test_no_match(self):
        self.assertSuggested(self.env["res.users"])
        self.assertSuggested(self.env["res.users"], number="202", name="Незнакомец")

    def test_two_matches_are_ambiguous(self):
        self.boris.name = "Егор Павлов"
        self.assertSuggested(self.env["res.users"], name="Егор Павлов")
        self.assertSuggested(
            self.egor, number="202", name="Егор Павлов", mobile="74950000305"
        )

    def test_outsiders_are_not_suggested(self):
        """Neither portal users, nor users of other companies, nor archived ones."""
        other = self.env["res.company"].create({"name": "Другая"})
        self.egor.write({"company_ids": [(6, 0, other.ids)], "company_id": other.id})
        self.assertSuggested(self.env["res.users"], name="Егор Павлов")
        new_test_user(
            self.env,
            login="mango_portal",
            name="Портал Порталов",
            groups="base.group_portal",
            company_id=self.company.id,
        )
        self.assertSuggested(
            self.env["res.users"], number="202", name="Портал Порталов"
        )
        self.kirill.active = False
        self.assertSuggested(self.env["res.users"], number="203", name=self.kirill.name)

    def test_no_suggestion_for_mapped_extensions(self):
        extension = self.extension(name="Егор Павлов", user_id=self.anna.id)
        self.assertFalse(extension.suggested_user_id)
        self.assertFalse(self.fresh.suggested_extension_count)

    def test_apply_all(self):
        by_email = self.extension(email="egor.pavlov@romashka.example")
        by_name = self.extension("202", name=self.boris.name)
        nobody = self.extension("203", name="Незнакомец")
        by_hand = self.extension("204", name=self.boris.name, user_id=self.vera.id)
        self.assertEqual(self.fresh.suggested_extension_count, 2)
        action = self.fresh.action_apply_suggestions()
        self.assertEqual(action["params"]["message"], "Employees set: 2.")
        self.assertEqual(by_email.user_id, self.egor)
        self.assertEqual(by_name.user_id, self.boris)
        self.assertEqual(by_hand.user_id, self.vera)
        self.assertFalse(nobody.user_id)
        self.assertEqual(self.fresh.suggested_extension_count, 0)
        self.assertEqual(self.fresh.mapped_extension_count, 3)
        self.assertEqual(self.fresh.extension_count, 4)

    # -- mapping ----------------------------------------------------------------------

    def test_mapping_lets_the_employee_in(self):
        self.assertNotIn(self.group, self.egor.all_group_ids)
        extension = self.extension().with_user(self.admin)
        extension.user_id = self.egor
        self.assertIn(self.group, self.egor.all_group_ids)
        self.assertNotIn(
            self.env.ref("mango_office.group_supervisor"), self.egor.all_group_ids
        )

    def test_mapping_takes_nothing_from_a_supervisor(self):
        before = self.vera.group_ids
        self.extension().with_user(self.admin).user_id = self.vera
        self.assertEqual(self.vera.group_ids, before)

    def test_form_of_the_account(self):
        self.extension()
        with Form(self.fresh) as form, form.extension_ids.edit(0) as line:
            line.user_id = self.egor
        self.assertEqual(self.fresh.extension_ids.user_id, self.egor)

    def test_one_user_with_several_extensions(self):
        extensions = self.extension() | self.extension("202")
        extensions.with_user(self.admin).user_id = self.egor
        self.assertEqual(self.egor.mango_extension_ids, extensions)

    def test_one_extension_per_number(self):
        self.extension()
        with self.assertRaises(UniqueViolation), mute_logger("odoo.sql_db"):
            self.extension()
        self.assertEqual(self.extension("0201").display_name, "0201")

    def test_extensions_are_made_by_loading_only(self):
        extension = self.extension().with_user(self.admin)
        for user in (self.anna, self.vera):
            with self.assertRaises(AccessError):
                extension.with_user(user).user_id = user
        with self.assertRaises(AccessError):
            extension.copy({"number": "202"})
        with self.assertRaises(AccessError):
            extension.unlink()
