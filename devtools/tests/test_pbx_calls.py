"""How calls unfold and react, against the tables of ``mango-api.md`` 4."""

import json
import unittest

from devtools.pbx.calls import NotPossible
from devtools.pbx.commands import Commands, Refused
from devtools.pbx.testing import make_pbx

CUSTOMER, LINE = "74950000201", "74950000100"


def party(extension):
    return {
        "extension": extension,
        "number": f"sip:user{extension}@romashka.mangosip.ru",
    }


class CallCase(unittest.TestCase):
    settings = {}

    def setUp(self):
        self.pbx = make_pbx(**self.settings)
        self.exchange = self.pbx.exchange
        self.commands = Commands(self.exchange)
        self.received = self.pbx.transport

    def advance(self, seconds):
        self.pbx.clock.advance(seconds)

    def steps(self, path="events/call"):
        """What happened: (extension or location, state, reason) of each event."""
        return [
            (
                p["to"].get("extension") or p["location"],
                p["call_state"],
                p.get("disconnect_reason"),
            )
            for p in self.received.of(path)
        ]

    def summary(self):
        (summary,) = self.received.of("events/summary")
        return summary

    def talking(self):
        """A call from the customer that 101 has picked up."""
        call = self.exchange.call_in(CUSTOMER)
        self.advance(5)
        self.exchange.pick_up("101")
        self.advance(1)
        return call


