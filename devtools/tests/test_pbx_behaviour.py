"""Employees, groups, queues and re-routing: what a routing plan meets at the PBX."""

from devtools.pbx.commands import Refused
from devtools.pbx.company import MODES

from .test_pbx_calls import CUSTOMER, CallCase

OTHER = "74950000200"


class BehaviourCase(CallCase):
    settings = {"client": "answer"}

    def staff(self, extension):
        return self.pbx.company.find_staff(extension)

    def behave(self, **modes):
        """Set modes, such as ``e101="busy"``."""
        for name, mode in modes.items():
            self.staff(name[1:]).own_mode = mode

    def call(self, number=CUSTOMER, **options):
        options = {"staff_answers": True, "talk_seconds": 10, **options}
        return self.exchange.call_in(number, **options)

    def route(self, call, to, leg=None):
        leg = leg or call.live_legs[-1]
        params = {"command_id": f"to-{to}", "call_id": leg.call_id, "to_number": to}
        return self.commands.route(params)

    def ends(self, location="abonent"):
        return [
            (e["to"].get("extension"), e["disconnect_reason"])
            for e in self.received.of("events/call")
            if e["call_state"] == "Disconnected" and e["location"] == location
        ]

    def rung(self):
        return [
            e["to"].get("extension") or e["to"].get("number")
            for e in self.received.of("events/call")
            if e["call_state"] == "Appeared" and e["location"] == "abonent"
        ]


class TestModes(BehaviourCase):
    def routed(self, mode, seconds=60, **options):
        self.behave(e101=mode)
        call = self.call(**options)
        self.route(call, "101")
        self.advance(seconds)
        return call

    def test_reasons(self):
        reasons = {"busy": 1121, "decline": 1122, "dnd": 1123, "silent": 1111}
        for mode, reason in reasons.items():
            with self.subTest(mode=mode):
                self.setUp()
                call = self.routed(mode)
                self.assertEqual(self.ends(), [("101", reason)])
                self.assertEqual(call.reason, reason)
                self.assertFalse(call.talk_at)

    def test_off_schedule_is_not_notified(self):
        call = self.routed("off")
        self.assertEqual(self.rung(), [])
        self.assertEqual(call.reason, 1192)

    def test_answers_by_themselves(self):
        self.behave(e101="answer")
        call = self.call(staff_answers=False)
        self.route(call, "101")
        self.advance(4)
        self.assertEqual(call.stage, "talking")
        self.advance(10)
        self.assertEqual(self.summary()["to"]["extension"], "101")

    def test_on_waits_for_somebody(self):
        call = self.call(staff_answers=False)
        self.route(call, "101")
        self.advance(29)
        self.assertEqual(self.exchange.state_of("101"), "ringing")
        self.assertTrue(call.live)

    def test_callback_off_schedule(self):
        self.behave(e101="off")
        call = self.exchange.callback("101", CUSTOMER, command_id="c")
        self.advance(1)
        self.assertEqual(call.reason, 1192)
        self.assertEqual(self.rung(), [])

    def test_impatient_customer(self):
        call = self.routed("silent", patience=12)
        self.assertEqual(call.reason, 1110)

    def test_the_latest_scenario_wins_and_leaves_no_trace(self):
        self.pbx.play("owner-busy-unseen")
        self.pbx.play("owner-declines")
        self.assertEqual(self.staff("101").mode, "decline")
        self.advance(400)
        self.assertEqual(self.staff("101").mode, "on")


