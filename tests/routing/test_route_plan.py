"""The routing plan of a PBX: steps, facts and trials."""

import random
from datetime import datetime, timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command, Domain
from odoo.tests import Form, tagged

from ...models.routing.mango_route_facts import Caller
from ..common import MangoCase
from ..vpbx_scenarios import (
    CLIENT,
    LINE,
    leg,
    menu,
    outbound,
    outside,
    staff,
)

# A Wednesday; the company works from Monday to Friday.
WORKING = datetime(2026, 11, 25, 8, 0)
NIGHT = datetime(2026, 11, 25, 22, 0)
SUNDAY = datetime(2026, 11, 29, 8, 0)

SEED, ROUNDS = 20261128, 25


class PlanCase(MangoCase):
    def step(self, target, **vals):
        return self.env["mango.route.step"].create(
            {
                "account_id": self.account.id,
                "target": target,
                # At any hour.
                "only_working_hours": False,
                **vals,
            }
        )

    def new_plan(self, *steps):
        """Replace the plan; each step is a target, or a target with values."""
        self.account.route_step_ids.unlink()
        made = self.env["mango.route.step"]
        for sequence, one in enumerate(steps):
            target, vals = one if isinstance(one, tuple) else (one, {})
            made |= self.step(target, sequence=sequence, **vals)
        return made

    def ring(self, number=CLIENT, entry_id="E1"):
        kind, payload = menu(number)[0]
        self.receive(kind, {**payload, "entry_id": entry_id})
        return self.call(entry_id)

    def considered(self, call=None):
        return [
            (entry["target"], entry["extension"], entry["reason"])
            for entry in (call or self.call()).route_trace
        ]

    def talked(self, extension, minutes_ago, minutes=1, **vals):
        """Create an ended call that began some minutes ago."""
        began = fields.Datetime.now() - timedelta(minutes=minutes_ago)
        self.env["mango.call"].create(
            {
                "account_id": self.account.id,
                "company_id": self.company.id,
                "entry_id": f"T{minutes_ago}",
                "state": "ended",
                "direction": "inbound",
                "extension_id": extension.id,
                "started_at": began,
                "answered_at": began,
                "ended_at": began + timedelta(minutes=minutes),
                **vals,
            }
        )


