"""Undocumented data of the PBX: counted, masked, and without side effects."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ...vpbx import members, statistics, surprises
from ...vpbx.errors import NotificationError
from ...vpbx.notifications import parse
from ..vpbx_scenarios import (
    CLIENT,
    LINE,
    SCENARIOS,
    T0,
    inbound_answered,
    leg,
    outbound,
    outside,
    read,
    staff,
    summary,
    unknown_members,
)

PROPERTY = settings(derandomize=True, deadline=None, database=None, max_examples=200)

LEG = leg("L1", 1, "Connected", 0, outside(), staff("101", LINE))[1]
SUMMARY = summary(1, outside(), staff("101"), talk=5, end=9, reason=1110)[1]

SECRETS = ("74951234567", "Иванов", "ivanov@mail.example", "https://evil.example/x?k=1")

_json = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=80),
        st.sampled_from(SECRETS),
    ),
    lambda children: st.one_of(
        st.lists(children, max_size=3),
        st.dictionaries(
            st.one_of(st.text(max_size=60), st.sampled_from(sorted(LEG))),
            children,
            max_size=4,
        ),
    ),
    max_leaves=12,
)
_kinds = st.one_of(
    st.text(max_size=20), st.sampled_from(["", "ping", "events/x", *members.KINDS])
)


def find(kind, payload):
    return surprises.find(kind, json.dumps(payload))


@tagged("mango_office", "-at_install", "post_install")
class TestSurprises(BaseCase):
    def test_none_in_what_is_described(self):
        for scenario in SCENARIOS:
            if scenario.name == unknown_members().name:
                continue
            for kind, payload in scenario.posts:
                with self.subTest(scenario=scenario.name, kind=kind):
                    self.assertEqual(find(kind, payload), ())

    def test_each_way_to_surprise(self):
        for change, expected in [
            ({"moon": "full"}, ("events/call: moon", "member", "xxxx")),
            ({"moon": ""}, None),
            ({"moon": None}, None),
            ({"seq": None}, ("events/call: seq", "missing", "")),
            ({"seq": "one"}, ("events/call: seq", "type", "xxx")),
            ({"entry_id": ["E"]}, ("events/call: entry_id", "type", "[…]")),
            ({"call_state": "Parked"}, ("events/call: call_state", "word", "Parked")),
            ({"call_state": "Connected "}, None),
            ({"location": "ivr.1.2"}, None),
            ({"location": "7 495"}, ("events/call: location", "word", "0 000")),
            ({"disconnect_reason": 1199}, ("events/call: disconnect_reason", "code")),
            ({"disconnect_reason": "1110"}, None),
            ({"disconnect_reason": 10**9}, ("events/call: disconnect_reason", "type")),
            ({"timestamp": T0 * 1000}, ("events/call: timestamp", "time")),
            ({"timestamp": "2026-01-01"}, ("events/call: timestamp", "type")),
            ({"callback_initiator": "СC"}, None),  # a Cyrillic С first
            ({"from": CLIENT}, ("events/call: from", "type", "00000000000")),
            ({"from": {"number": "anonymous"}}, None),
            ({"from": {"number": "+7 (495) 000-02-01"}}, None),
            ({"from": {"number": "73"}}, None),
            ({"from": {"number": "1" * 40}}, ("events/call: from.number", "number")),
            ({"from": {"extension": "a1"}}, ("events/call: from.extension", "number")),
            ({"to": {"sun": 1}}, ("events/call: to.sun", "member", "0")),
            ({"to": {"was_transferred": "no"}}, ("events/call: to.was_transferred",)),
        ]:
            with self.subTest(change=change):
                found = [tuple(one) for one in find("events/call", {**LEG, **change})]
                if expected is None:
                    self.assertEqual(found, [])
                else:
                    [one] = found
                    self.assertEqual(one[: len(expected)], expected)

    def test_unknown_kind(self):
        [one] = find("events/weather", {"sky": "blue", "+74951234567": 1})
        self.assertEqual(one, ("events/weather", "kind", "+00000000000, sky"))
        [one] = find("events/74951234567", {})
        self.assertEqual(one.place, "xxxxxx/00000000000")
        for kind in ("ping", "events/md/onAppealClose", "result/stats", "events/ab/x"):
            self.assertEqual(find(kind, {"x": 1}), ())

    def test_no_object(self):
        for text in (None, "", "{", "[]", "1", '"text"', "[" * 100_000):
            [one] = surprises.find("events/call", text)
            self.assertEqual(one[:2], ("events/call", "type"))

    def test_statistics(self):
        entry = {
            "entry_id": "E1",
            "context_type": 1,
            "caller_name": "",
            "context_calls": [
                {"call_type": "group", "members": [{"call_type": "robot", "x": 1}]}
            ],
        }
        found = find("statistics/call", entry)
        self.assertEqual(
            [one[:2] for one in found],
            [
                ("statistics/call: context_calls[].members[].call_type", "word"),
                ("statistics/call: context_calls[].members[].x", "member"),
            ],
        )

    def test_few_of_one_notification(self):
        many = {f"member_{number}": number for number in range(100)}
        self.assertEqual(len(find("events/call", {**LEG, **many})), surprises.MOST)

    @PROPERTY
    @given(_kinds, _json)
    def test_total_and_masked(self, kind, payload):
        found = find(kind, payload)
        self.assertLessEqual(len(found), surprises.MOST)
        shown = repr(found)
        for secret in SECRETS:
            self.assertNotIn(secret, shown)
        for one in found:
            self.assertTrue(one.place)
            self.assertTrue(all(isinstance(text, str) for text in one))
            self.assertNotIn("\x00", shown)
            one.example.encode()

    @PROPERTY
    @given(st.sampled_from([LEG, SUMMARY]), st.data())
    def test_what_is_refused_surprises(self, payload, data):
        """Refused notifications are reported, or they would go unnoticed."""
        name = data.draw(st.sampled_from(sorted(payload)))
        changed = {**payload, name: data.draw(_json)}
        kind = "events/call" if payload is LEG else "events/summary"
        try:
            parse(kind, json.dumps(changed))
        except NotificationError:
            self.assertTrue(find(kind, changed))


@tagged("mango_office", "-at_install", "post_install")
class TestContradictions(BaseCase):
    def places(self, *posts):
        found = surprises.contradictions(
            statistics.parse(json.dumps(post[1]))
            if post[0] == statistics.KIND
            else read(post)
            for post in posts
        )
        return [one.place for one in found]

    def test_none_in_the_scenarios(self):
        for scenario in SCENARIOS:
            with self.subTest(scenario=scenario.name):
                self.assertEqual(self.places(*scenario.posts), [])

    def test_legs_and_summary(self):
        ringing, *_rest, told = inbound_answered().posts
        rung = inbound_answered().posts[3]
        self.assertEqual(
            self.places(ringing, rung, told), ["events/summary: talk_time"]
        )
        *events, _told = inbound_answered().posts
        missed = summary(1, outside(), {}, talk=None, end=95, reason=1111)
        self.assertEqual(self.places(*events, missed), ["events/summary: talk_time"])
        early = summary(1, outside(), {}, talk=None, end=5, reason=1111)
        self.assertIn("events/summary: end_time", self.places(*events, early))

    def test_two_summaries(self):
        *_events, told = outbound(1111).posts
        other = summary(1, outside(), {}, talk=None, end=95, reason=1111)
        self.assertEqual(self.places(told, told), [])
        self.assertEqual(self.places(told, other), ["events/summary"])

    def test_statistics(self):
        entry = {
            "entry_id": "E1",
            "context_type": 2,
            "context_status": 1,
            "context_start_time": T0,
            "duration": 500,
            "talk_duration": 0,
            "context_calls": [{"recording_id": ["R1"], "call_type": "user"}],
        }
        told = inbound_answered().posts[-1]
        self.assertEqual(
            self.places(told, ("statistics/call", entry)),
            [
                "statistics/call: recording_id",
                "statistics/call: context_type",
                "statistics/call: talk_duration",
                "statistics/call: duration",
            ],
        )
