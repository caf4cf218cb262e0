"""The self-test: every green, yellow and red end, and the way through it."""

import html
from datetime import timedelta

from odoo.exceptions import AccessError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ...models.support.self_test import (
    Inbound,
    Outbound,
    judge_inbound,
    judge_outbound,
    judge_recording,
    judge_statistics,
)
from ...models.support.self_test_ends import ENDS, FAILED, OK, WAITING, WARNING
from ..common import MangoCase, MangoHttpCase
from ..vpbx_scenarios import (
    CLIENT,
    LINE,
    T0,
    callback_answered,
    leg,
    menu,
    outside,
    result,
    staff,
    summary,
)

ORDER, REPORT = "stats/calls/request", "stats/calls/result"


@tagged("post_install", "-at_install")
class TestJudgements(MangoCase):
    """In one class with the database only to see that each has its sentence."""

    def check(self, *expected):
        for judgement, verdict, name in expected:
            with self.subTest(end=name):
                self.assertEqual(judgement.end, name)
                end = ENDS[name]
                self.assertEqual(end.verdict, verdict)
                # It has every value that its sentence names.
                sentence = self.env._(end.sentence)
                self.assertTrue(sentence % judgement.values)

    def test_inbound(self):
        def judge(**facts):
            return judge_inbound(Inbound(**{"waited": 5, **facts}))

        routed = {"is_there": True, "greeting": 9, "route_state": "accepted"}
        routed |= {"route_after": 1, "rung": "Анна (101)"}
        self.check(
            (judge(), WAITING, "no_call_yet"),
            (judge(waited=121), FAILED, "no_call"),
            (judge(is_there=True), FAILED, "no_greeting"),
            (judge(is_there=True, in_greeting=True), WAITING, "greeting_plays"),
            # A PBX that plays the greeting to its end, and one that does not.
            (
                judge(**{**routed, "greeting": 2, "route_after": 0}),
                FAILED,
                "greeting_too_short",
            ),
            (judge(**{**routed, "greeting": 2}), OK, "routed_at_once"),
            (judge(**{**routed, "greeting": 5}), WARNING, "greeting_short"),
            (judge(**{**routed, "route_state": "failed"}), FAILED, "route_failed"),
            (judge(**{**routed, "route_state": "sent"}), WARNING, "route_unclear"),
            (judge(**{**routed, "route_state": "skipped"}), WARNING, "not_routed"),
            (judge(**{**routed, "route_after": None}), OK, "routed_untold"),
            (judge(**routed), OK, "routed"),
        )

    def test_outbound(self):
        def judge(*facts, **more):
            return judge_outbound(Outbound(*facts, **more))

        self.check(
            (judge(), WAITING, "press_call"),
            (judge("failed", "money"), FAILED, "call_refused"),
            (judge("accepted"), WAITING, "own_phone_rings"),
            (judge("accepted", waited=121), FAILED, "no_call_of_command"),
            (judge("accepted", "", "ringing"), WAITING, "call_goes_on"),
            (judge("accepted", "", "ended", "answered"), OK, "call_answered"),
            (judge("accepted", "", "ended", "busy"), WARNING, "call_not_answered"),
        )

    def test_recording(self):
        self.check(
            (judge_recording([], 5), WAITING, "no_recording_yet"),
            (judge_recording([], 301), WARNING, "no_recording"),
            (judge_recording(["requested"], 5), WAITING, "recording_comes"),
            (judge_recording(["failed"], 5, "404"), FAILED, "recording_failed"),
            (judge_recording(["failed", "ready"], 5), OK, "recording_ready"),
            (judge_recording(["ready"], 5, "", True), OK, "recording_played"),
        )

    def test_statistics(self):
        self.check(
            (judge_statistics(None, T0), WARNING, "not_in_statistics"),
            (judge_statistics(T0 + 3, T0), OK, "same_times"),
            (judge_statistics(T0 + 3 * 3600, T0), FAILED, "other_time_zone"),
            (judge_statistics(T0 - 3 * 3600 + 2, T0), FAILED, "other_time_zone"),
            (judge_statistics(T0 + 60, T0), FAILED, "other_times"),
        )


