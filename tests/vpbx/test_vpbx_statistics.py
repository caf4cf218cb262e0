"""The statistics: requests, parsing, and what they tell about a call."""

import json
from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ...vpbx import statistics
from ...vpbx.call_state import fold
from ...vpbx.errors import NotificationError
from ...vpbx.notifications import RecordAdded, RecordingEvent, Summary
from ..statistics_entries import answered, entry, of_scenario, person, user_ref
from ..vpbx_scenarios import (
    CLIENT,
    LINE,
    LINES,
    SCENARIOS,
    T0,
    inbound_answered,
    leg,
    missed_by_group,
    outside,
    read,
    staff,
)
from .test_vpbx_call_state import (
    PROPERTY,
    _or_odd,
    disordered,
    scenarios,
    wild_notifications,
)

NOON = datetime(2026, 1, 1, 9, tzinfo=timezone.utc)  # in Moscow

_time = st.one_of(st.integers(T0 - 5, T0 + 99), _or_odd(None, "", 0, str(T0)))
_wild_leg = st.fixed_dictionaries(
    {},
    optional={
        "call_type": _or_odd("user", "number", "group", "conference"),
        "call_abonent_id": _or_odd(400000101, "400000101"),
        "call_abonent_number": _or_odd(CLIENT, "sip:a@x.mangosip.ru"),
        "call_abonent_extension": _or_odd("101", 102),
        "call_start_time": _time,
        "call_answer_time": _time,
        "call_end_time": _time,
        "call_end_reason": _or_odd(1110, "1121"),
        "recording_id": _or_odd("R1", "[R1,R2]", ""),
        "external_call_id": _or_odd("A", "B", "C"),
        "members": _or_odd(None, []),
    },
)
_wild_entry = st.fixed_dictionaries(
    {"entry_id": st.just("E1")},
    optional={
        "context_type": _or_odd(1, 2, 3, "1"),
        "context_status": _or_odd(0, 1),
        "caller_id": _or_odd(400000101),
        "caller_number": _or_odd(CLIENT),
        "called_number": _or_odd(LINE),
        "context_start_time": _time,
        "duration": _or_odd(0, 95, "95"),
        "talk_duration": _or_odd(0, 75, None),
        "context_init_type": _or_odd(0, 4),
        "context_calls": st.one_of(st.lists(_wild_leg, max_size=4), _or_odd(None)),
    },
)


def parsed(raw, extensions=None, groups=None):
    return statistics.parse(statistics.as_text(raw, extensions, groups))


def without_recordings(call):
    return {**vars(call), "recordings": None}


def parties(call):
    """Return the parties of a call, which statistics and notifications share."""
    names = (
        "direction",
        "state",
        "result",
        "client_number",
        "extension",
        "group_number",
        "started_at",
        "answered_at",
        "ended_at",
        "wait_duration",
        "talk_duration",
        "callback",
    )
    return {name: getattr(call, name) for name in names}


def is_told(scenario):
    """Tell whether the end of a scenario's call is known."""
    facts = scenario.notifications
    return any(isinstance(fact, Summary) for fact in facts)


WHOLE = [scenario for scenario in SCENARIOS if is_told(scenario)]


@tagged("mango_office", "-at_install", "post_install")
class TestAsking(BaseCase):
    def test_moscow_wall_time(self):
        self.assertEqual(
            statistics.period(NOON, NOON + timedelta(days=1), 500, 1000),
            {
                "start_date": "01.01.2026 12:00:00",
                "end_date": "02.01.2026 12:00:00",
                "limit": 500,
                "offset": 1000,
            },
        )

    def test_what_the_pbx_would_refuse(self):
        almost = timedelta(days=30) - timedelta(seconds=1)
        statistics.period(NOON, NOON + almost, 1, 0)
        for days, limit, offset in ((30, 1, 0), (-1, 1, 0), (1, 7, 0), (1, 1, -1)):
            with self.subTest(days=days, limit=limit), self.assertRaises(ValueError):
                statistics.period(NOON, NOON + timedelta(days=days), limit, offset)