class TestInbound(CallCase):
    def test_menu_group_answer(self):
        call = self.exchange.call_in(CUSTOMER)
        self.assertEqual(call.stage, "menu")
        self.advance(4.9)
        self.assertEqual(self.steps(), [("ivr", "Appeared", None)])
        self.advance(3.1)
        self.assertEqual(self.exchange.state_of("102"), "ringing")
        self.exchange.pick_up("102")
        self.assertEqual(self.exchange.state_of("102"), "talking")
        self.assertEqual(self.exchange.state_of("101"), "free")
        self.advance(30)
        self.exchange.hang_up_client(call)
        self.advance(10)
        self.assertEqual(
            self.steps(),
            [
                ("ivr", "Appeared", None),
                ("ivr", "Disconnected", 1100),
                ("101", "Appeared", None),
                ("102", "Appeared", None),
                ("103", "Appeared", None),
                ("102", "Connected", None),
                ("101", "Disconnected", 1183),
                ("103", "Disconnected", 1183),
                ("102", "Disconnected", 1110),
            ],
        )
        created = int(call.created_at)
        self.assertEqual(
            self.summary(),
            {
                "entry_id": call.entry_id,
                "call_direction": 1,
                "from": {"number": CUSTOMER},
                "to": party("102"),
                "line_number": LINE,
                "create_time": created,
                "forward_time": created + 5,
                "talk_time": created + 8,
                "end_time": created + 38,
                "entry_result": 1,
                "disconnect_reason": 1110,
            },
        )

    def test_shape_of_legs(self):
        call = self.exchange.call_in(CUSTOMER)
        self.advance(5)
        menu, _left, ringing = self.received.of("events/call")[:3]
        self.assertEqual(
            menu,
            {
                "entry_id": call.entry_id,
                "call_id": call.legs[0].call_id,
                "timestamp": int(call.created_at),
                "seq": 1,
                "call_state": "Appeared",
                "location": "ivr",
                "from": {"number": CUSTOMER},
                "to": {"number": LINE, "line_number": LINE},
                "dct": {"type": 0},
            },
        )
        self.assertEqual(ringing["location"], "abonent")
        self.assertEqual(
            ringing["from"],
            {"number": CUSTOMER, "taken_from_call_id": menu["call_id"]},
        )
        self.assertEqual(
            ringing["to"], {**party("101"), "line_number": LINE, "acd_group": "500"}
        )

    def test_no_greeting_no_menu(self):
        self.exchange.call_in(CUSTOMER, greeting=0)
        first = self.received.of("events/call")[0]
        self.assertEqual(first["location"], "abonent")
        self.assertNotIn("taken_from_call_id", first["from"])

    def test_anonymous_has_no_number(self):
        self.exchange.call_in(None)
        self.advance(6)
        for payload in self.received.of("events/call"):
            self.assertNotIn("number", payload["from"])

    def test_missed_by_the_group(self):
        self.exchange.call_in(CUSTOMER)
        self.advance(60)
        ended = [step for step in self.steps() if step[1] == "Disconnected"][1:]
        self.assertEqual(
            ended, [(ext, "Disconnected", 1111) for ext in ("101", "102", "103")]
        )
        summary = self.summary()
        self.assertEqual(summary["to"], {"extension": "101"})
        self.assertEqual((summary["entry_result"], summary["talk_time"]), (0, 0))

    def test_missed_in_the_menu(self):
        call = self.exchange.call_in(CUSTOMER)
        self.advance(2)
        self.exchange.hang_up_client(call)
        self.advance(20)
        self.assertEqual(
            self.steps(), [("ivr", "Appeared", None), ("ivr", "Disconnected", 1110)]
        )
        summary = self.summary()
        self.assertEqual(summary["to"], {})
        self.assertEqual(summary["forward_time"], 0)

    def test_serial_group_rings_one_after_another(self):
        self.exchange.call_in(CUSTOMER, "74950000101", greeting=0)
        self.assertEqual(self.exchange.state_of("104"), "ringing")
        self.assertEqual(self.exchange.state_of("0511"), "free")
        self.advance(30)
        self.assertEqual(self.exchange.state_of("104"), "free")
        self.assertEqual(self.exchange.state_of("0511"), "ringing")
        self.advance(31)
        self.assertEqual(self.summary()["to"], {"extension": "104"})

    def test_decline_goes_on_in_the_group(self):
        call = self.exchange.call_in(CUSTOMER, greeting=0)
        self.exchange.decline("101")
        self.assertTrue(call.live)
        self.assertIn(("101", "Disconnected", 1122), self.steps())
        self.exchange.decline("102")
        self.exchange.decline("103")
        self.assertFalse(call.live)

    def test_busy_members_are_left_out(self):
        self.talking()
        self.exchange.call_in("74950000203", greeting=0)
        self.assertEqual(self.exchange.state_of("101"), "talking")
        self.assertEqual(self.exchange.state_of("102"), "ringing")

    def test_nobody_available(self):
        for staff in self.pbx.company.staff:
            staff.own_mode = "off"
        self.exchange.call_in(CUSTOMER)
        self.advance(6)
        self.assertEqual([step[0] for step in self.steps()], ["ivr", "ivr"])
        summary = self.summary()
        self.assertEqual(summary["disconnect_reason"], 1164)
        self.assertEqual(summary["to"], {"extension": "500"})

    def test_taken_by_a_colleague(self):
        call = self.exchange.call_in(CUSTOMER, greeting=0)
        self.exchange.take_over("104", call)
        self.assertEqual(
            self.steps()[3:],
            [
                ("101", "Disconnected", 1182),
                ("102", "Disconnected", 1182),
                ("103", "Disconnected", 1182),
                ("104", "Appeared", None),
                ("104", "Connected", None),
            ],
        )
        self.exchange.hang_up("104")
        self.advance(1)
        self.assertEqual(self.summary()["to"], party("104"))
        self.assertEqual(self.summary()["disconnect_reason"], 1120)

    def test_not_possible(self):
        with self.assertRaises(NotPossible):
            self.exchange.pick_up("101")
        with self.assertRaises(NotPossible):
            self.exchange.hang_up("101")
        with self.assertRaises(NotPossible):
            self.exchange.call_in(CUSTOMER, "74950000199")