@tagged("post_install", "-at_install")
class TestRoutePlan(PlanCase):
    def test_a_new_pbx_has_the_usual_plan(self):
        steps = self.account.route_step_ids
        self.assertEqual(
            steps.mapped("target"),
            ["lead_owner", "contact_owner", "company_owner", "pbx"],
        )
        self.account._create_default_plan()
        self.assertEqual(self.account.route_step_ids, steps)

    def test_summary(self):
        line = self.account.line_ids.filtered(lambda line: line.number == LINE)
        line.name = "Сайт"
        step = self.step(
            "last_spoken",
            within_days=14,
            ring_seconds=15,
            caller="known",
            line_ids=line.ids,
            only_working_hours=True,
        )
        self.assertEqual(
            step.summary,
            "Who spoke with the client last, within 14 days, for 15 seconds, in their "
            "working hours only, on the lines Сайт (+7 495 000-01-00), for known "
            "callers",
        )

    def test_summary_of_a_step(self):
        for target in ("user", "team", "group", "number"):
            with self.subTest(target), self.assertRaises(ValidationError):
                self.step(target)

    def test_number_is_kept_in_e164(self):
        step = self.step("number", number="8 (495) 000-03-01")
        self.assertEqual(step.number, "+74950000301")
        with self.assertRaises(ValidationError):
            step.number = "101"

    def test_groups_and_lines_of_its_own_pbx(self):
        other = self.create_account(api_key="test_api_key_0007", api_salt="x")
        group = self.env["mango.group"].create(
            {"account_id": other.id, "number": "500"}
        )
        with self.assertRaises(ValidationError):
            self.step("group", group_id=group.id)

    def test_people_and_hours_of_its_own_company(self):
        there = self.env["res.company"].create({"name": "Другая"})
        stranger = self.create_user("stranger", "Чужой", company_id=there.id)
        team = self.env["crm.team"].create({"name": "Там", "company_id": there.id})
        calendar = there.resource_calendar_id
        for target, vals in (
            ("user", {"user_id": stranger.id}),
            ("team", {"team_id": team.id}),
            ("contact_owner", {"resource_calendar_id": calendar.id}),
        ):
            with self.subTest(target), self.assertRaises(UserError):
                self.step(target, **vals)

    def test_substitute_of_the_same_pbx(self):
        other = self.create_account(api_key="test_api_key_0007", api_salt="x")
        there = self.create_extension("101", account_id=other.id)
        for substitute in (there, self.anna_extension):
            with self.assertRaises(ValidationError):
                self.anna_extension.substitute_id = substitute

    # -- invalid steps --------------------------------------------------------------

    def assertSkipped(self, step, reason, words):
        self.assertEqual(step.problem, words)
        self.assertTrue(step.summary.endswith(f". {words}"))
        call = self.ring()
        self.assertEqual(self.considered(call)[0], (step.target, None, reason))
        self.assertEqual(call.routed_extension_id, self.anna_extension)
        self.assertTrue(call.route_reason.startswith(words))

    def test_employee_who_has_left(self):
        step, _owner = self.new_plan(
            ("user", {"user_id": self.boris.id}), "contact_owner"
        )
        self.assertFalse(step.problem)
        self.boris.active = False
        self.assertSkipped(step, "user_left", "The employee has left.")

    def test_group_that_is_gone(self):
        group = self.env["mango.group"].create(
            {"account_id": self.account.id, "number": "500"}
        )
        step, _owner = self.new_plan(("group", {"group_id": group.id}), "contact_owner")
        self.assertFalse(step.problem)
        group.active = False
        self.assertSkipped(step, "group_gone", "The group is not in the PBX any more.")

    def test_premium_rate_number(self):
        step, _owner = self.new_plan(
            ("number", {"number": "+78091234567"}), "contact_owner"
        )
        self.assertSkipped(
            step,
            "number_forbidden",
            "Calls to this number are blocked: it is a premium-rate or foreign number.",
        )
        self.account.premium_allowed = True
        self.assertFalse(step.problem)

    def test_archived_team(self):
        team = self.env["crm.team"].create({"name": "Опт", "company_id": False})
        step, _owner = self.new_plan(("team", {"team_id": team.id}), "contact_owner")
        self.account._route_plan()
        team.active = False
        self.assertSkipped(step, "team_gone", "The sales team is archived.")

    def test_empty_plan_leaves_everything_to_the_pbx(self):
        self.account.route_step_ids.unlink()
        call = self.ring()
        self.assertEqual(call.route_state, "skipped")
        self.assertEqual(call.route_reason, "The routing plan has no steps.")

    # -- targets --------------------------------------------------------------------

    def test_lead_of_another_company(self):
        there = self.env["res.company"].create({"name": "Другая"})
        self.boris.company_ids += there
        lead = self.create_lead(
            "Чужая сделка",
            partner_id=self.ivan.id,
            user_id=self.boris.id,
            company_id=there.id,
        )
        call = self.ring()
        self.assertEqual(self.considered(call)[0], ("lead_owner", None, "nobody"))
        self.assertEqual(call.routed_to, self.anna)
        lead.company_id = self.company
        self.assertEqual(self.ring(entry_id="E2").routed_to, self.boris)

    def test_last_spoken(self):
        self.new_plan(("last_spoken", {"within_days": 30}), "pbx")
        self.receive(*menu()[0])
        self.assertEqual(self.considered()[0], ("last_spoken", None, "nobody"))
        call = self.call()
        call.write(
            {
                "state": "ended",
                "result": "answered",
                "extension_id": self.boris_extension.id,
                "user_id": self.boris.id,
                "started_at": fields.Datetime.now() - timedelta(days=2),
                "partner_id": self.ivan.id,
            }
        )
        self.assertEqual(
            self.ring(entry_id="E2").routed_extension_id, self.boris_extension
        )

    def test_team_longest_idle_first(self):
        team = self.env["crm.team"].create({"name": "Опт", "company_id": False})
        self.env["crm.team.member"].create(
            [
                {"crm_team_id": team.id, "user_id": user.id}
                for user in (self.anna, self.boris)
            ]
        )
        self.new_plan(("team", {"team_id": team.id}), "pbx")
        self.talked(self.boris_extension, minutes_ago=7, minutes=5)
        self.assertEqual(self.ring().routed_extension_id, self.anna_extension)
        self.talked(self.anna_extension, minutes_ago=6, minutes=5)
        call = self.ring(entry_id="E2")
        self.assertEqual(call.routed_extension_id, self.boris_extension)
        self.assertEqual(call.routed_to, self.boris)

    def test_group_and_number(self):
        group = self.env["mango.group"].create(
            {"account_id": self.account.id, "number": "500", "name": "Продажи"}
        )
        self.new_plan(("group", {"group_id": group.id}))
        call = self.ring()
        self.assertEqual(call.route_trace[0]["number"], "500")
        self.assertFalse(call.routed_extension_id)
        self.assertTrue(call.route_command_id)
        self.assertEqual(call.route_reason, "A group of the PBX: Продажи (500).")
        self.new_plan(("number", {"number": "+74950000301"}))
        call = self.ring(entry_id="E2")
        self.assertEqual(call.route_trace[0]["number"], "74950000301")
        self.assertEqual(call.route_reason, "An outside number: +7 495 000-03-01.")

    def test_a_step_that_does_not_apply_is_told_by_name(self):
        line = self.env["mango.line"].create(
            {"account_id": self.account.id, "number": "74950000199"}
        )
        vals = {"user_id": self.boris.id, "line_ids": line.ids}
        [step, _pbx] = self.new_plan(("user", vals), "pbx")

        def told():
            self.env.invalidate_all()
            words = self.env["mango.route.words"]._lines(call.with_user(self.vera))
            return [(one["title"], one["text"]) for one in words]

        call = self.ring()
        self.assertIn(("An employee: Борис Кузнецов", "For other lines."), told())
        step.unlink()
        self.assertIn(("An employee", "For other lines."), told())

    # -- groups are loaded ------------------------------------------------------------

    def test_groups_are_loaded_with_the_users(self):
        group = {
            "id": 10000500,
            "name": "Продажи",
            "extension": "500",
            "operators": [{"id": 1, "name": "Анна", "extension": "101"}],
        }
        self.pbx.answers(
            "config/users/request", {"users": [{"telephony": {"extension": "101"}}]}
        )
        self.pbx.answers("incominglines", {"lines": []})
        self.pbx.answers("groups", {"groups": [group]})
        self.account.action_load_users()
        loaded = self.account.group_ids
        self.assertRecordValues(
            loaded,
            [{"number": "500", "name": "Продажи", "pbx_group_ref": "10000500"}],
        )
        self.assertEqual(loaded.extension_ids, self.anna_extension)
        self.pbx.answers("groups", {"groups": []})
        self.account.action_load_users()
        self.assertFalse(loaded.active)


