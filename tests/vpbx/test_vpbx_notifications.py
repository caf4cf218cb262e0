"""Parsing notifications: lenient about missing members, strict about stored ones."""

import json
from contextlib import suppress
from datetime import datetime, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ...vpbx.errors import NotificationError, VpbxError
from ...vpbx.notifications import (
    MAX_LENGTH,
    CommandResult,
    Ignored,
    LegEvent,
    RecordAdded,
    RecordingEvent,
    Summary,
    Tracking,
    infer_kind,
    kind_of,
    parse,
)
from ..vpbx_scenarios import CLIENT, LINE, SCENARIOS, T0

PROPERTY = settings(derandomize=True, deadline=None, database=None, max_examples=150)

KINDS = ("events/call", "events/summary", "events/recording", "events/record/added")

LEG = {"entry_id": "E", "call_id": "L", "seq": 1, "call_state": "Appeared"}
SUMMARY = {"entry_id": "E", "call_direction": 1, "entry_result": 1}
RECORDING = {"entry_id": "E", "recording_id": "R", "recording_state": "Started"}
ADDED = {"entry_id": "E", "recording_id": "R", "user_id": 400000101}

json_values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters())
    ),
    lambda children: st.one_of(
        st.lists(children, max_size=3),
        st.dictionaries(st.text(max_size=4), children, max_size=3),
    ),
    max_leaves=8,
)


def read(kind, payload, **more):
    return parse(kind, json.dumps({**payload, **more}))


@tagged("mango_office", "-at_install", "post_install")
class TestKind(BaseCase):
    def test_path_tail(self):
        for tail, kind in [
            ("events/call", "events/call"),
            ("/events/call/", "events/call"),
            ("vpbx/events/call", "events/call"),
            ("events/events/call", "events/call"),
            ("events//events/record/added", "events/record/added"),
            ("vpbx/result/route", "result/route"),
            ("result/call/hangup/", "result/call/hangup"),
            ("result/stats", "result/stats"),
            ("ping", "ping"),
            ("vpbx/ping/", "ping"),
            ("events/ping", "ping"),
            ("", ""),
            (None, ""),
            ("/", ""),
            ("events", ""),
            ("result/", ""),
            ("weather", "weather"),
            ("events/md/onAppealClose", "events/md/onAppealClose"),
        ]:
            with self.subTest(tail=tail):
                self.assertEqual(kind_of(tail), kind)

    def test_path_tail_is_safe_to_store(self):
        self.assertEqual(kind_of("we\x00ather"), "weather")
        self.assertEqual(kind_of("\ud800"), "?")
        self.assertEqual(len(kind_of("x" * 5000)), MAX_LENGTH)

    def test_inferred_from_the_fields(self):
        for scenario in SCENARIOS:
            for kind, payload in scenario.posts:
                with self.subTest(scenario=scenario.name, kind=kind):
                    # The command and the unknown member cannot be identified.
                    expected = "result" if kind.startswith("result/") else kind
                    expected = "" if kind == "events/weather" else expected
                    self.assertEqual(infer_kind(payload), expected)
        self.assertEqual(infer_kind({}), "ping")
        self.assertEqual(infer_kind({"x": 1}), "")
        self.assertEqual(
            infer_kind({"command_id": "c", "timestamp": T0, "reason": 1000}),
            "events/sms",
        )
        dtmf = {"seq": 2, "dtmf": "1", "call_id": "L1", "entry_id": "E1"}
        self.assertEqual(infer_kind(dtmf), "events/dtmf")

    def test_parsing_infers_when_the_path_is_silent(self):
        self.assertIsInstance(read("", LEG), LegEvent)
        self.assertEqual(read("", LEG).kind, "events/call")
        self.assertIsInstance(read("", SUMMARY), Summary)
        self.assertIsInstance(read("", RECORDING), RecordingEvent)
        self.assertIsInstance(read("", ADDED), RecordAdded)
        self.assertIsInstance(
            read("", {"command_id": "c", "result": "1000"}), CommandResult
        )
        self.assertEqual(read("", {}), Ignored("ping"))