class TestRoute(CallCase):
    def route(self, call, to="101", leg=0, **more):
        params = {
            "command_id": "odoo-1",
            "call_id": call.legs[leg].call_id,
            "to_number": to,
            **more,
        }
        return self.commands.route(params)

    def test_in_time(self):
        call = self.exchange.call_in(CUSTOMER)
        self.advance(1)
        self.assertEqual(self.route(call), {"result": 1000})
        self.advance(1)
        self.assertEqual(
            self.steps(),
            [
                ("ivr", "Appeared", None),
                ("ivr", "Disconnected", 1100),
                ("101", "Appeared", None),
            ],
        )
        leg = self.received.of("events/call")[-1]
        self.assertEqual(leg["command_id"], "odoo-1")
        self.assertEqual(leg["from"]["taken_from_call_id"], call.legs[0].call_id)
        self.assertNotIn("acd_group", leg["to"])
        self.assertEqual(
            self.received.of("result/route"), [{"command_id": "odoo-1", "result": 1000}]
        )
        self.advance(10)
        self.assertEqual(len(call.legs), 2, "the group was rung nevertheless")

    def test_result_before_the_leg(self):
        call = self.exchange.call_in(CUSTOMER, result_order="before")
        self.route(call)
        self.advance(1)
        paths = [path for path, _payload in self.received.good]
        self.assertEqual(
            paths, ["events/call", "result/route", "events/call", "events/call"]
        )

    def test_too_late(self):
        call = self.exchange.call_in(CUSTOMER)
        self.advance(5)
        with self.assertRaises(Refused) as refusal:
            self.route(call)
        self.assertEqual(refusal.exception.code, 4101)

    def test_answered(self):
        call = self.talking()
        leg = next(n for n, leg in enumerate(call.legs) if leg.talking)
        with self.assertRaises(Refused) as refusal:
            self.route(call, "102", leg)
        self.assertEqual(refusal.exception.code, 4100)

    def test_late_by_result(self):
        call = self.exchange.call_in(CUSTOMER, slow_route="result")
        self.assertEqual(self.route(call), {"result": 1000})
        self.advance(6)
        self.assertEqual(
            self.received.of("result/route"), [{"command_id": "odoo-1", "result": 4101}]
        )
        self.assertEqual(len(call.ringing_legs), 3, "the scheme did not go on")

    def test_too_late_can_be_told_by_result(self):
        self.pbx.settings.update({"late": "result"})
        call = self.exchange.call_in(CUSTOMER)
        self.advance(5)
        self.assertEqual(self.route(call), {"result": 1000})
        self.advance(2)
        (result,) = self.received.of("result/route")
        self.assertEqual(result["result"], 4101)

    def test_while_ringing_picks_up(self):
        call = self.exchange.call_in(CUSTOMER)
        self.advance(6)
        self.route(call, "104", leg=1)
        self.assertEqual([leg.extension for leg in call.ringing_legs], ["104"])
        self.assertIn(("101", "Disconnected", 1182), self.steps())

    def test_to_a_group(self):
        call = self.exchange.call_in(CUSTOMER)
        self.route(call, "501")
        self.assertEqual([leg.extension for leg in call.ringing_legs], ["104"])

    def test_target_off_schedule(self):
        self.pbx.company.find_staff("101").own_mode = "off"
        call = self.exchange.call_in(CUSTOMER)
        self.route(call)
        self.advance(1)
        self.assertEqual([step[0] for step in self.steps()], ["ivr", "ivr"])
        self.assertEqual(self.summary()["to"], party("101"))
        self.assertEqual(self.summary()["disconnect_reason"], 1192)

    def test_target_busy(self):
        self.talking()
        call = self.exchange.call_in("74950000203")
        self.route(call)
        self.advance(1)
        self.assertIn(("101", "Disconnected", 1121), self.steps())
        self.assertEqual(self.summary()["entry_id"], call.entry_id)
        self.assertEqual(self.summary()["entry_result"], 0)

    def test_bad_parameters(self):
        call = self.exchange.call_in(CUSTOMER)
        cases = (
            ({"call_id": "nothing", "to_number": "101"}, 4101),
            ({"to_number": "101"}, 3103),
            ({"call_id": call.legs[0].call_id}, 3103),
            ({"call_id": call.legs[0].call_id, "to_number": 101}, 3104),
            ({"call_id": call.legs[0].call_id, "to_number": "999"}, 3200),
        )
        for params, code in cases:
            with self.subTest(params=params), self.assertRaises(Refused) as refusal:
                self.commands.route(params)
            self.assertEqual(refusal.exception.code, code)
        self.assertEqual(call.stage, "menu")