class TestForwarding(BehaviourCase):
    def routed(self, mode, forward):
        self.behave(e101=mode)
        self.staff("101").own_forward = forward
        call = self.call()
        self.route(call, "101")
        self.advance(60)
        return call

    def test_to_the_mobile(self):
        mobile = self.staff("101").mobile
        for mode in ("busy", "decline", "dnd", "off", "silent"):
            with self.subTest(mode=mode):
                self.setUp()
                self.routed(mode, mobile)
                last = self.received.of("events/call")[-1]
                self.assertEqual(last["to"]["number"], mobile)
                self.assertEqual(last["to"]["extension"], "101")
                self.assertEqual(self.summary()["entry_result"], 1)

    def test_new_leg_is_taken_from_the_old_one(self):
        self.routed("busy", self.staff("101").mobile)
        first, second = [
            events
            for events in self.received.legs().values()
            if events[0]["location"] == "abonent"
        ]
        self.assertEqual(second[0]["from"]["taken_from_call_id"], first[0]["call_id"])
        self.assertEqual(second[0]["command_id"], "to-101")

    def test_to_a_colleague_and_outside(self):
        self.assertEqual(self.routed("busy", "104").talker.extension, "104")
        self.setUp()
        call = self.routed("busy", "74950000777")
        self.assertEqual(call.talker.callee, {"number": "74950000777"})

    def test_circle_ends(self):
        self.behave(e102="busy")
        self.staff("102").own_forward = "101"
        call = self.routed("busy", "102")
        self.assertEqual(call.reason, 1134)

    def test_not_for_a_member_of_a_group(self):
        self.behave(e102="off", e103="off", e101="decline")
        self.staff("101").own_forward = "104"
        call = self.call()
        self.advance(60)
        self.assertEqual(self.rung(), ["101"])
        self.assertEqual(call.reason, 1122)


class TestGroups(BehaviourCase):
    def order(self, algorithm, priorities=None, **options):
        """Return whom a group of three rings, each with the second of the ringing."""
        group = self.pbx.company.find_group("500")
        group.algorithm, group.priorities = algorithm, priorities or {}
        for extension in group.members:
            self.staff(extension).wait_sec = 10
        call = self.exchange.call_in(CUSTOMER, greeting=0, **options)
        self.advance(60)
        start = int(call.created_at)
        return [
            (event["to"]["extension"], event["timestamp"] - start)
            for event in self.received.of("events/call")
            if event["call_state"] == "Appeared"
        ]

    def test_serial(self):
        self.assertEqual(self.order(0), [("101", 0), ("102", 10), ("103", 20)])

    def test_parallel(self):
        self.assertEqual(self.order(2), [("101", 0), ("102", 0), ("103", 0)])

    def test_parallel_by_priority(self):
        self.assertEqual(
            self.order(1, {"101": 2, "102": 1, "103": 2}),
            [("102", 0), ("101", 10), ("103", 10)],
        )

    def test_random(self):
        orders = set()
        for _try in range(12):
            orders.add(tuple(extension for extension, _at in self.order(3)))
            self.received.good.clear()
        self.assertGreater(len(orders), 1)
        self.assertEqual({tuple(sorted(o)) for o in orders}, {("101", "102", "103")})

    def test_longest_idle(self):
        self.staff("101").free_since = 30
        self.staff("103").free_since = 20
        self.staff("102").free_since = 40
        rung = [extension for extension, _at in self.order(5)]
        self.assertEqual(rung, ["103", "101", "102"])

    def test_ringing_in_vain_does_not_end_the_idleness(self):
        before = self.staff("101").free_since
        self.order(2)
        self.assertEqual(self.staff("101").free_since, before)

    def test_busy_by_themselves(self):
        self.exchange.dial("101", OTHER)
        self.advance(6)
        self.received.good.clear()
        self.assertEqual([who for who, _at in self.order(2)], ["102", "103"])

    def test_next_member_got_busy_meanwhile(self):
        group = self.pbx.company.find_group("500")
        group.algorithm = 0
        call = self.exchange.call_in(CUSTOMER, greeting=0)
        self.advance(5)
        self.exchange.dial("102", OTHER)
        self.advance(27)
        self.assertEqual([leg.extension for leg in call.ringing_legs], ["103"])

    def test_queue_waits_for_somebody(self):
        for extension in ("101", "102", "103"):
            self.exchange.dial(extension, OTHER)
        self.advance(6)
        call = self.call(queued=True, greeting=0)
        self.advance(10)
        self.assertEqual(call.stage, "queue")
        self.exchange.hang_up("102")
        self.advance(4)
        self.assertEqual(call.talker.extension, "102")
        self.assertEqual(self.ends("queue"), [(None, 1100)])

    def test_queue_has_a_limit(self):
        self.behave(e101="off", e102="dnd", e103="busy")
        call = self.call(queued=True, greeting=0)
        self.advance(91)
        self.assertEqual(call.reason, 1163)


