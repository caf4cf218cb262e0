"""The open questions of mango-api.md 10: each with the answer that we did not assume.

Under none of them anything is lost or done twice. Their numbers are those of
``docs/first-day.md``, which also names the tests of other files.
"""

import copy
import json

from odoo.exceptions import UserError
from odoo.tests import tagged

from ...vpbx import statistics, surprises
from ..common import MangoCase, MangoHttpCase
from ..history.test_statistics_import import HistoryCase
from ..statistics_entries import answered, entry, person
from ..vpbx_scenarios import (
    CALLBACK,
    CLIENT,
    LINE,
    T0,
    anonymous,
    blind_transfer,
    callback_answered,
    consultation,
    inbound_answered,
    leg,
    outside,
    result,
    returned_transfer,
    routed,
    staff,
    summary,
)

USERS = "config/users/request"


def changed(scenario, change):
    """Return the posts of a scenario after a change of each payload."""
    posts = []
    for kind, payload in scenario.posts:
        payload = copy.deepcopy(payload)
        change(kind, payload)
        posts.append((kind, payload))
    return posts


class FirstDayCase(MangoCase):
    def setUp(self):
        super().setUp()
        # Of two calls in the same second only one could be routed.
        self.account.routing_enabled = False

    def play_posts(self, posts, entry_id="E2"):
        for kind, payload in posts:
            if "entry_id" in payload:
                payload = {**payload, "entry_id": entry_id}
            self.receive(kind, payload)
        return self.call(entry_id)

    def assert_same_call(self, scenario, posts, but=()):
        """Check that other notifications of the same events make the same call."""
        expected = self.snapshot(self.play(scenario))
        made = self.snapshot(self.play_posts(posts))
        for name in but:
            del expected[name], made[name]
        self.assertEqual(made, expected)

    def calls(self):
        return self.env["mango.call"].search([("account_id", "=", self.account.id)])


