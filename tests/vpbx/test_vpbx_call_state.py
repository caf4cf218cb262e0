"""The fold over the notifications of a call, in any order."""

import json
from dataclasses import replace
from itertools import permutations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ...vpbx.call_state import fold
from ...vpbx.errors import NotificationError
from ...vpbx.notifications import Summary, Tracking, parse
from ..vpbx_scenarios import (
    CALLBACK,
    CLIENT,
    LINE,
    LINES,
    SCENARIOS,
    T0,
    blind_transfer,
    callback_answered,
    consultation,
    dialled,
    inbound_answered,
    leg,
    menu,
    outbound,
    outside,
    read,
    result,
    routed,
    staff,
    summary,
)

PROPERTY = settings(
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)

scenarios = st.sampled_from(SCENARIOS)


@st.composite
def disordered(draw):
    """Draw a scenario with its notifications shuffled, some of them repeated."""
    scenario = draw(scenarios)
    complete = scenario.notifications
    repeated = draw(st.lists(st.sampled_from(complete), max_size=8))
    return scenario, draw(st.permutations(complete + repeated))


# Wild notifications: few ids and small numbers, so that they meet; odd values anywhere.
_odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 3),
    st.integers(),
    st.floats(),
    st.text(max_size=6),
    st.sampled_from(["", "1000", "1121", CLIENT, LINE, "\x00", "\ud800", "9" * 400]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


def _or_odd(*values):
    return st.one_of(st.sampled_from(values), _odd)


_ref = _or_odd("A", "B", "C")
_moment = st.one_of(
    st.integers(T0 - 5, T0 + 5), st.integers(-(10**20), 10**20), st.none(), _odd
)
_party = st.one_of(
    st.fixed_dictionaries(
        {},
        optional={
            "number": _or_odd(CLIENT, LINE, "sip:a@x.mangosip.ru", "102"),
            "extension": _or_odd("101", "102", "500"),
            "line_number": _or_odd(LINE),
            "acd_group": _or_odd("500"),
            "taken_from_call_id": _ref,
            "was_transfered": _odd,
        },
    ),
    _odd,
)
_payload = st.fixed_dictionaries(
    {},
    optional={
        "entry_id": _or_odd("E1", "E1", "E2"),
        "call_id": _ref,
        "seq": _or_odd(1, 2, "2", 3),
        "call_state": _or_odd("Appeared", "Connected", "OnHold", "Disconnected"),
        "location": _or_odd("ivr", "queue", "abonent"),
        "timestamp": _moment,
        "from": _party,
        "to": _party,
        "disconnect_reason": _or_odd(1110, 1121, 2219),
        "command_id": _or_odd("cmd"),
        "callback_initiator": _or_odd("API"),
        "task_id": _odd,
        "transfer": _or_odd("blind"),
        "call_direction": _or_odd(0, 1, 2),
        "line_number": _or_odd(LINE),
        "create_time": _moment,
        "forward_time": _moment,
        "talk_time": _moment,
        "end_time": _moment,
        "entry_result": _or_odd(0, 1),
        "recording_id": _ref,
        "recording_state": _or_odd("Started", "Completed"),
        "completion_code": _or_odd(1000, 4002),
        "recipient": _or_odd("Cloud"),
        "extension": _or_odd("101"),
        "user_id": _or_odd(-1, 400000101),
        "result": _or_odd(1000, "4101"),
    },
)
_kind = st.sampled_from(
    [
        "events/call",
        "events/call",
        "events/summary",
        "events/recording",
        "events/record/added",
        "result/route",
        "events/weather",
        "",
    ]
)


@st.composite
def wild_notifications(draw):
    """Draw notifications that pass the parser from wild payloads."""
    passed = []
    for kind, payload in draw(st.lists(st.tuples(_kind, _payload), max_size=12)):
        try:
            passed.append(parse(kind, json.dumps(payload)))
        except NotificationError:
            continue
    return passed


@tagged("mango_office", "-at_install", "post_install")
class TestScenarios(BaseCase):
    """Every situation of the manual gives the results of its tables."""

    def test_scenarios(self):
        for scenario in SCENARIOS:
            with self.subTest(scenario.name):
                self.assert_outcome(scenario, fold(scenario.notifications, LINES))

    def assert_outcome(self, scenario, call):
        for name, expected in scenario.expected.items():
            if name == "legs":
                actual = [
                    (leg.leg_ref, leg.location, leg.state, leg.end_reason)
                    for leg in call.legs
                ]
            elif name == "recordings":
                actual = [
                    (r.ref, r.extension, r.pbx_user_ref, r.stored, r.completion_code)
                    for r in call.recordings
                ]
            else:
                actual = getattr(call, name)
            self.assertEqual(actual, expected, f"{scenario.name}: {name}")
        self.assertEqual(call.entry_id, "E1")
        self.assertTrue(call.all_legs_gone)
        self.assertIsNone(call.in_menu_leg)

    def test_scenario_names_are_unique(self):
        self.assertEqual(len({s.name for s in SCENARIOS}), len(SCENARIOS))


@tagged("mango_office", "-at_install", "post_install")
@tagged("post_install", "-at_install")
class TestTracking(BaseCase):
    def test_any_notification_may_tell_it(self):
        dct = {"type": 1, "number": "74950000150"}
        posts = inbound_answered().posts
        for place, (kind, payload) in enumerate(posts):
            if kind not in ("events/call", "events/summary"):
                continue
            told = [
                *posts[:place],
                (kind, {**payload, "dct": dct}),
                *posts[place + 1 :],
            ]
            with self.subTest(place=place):
                state = fold(map(read, told))
                self.assertEqual(state.tracking, Tracking("dynamic", "74950000150"))
        self.assertIsNone(fold(map(read, posts)).tracking)


@tagged("post_install", "-at_install")
class TestProperties(BaseCase):
    """Invariants of every call."""

    @PROPERTY
    @given(disordered())
    def test_order_and_repetition_do_not_matter(self, drawn):
        scenario, notifications = drawn
        self.assertEqual(
            fold(notifications, LINES), fold(scenario.notifications, LINES)
        )

    @PROPERTY
    @given(wild_notifications(), st.randoms(use_true_random=False))
    def test_order_does_not_matter_even_of_nonsense(self, notifications, random):
        shuffled = notifications * 2
        random.shuffle(shuffled)
        self.assertEqual(fold(shuffled, LINES), fold(notifications, LINES))

    @PROPERTY
    @given(scenarios, wild_notifications())
    def test_nothing_reopens_an_ended_call(self, scenario, more):
        ended = fold(scenario.notifications, LINES)
        later = fold(scenario.notifications + more, LINES)
        self.assertEqual(later.state, "ended")
        self.assertIsNotNone(later.result)
        self.assertIsNone(later.in_menu_leg)
        if not any(isinstance(notification, Summary) for notification in more):
            self.assertEqual(later.ended_at, ended.ended_at)
            self.assertEqual(later.end_reason, ended.end_reason)

    @PROPERTY
    @given(wild_notifications(), st.one_of(st.none(), st.just(T0)))
    def test_total(self, notifications, closed_at):
        call = fold(notifications, LINES, closed_at)
        self.assertGreaterEqual(call.wait_duration, 0)
        self.assertGreaterEqual(call.talk_duration, 0)
        self.assertIn(call.direction, ("inbound", "outbound", "internal", None))
        self.assertIn(call.state, ("ringing", "talking", "ended"))
        self.assertEqual(call.result is None, call.state != "ended")
        has_summary = any(isinstance(n, Summary) for n in notifications)
        self.assertEqual(call.state == "ended", has_summary or closed_at is not None)
        if call.result == "missed":
            self.assertEqual(call.direction, "inbound")
        if call.direction == "internal":
            self.assertIsNone(call.client_number)

    @PROPERTY
    @given(wild_notifications())
    def test_missed_call_belongs_to_the_only_one_rung(self, notifications):
        call = fold(notifications, LINES)
        states = {
            getattr(notification, "state", None) for notification in notifications
        }
        rung = {leg.to_extension for leg in call.legs if not leg.is_menu}
        rung -= {None, *(leg.acd_group for leg in call.legs)}
        if call.result != "missed" or not rung or states & {"connected", "onhold"}:
            return
        self.assertEqual(call.extension, rung.pop() if len(rung) == 1 else None)

    @PROPERTY
    @given(disordered(), st.integers(0, 30))
    def test_a_live_call_ends_with_its_summary_only(self, drawn, length):
        _scenario, notifications = drawn
        arrived = notifications[:length]
        has_summary = any(isinstance(n, Summary) for n in arrived)
        self.assertEqual(fold(arrived, LINES).state == "ended", has_summary)


@tagged("mango_office", "-at_install", "post_install")
class TestLiveCalls(BaseCase):
    """A call before its end, as the notifications arrive."""

    def fold(self, *posts, **options):
        return fold([read(post) for post in posts], LINES, **options)

    def test_course_of_an_inbound_call(self):
        posts = inbound_answered().posts
        steps = [
            # posts so far, state, leg in menu or queue, extension
            (1, "ringing", "L1", None),
            (2, "ringing", None, None),
            (3, "ringing", "L2", None),
            (4, "ringing", "L2", None),
            (5, "ringing", "L2", None),
            (6, "talking", None, "101"),
            (9, "talking", None, "101"),
            (10, "ended", None, "101"),
        ]
        for count, state, menu_leg, extension in steps:
            with self.subTest(posts=count):
                call = self.fold(*posts[:count])
                self.assertEqual(call.state, state)
                self.assertEqual(call.in_menu_leg, menu_leg)
                self.assertEqual(call.extension, extension)
                self.assertEqual(call.direction, "inbound")
                self.assertEqual(call.client_number, CLIENT)
                self.assertEqual(call.line_number, LINE)

    def test_leaving_the_menu_is_not_the_end(self):
        call = self.fold(*menu())
        self.assertEqual((call.state, call.result), ("ringing", None))
        self.assertTrue(call.all_legs_gone)
        self.assertIsNone(call.ended_at)

    def test_menu_leg_that_another_leg_continues_is_over(self):
        appeared = routed().posts[0]
        anna = routed().posts[3]
        self.assertEqual(self.fold(appeared).in_menu_leg, "L1")
        self.assertIsNone(self.fold(appeared, anna).in_menu_leg)

    def test_routed_leg_alone_is_inbound(self):
        call = self.fold(routed().posts[3])
        self.assertEqual(call.direction, "inbound")
        self.assertFalse(call.callback)
        self.assertEqual(call.client_number, CLIENT)

    def test_course_of_a_callback(self):
        posts = callback_answered().posts
        steps = [(2, "ringing"), (3, "ringing"), (4, "ringing"), (6, "talking")]
        for count, state in steps:
            with self.subTest(posts=count):
                call = self.fold(*posts[:count])
                self.assertEqual(call.state, state)
                self.assertEqual(call.direction, "outbound")
                self.assertEqual(call.client_number, CLIENT)
                self.assertEqual(call.extension, "101")
                self.assertTrue(call.callback)

    def test_second_leg_of_a_callback_first(self):
        call = self.fold(callback_answered().posts[3])
        self.assertEqual(call.direction, "outbound")
        self.assertEqual(call.client_number, CLIENT)
        self.assertEqual(call.extension, "101")

    def test_callback_summary_that_says_inbound(self):
        # mango-api.md 10, 11: no sample of it is known
        *posts, _summary = callback_answered().posts
        call = self.fold(
            *posts, summary(1, outside(), staff("101"), talk=15, end=75, reason=1120)
        )
        self.assertEqual(call.direction, "outbound")
        self.assertEqual(call.client_number, CLIENT)
        self.assertEqual(call.extension, "101")

    def test_callback_merged_into_one_leg(self):
        # mango-api.md 10, 10
        call = self.fold(
            leg("L1", 1, "Appeared", 0, outside(), staff("101"), **CALLBACK),
            leg("L1", 2, "Connected", 5, outside(), staff("101"), **CALLBACK),
        )
        self.assertEqual(call.state, "ringing")
        call = self.fold(
            leg("L1", 2, "Connected", 5, outside(), staff("101"), **CALLBACK),
            leg("L1", 3, "Connected", 9, staff("101"), outside(), **CALLBACK),
        )
        self.assertEqual(call.state, "talking")
        self.assertEqual(call.answered_at, T0 + 9)

    def test_own_hangup_does_not_make_a_callback(self):
        call = self.fold(
            leg("L1", 1, "Appeared", 0, outside(), staff("101", LINE)),
            leg(
                "L1",
                2,
                "Disconnected",
                5,
                outside(),
                staff("101", LINE),
                reason=1181,
                command_id="odoo-hangup-1",
            ),
        )
        self.assertFalse(call.callback)
        self.assertEqual(call.direction, "inbound")
        self.assertEqual(call.command_ids, ("odoo-hangup-1",))

    def test_talk_lasts_through_hold_and_transfer(self):
        posts = consultation().posts
        for count in range(2, 9):
            with self.subTest(posts=count):
                call = self.fold(*posts[:count])
                self.assertEqual(call.state, "talking")
                self.assertEqual(call.extension, "101")
                self.assertEqual(call.answered_at, T0 + 5)

    def test_consultation_is_no_talk_with_the_client(self):
        # 102 answers the colleague's question before the client's leg is known
        call = self.fold(
            leg("L1", 1, "Appeared", 0, outside(), staff("101", LINE)),
            leg("L2", 2, "Connected", 9, staff("103", taken_from="L1"), staff("102")),
        )
        self.assertEqual(call.state, "ringing")

    def test_newest_seq_is_the_whole_state_of_a_leg(self):
        posts = blind_transfer().posts
        before = self.fold(*posts[:4]).legs[1]
        self.assertEqual(
            (before.from_extension, before.from_number[:4]), ("101", "sip:")
        )
        after = self.fold(*posts[:6]).legs[1]
        self.assertEqual((after.from_extension, after.from_number), (None, CLIENT))
        self.assertEqual(after.state, "appeared")
        self.assertEqual(after.started_at, T0 + 20)
        self.assertEqual(after.seq, 2)

    def test_higher_seq_wins_over_a_later_timestamp(self):
        anna = staff("101", LINE)
        call = self.fold(
            leg("L1", 3, "Disconnected", 5, outside(), anna, reason=1120),
            leg("L1", 2, "Connected", 9, outside(), anna),
        )
        self.assertEqual(call.legs[0].state, "disconnected")
        self.assertEqual(call.legs[0].end_reason, 1120)

    def test_legs_of_one_second_are_ordered_by_descent(self):
        call = self.fold(
            leg("A", 1, "Appeared", 0, outside(taken_from="B"), staff("101", LINE)),
            leg("B", 1, "Appeared", 0, outside(), {"number": LINE}, place="ivr"),
        )
        self.assertEqual([leg.leg_ref for leg in call.legs], ["B", "A"])

    def test_directions(self):
        anna, boris = staff("101"), staff("102")
        other = "74950000203"
        device = {"number": "sip:user101@romashka.mangosip.ru"}
        cases = [
            # from, to, more, direction by mango-api.md 4.7
            (outside(), anna, CALLBACK, "outbound"),
            (outside(), anna, {"command_id": "c"}, "outbound"),
            (outside(), anna, {"task_id": 7}, "outbound"),
            (outside(), anna, {"task_id": 0}, "inbound"),
            (anna, boris, {}, "internal"),
            (anna, {"extension": "102", "number": other}, {}, "outbound"),
            (anna, outside(), {}, "outbound"),
            ({"extension": "101"}, {}, {}, "outbound"),
            (outside(), anna, {}, "inbound"),
            (outside(), {"number": LINE, "line_number": LINE}, {}, "inbound"),
            ({}, anna, {}, "inbound"),
            (outside(), outside(other), {}, "outbound"),
            (device, {"number": LINE}, {}, None),
            ({}, {}, {}, None),
        ]
        for caller, callee, more, direction in cases:
            with self.subTest(caller=caller, callee=callee, more=more):
                call = self.fold(leg("L1", 1, "Appeared", 0, caller, callee, **more))
                self.assertEqual(call.direction, direction)

    def test_direction_of_a_menu_leg_without_parties(self):
        call = self.fold(leg("L1", 1, "Appeared", 0, {}, {}, place="ivr"))
        self.assertEqual(call.direction, "inbound")

    def test_summary_overrules_the_direction(self):
        posts = outbound(1110, talk=8).posts
        self.assertEqual(self.fold(*posts[:2]).direction, "outbound")
        call = self.fold(
            *posts[:2],
            summary(0, staff("101"), staff("102"), talk=8, end=9, reason=1110),
        )
        self.assertEqual(call.direction, "internal")
        self.assertIsNone(call.client_number)

    def test_our_own_numbers_are_never_the_client(self):
        for number in (
            LINE,
            f"+{LINE}",
            "sip:user105@romashka.mangosip.ru",
            "user105@romashka.mangosip.ru",
            "anonymous",
            "sip:anonymous@anonymous.invalid",
            "",
            None,
        ):
            with self.subTest(number=number):
                post = leg(
                    "L1", 1, "Appeared", 0, {"number": number}, staff("101", LINE)
                )
                call = self.fold(post)
                self.assertIsNone(call.client_number)
                self.assertEqual(call.direction, "inbound")

    def test_client_of_another_sip_provider(self):
        for number in ("sip:74950000201@sip.example", "sip:alice@partner.example.org"):
            with self.subTest(number=number):
                caller = {"number": number}
                call = self.fold(
                    leg("L1", 1, "Appeared", 0, caller, staff("101", LINE))
                )
                self.assertEqual(call.client_number, number)
                self.assertEqual(call.direction, "inbound")

    def test_line_of_an_outgoing_call(self):
        """Before the summary, only the caller has it (mango-api.md 3.1)."""
        call = self.fold(leg("L1", 1, "Appeared", 0, staff("101", LINE), outside()))
        self.assertEqual(call.line_number, LINE)

    def test_client_of_a_summary_alone(self):
        call = self.fold(
            summary(2, staff("101"), outside(), talk=None, end=9, reason=1111)
        )
        self.assertEqual(call.client_number, CLIENT)
        self.assertEqual(call.extension, "101")
        self.assertEqual(call.result, "unanswered")
        self.assertEqual(call.legs, ())
        self.assertFalse(call.all_legs_gone)

    def test_client_missing_in_the_summary(self):
        *posts, _summary = inbound_answered().posts
        call = self.fold(
            *posts, summary(1, {}, staff("101"), talk=20, end=95, reason=1110)
        )
        self.assertEqual(call.client_number, CLIENT)

    def test_colleagues_mobile_is_not_the_client(self):
        mobile = {"extension": "102", "number": "74950000301"}
        call = self.fold(
            leg("L1", 1, "Appeared", 0, {}, staff("101", LINE)),
            leg("L1", 2, "Connected", 4, {}, staff("101", LINE)),
            leg("L2", 1, "Appeared", 9, {**mobile, "taken_from_call_id": "L1"}, {}),
        )
        self.assertIsNone(call.client_number)

    def test_late_event_keeps_the_call_ended(self):
        late = leg("L3", 2, "Connected", 20, outside(taken_from="L1"), staff("101"))
        end = inbound_answered().posts[-1]
        call = self.fold(end, late)
        self.assertEqual((call.state, call.result), ("ended", "answered"))
        self.assertEqual(call.legs[0].state, "connected")

    def test_summary_says_nobody_talked(self):
        posts = inbound_answered().posts
        end = summary(1, outside(), {}, talk=None, end=30, reason=1170)
        call = self.fold(*posts[:6], end)
        self.assertEqual((call.result, call.answered_at), ("missed", None))
        self.assertEqual((call.wait_duration, call.talk_duration), (30, 0))

    def test_outcomes_without_a_talk(self):
        for reason, expected in [
            (1111, "unanswered"),
            (1122, "unanswered"),
            (1123, "unanswered"),
            (1121, "busy"),
            (1312, "busy"),
            (1131, "failed"),
            (1133, "failed"),
            (2219, "failed"),
            (2240, "failed"),
            (3200, "failed"),
            (4200, "failed"),
            (5001, "failed"),
            (5003, "failed"),
            (None, "unanswered"),
        ]:
            with self.subTest(reason=reason):
                end = summary(
                    2, staff("101"), outside(), talk=None, end=9, reason=reason
                )
                self.assertEqual(self.fold(end).result, expected)
                end = summary(
                    1, outside(), staff("101"), talk=None, end=9, reason=reason
                )
                self.assertEqual(self.fold(end).result, "missed")

    def test_clock_running_backwards(self):
        end = summary(1, outside(), staff("101"), talk=50, end=20, reason=1110)
        end[1]["create_time"] = T0 + 80
        call = self.fold(end)
        self.assertEqual(call.result, "answered")
        self.assertEqual((call.wait_duration, call.talk_duration), (0, 0))

    def test_closed_without_a_summary(self):
        *posts, _summary = inbound_answered().posts
        call = self.fold(*posts, closed_at=T0 + 700)
        self.assertEqual((call.state, call.result), ("ended", "answered"))
        self.assertEqual(call.ended_at, T0 + 95)  # the last notification
        self.assertEqual(call.talk_duration, 75)
        self.assertEqual(call.end_reason, 1110)

    def test_closed_while_a_leg_is_open(self):
        call = self.fold(inbound_answered().posts[0], closed_at=T0 + 9000)
        self.assertEqual((call.state, call.result), ("ended", "missed"))
        self.assertEqual(call.ended_at, T0 + 9000)
        self.assertIsNone(call.in_menu_leg)

    def test_closed_callback_ignores_how_its_first_leg_ended(self):
        posts = callback_answered().posts
        call = self.fold(*posts[:5], posts[6], closed_at=T0 + 700)
        self.assertEqual(call.end_reason, 1120)

    def test_summary_after_closing(self):
        posts = inbound_answered().posts
        self.assertEqual(self.fold(*posts, closed_at=T0 + 700), self.fold(*posts))

    def test_nothing_known(self):
        for posts in ((), (result("route", "c", 1000),)):
            call = self.fold(*posts)
            self.assertEqual(call.state, "ringing")
            self.assertIsNone(call.entry_id)
            self.assertIsNone(call.direction)

    def test_menu_that_answers_is_no_talk(self):
        call = self.fold(
            leg("L1", 1, "Appeared", 0, outside(), dialled(), place="ivr"),
            leg("L1", 2, "Connected", 1, outside(), dialled(), place="ivr.1.2"),
        )
        self.assertEqual(call.state, "ringing")
        self.assertEqual(call.in_menu_leg, "L1")

    def test_queue_lasts_while_phones_ring(self):
        waiting = {"line_number": LINE, "acd_group": "500"}
        call = self.fold(
            leg("L1", 1, "Appeared", 0, outside(), waiting, place="queue"),
            leg("L2", 1, "Appeared", 1, outside(taken_from="L1"), staff("101")),
        )
        self.assertEqual(call.in_menu_leg, "L1")

    def test_end_by_our_hangup_known_first(self):
        end = leg("L1", 2, "Disconnected", 5, outside(), staff("101"), command_id="c")
        self.assertFalse(self.fold(end).callback)
        self.assertEqual(self.fold(end).direction, "inbound")

    def test_second_leg_dated_before_the_first(self):
        command = {"command_id": "odoo-cb-0001"}
        asked = staff("101", taken_from="L1")
        call = self.fold(
            leg("L2", 1, "Appeared", 0, asked, outside(), **command),
            leg("L1", 1, "Appeared", 1, outside(), staff("101"), **command),
        )
        self.assertTrue(call.callback)

    def test_callback_to_a_colleague_has_no_client(self):
        colleague = {"extension": "102", "number": "102"}
        call = self.fold(
            leg("L1", 1, "Appeared", 0, colleague, staff("101"), **CALLBACK)
        )
        self.assertIsNone(call.client_number)
        self.assertEqual(call.direction, "outbound")

    def test_later_events_may_leave_things_out(self):
        bare = {"entry_id": "E1", "call_id": "L1", "seq": 3, "call_state": "Connected"}
        call = self.fold(
            leg("L1", 1, "Appeared", 0, outside(), staff("101", LINE, "500")),
            ("events/call", bare),
        )
        [only] = call.legs
        self.assertEqual((call.state, call.line_number), ("talking", LINE))
        self.assertEqual((only.location, only.line_number), ("abonent", LINE))
        self.assertEqual((only.acd_group, only.to_extension), ("500", "101"))
        self.assertEqual((only.from_number, only.answered_at), (CLIENT, None))

    def test_unknown_parties(self):
        call = self.fold(leg("L1", 1, "Appeared", 0, {}, {}, place="ivr"))
        self.assertIsNone(call.legs[0].from_number)
        self.assertIsNone(call.legs[0].to_extension)

    def test_line_of_a_menu_that_does_not_name_it(self):
        dialled_number = {"number": LINE}
        call = self.fold(
            leg("L1", 1, "Appeared", 0, outside(), dialled_number, place="ivr")
        )
        self.assertEqual(call.line_number, LINE)

    def test_leg_that_came_back_is_not_gone(self):
        anna = staff("101", LINE)
        call = self.fold(
            leg("L1", 2, "Disconnected", 5, outside(), anna, reason=1111),
            leg("L1", 3, "Appeared", 6, outside(), anna),
        )
        self.assertFalse(call.all_legs_gone)
        self.assertIsNone(call.legs[0].ended_at)
        self.assertIsNone(call.legs[0].end_reason)

    def test_group_that_answered(self):
        call = self.fold(
            leg("L1", 1, "Appeared", 0, outside(), staff("101", LINE, "500")),
            leg("L2", 1, "Appeared", 9, outside(), staff("104", LINE, "501")),
            leg("L2", 2, "Connected", 12, outside(), staff("104", LINE, "501")),
        )
        self.assertEqual((call.group_number, call.extension), ("501", "104"))

    def test_missed_by_one_or_by_several(self):
        """Neither the employee in the summary nor the order of the legs matters."""
        end = summary(1, outside(), staff("101"), talk=None, end=60, reason=1111)
        rings = [
            leg("L1", 1, "Appeared", 0, outside(), staff("102", LINE, "500")),
            leg("L2", 1, "Appeared", 20, outside(), staff("103", LINE, "500")),
            leg("L3", 1, "Appeared", 40, outside(), staff("103", LINE, "500")),
        ]
        for posts, extension in (
            ([], "101"),
            (rings[:1], "102"),
            (rings[1:], "103"),
            (rings[:2], None),
        ):
            for order in permutations([*posts, end]):
                with self.subTest(extension=extension):
                    self.assertEqual(self.fold(*order).extension, extension)
        for post in rings:
            self.assertIsNone(self.fold(post).extension)

    def test_picked_up_and_yet_missed(self):
        """The employee who picked up has the call, even if the PBX reports a miss."""
        call = self.fold(
            leg("L1", 1, "Appeared", 0, outside(), staff("101", LINE, "500")),
            leg("L2", 1, "Appeared", 0, outside(), staff("102", LINE, "500")),
            leg("L2", 2, "Connected", 3, outside(), staff("102", LINE, "500")),
            summary(1, outside(), staff("101"), talk=None, end=3, reason=1110),
        )
        self.assertEqual((call.result, call.extension), ("missed", "102"))

    def test_conflicting_events_with_one_seq(self):
        anna = staff("101", LINE)
        posts = [
            leg("L1", 2, "Disconnected", 5, outside(), anna, reason=1120),
            leg("L1", 2, "Connected", 5, outside(), anna),
            leg("L1", 2, "Appeared", 4, outside(), anna),
        ]
        for order in permutations(posts):
            self.assertEqual(self.fold(*order).legs[0].state, "disconnected")

    def test_two_summaries(self):
        parties = outside(), staff("101")
        early = summary(1, *parties, talk=5, end=9, reason=1110)
        late = summary(1, *parties, talk=5, end=19, reason=1120)
        for posts in ([early, late], [late, early]):
            call = self.fold(*posts)
            self.assertEqual((call.talk_duration, call.end_reason), (14, 1120))

    def test_stored_recordings(self):
        for state, code, recipient, expected in [
            ("Completed", 1000, "Cloud", (True, False)),
            ("Completed", "1000", "CloudAndMail", (True, False)),
            ("Completed", 1000, "Mail", (False, False)),
            ("Completed", 1000, None, (False, False)),
            ("Completed", 4002, "Cloud", (False, False)),
            ("Completed", 2240, "Cloud", (False, True)),
            ("Started", None, "Cloud", (False, False)),
        ]:
            with self.subTest(state=state, code=code, recipient=recipient):
                payload = {
                    "entry_id": "E1",
                    "recording_id": "R1",
                    "recording_state": state,
                    "completion_code": code,
                    "recipient": recipient,
                }
                [recording] = self.fold(("events/recording", payload)).recordings
                found = recording.stored, recording.is_refused
                self.assertEqual(found, expected)

    def recorded(self, state, at, **more):
        return "events/recording", {
            "entry_id": "E1",
            "recording_id": "R1",
            "recording_state": state,
            "extension": "102",
            "timestamp": T0 + at,
            **more,
        }

    def test_only_a_recording(self):
        """A stored recording proves a talk of the recorded employee."""
        started = self.recorded("Started", 20)
        stored = self.recorded("Completed", 80, completion_code=1000, recipient="Cloud")
        call = self.fold(started)
        self.assertEqual((call.state, call.started_at), ("ringing", T0 + 20))
        self.assertFalse(call.all_legs_gone)
        call = self.fold(started, stored)
        self.assertEqual((call.state, call.direction), ("talking", None))
        self.assertEqual((call.extension, call.started_at), ("102", T0 + 20))
        self.assertTrue(call.all_legs_gone)
        call = self.fold(started, stored, closed_at=T0 + 700)
        self.assertEqual((call.state, call.result), ("ended", "answered"))
        self.assertEqual(call.ended_at, T0 + 700)

    def test_recording_says_nothing_beside_the_call(self):
        stored = self.recorded("Completed", 80, completion_code=1000, recipient="Cloud")
        posts = menu()
        with_recording, without = self.fold(*posts, stored), self.fold(*posts)
        self.assertEqual(replace(with_recording, recordings=()), without)

    def test_closed_callback_whose_first_leg_ended_last(self):
        anna = staff("101", taken_from="L1")
        call = self.fold(
            leg(
                "L1",
                3,
                "Disconnected",
                12,
                outside(),
                staff("101"),
                reason=1100,
                **CALLBACK,
            ),
            leg("L2", 2, "Disconnected", 9, anna, outside(), reason=1121, **CALLBACK),
            closed_at=T0 + 700,
        )
        self.assertEqual((call.end_reason, call.result), (1121, "busy"))

    def test_closed_call_whose_queue_ended_last(self):
        call = self.fold(
            leg("L1", 2, "Disconnected", 43, outside(), {}, place="queue", reason=1100),
            leg("L2", 2, "Disconnected", 42, outside(), staff("101"), reason=1111),
            closed_at=T0 + 700,
        )
        self.assertEqual(call.end_reason, 1111)
        self.assertEqual(call.ended_at, T0 + 43)

    def test_taken_from_in_a_circle(self):
        call = self.fold(
            leg("A", 1, "Appeared", 0, outside(taken_from="B"), staff("101", LINE)),
            leg("B", 1, "Appeared", 0, outside(taken_from="A"), staff("102", LINE)),
            leg("C", 1, "Appeared", 0, outside(taken_from="C"), staff("103", LINE)),
        )
        self.assertEqual(call.direction, "inbound")
        self.assertEqual(len(call.legs), 3)
