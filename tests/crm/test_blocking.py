"""Numbers that are put on the PBX's black list."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .test_leads import STRANGER, CrmCase

ADD = "bwlists/number/add/"
DELETE = "bwlists/number/delete/"


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