@tagged("post_install", "-at_install")
class TestSelfTest(MangoCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = cls.create_user("admin", "Ольга", "group_admin")
        cls.admin.partner_id.phone = f"+{CLIENT}"
        cls.create_extension("105", cls.admin)

    def open(self):
        action = self.account.with_user(self.admin).action_self_test()
        return (
            self.env["mango.self.test"].with_user(self.admin).browse(action["res_id"])
        )

    def at(self, step):
        test = self.open()
        while test.step != step:
            test.action_next()
        return test

    def look(self, test):
        test.action_look()
        line = test.step_ids.filtered(lambda line: line.step == test.step)
        self.assertTrue(line.message)
        self.assertEqual(test.state, line.state)
        return line.state

    def test_opens_with_what_is_known(self):
        test = self.open()
        self.assertEqual(test.step, "connection")
        self.assertEqual(test.mobile, f"+{CLIENT}")
        self.assertEqual(test.line_id, self.account.line_ids[:1])
        self.assertEqual(len(test.step_ids), 6)
        with Form(test) as form:
            form.mobile = "+74950000202"

    def test_connection(self):
        self.pbx.answers(
            "account/balance", {"result": 1000, "balance": "1.0", "currency": "RUB"}
        )
        self.pbx.answers("config/users/request", {"users": []})
        test = self.open()
        # Nothing has come from the PBX yet.
        self.assertEqual(self.look(test), WARNING)
        self.receive(*menu()[0])
        self.assertEqual(self.look(test), OK)
        self.pbx.answers("account/balance", status=401, body="{}")
        self.assertEqual(self.look(test), FAILED)
        self.assertIn("The PBX refuses all requests", test.message)
        self.assertNotIn("Skipped", test.message)
        # Skipped, but for a reason of its own.
        self.pbx.answers("account/balance", status=429, body="{}")
        self.assertEqual(self.look(test), WARNING)
        self.assertIn("too many requests", test.message)
        self.assertNotIn("Skipped", test.message)

    def test_staff(self):
        test = self.at("staff")
        self.assertEqual(self.look(test), OK)
        self.account.extension_ids.filtered(
            lambda extension: extension.user_id == self.admin
        ).user_id = False
        self.assertEqual(self.look(test), WARNING)
        self.account.extension_ids.active = False
        self.env.invalidate_all()
        self.assertEqual(self.look(test), FAILED)

    def call_in(self, greeting=10):
        self.receive(*menu(end=greeting)[0])
        self.receive(*menu(end=greeting)[1])
        anna = staff("101", LINE)
        self.receive(*leg("L2", 1, "Appeared", greeting, outside(), anna))
        end = greeting + 20
        self.receive(*leg("L2", 2, "Disconnected", end, outside(), anna, reason=1110))
        self.receive(
            *summary(1, outside(), staff("101"), talk=None, end=end, reason=1110)
        )
        return self.call()

    def test_call_in(self):
        test = self.at("inbound")
        self.assertEqual(self.look(test), WAITING)
        test.since -= timedelta(minutes=3)
        self.assertEqual(self.look(test), FAILED)
        call = self.call_in()
        call.sudo().write(
            {
                "route_state": "accepted",
                "routed_extension_id": self.anna_extension.id,
            }
        )
        self.assertEqual(self.look(test), OK)
        self.assertEqual(test.call_id, call)
        line = test.step_ids.filtered(lambda line: line.step == "inbound")
        self.assertIn("10 s", line.message)
        self.assertIn("101", line.message)
        # Nobody's phone, as far as the legs tell.
        call.sudo().leg_ids.filtered("to_extension").unlink()
        self.look(test)
        self.assertIn("nobody", line.message)

    def test_greeting_too_short(self):
        test = self.at("inbound")
        self.call_in(greeting=2)
        self.assertEqual(self.look(test), FAILED)

    def test_route_refused_or_untold(self):
        test = self.at("inbound")
        call = self.call_in().sudo()
        for state, verdict in (("failed", FAILED), ("sent", WARNING)):
            call.route_state = state
            self.assertEqual(self.look(test), verdict)

    def test_calls_of_others_do_not_count(self):
        test = self.at("inbound")
        test.mobile = "+74950000299"
        self.call_in()
        self.assertEqual(self.look(test), WAITING)

    def test_call_by_click(self):
        test = self.at("outbound")
        self.assertEqual(self.look(test), WAITING)
        test.action_call()
        self.assertEqual(test.command_id.user_id, self.admin)
        command_id = test.command_id.command_id
        for kind, payload in callback_answered().posts:
            if "command_id" in payload:
                payload = {**payload, "command_id": command_id}
            self.receive(kind, payload)
        self.receive(*result("callback", command_id, 1000))
        self.assertEqual(self.look(test), OK)
        self.assertEqual(test.ordered_call_id, self.call())
        # Another test begins anew.
        self.assertEqual(self.look(self.at("outbound")), WAITING)

    def at_statistics(self):
        """Return a test that has got as far, and has seen a call."""
        test = self.at("inbound")
        self.call_in()
        self.look(test)
        while test.step != "statistics":
            test.action_next()
        return test

    def told_by_statistics(self, started_at):
        """Have the PBX tell the test's call in its statistics."""
        entry = {"entry_id": "E1", "context_start_time": started_at, "duration": 30}
        days = [{"period": "2026-01-01", "list": [entry]}]
        self.pbx.answers(REPORT, {"result": 1000, "status": "complete", "data": days})

    def test_statistics_with_other_times(self):
        test = self.at_statistics()
        self.pbx.answers(ORDER, {"key": "K"})
        for shift, words in ((60, "60 s off"), (-3 * 3600, "-3 hours")):
            self.told_by_statistics(T0 + shift)
            self.assertEqual(self.look(test), WAITING)
            self.assertEqual(self.look(test), FAILED)
            line = test.step_ids.filtered(lambda line: line.step == "statistics")
            self.assertIn(words, line.message)
            self.assertIn("Export for Support", line.message)

    def test_statistics(self):
        test = self.at_statistics()
        self.pbx.answers(ORDER, {"key": "K"})
        self.pbx.answers(REPORT, {"result": 1000, "status": "work"})
        self.assertEqual(self.look(test), WAITING)
        self.assertEqual(self.look(test), WAITING)
        self.told_by_statistics(T0)
        self.assertEqual(self.look(test), OK)
        # One order, and one question at each further look.
        self.assertEqual(self.pbx.paths().count(ORDER), 1)
        self.assertEqual(self.pbx.paths().count(REPORT), 2)

    def test_statistics_refused(self):
        test = self.at("statistics")
        self.assertEqual(self.look(test), WARNING)
        test.call_id = self.call_in()
        self.pbx.answers(ORDER, {"result": 3100})
        self.assertEqual(self.look(test), FAILED)

    def test_not_of_the_pbx_of_another_company(self):
        other = self.env["res.company"].create({"name": "Другая"})
        account = self.create_account(
            company_id=other.id, api_key="test_api_key_0007", api_salt="x"
        )
        tests = self.env["mango.self.test"].with_user(self.admin)
        test = tests.create({"account_id": account.id})
        with self.assertRaises(AccessError):
            test.action_look()
        self.assertFalse(self.pbx.requests)

    def test_statistics_busy(self):
        """The automatic import may be asking at the same time; nothing is wrong."""
        test = self.at("statistics")
        test.call_id = self.call_in()
        self.pbx.answers(ORDER, status=429, body="{}")
        self.assertEqual(self.look(test), WAITING)
        self.pbx.answers(ORDER, {"key": "K"})
        self.assertEqual(self.look(test), WAITING)
        self.told_by_statistics(T0)
        self.assertEqual(self.look(test), OK)

    def test_statistics_count_in_the_circuit_breaker(self):
        test = self.at("statistics")
        test.call_id = self.call_in()
        self.pbx.answers(ORDER, {"result": 3102})
        self.assertEqual(self.look(test), FAILED)
        self.assertTrue(self.account.requests_stopped_reason)

    def test_recording(self):
        test = self.at("recording")
        self.assertEqual(self.look(test), WAITING)
        test.call_id = self.call_in()
        recording = self.announce()
        self.pbx.offers_recording()
        self.assertEqual(self.look(test), WAITING)
        self.fetch_recordings()
        self.assertEqual(recording.state, "ready")
        self.assertEqual(test.recording_ids, recording)
        self.assertEqual(self.look(test), OK)
        line = test.step_ids.filtered(lambda line: line.step == "recording")
        self.assertEqual(line.end, "recording_ready")
        recording.with_user(self.admin).log_play()
        self.look(test)
        self.assertEqual(line.end, "recording_played")

    def test_recording_never_announced(self):
        test = self.at("recording")
        test.call_id = self.call_in()
        test.since -= timedelta(minutes=6)
        self.assertEqual(self.look(test), WARNING)

    def test_printed(self):
        test = self.at("done")
        page, _type = self.env["ir.actions.report"]._render_qweb_html(
            "mango_office.mango_self_test_report", test.ids
        )
        for name in ("PBX reachable", "Statistics", f"+{CLIENT}", self.admin.name):
            self.assertIn(name, page.decode())


@tagged("post_install", "-at_install")
class TestPrinted(MangoHttpCase):
    def test_page(self):
        admin = self.create_user("admin", "Ольга", "group_admin")
        action = self.account.with_user(admin).action_self_test()
        test = self.env["mango.self.test"].with_user(admin).browse(action["res_id"])
        test.action_look()
        url = test.action_print()["url"]
        self.authenticate(admin.login, admin.login)
        page = self.url_open(url)
        self.assertEqual(page.status_code, 200)
        self.assertIn(test.step_ids[0].message, html.unescape(page.text))
        self.authenticate(self.vera.login, self.vera.login)
        with mute_logger("odoo.http"):
            refused = self.url_open(url)
        self.assertEqual(refused.status_code, 403)
