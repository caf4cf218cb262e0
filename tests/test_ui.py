"""Runs the tours in static/tests/tours."""

import time

from odoo.tests import new_test_user, tagged

from .common import MangoHttpCase, sound
from .vpbx_scenarios import LINE, T0, leg, menu, outside, staff, summary

TIMES = ("timestamp", "create_time", "forward_time", "end_time")


def just_now(posts):
    """Move a call from 2026 to a minute ago, so that the log's filters find it."""
    shift = int(time.time()) - 60 - T0
    for kind, payload in posts:
        moved = {name: payload[name] + shift for name in TIMES if name in payload}
        yield kind, {**payload, **moved}


def missed_call(entry_id, number, extension):
    caller, callee = outside(number, taken_from="L1"), staff(extension, LINE)
    posts = [
        *menu(number),
        leg("L2", 1, "Appeared", 10, caller, callee),
        leg("L2", 2, "Disconnected", 22, caller, callee, reason=1110),
        summary(1, outside(number), staff(extension), talk=None, end=22, reason=1110),
    ]
    for kind, payload in just_now(posts):
        yield kind, {**payload, "entry_id": entry_id}


def talk(entry_id, number, extension):
    caller, callee = outside(number, taken_from="L1"), staff(extension, LINE)
    posts = [
        *menu(number),
        leg("L2", 1, "Appeared", 10, caller, callee),
        leg("L2", 2, "Connected", 12, caller, callee),
        leg("L2", 3, "Disconnected", 32, caller, callee, reason=1110),
        summary(1, outside(number), staff(extension), talk=12, end=32, reason=1110),
    ]
    for kind, payload in just_now(posts):
        yield kind, {**payload, "entry_id": entry_id}


@tagged("post_install", "-at_install")
class TestTours(MangoHttpCase):
    def test_settings(self):
        newcomer = self.env["res.company"].create(
            {"name": "ООО «Лютик»", "country_id": self.env.ref("base.ru").id}
        )
        admin = new_test_user(
            self.env,
            login="mango_newcomer",
            name="Ольга",
            groups="base.group_system",
            company_id=newcomer.id,
            company_ids=[newcomer.id],
        )
        self.boris.company_ids += newcomer
        self.anna.write(
            {"company_ids": [(4, newcomer.id)], "email": "anna@romashka.example"}
        )
        self.env["ir.default"].set("mango.account", "api_url", self.pbx.url)
        self.pbx.answers(
            "config/users/request",
            {
                "users": [
                    self._pbx_user("101", "Анна", "anna@romashka.example"),
                    self._pbx_user("0511", "Дарья", ""),
                ]
            },
        )
        self.pbx.answers("incominglines", {"result": 1000, "lines": []})
        self.pbx.answers(
            "account/balance", {"result": 1000, "balance": "1.0", "currency": "RUB"}
        )

        self.start_tour(
            "/odoo/settings#mango_office", "mango_office_settings", login=admin.login
        )

        account = newcomer.mango_account_id
        self.assertEqual(account.api_key, "tour_api_key_0001")
        self.assertEqual(account.api_salt, "tour_api_salt_0002")
        employees = {ext.number: ext.user_id for ext in account.extension_ids}
        self.assertEqual(employees, {"0511": self.boris, "101": self.anna})
        stored = self.env["res.config.settings"].search([]).mapped("mango_api_salt")
        self.assertFalse(any(stored), "the secret stays on no settings record")

    def _pbx_user(self, extension, name, email):
        return {
            "general": {"name": name, "email": email, "user_id": int(extension)},
            "telephony": {"extension": extension, "numbers": []},
        }

    def test_call_log(self):
        self.anna_extension.name = "Анна Соколова"
        self.create_partner("Елена", "74950000203", user_id=self.boris.id)
        for kind, payload in missed_call("E1", "74950000201", "101"):
            self.receive(kind, payload)
        for kind, payload in missed_call("E2", "74950000203", "102"):
            self.receive(kind, payload)

        self.start_tour("/odoo", "mango_office_call_log", login=self.anna.login)

        self.assertIn("Call back on Monday", self.call("E1").note)
        self.assertFalse(self.call("E2").note)

    def test_card_beside_dialog(self):
        self.anna.group_ids += self.env.ref("base.group_partner_manager")
        for kind, payload in [*talk("E1", "74950000209", "101")][:4]:
            self.receive(kind, payload)

        self.start_tour(
            "/odoo", "mango_office_card_beside_dialog", login=self.anna.login
        )

        call = self.call("E1")
        self.assertEqual(call.note, "Просит счёт")
        self.assertEqual(call.partner_id.name, "Пётр Орлов")
        self.assertEqual(call.partner_id.phone_sanitized, "+74950000209")

    def test_card_of_another_company(self):
        there = self.env["res.company"].create({"name": "ООО «Лилия»"})
        self.anna.company_ids += there
        account = self.create_account(
            api_key="test_api_key_0007", api_salt="x", company_id=there.id
        )
        self.create_extension("201", self.anna, account_id=account.id)
        self.create_partner(
            "Мария Котова", "74950000208", user_id=self.anna.id, company_id=there.id
        )
        caller = outside("74950000208")
        ring = leg("L1", 1, "Appeared", 10, caller, staff("201", LINE))
        for kind, payload in just_now([ring]):
            self.receive(kind, payload, account=account)

        self.start_tour(
            "/odoo", "mango_office_card_of_another_company", login=self.anna.login
        )

        self.assertEqual(self.call(account=account).note, "Просит счёт")

    def test_routing(self):
        admin = self.create_user("admin", "Ольга", "group_admin")
        gone = self.create_user("gone", "Пётр")
        steps = self.env["mango.route.step"]
        steps.create(
            {"account_id": self.account.id, "target": "user", "user_id": gone.id}
        )
        gone.active = False

        self.start_tour("/odoo/call-routing", "mango_office_routing", login=admin.login)

        step = steps.search([("user_id", "=", self.boris.id)])
        self.assertEqual(step.target, "user")
        self.assertFalse(self.call())

    def test_recording(self):
        for kind, payload in talk("E1", "74950000201", "101"):
            self.receive(kind, payload)
        recording = self.announce()
        self.pbx.offers_recording(sound(20))
        recording.action_request()
        self.fetch_recordings()

        self.start_tour(
            "/odoo/my-calls", "mango_office_recording_played", login=self.anna.login
        )

        plays = self.env["mango.recording.play"].search([])
        self.assertEqual(plays.user_id, self.anna)
        self.assertEqual(plays.recording_id, recording)
