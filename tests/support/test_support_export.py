"""A support bundle tells what happened, and of whom nothing."""

import io
import json
import re
import zipfile
from base64 import b64decode
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..common import API_KEY, API_SALT, MangoCase, MangoHttpCase
from ..vpbx_scenarios import (
    CLIENT,
    LINE,
    LINES,
    consultation,
    device,
    inbound_answered,
    leg,
    outside,
    result,
    staff,
    two_recordings,
    unknown_members,
)

HOSTILE = {
    "+74951234567": "Иванов Пётр",
    "ivan.petrov@mail.example": ["https://records.example/secret_link?id=abc"],
    "api_key": "Zm9vYmFyc2VjcmV0",
    "note": {"text": "Позвоните Сидорову на 8 (916) 765-43-21", "ip": "81.88.80.132"},
    "phone": 79167654321,
}
#: No part of these may be found in a bundle, however it is written.
SECRETS = (
    API_KEY,
    API_SALT,
    CLIENT,
    *LINES,
    device("101"),
    device("102"),
    "79167654321",
    "9167654321",
    "4951234567",
    "Иванов",
    "Сидоров",
    "Позвоните",
    "ivan.petrov",
    "mail.example",
    "records.example",
    "secret_link",
    "Zm9vYmFyc2VjcmV0",
    "81.88.80.132",
    "Соколова",
    "Кузнецов",
    "Петров",
    "Ромашка",
    "romashka",
    "anna@",
    "Отдел",
    "https://",
    "http://",
    "127.0.0.1",
    "odoo-cb-0001",
    "NTAwMDAwMDAwMQ==",
)


def contents(archive):
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        return {name: packed.read(name).decode() for name in packed.namelist()}


def lines_of(files, name):
    return [json.loads(line) for line in files[name].splitlines()]


class ExportFixtures:
    def export(self, **vals):
        """Make a bundle as an administrator does, and return its files."""
        if not hasattr(self, "admin"):
            self.admin = self.create_user("admin", "Админ", "group_admin")
        wizard = self.env["mango.support.export"].with_user(self.admin)
        self.wizard = wizard.create({"account_id": self.account.id, **vals})
        self.wizard.action_prepare()
        return contents(b64decode(self.wizard.bundle))

    def play_hostile(self):
        """Have the PBX send what a bundle must not contain."""
        self.account.write(
            {
                "name": "АТС Ромашка",
                "allowed_addresses": "81.88.80.132",
                "routing_enabled": False,
            }
        )
        self.anna_extension.write(
            {
                "name": "Анна Соколова",
                "email": "anna@romashka.example",
                "mobile": "79167654321",
                "department": "Отдел продаж",
                "pbx_user_ref": "400000101",
            }
        )
        self.env["mango.group"].create(
            {"account_id": self.account.id, "number": "500", "name": "Отдел продаж"}
        )
        self.play(two_recordings())
        for kind, payload in unknown_members().posts:
            self.receive(kind, {**payload, "entry_id": "NTAwMDAwMDAwMQ=="})
        kind, payload = leg(
            "L9", 1, "Appeared", 0, outside(), staff("101", LINE), **HOSTILE
        )
        self.receive(kind, {**payload, "entry_id": "NTAwMDAwMDAwMQ=="})
        self.receive("events/weather", HOSTILE)
        self.receive(f"events/{CLIENT}", {"entry_id": "E1", "x": 1})
        self.receive(*result("callback", "odoo-cb-0001", 1000))
        self.env["mango.event"].search(
            [("kind", "=", "events/weather")]
        ).error = f"ValueError: {CLIENT} Иванов"
        self.env["mango.command"].create(
            {
                "account_id": self.account.id,
                "user_id": self.anna.id,
                "command_id": "odoo-cb-0001",
                "kind": "callback",
                "target": f"+{CLIENT}",
                "to_number": f"+{CLIENT}",
                "extension": "101",
                "reason": f"Иванов {CLIENT}",
            }
        )
        self.env["mango.surprise"].sudo()._count_text(
            self.account.id, "events/call", json.dumps(HOSTILE)
        )
        now = fields.Datetime.now()
        self.env["mango.request"].create(
            [
                {
                    "account_id": self.account.id,
                    "asked_at": now,
                    "path": path,
                    "body": json.dumps({**HOSTILE, **body}),
                    "http_status": 200,
                    "code": 1000,
                    "uuid": "secret_link",
                }
                for path, body in (
                    (
                        "commands/callback",
                        {
                            "command_id": "odoo-cb-0001",
                            "from": {"extension": "101", "number": device("101")},
                            "to_number": CLIENT,
                            "line_number": LINE,
                        },
                    ),
                    ("bwlists/number/add/", {"number": CLIENT, "comment": "Иванов"}),
                )
            ]
        )


