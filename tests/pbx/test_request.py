"""The journal of requests to the PBX."""

from datetime import timedelta
from unittest.mock import Mock

from psycopg2.pool import PoolError

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from ...models.pbx.mango_request import KEPT_TIME, record_request
from ...vpbx.client import Exchange
from ..common import API_KEY, API_SALT, MangoCase
from ..pbx_answers import LINES, USERS, pbx_user


@tagged("post_install", "-at_install")
class TestRequest(MangoCase):
    def journal(self):
        return self.env["mango.request"].search([("account_id", "=", self.account.id)])

    def be_refused(self):
        """Load users, in vain. The usual assertRaises would undo what was stored."""
        try:
            self.account.action_load_users()
        except UserError:
            return self.journal()
        raise AssertionError("The PBX should have refused.")

    def test_stored(self):
        self.pbx.answers(USERS, {"users": [pbx_user("101")]})
        self.pbx.answers(LINES, {"lines": []})
        self.account.action_load_users()
        journal = self.journal().sorted("id")
        self.assertEqual(journal.mapped("path"), self.pbx.paths())
        [asked] = journal.filtered(lambda one: one.path == USERS)
        self.assertEqual((asked.http_status, asked.error), (200, False))
        self.assertIn("general.user_id", asked.body)
        self.assertGreater(asked.duration, 0)

    def test_refused(self):
        self.pbx.answers(USERS, {"result": 3102})
        [asked] = self.be_refused()
        self.assertEqual((asked.code, asked.error), (3102, "RefusedError"))

    def test_no_answer(self):
        self.pbx.answers(USERS, body=None)
        [asked] = self.be_refused()
        self.assertEqual((asked.http_status, asked.code), (0, 0))
        self.assertEqual(asked.error, "TransportError")

    def test_without_secrets(self):
        self.pbx.answers(USERS, status=401, body=f'{{"message": "{API_SALT}"}}')
        [asked] = self.be_refused()
        told = str(asked.read())
        self.assertIn(USERS, told)
        for secret in (API_KEY, API_SALT, self.pbx.requests[-1].signature):
            self.assertNotIn(secret, told)

    def test_never_fails(self):
        """An account that is not there, and a database that has no connection left."""
        exchange = Exchange("groups", "{}", 0.1, 200, 1000, None, None)
        before = self.env["mango.request"].search_count([])
        record_request(self.registry, 0, exchange)
        self.assertEqual(self.env["mango.request"].search_count([]), before)
        full = Mock()
        full.cursor.side_effect = PoolError("The connection pool is full")
        record_request(full, self.account.id, exchange)
        full.cursor.assert_called_once()

    def test_old_ones_go(self):
        exchange = Exchange("groups", "{}", 0.1, 200, 1000, None, None)
        for _number in range(2):
            record_request(self.registry, self.account.id, exchange)
        old, new = self.journal()
        old.asked_at = fields.Datetime.now() - KEPT_TIME - timedelta(minutes=1)
        self.env["mango.request"]._gc_old()
        self.assertEqual(self.journal(), new)
