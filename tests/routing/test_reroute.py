"""Further steps of the plan after an unanswered one."""

from datetime import timedelta
from unittest.mock import Mock, patch

from freezegun import freeze_time

from odoo import fields
from odoo.tests import tagged

from ...models.routing import mango_router
from ...models.routing.mango_router import go_on
from ...vpbx import errors
from ...vpbx.client import Client
from ..common import Answer
from ..vpbx_scenarios import CLIENT, LINE, dialled, leg, menu, outside, staff, summary
from .test_route_command import RESULT, ROUTE, RouteCase


class RerouteCase(RouteCase):
    """Анна owns the client, Борис is her substitute, Вера comes next."""

    def setUp(self):
        super().setUp()
        self.anna_extension.substitute_id = self.boris_extension
        steps = self.account.route_step_ids
        steps[-1].sequence = 99
        self.env["mango.route.step"].create(
            {
                "account_id": self.account.id,
                "sequence": 50,
                "target": "user",
                "user_id": self.vera.id,
                "ring_seconds": 15,
                "only_working_hours": False,
            }
        )
        self.pbx.reset()

    def start_again(self):
        for model in ("mango.call", "mango.event", "mango.route.slot"):
            self.env[model].search([]).unlink()

    def rings(self, extension="101", ref="L2", at=11, taken_from="L1"):
        self.receive(
            *leg(
                "L1",
                2,
                "Disconnected",
                at,
                outside(),
                dialled(),
                place="ivr",
                reason=1100,
            )
        )
        self.receive(
            *leg(
                ref,
                1,
                "Appeared",
                at,
                outside(CLIENT, taken_from),
                staff(extension, LINE),
            )
        )

    def gone(self, reason, extension="101", ref="L2", at=31):
        caller, callee = outside(CLIENT, "L1"), staff(extension, LINE)
        self.receive(*leg(ref, 2, "Disconnected", at, caller, callee, reason=reason))

    def back_in_queue(self, ref="L5", at=31):
        caller = outside(CLIENT, "L2")
        queue = {"line_number": LINE, "acd_group": "500"}
        self.receive(*leg(ref, 1, "Appeared", at, caller, queue, place="queue"))

    def time_is_up(self, attempt=1):
        """Do the work of the timer."""
        self.env.flush_all()
        self.alarms = Mock()
        with (
            patch.object(mango_router, "time", Mock()),
            patch.object(mango_router, "alarms", self.alarms),
        ):
            go_on(self.cr.dbname, self.call().id, attempt)
        self.env.invalidate_all()

    def rung(self):
        requests = [r.payload for r in self.pbx.requests if r.path == ROUTE]
        return [(payload["call_id"], payload["to_number"]) for payload in requests]

    def verdicts(self):
        return [
            (entry["extension"], entry["verdict"], entry["reason"])
            for entry in self.call().route_trace
            if entry["extension"]
        ]


