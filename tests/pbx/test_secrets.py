"""Code and secret cannot be read through any of Odoo's endpoints."""

import json
import logging

from odoo import http
from odoo.exceptions import UserError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from ..common import API_KEY, API_SALT
from ..test_rights import RightsWorld


@tagged("post_install", "-at_install")
class TestSecretsOverHttp(RightsWorld, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.set_up_world()
        cls.set_up_rights()
        for user in cls.users.values():
            user.password = f"{user.login} Test_0001"

    FIELDS = ("api_key", "api_salt", "new_api_salt")

    def questions(self, field, guess):
        """Return calls of every method that takes a field's name."""
        model, ids = "mango.account", self.account.ids
        guesses = [(field, "=", guess)], [(field, "=like", f"{guess[:4]}%")]
        ask = [
            (model, "read", [ids, [field]], {}),
            (model, "web_read", [ids, {field: {}}], {}),
            (model, "search_read", [[], [field]], {}),
            (model, "web_search_read", [[], {field: {}}], {}),
            (
                model,
                "web_read",
                [
                    ids,
                    {
                        "company_id": {
                            "fields": {"mango_account_id": {"fields": {field: {}}}}
                        }
                    },
                ],
                {},
            ),
            (model, "export_data", [ids, [field]], {}),
            (model, "search", [[]], {"order": field}),
            (model, "search", [[]], {"order": f"company_id, {field} desc"}),
            (model, "name_search", [], {"name": guess}),
            (model, "name_search", ["", guesses[1]], {}),
            (model, "formatted_read_group", [[], [field], ["__count"]], {}),
            (model, "formatted_read_group", [[], [], [f"{field}:max"]], {}),
            (model, "web_read_group", [[], [field]], {}),
            (model, "onchange", [ids, {}, [field], {field: {}}], {}),
            (model, "onchange", [ids, {"name": "x"}, ["name"], {field: {}}], {}),
            (model, "copy", [ids], {}),
            (model, "copy_data", [ids], {}),
            (model, "default_get", [[field, "name"]], {}),
            (model, "fields_get", [[field]], {}),
            (model, "get_views", [[[False, "form"], [False, "search"]]], {}),
            (
                model,
                "read_progress_bar",
                [[], field, {"field": field, "colors": {}}],
                {},
            ),
            (model, "search_panel_select_range", [field], {}),
            (model, "get_property_definition", [ids, field], {}),
            (model, "write", [ids, {field: guess}], {}),
            ("mango.extension", "search", [[(f"account_id.{field}", "=", guess)]], {}),
            (
                "mango.extension",
                "export_data",
                [self.anna_extension.ids, [f"account_id/{field}"]],
                {},
            ),
            (
                "mango.extension",
                "web_read",
                [self.anna_extension.ids, {"account_id": {"fields": {field: {}}}}],
                {},
            ),
            (
                "mango.call",
                "search_count",
                [[("account_id", "any", [(field, "=like", "t%")])]],
                {},
            ),
            (
                "res.company",
                "search",
                [[(f"mango_account_id.{field}", "=", guess)]],
                {},
            ),
            ("mail.message", "search_read", [[("model", "=", model)], ["body"]], {}),
            (
                "ir.model.fields",
                "search_read",
                [[("model", "=", model), ("name", "=", field)], []],
                {},
            ),
            ("ir.default", "search_read", [[], []], {}),
            ("ir.config_parameter", "search_read", [[], ["value"]], {}),
            (
                "res.config.settings",
                "default_get",
                [[f"mango_{field}", "mango_api_key"]],
                {},
            ),
            (
                "res.config.settings",
                "onchange",
                [[], {}, [], {"mango_api_key": {}, "mango_api_salt": {}}],
                {},
            ),
            ("res.config.settings", "get_values", [[]], {}),
            ("res.config.settings", "create", [[{"mango_api_salt": guess}]], {}),
            ("res.config.settings", "search_read", [[], []], {}),
        ]
        ask += [(model, "search", [guess_domain], {}) for guess_domain in guesses]
        ask += [(model, "search_count", [guess_domain], {}) for guess_domain in guesses]
        return ask

    def ask(self, model, method, arguments, more):
        """Call a method like the web client; return the whole answer as text."""
        payload = {"model": model, "method": method, "args": arguments, "kwargs": more}
        response = self.url_open(
            f"/web/dataset/call_kw/{model}/{method}",
            data=json.dumps({"jsonrpc": "2.0", "method": "call", "params": payload}),
            headers={"Content-Type": "application/json"},
        )
        return response.text

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_model")
    def test_rpc(self):
        for name in ("portal", "internal", "user", "supervisor", "admin"):
            user = self.users[name]
            self.authenticate(user.login, f"{user.login} Test_0001")
            for field in self.FIELDS:
                right = {"api_key": API_KEY, "api_salt": API_SALT}.get(
                    field, "x1234567"
                )
                answers = {}
                for guess in (right, "test_wrong_guess_1"):
                    answers[guess] = [
                        self.ask(*question) for question in self.questions(field, guess)
                    ]
                    for question, answer in zip(
                        self.questions(field, guess), answers[guess], strict=True
                    ):
                        with self.subTest(actor=name, question=question[:3]):
                            if guess != API_KEY:
                                self.assertNotIn(API_KEY, answer)
                            if guess != API_SALT:
                                self.assertNotIn(API_SALT, answer)
                self.assert_guess_tells_nothing(name, field, *answers.items())

    def assert_guess_tells_nothing(self, name, field, right, wrong):
        """Check that a right guess gets the same answer as a wrong one."""
        questions = self.questions(field, right[0])
        for question, one, other in zip(questions, right[1], wrong[1], strict=True):
            with self.subTest(actor=name, question=question[:3]):
                one = json.loads(one.replace(right[0], "?"))
                other = json.loads(other.replace(wrong[0], "?"))
                self.assertEqual("error" in one, "error" in other)
                if question[1] not in ("copy", "create", "onchange"):
                    self.assertEqual(one.get("result"), other.get("result"))

    @mute_logger(
        "odoo.http",
        "odoo.addons.base.models.ir_model",
        "odoo.addons.web.controllers.export",
    )
    def test_export_and_files(self):
        account_id = self.account.id
        export = {
            "model": "mango.account",
            "fields": [{"name": field, "label": field} for field in self.FIELDS],
            "ids": [account_id],
            "domain": [],
            "import_compat": False,
        }
        for name in ("portal", "internal", "user", "supervisor", "admin"):
            user = self.users[name]
            self.authenticate(user.login, f"{user.login} Test_0001")
            for path in ("csv", "xlsx"):
                with self.subTest(actor=name, path=path):
                    token = self.csrf_token()
                    response = self.url_open(
                        f"/web/export/{path}",
                        data={"data": json.dumps(export), "csrf_token": token},
                    )
                    self.assertGreaterEqual(response.status_code, 400)
                    self.assertNotIn(API_SALT.encode(), response.content)
            for field in self.FIELDS:
                for root in ("/web/content", "/web/image"):
                    with self.subTest(actor=name, root=root, field=field):
                        path = f"{root}/mango.account/{account_id}/{field}"
                        content = self.url_open(path).content
                        self.assertNotIn(API_KEY.encode(), content)
                        self.assertNotIn(API_SALT.encode(), content)

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_model")
    def test_the_export_is_worth_the_name(self):
        """The same export works for readable fields, and for those who may read."""
        user = self.users["user"]
        self.authenticate(user.login, f"{user.login} Test_0001")
        export = {
            "model": "mango.account",
            "fields": [{"name": "name", "label": "Name"}],
            "ids": self.account.ids,
            "domain": [],
            "import_compat": False,
        }
        response = self.url_open(
            "/web/export/csv",
            data={"data": json.dumps(export), "csrf_token": self.csrf_token()},
        )
        self.assertEqual(response.status_code, 200)
        self.assertIn("АТС", response.content.decode())
        answer = self.ask("mango.account", "read", [self.account.ids, ["name"]], {})
        self.assertIn("result", json.loads(answer))

    def csrf_token(self):
        return http.Request.csrf_token(self)

    def test_log_of_a_refused_change(self):
        """PostgreSQL's error would contain the whole row, so it is avoided."""
        with self.assertLogs() as log:
            logging.getLogger(__name__).info("at least one line")
            for vals in (
                {"name": False},
                {"foreign_calls": False},
                {"company_id": False},
                {"api_url": False},
                {"callback_limit_per_hour": -1},
                {"callback_limit_per_hour": 2**40},
            ):
                with self.subTest(vals=vals):
                    with self.assertRaises(UserError):
                        self.account.write(vals)
                        self.account.flush_recordset()
                    with self.assertRaises(UserError):
                        self.create_account(**{"api_salt": API_SALT, **vals})
        for line in log.output:
            self.assertNotIn(API_KEY, line)
            self.assertNotIn(API_SALT, line)