@tagged("mango_office", "-at_install", "post_install")
class TestRefusals(BaseCase):
    def assert_refused(self, kind, text):
        with self.assertRaises(NotificationError) as caught:
            parse(kind, text)
        self.assertIsInstance(caught.exception, VpbxError)
        self.assertIsInstance(caught.exception, ValueError)
        self.assertIsNone(caught.exception.__cause__)

    def test_no_readable_object(self):
        for text in (
            None,
            "",
            "   ",
            "{",
            "[]",
            "null",
            '"text"',
            "1",
            '{"a":1}x',
            '{"a":NaN}',
            '{"a":Infinity}',
            '{"a":"\x00"}',
            '{"a":"\ud800"}',  # not JSON's escape: the text itself
            "\ufeff{}",
            "[" * 100_000,
            '{"a":' * 100_000,
            '{"a":' + "9" * 10_000 + "}",
        ):
            for kind in (*KINDS, "result/route", "events/weather", ""):
                with self.subTest(text=str(text)[:20], kind=kind):
                    self.assert_refused(kind, text)

    def test_what_a_kind_needs(self):
        for kind, payload, needed in [
            ("events/call", LEG, ("entry_id", "call_id", "seq", "call_state")),
            ("events/summary", SUMMARY, ("entry_id",)),
            (
                "events/recording",
                RECORDING,
                ("entry_id", "recording_id", "recording_state"),
            ),
            ("events/record/added", ADDED, ("entry_id", "recording_id")),
            ("result/route", {"command_id": "c"}, ("command_id",)),
            ("result/callback", {"command_id": "c"}, ("command_id",)),
        ]:
            read(kind, payload)
            for name in needed:
                for value in (None, "", " ", [], {}, True, "\x00"):
                    with self.subTest(kind=kind, name=name, value=value):
                        text = json.dumps({**payload, name: value})
                        self.assert_refused(kind, text)
                with self.subTest(kind=kind, missing=name):
                    rest = {n: v for n, v in payload.items() if n != name}
                    self.assert_refused(kind, json.dumps(rest))

    def test_ids_are_exact_or_refused(self):
        for value in ("x" * (MAX_LENGTH + 1), "a\x00b", "a\ud800", 10**200, 1.5):
            with self.subTest(value=str(value)[:9]):
                self.assert_refused(
                    "events/call", json.dumps({**LEG, "call_id": value})
                )
        for value in ("x" * MAX_LENGTH, "AbC+d/EfG==", "Ц", " padded "):
            with self.subTest(value=value[:9]):
                self.assertEqual(read("events/call", LEG, call_id=value).leg_ref, value)
        self.assertEqual(read("events/call", LEG, call_id=17).leg_ref, "17")
        self.assertEqual(read("events/call", LEG, seq=0).seq, 0)

    def test_sequence_out_of_range(self):
        for value in ("one", 10**18, "9" * 30, 1e300, 1.5, "1.5", "٣"):
            with self.subTest(value=str(value)[:9]):
                self.assert_refused("events/call", json.dumps({**LEG, "seq": value}))