class TestCallback(CallCase):
    def order(self, **more):
        params = {
            "command_id": "odoo-cb-1",
            "from": {"extension": "101"},
            "to_number": CUSTOMER,
            **more,
        }
        self.assertEqual(self.commands.callback(params), {"result": 1000})
        return self.exchange.calls[-1]

    def test_answered(self):
        self.pbx.settings.client = "answer"
        call = self.order()
        self.advance(3)
        self.exchange.pick_up("101")
        self.advance(5.5)
        self.assertEqual(call.stage, "talking")
        self.advance(20)
        self.exchange.hang_up("101")
        self.advance(1)
        events = self.received.of("events/call")
        self.assertEqual(
            [(e["call_state"], e.get("disconnect_reason")) for e in events],
            [
                ("Appeared", None),
                ("Connected", None),
                ("Disconnected", 1000),
                ("Appeared", None),
                ("Connected", None),
                ("Disconnected", 1110),
            ],
        )
        first, second = events[0], events[3]
        self.assertEqual(first["from"], {"number": CUSTOMER})
        self.assertEqual(first["to"], party("101"))
        self.assertEqual(
            second["from"],
            {
                **party("101"),
                "taken_from_call_id": first["call_id"],
                "line_number": LINE,
            },
        )
        self.assertEqual(second["to"], {"number": CUSTOMER})
        for event in events:
            self.assertEqual(event["command_id"], "odoo-cb-1")
            self.assertEqual(event["callback_initiator"], "API")
        self.assertEqual(
            self.received.of("result/callback"),
            [{"command_id": "odoo-cb-1", "result": 1000}],
        )
        summary = self.summary()
        self.assertEqual(summary["call_direction"], 2)
        self.assertEqual(summary["from"], party("101"))
        self.assertEqual(summary["to"], {"number": CUSTOMER})
        self.assertEqual(summary["forward_time"], summary["create_time"])
        self.assertEqual(summary["talk_time"], int(call.created_at + 8.5))

    def test_employee_silent(self):
        self.order()
        self.advance(31)
        self.assertEqual(
            self.steps(), [("101", "Appeared", None), ("101", "Disconnected", 1111)]
        )
        self.assertEqual(self.summary()["entry_result"], 0)
        self.assertEqual(self.summary()["disconnect_reason"], 1111)

    def test_client_busy(self):
        self.pbx.settings.client = "busy"
        self.order()
        self.exchange.pick_up("101")
        self.advance(5)
        self.assertEqual(self.summary()["disconnect_reason"], 1121)
        self.assertEqual(self.summary()["talk_time"], 0)

    def test_client_answers_when_pressed(self):
        call = self.order()
        self.exchange.pick_up("101")
        self.advance(20)
        self.assertEqual(call.stage, "ringing")
        self.exchange.answer_client(call)
        self.assertEqual(call.stage, "talking")

    def test_to_a_colleague(self):
        self.order(to_number="103")
        first = self.received.of("events/call")[0]
        self.assertEqual(first["from"], party("103"))
        self.exchange.pick_up("101")
        self.advance(1)
        self.exchange.pick_up("103")
        self.exchange.hang_up("103")
        self.advance(1)
        self.assertEqual(self.summary()["call_direction"], 0)
        self.assertNotIn("line_number", self.summary())

    def test_repeated_command_dials_twice(self):
        self.order()
        self.order()
        self.assertEqual(len(self.exchange.calls), 2)

    def test_unknown_extension_and_line(self):
        good = {"command_id": "c", "from": {"extension": "101"}, "to_number": CUSTOMER}
        cases = (
            ({**good, "from": {"extension": "999"}}, 3330),
            ({**good, "line_number": "74950000199"}, 3100),
            ({**good, "from": "101"}, 3104),
            ({**good, "to_number": "abc"}, 3200),
            ({**good, "line_number": "sip:line3@romashka.mangosip.ru"}, 3100),
            ({**good, "from": {"extension": "101", "number": "102"}}, 3100),
            ({**good, "from": {"extension": "101", "number": "500"}}, 3100),
            ({**good, "from": {"extension": "101", "number": 74950000301}}, 3100),
        )
        for params, code in cases:
            with self.subTest(params=params), self.assertRaises(Refused) as refusal:
                self.commands.callback(params)
            self.assertEqual(refusal.exception.code, code)
        self.assertFalse(self.exchange.calls)

    def test_another_device(self):
        for device in ("sip:anna-laptop@romashka.mangosip.ru", "74950000301"):
            with self.subTest(device=device):
                call = self.order(**{"from": {"extension": "101", "number": device}})
                self.exchange.pick_up("101", call)
                self.advance(1)
                first, second = call.legs
                anna = {"extension": "101", "number": device}
                self.assertEqual(first.callee, anna)
                self.assertEqual(second.caller["number"], device)
                self.exchange.answer_client(call)
                transfer = {
                    "call_id": second.call_id,
                    "method": "hold",
                    "to_number": "103",
                    "initiator": device,
                }
                self.assertEqual(self.commands.transfer(transfer), {"result": 1000})
                self.advance(1)
                self.assertEqual(self.exchange.state_of("103"), "ringing")
                self.exchange.hang_up_client(call)

    def test_line(self):
        for name, number in (
            ("74950000101", "74950000101"),
            ("SIP-линия", "sip:line3@romashka.mangosip.ru"),
        ):
            call = self.order(line_number=name)
            self.assertEqual(call.line, number)

    def test_refused_in_the_reply(self):
        self.pbx.settings.update({"callback": "reply", "refusal": 2300})
        with self.assertRaises(Refused) as refusal:
            self.order()
        self.assertEqual(refusal.exception.code, 2300)
        self.advance(5)
        self.assertFalse(self.received.good)

    def test_refused_in_the_result(self):
        self.pbx.settings.update({"callback": "result"})
        params = {"command_id": "c", "from": {"extension": "101"}, "to_number": "102"}
        self.assertEqual(self.commands.callback(params), {"result": 1000})
        self.advance(5)
        result = {"command_id": "c", "result": 2240}
        self.assertEqual(self.received.good, [("result/callback", result)])

    def test_hung_up_by_a_command_at_every_stage(self):
        stages = (
            ("the employee's phone rings", []),
            ("the client's phone rings", ["pick_up"]),
            ("they talk", ["pick_up", "answer"]),
        )
        for stage, acts in stages:
            with self.subTest(stage=stage):
                call = self.order()
                if "pick_up" in acts:
                    self.exchange.pick_up("101")
                    self.advance(1)
                if "answer" in acts:
                    self.exchange.answer_client(call)
                (leg,) = call.live_legs
                hangup = {"command_id": "h", "call_id": leg.call_id}
                self.assertEqual(self.commands.hangup(hangup), {"result": 1000})
                self.advance(1)
                summary = self.received.of("events/summary")[-1]
                self.assertEqual(summary["disconnect_reason"], 1181)
                self.assertEqual(summary["entry_result"], int(len(acts) == 2))

    def test_handed_over(self):
        for method in ("blind", "hold"):
            with self.subTest(method=method):
                call = self.order()
                self.exchange.pick_up("101")
                self.advance(1)
                self.exchange.answer_client(call)
                transfer = {
                    "call_id": call.talker.call_id,
                    "method": method,
                    "to_number": "102",
                    "initiator": "101",
                }
                self.assertEqual(self.commands.transfer(transfer), {"result": 1000})
                self.exchange.pick_up("102")
                if method == "hold":
                    self.exchange.hang_up("101")
                leg = call.talker
                self.assertEqual(leg.caller["number"], CUSTOMER)
                self.assertEqual(leg.extension, "102")
                self.assertEqual(self.exchange.state_of("101"), "free")
                self.exchange.hang_up_client(call)


