"""Every row of the table of HTTP answers in ``design.md`` 3."""

import json
import logging
import random
from unittest.mock import patch

from requests import Request as HttpRequest

from odoo import http
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...models.calls.mango_call_apply import MangoCall
from ...models.inbox.mango_event import MangoEvent
from ..common import API_KEY, API_SALT, MangoHttpCase, sign
from ..vpbx_scenarios import (
    CLIENT,
    LINE,
    dialled,
    inbound_answered,
    leg,
    outside,
    routed,
    staff,
)

APPEARED = leg("L1", 1, "Appeared", 0, outside(), dialled(), place="ivr")
EVENT_LOGGER = "odoo.addons.mango_office.models.inbox.mango_event"


def applying_fails():
    return patch.object(MangoCall, "_update_from", side_effect=ValueError("moon"))


@tagged("post_install", "-at_install")
class TestWebhookAnswers(MangoHttpCase):
    def assertNothingStored(self):
        self.assertFalse(self.events())
        self.assertFalse(self.call())

    # -- 200 --------------------------------------------------------------------

    def test_accepted(self):
        response = self.post(*APPEARED)
        self.assertEqual((response.status_code, response.text), (200, ""))
        self.assertRecordValues(
            self.events(),
            [
                {
                    "kind": "events/call",
                    "entry_id": "E1",
                    "body": json.dumps(APPEARED[1], ensure_ascii=False),
                    "state": "done",
                    "error": False,
                }
            ],
        )
        self.assertEqual(self.call().state, "ringing")
        self.assertEqual(self.call().partner_id, self.ivan)

    def test_duplicate_is_stored_once(self):
        self.post(*APPEARED)
        self.assertEqual(self.post(*APPEARED).status_code, 200)
        self.assertEqual(len(self.events()), 1)
        self.assertEqual(len(self.call().leg_ids), 1)

    def test_kind_that_is_not_used(self):
        for kind in ("events/weather", "events/sms", "events/md/onAppealClose"):
            with self.subTest(kind=kind):
                response = self.post(kind, {"command_id": "c", "reason": 1000})
                self.assertEqual(response.status_code, 200)
        self.assertEqual(set(self.events().mapped("state")), {"ignored"})
        self.assertEqual(len(self.events()), 3)

    def test_ping(self):
        bare = self.url_open("/exec/mango/ping", data="", method="POST")
        self.assertEqual((bare.status_code, bare.text), (200, ""))
        self.assertEqual(self.post("ping", "{}").status_code, 200)
        self.assertEqual(self.post("ping", "", json=None).status_code, 200)
        self.assertNothingStored()

    def test_empty_request_to_the_address_itself(self):
        """The cabinet's check of the connection, without an account."""
        for path in ("/exec/mango", "/exec/mango/"):
            answer = self.url_open(path, data="", method="POST")
            self.assertEqual((answer.status_code, answer.text), (200, ""))
        for path, body in (
            ("/exec/mango", "moon=full"),
            ("/exec/mango", "{}"),
            ("/exec/mango/events/call", ""),
        ):
            with self.subTest(path=path, body=body):
                answer = self.url_open(path, data=body, method="POST")
                self.assertEqual(answer.status_code, 403)
        self.assertNothingStored()

    def test_ping_with_a_wrong_signature(self):
        self.assertEqual(self.post("ping", "{}", sign="0" * 64).status_code, 403)

    def test_get_and_head_reveal_nothing(self):
        for path in ("/exec/mango", "/exec/mango/", "/exec/mango/events/call"):
            for method in ("GET", "HEAD"):
                with self.subTest(path=path, method=method):
                    response = self.url_open(path, method=method)
                    self.assertEqual((response.status_code, response.text), (200, ""))
                    self.assertFalse(response.history, "redirected")
        self.assertNothingStored()

    # -- 403 --------------------------------------------------------------------

    def test_refused_alike_for_every_reason(self):
        text = json.dumps(APPEARED[1])
        other_key = "test_api_key_9999"
        cases = {
            "unknown key": {
                "vpbx_api_key": other_key,
                "sign": sign(text, key=other_key),
            },
            "no key": {"vpbx_api_key": None, "sign": sign(text, key="")},
            "wrong signature": {"sign": sign(text, salt="test_api_salt_9999")},
            "signature of another text": {"sign": sign(text + " ")},
            "upper case": {"sign": sign(text).upper()},
            "missing signature": {"sign": None},
            "empty signature": {"sign": ""},
            "not ASCII": {"sign": "ы" * 64},
            "nothing but json": {"vpbx_api_key": None, "sign": None},
            "signed without secrets": {
                "vpbx_api_key": None,
                "sign": sign(text, key="", salt=""),
            },
        }
        bodies = set()
        for case, form in cases.items():
            with self.subTest(case=case):
                response = self.post("events/call", text, **form)
                self.assertEqual(response.status_code, 403)
                bodies.add(response.text)
        self.assertEqual(len(bodies), 1, "the answers tell the reasons apart")
        self.assertNothingStored()

    def test_account_that_cannot_be_verified(self):
        """An account without both secrets, or archived, accepts nothing."""
        for vals in ({"api_salt": False}, {"api_key": False}, {"active": False}):
            with self.subTest(vals=vals):
                self.account.write({"api_key": API_KEY, "api_salt": API_SALT})
                self.account.write({"active": True, **vals})
                salt = self.account.api_salt or ""
                text = json.dumps(APPEARED[1])
                response = self.post("events/call", text, sign=sign(text, salt=salt))
                self.assertEqual(response.status_code, 403)
        self.assertNothingStored()

    def test_changed_secret_counts_at_once(self):
        self.assertEqual(self.post(*APPEARED).status_code, 200)
        self.account.api_salt = "test_api_salt_0003"
        self.assertEqual(self.post(*APPEARED).status_code, 403)
        text = json.dumps(APPEARED[1])
        renewed = sign(text, salt="test_api_salt_0003")
        self.assertEqual(self.post("events/call", text, sign=renewed).status_code, 200)

    # -- 400 and 413 ------------------------------------------------------------

    def test_verified_text_that_makes_no_sense(self):
        required = ("entry_id", "call_id", "seq", "call_state")
        cases = [
            ("events/call", text)
            for text in ("", "  ", "[]", "17", '"x"', "null", "{", "{}", "NaN", "\x00")
        ]
        for name in required:
            lacking = {key: val for key, val in APPEARED[1].items() if key != name}
            cases.append(("events/call", lacking))
        cases += [
            ("events/summary", {"entry_result": 1}),
            ("events/record/added", {"entry_id": "E1"}),
            ("result/route", {"result": 1000}),
            ("", ""),
            ("events/weather", "[]"),
        ]
        for kind, payload in cases:
            with self.subTest(kind=kind, payload=payload):
                self.assertEqual(self.post(kind, payload).status_code, 400)
        self.assertNothingStored()

    def test_json_is_missing(self):
        response = self.post("events/call", "", json=None)
        self.assertEqual(response.status_code, 400)

    def test_body_over_64_kib(self):
        payload = {**APPEARED[1], "note": "x" * 64 * 1024}
        self.assertEqual(self.post("events/call", payload).status_code, 413)
        self.assertNothingStored()

    def test_body_over_64_kib_of_unknown_length(self):
        """A chunked body without Content-Length is truncated and refused."""
        text = json.dumps({**APPEARED[1], "note": "x" * 64 * 1024})
        form = {"vpbx_api_key": API_KEY, "sign": sign(text), "json": text}
        body = HttpRequest("POST", "http://127.0.0.1", data=form).prepare().body
        response = self.url_open(
            "/exec/mango/events/call",
            data=iter([body.encode()]),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        self.assertIn(response.status_code, (403, 413))
        self.assertNothingStored()

    def test_body_just_under_64_kib(self):
        payload = {**APPEARED[1], "note": "x" * 62 * 1024}
        self.assertEqual(self.post("events/call", payload).status_code, 200)

    # -- trouble ----------------------------------------------------------------

    def test_applying_fails_and_the_cron_heals_it(self):
        with self.assertLogs(EVENT_LOGGER, "ERROR"), applying_fails():
            self.assertEqual(self.post(*APPEARED).status_code, 200)
        self.assertRecordValues(
            self.events(),
            [{"state": "failed", "error": "ValueError: moon", "attempts": 1}],
        )
        self.assertFalse(self.call(), "half a call was kept")
        self.run_cron("ir_cron_process_events")
        self.assertRecordValues(self.events(), [{"state": "done", "error": False}])
        self.assertEqual(self.call().client_number, f"+{CLIENT}")

    def test_next_notification_heals_what_failed(self):
        with self.assertLogs(EVENT_LOGGER, "ERROR"), applying_fails():
            self.post(*APPEARED)
        caller, anna = outside(taken_from="L1"), staff("101", LINE)
        self.post(*leg("L2", 1, "Appeared", 10, caller, anna))
        self.assertEqual(set(self.events().mapped("state")), {"done"})
        self.assertEqual(self.call().leg_ids.mapped("leg_ref"), ["L1", "L2"])

    def test_could_not_be_stored(self):
        broken = patch.object(MangoEvent, "_store", side_effect=OSError("disk full"))
        with broken, mute_logger("odoo.http"):
            self.assertGreaterEqual(self.post(*APPEARED).status_code, 500)
        self.assertNothingStored()
        self.assertEqual(self.post(*APPEARED).status_code, 200)
        self.assertEqual(len(self.events()), 1)

    # -- addresses and forms ------------------------------------------------------

    def test_only_the_end_of_the_path_matters(self):
        paths = (
            "events/call",
            "vpbx/events/call",
            "events/events/call",
            "events/call/",
            "",
            "/",
        )
        for path in paths:
            with self.subTest(path=path):
                payload = {**APPEARED[1], "entry_id": f"E-{path}"}
                self.assertEqual(self.post(path, payload).status_code, 200)
                self.assertEqual(self.call(f"E-{path}").state, "ringing")
        self.assertEqual(set(self.events().mapped("kind")), {"events/call"})

    def test_one_notification_at_two_addresses_is_one(self):
        self.post("events/call", APPEARED[1])
        self.post("vpbx/events/call", APPEARED[1])
        self.assertEqual(len(self.events()), 1)

    def test_kind_is_inferred_at_the_bare_address(self):
        for _kind, payload in inbound_answered().posts:
            self.assertEqual(self.post("", payload).status_code, 200)
        self.assertEqual(
            set(self.events().mapped("kind")), {"events/call", "events/summary"}
        )
        self.assertEqual(self.call().result, "answered")

    def test_extra_form_fields_are_no_news(self):
        with self.assertNoLogs(level="WARNING"):
            response = self.post(*APPEARED, moon="full", kind="x", tail="ping")
        self.assertEqual(response.status_code, 200)
        self.assertEqual(len(self.events()), 1)

    def test_signature_is_of_the_exact_text(self):
        texts = (
            '{ "entry_id" : "E-spaces",\n"call_id":"L1","seq":1,"call_state":"New" }',
            '{"entry_id":"E-Тест","call_id":"L1","seq":1,"call_state":"Appeared"}',
            '{"entry_id":"E-\\u0422","call_id":"L1","seq":1,"call_state":"Appeared"}',
            '{"entry_id":"AbC+d/EfG==","call_id":"M+/=","seq":"1","call_state":"New"}',
        )
        for text in texts:
            with self.subTest(text=text):
                self.assertEqual(self.post("events/call", text).status_code, 200)
                self.assertTrue(self.call(json.loads(text)["entry_id"]))
        self.assertCountEqual(self.events().mapped("body"), texts)


@tagged("post_install", "-at_install")
class TestWebhookTraces(MangoHttpCase):
    """What a notification stores and logs."""

    def test_no_session(self):
        with patch.object(http.root.session_store, "save") as save:
            for response in (
                self.post(*APPEARED),
                self.post(*APPEARED, sign="x"),
                self.url_open("/exec/mango"),
            ):
                self.assertNotIn("Set-Cookie", response.headers)
        save.assert_not_called()

    def test_log_has_no_secrets_and_no_numbers(self):
        text = json.dumps(APPEARED[1])
        with self.assertLogs(level="DEBUG") as log:
            self.post("events/call", text)
            self.post("events/call", text, sign="0" * 64)
            self.post("events/call", text, vpbx_api_key="test_api_key_9999")
            self.post("events/call", "[]")
            self.post("events/weather", text)
            with applying_fails():
                self.post("events/call", {**APPEARED[1], "seq": 2})
        secrets = (API_KEY, API_SALT, sign(text), "test_api_key_9999")
        formatter = logging.Formatter("%(name)s %(message)s")  # tracebacks come along
        for record in log.records:
            line = formatter.format(record)
            for secret in secrets:
                self.assertNotIn(secret, line)
            if record.levelno > logging.DEBUG:
                self.assertNotIn(CLIENT, line)
                self.assertNotIn(LINE, line)
        refused = [r for r in log.records if "refused" in r.getMessage()]
        self.assertEqual(len(refused), 2, "an admin cannot see why calls are missing")


@tagged("post_install", "-at_install")
class TestWebhookOrder(MangoHttpCase):
    """Order and repetition of notifications make no difference."""

    def play_as(self, posts):
        with self.transaction() as env:
            env["mango.call"].search([]).sudo().unlink()
            env["mango.event"].search([]).sudo().unlink()
        return self.snapshot(self.post_all(posts))

    def test_any_order_and_repetition(self):
        posts = inbound_answered().posts
        self.account.routing_enabled = False
        expected = self.play_as(posts)
        self.assertEqual(expected["result"], "answered")
        self.assertEqual(len(expected["legs"]), 4)
        shuffled = random.Random(2).sample(posts, len(posts))
        orders = {
            "reversed": posts[::-1],
            "doubled": [post for post in posts for _time in range(2)],
            "twice over": posts * 2,
            "shuffled": shuffled,
            "summary first": (posts[-1], *posts[:-1]),
        }
        for name, order in orders.items():
            with self.subTest(order=name):
                actual = self.play_as(order)
                # Depends on what was known at that time.
                for values in (actual, expected):
                    values.pop("route_state", None)
                    values.pop("route_reason", None)
                self.assertEqual(actual, expected)

    def test_result_of_a_command_may_come_first(self):
        posts = routed().posts
        result = next(post for post in posts if post[0] == "result/route")
        call = self.post_all([result, *posts])
        self.assertEqual(call.result, "answered")