@tagged("mango_office", "-at_install", "post_install")
class TestReading(BaseCase):
    def test_leg_event(self):
        notification = read(
            "events/call",
            {
                "entry_id": "NTAwMDAwMDAwMQ==",
                "call_id": "MToxMDAwMDAwMTo3Nzo1MDAy",
                "timestamp": str(T0),
                "seq": "3",
                "call_state": "Disconnected",
                "location": "abonent",
                "from": {
                    "number": CLIENT,
                    "taken_from_call_id": "MToxMDAwMDAwMTo3Nzo1MDAxOjE=",
                },
                "to": {
                    "extension": "0511",
                    "number": "sip:user0511@romashka.mangosip.ru",
                    "line_number": LINE,
                    "acd_group": "500",
                },
                "disconnect_reason": "1110",
                "transfer": "return_blind",
                "command_id": "odoo-1",
                "task_id": 7,
                "callback_initiator": "API",
            },
        )
        self.assertEqual(
            notification,
            LegEvent(
                kind="events/call",
                entry_id="NTAwMDAwMDAwMQ==",
                leg_ref="MToxMDAwMDAwMTo3Nzo1MDAy",
                seq=3,
                state="disconnected",
                timestamp=T0,
                location="abonent",
                from_number=CLIENT,
                from_extension=None,
                taken_from="MToxMDAwMDAwMTo3Nzo1MDAxOjE=",
                to_number="sip:user0511@romashka.mangosip.ru",
                to_extension="0511",
                line_number=LINE,
                acd_group="500",
                end_reason=1110,
                transfer="return_blind",
                command_id="odoo-1",
                task_id="7",
                callback_initiator="API",
            ),
        )

    def test_summary(self):
        notification = read(
            "events/summary",
            {
                "entry_id": "E",
                "call_direction": "1",
                "from": {"number": CLIENT},
                "to": {"extension": "101", "number": "sip:a@x.mangosip.ru"},
                "line_number": LINE,
                "create_time": T0,
                "forward_time": T0 + 10,
                "talk_time": str(T0 + 20),
                "end_time": T0 + 95,
                "entry_result": "1",
                "disconnect_reason": 1110,
            },
        )
        self.assertEqual(
            notification,
            Summary(
                kind="events/summary",
                entry_id="E",
                direction="inbound",
                from_number=CLIENT,
                to_number="sip:a@x.mangosip.ru",
                to_extension="101",
                line_number=LINE,
                created_at=T0,
                forwarded_at=T0 + 10,
                answered=True,
                answered_at=T0 + 20,
                ended_at=T0 + 95,
                end_reason=1110,
            ),
        )

    def test_directions(self):
        for value, direction in [
            (0, "internal"),
            ("1", "inbound"),
            (2, "outbound"),
            (3, None),
            (None, None),
            ("in", None),
        ]:
            with self.subTest(value=value):
                notification = read("events/summary", SUMMARY, call_direction=value)
                self.assertEqual(notification.direction, direction)

    def test_answered_needs_both(self):
        for entry_result, talk_time, answered in [
            (1, T0, True),
            ("1", str(T0), True),
            (1, 0, False),
            (1, None, False),
            (0, T0, False),
            (None, T0, True),
            (None, 0, False),
            (1, -5, False),
        ]:
            with self.subTest(entry_result=entry_result, talk_time=talk_time):
                notification = read(
                    "events/summary",
                    SUMMARY,
                    entry_result=entry_result,
                    talk_time=talk_time,
                )
                self.assertEqual(notification.answered, answered)
                self.assertEqual(notification.answered_at, T0 if answered else None)

    def test_recordings(self):
        done = read(
            "events/recording",
            RECORDING,
            recording_state="Completed",
            seq="2",
            extension="",
            completion_code="1000",
            recipient="CloudAndMail",
        )
        self.assertEqual((done.state, done.seq), ("completed", 2))
        self.assertIsNone(done.extension)
        self.assertEqual(done.completion_code, 1000)
        self.assertEqual(done.recipient, "cloudandmail")
        self.assertEqual(read("events/record/added", ADDED).pbx_user_ref, "400000101")
        for unknown in (-1, "-1", None, ""):
            notification = read("events/record/added", ADDED, user_id=unknown)
            self.assertIsNone(notification.pbx_user_ref)

    def test_command_results(self):
        for value, code in [(1000, 1000), ("4101", 4101), (None, None), ("ok", None)]:
            with self.subTest(value=value):
                notification = read(
                    "result/route", {"command_id": "c", "result": value}
                )
                self.assertEqual(notification, CommandResult("result/route", "c", code))
                self.assertIsNone(notification.entry_id)

    def test_kinds_that_we_do_not_use(self):
        for kind in ("events/dtmf", "events/weather", "result/stat", "result/weather"):
            with self.subTest(kind=kind):
                self.assertEqual(read(kind, {"entry_id": "E"}), Ignored(kind, "E"))
                self.assertEqual(read(kind, {}), Ignored(kind))

    def test_ping_needs_nothing(self):
        for text in (None, "", "{}", "nonsense"):
            self.assertEqual(parse("ping", text), Ignored("ping"))

    def test_spelling(self):
        self.assertEqual(read("events/call", LEG, locaton="IVR").location, "ivr")
        self.assertEqual(read("events/call", LEG, location="ivr.1.2").location, "ivr")
        for written, initiator in [
            ("СС", "CC"),  # Cyrillic
            ("MissGroupСallCallback", "MissGroupCallCallback"),  # one of them Cyrillic
            ("API", "API"),
            ("", None),
        ]:
            notification = read("events/call", LEG, callback_initiator=written)
            self.assertEqual(notification.callback_initiator, initiator)

    def test_tracking(self):
        def read(dct):
            payload = {"entry_id": "E", "call_id": "L", "call_state": "Appeared"}
            return parse("events/call", json.dumps({**payload, "seq": 1, "dct": dct}))

        for dct, tracking in (
            ({"type": 1, "number": "74950000150"}, Tracking("dynamic", "74950000150")),
            ({"type": "2", "number": 74950000151}, Tracking("static", "74950000151")),
            ({"type": 0}, None),
            ({"type": 1}, None),
            ({"type": 3, "number": "1"}, None),
            ({}, None),
            ([1], None),
            (None, None),
        ):
            with self.subTest(dct=dct):
                self.assertEqual(read(dct).tracking, tracking)

    def test_times(self):
        for value, expected in [
            (T0, T0),
            (f" {T0} ", T0),
            (float(T0), T0),
            (0, None),
            (-1, None),
            (T0 * 1000, None),  # milliseconds
            (253402300799, None),  # the year 9999
            (10**30, None),
            ("9" * 400, None),
            (1e308, None),
            ("soon", None),
            (True, None),
            (None, None),
        ]:
            with self.subTest(value=str(value)[:20]):
                notification = read("events/call", LEG, timestamp=value)
                self.assertEqual(notification.timestamp, expected)

    def test_codes(self):
        for value, expected in [
            (1110, 1110),
            ("1110", 1110),
            (0, None),
            (-1, None),
            (10**9, None),
            ("busy", None),
        ]:
            with self.subTest(value=value):
                notification = read("events/call", LEG, disconnect_reason=value)
                self.assertEqual(notification.end_reason, expected)

    def test_odd_parties(self):
        for party in (None, "", CLIENT, [], [CLIENT], {}, {"number": None}, 7):
            with self.subTest(party=party):
                notification = read("events/call", LEG, **{"from": party, "to": party})
                self.assertIsNone(notification.from_number)
                self.assertIsNone(notification.to_extension)

    def test_text_that_cannot_be_stored(self):
        party = {"number": "7\x0049\ud8005", "extension": " 101 "}
        notification = read("events/call", LEG, **{"from": party})
        self.assertEqual(notification.from_number, "749?5")
        self.assertEqual(notification.from_extension, "101")
        long = read("events/call", LEG, **{"from": {"number": "9" * 5000}})
        self.assertEqual(len(long.from_number), MAX_LENGTH)
        long = read("events/call", LEG, **{"from": {"number": 10**3000}})
        self.assertEqual(len(long.from_number), MAX_LENGTH)