@tagged("mango_office", "-at_install", "post_install")
class TestReport(BaseCase):
    def read_report(self, **payload):
        return statistics.read_report({"result": 1000, **payload})

    def test_days_are_joined(self):
        days = [{"list": [{"entry_id": "E1"}]}, {"list": [{"entry_id": "E2"}, 7]}]
        report = self.read_report(status="complete", data=days)
        self.assertEqual(report.status, "complete")
        self.assertEqual([row["entry_id"] for row in report.entries], ["E1", "E2"])
        self.assertEqual(report.row_count, 3, "the page was full, readable or not")

    def test_a_part_is_not_taken(self):
        for status in ("request", "work", "WORK", "Something new"):
            report = self.read_report(
                status=status, data=[{"list": [{"entry_id": "E1"}]}]
            )
            self.assertEqual((report.status, report.entries), ("pending", ()))

    def test_not_ready(self):
        self.assertEqual(statistics.read_report(None).status, "pending")

    def test_lost(self):
        for status in ("cancel", "error", "not-found", "not_found"):
            self.assertEqual(self.read_report(status=status).status, "lost")

    def test_empty(self):
        for data in ([], None, "", {}, [{"list": []}]):
            self.assertEqual(
                self.read_report(status="complete", data=data).row_count, 0
            )

    def test_unreadable_is_not_empty(self):
        for data in ("x", 7, {"list": 1}, [{"list": None}], [7]):
            with self.subTest(data=data), self.assertRaises(ValueError):
                self.read_report(status="complete", data=data)
        with self.assertRaises(ValueError):
            self.read_report(data=[])


@tagged("mango_office", "-at_install", "post_install")
class TestEntry(BaseCase):
    def test_answered(self):
        call = fold([parsed(answered())], LINES)
        self.assertEqual(
            parties(call),
            {
                "direction": "inbound",
                "state": "ended",
                "result": "answered",
                "client_number": CLIENT,
                "extension": "101",
                "group_number": None,
                "started_at": T0,
                "answered_at": T0 + 20,
                "ended_at": T0 + 95,
                "wait_duration": 20,
                "talk_duration": 75,
                "callback": False,
            },
        )
        self.assertEqual((call.line_number, call.end_reason), (LINE, 1110))

    def test_extension_by_the_employees_id(self):
        leg = person("0511", 12, 20)
        del leg["call_abonent_extension"]
        people = {str(user_ref("0511")): "0511"}
        self.assertEqual(fold([parsed(entry("E1", leg), people)]).extension, "0511")
        self.assertIsNone(fold([parsed(entry("E1", leg))]).extension)

    def test_caller_by_the_employees_id(self):
        raw = entry(
            "E1",
            person(None, 1, 10, 50, number=CLIENT),
            direction="outbound",
            talk=40,
            duration=50,
            caller_id=user_ref("102"),
            caller_number="sip:x@romashka.mangosip.ru",
            called_number=CLIENT,
        )
        call = fold([parsed(raw, {str(user_ref("102")): "102"})], LINES)
        self.assertEqual((call.extension, call.client_number), ("102", CLIENT))
        self.assertEqual((call.result, call.talk_duration), ("answered", 40))

    def test_texts_and_numbers(self):
        raw = answered(context_type="1", context_status="1", duration="95")
        raw |= {"context_start_time": str(T0), "talk_duration": "75"}
        self.assertEqual(fold([parsed(raw)], LINES), fold([parsed(answered())], LINES))

    def test_group_without_anybody_rung(self):
        group = person(None, 10, None, 40, call_type="group", members=[])
        group |= {"call_abonent_extension": "500", "call_end_reason": 1164}
        call = fold([parsed(entry("E1", group, talk=0, duration=40))], LINES)
        self.assertEqual((call.result, call.extension), ("missed", None))
        self.assertEqual((call.group_number, call.end_reason), ("500", 1164))

    def test_group_by_the_pbx_id(self):
        members = [person(number, 12, None, 40) for number in ("101", "102")]
        group = person(None, 12, None, 40, call_type="group", members=members)
        group["call_abonent_id"] = 77
        raw = entry("E1", group, talk=0, duration=40)
        call = fold([parsed(raw, groups={"77": "500"})], LINES)
        self.assertEqual((call.group_number, call.extension), ("500", None))
        self.assertIsNone(fold([parsed(raw, {"77": "500"})], LINES).group_number)

    def test_service_element(self):
        service = {"call_type": "conference", "recording_id": ["R9"]}
        raw = answered()
        raw["context_calls"].append(service)
        call = fold([parsed(raw)], LINES)
        self.assertEqual([leg.leg_ref for leg in call.legs], ["L3"])
        self.assertEqual([r.ref for r in call.recordings], ["R9"])

    def test_recordings_of_legs_and_members_once(self):
        member = person("101", 12, 20, recording_id=["R1", "R2"])
        group = person(None, 12, 20, call_type="group", members=[member])
        group["recording_id"] = "[R1,R3]"
        recordings = fold([parsed(entry("E1", group))], LINES).recordings
        self.assertEqual([r.ref for r in recordings], ["R1", "R2", "R3"])
        self.assertTrue(all(r.stored for r in recordings))
        self.assertEqual(recordings[0].extension, "101")
        self.assertEqual(recordings[0].pbx_user_ref, str(user_ref("101")))

    def test_a_call_that_goes_on(self):
        talking = person("101", 12, 20, call_end_time=None)
        call = fold([parsed(entry("E1", talking))], LINES)
        self.assertEqual((call.state, call.legs), ("ringing", ()))

    def test_no_length_at_all(self):
        raw = {"entry_id": "E1", "context_type": 1, "context_start_time": T0}
        self.assertFalse(parsed(raw).is_ended)
        self.assertTrue(parsed({**raw, "duration": 0}).is_ended)

    def test_two_legs_without_names(self):
        raw = entry("E1", person("101"), person("101"), person("102"))
        refs = [leg.leg_ref for leg in fold([parsed(raw)], LINES).legs]
        self.assertEqual(len(set(refs)), 3)

    def test_no_entry(self):
        for text in ("", "[]", "{}", '{"entry_id": null}', "[" * 100000, "7" * 300000):
            with self.assertRaises(NotificationError):
                statistics.parse(text)

    def test_what_the_database_cannot_store(self):
        text = statistics.as_text({"entry_id": "E1", "caller_name": "\ud800\x00"})
        self.assertNotIn("\x00", text.encode().decode())

    @PROPERTY
    @given(_wild_entry)
    def test_anything_can_be_read(self, raw):
        call = fold([parsed(raw)], LINES)
        self.assertIn(call.state, ("ringing", "ended"))
        self.assertGreaterEqual(call.talk_duration, 0)
        self.assertGreaterEqual(call.wait_duration, 0)