@tagged("post_install", "-at_install")
class TestAvailability(PlanCase):
    def setUp(self):
        super().setUp()
        self.new_plan(
            "contact_owner",
            ("user", {"user_id": self.boris.id}),
            "pbx",
        )

    def assertPassedOver(self, reason):
        call = self.ring("74950000201", "E9")
        self.assertEqual(self.considered(call)[0], ("contact_owner", "101", reason))
        self.assertEqual(call.routed_extension_id, self.boris_extension)
        return call

    def test_on_a_call(self):
        self.receive(*outbound(1111).posts[0])
        self.assertPassedOver("ringing")

    def test_talking_on_another_extension(self):
        self.create_extension("105", self.anna)
        kind, payload = leg(
            "L1", 1, "Connected", 0, staff("105"), outside("74950000299")
        )
        self.receive(kind, {**payload, "entry_id": "E2"})
        self.assertPassedOver("talking")

    def assertNotPassedOver(self):
        call = self.ring("74950000201", "E9")
        self.assertEqual(call.routed_extension_id, self.anna_extension)

    def set_last_notification(self, call, moment):
        """Move the legs of a call back in time, too."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE mango_call SET write_date = %s WHERE id = %s", [moment, call.id]
        )
        self.env.cr.execute(
            "UPDATE mango_call_leg SET write_date = %(moment)s, started_at = %(moment)s"
            " WHERE call_id = %(id)s",
            {"moment": moment, "id": call.id},
        )
        self.env.invalidate_all()

    def states(self):
        """Return the states on the board of those who are not free."""
        self.env.invalidate_all()
        board = self.env["mango.extension"].with_user(self.vera).get_board()
        return {
            one["number"]: one["state"]
            for one in board["extensions"]
            if one["state"] != "free"
        }

    def test_the_end_of_ringing_was_lost(self):
        self.receive(*outbound(1111).posts[0])
        self.assertEqual(self.states(), {"101": "ringing"})
        long_ago = fields.Datetime.now() - timedelta(minutes=4)
        self.set_last_notification(self.call(), long_ago)
        self.assertEqual(self.states(), {})
        self.assertNotPassedOver()

    def talk(self, minutes_ago, entry_id="E2"):
        """Let Анна talk; the end is never reported."""
        kind, payload = leg(
            "L1", 1, "Connected", 0, staff("101"), outside("74950000299")
        )
        self.receive(kind, {**payload, "entry_id": entry_id})
        call = self.call(entry_id)
        began = fields.Datetime.now() - timedelta(minutes=minutes_ago)
        self.set_last_notification(call, began)
        return call

    def test_the_end_of_a_talk_was_lost(self):
        self.talk(30)
        self.assertEqual(self.states(), {"101": "talking"})
        self.talked(self.anna_extension, 20)
        self.assertEqual(self.states(), {})
        self.assertNotPassedOver()

    def test_a_talk_that_began_after_the_last_call(self):
        self.talk(30)
        self.talked(self.anna_extension, 40)
        self.assertEqual(self.states(), {"101": "talking"})
        self.assertPassedOver("talking")

    def test_a_later_call_that_was_not_answered(self):
        """It tells nothing: phones of the talking ring, too."""
        self.talk(30)
        self.talked(self.anna_extension, 20, answered_at=False)
        self.assertEqual(self.states(), {"101": "talking"})
        self.assertPassedOver("talking")

    def test_a_later_call_of_somebody_else(self):
        self.talk(30)
        self.talked(self.boris_extension, 20)
        self.assertEqual(self.states(), {"101": "talking"})
        self.assertPassedOver("talking")

    def test_the_later_call_goes_on(self):
        self.talk(30)
        self.talk(20, "E3").write(
            {
                "extension_id": self.anna_extension.id,
                "answered_at": fields.Datetime.now() - timedelta(minutes=20),
            }
        )
        self.assertEqual(self.states(), {"101": "talking"})
        self.assertPassedOver("talking")

    def test_the_end_of_an_internal_talk_was_lost(self):
        kind, payload = leg("L1", 1, "Connected", 0, staff("101"), staff("103"))
        self.receive(kind, {**payload, "entry_id": "E2"})
        began = fields.Datetime.now() - timedelta(minutes=30)
        self.set_last_notification(self.call("E2"), began)
        self.talked(self.anna_extension, 20)
        self.assertEqual(self.states(), {"103": "talking"})
        self.assertNotPassedOver()

    def test_random_histories(self):
        """Routing and the board agree on who talks, whatever ends were lost."""
        source = random.Random(SEED)
        extensions = self.account.extension_ids.grouped("number")
        for _time in range(ROUNDS):
            with self.subTest(_time), self.cr.savepoint() as savepoint:
                history = [
                    (
                        source.choice(["101", "102", "103", "104"]),
                        minutes,
                        source.random() < 0.7,  # answered
                        source.random() < 0.6,  # ended, as far as the PBX says
                    )
                    for minutes in source.sample(range(6, 600), source.randrange(9))
                ]
                self.create_history(history, extensions)
                expected = {
                    number
                    for number, minutes, is_answered, is_ended in history
                    if is_answered
                    and not is_ended
                    # Nobody talks in one call after having begun another.
                    and not any(
                        other == number and later < minutes and was_answered
                        for other, later, was_answered, _was_ended in history
                    )
                }
                self.assertEqual(self.states(), dict.fromkeys(expected, "talking"))
                self.env.flush_all()
                caller = Caller(self.account, self.ivan, *[self.env["crm.lead"]] * 3)
                facts = (
                    self.env["mango.route.facts"]
                    ._read(caller, self.account._route_plan())
                    .facts
                )
                talking = {
                    person.extension
                    for person in facts.people.values()
                    if person.obstacle == "talking"
                }
                self.assertEqual(talking, expected)
                savepoint.rollback()
                self.env.invalidate_all()

    def create_history(self, history, extensions):
        """Create calls of outside numbers to extensions, each with its leg."""
        for number, minutes, is_answered, is_ended in history:
            began = fields.Datetime.now() - timedelta(minutes=minutes)
            answered_at = is_answered and began
            call = self.env["mango.call"].create(
                {
                    "account_id": self.account.id,
                    "company_id": self.company.id,
                    "entry_id": f"R{minutes}",
                    "direction": "inbound",
                    # What was not answered has ended.
                    "state": "talking" if is_answered and not is_ended else "ended",
                    "extension_id": extensions[number].id,
                    "started_at": began,
                    "answered_at": answered_at,
                }
            )
            is_live = call.state == "talking"
            self.env["mango.call.leg"].create(
                {
                    "call_id": call.id,
                    "leg_ref": "L1",
                    "location": "abonent",
                    "state": "connected" if is_live else "disconnected",
                    "to_extension": number,
                    "started_at": began,
                    "answered_at": answered_at,
                }
            )
            self.set_last_notification(call, began)

    def test_another_call_was_routed_there_just_now(self):
        self.ring(entry_id="E1")
        self.assertPassedOver("ringing")

    def test_own_status(self):
        self.anna.with_user(self.anna).mango_set_status("dnd")
        self.assertPassedOver("dnd")

    def test_away_until(self):
        later = fields.Datetime.now() + timedelta(hours=1)
        self.anna.with_user(self.anna).mango_set_status("away", later)
        self.assertPassedOver("away")

    def test_back_again(self):
        earlier = fields.Datetime.now() - timedelta(minutes=1)
        self.anna.with_user(self.anna).mango_set_status("away", earlier)
        self.anna.invalidate_recordset()
        self.assertEqual(self.anna.mango_status, "available")
        self.assertEqual(self.ring().routed_extension_id, self.anna_extension)

    def test_without_active_extension(self):
        self.anna_extension.active = False
        call = self.ring()
        self.assertEqual(
            self.considered(call)[0], ("contact_owner", None, "no_extension")
        )

    def test_has_left(self):
        self.anna.active = False
        call = self.ring()
        self.assertEqual(self.considered(call)[0][2], "left")
        self.assertEqual(call.routed_extension_id, self.boris_extension)

    def test_substitute(self):
        self.anna_extension.substitute_id = self.create_extension("110", self.kirill)
        self.anna.with_user(self.anna).mango_set_status("dnd")
        call = self.ring()
        self.assertEqual(call.routed_to, self.kirill)
        self.assertEqual(call.route_trace[-1]["for"]["user"], self.anna.id)
        self.assertEqual(
            call.route_reason,
            "Анна Соколова (101), the salesperson of the contact “Иван Петров”. Does "
            "not want to be disturbed. Кирилл Фёдоров (110), substitute of Анна "
            "Соколова (101).",
        )

    def test_absence_reason_is_hidden_from_salespeople(self):
        self.anna.with_user(self.anna).mango_set_status("dnd")
        call = self.ring()
        told = call.with_user(self.boris).route_reason
        self.assertIn("Is not available.", told)
        self.assertNotIn("disturbed", told)
        self.assertIn("disturbed", call.with_user(self.vera).route_reason)
        self.assertTrue(call.with_user(self.vera).route_trace)
        with self.assertRaises(AccessError):
            call.with_user(self.boris).read(["route_trace"])

    def test_a_list_of_calls_reads_the_names_once(self):
        call = self.ring()
        calls = call.concat(*(call.copy({"entry_id": f"copy-{n}"}) for n in range(10)))

        def queries(records):
            self.env.flush_all()
            self.env.invalidate_all()
            records.mapped("state")
            before = self.env.cr.sql_log_count
            self.assertEqual(set(records.mapped("route_reason")), {reason})
            return self.env.cr.sql_log_count - before

        reason = call.route_reason
        self.assertIn("Анна Соколова", reason)
        self.assertEqual(queries(calls), queries(call))

    def test_in_the_readers_language(self):
        self.env["res.lang"]._activate_lang("ru_RU")
        call = self.ring()
        english = call.route_reason
        self.assertIn("salesperson of the contact", english)
        call.invalidate_recordset(["route_reason"])
        self.assertTrue(call.with_context(lang="ru_RU").route_reason)

    # -- unanswered calls in a row ----------------------------------------------------

    def rang(self, minutes_ago, reason="no_answer", extension="101"):
        self.env["mango.call"].create(
            {
                "account_id": self.account.id,
                "company_id": self.company.id,
                "entry_id": f"R{minutes_ago}",
                "state": "ended",
                "direction": "inbound",
                "started_at": fields.Datetime.now() - timedelta(minutes=minutes_ago),
                "route_attempts": 1,
                "route_trace": [
                    {"extension": extension, "verdict": "passed", "reason": reason}
                ],
            }
        )

    def test_unanswered_calls_in_a_row(self):
        for minutes in (1, 2, 3):
            self.rang(minutes)
        self.assertPassedOver("unanswered")

    def test_groups_do_not_count(self):
        """A group, or an outside number, has no extension."""
        for minutes in (1, 2, 3):
            self.rang(minutes)
        for minutes in (4, 5, 6):
            self.rang(minutes, extension=None)
        self.assertPassedOver("unanswered")

    def test_one_less_is_not_enough(self):
        for minutes in (1, 2):
            self.rang(minutes)
        self.rang(3, "declined")
        self.assertEqual(self.ring().routed_extension_id, self.anna_extension)

    def test_it_ends_after_some_minutes(self):
        for minutes in (9, 10, 11):
            self.rang(minutes)
        self.assertEqual(self.ring().routed_extension_id, self.anna_extension)

    def test_their_next_call_ends_it(self):
        for minutes in (2, 3, 4):
            self.rang(minutes)
        self.env["mango.call"].create(
            {
                "account_id": self.account.id,
                "company_id": self.company.id,
                "entry_id": "own",
                "state": "ended",
                "direction": "outbound",
                "extension_id": self.anna_extension.id,
                "started_at": fields.Datetime.now() - timedelta(minutes=1),
            }
        )
        self.assertEqual(self.ring().routed_extension_id, self.anna_extension)

    def test_switched_off(self):
        self.account.route_unanswered_limit = 0
        for minutes in (1, 2, 3):
            self.rang(minutes)
        self.assertEqual(self.ring().routed_extension_id, self.anna_extension)


@tagged("post_install", "-at_install")
class TestWorkingHours(PlanCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.calendar = cls.company.resource_calendar_id
        cls.calendar.tz = "UTC"
        cls.account.route_step_ids.only_working_hours = True

    def facts(self, moment):
        self.env.flush_all()
        caller = Caller(
            self.account,
            self.ivan,
            self.env["crm.lead"],
            "+74950000201",
            self.env["mango.line"],
        )
        steps = self.account._route_plan()
        return self.env["mango.route.facts"]._read(caller, steps, moment).facts

    def test_company_calendar(self):
        for moment, is_open in ((WORKING, True), (NIGHT, False), (SUNDAY, False)):
            facts = self.facts(moment)
            self.assertEqual(None in facts.open_calendars, is_open, moment)

    def test_timezone(self):
        self.calendar.tz = "Asia/Vladivostok"  # ten hours ahead
        self.assertNotIn(None, self.facts(WORKING).open_calendars)

    def test_holiday(self):
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Праздник",
                "company_id": self.company.id,
                "calendar_id": self.calendar.id,
                "date_from": WORKING - timedelta(hours=1),
                "date_to": WORKING + timedelta(hours=1),
            }
        )
        self.assertNotIn(None, self.facts(WORKING).open_calendars)

    def test_holiday_of_another_company(self):
        there = self.env["res.company"].create({"name": "Другая"})
        self.env["resource.calendar.leaves"].with_company(there).create(
            {
                "name": "Праздник",
                "company_id": there.id,
                "calendar_id": there.resource_calendar_id.id,
                "date_from": WORKING - timedelta(hours=1),
                "date_to": WORKING + timedelta(hours=1),
            }
        )
        self.assertIn(None, self.facts(WORKING).open_calendars)

    def test_adjoining_hours(self):
        """Odoo has no overlapping ones; a break is no work."""
        day = {"name": "x", "dayofweek": "2"}
        self.calendar.attendance_ids = [
            Command.clear(),
            Command.create({**day, "hour_from": 6, "hour_to": 8}),
            Command.create({**day, "hour_from": 8, "hour_to": 9}),
            Command.create(
                {**day, "hour_from": 9, "hour_to": 10, "day_period": "lunch"}
            ),
        ]
        hour = timedelta(hours=1)
        for moment, is_open in (
            (WORKING, True),
            (WORKING - 2 * hour, True),
            (WORKING - 2 * hour - timedelta(seconds=1), False),
            (WORKING + hour - timedelta(seconds=1), True),
            (WORKING + hour, False),
        ):
            facts = self.facts(moment)
            self.assertEqual(None in facts.open_calendars, is_open, moment)

    def absence(self, company=None, **vals):
        """Let Анна be absent around the working moment, as told by a resource."""
        company = company or self.company
        resource = self.env["resource.resource"].create(
            {"name": "Анна", "user_id": self.anna.id, "company_id": company.id}
        )
        return self.env["resource.calendar.leaves"].create(
            {
                "name": "Отпуск",
                "resource_id": resource.id,
                "company_id": company.id,
                "date_from": WORKING - timedelta(hours=1),
                "date_to": WORKING + timedelta(hours=1),
                **vals,
            }
        )

    def obstacle(self, moment=WORKING):
        return self.facts(moment).people[self.anna.id].obstacle

    def test_time_off_without_the_app(self):
        self.absence()
        self.assertEqual(self.obstacle(), "time_off")
        self.assertIsNone(self.obstacle(WORKING + timedelta(hours=1)))
        self.assertIsNone(self.facts(WORKING).people[self.boris.id].obstacle)

    def test_training_is_no_time_off(self):
        self.absence(time_type="other")
        self.assertIsNone(self.obstacle())

    def test_time_off_in_another_company(self):
        self.absence(self.env["res.company"].create({"name": "Другая"}))
        self.assertIsNone(self.obstacle())

    def test_calendar_of_a_step(self):
        night = self.calendar.copy({"name": "Ночь"})
        night.attendance_ids = [
            Command.clear(),
            Command.create(
                {"name": "x", "dayofweek": "2", "hour_from": 20, "hour_to": 24}
            ),
        ]
        self.step("contact_owner", hours="within", resource_calendar_id=night.id)
        self.assertEqual(self.facts(NIGHT).open_calendars, {night.id})

    def test_own_hours_and_time_off(self):
        if "hr.employee" not in self.env:
            self.assertFalse(self.facts(WORKING).people[self.anna.id].is_off_hours)
            self.assertTrue(self.facts(NIGHT).people[self.anna.id].is_off_hours)
            return
        night = self.calendar.copy({"name": "Ночь"})
        night.attendance_ids = [
            Command.clear(),
            Command.create(
                {"name": "x", "dayofweek": "2", "hour_from": 20, "hour_to": 24}
            ),
        ]
        employee = self.env["hr.employee"].create(
            {
                "name": "Анна",
                "user_id": self.anna.id,
                "company_id": self.company.id,
                "resource_calendar_id": night.id,
                "tz": "UTC",
            }
        )
        self.assertTrue(self.facts(WORKING).people[self.anna.id].is_off_hours)
        self.assertFalse(self.facts(NIGHT).people[self.anna.id].is_off_hours)
        if "hr.leave" not in self.env:
            return
        kind = self.env["hr.leave.type"].create(
            {
                "name": "Отпуск",
                "requires_allocation": False,
                "leave_validation_type": "no_validation",
                "company_id": self.company.id,
            }
        )
        self.env["hr.leave"].create(
            {
                "employee_id": employee.id,
                "holiday_status_id": kind.id,
                "request_date_from": NIGHT.date(),
                "request_date_to": NIGHT.date(),
            }
        ).action_approve()
        self.assertEqual(self.facts(NIGHT).people[self.anna.id].obstacle, "time_off")

    def test_six_queries_whatever_their_number(self):
        self.step("last_spoken")
        users = [self.anna, self.boris, self.vera]
        for number in range(200, 230):
            self.create_extension(str(number), users[number % 3])
            self.step("user", user_id=self.boris.id)
        self.account._route_plan()
        self.env.flush_all()
        self.env.invalidate_all()
        self.account.mapped("route_unanswered_limit")  # read with the account
        with self.assertQueryCount(6):
            self.facts(None)


@tagged("post_install", "-at_install")
class TestStatus(MangoCase):
    def test_supervisors_switch_it_for_others(self):
        self.anna.with_user(self.vera).mango_set_status("away")
        self.assertEqual(self.anna.mango_status, "away")
        with self.assertRaises(AccessError):
            self.vera.with_user(self.anna).mango_set_status("dnd")

    def test_only_in_their_own_company(self):
        there = self.env["res.company"].create({"name": "Другая"})
        stranger = self.create_user("stranger", "Чужой", company_id=there.id)
        with self.assertRaises(AccessError):
            stranger.with_user(self.vera).mango_set_status("dnd")

    def test_in_the_preferences(self):
        anna = self.anna.with_user(self.anna)
        anna.write({"mango_status": "dnd"})
        self.assertEqual(anna.mango_status, "dnd")
        settings = self.anna.res_users_settings_ids
        self.assertEqual(settings.mango_status, "dnd")

    def test_nonsense(self):
        anna = self.anna.with_user(self.anna)
        for arguments in (("gone",), ("away", "tomorrow")):
            with self.assertRaises(ValidationError):
                anna.mango_set_status(*arguments)

    def test_search(self):
        self.anna.mango_set_status("dnd")
        users = self.env["res.users"]
        team = Domain("id", "in", (self.anna | self.boris).ids)
        busy = users.search(team & Domain("mango_status", "=", "dnd"))
        self.assertEqual(busy, self.anna)
        free = users.search(team & Domain("mango_status", "=", "available"))
        self.assertEqual(free, self.boris)

    def test_on_the_board(self):
        self.anna.mango_set_status("dnd")
        board = self.env["mango.extension"].with_user(self.vera).get_board()
        shown = {one["number"]: one["status"] for one in board["extensions"]}
        self.assertEqual(shown["101"], "dnd")
        self.assertEqual(shown["102"], "available")


@tagged("post_install", "-at_install")
class TestTrial(PlanCase):
    def setUp(self):
        super().setUp()
        self.admin = self.create_user("admin", "Админ", "group_admin")

    def trial(self, **vals):
        form = Form(self.env["mango.route.trial"].with_user(self.admin))
        for name, value in vals.items():
            form[name] = value
        return form

    def test_same_as_a_call(self):
        form = self.trial(number="+7 495 000-02-01")
        self.assertEqual(form.caller, "Иван Петров")
        self.assertEqual(
            [(one["kind"], one["title"], one["text"]) for one in form.result],
            [
                (
                    "skipped",
                    "Salesperson of the open lead",
                    "Nobody found.",
                ),
                (
                    "route",
                    "Анна Соколова (101), the salesperson of the contact “Иван Петров”",
                    "Rings for 20 seconds; without an answer, the next step follows.",
                ),
                (
                    "skipped",
                    "Анна Соколова (101), the salesperson of the company “Иван Петров”",
                    "Already considered.",
                ),
                ("skipped", "Leave it to the PBX", "The PBX handles the call itself."),
            ],
        )
        self.assertFalse(self.env["mango.call"].search([]).filtered("route_trace"))

    def test_moment(self):
        self.company.resource_calendar_id.tz = "UTC"
        for step in self.account.route_step_ids:
            step.only_working_hours = True
        self.assertEqual(
            self.trial(number=CLIENT, moment=WORKING).result[1]["kind"], "route"
        )
        night = self.trial(number=CLIENT, moment=NIGHT).result[1]
        self.assertEqual(night["text"], "Does not work at this hour.")

    def test_unknown_and_hidden(self):
        self.assertEqual(self.trial(number="74950000299").caller, "Unknown caller")
        self.assertEqual(self.trial().caller, "Unknown caller")
        self.assertEqual(
            self.trial(number="Иван").caller, "This is not a phone number."
        )