class TestOtherCalls(CallCase):
    def test_outgoing(self):
        self.exchange.dial("102", CUSTOMER)
        self.advance(5)
        self.exchange.hang_up("102")
        self.advance(1)
        leg = self.received.of("events/call")[0]
        self.assertEqual(leg["from"], {**party("102"), "line_number": LINE})
        self.assertEqual(leg["to"], {"number": CUSTOMER})
        self.assertEqual(self.summary()["call_direction"], 2)
        self.assertEqual(self.summary()["disconnect_reason"], 1110)

    def test_internal(self):
        self.exchange.dial("104", "0511")
        self.exchange.pick_up("0511")
        self.exchange.hang_up("0511")
        self.advance(1)
        (legs,) = self.received.legs().values()
        self.assertEqual(legs[0]["from"], party("104"))
        self.assertEqual(legs[0]["to"], party("0511"))
        summary = self.summary()
        self.assertEqual(summary["call_direction"], 0)
        self.assertEqual(summary["to"], party("0511"))
        self.assertNotIn("line_number", summary)

    def test_hangup_command(self):
        call = self.talking()
        reply = self.commands.hangup(
            {"command_id": "h", "call_id": call.talker.call_id}
        )
        self.assertEqual(reply, {"result": 1000})
        self.advance(1)
        self.assertEqual(self.summary()["disconnect_reason"], 1181)
        self.assertEqual(
            self.received.of("result/call/hangup"),
            [{"command_id": "h", "result": 1000}],
        )
        with self.assertRaises(Refused) as refusal:
            self.commands.hangup({"command_id": "h", "call_id": call.talker.call_id})
        self.assertEqual(refusal.exception.code, 4101)