class TestReroute(BehaviourCase):
    def test_ringing_leg(self):
        self.behave(e101="silent")
        call = self.call()
        self.route(call, "101")
        self.advance(2)
        (ringing,) = call.ringing_legs
        self.assertEqual(self.route(call, "102"), {"result": 1000})
        (new,) = call.ringing_legs
        self.assertEqual(ringing.reason, 1182)
        self.assertEqual(new.caller["taken_from_call_id"], ringing.call_id)
        self.assertEqual(new.extra["command_id"], "to-102")
        self.advance(4)
        self.assertEqual(call.talker, new)

    def test_group_and_outside_number(self):
        call = self.call()
        self.route(call, "504")
        self.assertEqual(self.rung(), ["103"])
        self.route(call, "74950000777")
        self.advance(6)
        self.assertEqual(call.talker.callee, {"number": "74950000777"})

    def test_outside_number_is_rung_whatever_it_is_doing(self):
        self.exchange.dial("101", OTHER)
        call = self.call(OTHER + "0")
        self.route(call, OTHER)
        self.assertEqual(call.ringing_legs[0].callee, {"number": OTHER})

    def test_refused_in_the_reply(self):
        self.pbx.settings.update({"reroute": "reply"})
        call = self.call()
        self.route(call, "101")
        with self.assertRaises(Refused) as refusal:
            self.route(call, "102")
        self.assertEqual(refusal.exception.code, 4100)
        self.assertEqual(call.ringing_legs[0].extension, "101")

    def test_refused_in_the_result(self):
        self.pbx.settings.update({"reroute": "result"})
        call = self.call()
        self.route(call, "101")
        self.assertEqual(self.route(call, "102"), {"result": 1000})
        self.advance(1)
        results = [
            (r["command_id"], r["result"]) for r in self.received.of("result/route")
        ]
        self.assertEqual(results, [("to-101", 1000), ("to-102", 4100)])
        self.assertEqual(call.ringing_legs[0].extension, "101")

    def test_every_route_refused(self):
        for how, told in (("reply", []), ("result", [("to-101", 4100)])):
            with self.subTest(how=how):
                self.pbx.settings.update({"route": how})
                call = self.call()
                if how == "reply":
                    with self.assertRaises(Refused):
                        self.route(call, "101", call.legs[0])
                else:
                    self.route(call, "101", call.legs[0])
                self.advance(1)
                self.assertEqual(self.told(), told)
                self.assertNotIn("101", self.rung())
                self.exchange.hang_up_client(call)

    def test_greeting_to_its_end(self):
        self.pbx.settings.update({"greeting_to_end": True})
        call = self.call(greeting=10)
        self.route(call, "104", call.legs[0])
        self.advance(1)
        self.assertEqual(self.told(), [("to-104", 1000)])
        self.assertEqual(call.stage, "menu")
        self.advance(9)
        self.assertEqual(self.rung(), ["104"])
        self.assertEqual(call.legs[1].extra["command_id"], "to-104")

    def test_result_of_a_route_never_told(self):
        self.pbx.settings.update({"route": "untold"})
        call = self.call()
        self.assertEqual(self.route(call, "101", call.legs[0]), {"result": 1000})
        self.advance(1)
        self.assertEqual(call.ringing_legs[0].extension, "101")
        self.assertEqual(self.told(), [])

    def told(self):
        results = self.received.of("result/route")
        return [(one["command_id"], one["result"]) for one in results]

    def test_answered_between_reply_and_action(self):
        self.pbx.settings.update({"result_order": "before"})
        call = self.call(staff_answers=False)
        self.advance(5)
        self.route(call, "104", call.ringing_legs[0])
        self.exchange.pick_up("101")
        self.advance(1)
        self.assertEqual(call.talker.extension, "101")
        self.assertNotIn("104", self.rung())

    def test_after_route(self):
        self.behave(e101="busy")
        ends = {
            "end": ("ended", []),
            "menu": ("menu", []),
            "scheme": ("ringing", ["102", "103"]),
            "queue": ("ringing", ["102", "103"]),
        }
        for where, (stage, rung) in ends.items():
            with self.subTest(after_route=where):
                self.setUp()
                self.behave(e101="busy")
                call = self.call(after_route=where)
                self.route(call, "101")
                self.advance(1)
                self.assertEqual(call.stage, stage)
                self.assertEqual([leg.extension for leg in call.ringing_legs], rung)
                self.assertEqual(bool(call.live_role("queue")), where == "queue")

    def test_routed_again_from_the_menu(self):
        self.behave(e101="busy", e102="silent")
        call = self.call(after_route="menu", greeting=4)
        for target in ("101", "102"):
            self.route(call, target)
            self.advance(31 if target == "102" else 1)
            self.assertEqual(call.stage, "menu")
        self.advance(4)
        self.assertEqual(call.stage, "ringing")  # the group of the scheme
        self.advance(20)
        self.assertEqual(self.summary()["entry_result"], 1)

    def test_comes_back_once_for_each_route(self):
        self.behave(**{f"e{s.extension}": "busy" for s in self.pbx.company.staff})
        call = self.call(after_route="scheme")
        self.route(call, "101")
        self.advance(2)
        self.assertEqual(call.reason, 1164)