@tagged("mango_office", "-at_install", "post_install")
class TestWildNotifications(BaseCase):
    @PROPERTY
    @given(st.text(), st.text(max_size=12))
    def test_any_text(self, text, tail):
        with suppress(NotificationError):
            self.assertIsNotNone(parse(kind_of(tail), text))

    @PROPERTY
    @given(
        st.sampled_from(KINDS),
        st.dictionaries(
            st.sampled_from(
                [
                    "entry_id",
                    "call_id",
                    "seq",
                    "call_state",
                    "timestamp",
                    "from",
                    "to",
                    "disconnect_reason",
                    "talk_time",
                    "end_time",
                    "recording_id",
                    "user_id",
                ]
            ),
            json_values,
        ),
    )
    def test_what_passes_can_be_stored(self, kind, payload):
        valid = {**LEG, **SUMMARY, **RECORDING, **ADDED}
        try:
            notification = read(kind, valid, **payload)
        except NotificationError:
            return
        for name, value in vars(notification).items():
            if isinstance(value, str):
                self.assertNotIn("\x00", value)
                self.assertEqual(value, value.encode().decode())
                self.assertLessEqual(len(value), MAX_LENGTH)
            elif name == "timestamp" or name.endswith("_at"):
                datetime.fromtimestamp(value or 0, timezone.utc)
        self.assertEqual(hash(notification), hash(notification))