class TestTransfer(CallCase):
    def transfer(self, call, method, to="102", initiator="101"):
        params = {
            "command_id": "t",
            "call_id": call.talker.call_id,
            "method": method,
            "to_number": to,
            "initiator": initiator,
        }
        self.assertEqual(self.commands.transfer(params), {"result": 1000})

    def states(self, leg):
        return [
            e["call_state"]
            for e in self.received.of("events/call")
            if e["call_id"] == leg.call_id
        ]

    def test_consultation(self):
        call = self.talking()
        source = call.talker
        self.transfer(call, "hold")
        self.advance(1)
        self.assertEqual(self.states(source)[-1], "OnHold")
        self.exchange.pick_up("102")
        self.advance(1)
        self.exchange.hang_up("101")
        leg = call.talker
        self.assertEqual(self.states(leg), ["Appeared", "Connected", "Connected"])
        events = self.received.legs()[leg.call_id]
        self.assertEqual(
            events[0]["from"], {**party("101"), "taken_from_call_id": source.call_id}
        )
        self.assertEqual(
            events[2]["from"],
            {"number": CUSTOMER, "taken_from_call_id": source.call_id},
        )
        self.assertEqual(events[2]["to"], {**party("102"), "line_number": LINE})
        left = self.received.legs()[source.call_id][-1]
        self.assertEqual(left["disconnect_reason"], 1120)
        self.assertIs(left["from"]["was_transferred"], True)
        self.exchange.hang_up_client(call)
        self.advance(1)
        self.assertEqual(self.summary()["to"], party("102"))

    def test_consultation_refused_comes_back(self):
        call = self.talking()
        source = call.talker
        self.transfer(call, "hold")
        self.exchange.decline("102")
        self.assertEqual(self.states(source)[-2:], ["OnHold", "Connected"])
        self.assertTrue(call.live)

    def test_blind(self):
        call = self.talking()
        source = call.talker
        self.transfer(call, "blind")
        leg = call.legs[-1]
        self.assertEqual(self.states(source)[-2:], ["OnHold", "Disconnected"])
        self.assertEqual(self.states(leg), ["Appeared", "Appeared"])
        self.assertEqual(self.exchange.state_of("101"), "free")
        self.exchange.pick_up("102")
        self.assertEqual(call.talker, leg)
        self.assertEqual(leg.caller["number"], CUSTOMER)

    def test_leaving_a_ringing_consultation_makes_it_blind(self):
        call = self.talking()
        self.transfer(call, "hold")
        self.exchange.hang_up("101")
        events = self.received.legs()[call.legs[-1].call_id]
        self.assertEqual(
            [(e["call_state"], e["transfer"]) for e in events],
            [("Appeared", "consultative"), ("Appeared", "blind")],
        )

    def test_blind_returns(self):
        call = self.talking()
        self.transfer(call, "blind")
        self.advance(30)
        back = self.received.of("events/call")[-1]
        self.assertEqual(back["transfer"], "return_blind")
        self.assertEqual(back["to"]["extension"], "101")
        self.exchange.pick_up("101")
        self.exchange.hang_up("101")
        self.advance(1)
        self.assertEqual(self.summary()["to"], party("101"))

    def test_cancelled_by_hanging_up_the_new_leg(self):
        for method, extension in (("hold", None), ("blind", "101")):
            with self.subTest(method=method):
                call = self.talking()
                self.transfer(call, method)
                new = call.legs[-1]
                self.commands.hangup({"command_id": "h", "call_id": new.call_id})
                self.assertFalse(new.live)
                self.assertTrue(call.live)
                ringing = [leg.extension for leg in call.ringing_legs]
                self.assertEqual(ringing, [extension] if extension else [])
                self.exchange.hang_up_client(call)

    def test_group(self):
        """It is rung by its own rules, for the customer; who picks up has them."""
        call = self.talking()
        self.transfer(call, "blind", to="503")
        names = [leg.extension for leg in call.ringing_legs]
        self.assertEqual(len(names), 1)  # 503 rings at random, one after the other
        self.exchange.decline(names[0])
        [leg] = call.ringing_legs
        self.assertNotEqual(leg.extension, names[0])
        self.assertEqual(leg.callee["acd_group"], "503")
        self.assertEqual(leg.caller["number"], CUSTOMER)
        self.exchange.pick_up(leg.extension)
        self.assertEqual(call.talker, leg)

    def test_group_at_once_and_one_picks_up(self):
        call = self.talking()
        self.transfer(call, "hold", to="500")
        self.assertEqual([leg.extension for leg in call.ringing_legs], ["102", "103"])
        self.exchange.pick_up("103")
        self.assertEqual(call.ringing_legs, [])
        self.exchange.hang_up("101")
        self.assertEqual(call.talker.extension, "103")
        self.assertEqual(call.talker.caller["number"], CUSTOMER)

    def test_group_is_asked_and_does_not_answer(self):
        call = self.talking()
        source = call.talker
        self.transfer(call, "hold", to="500")
        self.exchange.decline("102")
        self.assertEqual(source.state, "OnHold")
        self.exchange.decline("103")
        self.assertEqual(self.states(source)[-2:], ["OnHold", "Connected"])

    def test_group_that_is_left_while_it_rings(self):
        call = self.talking()
        self.transfer(call, "hold", to="500")
        self.exchange.hang_up("101")
        for leg in call.ringing_legs:
            self.assertEqual(leg.caller["number"], CUSTOMER)
        self.exchange.decline("102")
        self.exchange.decline("103")
        self.assertEqual([leg.extension for leg in call.ringing_legs], ["101"])

    def test_group_without_anybody_free(self):
        call = self.talking()
        for extension in ("102", "103"):
            self.pbx.company.find_staff(extension).own_mode = "busy"
        with self.assertRaises(Refused) as refusal:
            self.transfer(call, "blind", to="500")
        self.assertEqual(refusal.exception.code, 4100)

    def test_outside_number(self):
        for method in ("blind", "hold"):
            with self.subTest(method=method):
                call = self.talking()
                call.client_plan = "manual"
                self.transfer(call, method, to="74950000301")
                [leg] = call.ringing_legs
                self.assertEqual(leg.callee, {"number": "74950000301"})
                self.exchange.answer_client(call)
                if method == "hold":
                    self.exchange.hang_up("101")
                self.assertEqual(call.talker, leg)
                self.assertEqual(leg.caller["number"], CUSTOMER)
                self.exchange.hang_up_client(call)

    def test_fields_of_api_v2_can_be_off(self):
        self.pbx.settings.api_v2 = False
        call = self.talking()
        self.transfer(call, "blind")
        text = json.dumps(self.received.of("events/call"))
        self.assertNotIn('"transfer"', text)
        self.assertNotIn("was_transferred", text)
        self.assertNotIn("hold_initiator", text)

    def test_refused(self):
        call = self.talking()
        good = {
            "command_id": "t",
            "call_id": call.talker.call_id,
            "method": "blind",
            "to_number": "102",
            "initiator": "101",
        }
        cases = (
            ({"initiator": "104"}, 3330),
            ({"method": "shout"}, 3104),
            ({"call_id": call.legs[0].call_id}, 4101),
        )
        for change, code in cases:
            with self.subTest(change=change), self.assertRaises(Refused) as refusal:
                self.commands.transfer({**good, **change})
            self.assertEqual(refusal.exception.code, code)


