"""The command that routes a call, and its outcome."""

from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import Mock, patch

import requests

from odoo import fields
from odoo.exceptions import ConcurrencyError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...models.routing import mango_router
from ...models.routing.mango_route_slot import INTERVAL
from ...models.routing.mango_router import LOST_TIME, PATIENCE, MangoRouter, send
from ...tools import locking as transaction
from ...vpbx.client import Client
from ..common import API_KEY, MangoCase, sign
from ..vpbx_scenarios import inbound_answered, menu, routed

ROUTE = "commands/route"
RESULT = "result/route"


class RouteCase(MangoCase):
    """Runs the thread's function; post-commit hooks do not run in tests."""

    def setUp(self):
        super().setUp()
        self.receive(*menu()[0])
        self.command_id = self.call().route_command_id
        self.reason = self.call().route_reason

    def send(self, call=None):
        """Do the work of the thread; waiting takes no time.

        :return: seconds that the thread waited
        """
        self.env.flush_all()
        clock = Mock()
        self.alarms = Mock()
        # Not the module's sleep, which others use as well.
        with (
            patch.object(mango_router, "time", clock),
            patch.object(mango_router, "alarms", self.alarms),
        ):
            send(self.cr.dbname, (call or self.call()).id)
        self.env.invalidate_all()
        return [args[0] for args, _kwargs in clock.sleep.call_args_list]