@tagged("mango_office", "-at_install", "post_install")
class TestEvidence(BaseCase):
    """Statistics and notifications of one call."""

    def test_the_same_call_from_the_statistics_alone(self):
        for scenario in WHOLE:
            with self.subTest(scenario.name):
                webhook = fold(scenario.notifications, LINES)
                alone = fold([parsed(of_scenario(scenario))], LINES)
                self.assertEqual(parties(alone), parties(webhook))
                desks = {leg.leg_ref for leg in webhook.legs if not leg.is_menu}
                self.assertEqual({leg.leg_ref for leg in alone.legs}, desks)
                self.assertLessEqual(
                    {r.ref for r in alone.recordings},
                    {r.ref for r in webhook.recordings},
                )

    @PROPERTY
    @given(disordered(), st.integers(0, 40))
    def test_order_and_repetition_do_not_matter(self, drawn, place):
        scenario, notifications = drawn
        told = parsed(of_scenario(scenario))
        mixed = [*notifications[:place], told, *notifications[place:], told]
        self.assertEqual(
            fold(mixed, LINES), fold([*scenario.notifications, told], LINES)
        )

    @PROPERTY
    @given(disordered())
    def test_a_complete_call_gets_recordings_only(self, drawn):
        scenario, notifications = drawn
        raw = of_scenario(scenario)
        raw["context_calls"].append({"recording_id": ["R77"]})
        before = fold(notifications, LINES)
        after = fold([parsed(raw), *notifications], LINES)
        self.assertEqual(without_recordings(after), without_recordings(before))
        refs = {r.ref for r in after.recordings if r.stored}
        self.assertIn("R77", refs)
        self.assertLessEqual(
            {r.ref for r in before.recordings}, {r.ref for r in after.recordings}
        )

    @PROPERTY
    @given(scenarios, _wild_entry)
    def test_a_complete_call_is_safe_from_nonsense(self, scenario, raw):
        before = fold(scenario.notifications, LINES)
        after = fold([*scenario.notifications, parsed(raw)], LINES)
        self.assertEqual(without_recordings(after), without_recordings(before))

    @PROPERTY
    @given(wild_notifications(), st.lists(_wild_entry, max_size=3), st.randoms())
    def test_order_does_not_matter_even_of_nonsense(self, facts, entries, random):
        facts = [*facts, *map(parsed, entries)]
        shuffled = facts * 2
        random.shuffle(shuffled)
        self.assertEqual(fold(shuffled, LINES), fold(facts, LINES))

    @PROPERTY
    @given(disordered(), st.integers(0, 30))
    def test_an_unfinished_call_ends(self, drawn, length):
        """Whichever notifications were lost."""
        scenario, notifications = drawn
        whole = fold(scenario.notifications, LINES)
        known = [n for n in notifications[:length] if not isinstance(n, Summary)]
        call = fold([*known, parsed(of_scenario(scenario))], LINES)
        self.assertEqual(call.state, "ended")
        for name in ("result", "direction", "ended_at", "talk_duration"):
            self.assertEqual(getattr(call, name), getattr(whole, name), name)

    def test_legs_that_did_not_end_are_closed(self):
        posts = inbound_answered().posts[:6]
        facts = [*map(read, posts), parsed(answered())]
        call = fold(facts, LINES)
        talk = next(leg for leg in call.legs if leg.leg_ref == "L3")
        self.assertEqual((talk.state, talk.ended_at), ("disconnected", T0 + 95))
        late = [read(post) for post in inbound_answered().posts]
        self.assertEqual(fold([*facts, *late], LINES), fold(late, LINES))

    def test_legs_that_got_lost_are_added(self):
        posts = [post for post in missed_by_group().posts if post[0] == "events/call"]
        whole = fold(missed_by_group().notifications, LINES)
        told = parsed(of_scenario(missed_by_group()))
        desks = [leg.leg_ref for leg in whole.legs if not leg.is_menu]
        self.assertGreater(len(desks), 1)
        known = [read(p) for p in posts if p[1]["call_id"] != desks[-1]]
        call = fold([*known, told], LINES)
        self.assertEqual(
            {leg.leg_ref for leg in call.legs}, {leg.leg_ref for leg in whole.legs}
        )

    def test_legs_with_other_names_are_not_added(self):
        """It is uncertain whether both use the same leg ids (mango-api.md 10, 12)."""
        _kind, payload = leg("L1", 1, "Appeared", 0, outside(), staff("101", LINE))
        known = read(("events/call", payload))
        call = fold([known, parsed(answered())], LINES)
        self.assertEqual([leg.leg_ref for leg in call.legs], ["L1"])
        self.assertEqual(call.result, "answered")

    def test_a_prefix_is_no_part_of_the_clients_number(self):
        _kind, payload = leg("L1", 1, "Appeared", 0, staff("101"), outside())
        raw = entry(
            "E1",
            direction="outbound",
            caller_extension="101",
            called_number="7007" + CLIENT,
        )
        call = fold([read(("events/call", payload)), parsed(raw)], LINES)
        self.assertEqual(call.client_number, CLIENT)

    def test_recordings_of_the_webhook_keep_what_they_say(self):
        told = parsed(answered(recordings=["R1"]))
        event = RecordingEvent(
            "events/recording", "E1", "R1", 2, "completed", extension="777"
        )
        added = RecordAdded("events/record/added", "E1", "R1", "42", timestamp=T0)
        [recording] = fold([told, event, added], LINES).recordings
        self.assertEqual((recording.extension, recording.pbx_user_ref), ("777", "42"))

    def test_text_is_stable(self):
        """The same entry is the same notification, however often it is fetched."""
        raw = json.loads(json.dumps(answered()))
        self.assertEqual(statistics.as_text(raw), statistics.as_text(answered()))
