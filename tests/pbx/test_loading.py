"""Loading users and lines from the PBX."""

from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..common import sign
from ..pbx_answers import LINES, TROUBLE, USERS, AccountCase, pbx_user
from ..vpbx_scenarios import SIP_LINE


@tagged("post_install", "-at_install")
class TestLoading(AccountCase):
    def load(self, *users, lines=()):
        """Load from the PBX.

        :return: the message
        """
        self.pbx.answers(USERS, {"users": list(users)})
        self.pbx.answers(LINES, {"result": 1000, "lines": list(lines)})
        return self.fresh.action_load_users()["params"]["message"]

    def extensions(self):
        return self.env["mango.extension"].search(
            [("account_id", "=", self.fresh.id), ("active", "in", [True, False])],
            order="number",
        )

    def test_caches_are_cleared_after_the_commit_too(self):
        """Until the commit, another thread may fill them with old values."""
        line = self.env["mango.line"].create(
            {"account_id": self.fresh.id, "number": "74950000155"}
        )
        partner = self.fresh.company_id.partner_id.sudo()
        changes = {
            "secret": lambda: self.fresh.sudo().write(
                {"api_salt": "test_api_salt_0044"}
            ),
            "allowed addresses": lambda: self.fresh.write(
                {"allowed_addresses": "81.88.80.132"}
            ),
            "line": lambda: line.write({"number": "74950000156"}),
            "line that goes": line.unlink,
            "language": lambda: partner.write({"lang": "en_US"}),
        }
        for what, change in changes.items():
            with (
                self.subTest(what),
                patch.object(type(self.registry), "clear_cache") as clear,
            ):
                change()
                self.assertTrue(clear.called, "not cleared at once")
                clear.reset_mock()
                self.env.cr.postcommit.run()
                self.assertTrue(clear.called, "not cleared after the commit")

    # -- staff ------------------------------------------------------------------

    def test_new(self):
        user = pbx_user(
            "101",
            email="anna@romashka.example",
            mobile="74950000301",
            department="Отдел продаж",
            position="Менеджер",
        )
        message = self.load(user, pbx_user("0511", "Дарья"), pbx_user(None, "Админ"))
        self.assertEqual(message, "Extensions: 2 new, 0 changed, 0 gone.")
        daria, anna = self.extensions()
        self.assertRecordValues(
            daria, [{"number": "0511", "name": "Дарья", "email": False}]
        )
        self.assertRecordValues(
            anna,
            [
                {
                    "number": "101",
                    "name": "Анна Соколова",
                    "user_id": False,
                    "email": "anna@romashka.example",
                    "mobile": "74950000301",
                    "department": "Отдел продаж",
                    "position": "Менеджер",
                    "pbx_user_ref": "400000101",
                }
            ],
        )
        self.assertTrue(self.fresh.last_load_at)

    def test_requests(self):
        self.load()
        black_list = "bwlists/numbers/"
        self.assertEqual(self.pbx.paths(), [USERS, "groups", LINES, black_list])
        for request in self.pbx.requests:
            signature = sign(request.text, request.key, "test_api_salt_0008")
            self.assertEqual(request.signature, signature)
        self.assertIn("general.user_id", self.pbx.requests[0].payload["ext_fields"])

    def test_again_without_change(self):
        users = [pbx_user("101"), pbx_user("102", "Борис")]
        self.load(*users)
        before = self.extensions().mapped("write_date")
        message = self.load(*users)
        self.assertEqual(message, "Extensions: 0 new, 0 changed, 0 gone.")
        self.assertEqual(self.extensions().mapped("write_date"), before)

    def test_changed(self):
        self.load(pbx_user("101"), pbx_user("102", "Борис"))
        message = self.load(pbx_user("101", "Анна Павлова"), pbx_user("102", "Борис"))
        self.assertEqual(message, "Extensions: 0 new, 1 changed, 0 gone.")
        self.assertEqual(self.extensions()[0].name, "Анна Павлова")

    def test_gone_and_back(self):
        self.load(pbx_user("101"), pbx_user("102", "Борис"))
        boris = self.extensions()[1]
        boris.user_id = self.boris
        message = self.load(pbx_user("101"))
        self.assertEqual(message, "Extensions: 0 new, 0 changed, 1 gone.")
        self.assertRecordValues(boris, [{"active": False, "user_id": self.boris.id}])
        self.assertEqual(
            self.load(pbx_user("101")), "Extensions: 0 new, 0 changed, 0 gone."
        )
        self.load(pbx_user("101"), pbx_user("102", "Борис"))
        self.assertRecordValues(boris, [{"active": True, "user_id": self.boris.id}])
        self.assertEqual(len(self.extensions()), 2)

    def test_manual_mapping_is_kept(self):
        self.load(pbx_user("101", email=self.anna.email))
        self.extensions().user_id = self.kirill
        self.load(pbx_user("101", "Анна", email=self.anna.email))
        self.assertEqual(self.extensions().user_id, self.kirill)

    def test_one_extension_twice_in_the_answer(self):
        self.load(pbx_user("101", "Анна"), pbx_user("101", "Анна снова"))
        self.assertEqual(self.extensions().mapped("name"), ["Анна"])

    def test_one_group_or_line_twice_in_the_answer(self):
        group = {"id": 7, "name": "Продажи", "extension": "500", "operators": []}
        line = {"number": "74950000100", "name": "Основная"}
        self.pbx.answers("groups", {"groups": [group, group]})
        for _time in range(2):
            self.load(lines=[line, line])
        self.assertEqual(self.fresh.group_ids.mapped("number"), ["500"])
        self.assertEqual(self.fresh.line_ids.mapped("number"), ["74950000100"])

    def test_other_accounts_are_left_alone(self):
        before = self.account.extension_ids.mapped("number")
        self.load(pbx_user("101"))
        self.assertEqual(self.account.extension_ids.mapped("number"), before)
        self.assertTrue(all(self.account.extension_ids.mapped("active")))

    def test_five_thousand(self):
        """Not timed: the number of queries is limited."""

        def staff(name):
            return [pbx_user(str(number), name) for number in range(1000, 6000)]

        def queries(*users):
            self.env.flush_all()
            before = self.cr.sql_log_count
            message = self.load(*users)
            self.env.flush_all()
            return message, self.cr.sql_log_count - before

        message, count = queries(*staff("Имя"))
        self.assertIn("5000 new", message)
        self.assertLess(count, 200)
        message, count = queries(*staff("Имя"))
        self.assertIn("0 new, 0 changed", message)
        self.assertLess(count, 60)
        message, count = queries(*staff("Другое"))
        self.assertIn("5000 changed", message)
        self.assertLess(count, 200)
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        self.assertFalse(self.extensions().suggested_user_id)
        self.assertLess(self.cr.sql_log_count - before, 40)

    # -- lines --------------------------------------------------------------------

    def test_lines(self):
        main = {
            "number": "74950000100",
            "name": "Основная",
            "region": "Москва",
            "schema_name": "Отдел продаж",
        }
        self.load(lines=[main, {"number": SIP_LINE, "comment": "SIP"}])
        lines = self.fresh.line_ids
        self.assertRecordValues(lines[0], [{"active": True, **main}])
        self.assertRecordValues(lines[1], [{"number": SIP_LINE, "name": "SIP"}])
        self.assertEqual(self.fresh._own_numbers(), {"74950000100", SIP_LINE})
        self.fresh.with_context(active_test=False).line_ids.active = False
        self.env.flush_all()
        self.env.registry.clear_cache()
        self.assertEqual(
            self.fresh._own_numbers(),
            {"74950000100", SIP_LINE},
            "a call from a line that was archived is no client's",
        )
        self.load(lines=[{**main, "name": "Главная"}])
        self.assertRecordValues(
            lines,
            [{"name": "Главная", "active": True}, {"name": "SIP", "active": False}],
        )
        self.load(lines=[main, {"number": SIP_LINE, "comment": "SIP"}])
        self.assertEqual(self.fresh.line_ids, lines)

    # -- failures -------------------------------------------------------------------

    def test_trouble_in_words(self):
        self.load(pbx_user("101"))
        for case, (answer, words) in TROUBLE.items():
            with self.subTest(case=case):
                self.pbx.reset()
                self.pbx.answers(USERS, **answer)
                with self.assertRaises(UserError) as caught:
                    self.fresh.action_load_users()
                self.assertIn(words, str(caught.exception))
                self.assertNoSecrets(str(caught.exception))
                self.assertEqual(self.pbx.paths(), [USERS], "asked again")
        self.assertRecordValues(self.extensions(), [{"number": "101", "active": True}])

    def test_pbx_that_is_not_there(self):
        self.fresh.sudo().api_url = "http://127.0.0.1:1"
        with self.assertRaisesRegex(UserError, "cannot be reached"):
            self.fresh.action_load_users()

    def test_lines_fail(self):
        """Nothing is loaded if a part fails."""
        self.pbx.answers(USERS, {"users": [pbx_user("101")]})
        self.pbx.answers(LINES, status=503, body="")
        with self.assertRaises(UserError):
            self.fresh.action_load_users()
        self.assertFalse(self.extensions())
        self.assertFalse(self.fresh.last_load_at)

    def test_no_secret_yet(self):
        self.fresh.sudo().api_salt = False
        with self.assertRaisesRegex(UserError, "Enter the PBX's code and secret"):
            self.fresh.action_load_users()
        self.assertFalse(self.pbx.requests)

    def test_loading_is_not_for_everybody(self):
        for user in (self.anna, self.vera):
            account = self.fresh.with_user(user)
            for action in (account.action_load_users, account.action_test_connection):
                with self.assertRaises(AccessError):
                    action()
        self.assertFalse(self.pbx.requests)