class TestRoutingScenarios(BehaviourCase):
    def play(self, name, decide=None):
        """Play a scenario; ``decide(payload)`` says where a leg is routed, or not."""

        def react(path, payload):
            target = decide and path == "events/call" and decide(payload)
            if target:
                params = {"call_id": payload["call_id"], "to_number": target}
                self.pbx.clock.call_later(0, lambda: self.commands.route(params))

        self.received.react = react
        script, stage = self.pbx.play(name)
        self.advance(300)
        self.assertEqual(script.error, "")
        return stage.calls

    @staticmethod
    def from_menu(*targets):
        """Route from each menu to the next target."""
        waiting = list(targets)

        def decide(payload):
            in_menu = payload["location"] == "ivr" and payload["seq"] == 1
            return waiting.pop(0) if in_menu and waiting else None

        return decide

    def test_without_odoo_the_scheme_answers(self):
        for name in (
            *("owner-busy", "owner-busy-unseen", "owner-declines", "owner-forwards"),
            *("owner-away-substitute", "owner-no-answer-next", "team-longest-idle"),
            "two-at-once-one-owner",
        ):
            with self.subTest(scenario=name):
                self.setUp()
                self.assertTrue(all(call.talk_at for call in self.play(name)))

    def test_next_step_after_the_owner(self):
        for name in ("owner-busy", "owner-busy-unseen", "owner-declines"):
            with self.subTest(scenario=name):
                self.setUp()
                calls = self.play(name, self.from_menu("101", "104"))
                self.assertEqual(calls[-1].talker.extension, "104")

    def test_away_and_silent_owner(self):
        for name in ("owner-away-substitute", "owner-no-answer-next"):
            with self.subTest(scenario=name):
                self.setUp()
                (call,) = self.play(name, self.from_menu("101", "105"))
                self.assertEqual(call.talker.extension, "105")

    def test_silent_owner_is_passed_on_while_ringing(self):
        def decide(payload):
            if payload["location"] == "ivr" and payload["seq"] == 1:
                return "101"
            at_anna = payload["to"].get("extension") == "101"
            return "102" if at_anna and payload["call_state"] == "Appeared" else None

        (call,) = self.play("owner-no-answer-next", decide)
        self.assertEqual(call.talker.extension, "102")
        self.assertIn(("101", 1182), self.ends())

    def test_forwarding_owner(self):
        (call,) = self.play("owner-forwards", self.from_menu("101"))
        self.assertEqual(call.talker.callee["number"], self.staff("101").mobile)

    def test_two_at_once(self):
        first, second = self.play(
            "two-at-once-one-owner", self.from_menu("101", "101", "102")
        )
        self.assertEqual(first.talker.extension, "101")
        self.assertEqual(second.talker.extension, "102")
        self.assertIn(("101", 1121), self.ends())

    def test_longest_idle_rings_another_one_each_time(self):
        calls = self.play("team-longest-idle")
        self.assertEqual([c.talker.extension for c in calls], ["101", "102", "103"])

    def test_nobody_available(self):
        (call,) = self.play("nobody-available", self.from_menu("101"))
        self.assertFalse(call.talk_at)
        self.assertEqual(call.reason, 1164)
        self.assertEqual({s.mode for s in self.pbx.company.staff}, {"on"})

    def test_hundred_plays_at_once_leave_nothing_behind(self):
        for _play in range(100):
            self.pbx.play("two-at-once-one-owner")
            self.advance(1)
        self.advance(300)
        self.assertFalse(self.exchange.calls)
        self.assertEqual({s.mode for s in self.pbx.company.staff}, {"on"})

    def test_modes_are_what_the_page_offers(self):
        self.assertEqual(len(MODES), len(set(MODES)))