@tagged("post_install", "-at_install")
class TestFirstDay(FirstDayCase):
    def test_01_repeated(self):
        scenario = inbound_answered()
        expected = self.snapshot(self.play(scenario))
        for _again in range(3):
            for post in scenario.posts:
                self.receive(*post)
        self.assertEqual(self.snapshot(self.call()), expected)
        self.assertEqual(len(self.events()), len(scenario.posts))

    def test_03_errors_in_every_form(self):
        for answer in (
            {"status": 200, "body": '{"result":3100,"fields":{}}'},
            {"status": 200, "body": '{"result":"3100"}'},
            {"status": 400, "body": '{"result":3100,"description":"x"}'},
            {"status": 420, "body": '{"code":3100,"message":"x"}'},
            {"status": 401, "body": '{"message":"Service disabled"}'},
            {"status": 429, "body": '{"status":429,"code":0,"message":"x"}'},
            {"status": 503, "body": "<html>"},
        ):
            with self.subTest(**answer):
                self.pbx.reset()
                self.pbx.answers(USERS, **answer)
                with self.assertRaises(UserError):
                    self.account.action_load_users()
                # Refused once, and not asked again: two refusals lock the account.
                self.assertEqual(self.pbx.paths().count(USERS), 1)

    def test_04_statistics_ready(self):
        for kind in ("result/stat", "result/stats"):
            for payload in ({"key": "K", "request_id": "1"}, {"request_id": "1"}):
                self.receive(kind, payload)
                self.assertEqual(surprises.find(kind, json.dumps(payload)), ())
        self.assertEqual(set(self.events().mapped("state")), {"ignored"})
        self.assertFalse(self.calls())

    def test_06_queue_in_any_shape(self):
        base = inbound_answered()
        for number, to in enumerate(
            ({}, {"acd_group": "500"}, {"extension": "500", "line_number": LINE})
        ):

            def change(_kind, payload, to=to):
                if payload.get("location") == "queue":
                    payload["to"] = to

            with self.subTest(to=to):
                call = self.play_posts(changed(base, change), f"E1{number}")
                self.assertEqual(call.result, "answered")
                self.assertEqual(call.extension_id, self.anna_extension)
                self.assertEqual(call.wait_duration, 20)
        # No group produces one.
        posts = [post for post in base.posts if post[1].get("location") != "queue"]
        call = self.play_posts(posts, "E19")
        self.assertEqual((call.result, call.talk_duration), ("answered", 75))

    def test_07_without_the_second_version(self):
        def change(_kind, payload):
            payload.pop("transfer", None)
            for side in ("from", "to"):
                payload.get(side, {}).pop("was_transferred", None)

        for number, make in enumerate(
            (consultation, blind_transfer, returned_transfer)
        ):
            with self.subTest(scenario=make.__name__):
                with_it = self.play_posts(make().posts, f"E1{number}")
                without = self.play_posts(changed(make(), change), f"E2{number}")
                self.assertEqual(self.snapshot(without), self.snapshot(with_it))

    def test_08_summary_with_more(self):
        def change(kind, payload):
            if kind == "events/summary":
                payload |= {"command_id": "", "task_id": 0, "dct": {"type": 0}}

        self.assert_same_call(inbound_answered(), changed(inbound_answered(), change))

    def test_08_summary_with_the_command(self):
        def change(kind, payload):
            if kind == "events/summary":
                payload["command_id"] = CALLBACK["command_id"]

        self.assert_same_call(callback_answered(), changed(callback_answered(), change))

    def test_09_any_reason_of_the_first_leg(self):
        for number, reason in enumerate((1000, 1100, 1110, 1120, 1183, "1183", None)):

            def change(_kind, payload, reason=reason):
                if payload.get("call_id") == "L1" and "disconnect_reason" in payload:
                    payload["disconnect_reason"] = reason

            with self.subTest(reason=reason):
                posts = changed(callback_answered(), change)
                call = self.play_posts(posts, f"E1{number}")
                self.assertEqual(
                    (call.result, call.end_reason, call.talk_duration),
                    ("answered", 1120, 60),
                )

    def test_10_second_leg_at_any_time(self):
        first, *posts = callback_answered().posts
        expected = self.snapshot(self.play(callback_answered()))
        late = [post for post in posts if post[1].get("call_id") == "L1"]
        early = [post for post in posts if post not in late]
        for number, order in enumerate(
            ([*early, *late, first], [first, *late, *early], [*early, first, *late])
        ):
            call = self.play_posts(order, f"E1{number}")
            self.assertEqual(self.snapshot(call), expected)

    def test_10_legs_merged(self):
        """One leg, whose caller changes when the employee has picked up."""
        anna_called, anna = staff("101"), staff("101")
        posts = (
            leg("L1", 1, "Appeared", 0, outside(), anna_called, **CALLBACK),
            leg("L1", 2, "Connected", 6, outside(), anna_called, **CALLBACK),
            leg("L1", 3, "Connected", 15, anna, outside(), **CALLBACK),
            leg("L1", 4, "Disconnected", 75, anna, outside(), reason=1120, **CALLBACK),
            summary(2, anna, outside(), talk=15, end=75, reason=1120),
        )
        call = self.play_posts(posts)
        self.assertEqual((call.direction, call.result), ("outbound", "answered"))
        self.assertEqual((call.client_number, call.talk_duration), (f"+{CLIENT}", 60))

    def test_11_summary_of_a_callback_says_inbound(self):
        *events, _summary = callback_answered().posts
        told = summary(1, outside(), staff("101"), talk=15, end=75, reason=1120)
        call = self.play_posts([*events, told])
        self.assertEqual((call.direction, call.result), ("outbound", "answered"))
        self.assertEqual(call.client_number, f"+{CLIENT}")
        self.assertEqual(call.extension_id, self.anna_extension)

    def test_15_recording_stopped_and_resumed(self):
        """Somebody stops it at the PBX: both parts of the talk are there."""

        def recording(ref, seq, state, at, **more):
            return "events/recording", {
                "recording_id": ref,
                "recording_state": state,
                "seq": seq,
                "entry_id": "E1",
                "call_id": "L3",
                "extension": "101",
                "timestamp": T0 + at,
                **more,
            }

        done = {"completion_code": 1000, "recipient": "Cloud"}
        *events, last = inbound_answered().posts
        stopped = result("recording/stop", "c-1", 1000)
        posts = [
            *events,
            recording("R1", 1, "Started", 20),
            recording("R1", 2, "Completed", 40, **done),
            stopped,
            recording("R2", 1, "Started", 60),
            recording("R2", 2, "Completed", 95, **done),
            last,
        ]
        call = self.play_posts(posts)
        recordings = call.recording_ids
        self.assertEqual(set(recordings.mapped("recording_ref")), {"R1", "R2"})
        self.assertEqual(recordings.extension_id, self.anna_extension)
        self.assertEqual((call.result, call.talk_duration), ("answered", 75))

    def test_15_another_caller_number_after_routing(self):
        """The employee's phone shows a line of ours: it is the client's call still."""

        def change(_kind, payload):
            if payload.get("call_id") == "L2":
                payload["from"]["number"] = LINE

        *events, last = changed(routed(), change)
        call = self.play_posts(events)
        self.assertEqual(call.client_number, f"+{CLIENT}")
        self.play_posts([last])
        self.assertEqual((call.result, call.client_number), ("answered", f"+{CLIENT}"))
        self.assertEqual(call.extension_id, self.anna_extension)
        self.assertEqual(self.calls(), call)

    def test_17_seq_begins_anywhere(self):
        for number, count in enumerate(
            (lambda seq: seq - 1, lambda seq: 7 + 10 * seq, lambda seq: str(seq + 1000))
        ):

            def change(_kind, payload, count=count):
                if "seq" in payload:
                    payload["seq"] = count(payload["seq"])

            posts = changed(inbound_answered(), change)
            call = self.play_posts(posts, f"E1{number}")
            expected = self.snapshot(self.play(inbound_answered()))
            self.assertEqual(self.snapshot(call), expected)

    def test_18_hidden_in_any_words(self):
        expected = self.snapshot(self.play(anonymous()))
        for number, hidden in enumerate(
            ("", None, "anonymous", "Unknown", "sip:anonymous@anonymous.invalid")
        ):

            def change(_kind, payload, hidden=hidden):
                payload["from"]["number"] = hidden

            with self.subTest(number=hidden):
                call = self.play_posts(changed(anonymous(), change), f"E1{number}")
                self.assertFalse(call.client_number)
                self.assertFalse(call.partner_id)
                made = self.snapshot(call)
                for one in (made, expected):
                    for row in one["legs"]:
                        row["from_number"] = None
                self.assertEqual(made, expected)

    def test_20_dialled_twice(self):
        """Should one command lead to two calls, both are there, and of one client."""
        for entry_id in ("E1", "E2"):
            self.play_posts(callback_answered().posts, entry_id)
        self.receive(*result("callback", CALLBACK["command_id"], 1000))
        calls = self.calls()
        self.assertEqual(calls.mapped("result"), ["answered"] * 2)
        self.assertEqual(set(calls.mapped("client_number")), {f"+{CLIENT}"})