@tagged("post_install", "-at_install")
class TestSending(RouteCase):
    @contextmanager
    def before_the_answer(self, kind, payload):
        """Receive a notification during the request to the PBX."""
        route = Client.route

        def notified_route(client, *args):
            self.receive(kind, payload)
            route(client, *args)

        with patch.object(Client, "route", notified_route):
            yield

    def result(self, code):
        return {"command_id": self.command_id, "result": code}

    def assertRoute(self, state, *sentences):
        self.assertRecordValues(
            self.call(),
            [
                {
                    "route_state": state,
                    "route_reason": " ".join([self.reason, *sentences]),
                }
            ],
        )

    def test_one_command(self):
        self.assertEqual(self.send(), [0])
        [request] = self.pbx.requests
        self.assertEqual(request.path, ROUTE)
        self.assertEqual(request.key, API_KEY)
        self.assertEqual(request.signature, sign(request.text))
        self.assertEqual(
            request.payload,
            {"command_id": self.command_id, "call_id": "L1", "to_number": "101"},
        )
        self.assertRoute("sent")

    def test_never_twice(self):
        self.send()
        self.send()
        self.receive(RESULT, self.result(1000))
        self.send()
        self.assertEqual(self.pbx.paths(), [ROUTE])

    def test_never_again_after_a_failure(self):
        self.pbx.answers(ROUTE, {"result": 4101})
        self.send()
        self.send()
        self.assertEqual(self.pbx.paths(), [ROUTE])

    def test_caller_left_the_greeting(self):
        self.receive(*menu()[1])
        self.send()
        self.assertFalse(self.pbx.requests)
        self.assertRoute("skipped", "The caller has left the greeting.")

    def test_do_not_disturb_between_decision_and_command(self):
        self.assertEqual(self.call().routed_to, self.anna)
        self.anna.mango_set_status("dnd")
        self.send()
        self.assertFalse(self.pbx.requests)
        call = self.call()
        self.assertEqual(call.route_state, "skipped")
        self.assertFalse(call.routed_to)
        self.assertIn("Does not want to be disturbed.", call.route_reason)

    def test_call_over(self):
        for post in inbound_answered().posts[1:]:
            self.receive(*post)
        self.send()
        self.assertFalse(self.pbx.requests)
        self.assertEqual(self.call().route_state, "skipped")

    def test_secret_taken_away(self):
        self.account.api_salt = False
        self.send()
        self.assertFalse(self.pbx.requests)
        self.assertEqual(self.call().route_state, "skipped")
        self.assertIn("Enter the PBX's code", self.call().route_reason)

    def test_extension_with_a_leading_zero(self):
        self.anna_extension.number = "0712"
        self.send()
        self.assertEqual(self.pbx.requests[0].payload["to_number"], "0712")

    # -- the answer -----------------------------------------------------------

    def test_refused(self):
        self.pbx.answers(ROUTE, {"result": 4101})
        self.send()
        self.assertRoute(
            "failed", "The PBX refused. The call is over or unknown (code 4101)."
        )

    def test_refused_with_an_http_status(self):
        self.pbx.answers(ROUTE, {"code": "4101"}, status=420)
        self.send()
        self.assertEqual(self.call().route_state, "failed")

    def test_too_many_requests(self):
        self.pbx.answers(ROUTE, {"code": 0, "status": 429}, status=429)
        self.send()
        self.assertEqual(self.call().route_state, "failed")
        self.assertIn("too many requests", self.call().route_reason)

    def test_timeout_leaves_open_what_happened(self):
        with patch.object(requests.Session, "send", side_effect=requests.ReadTimeout):
            self.send()
        self.assertEqual(self.call().route_state, "sent")
        self.assertIn("does not answer in time", self.call().route_reason)
        self.receive(RESULT, self.result(1000))
        self.assertEqual(self.call().route_state, "accepted")

    def test_connection_broken_off(self):
        self.pbx.answers(ROUTE, body=None)
        self.send()
        self.assertEqual(self.pbx.paths(), [ROUTE])
        self.assertEqual(self.call().route_state, "sent")

    def test_unreadable_answer_leaves_open_what_happened(self):
        """An answer came, so the command arrived (errors.BadAnswerError)."""
        self.pbx.answers(ROUTE, body="<html>", content_type="text/html")
        self.send()
        self.assertEqual(self.call().route_state, "sent")

    def test_connection_refused(self):
        self.account.api_url = "http://127.0.0.1:1"
        self.send()
        self.assertEqual(self.call().route_state, "failed")
        self.assertIn("cannot be reached", self.call().route_reason)

    # -- the outcome ----------------------------------------------------------

    def test_accepted(self):
        self.send()
        self.receive(RESULT, self.result("1000"))
        self.assertRoute("accepted")

    def test_failed(self):
        self.send()
        self.receive(RESULT, self.result(4101))
        self.assertRoute(
            "failed",
            "The PBX refused to route the call. "
            "The call is over or unknown (code 4101).",
        )

    def test_accepted_before_the_answer(self):
        with self.before_the_answer(RESULT, self.result(1000)):
            self.send()
        self.assertRoute("accepted")

    def test_accepted_before_an_answer_that_never_comes(self):
        self.pbx.answers(ROUTE, body=None)
        with self.before_the_answer(RESULT, self.result(1000)):
            self.send()
        self.assertRoute("accepted")

    def test_failed_before_the_answer(self):
        self.pbx.answers(ROUTE, {"result": 4101})
        with self.before_the_answer(RESULT, self.result(4101)):
            self.send()
        self.assertRoute(
            "failed",
            "The PBX refused to route the call. "
            "The call is over or unknown (code 4101).",
        )

    def test_result_twice_and_with_a_late_event(self):
        self.send()
        self.receive(RESULT, self.result(1000))
        self.receive("vpbx/" + RESULT, self.result(1000))
        self.receive(*menu()[1])
        self.assertRoute("accepted")

    def test_result_of_another_command(self):
        self.send()
        self.receive(RESULT, {"command_id": "odoo-route-other", "result": 4101})
        self.assertRoute("sent")

    def test_result_for_another_account(self):
        self.send()
        other = self.create_account(api_key="test_api_key_0007", api_salt="x")
        self.receive(RESULT, self.result(4101), account=other)
        self.assertRoute("sent")

    def test_whole_routed_call(self):
        self.send()
        posts = [post for post in routed().posts[1:] if post[0] != RESULT]
        for post in [(RESULT, self.result(1000)), *posts]:
            self.receive(*post)
        self.assertRecordValues(
            self.call(),
            [
                {
                    "route_state": "accepted",
                    "result": "answered",
                    "user_id": self.anna.id,
                }
            ],
        )

    # -- the PBX's limit ------------------------------------------------------

    def slot(self):
        self.env.invalidate_all()
        slots = self.env["mango.route.slot"]
        return slots.search([("account_id", "=", self.account.id)]).taken_at

    def claim(self, patience=PATIENCE):
        self.env.flush_all()
        return self.env["mango.route.slot"]._claim(self.account, patience)

    def take_turns(self, count):
        """Claim far more slots than the waiting time allows."""
        for _time in range(count):
            self.claim(timedelta(minutes=1))

    def test_one_turn_at_a_time(self):
        patience = timedelta(minutes=1)
        self.assertEqual(self.claim(patience), 0)
        turns = [self.slot()]
        for nth in (1, 2, 3):
            wait = self.claim(patience)
            turns.append(self.slot())
            self.assertGreater(wait, 0)
            self.assertLessEqual(wait, nth * INTERVAL.total_seconds())
            self.assertEqual(turns[-1] - turns[-2], INTERVAL)

    def test_turn_that_would_come_too_late(self):
        self.take_turns(8)
        before = self.slot()
        self.assertIsNone(self.claim())
        self.assertEqual(self.slot(), before, "a turn was taken and not used")

    def test_turns_are_per_account(self):
        other = self.create_account(api_key="test_api_key_0007", api_salt="x")
        self.assertEqual(self.claim(), 0)
        self.env.flush_all()
        self.assertEqual(self.env["mango.route.slot"]._claim(other, PATIENCE), 0)

    def test_waits_for_its_turn(self):
        self.claim()
        [wait] = self.send()
        self.assertTrue(0 < wait <= INTERVAL.total_seconds(), wait)
        self.assertEqual(self.pbx.paths(), [ROUTE])

    def test_dropped_if_the_turn_comes_too_late(self):
        self.take_turns(8)
        self.assertEqual(self.send(), [])
        self.assertFalse(self.pbx.requests)
        self.assertRoute(
            "skipped",
            "The PBX accepts one such command every two seconds; there "
            "were too many calls.",
        )

    # -- the process died before it sent the command -----------------------------

    def drop_lost(self, age):
        self.env.flush_all()
        self.cr.execute(
            "UPDATE mango_call SET write_date = %s WHERE id = %s",
            (fields.Datetime.now() - age, self.call().id),
        )
        self.env.invalidate_all()
        self.run_cron("ir_cron_drop_lost_routes")

    def test_thread_that_died(self):
        for _time in range(2):
            self.drop_lost(LOST_TIME + timedelta(seconds=1))
            self.assertRoute("skipped", "Not routed: the server process has ended.")
        self.send()
        self.assertFalse(self.pbx.requests, "it was late, and said to be dropped")

    def test_thread_that_waits_for_its_turn(self):
        self.drop_lost(PATIENCE)
        self.assertRoute("none")
        self.send()
        self.drop_lost(LOST_TIME + timedelta(seconds=1))
        self.assertRoute("sent")

    # -- the thread -----------------------------------------------------------

    def test_sent_after_the_commit_only(self):
        with patch.object(transaction._urgent, "start") as start:
            self.env["mango.router"]._send_after_commit(self.call())
            start.assert_not_called()
            self.env.cr.postcommit.run()
        start.assert_called_once_with(send, self.cr.dbname, self.call().id)

    def test_concurrent_update(self):
        """Somebody corrects the call at the same moment: the command is sent, once."""
        start, tries = MangoRouter._start, []

        def collide_at_first(router, call):
            tries.append(call.id)
            if len(tries) == 1:
                raise ConcurrencyError("somebody else has written the call")
            return start(router, call)

        with (
            patch.object(MangoRouter, "_start", collide_at_first),
            patch("odoo.service.model.time"),
            mute_logger("odoo.service.model"),
        ):
            self.send()
        self.assertEqual(len(tries), 2)
        self.assertEqual(len(self.pbx.requests), 1)

    def test_trouble_is_logged(self):
        broken = patch.object(MangoRouter, "_start", side_effect=ValueError("moon"))
        with broken, self.assertLogs(mango_router.__name__, "ERROR"):
            self.send()
        self.assertFalse(self.pbx.requests)
