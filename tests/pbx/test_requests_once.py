"""Requests of users to the PBX are sent once, whatever else happens meanwhile.

Odoo repeats a transaction after a concurrent update. The PBX would then get the same
request again, and two refused ones within two minutes lock the account out.
"""

import contextlib
from unittest.mock import patch

from odoo.exceptions import ConcurrencyError, UserError
from odoo.fields import Command
from odoo.service.model import retrying
from odoo.tests import tagged
from odoo.tests.common import get_db_name
from odoo.tools import SQL, mute_logger

from ...models.crm import visitor_query
from ...tools import locking
from ...vpbx.errors import RefusedError
from ..calls.test_concurrency import CommittedCase


class Client(contextlib.nullcontext):
    """A PBX during whose first answer another transaction changes something."""

    def __init__(self, meanwhile):
        super().__init__(self)
        self.requests = []
        self._meanwhile = meanwhile

    def _answer(self, name, answer):
        self.requests.append(name)
        if len(self.requests) == 1:
            self._meanwhile()
        return answer

    def probe(self):
        return self._answer("probe", None)

    def users(self):
        return self._answer("users", [])

    def groups(self):
        return self._answer("groups", [])

    def lines(self):
        return self._answer("lines", [])

    def blocked(self):
        return self._answer("blocked", [])

    def block(self, _number, _comment):
        return self._answer("block", "7")

    def unblock(self, _ref):
        self._answer("unblock", None)

    def visitor(self, _number):
        self._answer("visitor", None)
        raise RefusedError(3300, "")

    def request_calls(self, *_period):
        return self._answer("order", "KEY")


@tagged("post_install", "-at_install")
class TestRequestsOnce(CommittedCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.transaction() as env:
            account = env["mango.account"].browse(cls.account_id)
            account.write(
                {
                    "api_key": "test_api_key_0009",
                    "api_salt": "test_api_salt_0009",
                    "block_by_users": True,
                    "callback_enabled": False,
                }
            )
            call = env["mango.call"].create(
                {
                    "account_id": account.id,
                    "company_id": account.company_id.id,
                    "entry_id": "once",
                    "direction": "inbound",
                    "state": "ended",
                    "result": "missed",
                    "client_number": "+74950000299",
                    "started_at": "2026-01-01 10:00:00",
                    "visitor_state": "asked",
                    "dct_number": "74950000150",
                }
            )
            job = env["mango.statistics.import"].create(
                {
                    "account_id": account.id,
                    "kind": "manual",
                    "date_from": "2026-01-01",
                    "date_to": "2026-01-02",
                    "next_at": "2100-01-01",
                }
            )
            cls.call_id, cls.job_id = call.id, job.id

    def change(self, model, record_id, **vals):
        """Return a function that changes a record in another transaction."""

        def change():
            with self.transaction() as env:
                env[model].browse(record_id).with_context(tracking_disable=True).write(
                    vals
                )

        return change

    def press(self, action, meanwhile):
        """Do as a user, and return the requests that the PBX got.

        :param action: takes the environment.
        :param meanwhile: what another transaction does during the first request.
        """
        client = Client(meanwhile)
        with self.transaction() as env:
            env.cr.execute("SELECT 1")  # its snapshot is taken here
            with (
                patch.object(type(env["mango.account"]), "_client", lambda _: client),
                patch("odoo.service.model.time.sleep"),
                mute_logger("odoo.sql_db"),
            ):
                retrying(lambda: action(env), env)
        return client.requests

    def hold(self, env, lock):
        """Hold a lock until the end of a transaction, as another process would."""
        query = SQL("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", lock)
        env.execute_query(query)

    def account(self, env):
        return env["mango.account"].browse(self.account_id)

    def test_check_while_an_import_goes_on(self):
        requests = self.press(
            lambda env: self.account(env).action_test_connection(),
            self.change("mango.statistics.import", self.job_id, polls=1),
        )
        self.assertEqual(requests, ["probe", "users"])
        with self.transaction() as env:
            job = env["mango.statistics.import"].browse(self.job_id)
            self.assertFalse(job.next_at, "it goes on at once")

    def self_test(self):
        """Return the ids of a self-test at its last step, and of that step."""
        with self.transaction() as env:
            test = env["mango.self.test"].create(
                {
                    "account_id": self.account_id,
                    "call_id": self.call_id,
                    "step": "statistics",
                    "step_ids": [Command.create({"step": "statistics"})],
                }
            )
            return test.id, test.step_ids.id

    def test_self_test_pressed_twice(self):
        test_id, step_id = self.self_test()
        for change in (
            self.change("mango.self.test.step", step_id, message="x"),
            self.change("mango.self.test", test_id, report_key="OTHER"),
        ):
            requests = self.press(
                lambda env: env["mango.self.test"].browse(test_id).action_look(),
                change,
            )
            self.assertEqual(requests, ["order"])
            with self.transaction() as env:
                test = env["mango.self.test"].browse(test_id)
                self.assertEqual(test.report_key, "KEY")
                test.report_key = False

    def test_no_repetition_when_the_answer_cannot_be_stored(self):
        """Odoo repeats whatever fails because of a lock, but not an error for users."""
        with self.transaction() as holder:
            self.hold(holder, f"mango_office/blocked/{self.account_id}")
            with (
                patch.object(locking, "LOCK_TIMEOUT", "1ms"),
                self.assertRaises(UserError),
            ):
                self.press(
                    lambda env: (
                        env["mango.call"].browse(self.call_id)._block_number("реклама")
                    ),
                    lambda: None,
                )

    def test_answer_that_cannot_be_counted(self):
        """The circuit breaker misses one answer; the request is not repeated."""
        with self.transaction() as holder:
            self.hold(holder, f"mango_office/breaker/{self.account_id}")
            with (
                patch.object(locking, "LOCK_TIMEOUT", "1ms"),
                mute_logger("odoo.addons.mango_office.models.pbx.mango_account"),
            ):
                requests = self.press(
                    lambda env: self.account(env).action_load_users(), lambda: None
                )
        self.assertEqual(requests, ["users", "groups", "lines", "blocked"])

    def test_failed_question_for_a_visitor_counts_once(self):
        """A concurrent update repeats the storing of the answer only."""
        accounts, calls = self.registry["mango.account"], self.registry["mango.call"]
        counted, tries = [], []
        store = calls._store_visitor

        def store_at_second_try(call, state, **vals):
            tries.append(state)
            if len(tries) == 1:
                raise ConcurrencyError
            store(call, state, **vals)

        client = Client(lambda: None)
        with (
            patch.object(accounts, "_client", lambda _account: client),
            patch.object(
                accounts,
                "_record_answer",
                lambda _account, error: counted.append(error),
            ),
            patch.object(calls, "_store_visitor", store_at_second_try),
            patch("odoo.service.model.time.sleep"),
        ):
            visitor_query.ask(get_db_name(), self.call_id)
        self.assertEqual(client.requests, ["visitor"])
        with self.transaction() as env:
            call = env["mango.call"].browse(self.call_id)
            self.assertEqual(call.visitor_state, "failed")
        self.assertEqual([error.code for error in counted], [3300])
