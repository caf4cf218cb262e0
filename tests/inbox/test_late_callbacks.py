"""What is done after a commit, and that the PBX does not wait for it."""

import threading
from unittest.mock import patch

from odoo import sql_db
from odoo.exceptions import ConcurrencyError
from odoo.tests import BaseCase, tagged
from odoo.tools import mute_logger

from ...models.inbox.mango_event import MangoEvent
from ...tools.postcommit import LateCallbacks
from ...vpbx import notifications
from ..calls.test_concurrency import CommittedCase
from ..common import MangoCase, MangoHttpCase, as_text
from ..vpbx_scenarios import dialled, leg, outside

APPEARED = leg("L1", 1, "Appeared", 0, outside(), dialled(), place="ivr")


class TestLateCallbacks(BaseCase):
    def setUp(self):
        super().setUp()
        self.callbacks = LateCallbacks()
        self.done = []

    def test_called_in_order_once(self):
        self.callbacks.add(lambda: self.done.append(1))
        self.callbacks.add(lambda: self.done.append(2))
        self.callbacks.run()
        self.assertEqual(self.done, [])
        self.callbacks.run_late()
        self.callbacks.run_late()
        self.assertEqual(self.done, [1, 2])

    def test_kept_when_the_cursor_is_closed(self):
        self.callbacks.data["kept"] = True
        self.callbacks.add(lambda: self.done.append(dict(self.callbacks.data)))
        self.callbacks.run()
        self.callbacks.clear()  # closing a cursor rolls back
        self.callbacks.run_late()
        self.assertEqual(self.done, [{"kept": True}])

    def test_dropped_on_rollback(self):
        self.callbacks.add(lambda: self.done.append("of the first try"))
        self.callbacks.clear()
        self.callbacks.add(lambda: self.done.append("of the second try"))
        self.callbacks.run()
        self.callbacks.run_late()
        self.assertEqual(self.done, ["of the second try"])

    @mute_logger("odoo.addons.mango_office.tools.postcommit")
    def test_failure_of_one(self):
        def fail():
            raise ValueError("moon")

        self.callbacks.add(fail)
        self.callbacks.add(lambda: self.done.append("the next one"))
        self.callbacks.run()
        self.callbacks.run_late()
        self.assertEqual(self.done, ["the next one"])


@tagged("post_install", "-at_install")
class TestNotificationIsCommitted(CommittedCase):
    """With real transactions, in which post-commit callbacks do run."""

    def receive(self, late):
        kind, payload = APPEARED
        text = as_text({**payload, "entry_id": self._testMethodName})
        notification = notifications.parse(kind, text)
        with self.transaction() as env:
            env["mango.event"]._receive(self.account_id, notification, text, late=late)

    def test_web_clients_are_woken_when_told_to(self):
        late = LateCallbacks()
        with patch.object(sql_db, "db_connect", wraps=sql_db.db_connect) as connect:
            self.receive(late)
            self.assertNotIn("postgres", [call.args[0] for call in connect.mock_calls])
            with self.transaction() as env:
                call = env["mango.call"].search(
                    [("entry_id", "=", self._testMethodName)]
                )
                self.assertTrue(call)
            late.run_late()
            self.assertIn("postgres", [call.args[0] for call in connect.mock_calls])

    def test_only_the_callbacks_of_the_try_that_succeeds(self):
        done, tries = [], []
        process = MangoEvent._process

        def process_with_callback(event):
            process(event)
            tries.append(event)
            number = len(tries)
            event.env.cr.postcommit.add(lambda: done.append(number))
            if number == 1:
                raise ConcurrencyError("try again")

        late = LateCallbacks()
        with (
            patch.object(MangoEvent, "_process", process_with_callback),
            patch("time.sleep"),
            mute_logger("odoo.service.model"),
        ):
            self.receive(late)
        late.run_late()
        self.assertEqual(done, [2])


@tagged("post_install", "-at_install")
class TestAnswer(MangoHttpCase):
    def test_callbacks_run_with_the_answer(self):
        called = threading.Event()
        with patch.object(LateCallbacks, "run_late", side_effect=called.set):
            self.assertEqual(self.post(*APPEARED).status_code, 200)
            # By the server's thread, after the answer.
            self.assertTrue(called.wait(timeout=60))


@tagged("post_install", "-at_install")
class TestCompany(MangoCase):
    def test_of_the_pbx(self):
        """Whatever a notification creates belongs to the company of the PBX."""
        company = self.env["res.company"].create({"name": "Second"})
        account = self.env["mango.account"].create(
            {"name": "Second", "company_id": company.id}
        )
        companies = []

        def process(event):
            companies.append(event.env.company)

        with patch.object(MangoEvent, "_process", process):
            self.receive(*APPEARED, account=account)
            account.company_id = self.env.company
            kind, payload = APPEARED
            self.receive(kind, {**payload, "seq": 2}, account=account)
        self.assertEqual(companies, [company, self.env.company])