@tagged("post_install", "-at_install")
class TestReroute(RerouteCase):
    def test_ring_time_is_over(self):
        self.send()
        [alarm] = self.alarms.set.call_args_list
        self.assertEqual(alarm.args, (20, go_on, self.cr.dbname, self.call().id, 1))
        self.rings()
        self.time_is_up()
        self.assertEqual(self.rung(), [("L1", "101"), ("L2", "102")])
        self.assertEqual(
            self.verdicts(),
            [("101", "passed", "no_answer"), ("102", "rung", "available")],
        )
        self.assertRecordValues(
            self.call(),
            [
                {
                    "route_state": "sent",
                    "route_attempts": 2,
                    "routed_to": self.boris.id,
                    "routed_extension_id": self.boris_extension.id,
                }
            ],
        )
        self.assertTrue(self.alarms.set.called)

    def test_each_command_has_an_id_of_its_own(self):
        self.send()
        self.rings()
        self.time_is_up()
        ids = [request.payload["command_id"] for request in self.pbx.requests]
        self.assertEqual(len(set(ids)), 2)
        self.assertEqual(ids[-1], self.call().route_command_id)

    def test_command_lost_and_the_pbx_rings_others(self):
        """The phones that the PBX rings by itself are left alone."""
        self.pbx.answers(ROUTE, body=None)
        self.send()
        self.rings("104")
        self.time_is_up()
        self.assertEqual(self.rung(), [("L1", "101")])
        self.assertEqual(self.verdicts()[0][:2], ("101", "rung"))

    def test_forwarded_to_another_phone(self):
        """The PBX marks the legs that a command causes."""
        self.send()
        command_id = self.call().route_command_id
        caller, callee = outside(CLIENT, "L1"), staff("104", LINE)
        self.receive(*menu()[1])
        self.receive(
            *leg("L2", 1, "Appeared", 11, caller, callee, command_id=command_id)
        )
        self.time_is_up()
        self.assertEqual(self.rung(), [("L1", "101"), ("L2", "102")])

    def test_command_lost_and_the_caller_still_hears_the_greeting(self):
        self.pbx.answers(ROUTE, body=None)
        self.send()
        self.time_is_up()
        self.assertEqual(self.rung(), [("L1", "101"), ("L1", "102")])

    def test_answer_after_the_result_and_the_next_command(self):
        """A late answer belongs to its own command."""
        self.pbx.answers(ROUTE, body=None)
        route = Client.route

        def notified_route(client, *args):
            with patch.object(Client, "route", route):
                command_id = self.call().route_command_id
                self.receive(RESULT, {"command_id": command_id, "result": 4200})
                self.pbx.answers(ROUTE, {"result": 1000})
                self.send()
            raise errors.TransportError("", reason="timeout", ambiguous=True)

        with patch.object(Client, "route", notified_route):
            self.send()
        self.assertEqual(self.rung(), [("L1", "102")])
        self.assertEqual(
            self.verdicts(),
            [("101", "passed", "result"), ("102", "rung", "available")],
        )
        self.assertEqual(self.call().route_state, "sent")

    def test_ring_time_of_a_slow_pbx(self):
        """It counts from when the phone begins to ring, not from the PBX's answer."""
        self.send()
        [alarm] = self.alarms.set.call_args_list
        self.assertEqual(alarm.args[0], 20)
        self.rings()
        call = self.call()
        call.flush_recordset()
        now = fields.Datetime.now()
        self.cr.execute(
            "UPDATE mango_call_leg SET create_date = %s WHERE leg_ref = 'L2'",
            [now - timedelta(seconds=12)],
        )
        self.env.invalidate_all()
        command = Mock(
            command_id=call.route_command_id, to_number="101", ring_seconds=20
        )
        router = self.env["mango.router"]
        asked_at = now - timedelta(seconds=15)
        with freeze_time(now):
            self.assertEqual(router._seconds_left(call, command, asked_at), 8)
            self.assertEqual(router._seconds_left(call, command, now), 20)
            command.command_id = "another"
            self.assertIsNone(router._seconds_left(call, command, asked_at))

    def test_once_per_attempt(self):
        self.send()
        self.rings()
        self.time_is_up()
        self.time_is_up()
        self.assertEqual(len(self.rung()), 2)

    def test_whole_plan(self):
        self.send()
        self.rings()
        self.time_is_up()
        self.rings("102", "L3", 31, "L2")
        self.time_is_up(2)
        self.rings("103", "L4", 51, "L3")
        self.time_is_up(3)
        self.assertEqual(self.rung(), [("L1", "101"), ("L2", "102"), ("L3", "103")])
        # Nobody is left: the last phone may go on ringing, and be answered.
        self.assertEqual(self.verdicts()[-1], ("103", "rung", "available"))

    def missed_by(self, *extensions):
        """Receive unanswered legs to some phones, and the end of the call."""
        for at, number in enumerate(extensions, 11):
            ref = f"A{number}"
            self.rings(number, ref, at)
            self.gone(1111, number, ref, at + 20)
        self.receive(
            *summary(1, outside(), staff("102"), talk=None, end=60, reason=1111)
        )
        return self.call()

    def test_missed_by_several_one_of_them_chosen(self):
        self.send()
        call = self.missed_by("102", "101", "103")
        self.assertEqual(call.user_id, self.anna)
        self.assertEqual(
            call.rung_extension_ids.mapped("number"), ["102", "101", "103"]
        )

    def test_missed_by_several_none_of_them_chosen(self):
        self.pbx.answers(ROUTE, {"result": 4101})
        self.send()
        self.assertFalse(self.missed_by("102", "101", "103").user_id)

    def test_route_failure_after_the_end(self):
        self.send()
        command_id = self.call().route_command_id
        self.assertEqual(self.missed_by("102", "101", "103").user_id, self.anna)
        self.receive(RESULT, {"command_id": command_id, "result": 4101})
        self.assertRecordValues(
            self.call(), [{"route_state": "failed", "user_id": False}]
        )

    def test_chosen_without_being_rung(self):
        """The chosen employee sees the call, even if their phone did not ring."""
        self.send()
        self.call().owner_id = False  # as if Ivan had no responsible user
        call = self.missed_by("102", "103")
        self.assertNotIn("101", call.rung_extension_ids.mapped("number"))
        self.assertIn(self.anna, call.user_ids)

    def test_declined_and_back_in_the_queue(self):
        self.send()
        self.rings()
        self.gone(1122)
        self.assertEqual(self.call().route_attempts, 1, "no leg to take")
        self.back_in_queue()
        self.assertEqual(self.verdicts()[0], ("101", "passed", "declined"))
        self.send()
        self.assertEqual(self.rung(), [("L1", "101"), ("L5", "102")])

    def test_back_in_the_menu_without_a_leg(self):
        """As for an employee who is off duty in the PBX."""
        self.send()
        self.back_in_queue()
        self.assertEqual(self.verdicts()[0], ("101", "passed", "unavailable"))
        self.send()
        self.assertEqual(self.rung(), [("L1", "101"), ("L5", "102")])

    def test_still_in_the_menu(self):
        """The command was accepted; the menu is about to end."""
        self.send()
        command_id = self.call().route_command_id
        self.receive(RESULT, {"command_id": command_id, "result": 1000})
        self.receive(*leg("L1", 2, "Connected", 1, outside(), dialled(), place="ivr"))
        self.assertEqual(self.verdicts(), [("101", "rung", "available")])

    def test_busy(self):
        self.send()
        self.rings()
        self.gone(1121)
        self.back_in_queue()
        self.assertEqual(self.verdicts()[0], ("101", "passed", "busy"))

    def test_never_after_an_answer(self):
        self.send()
        self.rings()
        self.receive(
            *leg("L2", 2, "Connected", 15, outside(CLIENT, "L1"), staff("101", LINE))
        )
        self.time_is_up()
        self.assertEqual(len(self.rung()), 1)
        self.assertEqual(self.verdicts(), [("101", "answered", "available")])
        self.assertTrue(self.call().route_answered)
        self.assertEqual(self.call().route_attempts, 1)

    def test_never_after_the_end(self):
        self.send()
        self.rings()
        self.gone(1110, at=15)
        self.receive(
            *summary(1, outside(), staff("101"), talk=None, end=15, reason=1110)
        )
        self.time_is_up()
        self.assertEqual(len(self.rung()), 1)
        self.assertEqual(self.verdicts(), [("101", "passed", "caller_left")])

    def test_a_long_ring_counts_as_unanswered(self):
        self.send()
        self.rings()
        self.gone(1110, at=30)
        self.receive(
            *summary(1, outside(), staff("101"), talk=None, end=30, reason=1110)
        )
        self.assertEqual(self.verdicts(), [("101", "passed", "no_answer")])

    def test_somebody_else_answers(self):
        self.send()
        self.rings("104")
        self.receive(
            *leg("L2", 2, "Connected", 15, outside(CLIENT, "L1"), staff("104", LINE))
        )
        self.assertEqual(self.verdicts(), [("101", "passed", "elsewhere")])
        self.assertFalse(self.call().route_answered)

    def test_switched_off(self):
        self.account.reroute_enabled = False
        self.send()
        self.rings()
        self.time_is_up()
        self.gone(1122)
        self.back_in_queue()
        self.assertEqual(len(self.rung()), 1)

    def assertAnnaIsRemembered(self, reason):
        """Анна was rung in vain, and nobody is rung any more."""
        call = self.call()
        self.assertEqual(self.rung(), [("L1", "101")])
        self.assertEqual(self.verdicts(), [("101", "passed", "declined")])
        self.assertEqual(call.route_trace[-1]["reason"], reason)
        self.assertIn("Анна Соколова (101)", call.route_reason)
        self.assertEqual(call.routed_to, self.anna)
        self.assertEqual(call.route_attempts, 1)
        self.assertIn(call.route_state, ("sent", "accepted"))
        self.assertNotIn(self.boris, call.user_ids)

    def test_plan_taken_away_between_two_steps(self):
        self.send()
        self.rings()
        self.account.route_step_ids.unlink()
        self.gone(1122)
        self.back_in_queue()
        self.assertAnnaIsRemembered("no_plan")

    def test_plan_taken_away_while_the_next_command_waits(self):
        self.send()
        self.rings()
        self.gone(1122)
        self.back_in_queue()
        self.assertIn(self.boris, self.call().user_ids)
        self.account.route_step_ids.unlink()
        self.send()
        self.assertAnnaIsRemembered("no_plan")

    def test_switched_off_while_the_next_command_waits(self):
        self.send()
        self.rings()
        self.gone(1122)
        self.back_in_queue()
        self.account.routing_enabled = False
        self.send()
        self.assertAnnaIsRemembered("switched_off")

    def test_plan_taken_away_while_the_phone_rings(self):
        self.send()
        self.rings()
        self.account.route_step_ids.unlink()
        self.time_is_up()
        self.assertEqual(self.verdicts(), [("101", "rung", "available")])

    def test_switched_off_while_the_first_command_waits(self):
        """Whom it was meant for is not rung, and has no part in the call."""
        self.account.route_step_ids[0].write(
            {"target": "user", "user_id": self.vera.id}
        )
        self.start_again()
        self.receive(*menu()[0])
        self.assertIn(self.vera, self.call().user_ids)
        self.account.routing_enabled = False
        self.send()
        self.assertFalse(self.rung())
        self.assertNotIn(self.vera, self.call().user_ids)
        self.assertEqual(self.call().route_state, "skipped")

    def test_refusals_end_it_quietly(self):
        for code in (4100, 4101, 4001):
            with self.subTest(code=code):
                self.start_again()
                self.pbx.reset()
                self.receive(*menu()[0])
                self.send()
                self.rings()
                self.pbx.answers(ROUTE, {"result": code})
                self.time_is_up()
                self.time_is_up(2)
                self.assertEqual(len(self.rung()), 2)
                self.assertEqual(self.call().route_state, "failed")
                self.assertIn(f"(code {code})", self.call().route_reason)

    def test_refused_by_the_result(self):
        self.send()
        self.rings()
        self.time_is_up()
        command_id = self.call().route_command_id
        self.receive(RESULT, {"command_id": command_id, "result": 4100})
        self.assertEqual(self.call().route_state, "failed")
        self.time_is_up(2)
        self.assertEqual(len(self.rung()), 2)

    def test_unreachable_subscriber_is_followed_by_the_next(self):
        self.pbx.answers_in_turn(ROUTE, answer(4200), answer(1000))
        self.send()
        self.assertEqual(self.rung(), [("L1", "101"), ("L1", "102")])

    def test_next_target_is_decided_when_due(self):
        self.send()
        self.rings()
        self.boris.mango_set_status("dnd")
        self.time_is_up()
        self.assertEqual(self.rung(), [("L1", "101"), ("L2", "103")])

    def test_no_next_target(self):
        self.boris.mango_set_status("dnd")
        self.vera.mango_set_status("dnd")
        self.send()
        self.rings()
        self.time_is_up()
        self.assertEqual(len(self.rung()), 1)
        self.assertEqual(self.verdicts(), [("101", "rung", "available")])

    def test_outside_number(self):
        self.account.route_step_ids.unlink()
        self.env["mango.route.step"].create(
            {
                "account_id": self.account.id,
                "target": "number",
                "number": "+74950000301",
            }
        )
        self.start_again()
        self.receive(*menu()[0])
        self.send()
        self.assertEqual(self.rung(), [("L1", "74950000301")])

    def group_first(self):
        """Ring group 500 before the others."""
        group = self.env["mango.group"].create(
            {"account_id": self.account.id, "number": "500", "name": "Продажи"}
        )
        vals = {"target": "group", "group_id": group.id}
        self.account.route_step_ids[0].write(vals)
        self.start_again()
        self.receive(*menu()[0])

    def test_group_without_free_members(self):
        """The caller waits in its queue no longer than the step says."""
        self.group_first()
        self.send()
        self.assertEqual(self.rung(), [("L1", "500")])
        self.receive(*menu()[1])
        self.back_in_queue()
        self.assertEqual(self.call().route_attempts, 1, "this is the group's queue")
        self.time_is_up()
        self.assertEqual(self.rung(), [("L1", "500"), ("L5", "101")])

    def test_group_that_the_pbx_refuses(self):
        """Nobody of it is free: the PBX's own scheme goes on."""
        self.group_first()
        self.pbx.answers(ROUTE, {"result": 4100})
        self.send()
        self.assertEqual(self.rung(), [("L1", "500")])
        self.assertEqual(self.call().route_state, "failed")
        self.assertFalse(self.alarms.set.called)

    # -- two callers of one manager -------------------------------------------------

    def second(self):
        kind, payload = menu("74950000202")[0]
        self.create_partner("Пётр", "74950000202", user_id=self.anna.id)
        self.receive(kind, {**payload, "entry_id": "E2"})
        return self.call("E2")

    def test_the_second_caller_gets_the_substitute(self):
        self.send()
        second = self.second()
        self.assertEqual(second.routed_to, self.boris)
        self.send(second)
        self.assertEqual([to for _leg, to in self.rung()], ["101", "102"])

    def test_both_decided_on_at_once(self):
        """Neither saw the other's decision; the second one is decided again."""
        second = self.second()
        self.anna_extension.flush_recordset()
        second.write(
            {
                "routed_extension_id": self.anna_extension.id,
                "routed_to": self.anna.id,
                "route_trace": self.call().route_trace,
            }
        )
        self.call().route_state = "sent"
        self.send(second)
        self.assertEqual([to for _leg, to in self.rung()], ["102"])
        self.assertEqual(self.call("E2").routed_to, self.boris)

    # -- display ----------------------------------------------------------------------

    def test_timeline(self):
        self.send()
        self.rings()
        self.time_is_up()
        self.rings("102", "L3", 31, "L2")
        steps = self.call().with_user(self.vera).timeline
        self.assertEqual(
            [(step["kind"], step["title"].split(",")[0]) for step in steps],
            [
                ("menu", "Greeting"),
                ("skipped", "Salesperson of the open lead"),
                ("route", "Анна Соколова (101)"),
                ("live", "101"),
                ("route", "Борис Кузнецов (102)"),
                ("live", "102"),
            ],
        )
        self.assertEqual(steps[2]["text"], "Did not answer.")
        self.assertEqual(len(self.call().with_user(self.boris).timeline), 5)

    def card_of(self, user):
        """Return the phase and the message of a user's only card."""
        self.env.invalidate_all()
        [card] = self.env["mango.call.presence"].with_user(user).get_screen()["cards"]
        return card["phase"], card["message"]

    def test_card_of_the_first_choice(self):
        self.send()
        self.rings()
        self.assertEqual(self.card_of(self.anna), ("ringing", ""))

    def test_card_of_the_substitute(self):
        self.send()
        self.rings()
        self.time_is_up()
        self.rings("102", "L3", 31, "L2")
        self.assertEqual(
            self.card_of(self.boris),
            ("ringing", "Анна Соколова does not answer · you stand in"),
        )

    def test_card_of_the_substitute_of_somebody_being_rung(self):
        self.send()
        self.rings()
        second = self.second()
        self.send(second)
        self.assertEqual(
            self.card_of(self.boris),
            ("greeting", "Анна Соколова is taking another call · you stand in"),
        )

    def test_card_of_the_next_step(self):
        self.boris.mango_set_status("dnd")
        self.send()
        self.rings()
        self.time_is_up()
        self.rings("103", "L3", 31, "L2")
        self.assertEqual(
            self.card_of(self.vera),
            ("ringing", "Анна Соколова does not answer · your turn"),
        )

    def test_card_of_a_team_member(self):
        """The members of a team are equal: nobody is told who was not available."""
        members = self.boris | self.vera
        team = self.env["crm.team"].create(
            {"name": "Опт", "company_id": False, "member_ids": members.ids}
        )
        self.account.route_step_ids[0].write({"target": "team", "team_id": team.id})
        self.boris.mango_set_status("dnd")
        self.start_again()
        self.receive(*menu()[0])
        self.send()
        self.rings("103")
        self.assertEqual(
            self.card_of(self.vera), ("ringing", "Your turn in the sales team")
        )


def answer(code):
    return Answer(body=f'{{"result": {code}}}')
