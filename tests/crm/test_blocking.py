"""Numbers that are put on the PBX's black list."""

from contextlib import suppress
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..common import Answer
from ..pbx_answers import LINES, USERS
from .test_leads import STRANGER, CrmCase

ADD = "bwlists/number/add/"
DELETE = "bwlists/number/delete/"
LIST = "bwlists/numbers/"


@tagged("post_install", "-at_install")
class TestBlocking(CrmCase):
    def block(self, call, user):
        call = call.with_user(user)
        action = call.action_block_number()
        block = call.env[action["res_model"]].with_context(**action["context"])
        block.create({"reason": "реклама"}).action_block()
        self.env.invalidate_all()
        return self.env["mango.blocked.number"].search([])

    def test_block(self):
        self.pbx.answers(ADD, {"result": 1000, "data": {"number_id": 7}})
        blocked = self.block(self.stranger_missed(), self.vera)
        self.assertEqual(
            self.pbx.requests[-1].payload,
            {
                "list_type": "black",
                "number": "74950000299",
                "number_type": "tel",
                "comment": "Вера Морозова: реклама",
            },
        )
        self.assertRecordValues(
            blocked,
            [
                {
                    "account_id": self.account.id,
                    "number": STRANGER,
                    "number_ref": "7",
                    "reason": "реклама",
                    "user_id": self.vera.id,
                }
            ],
        )

    def test_blocked_already(self):
        refusal = '{"result": 3106}'
        self.pbx.answers(ADD, body=refusal)
        listed = [{"number_id": "8", "number": "74950000299", "comment": ""}]
        black = {"allow_unknown_number": True, "numbers": listed}
        self.pbx.answers("bwlists/numbers/", {"result": 1000, "data": {"black": black}})
        call = self.stranger_missed()
        self.assertEqual(self.block(call, self.vera).number_ref, "8")
        self.assertEqual(len(self.block(call, self.vera)), 1)

    def test_refused(self):
        self.pbx.answers(ADD, body='{"result": 3104}')
        with self.assertRaises(UserError):
            self.block(self.stranger_missed(), self.vera)
        self.assertFalse(self.env["mango.blocked.number"].search([]))

    def test_answers_count_in_the_circuit_breaker(self):
        call = self.stranger_missed()
        blocked = self.env["mango.blocked.number"].create(
            {"account_id": self.account.id, "number": "74951234*", "number_ref": "5"}
        )
        requests = {
            ADD: lambda: self.block(call, self.vera),
            DELETE: blocked.with_user(self.vera).action_unblock,
            LIST: blocked.with_user(self.vera).action_load,
        }
        for path, request in requests.items():
            with self.subTest(path=path):
                self.env.flush_all()
                self.pbx.answers(path, body='{"result": 3102}')
                with suppress(UserError):
                    request()
                self.assertTrue(self.account.requests_stopped_reason)
                self.account.action_resume_requests()
                # The rest of the PBX works without the option.
                self.pbx.answers(path, body='{"result": 5300}')
                with suppress(UserError):
                    request()
                self.assertTrue(self.account._may_request())
                self.assertEqual(self.pbx.paths(), [path] * 2)
                self.pbx.requests.clear()

    def test_who_may(self):
        call = self.stranger_missed()
        self.assertFalse(call.with_user(self.anna).may_block_number)
        with self.assertRaises(AccessError):
            call.with_user(self.anna).action_block_number()
        wizard = self.env["mango.number.block"].with_user(self.anna)
        with self.assertRaises(AccessError):
            wizard.create({"call_id": call.id, "reason": "x"}).action_block()
        self.account.block_by_users = True
        self.pbx.answers(ADD, {"result": 1000, "data": {"number_id": 7}})
        self.assertTrue(self.block(call, self.anna))
        with self.assertRaises(AccessError):
            self.block(call, self.kirill)
        hidden = self.missed(5, number=False)
        self.assertFalse(hidden.with_user(self.vera).may_block_number)

    def test_unblock(self):
        self.pbx.answers(ADD, {"result": 1000, "data": {"number_id": 7}})
        blocked = self.block(self.stranger_missed(), self.vera)
        with self.assertRaises(AccessError):
            blocked.with_user(self.anna).action_unblock()
        self.pbx.answers(DELETE, body='{"result": 3104}')
        with self.assertRaises(UserError):
            blocked.with_user(self.vera).action_unblock()
        # One that somebody has taken off in the cabinet is gone all the same.
        self.pbx.answers(DELETE, body='{"result": 3300}')
        blocked.with_user(self.vera).action_unblock()
        self.assertEqual(self.pbx.requests[-1].payload, {"number_id": "7"})
        self.assertFalse(blocked.exists())

    def test_unblock_several_and_one_is_refused(self):
        """What the PBX has unblocked is off the list, whatever follows."""
        first, second = self.env["mango.blocked.number"].create(
            [
                {
                    "account_id": self.account.id,
                    "number": number,
                    "number_ref": ref,
                }
                for number, ref in (("+74950000297", "5"), ("+74950000298", "6"))
            ]
        )
        self.env.flush_all()
        self.pbx.answers_in_turn(
            DELETE, Answer(body='{"result": 1000}'), Answer(body='{"result": 3104}')
        )
        with suppress(UserError):
            (first | second).with_user(self.vera).action_unblock()
        self.assertEqual(len(self.pbx.requests), 2)
        self.env.invalidate_all()
        self.assertEqual((first | second).exists(), second)

    def listed(self, *entries):
        """Let the PBX have a black list, of triples of id, number and comment."""
        keys = ("number_id", "number", "comment")
        rows = [dict(zip(keys, entry, strict=True)) for entry in entries]
        black = {"allow_unknown_number": True, "numbers": rows}
        self.pbx.answers(LIST, {"result": 1000, "data": {"black": black}})

    def test_load(self):
        self.pbx.answers(ADD, {"result": 1000, "data": {"number_id": 7}})
        own = self.block(self.stranger_missed(), self.vera)
        gone, again = self.env["mango.blocked.number"].create(
            [
                {
                    "account_id": self.account.id,
                    "number": number,
                    "number_ref": ref,
                    "reason": "старое",
                    "user_id": self.vera.id,
                    "blocked_at": self.now - timedelta(days=1),
                }
                for number, ref in (("+74950000297", "5"), ("+74950000298", "6"))
            ]
        )
        self.listed(
            ("7", "74950000299", "Вера Морозова: реклама"),
            ("9", "74950000298", "робот"),
            ("10", "74951234*", ""),
        )
        with self.assertRaises(AccessError):
            own.with_user(self.anna).action_load()
        own.with_user(self.vera).action_load()
        self.env.invalidate_all()
        self.assertFalse(gone.exists())
        found = own.search([], order="number")
        self.assertRecordValues(
            found,
            [
                {
                    "number": "+74950000298",
                    "number_ref": "9",
                    "reason": "робот",
                    "user_id": False,
                },
                {
                    "number": STRANGER,
                    "number_ref": "7",
                    "reason": "реклама",
                    "user_id": self.vera.id,
                },
                {
                    "number": "74951234*",
                    "number_ref": "10",
                    "reason": "",
                    "user_id": False,
                },
            ],
        )
        self.assertEqual(found[0], again)
        self.assertEqual(found[2].number_display, "74951234*")

    def test_blocked_while_the_list_is_read(self):
        """An entry that the answer does not know yet stays."""
        blocked = self.env["mango.blocked.number"].create(
            {
                "account_id": self.account.id,
                "number": STRANGER,
                "number_ref": "7",
                "blocked_at": fields.Datetime.now() + timedelta(seconds=1),
            }
        )
        self.listed()
        blocked.with_user(self.vera).action_load()
        self.assertTrue(blocked.exists())

    def test_load_is_refused(self):
        self.pbx.answers(LIST, body='{"result": 5300}')
        blocked = self.env["mango.blocked.number"].create(
            {"account_id": self.account.id, "number": STRANGER}
        )
        with self.assertRaises(UserError):
            blocked.with_user(self.vera).action_load()
        self.assertEqual(self.pbx.paths(), [LIST], "asked once")
        self.assertTrue(blocked.exists())

    def test_load_with_the_users(self):
        self.pbx.answers(USERS, {"users": []})
        self.pbx.answers(LINES, {"result": 1000, "lines": []})
        self.listed(("7", "74950000299", "робот"))
        self.account.action_load_users()
        blocked = self.env["mango.blocked.number"].search([])
        self.assertEqual(blocked.mapped("number"), [STRANGER])
        # Without the black list, the users are loaded all the same.
        self.pbx.answers(LIST, body='{"result": 5300}')
        self.assertIn("message", self.account.action_load_users()["params"])
        self.assertTrue(blocked.exists())

    def test_refused_by_the_pbx(self):
        """Such as by a mask in the cabinet."""
        self.account.write({"lead_policy": "always", "callback_enabled": True})
        self.stranger_missed(end_reason=1151)
        self.work_off()
        self.run_cron("ir_cron_callbacks")
        self.assertFalse(self.leads())
        self.assertFalse(self.entries())

    def test_lead_of_the_call(self):
        """What the calls of the number have created goes, unless it was worked with."""
        self.account.lead_policy = "always"
        self.pbx.answers(ADD, {"result": 1000, "data": {"number_id": 7}})
        calls = self.stranger_missed(20) | self.stranger_missed(10)
        self.work_off()
        lead = self.leads()
        self.assertEqual(calls.lead_id, lead)
        self.block(calls[1], self.vera)
        self.work_off()
        self.assertFalse(lead.exists())
        self.assertFalse(calls.lead_id)
        self.assertFalse(calls.chatter_message_id)

    def test_no_lead_and_no_entry(self):
        self.account.write({"lead_policy": "always", "callback_enabled": True})
        self.env["mango.blocked.number"].create(
            {"account_id": self.account.id, "number": STRANGER}
        )
        self.stranger_missed()
        self.work_off()
        self.run_cron("ir_cron_callbacks")
        self.assertFalse(self.leads())
        self.assertFalse(self.entries())
