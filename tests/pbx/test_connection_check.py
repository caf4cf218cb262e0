"""The check of the connection, and the address of the PBX."""

from contextlib import suppress
from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import format_datetime

from ...vpbx.errors import RefusedError
from ..pbx_answers import BALANCE, TROUBLE, USERS, AccountCase, pbx_user
from ..vpbx_scenarios import menu


@tagged("post_install", "-at_install")
class TestCheck(AccountCase):
    def check(self):
        """Press "Check Connection".

        :return: the states of the links, and their texts
        """
        action = self.fresh.action_test_connection()
        check = self.env[action["res_model"]].browse(action["res_id"])
        self.assertNoSecrets("".join(check.line_ids.mapped("message")))
        return (
            {line.name: line.state for line in check.line_ids},
            {line.name: line.message for line in check.line_ids},
        )

    def answer_well(self, **balance):
        balance = {"result": 1000, "balance": "150.5", "currency": "RUB", **balance}
        self.pbx.answers(BALANCE, balance)
        self.pbx.answers(USERS, {"users": [pbx_user("101")]})

    def test_all_is_well(self):
        self.answer_well()
        self.receive(*menu()[0], account=self.fresh)
        states, messages = self.check()
        self.assertEqual(
            states,
            {
                "Address and encryption": "ok",
                "Code and secret": "ok",
                "Rights": "ok",
                "Clocks": "ok",
                "Notifications": "ok",
            },
        )
        self.assertIn("1 employees", messages["Rights"])
        # In the reader's date format.
        last = format_datetime(self.env, self.fresh.last_event_at)
        self.assertIn(last, messages["Notifications"])
        self.assertEqual(self.pbx.paths(), [BALANCE, USERS])

    def test_refusal_ends_it(self):
        """The check stops: two refused requests in two minutes lock the account out."""
        for case in ("wrong secret", "wrong code", "lock-out", "no option"):
            answer, words = TROUBLE[case]
            with self.subTest(case=case):
                self.pbx.reset()
                self.pbx.answers(BALANCE, **answer)
                states, messages = self.check()
                self.assertEqual(
                    states,
                    {
                        "Address and encryption": "ok",
                        "Code and secret": "failed",
                        "Rights": "skipped",
                        "Notifications": "warning",
                    },
                )
                self.assertIn(words, messages["Code and secret"])
                self.assertEqual(self.pbx.paths(), [BALANCE])

    def test_no_usable_answer(self):
        for case in ("unavailable", "web page", "empty", "hung up"):
            answer, words = TROUBLE[case]
            with self.subTest(case=case):
                self.pbx.reset()
                self.pbx.answers(BALANCE, **answer)
                states, messages = self.check()
                self.assertEqual(states["Address and encryption"], "failed")
                self.assertEqual(states["Code and secret"], "skipped")
                self.assertIn(words, messages["Address and encryption"])
                self.assertEqual(self.pbx.paths(), [BALANCE])

    def test_pbx_that_is_not_there(self):
        self.fresh.sudo().api_url = "http://127.0.0.1:1"
        states, messages = self.check()
        self.assertEqual(states["Address and encryption"], "failed")
        self.assertIn("cannot be reached", messages["Address and encryption"])

    def test_rate_limit_is_no_fault_of_the_address(self):
        answer, words = TROUBLE["rate limit"]
        self.pbx.answers(BALANCE, **answer)
        states, messages = self.check()
        self.assertEqual(states["Address and encryption"], "ok")
        self.assertIn(words, " ".join(messages.values()))
        self.assertEqual(self.pbx.paths(), [BALANCE])

    def test_rate_limit_resumes_nothing(self):
        """The PBX has accepted nothing yet."""
        self.env.flush_all()
        self.fresh._record_answer(RefusedError(3102, ""))
        self.pbx.answers(BALANCE, **TROUBLE["rate limit"][0])
        self.check()
        self.assertTrue(self.fresh.requests_stopped_reason)
        self.answer_well()
        self.check()
        self.assertFalse(self.fresh.requests_stopped_reason)

    def test_refusals_count(self):
        """The next automatic request would lock the account out."""
        for action in ("action_test_connection", "action_load_users"):
            with self.subTest(action=action):
                self.env.flush_all()
                self.fresh._resume_requests()
                self.pbx.reset()
                for path in (BALANCE, USERS):
                    self.pbx.answers(path, {"result": 3102})
                with suppress(UserError):
                    getattr(self.fresh, action)()
                self.assertEqual(len(self.pbx.requests), 1)
                self.assertFalse(self.fresh._may_request())

    def test_rights(self):
        self.answer_well()
        self.pbx.answers(USERS, {"result": 5300})
        states, messages = self.check()
        self.assertEqual(states["Code and secret"], "ok")
        self.assertEqual(states["Rights"], "failed")
        self.assertIn("code 5300", messages["Rights"])
        self.assertEqual(self.pbx.paths(), [BALANCE, USERS])

    def test_clocks(self):
        cases = (
            (timedelta(seconds=10), "ok"),
            (timedelta(seconds=90), "warning"),
            (timedelta(hours=-3), "warning"),
        )
        moment = datetime(2026, 1, 1, 9, 0, 0)
        for shift, state in cases:
            with self.subTest(shift=shift):
                self.answer_well()
                date = (moment + shift).strftime("%a, %d %b %Y %H:%M:%S GMT")
                self.pbx.answers(BALANCE, {"balance": 1, "currency": "RUB"}, date=date)
                with freeze_time(moment):
                    states, _messages = self.check()
                self.assertEqual(states["Clocks"], state)

    def test_pbx_that_does_not_tell_its_time(self):
        self.pbx.answers(BALANCE, {"balance": 1, "currency": "RUB"}, date="noon")
        self.pbx.answers(USERS, {"users": []})
        self.assertEqual(self.check()[0]["Clocks"], "warning")

    def test_notifications(self):
        self.answer_well()
        states, messages = self.check()
        self.assertEqual(states["Notifications"], "warning")
        self.assertIn(self.fresh.webhook_url, messages["Notifications"])
        self.assertTrue(self.fresh.webhook_url.endswith("/exec/mango"))
        with freeze_time("2026-01-01 09:00:00"):
            self.receive(*menu()[0], account=self.fresh)
            self.assertEqual(self.check()[0]["Notifications"], "ok")
        with freeze_time("2026-01-10 09:00:00"):
            self.assertEqual(self.check()[0]["Notifications"], "warning")

    def test_dates_are_in_the_reader_s_format(self):
        lang = self.env["res.lang"].search([("code", "=", "en_US")])
        lang.write({"date_format": "%Y/%m/%d", "time_format": "%I:%M:%S %p"})
        self.admin.tz = "Europe/Moscow"
        self.answer_well()
        with freeze_time("2026-01-02 09:00:00"):
            self.receive(*menu()[0], account=self.fresh)
            said = self.check()[1]["Notifications"]
        self.assertEqual(said, "Last received: 2026/01/02 12:00:00 PM.")

    def test_no_secret_yet(self):
        self.fresh.sudo().api_key = False
        with self.assertRaisesRegex(UserError, "Enter the PBX's code and secret"):
            self.fresh.action_test_connection()

    # -- the address ------------------------------------------------------------------

    def test_address(self):
        good = (
            "https://app.mango-office.ru",
            "https://app.mango-office.ru/vpbx/",
            " https://app.mango-office.ru ",
            "http://127.0.0.1:8070",
            "http://localhost:8070",
            "http://[::1]:8070",
        )
        bad = (
            "http://app.mango-office.ru",
            "http://127.0.0.1.example.com",
            "http://10.0.0.1",
            "https://anna:secret@app.mango-office.ru",
            "https://app.mango-office.ru/?x=1",
            "ftp://app.mango-office.ru",
            "app.mango-office.ru",
            "https://",
            "",
            False,
        )
        for url in good:
            with self.subTest(url=url):
                self.account.api_url = url
                self.assertEqual(self.account.api_url, url.strip())
        for url in bad:
            with self.subTest(url=url), self.assertRaises(ValidationError):
                self.account.api_url = url
