"""The settings page, the secrets behind it, and a copied database."""

import logging

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.modules.neutralize import get_neutralization_queries
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import SQL, mute_logger

from ..common import API_KEY, API_SALT, MangoCase
from ..vpbx_scenarios import menu

SECRETS = ("api_key", "api_salt", "new_api_salt")
NEW_KEY = "test_api_key_0007"
NEW_SALT = "test_api_salt_0008"


class SettingsCase(MangoCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.newcomer = cls.env["res.company"].create({"name": "ООО «Лютик»"})
        cls.system = new_test_user(
            cls.env,
            login="mango_system",
            groups="base.group_system",
            company_id=cls.company.id,
            company_ids=[cls.company.id, cls.newcomer.id],
        )

    def settings(self, company=None):
        company = company or self.company
        model = self.env["res.config.settings"].with_user(self.system)
        return model.with_context(allowed_company_ids=company.ids)

    def save(self, company=None, **vals):
        """Press "Save" on the settings page.

        :return: the settings record
        """
        names = {f"mango_{name}": value for name, value in vals.items()}
        settings = self.settings(company).create(names)
        settings.execute()
        return settings

    def main_account(self, company):
        return company.sudo().mango_account_id


@tagged("post_install", "-at_install")
class TestSettings(SettingsCase):
    def test_first_save_creates_the_account(self):
        self.save(self.newcomer, api_key=f" {NEW_KEY} ", api_salt=f"{NEW_SALT}\n")
        self.assertRecordValues(
            self.main_account(self.newcomer),
            [
                {
                    "name": "ООО «Лютик»",
                    "company_id": self.newcomer.id,
                    "api_url": "https://app.mango-office.ru",
                    "api_key": NEW_KEY,
                    "api_salt": NEW_SALT,
                    "routing_enabled": True,
                    "is_connected": True,
                }
            ],
        )
        self.assertEqual(self.main_account(self.company), self.account)

    def test_nothing_typed_creates_nothing(self):
        self.save(self.newcomer)
        self.assertFalse(self.main_account(self.newcomer))

    def test_secret_left_empty_is_kept(self):
        settings = self.save(routing_enabled=False, api_url="https://pbx.example")
        self.assertRecordValues(
            self.account,
            [
                {
                    "api_key": API_KEY,
                    "api_salt": API_SALT,
                    "routing_enabled": False,
                    "api_url": "https://pbx.example",
                }
            ],
        )
        self.assertEqual(settings.mango_api_key, API_KEY)

    def test_secret_typed_is_changed_and_not_left_behind(self):
        settings = self.save(api_salt=NEW_SALT)
        self.assertEqual(self.account.api_salt, NEW_SALT)
        settings.flush_recordset()
        self.env.cr.execute(
            "SELECT count(*) FROM res_config_settings s WHERE s::text LIKE %s",
            [f"%{NEW_SALT}%"],
        )
        self.assertEqual(self.env.cr.fetchone(), (0,))

    def test_secret_never_goes_to_the_browser(self):
        model = self.settings()
        spec = {name: {} for name in model._fields if name.startswith("mango_")}
        settings = self.save(api_salt=NEW_SALT)
        opened = model.onchange({}, [], spec)
        account = self.account.with_user(self.system)
        form = account.get_views([(False, "form")])
        account_spec = {name: {} for name in form["models"]["mango.account"]["fields"]}
        answers = [
            opened,
            model.default_get(list(spec)),
            model.get_views([(False, "form")]),
            settings.web_read(spec),
            settings.read(),
            form,
            account.web_read(account_spec),
        ]
        self.assertIn(API_KEY, str(opened), "the test does not look at the values")
        for answer in answers:
            self.assertNotIn(NEW_SALT, str(answer))

    def test_address_is_checked(self):
        for url in ("http://pbx.example", "", "nonsense"):
            with self.subTest(url=url), self.assertRaises(ValidationError):
                self.save(api_url=url)

    def test_buttons_without_an_account(self):
        """The buttons tell what to do first."""
        settings = self.settings(self.newcomer).create({})
        for button in ("action_mango_test_connection", "action_mango_load_users"):
            with self.assertRaisesRegex(UserError, "Enter the PBX's code and secret"):
                getattr(settings, button)()

    def test_buttons(self):
        self.pbx.answers("config/users/request", {"users": []})
        self.pbx.answers("incominglines", {"lines": []})
        settings = self.settings().create({})
        action = settings.action_mango_load_users()
        self.assertEqual(action["tag"], "display_notification")
        action = settings.action_mango_test_connection()
        self.assertEqual(action["res_model"], "mango.connection.check")

    def test_settings_show_the_company_at_hand(self):
        self.save(self.newcomer, api_key=NEW_KEY, api_salt=NEW_SALT)
        here = self.settings().create({})
        there = self.settings(self.newcomer).create({})
        self.assertEqual(here.mango_api_key, API_KEY)
        self.assertEqual(there.mango_api_key, NEW_KEY)
        self.assertTrue(there.mango_is_connected)
        self.assertFalse(there.mango_extension_ids)
        self.assertEqual(here.mango_extension_ids, self.account.extension_ids)
        self.assertTrue(there.mango_webhook_url.endswith("/exec/mango"))

    def test_settings_are_for_the_system_administrator(self):
        admin = self.create_user("admin", "Админ", "group_admin")
        with self.assertRaises(AccessError):
            self.settings().with_user(admin).create({}).execute()


@tagged("post_install", "-at_install")
class TestSecrets(SettingsCase):
    """Code and secret are not accessible without rights."""

    def ways_to_read(self, account, field, value):
        calls = self.env["mango.call"].with_user(account.env.user)
        yield lambda: account.read([field])
        yield lambda: account[field]
        yield lambda: account.web_read({field: {}})
        yield lambda: account.search_read([], [field])
        yield lambda: account.search([(field, "=", value)])
        yield lambda: account.search_count([(field, "=like", "t%")])
        yield lambda: account.search([], order=field)
        yield lambda: account.export_data([field])
        yield lambda: account._read_group([], [field], ["__count"])
        yield lambda: account.formatted_read_group([], [field], ["__count"])
        yield lambda: account._read_group([], [], [f"{field}:max"])
        yield lambda: account.filtered_domain([(field, "=like", "t%")])
        yield lambda: account.write({field: "test_api_other_0009"})
        yield lambda: calls.search([(f"account_id.{field}", "=like", "t%")])
        yield lambda: calls.search([("account_id", "any", [(field, "=like", "t%")])])

    def test_not_readable_without_the_right(self):
        self.receive(*menu()[0])
        admin = self.create_user("admin", "Админ", "group_admin")
        (self.anna | self.vera | admin).group_ids += self.env.ref(
            "base.group_allow_export"
        )
        values = {"api_key": API_KEY, "api_salt": API_SALT, "new_api_salt": "x"}
        for user in (self.anna, self.vera, admin):
            account = self.account.with_user(user)
            self.assertEqual(account.name, "АТС")
            for field, value in values.items():
                ways = self.ways_to_read(account, field, value)
                for number, way in enumerate(ways):
                    with self.subTest(user=user.name, field=field, way=number):
                        self.env.invalidate_all()
                        with self.assertRaises(AccessError):
                            way()
        self.assertEqual(self.account.api_salt, API_SALT)

    def test_not_in_what_is_readable(self):
        admin = self.create_user("admin", "Админ", "group_admin")
        for user in (self.anna, self.vera, admin):
            account = self.account.with_user(user)
            self.assertFalse(set(SECRETS) & account.fields_get().keys())
            for answer in (account.read(), account.get_views([(False, "form")])):
                self.assertNotIn(API_KEY, str(answer))
                self.assertNotIn(API_SALT, str(answer))
                self.assertNotIn("new_api_salt", str(answer))
            self.assertFalse(account.name_search(API_KEY))
            self.assertFalse(account.name_search(API_SALT))

    def test_readable_by_the_system_administrator(self):
        account = self.account.with_user(self.system)
        self.assertEqual(account.api_key, API_KEY)
        self.assertFalse(account.new_api_salt)
        account.new_api_salt = f" {NEW_SALT} "
        self.assertEqual(account.api_salt, NEW_SALT)
        account.new_api_salt = False
        self.assertEqual(account.api_salt, NEW_SALT)

    def test_address_is_no_way_to_the_code(self):
        """Requests contain the code; who may not read it may not redirect them."""
        admin = self.create_user("admin", "Админ", "group_admin")
        with self.assertRaises(AccessError):
            self.account.with_user(admin).api_url = "https://elsewhere.example"

    def test_code_in_use_is_told_without_the_secret(self):
        """PostgreSQL's error would be logged with the whole statement."""
        other = self.create_account()
        attempts = (
            lambda: self.create_account(api_key=API_KEY, api_salt=NEW_SALT),
            lambda: other.write({"api_key": API_KEY, "api_salt": NEW_SALT}),
        )
        for attempt in attempts:
            with self.subTest(attempt=attempt), self.assertLogs() as log:
                logging.getLogger(__name__).info("at least one line")
                with self.assertRaises(ValidationError):
                    attempt()
                self.assertNotIn(NEW_SALT, "".join(log.output))

    def test_copy_has_none(self):
        copy = self.account.copy()
        self.assertFalse(copy.api_key or copy.api_salt or copy.is_connected)

    def test_copy_has_no_lines_and_extensions_of_another_pbx(self):
        self.account.outgoing_line_id = self.account.line_ids[0]
        self.account.recording_extension_ids = self.anna_extension
        copy = self.account.copy()
        self.assertFalse(copy.outgoing_line_id or copy.recording_extension_ids)

    def test_client_shows_none(self):
        client = self.account.with_user(self.anna)._client()
        self.assertNotIn(API_KEY, repr(client))
        self.assertNotIn(API_SALT, repr(client))


@tagged("post_install", "-at_install")
class TestSeveralAccounts(SettingsCase):
    def test_first_account_of_a_company_is_its_main_one(self):
        admin = self.create_user("admin", "Админ", "group_admin")
        admin.write(
            {"company_ids": [(4, self.newcomer.id)], "company_id": self.newcomer.id}
        )
        accounts = self.env["mango.account"].with_user(admin)
        accounts = accounts.with_context(allowed_company_ids=self.newcomer.ids)
        first = accounts.create({"name": "Первая"})
        accounts.create({"name": "Вторая"})
        self.assertEqual(self.main_account(self.newcomer), first)
        first.unlink()
        self.assertFalse(self.main_account(self.newcomer))

    def test_form_of_the_telephony_administrator(self):
        """Users who may not set the address can still create and change an account."""
        admin = self.create_user("admin", "Админ", "group_admin")
        with Form(self.env["mango.account"].with_user(admin)) as form:
            form.name = "Вторая"
        account = form.save()
        self.assertEqual(account.api_url, "https://app.mango-office.ru")
        with Form(account) as form:
            form.routing_enabled = False
        self.assertFalse(account.routing_enabled)

    def test_one_code_one_account(self):
        with self.assertRaises(ValidationError), mute_logger("odoo.sql_db"):
            self.create_account(api_key=API_KEY)
        self.assertTrue(self.create_account() | self.create_account(), "empty is free")

    def test_calls_go_to_the_account_of_the_code(self):
        other = self.create_account(company_id=self.newcomer.id, api_key=NEW_KEY)
        other.api_salt = NEW_SALT
        self.assertEqual(
            self.env["mango.account"]._credentials(),
            {API_KEY: (self.account.id, API_SALT), NEW_KEY: (other.id, NEW_SALT)},
        )
        self.receive(*menu()[0], account=other)
        self.assertEqual(self.call(account=other).company_id, self.newcomer)
        self.assertFalse(self.call())

    def test_last_notification(self):
        self.assertFalse(self.account.last_event_at)
        self.receive(*menu()[0])
        self.account.invalidate_recordset()
        self.assertEqual(self.account.last_event_at, self.events().received_at)


@tagged("post_install", "-at_install")
class TestNeutralize(SettingsCase):
    def test_copied_database_is_silent(self):
        self.receive(*menu()[0])
        self.env.flush_all()
        queries = list(get_neutralization_queries(["mango_office"]))
        self.assertTrue(queries)
        for query in queries:
            self.env.cr.execute(SQL(query))
        self.env.invalidate_all()
        self.env.registry.clear_cache()
        self.assertRecordValues(
            self.account,
            [{"api_key": False, "api_salt": False, "routing_enabled": False}],
        )
        self.assertFalse(self.env["mango.account"]._credentials())
        with self.assertRaises(UserError):
            self.account._client()
        with self.assertRaises(UserError):
            self.account.action_load_users()
        self.assertFalse(self.pbx.requests)
        self.assertTrue(self.call(), "the log stays")

    def test_settings_that_were_not_saved(self):
        self.settings().create({"mango_api_key": NEW_KEY, "mango_api_salt": NEW_SALT})
        self.env.flush_all()
        for query in get_neutralization_queries(["mango_office"]):
            self.env.cr.execute(SQL(query))
        self.env.cr.execute(
            "SELECT count(*) FROM res_config_settings s WHERE s::text LIKE %s",
            [f"%{NEW_SALT}%"],
        )
        self.assertEqual(self.env.cr.fetchone(), (0,))