@tagged("post_install", "-at_install")
class TestSupportExport(ExportFixtures, MangoCase):
    def test_nothing_personal_gets_in(self):
        self.play_hostile()
        for files in (self.export(), self.export(call_id=self.call().id)):
            shown = "".join(files.values())
            # Escapes would hide what is in it.
            self.assertNotIn("\\u", shown)
            squeezed = re.sub(r"[\s()+\-]", "", shown)
            for secret in SECRETS:
                with self.subTest(secret=secret):
                    self.assertNotIn(secret.lower(), shown.lower())
                    self.assertNotIn(secret.lower(), squeezed.lower())

    def test_what_is_in_it_is_shown(self):
        self.play(consultation())
        files = self.export()
        for name, text in files.items():
            self.assertIn(f"===== {name} =====\n{text}", self.wizard.preview)
        self.assertEqual(
            set(files),
            {
                "about.json",
                "settings.json",
                "directory.json",
                "notifications.jsonl",
                "calls.jsonl",
                "commands.jsonl",
                "requests.jsonl",
                "surprises.jsonl",
            },
        )

    def test_consistent(self):
        """The same number is the same one, in notifications, calls and directory."""
        self.play_hostile()
        files = self.export()
        notifications = lines_of(files, "notifications.jsonl")
        callers = {
            one["payload"]["from"]["number"]
            for one in notifications
            if one["kind"] == "events/summary"
        }
        [caller] = callers
        calls = lines_of(files, "calls.jsonl")
        self.assertEqual({call["client_number"] for call in calls}, {f"+{caller}"})
        directory = json.loads(files["directory.json"])
        numbers = {one["number"] for one in directory["extensions"]}
        self.assertEqual(len(numbers), 5)
        self.assertLessEqual({call["extension"] for call in calls}, numbers)
        lines = {line["number"] for line in directory["lines"]}
        self.assertIn(calls[0]["line_number"], lines)
        self.assertRegex(calls[0]["line_number"], r"^7495000\d{4}$")
        [command] = lines_of(files, "commands.jsonl")
        self.assertEqual(command["to_number"], f"+{caller}")
        asked, blocked = lines_of(files, "requests.jsonl")
        self.assertEqual(asked["payload"]["to_number"], caller)
        self.assertEqual(asked["payload"]["command_id"], command["command_id"])
        self.assertEqual(asked["payload"]["from"]["extension"], command["extension"])
        self.assertEqual((asked["http_status"], asked["code"]), (200, 1000))
        self.assertIsNone(blocked["payload"])
        [told] = [one for one in notifications if one["kind"] == "result/callback"]
        self.assertEqual(told["payload"]["command_id"], command["command_id"])
        self.assertEqual(json.loads(files["about.json"])["format"], 1)
        settings = json.loads(files["settings.json"])
        self.assertIs(settings["routing_enabled"], False)
        self.assertNotIn("api_key", settings)

    def test_each_bundle_has_others(self):
        self.play(inbound_answered())
        one, other = (lines_of(self.export(), "calls.jsonl") for _ in range(2))
        self.assertNotEqual(one[0]["client_number"], other[0]["client_number"])

    def test_period(self):
        self.play(inbound_answered())
        self.play(consultation(), entry_id="E2")
        old = self.env["mango.event"].search([("entry_id", "=", "E2")])
        long_ago = fields.Datetime.now() - timedelta(days=30)
        old.received_at = long_ago
        self.assertEqual(len(lines_of(self.export(), "calls.jsonl")), 1)
        # A call of which a part is in the period comes whole.
        old[0].received_at = fields.Datetime.now()
        files = self.export()
        self.assertEqual(len(lines_of(files, "calls.jsonl")), 2)
        count = len(inbound_answered().posts) + len(consultation().posts)
        self.assertEqual(len(lines_of(files, "notifications.jsonl")), count)

    def test_one_call(self):
        self.play(inbound_answered())
        self.play(consultation(), entry_id="E2")
        files = self.export(call_id=self.call("E2").id)
        [call] = lines_of(files, "calls.jsonl")
        self.assertEqual(call["talk_duration"], 85)

    def test_nothing_to_export(self):
        with self.assertRaises(UserError):
            self.export()

    def test_another_period_is_another_bundle(self):
        self.play(inbound_answered())
        self.export()
        self.wizard.date_from -= timedelta(days=1)
        self.assertFalse(self.wizard.bundle)
        self.assertFalse(self.wizard.preview)

    def test_who_may(self):
        call = self.play(inbound_answered())
        admin = self.create_user("admin", "Админ", "group_admin")
        for record in (call, self.account):
            action = record.with_user(admin).action_export_for_support()
            self.assertEqual(action["res_model"], "mango.support.export")
            for user in (self.anna, self.vera):
                with self.assertRaises(AccessError):
                    record.with_user(user).action_export_for_support()


@tagged("post_install", "-at_install")
class TestSupportDownload(ExportFixtures, MangoHttpCase):
    def test_saved(self):
        self.play(inbound_answered())
        self.admin = self.create_user("admin", "Админ", "group_admin")
        files = self.export()
        self.authenticate(self.admin.login, self.admin.login)
        answer = self.url_open(self.wizard.action_save()["url"])
        self.assertEqual(contents(answer.content), files)
        self.authenticate(self.vera.login, self.vera.login)
        refused = self.url_open(self.wizard.action_save()["url"])
        self.assertNotEqual(refused.status_code, 200)