@tagged("post_install", "-at_install")
class TestFirstDayStatistics(HistoryCase):
    def test_01_never_repeated(self):
        """What got lost on the way comes from the statistics, once."""
        self.receive(*inbound_answered().posts[0])
        self.statistics.calls = [answered()]
        for _again in range(2):
            self.fetch()
        call = self.call()
        self.assertEqual((call.state, call.talk_duration), ("ended", 75))
        calls = self.env["mango.call"].search([("account_id", "=", self.account.id)])
        self.assertEqual(calls, call)

    def test_12_ids_of_legs_that_match_nothing(self):
        expected = self.snapshot(self.play(inbound_answered()))
        foreign = person("101", 12, 20, external_call_id="X9", communication_id=["C1"])
        self.statistics.calls = [entry("E1", foreign)]
        self.fetch()
        self.assertEqual(self.snapshot(self.call()), expected)

    def test_19_unfinished_in_the_statistics(self):
        unfinished = answered()
        unfinished |= {"duration": None, "talk_duration": None}
        for one in unfinished["context_calls"]:
            one |= {"call_end_time": None, "call_duration": None, "talk_duration": None}
        self.statistics.calls = [unfinished]
        self.fetch()
        self.assertFalse(self.call())
        self.statistics.calls = [answered()]
        self.fetch()
        self.assertEqual((self.call().state, self.call().talk_duration), ("ended", 75))
        before = self.snapshot(self.call())
        for post in inbound_answered().posts:
            self.receive(*post)
        after = self.snapshot(self.call())
        for name in ("state", "result", "client_number", "talk_duration", "started_at"):
            self.assertEqual(after[name], before[name])
        self.assertEqual(len(self.events().filtered(self.is_of_statistics)), 1)

    def is_of_statistics(self, event):
        return event.kind == statistics.KIND


@tagged("post_install", "-at_install")
class TestFirstDayWebhook(MangoHttpCase):
    def test_02_ping_in_any_form(self):
        for path in ("/exec/mango/ping", "/exec/mango/events/ping", "/exec/mango"):
            answer = self.url_open(path, data="", method="POST")
            self.assertEqual((answer.status_code, answer.text), (200, ""))
        for text in ("{}", '{"x": 1}', "[]", "not json"):
            with self.subTest(text=text):
                answer = self.post("ping", text)
                self.assertEqual((answer.status_code, answer.text), (200, ""))
        self.assertEqual(self.post("ping", "", json=None).status_code, 200)
        self.assertFalse(self.events())

    def test_05_every_kind_at_its_own_address(self):
        self.account.routing_enabled = False
        kinds = {}
        for number, (kind, payload) in enumerate(inbound_answered().posts):
            kinds.setdefault(kind, number)
            path = f"/exec/mango/custom/{number}/{kind}"
            self.assertEqual(self.post(kind, payload, path=path).status_code, 200)
        self.assertEqual(self.call().result, "answered")
        # And all at one, which does not say what it is.
        for _kind, payload in inbound_answered().posts:
            payload = {**payload, "entry_id": "E2"}
            self.assertEqual(self.post("", payload).status_code, 200)
        self.assertEqual(self.snapshot(self.call("E2")), self.snapshot(self.call("E1")))

    def test_16_from_an_address_that_nobody_knows(self):
        """The signature decides, until somebody lists addresses."""
        kind, payload = inbound_answered().posts[0]
        headers = {"X-Forwarded-For": "203.0.113.7"}
        self.assertEqual(self.post(kind, payload, headers=headers).status_code, 200)
        self.assertEqual(self.call().state, "ringing")