class TestRecordings(CallCase):
    def test_one_for_each_recorded_employee(self):
        call = self.talking()
        staff = self.pbx.company.find_staff("101")
        self.exchange.transfers.consult(call, call.talker, staff, "102")
        self.exchange.pick_up("102")
        self.advance(1)
        self.exchange.hang_up("101")
        self.advance(5)
        self.exchange.hang_up_client(call)
        self.advance(10)
        states = {}
        for payload in self.received.of("events/recording"):
            states.setdefault(payload["extension"], []).append(
                (payload["seq"], payload["recording_state"])
            )
        self.assertEqual(
            states,
            {
                "101": [(1, "Started"), (2, "Continued"), (3, "Completed")],
                "102": [(1, "Started"), (2, "Completed")],
            },
        )
        users = [p["user_id"] for p in self.received.of("events/record/added")]
        self.assertEqual(users, [400000101, 400000102])

    def test_announced_when_downloadable(self):
        call = self.talking()
        self.exchange.hang_up_client(call)
        self.advance(1)
        (recording,) = self.pbx.recordings.items
        self.assertFalse(self.pbx.recordings.ready(recording))
        self.advance(5)
        self.assertTrue(self.pbx.recordings.ready(recording))
        completed = self.received.of("events/recording")[-1]
        self.assertEqual(completed["completion_code"], 1000)
        self.assertEqual(completed["recipient"], "Cloud")

    def test_can_be_off(self):
        self.pbx.settings.recording = False
        self.exchange.hang_up_client(self.talking())
        self.advance(10)
        self.assertFalse(self.received.of("events/recording"))
        self.assertFalse(self.received.of("events/record/added"))


