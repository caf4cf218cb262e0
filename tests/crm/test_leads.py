"""Leads that calls make: which, of whom, and never two for one client."""

import itertools
import threading
from datetime import timedelta
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.modules.registry import DummyRLock, Registry
from odoo.tests import tagged
from odoo.tests.common import warmup
from odoo.tools import mute_logger

from ..callbacks.test_callbacks import IVAN, CallbackCase
from ..calls.test_concurrency import CommittedCase
from ..vpbx_scenarios import LINE, T0, leg, outside, staff, summary

STRANGER = "+74950000299"


class CrmCase(CallbackCase):
    """Calls that end, and the cron that enters them in the CRM."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.callback_enabled = False
        cls.line = cls.account.line_ids[0]
        cls.other_line = cls.account.line_ids[1]

    def work_off(self):
        self.env.flush_all()
        self.run_cron("ir_cron_crm")

    def leads(self, number=STRANGER):
        return (
            self.env["crm.lead"]
            .with_context(active_test=False)
            .search([("phone_sanitized", "=", number)], order="id")
        )

    def stranger_missed(self, minutes=10, **vals):
        return self.missed(minutes, number=STRANGER, line_id=self.line.id, **vals)

    def stranger_talked(self, minutes=10, **vals):
        return self.talked(minutes, number=STRANGER, line_id=self.line.id, **vals)


@tagged("post_install", "-at_install")
class TestLeads(CrmCase):
    def test_off_until_it_is_switched_on(self):
        self.stranger_missed()
        self.stranger_talked()
        self.assertFalse(self.account._makes_leads())
        self.work_off()
        self.assertFalse(self.leads())

    def test_missed(self):
        self.account.lead_policy = "missed"
        self.line.user_id = self.boris
        call = self.stranger_missed()
        self.work_off()
        lead = self.leads()
        self.assertRecordValues(
            lead,
            [
                {
                    "name": "Call: +7 495 000-02-99",
                    "user_id": self.boris.id,
                    "company_id": self.company.id,
                    "partner_id": False,
                }
            ],
        )
        self.assertEqual(call.lead_id, lead)
        self.assertFalse(call.lead_is_manual)
        self.assertIn(self.boris, call.user_ids)
        self.assertFalse(self.env["mango.crm.task"].search([]))

    def test_policies_by_line(self):
        self.account.lead_policy = "always"
        self.line.lead_policy = "answered"
        self.stranger_missed()
        self.work_off()
        self.assertFalse(self.leads())
        self.stranger_talked()
        self.work_off()
        self.assertEqual(self.leads().user_id, self.anna)

    def test_known_client(self):
        self.account.lead_policy = "always"
        self.missed(10)
        self.work_off()
        self.assertFalse(self.ivan.opportunity_ids)
        self.account.lead_policy_known = "missed"
        call = self.missed(5)
        self.work_off()
        lead = self.ivan.opportunity_ids
        self.assertEqual(call.lead_id, lead)
        self.assertEqual(lead.user_id, self.anna, "Ivan is hers")
        self.missed(3)
        self.work_off()
        self.assertEqual(self.ivan.opportunity_ids, lead)

    def test_team_tags_and_salesperson(self):
        self.account.lead_policy = "always"
        team = self.env["crm.team"].create({"name": "Опт", "company_id": False})
        tag = self.env["crm.tag"].create({"name": "Опт"})
        self.line.write({"team_id": team.id, "tag_ids": tag.ids})
        self.account.lead_salesperson = "odoo"
        self.stranger_talked()
        self.work_off()
        lead = self.leads()
        self.assertEqual(lead.team_id, team)
        self.assertEqual(lead.tag_ids, tag)
        self.assertFalse(lead.user_id)
        self.account.lead_salesperson = "line"
        self.line.user_id = self.boris
        self.talked(5, number="+74950000298", line_id=self.line.id)
        self.work_off()
        self.assertEqual(self.leads("+74950000298").user_id, self.boris)

    def test_team_that_cannot_have_the_lead(self):
        """It was archived, or moved to another company, after it was chosen."""
        self.account.lead_policy = "always"
        teams = self.env["crm.team"].create(
            [
                {"name": "Архив", "company_id": False},
                {"name": "Там", "company_id": False},
            ]
        )
        archived, moved = teams
        self.line.team_id, self.other_line.team_id = archived, moved
        archived.active = False
        moved.company_id = self.env["res.company"].create({"name": "Другая"})
        self.stranger_talked()
        self.talked(5, number="+74950000298", line_id=self.other_line.id)
        self.work_off()
        for number in (STRANGER, "+74950000298"):
            self.assertTrue(self.leads(number))
            self.assertNotIn(self.leads(number).team_id, teams)

    def test_who_has_left_the_company_gets_none(self):
        self.account.lead_policy = "always"
        self.line.user_id = self.boris
        self.stranger_talked(users=self.kirill)
        self.kirill.active = False
        self.work_off()
        self.assertEqual(self.leads().user_id, self.boris)

    def test_never(self):
        self.account.write({"lead_policy": "always", "lead_policy_known": "always"})
        self.env["phone.blacklist"].create({"number": "+74950000297"})
        self.anna.partner_id.phone = "+74950000296"
        self.missed(10, number=False)
        self.missed(10, number=self.account._e164(LINE))
        self.missed(10, number="+74950000297")
        self.missed(10, number="+74950000296", partner_id=self.anna.partner_id.id)
        self.add(10, "answered", "internal", number=STRANGER)
        self.called(10, number=STRANGER)
        self.missed(0, number=STRANGER, started_at=self.now - timedelta(hours=25))
        before = self.env["crm.lead"].search_count([])
        self.work_off()
        self.assertEqual(self.env["crm.lead"].search_count([]), before)

    def test_chosen_by_hand(self):
        """Whoever took the lead off a call does not get it back."""
        self.account.lead_policy = "always"
        call = self.stranger_missed()
        call.with_user(self.vera).lead_id = False
        self.work_off()
        self.assertFalse(self.leads())

    def test_an_open_lead_is_enough(self):
        self.account.lead_policy = "always"
        lead = self.create_lead("Мебель", phone=STRANGER)
        call = self.stranger_missed()
        self.work_off()
        self.assertEqual(self.leads(), lead)
        self.assertEqual(call.lead_id, lead)

    def test_after_a_lost_and_a_won_lead(self):
        self.account.lead_policy = "always"
        first = self.stranger_missed(60)
        self.work_off()
        lost = self.leads()
        lost.action_set_lost()
        lost.date_closed = self.now - timedelta(minutes=30)
        self.assertEqual(first.lead_id, lost)
        # What happened before it was lost, or is looked at once more, changes nothing.
        self.stranger_missed(40)
        first._on_ended()
        self.work_off()
        self.assertEqual(self.leads(), lost)
        self.stranger_missed(20)
        self.work_off()
        second = self.leads() - lost
        self.assertEqual(len(second), 1)
        self.assertFalse(lost.active)
        second.action_set_won()
        second.date_closed = self.now - timedelta(minutes=10)
        self.account.lead_again = False
        self.stranger_missed(5)
        self.work_off()
        self.assertEqual(self.leads(), lost | second)

    def test_any_order(self):
        """The lead is as if the calls had become known in order."""
        self.account.lead_policy = "answered"
        self.other_line.lead_policy = "always"
        self.line.user_id = self.kirill
        other = {"line_id": self.other_line.id, "number": STRANGER}
        plan = [
            lambda: self.stranger_missed(60),
            lambda: self.missed(50, users=self.boris, **other),
            lambda: self.stranger_talked(40),
            lambda: self.talked(30, users=self.vera, **other),
        ]
        self.other_line.user_id = self.boris
        found = set()
        for order in (plan, plan[::-1], plan[2:] + plan[:2], plan[1::2] + plan[::2]):
            self.leads().unlink()
            self.env["mango.call"].search([]).unlink()
            for happen in order:
                happen()
                self.work_off()
            lead = self.leads()
            self.assertEqual(len(lead), 1)
            origin = self.env["mango.client.lead"].search([]).call_id
            found.add((lead.user_id, origin.started_at))
        self.assertEqual(len(found), 1, found)
        self.assertEqual(lead.user_id, self.boris)

    def test_what_people_changed_stays(self):
        self.account.lead_policy = "always"
        self.line.user_id = self.boris
        self.stranger_talked(20)
        self.work_off()
        self.leads().write({"user_id": self.kirill.id, "name": "Кухня"})
        self.stranger_missed(40)
        self.work_off()
        self.assertEqual(self.leads().user_id, self.kirill)
        self.assertEqual(self.leads().name, "Кухня")

    def test_two_numbers_of_one_contact(self):
        self.account.lead_policy_known = "always"
        self.env["res.partner"].create(
            {
                "name": "Иван Петров",
                "parent_id": self.ivan.id,
                "type": "other",
                "phone": "74950000203",
            }
        )
        self.missed(10, number="+74950000203")
        self.missed(10, number=IVAN)
        self.work_off()
        rows = self.env["mango.client.lead"].search([])
        self.assertEqual(rows.client_key, f"contact,{self.ivan.id}")
        self.assertEqual(len(rows.lead_id), 1)

    def test_while_talking(self):
        """Who answers has the lead on the card before the call is over."""
        self.account.lead_policy = "answered"
        now = int(fields.Datetime.now().timestamp())
        caller, callee = outside("74950000299"), staff("101", LINE)
        shift = {"timestamp": now}
        for state in ("Appeared", "Connected"):
            seq = 1 if state == "Appeared" else 2
            kind, payload = leg("L2", seq, state, seq, caller, callee)
            self.receive(kind, {**payload, **shift})
        kind, payload = leg("L2", 3, "OnHold", 3, caller, callee)
        self.receive(kind, {**payload, **shift})
        task = self.env["mango.crm.task"].search([])
        self.assertEqual(task.call_id, self.call(), "once, not with each notification")
        self.assertEqual(len(task), 1)
        self.work_off()
        call = self.call()
        self.assertEqual(call.state, "talking")
        self.assertEqual(call.lead_id, self.leads())
        self.assertEqual(call.lead_id.user_id, self.anna)

    def test_by_hand_and_by_rule(self):
        """A person who makes the lead and the rules come to one lead."""
        self.account.lead_policy = "always"
        self.anna.group_ids += self.env.ref("sales_team.group_sale_salesman")
        calls = self.stranger_talked(10) | self.stranger_talked(5)
        lead = self.create_lead("Стол", phone=STRANGER)
        calls[0].with_user(self.anna).choose_lead(lead.id)
        calls.invalidate_recordset()
        self.work_off()
        self.assertEqual(calls.lead_id, self.leads())
        self.assertEqual(len(self.leads()), 1)

    def test_oldest_call(self):
        with self.assertRaises(ValidationError):
            self.account.crm_max_age_hours = -1

    def test_time_of_a_run_ends(self):
        """What was done before is not done again."""
        self.account.lead_policy = "always"
        numbers = ("+74950000297", "+74950000298", STRANGER)
        calls = [self.missed(10, number=number) for number in numbers]
        self.env.flush_all()
        tasks = self.env["mango.crm.task"].search([])
        cron = type(self.env["ir.cron"])
        with patch.object(cron, "_commit_progress", side_effect=[60, 60, 0]) as told:
            tasks._work_off()
        self.assertEqual([call.args for call in told.mock_calls[1:]], [(1,), (1,)])
        self.assertEqual(tasks.exists().call_id, calls[2])
        self.env.invalidate_all()
        self.assertTrue(calls[0].lead_id and calls[1].lead_id)

    @warmup
    def test_nothing_is_asked_while_it_is_off(self):
        self.account.chatter_enabled = False
        call = self.stranger_missed()
        call._concerns_crm()
        self.env.flush_all()
        with self.assertQueryCount(0):
            self.assertFalse(call._concerns_crm())


@tagged("post_install", "-at_install")
class TestTurnedOut(CrmCase):
    """Leads of calls that have turned out otherwise than they looked first."""

    def made_early(self):
        """Create a lead from a call that looked answered, and correct the call."""
        self.account.lead_policy = "answered"
        call = self.stranger_talked()
        self.work_off()
        self.assertTrue(call.lead_id)
        return call

    def turn_out(self, call, **facts):
        call.write(facts)
        call._on_ended()
        self.work_off()

    def test_deleted_again(self):
        for facts in (
            {"direction": "outbound"},
            {"direction": "internal"},
            {"answered_at": False, "result": "missed"},
            {"client_number": False},
            {"end_reason": 1151},
        ):
            with self.subTest(facts):
                call = self.made_early()
                lead = call.lead_id
                self.turn_out(call, **facts)
                self.assertFalse(lead.exists())
                self.assertFalse(call.lead_id)
                self.assertFalse(self.env["mango.client.lead"].search([]))
                self.assertFalse(self.env["mango.crm.task"].search([]))

    def test_without_chatter(self):
        self.account.chatter_enabled = False
        call = self.made_early()
        self.turn_out(call, direction="outbound")
        self.assertFalse(self.leads())

    def test_line_of_the_contact(self):
        """The call then has its line in the chatter of its contact."""
        self.account.lead_policy_known = "answered"
        call = self.talked(10)
        self.work_off()
        self.assertEqual(call.chatter_message_id.model, "crm.lead")
        self.turn_out(call, answered_at=False, result="missed")
        self.assertFalse(self.ivan.opportunity_ids)
        self.work_off()
        self.assertEqual(call.chatter_message_id.model, "res.partner")
        self.assertEqual(call.chatter_message_id.res_id, self.ivan.id)

    def test_what_people_have_worked_with_stays(self):
        user = self.env.ref("sales_team.group_sale_salesman_all_leads")
        self.anna.group_ids += user

        def by_anna(act):
            return lambda call: act(call.lead_id.with_user(self.anna))

        works = {
            "written": by_anna(lambda lead: lead.write({"description": "Кухня"})),
            "message": by_anna(lambda lead: lead.message_post(body=lead.name)),
            "activity": by_anna(lambda lead: lead.activity_schedule(summary="Кухня")),
            "chosen": lambda call: call.with_user(self.vera).write(
                {"lead_id": call.lead_id.id}
            ),
            "assigned": lambda call: call.lead_id.write({"user_id": self.boris.id}),
        }
        for name, work in works.items():
            with self.subTest(name):
                call = self.made_early()
                lead = call.lead_id
                work(call)
                self.turn_out(call, direction="outbound")
                self.assertTrue(lead.exists())
                self.assertEqual(call.lead_id, lead)
                lead.unlink()

    def test_settings_and_corrections_change_nothing(self):
        call = self.made_early()
        lead = call.lead_id
        self.account.lead_policy = "missed"
        self.line.user_id = self.boris
        call.with_user(self.anna).note = "Кухня"
        self.work_off()
        self.assertEqual(lead.user_id, self.anna)
        # The contact that was created for the lead does not end it.
        self.account.lead_policy = "answered"
        partner = self.create_partner("Пётр", STRANGER)
        call.with_user(self.vera).partner_id = partner
        self.turn_out(call, user_id=self.vera.id)
        self.assertEqual(call.lead_id, lead)

    def test_salesperson(self):
        """It is who has answered in the end."""
        call = self.made_early()
        self.turn_out(call, user_id=self.boris.id)
        self.assertEqual(call.lead_id.user_id, self.boris)
        call.lead_id.user_id = self.kirill
        self.turn_out(call, user_id=self.vera.id)
        self.assertEqual(call.lead_id.user_id, self.kirill)

    def test_another_call_would_have_created_it(self):
        self.line.source_id = self.env["utm.source"].create({"name": "Журнал"})
        tag = self.env["crm.tag"].create({"name": "Опт"})
        self.line.tag_ids = tag
        first = self.made_early()
        lead = first.lead_id
        self.missed(7, number=STRANGER, line_id=self.other_line.id)
        later = self.talked(
            5, number=STRANGER, users=self.boris, line_id=self.other_line.id
        )
        self.work_off()
        self.assertEqual(later.lead_id, lead)
        self.assertEqual(lead.tag_ids, tag)
        self.turn_out(first, answered_at=False, result="missed")
        self.assertEqual(later.lead_id, lead)
        row = self.env["mango.client.lead"].search([])
        self.assertEqual(row.call_id, later)
        self.assertEqual(lead.user_id, self.boris)
        self.assertFalse(lead.tag_ids)
        self.assertEqual(lead.source_id, later.source_id)

    def test_number_of_somebody_else(self):
        """The lead is then that of the other number."""
        call = self.made_early()
        self.turn_out(call, client_number="+74950000298")
        self.assertFalse(self.leads())
        self.assertEqual(self.leads("+74950000298"), call.lead_id)

    def course(self, entry, extension, minutes, direction, talk):
        """Return the notifications of a call that looks answered until its summary."""
        caller, callee = outside("74950000299"), staff(extension, LINE)
        shift = int((self.now - timedelta(minutes=minutes)).timestamp()) - T0
        parties = (caller, callee) if direction == 1 else (callee, caller)
        posts = (
            leg(f"{entry}L", 1, "Appeared", 0, caller, callee),
            leg(f"{entry}L", 2, "Connected", 5, caller, callee),
            summary(direction, *parties, talk=talk, end=30, reason=1110),
        )
        return [(kind, _shifted(payload, shift, entry)) for kind, payload in posts]

    def each_order(self, posts):
        """Receive notifications in each order, and process them one by one."""
        self.account.lead_policy = "answered"
        for order in itertools.permutations(posts):
            for kind, payload in order:
                self.receive(kind, payload)
                self.work_off()
            yield [f"{payload['entry_id']} {kind}" for kind, payload in order]
            self.leads().unlink()
            self.env["mango.call"].search([]).unlink()
            self.events().unlink()

    def test_any_order_of_a_talk_that_was_none(self):
        for order in self.each_order(self.course("E1", "101", 10, 1, None)):
            self.assertEqual(self.call().result, "missed", order)
            self.assertFalse(self.leads(), order)

    def test_any_order_of_a_call_of_ours(self):
        for order in self.each_order(self.course("E1", "101", 10, 2, 5)):
            self.assertEqual(self.call().direction, "outbound", order)
            self.assertFalse(self.leads(), order)

    def test_any_order_of_two_calls(self):
        """Only the second one is a talk in the end."""
        posts = [
            *self.course("E1", "101", 10, 1, None)[1:],
            *self.course("E2", "102", 5, 1, 5)[1:],
        ]
        for order in self.each_order(posts):
            lead = self.leads()
            self.assertEqual(len(lead), 1, order)
            self.assertEqual(lead.user_id, self.boris, order)
            self.assertEqual(self.call("E2").lead_id, lead, order)
            origin = self.env["mango.client.lead"].search([]).call_id
            self.assertEqual(origin, self.call("E2"), order)


def _shifted(payload, seconds, entry):
    """Move all times of a notification, and give it to another call."""
    moments = {"timestamp", "create_time", "forward_time", "talk_time", "end_time"}
    moved = {
        name: value + seconds if name in moments and value else value
        for name, value in payload.items()
    }
    return {**moved, "entry_id": entry}


@tagged("post_install", "-at_install")
class TestLeadsAtOnce(CommittedCase):
    """Several processes at the same moment, in transactions of their own."""

    def setUp(self):
        super().setUp()
        with self.transaction() as env:
            account = env["mango.account"].browse(self.account_id)
            account.lead_policy = "always"
            now = fields.Datetime.now()
            self.call_ids = (
                env["mango.call"]
                .create(
                    [
                        {
                            "account_id": account.id,
                            "company_id": account.company_id.id,
                            "entry_id": f"{self.id()}-{place}",
                            "direction": "inbound",
                            "state": "ended",
                            "result": "missed",
                            "client_number": STRANGER,
                            "started_at": now,
                            "ended_at": now,
                        }
                        for place in range(40)
                    ]
                )
                .ids
            )

    def tearDown(self):
        with self.transaction() as env:
            env["crm.lead"].search([("phone_sanitized", "=", STRANGER)]).unlink()
        super().tearDown()

    def test_one_lead(self):
        errors = []

        def work(ids):
            for call_id in ids:
                try:
                    with self.transaction() as env:
                        env["mango.call"].browse(call_id)._update_crm()
                except Exception as error:  # noqa: BLE001 told by the test
                    errors.append(error)

        threads = [
            threading.Thread(target=work, args=(self.call_ids[place::4],))
            for place in range(4)
        ]
        # The thread that runs the tests holds the lock of the registry.
        with patch.object(Registry, "_lock", DummyRLock()):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertFalse(errors)
        with self.transaction() as env:
            leads = env["crm.lead"].search([("phone_sanitized", "=", STRANGER)])
            calls = env["mango.call"].browse(self.call_ids)
            self.assertEqual(len(leads), 1)
            self.assertEqual(calls.lead_id, leads)
            self.assertTrue(all(call.lead_id for call in calls))

    def test_without_the_lock(self):
        """Of two transactions that do not see each other's lead one fails."""
        first, second = self.call_ids[:2]
        with self.transaction() as late:
            late["mango.call"].browse(second).read(["client_number"])
            with self.transaction() as early:
                call = early["mango.call"].browse(first)
                self.assertTrue(early["mango.client.lead"]._lead_for(call))
            call = late["mango.call"].browse(second)
            with (
                mute_logger("odoo.sql_db"),
                self.assertRaises(SerializationFailure),
            ):
                late["mango.client.lead"]._lead_for(call)
            late.cr.rollback()