class TestDelivery(CallCase):
    def test_doubled(self):
        self.pbx.settings.update({"disorder": "double"})
        self.exchange.call_in(CUSTOMER)
        self.advance(1)
        first, again = self.received.of("events/call")
        self.assertEqual(first, again)

    def test_shuffled(self):
        self.pbx.settings.update({"disorder": "shuffle"})
        call = self.exchange.call_in(CUSTOMER, greeting=0)
        self.exchange.pick_up("101")
        self.exchange.hang_up_client(call)
        self.advance(5)
        events = self.received.of("events/call")
        order = [(e["to"]["extension"], e["seq"]) for e in events]
        expected = [(x, n) for x in ("101", "102", "103") for n in (1, 2)]
        expected.append(("101", 3))
        self.assertCountEqual(order, expected)
        self.assertNotEqual(order, sorted(order, key=lambda step: step[1]))

    def test_numbers_as_text(self):
        self.pbx.settings.update({"numbers": "string"})
        self.exchange.call_in(CUSTOMER)
        payload = self.received.of("events/call")[0]
        self.assertEqual(payload["seq"], "1")
        self.assertIsInstance(payload["timestamp"], str)

    def test_settings_refuse_nonsense(self):
        for values in (
            {"disorder": "chaos"},
            {"nothing": 1},
            {"faults": [{"kind": "earthquake"}]},
            {"recording": "yes"},
        ):
            with self.subTest(values=values), self.assertRaises(ValueError):
                self.pbx.settings.update({"greeting": 1, **values})
        self.assertEqual(self.pbx.settings.greeting, 5.0)
