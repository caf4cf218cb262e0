"""Missed clients: entries, responsible users, deadlines and notifications."""

import json
from ast import literal_eval
from datetime import datetime, timedelta
from unittest.mock import patch

from freezegun import freeze_time
from lxml import etree
from psycopg2 import InterfaceError
from psycopg2.errors import QueryCanceled, UniqueViolation

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tests import Form, tagged
from odoo.tools import mute_logger
from odoo.tools.safe_eval import safe_eval

from ...models.callbacks.mango_callback_apply import MangoCallback
from ..common import MangoCase
from ..vpbx_scenarios import inbound_answered, missed_by_group

IVAN = "+74950000201"
OLGA = "+74950000202"
IVANS_OTHER = "+74950000203"
SHOWN = ("display_name", "client_number_display")


def is_connected(body):
    return body.get("call_state") == "Connected" and "extension" in body["to"]


class CallbackCase(MangoCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.count = 0
        # Every minute is a working minute, unless a test says otherwise.
        cls.company.resource_calendar_id = False

    def setUp(self):
        super().setUp()
        # Not once for the class, which may take minutes: tests compare with the clock.
        self.now = fields.Datetime.now().replace(microsecond=0)

    def add(self, minutes_ago, result, direction, number=IVAN, **vals):
        """Add an ended call, as if the PBX had just reported it."""
        type(self).count += 1
        started_at = vals.pop("started_at", self.now - timedelta(minutes=minutes_ago))
        partner = self.env["mango.caller.lookup"]._find_partners(self.account, number)[
            :1
        ]
        users = vals.pop("users", self.anna)
        call = self.env["mango.call"].create(
            {
                "account_id": self.account.id,
                "company_id": self.company.id,
                "entry_id": f"E-{self.count}",
                "state": "ended",
                "direction": direction,
                "result": result,
                "client_number": number,
                "partner_id": partner.id,
                "user_id": users[:1].id,
                "user_ids": users.ids,
                "started_at": started_at,
                "ended_at": started_at + timedelta(seconds=30),
                "wait_duration": 30,
                **vals,
            }
        )
        call._on_ended()
        return call

    def missed(self, minutes_ago, **vals):
        return self.add(minutes_ago, "missed", "inbound", **vals)

    def tried(self, minutes_ago, **vals):
        return self.add(minutes_ago, "unanswered", "outbound", **vals)

    def called(self, minutes_ago, **vals):
        return self.talked(minutes_ago, "outbound", **vals)

    def talked(self, minutes_ago, direction="inbound", **vals):
        started_at = self.now - timedelta(minutes=minutes_ago)
        vals = {"answered_at": started_at, "talk_duration": 20, **vals}
        return self.add(minutes_ago, "answered", direction, **vals)

    def work_off(self):
        self.env.flush_all()
        self.run_cron("ir_cron_callbacks")
        return self.entries()

    def entries(self):
        return self.env["mango.callback"].search(
            [("account_id", "=", self.account.id)], order="first_missed_at, id"
        )

    def bus_of(self, user, act):
        """Return the bus notifications of a user in the meantime."""
        bus = self.env["bus.bus"].sudo()
        self.env.cr.precommit.run()
        before = bus.search([])
        act()
        self.env.cr.precommit.run()
        found = []
        for message in bus.search([], order="id") - before:
            channel, payload = json.loads(message.channel), json.loads(message.message)
            if channel[1:3] == ["res.partner", user.partner_id.id]:
                found.append(payload["type"])
        return found


@tagged("post_install", "-at_install")
class TestCallbacks(CallbackCase):
    # -- the loop ------------------------------------

    def test_missed(self):
        call = self.missed(10)
        entry = self.work_off()
        self.assertRecordValues(
            entry,
            [
                {
                    "account_id": self.account.id,
                    "company_id": self.company.id,
                    "client_number": IVAN,
                    "partner_id": self.ivan.id,
                    "user_id": self.anna.id,
                    "user_ids": self.anna.ids,
                    "first_missed_at": call.started_at,
                    "last_missed_at": call.started_at,
                    "attempt_count": 1,
                    "try_count": 0,
                    "state": "open",
                    "closed_by": False,
                    "outcome": "waiting",
                    "deadline": call.started_at + timedelta(minutes=30),
                    "call_ids": call.ids,
                }
            ],
        )
        self.assertEqual(entry.display_name, "Иван Петров")
        self.assertFalse(self.env["mango.callback.task"].search([]))

    def test_attempts_and_tries_and_called_back(self):
        self.missed(30)
        self.missed(25)
        self.tried(20, users=self.boris)
        self.work_off()
        closing = self.called(10, users=self.boris)
        self.assertRecordValues(
            self.work_off(),
            [
                {
                    "attempt_count": 2,
                    "try_count": 1,
                    "state": "done",
                    "closed_by": "called_back",
                    "closing_call_id": closing.id,
                    "closing_user_id": self.boris.id,
                    "closed_at": closing.answered_at,
                    "reaction_minutes": 20,
                    "outcome": "in_time",
                }
            ],
        )

    def test_called_back_late(self):
        self.missed(60)
        self.called(10)
        self.assertEqual(self.work_off().outcome, "late")

    def test_got_through(self):
        self.missed(30)
        self.work_off()
        self.talked(10)
        entry = self.work_off()
        self.assertEqual(entry.closed_by, "got_through")
        self.assertEqual(entry.outcome, "got_through")

    def test_what_a_missed_call_says(self):
        """A client who called again was not called back; the missed call shows that."""
        call = self.missed(30, users=self.boris)
        self.work_off()
        own = call.with_user(self.boris)
        self.assertEqual(own.callback_outcome, "waiting")
        self.talked(10)
        entry = self.work_off()
        self.assertEqual(own.callback_outcome, "got_through")
        words = dict(entry._fields["outcome"]._description_selection(self.env))
        self.assertEqual(words[entry.outcome], "Reached Since")

    def test_filter_of_calls_not_called_back(self):
        calls = self.env["mango.call"].with_user(self.boris)
        view = self.env.ref("mango_office.mango_call_view_search")
        arch = etree.fromstring(view.arch)
        found = arch.find(".//filter[@name='not_called_back']").get("domain")
        domain = Domain("account_id", "=", self.account.id) & Domain(
            literal_eval(found)
        )
        missed = self.missed(30, users=self.boris)
        self.work_off()
        self.assertEqual(calls.search(domain), missed)
        # Closed for users who may read the call, but not the entry.
        self.called(10, users=self.anna)
        entry = self.work_off()
        entry.user_ids -= self.boris
        entry.user_id = self.anna
        self.assertFalse(entry.with_user(self.boris).has_access("read"))
        self.assertFalse(calls.search(domain))

    def test_missed_again(self):
        self.missed(60)
        self.called(50)
        self.missed(10)
        self.assertEqual(self.work_off().mapped("state"), ["done", "open"])

    def test_any_order(self):
        """Calls one by one in any order give the same result as all at once."""
        plan = [
            ("missed", 60),
            ("tried", 55),
            ("missed", 50),
            ("called", 45),
            ("missed", 40),
            ("talked", 30),
            ("missed", 20),
            ("tried", 10),
        ]
        names = ["attempt_count", "try_count", "state", "closed_by", "closed_at"]
        names += ["first_missed_at", "last_missed_at", "reaction_minutes", "deadline"]
        outcomes = set()
        for order in (plan, plan[::-1], plan[::2] + plan[1::2], plan[4:] + plan[:4]):
            self.env["mango.callback"].search([]).unlink()
            self.env["mango.call"].search([]).unlink()
            for name, minutes in order:
                getattr(self, name)(minutes)
                self.work_off()
            outcomes.add(
                str([[entry[name] for name in names] for entry in self.entries()])
            )
        self.assertEqual(len(outcomes), 1, outcomes)
        self.assertEqual(self.entries().mapped("state"), ["done", "done", "open"])

    def test_call_reported_twice(self):
        call = self.missed(10)
        self.work_off()
        call._on_ended()
        call._on_ended()
        self.assertEqual(self.work_off().attempt_count, 1)

    def test_missed_call_turns_out_to_be_answered(self):
        call = self.missed(10)
        self.assertTrue(self.work_off())
        call.write({"result": "answered", "answered_at": call.started_at})
        call._on_ended()
        self.assertFalse(self.work_off())

    def test_the_talk_turns_out_to_be_none(self):
        self.missed(20)
        call = self.called(10)
        self.assertEqual(self.work_off().state, "done")
        call.write({"result": "unanswered", "answered_at": False})
        call._on_ended()
        entry = self.work_off()
        self.assertEqual((entry.state, entry.try_count), ("open", 1))
        self.assertFalse(entry.closing_call_id or entry.closed_at)

    def test_calls_deleted_by_age(self):
        self.missed(20)
        entry = self.work_off()
        entry.call_ids.unlink()
        self.called(10)
        self.assertEqual(self.work_off(), entry)
        self.assertEqual((entry.state, entry.attempt_count), ("done", 1))

    def test_entries_go_with_their_calls(self):
        """Closed entries are deleted with their calls; open ones stay."""
        self.missed(60)
        self.called(50)
        self.missed(40)
        closed, waiting = self.work_off()
        self.env["mango.call"].search([])._delete_by_age()
        self.assertFalse(closed.exists())
        self.assertEqual(waiting.exists().state, "open")

    def test_one_open_entry_in_the_database(self):
        self.missed(10)
        entry = self.work_off()
        vals = entry.copy_data()[0]
        with mute_logger("odoo.sql_db"), self.assertRaises(UniqueViolation):
            with self.env.cr.savepoint():
                self.env["mango.callback"].create({**vals, "state": "open"})

    # -- the client ------------------------------------

    def test_other_clients_are_others(self):
        self.missed(10)
        self.missed(9, number=OLGA)
        self.called(5, number=OLGA)
        self.assertEqual(self.work_off().mapped("state"), ["open", "done"])

    def test_any_number_of_a_contact(self):
        self.create_partner(
            "Иван, мобильный", "74950000203", parent_id=self.ivan.id, type="other"
        )
        self.missed(20)
        self.missed(10, number=IVANS_OTHER)
        entry = self.work_off()
        self.assertEqual(entry.attempt_count, 2)
        self.assertEqual(entry.client_number, IVANS_OTHER, "the last one used")
        self.called(5)
        self.assertEqual(self.work_off().state, "done")

    def test_number_that_was_only_chosen(self):
        """A user has chosen Ivan, but the number was not added to him."""
        self.missed(20, number=OLGA, partner_id=self.ivan.id)
        self.missed(15)
        self.assertEqual(self.work_off().attempt_count, 2)
        self.called(5, number=OLGA, partner_id=False)
        self.assertEqual(self.work_off().state, "done")

    def test_unknown_caller_becomes_a_contact(self):
        self.missed(20, number=OLGA)
        entry = self.work_off()
        self.assertFalse(entry.partner_id)
        olga = self.create_partner("Ольга", "74950000202")
        self.missed(10, number=OLGA)
        self.assertEqual(self.work_off(), entry)
        self.assertEqual((entry.partner_id, entry.attempt_count), (olga, 2))

    def test_client_chosen_manually(self):
        call = self.missed(20, number=OLGA)
        self.missed(15)
        self.assertEqual(len(self.work_off()), 2)
        call.with_user(self.anna).partner_id = self.ivan
        entry = self.work_off()
        self.assertEqual((entry.partner_id, entry.attempt_count), (self.ivan, 2))

    def test_number_that_others_call_from_too(self):
        """Ivan has called from it once, so its other callers are unknown."""
        self.missed(20, number=OLGA, partner_id=self.ivan.id, partner_is_manual=True)
        self.missed(15, number=OLGA)
        entries = self.work_off()
        self.assertEqual(entries.partner_id, self.ivan)
        self.assertEqual(entries.mapped("attempt_count"), [1, 1])

    def test_both_dialled_at_once(self):
        """The call missed during the talk does not open an entry."""
        missed = self.missed(10)
        self.called(
            11,
            answered_at=self.now - timedelta(minutes=9),
            ended_at=self.now - timedelta(minutes=5),
        )
        self.assertFalse(self.work_off())
        missed._on_ended()
        self.assertFalse(self.work_off())

    def test_colleagues_with_one_number(self):
        """Each has an entry, and a talk with the number closes both."""
        other = self.create_partner("Сосед", "74950000201")
        self.missed(20, partner_id=self.ivan.id)
        self.missed(15, partner_id=other.id)
        self.assertEqual(len(self.work_off()), 2)
        self.called(5, partner_id=other.id)
        self.assertEqual(self.work_off().mapped("state"), ["done", "done"])

    def test_contact_deleted(self):
        self.missed(20)
        entry = self.work_off()
        self.ivan.unlink()
        self.assertEqual(self.work_off(), entry)
        self.assertEqual((entry.state, entry.client_key), ("open", IVAN))
        self.called(5)
        self.assertEqual(self.work_off().state, "done")

    def test_contacts_merged(self):
        olga = self.create_partner("Ольга", "74950000202")
        self.missed(20)
        self.missed(10, number=OLGA)
        self.assertEqual(len(self.work_off()), 2)
        merge = self.env["base.partner.merge.automatic.wizard"].create({})
        merge._merge((olga | self.ivan).ids, self.ivan)
        entry = self.work_off()
        self.assertEqual((entry.partner_id, entry.attempt_count), (self.ivan, 2))
        self.assertEqual(entry.state, "open")

    def assertOneEntry(self, partner):
        """Check that the client waits once, and is no longer waiting after a talk."""
        entry = self.work_off().filtered(lambda entry: entry.state == "open")
        self.assertEqual(entry.partner_id, partner)
        self.assertEqual(entry.attempt_count, 2)
        self.called(1, partner_id=False)
        self.env["mango.call"].search([])._on_ended()
        self.assertEqual(self.work_off(), entry)
        self.assertEqual(entry.state, "done")

    def test_contact_archived(self):
        """The client waits once, and the next time as a number."""
        self.missed(20)
        self.work_off()
        self.ivan.active = False
        self.missed(10)
        self.assertOneEntry(self.ivan)
        self.missed(0)
        self.assertEqual(self.work_off()[1].client_key, IVAN)

    def test_contact_archived_in_favour_of_another(self):
        self.missed(20)
        self.work_off()
        self.ivan.active = False
        other = self.create_partner("Иван Петров", "74950000201")
        self.missed(10)
        self.assertOneEntry(other)

    def test_number_of_the_contact_changed(self):
        self.missed(20)
        self.work_off()
        self.ivan.phone = "74950000203"
        self.missed(10)
        self.assertOneEntry(self.ivan)

    def test_number_given_to_another_contact(self):
        self.missed(20)
        self.work_off()
        self.ivan.phone = False
        olga = self.create_partner("Ольга", "74950000201")
        self.missed(10)
        self.assertEqual(self.work_off().partner_id, self.ivan | olga)

    def test_the_user_knows_better_than_the_number(self):
        """A call that a user has taken from the contact leaves the entry."""
        self.missed(20)
        call = self.missed(10)
        entry = self.work_off()
        self.ivan.phone = False
        call.with_user(self.anna).partner_id = False
        self.assertEqual(self.work_off().mapped("attempt_count"), [1, 1])
        self.assertEqual(entry.call_ids, self.work_off()[0].call_ids)
        self.assertNotIn(call, entry.call_ids)

    def test_two_pbxs(self):
        other = self.create_account(name="Вторая")
        self.missed(20)
        self.missed(20, account_id=other.id)
        self.called(5)
        self.work_off()
        entries = self.env["mango.callback"].search([])
        states = {entry.account_id: entry.state for entry in entries}
        self.assertEqual(states, {self.account: "done", other: "open"})

    # -- exceptions ------------------------------------

    def test_exclusions(self):
        cases = {
            "internal": {"direction": "internal"},
            "hidden": {"number": False},
            "short": {"wait_duration": 2},
            "own line": {"number": "+74950000100"},
            "old": {"started_at": self.now - timedelta(hours=25)},
        }
        for case, vals in cases.items():
            with self.subTest(case=case):
                direction = vals.pop("direction", "inbound")
                self.add(10, "missed", direction, **vals)
                self.assertFalse(self.work_off())

    def test_phone_of_a_colleague(self):
        self.env["mango.device"].create(
            {"extension_id": self.boris_extension.id, "number": "74950000202"}
        )
        self.missed(10, number=OLGA)
        self.assertFalse(self.work_off())

    def test_blacklist(self):
        self.env["phone.blacklist"].sudo().create({"number": IVAN})
        self.missed(10)
        self.assertFalse(self.work_off())

    def test_blacklisted_later(self):
        """An open entry stays until a user closes it."""
        self.missed(10)
        entry = self.work_off()
        self.env["phone.blacklist"].sudo().create({"number": IVAN})
        self.missed(5)
        self.assertEqual(self.work_off(), entry)
        self.assertEqual(entry.attempt_count, 1)

    def test_settings(self):
        self.account.callback_min_wait = 60
        self.missed(10)
        self.assertFalse(self.work_off())
        self.account.write({"callback_min_wait": 0, "callback_max_age_hours": 48})
        self.missed(25 * 60, wait_duration=0)
        self.assertTrue(self.work_off())

    def test_switched_off(self):
        self.account.callback_enabled = False
        self.missed(10)
        self.assertFalse(self.work_off())

    def test_an_entry_does_not_vanish_with_age(self):
        self.account.callback_max_age_hours = 1
        call = self.missed(30)
        entry = self.work_off()
        self.env.cr.execute(
            "UPDATE mango_call SET create_date = started_at + interval '2 hours' "
            "WHERE id = %s",
            [call.id],
        )
        self.env.invalidate_all()
        self.missed(1)
        self.assertEqual(self.work_off(), entry)
        self.assertEqual(entry.attempt_count, 2)

    def test_old_talk_that_is_fetched_closes(self):
        self.account.callback_max_age_hours = 48
        self.missed(40 * 60)
        entry = self.work_off()
        self.account.callback_max_age_hours = 1
        self.missed(39 * 60)
        self.called(30 * 60)
        self.assertEqual(self.work_off(), entry)
        self.assertEqual(entry.state, "done")

    def test_history_leaves_no_tasks(self):
        for minutes in range(60):
            self.called(60 * 24 * 3 + minutes)
        self.assertFalse(self.env["mango.callback.task"].search([]))

    # -- responsible user ------------------------------------

    def test_chain(self):
        self.env["mango.line"].search([]).user_id = self.vera
        line = self.account.line_ids[0]
        self.account.callback_user_id = self.kirill
        missed = {"users": self.boris, "line_id": line.id}
        for case, prepare, expected in (
            ("salesperson", lambda: None, self.anna),
            ("first rung", lambda: self.ivan.write({"user_id": False}), self.boris),
            ("line", lambda: missed.update(users=self.env["res.users"]), self.vera),
            ("PBX", lambda: line.write({"user_id": False}), self.kirill),
            (
                "nobody",
                lambda: self.account.write({"callback_user_id": False}),
                self.env["res.users"],
            ),
        ):
            with self.subTest(case=case):
                prepare()
                self.entries().unlink()
                self.env["mango.call"].search([]).unlink()
                self.missed(10, **missed)
                self.assertEqual(self.work_off().user_id, expected)

    def test_first_rung_of_a_group(self):
        """A call missed by several employees has no employee, but the entry has one."""
        self.ivan.user_id = False
        with freeze_time("2026-01-01 09:01:00"):
            self.play(missed_by_group())
        self.assertFalse(self.call().user_id)
        entry = self.work_off()
        self.assertEqual(entry.user_id, self.anna)
        self.assertEqual(entry.user_ids, self.anna | self.boris | self.vera)

    def test_lead_before_contact(self):
        lead = self.create_lead("Мебель", user_id=self.boris.id)
        self.missed(10, lead_id=lead.id)
        entry = self.work_off()
        self.assertEqual((entry.lead_id, entry.user_id), (lead, self.boris))
        self.assertIn(self.boris, entry.user_ids)

    def test_responsible_has_left(self):
        self.account.callback_user_id = self.kirill
        self.missed(10, users=self.boris)
        entry = self.work_off()
        self.assertEqual(entry.user_id, self.anna)
        self.anna.active = False
        self.assertEqual(entry.user_id, self.boris)
        self.boris.active = False
        self.assertEqual(entry.user_id, self.kirill)
        self.kirill.active = False
        self.assertFalse(entry.user_id)
        self.missed(5, users=self.boris)
        self.assertFalse(self.work_off().user_id)

    def test_responsible_lost_the_rights(self):
        other = self.env["res.company"].create({"name": "Другая"})
        group = self.env.ref("mango_office.group_user")

        def leave(user):
            user.write({"company_ids": [(6, 0, other.ids)], "company_id": other.id})

        def lose_group(user):
            user.group_ids = self.env.ref("base.group_user")

        def taken_from_group(user):
            user.group_ids += self.env.ref("base.group_user")
            group.user_ids -= user

        self.account.callback_activity = True
        for lose in (leave, lose_group, taken_from_group):
            with self.subTest(lose=lose.__name__):
                user = self.create_user(lose.__name__, "Глеб Орлов")
                self.missed(10)
                entry = self.work_off()
                entry.with_user(self.anna).user_id = user
                self.assertEqual(entry.activity_id.user_id, user)
                lose(user)
                self.assertEqual(entry.user_id, self.anna)
                self.assertEqual(entry.activity_id.user_id, self.anna)
                self.entries().unlink()
                self.env["mango.call"].search([]).unlink()

    def test_nobody_is_left(self):
        """The activity does not stay with somebody who has left."""
        self.account.callback_activity = True
        self.missed(10)
        entry = self.work_off()
        self.assertEqual(entry.activity_id.user_id, self.anna)
        self.anna.group_ids -= self.env.ref("mango_office.group_user")
        self.assertFalse(entry.user_id or entry.activity_id)
        self.account.callback_user_id = self.kirill
        self.missed(5)
        self.work_off()
        self.assertEqual(entry.activity_id.user_id, self.kirill)

    def test_salesperson_without_telephony(self):
        """They could not see the entry, so whoever was rung gets it."""
        seller = self.create_user("seller", "Глеб Орлов")
        seller.group_ids = self.env.ref("base.group_user")
        self.ivan.user_id = seller
        self.missed(10, users=self.boris)
        self.assertEqual(self.work_off().user_id, self.boris)

    def test_nobody_else_can_be_made_responsible(self):
        self.missed(10)
        entry = self.work_off()
        other = self.env["res.company"].create({"name": "Другая"})
        away = self.create_user(
            "away", "Глеб Орлов", company_id=other.id, company_ids=[(6, 0, other.ids)]
        )
        for user in (away, self.env.ref("base.public_user")):
            with self.assertRaises(UserError):
                entry.with_user(self.anna).user_id = user
        self.assertEqual(entry.user_id, self.anna)

    def test_responsible_that_was_cleared(self):
        self.missed(10)
        entry = self.work_off()
        entry.with_user(self.anna).user_id = self.boris
        entry.with_user(self.boris).user_id = False
        self.assertEqual(entry.user_id, self.anna, "as if nobody had been chosen")

    def test_waits_for_another_company(self):
        """The ribbon does not tell what happens in a company of others."""
        self.missed(10)
        self.work_off()
        lead = self.create_lead("Мебель", partner_id=self.ivan.id)
        other = self.env["res.company"].create({"name": "Другая"})
        self.vera.company_ids += other
        self.vera.group_ids += self.env.ref("sales_team.group_sale_salesman_all_leads")
        for record in (self.ivan, lead):
            record = record.with_user(self.vera)
            for company, is_waiting in ((self.company, True), (other, False)):
                own = record.with_context(allowed_company_ids=company.ids)
                self.assertEqual(own.mango_is_waiting, is_waiting)

    def test_who_can_be_chosen(self):
        for model, name in (
            ("mango.callback", "user_id"),
            ("mango.account", "callback_user_id"),
        ):
            field = self.env[model].fields_get([name], ["domain"])[name]
            domain = safe_eval(field["domain"], {"company_id": self.company.id})
            users = self.env["res.users"].search(domain)
            self.assertLessEqual(self.anna | self.kirill, users)
            self.kirill.group_ids = self.env.ref("base.group_user")
            self.assertNotIn(self.kirill, self.env["res.users"].search(domain))
            self.kirill.group_ids += self.env.ref("mango_office.group_user")

    def test_reassigned(self):
        self.missed(10)
        entry = self.work_off()
        entry.with_user(self.anna).user_id = self.boris
        self.missed(5)
        self.assertEqual(self.work_off().user_id, self.boris)
        self.assertIn(self.boris, entry.user_ids)
        self.boris.active = False
        self.assertEqual(entry.user_id, self.anna)

    # -- deadline ------------------------------------

    def calendar(self, **vals):
        return self.env["resource.calendar"].create(
            {
                "name": "9-18",
                "tz": "Europe/Moscow",
                "company_id": self.company.id,
                "attendance_ids": [(5, 0)]
                + [
                    (
                        0,
                        0,
                        {
                            "name": day,
                            "dayofweek": day,
                            "hour_from": 9,
                            "hour_to": 18,
                            "day_period": "morning",
                        },
                    )
                    for day in "01234"
                ],
                **vals,
            }
        )

    def entry_at(self, *moment):
        """Return the entry of a call that was missed at a moment in UTC."""
        started_at = datetime(*moment)
        self.entries().unlink()
        self.env["mango.call"].search([]).unlink()
        call = self.missed(0, started_at=started_at)
        self.env.cr.execute(
            "UPDATE mango_call SET create_date = started_at WHERE id = %s", [call.id]
        )
        self.env.invalidate_all()
        # Notified at once, but long ago.
        self.env["mango.callback.task"].create({"call_id": call.id})
        return self.work_off()

    def test_deadline_in_working_time(self):
        self.company.resource_calendar_id = self.calendar()
        # Monday, 2 March 2026; Moscow is three hours ahead.
        during = self.entry_at(2026, 3, 2, 9, 0)
        self.assertEqual(during.deadline, datetime(2026, 3, 2, 9, 30))
        evening = self.entry_at(2026, 3, 2, 14, 45)
        self.assertEqual(evening.deadline, datetime(2026, 3, 3, 6, 15))
        night = self.entry_at(2026, 3, 2, 23, 0)
        self.assertEqual(night.deadline, datetime(2026, 3, 3, 6, 30))
        weekend = self.entry_at(2026, 3, 7, 12, 0)
        self.assertEqual(weekend.deadline, datetime(2026, 3, 9, 6, 30))
        self.assertEqual((weekend.missed_hour, weekend.missed_weekday), ("15:00", "5"))

    def test_public_holiday(self):
        calendar = self.calendar()
        self.company.resource_calendar_id = calendar
        self.env["resource.calendar.leaves"].create(
            {
                "name": "8 марта",
                "calendar_id": calendar.id,
                "company_id": self.company.id,
                "date_from": datetime(2026, 3, 8, 21, 0),
                "date_to": datetime(2026, 3, 9, 20, 59),
            }
        )
        weekend = self.entry_at(2026, 3, 7, 12, 0)
        self.assertEqual(weekend.deadline, datetime(2026, 3, 10, 6, 30))

    def test_reaction_in_working_time(self):
        self.company.resource_calendar_id = self.calendar()
        entry = self.entry_at(2026, 3, 2, 14, 45)
        self.assertEqual(entry._reaction_minutes(datetime(2026, 3, 3, 6, 5)), 20)
        self.assertEqual(entry._reaction_minutes(datetime(2026, 3, 2, 14, 0)), 0)

    def test_calendar_without_hours(self):
        self.company.resource_calendar_id = self.calendar(attendance_ids=[(5, 0)])
        call = self.missed(10)
        entry = self.work_off()
        self.assertEqual(entry.deadline, call.started_at + timedelta(minutes=30))
        self.called(5)
        self.assertEqual(self.work_off().reaction_minutes, 5)

    # -- by hand ------------------------------------

    def decide(self, entry, choice, user=None, **vals):
        model = self.env["mango.callback.decision"].with_user(user or self.anna)
        decision = model.create({"callback_ids": entry.ids, "choice": choice, **vals})
        decision.action_apply()

    def test_dropped(self):
        self.missed(10)
        entry = self.work_off()
        with self.assertRaises(UserError):
            self.decide(entry, "dropped")
        self.decide(entry, "dropped", reason="Реклама")
        self.assertRecordValues(
            entry,
            [
                {
                    "state": "dropped",
                    "closed_by": "hand",
                    "reason": "Реклама",
                    "outcome": "never",
                    "closing_user_id": self.anna.id,
                }
            ],
        )

    def test_what_a_person_did_stays(self):
        self.missed(20)
        self.missed(15)
        entry = self.work_off()
        self.decide(entry, "done", reason="Говорили лично")
        self.called(10)  # told of later
        self.missed(12)
        self.assertEqual(self.work_off(), entry)
        self.assertEqual((entry.state, entry.closed_by), ("done", "hand"))
        self.missed(-1)
        entries = self.work_off()
        self.assertEqual(entries.mapped("state"), ["done", "open"])

    def test_clock_of_the_pbx_is_ahead(self):
        self.missed(-3)
        entry = self.work_off()
        self.decide(entry, "done")
        entry.call_ids._on_ended()
        self.assertEqual(self.work_off(), entry)
        self.assertEqual(entry.state, "done")

    def know_at(self, call, moment):
        """Set when this server was told of a call."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE mango_call SET create_date = %s WHERE id = %s", [moment, call.id]
        )
        self.env.invalidate_all()

    def closed_by_hand(self):
        self.know_at(self.missed(20), self.now - timedelta(minutes=20))
        entry = self.work_off()
        self.decide(entry, "done", reason="Говорили лично")
        return entry

    def test_clock_of_the_pbx_is_behind(self):
        """Who calls after the decision waits, whatever the PBX's clock says."""
        entry = self.closed_by_hand()
        call = self.missed(5)
        self.know_at(call, entry.closed_at + timedelta(minutes=1))
        new = self.work_off() - entry
        self.assertEqual(new.state, "open")
        self.assertEqual(new.call_ids, call)
        self.assertEqual((entry.state, entry.attempt_count), ("done", 1))
        self.decide(new, "done")
        self.env["mango.call"].search([])._on_ended()
        self.assertEqual(self.work_off(), entry | new)
        self.assertEqual((entry | new).mapped("attempt_count"), [1, 1])

    def test_phone_rings_during_the_decision(self):
        entry = self.closed_by_hand()
        started_at = entry.closed_at - timedelta(seconds=10)
        call = self.missed(0, started_at=started_at)
        self.know_at(call, started_at)
        new = self.work_off() - entry
        self.assertEqual((new.state, new.call_ids), ("open", call))

    def test_statistics_report_a_call_before_the_decision(self):
        entry = self.closed_by_hand()
        call = self.missed(5, source="statistics")
        self.know_at(call, entry.closed_at + timedelta(minutes=1))
        self.assertEqual(self.work_off(), entry)
        self.assertEqual((entry.state, entry.attempt_count), ("done", 2))

    def test_later(self):
        self.missed(60)
        entry = self.work_off()
        self.assertEqual(entry.urgency, "overdue")
        self.assertEqual(self.anna.with_user(self.anna)._mango_waiting_count(), 1)
        until = self.now + timedelta(hours=3)
        self.decide(entry, "later", until=until)
        self.assertEqual((entry.deadline, entry.urgency), (until, "later"))
        self.assertEqual(self.anna.with_user(self.anna)._mango_waiting_count(), 0)
        self.tried(30)
        self.assertEqual(self.work_off().deadline, until)
        # The client calls again: that is what counts now.
        call = self.missed(1)
        self.work_off()
        self.assertEqual(entry.deadline, call.started_at + timedelta(minutes=30))
        self.assertEqual(self.anna.with_user(self.anna)._mango_waiting_count(), 1)
        call._on_ended()
        self.work_off()
        self.assertEqual(entry.deadline, call.started_at + timedelta(minutes=30))

    def test_later_than_now(self):
        self.missed(60)
        with self.assertRaises(UserError):
            self.decide(self.work_off(), "later", until=self.now - timedelta(hours=1))

    def test_tomorrow(self):
        self.anna.tz = "Europe/Moscow"
        self.missed(10)
        entry = self.work_off()
        decision = self.env["mango.callback.decision"].with_user(self.anna)
        decision.create({"callback_ids": entry.ids}).action_tomorrow()
        self.assertEqual((entry.deadline.hour, entry.deadline.minute), (6, 0))
        self.assertGreater(entry.deadline, self.now)

    def test_deadline_that_was_cleared(self):
        """It is computed again."""
        self.account.callback_activity = True
        call = self.missed(10)
        entry = self.work_off()
        as_anna = entry.with_user(self.anna)
        as_anna.deadline = self.now + timedelta(days=3)
        as_anna.deadline = False
        self.assertEqual(entry.deadline, call.started_at + timedelta(minutes=30))
        self.assertFalse(entry.deadline_is_manual)

    def test_only_open_ones_are_decided(self):
        self.missed(10)
        self.called(5)
        entry = self.work_off()
        self.decide(entry, "dropped", reason="x")
        self.assertEqual((entry.state, entry.closed_by), ("done", "called_back"))

    def test_asks_after_some_tries(self):
        self.missed(30)
        for minutes in (20, 15):
            self.tried(minutes)
        entry = self.work_off()
        self.assertFalse(entry.asks)
        self.tried(10)
        self.work_off()
        entry.invalidate_recordset()
        self.assertTrue(entry.asks)

    def test_nothing_else_can_be_changed(self):
        self.missed(10)
        entry = self.work_off().with_user(self.vera)
        for vals in ({"state": "done"}, {"attempt_count": 7}, {"partner_id": False}):
            with self.subTest(vals=vals), self.assertRaises(AccessError):
                entry.write(vals)
        for act in (entry.unlink, entry.copy):
            with self.assertRaises(AccessError):
                act()

    # -- overdue ------------------------------------

    def overdue_messages(self):
        before = self.env["mail.message"].search([])
        self.run_cron("ir_cron_overdue_callbacks")
        new = self.env["mail.message"].search([]) - before
        return new.filtered(lambda message: message.model == "mango.account")

    def test_supervisors_are_notified_once(self):
        self.missed(60)
        self.missed(5, number=OLGA)
        self.work_off()
        message = self.overdue_messages()
        self.assertIn(self.vera.partner_id, message.partner_ids)
        self.assertNotIn(self.anna.partner_id, message.partner_ids)
        self.assertIn("Иван Петров", message.body)
        self.assertNotIn(OLGA[-7:], message.body)
        self.assertFalse(self.overdue_messages())

    def test_overdue_again_after_another_deadline(self):
        self.missed(120)
        entry = self.work_off()
        for minutes in (60, 30):
            entry.with_user(self.anna).deadline = self.now - timedelta(minutes=minutes)
            self.assertFalse(entry.overdue_told_at)
            self.run_cron("ir_cron_overdue_callbacks")
            self.assertTrue(entry.overdue_told_at)

    def test_overdue_again_after_it_was_put_off(self):
        self.missed(60)
        entry = self.work_off()
        self.assertTrue(self.overdue_messages())
        self.decide(entry, "later", until=self.now + timedelta(hours=1))
        self.assertFalse(self.overdue_messages())
        entry.deadline = self.now - timedelta(minutes=1)
        self.assertTrue(self.overdue_messages())

    # -- notifications ------------------------------------

    def test_live(self):
        self.missed(10, users=self.anna | self.boris)
        told = []
        told += self.bus_of(self.boris, self.work_off)
        self.assertEqual(told, ["mango_office/callback"])
        self.called(5)
        told = self.bus_of(self.boris, self.work_off)
        self.assertEqual(told, ["mango_office/callback"])
        self.entries().call_ids._on_ended()
        self.assertEqual(self.bus_of(self.boris, self.work_off), [], "nothing new")

    def test_somebody_is_calling(self):
        self.missed(10, users=self.anna | self.boris)
        entry = self.work_off()
        self.assertFalse(entry.calling)
        told = self.bus_of(
            self.boris,
            lambda: self.anna.with_user(self.anna).mango_call(
                IVAN, "mango.callback", entry.id
            ),
        )
        self.assertIn("mango_office/callback", told)
        entry.invalidate_recordset()
        self.assertEqual(entry.with_user(self.boris).calling, "Анна Соколова")
        self.assertFalse(entry.with_user(self.boris).is_calling_me)
        self.assertTrue(entry.with_user(self.anna).is_calling_me)
        self.assertFalse(entry.is_talking)

    def test_the_client_calls_again_and_is_answered(self):
        self.missed(10)
        entry = self.work_off()
        call = self.talked(1, users=self.boris)
        call.write({"state": "talking", "result": False, "ended_at": False})
        entry.invalidate_recordset()
        self.assertEqual(entry.calling, "Борис Кузнецов")
        self.assertTrue(entry.is_talking)

    def start_talk(self):
        """Receive the notifications of a group call until Anna answers.

        :return: the notifications of its end
        """
        posts = inbound_answered().posts
        answered = next(
            place for place, (_kind, body) in enumerate(posts) if is_connected(body)
        )
        for post in posts[: answered + 1]:
            self.receive(*post)
        return posts[answered + 1 :]

    def test_others_see_live_who_answers_the_client(self):
        self.missed(10, users=self.anna | self.vera)
        entry = self.work_off()
        told = self.bus_of(self.vera, self.start_talk)
        self.assertEqual(told, ["mango_office/callback"])
        entry.invalidate_recordset()
        self.assertEqual(entry.with_user(self.vera).calling, "Анна Соколова")
        self.assertTrue(entry.with_user(self.vera).is_talking)

    def test_others_see_live_that_the_talk_is_over(self):
        self.missed(10, users=self.anna | self.vera)
        entry = self.work_off()
        *_legs, last = self.start_talk()
        told = self.bus_of(self.vera, lambda: self.receive(*last))
        self.assertEqual(told, ["mango_office/callback"])
        entry.invalidate_recordset()
        self.assertFalse(entry.with_user(self.vera).calling)

    def test_participants_are_not_notified_twice(self):
        """Boris's phone rings, too, so he is notified of the call."""
        self.missed(10, users=self.anna | self.boris)
        self.work_off()
        told = self.bus_of(self.boris, self.start_talk)
        self.assertIn("mango_office/call", told)
        self.assertNotIn("mango_office/callback", told)

    # -- cards ------------------------------------

    def card(self, call, user):
        self.env.invalidate_all()
        content = self.env["mango.card.content"].with_user(user)
        return content._card_of_call(call.with_user(user))

    def test_card_of_a_missed_call_follows_its_client(self):
        missed = self.missed(10, users=self.anna | self.boris)
        self.work_off()
        card = self.card(missed, self.anna)
        self.assertEqual((card["follow_up"], card["callback"]["attempts"]), (False, 1))
        self.talked(5, users=self.boris)
        told = self.bus_of(self.anna, self.work_off)
        self.assertEqual(told, ["mango_office/callback"])
        card = self.card(missed, self.anna)
        self.assertEqual(
            card["follow_up"], {"outcome": "got_through", "user": "Борис Кузнецов"}
        )
        self.assertFalse(card["callback"])

    def test_card_of_a_talk_has_no_follow_up(self):
        self.missed(10)
        talk = self.talked(5)
        self.work_off()
        self.assertFalse(self.card(talk, self.anna)["follow_up"])

    def test_card_of_a_missed_call_names_who_is_talking(self):
        missed = self.missed(10, users=self.boris)
        self.work_off()
        self.start_talk()
        callback = self.card(missed, self.boris)["callback"]
        self.assertEqual(callback["calling"], "Анна Соколова")
        self.assertEqual(
            (callback["is_talking"], callback["is_calling_me"]), (True, False)
        )

    def test_call_of_an_entry_belongs_to_its_client(self):
        lead = self.create_lead("Мебель", partner_id=self.ivan.id)
        self.missed(10, lead_id=lead.id)
        entry = self.work_off()
        vals = self.env["mango.call"]._prepare_origin_vals(entry)
        self.assertEqual(vals["partner_id"], self.ivan.id)
        self.assertEqual(vals["lead_id"], lead.id)
        self.assertEqual(
            (vals["res_model"], vals["res_id"]), ("mango.callback", entry.id)
        )

    def test_number_of_an_unknown_client_is_shown_once(self):
        self.missed(20, number="+74950000299")
        self.missed(10)
        stranger, known = self.work_off()
        for name in ("list", "list_report", "form"):
            view = self.env.ref(f"mango_office.mango_callback_view_{name}")
            [node] = etree.fromstring(view.arch).xpath(
                "//field[@name='client_number_display']"
            )
            for entry, is_hidden in ((stranger, True), (known, False)):
                values = {key: entry[key] for key in SHOWN}
                found = safe_eval(node.get("invisible", "0"), values)
                self.assertEqual(bool(found), is_hidden, (name, entry.display_name))

    def test_waiting_list(self):
        self.missed(40)
        self.missed(20)
        self.tried(10)
        entry = self.work_off()
        [row] = self.anna.with_user(self.anna).mango_waiting()
        self.assertEqual(
            row,
            {
                "id": entry.id,
                "name": "Иван Петров",
                "number": "+7 495 000-02-01",
                "dial": IVAN,
                "last_missed_at": fields.Datetime.to_string(entry.last_missed_at),
                "attempts": 2,
                "tries": 1,
                "deadline": fields.Datetime.to_string(entry.deadline),
                "urgency": "overdue",
                "responsible": "Анна Соколова",
                "calling": False,
                "is_calling_me": False,
                "is_talking": False,
                "asks": False,
            },
        )
        self.assertFalse(self.kirill.with_user(self.kirill).mango_waiting())
        with self.assertRaises(AccessError):
            self.anna.with_user(self.boris).mango_waiting()

    def test_client_reassigned_by_a_user(self):
        """The previous responsible user gets no more notifications."""
        self.missed(10, users=self.anna | self.vera)
        entry = self.work_off()
        entry.with_user(self.anna).user_id = self.boris
        counts = [
            user.with_user(user)._mango_waiting_count()
            for user in (self.anna, self.boris, self.vera)
        ]
        self.assertEqual(counts, [0, 1, 0])

    def test_text_message(self):
        self.missed(10)
        entry = self.work_off().with_user(self.anna)
        self.assertEqual(entry.has_sms, "sms.composer" in self.env)
        if not entry.has_sms:
            with self.assertRaises(UserError):
                entry.action_send_sms()
            return
        action = entry.action_send_sms()
        composer = self.env[action["res_model"]].with_user(self.anna)
        composer = composer.with_context(**action["context"]).create({"body": "x"})
        self.assertEqual(composer.recipient_single_number_itf, IVAN)
        self.assertTrue(composer.recipient_single_valid)

    def test_lead_is_lost(self):
        self.anna.group_ids += self.env.ref("sales_team.group_sale_salesman")
        lead = self.create_lead("Мебель", user_id=self.anna.id)
        self.missed(10, lead_id=lead.id)
        entry = self.work_off().with_user(self.anna)
        action = entry.action_lose_lead()
        wizard = self.env[action["res_model"]].with_user(self.anna)
        wizard.with_context(**action["context"]).create({}).action_lost_reason_apply()
        self.assertFalse(lead.active)

    def test_lead_is_lost_without_the_crm(self):
        """The button would only say that it is forbidden."""
        callbacks = self.env["mango.callback"].with_user(self.anna)
        self.assertNotIn(
            "action_lose_lead", callbacks.get_view(view_type="form")["arch"]
        )
        self.anna.group_ids += self.env.ref("sales_team.group_sale_salesman")
        self.assertIn("action_lose_lead", callbacks.get_view(view_type="form")["arch"])

    def test_last_words(self):
        self.missed(10)
        self.talked(60 * 24, note="Просил счёт")
        self.talked(60 * 48, note="Старое")
        self.talked(60 * 24, note="Чужое", users=self.boris)
        entry = self.work_off()
        self.assertEqual(entry.with_user(self.anna).last_words, "Просил счёт")

    def test_ribbons(self):
        lead = self.create_lead("Мебель", partner_id=self.ivan.id)
        other = self.create_lead("Кровля")
        self.missed(10)
        self.work_off()
        self.assertTrue(self.ivan.with_user(self.boris).mango_is_waiting)
        self.assertTrue(lead.mango_is_waiting)
        self.assertFalse(other.mango_is_waiting)
        self.called(5)
        self.work_off()
        self.env.invalidate_all()
        self.assertFalse(self.ivan.mango_is_waiting or lead.mango_is_waiting)

    def test_card(self):
        first = self.missed(20, users=self.boris)
        call = self.missed(10)
        self.work_off()
        card = self.env["mango.card.content"].with_user(self.anna)._card_of_call(call)
        since = fields.Datetime.to_string(first.started_at)
        found = {key: card["callback"][key] for key in ("attempts", "since")}
        self.assertEqual(found, {"attempts": 2, "since": since})

    # -- Odoo's to-do list ------------------------------------

    def test_activity(self):
        self.account.callback_activity = True
        self.missed(10)
        entry = self.work_off()
        activity = entry.activity_id
        self.assertEqual(activity.activity_type_id.category, "phonecall")
        self.assertEqual(
            (activity.res_model, activity.res_id), ("res.partner", self.ivan.id)
        )
        self.assertEqual(activity.user_id, self.anna)
        entry.with_user(self.anna).user_id = self.boris
        self.assertEqual(activity.user_id, self.boris)
        self.called(5, users=self.boris)
        self.work_off()
        self.assertFalse(activity.active)
        self.assertIn("Борис Кузнецов", activity.feedback)

    def test_activity_on_the_lead(self):
        self.account.callback_activity = True
        self.anna.group_ids += self.env.ref("sales_team.group_sale_salesman")
        lead = self.create_lead("Мебель", user_id=self.anna.id)
        self.missed(10, lead_id=lead.id)
        self.assertEqual(self.work_off().activity_id.res_model, "crm.lead")

    def test_activity_on_the_entry(self):
        self.account.callback_activity = True
        self.missed(10, number=OLGA)
        entry = self.work_off()
        self.assertEqual(entry.activity_id.res_model, "mango.callback")
        self.assertEqual(entry.activity_ids, entry.activity_id)

    def test_activity_done_by_a_person(self):
        self.account.callback_activity = True
        self.missed(10)
        entry = self.work_off()
        entry.activity_id.with_user(self.anna).action_feedback("Написал ему")
        self.assertEqual((entry.state, entry.closed_by), ("done", "hand"))
        self.assertEqual(entry.reason, "Написал ему")

    def test_no_activity_unless_wanted(self):
        self.missed(10)
        self.assertFalse(self.work_off().activity_id)

    def plan(self, record, days=0, user=None, **vals):
        return record.activity_schedule(
            "mail.mail_activity_data_call",
            date_deadline=fields.Date.today() + timedelta(days=days),
            user_id=(user or self.anna).id,
            **vals,
        )

    def test_planned_calls(self):
        late = self.plan(self.ivan, -1, summary="Счёт")
        due = self.plan(self.ivan)
        self.plan(self.ivan, 2)
        self.plan(self.ivan, user=self.boris)
        self.ivan.activity_schedule(
            "mail.mail_activity_data_todo", user_id=self.anna.id
        )
        anna = self.anna.with_user(self.anna)
        rows = anna.mango_planned()
        self.assertEqual([row["id"] for row in rows], [late.id, due.id])
        self.assertEqual(anna._mango_planned_count(), 2)
        self.assertEqual(
            rows[0],
            {
                "id": late.id,
                "name": "Иван Петров",
                "summary": "Счёт",
                "number": self.ivan.phone,
                "dial": self.ivan.phone,
                "date": fields.Date.to_string(late.date_deadline),
                "res_model": "res.partner",
                "res_id": self.ivan.id,
            },
        )

    def test_planned_call_of_a_missed_client_is_not_listed_twice(self):
        self.account.callback_activity = True
        self.missed(10)
        self.work_off()
        self.assertFalse(self.anna.with_user(self.anna).mango_planned())

    def test_planned_call_without_a_record(self):
        """Odoo's users may plan activities for themselves, which belong to nothing."""
        call = self.env.ref("mail.mail_activity_data_call")
        self.env["mail.activity"].create(
            {"activity_type_id": call.id, "user_id": self.anna.id, "summary": "Маме"}
        )
        due = self.plan(self.ivan)
        anna = self.anna.with_user(self.anna)
        self.assertEqual([row["id"] for row in anna.mango_planned()], due.ids)
        self.assertEqual(anna._mango_planned_count(), 1)

    def test_card_offers_to_finish_the_planned_call(self):
        activity = self.plan(self.ivan, summary="Счёт")
        call = self.called(5)
        cards = self.env["mango.card.content"].with_user(self.anna)
        # The employee who talked is on a leg of the call.
        call.leg_ids = [
            fields.Command.create(
                {
                    "leg_ref": "L1",
                    "from_extension": "101",
                    "answered_at": call.answered_at,
                    "state": "disconnected",
                }
            )
        ]
        call.extension_id = self.anna_extension
        card = cards._card_of_call(call)
        self.assertEqual(card["activity"], {"id": activity.id, "summary": "Счёт"})
        activity.with_user(self.anna).action_feedback("Договорились")
        self.assertFalse(cards._card_of_call(call)["activity"])

    # -- failures ------------------------------------

    def test_one_client_in_trouble(self):
        """A failure does not delay other clients, and is retried."""
        self.missed(10)
        self.missed(9, number=OLGA)
        apply = MangoCallback._apply

        def fail(model, client, calls):
            if client.contact_id:
                raise ValueError("moon")
            return apply(model, client, calls)

        with (
            patch.object(MangoCallback, "_apply", fail),
            mute_logger("odoo.addons.mango_office.models.calls.mango_call_task"),
        ):
            self.assertEqual(self.work_off().client_number, OLGA)
        self.assertEqual(self.env["mango.callback.task"].search([]).attempts, 1)
        self.assertEqual(len(self.work_off()), 2)
        self.assertFalse(self.env["mango.callback.task"].search([]))

    def test_only_a_lost_database_ends_the_run(self):
        """A cancelled statement only counts as a failure of one client."""
        self.missed(10)
        with (
            patch.object(MangoCallback, "_apply", side_effect=QueryCanceled),
            mute_logger("odoo.addons.mango_office.models.calls.mango_call_task"),
        ):
            self.work_off()
        self.assertEqual(self.env["mango.callback.task"].search([]).attempts, 1)
        with (
            patch.object(MangoCallback, "_apply", side_effect=InterfaceError),
            self.assertRaises(InterfaceError),
        ):
            self.env["mango.callback.task"].search([])._work_off_batch()

    def test_no_time_for_more(self):
        """Finished work is committed; the next run continues."""
        self.missed(10)
        self.missed(9, number=OLGA)
        cron = type(self.env["ir.cron"])
        with patch.object(cron, "_commit_progress", lambda *args, **kwargs: 0):
            self.assertEqual(len(self.work_off()), 1)
            self.assertEqual(len(self.env["mango.callback.task"].search([])), 1)
            self.assertEqual(len(self.work_off()), 2)
        self.assertFalse(self.env["mango.callback.task"].search([]))

    def test_cost_of_the_end_of_a_call(self):
        """The webhook only adds a task."""
        self.account.chatter_enabled = False
        call = self.missed(10)
        self.env.flush_all()
        before = self.env.cr.sql_log_count
        call._on_ended()
        self.env.flush_all()
        self.assertLessEqual(self.env.cr.sql_log_count - before, 3)

    def test_without_its_cron(self):
        self.env.ref("mango_office.ir_cron_callbacks").unlink()
        self.assertTrue(self.missed(10))

    def test_a_robot(self):
        """Two hundred calls of one client give one entry, computed once."""
        for _number in range(200):
            self.missed(10)
        with patch.object(
            MangoCallback, "_apply", autospec=True, side_effect=MangoCallback._apply
        ) as apply:
            entry = self.work_off()
        self.assertEqual(entry.attempt_count, 200)
        self.assertEqual(apply.call_count, 1)

    # -- the report ------------------------------------

    def test_digest(self):
        self.missed(10, user_id=self.boris.id)
        self.missed(50, number=OLGA)
        self.called(40, number=OLGA)
        self.talked(30, number="+74950000209", wait_duration=12)
        self.work_off()
        digest = self.env["digest.digest"].create(
            {
                "name": "Звонки",
                "company_id": self.company.id,
                "kpi_mango_calls": True,
                "kpi_mango_missed": True,
                "kpi_mango_not_called_back": True,
                "kpi_mango_answer_time": True,
            }
        )
        digest = digest.with_context(
            start_datetime=self.now - timedelta(days=1),
            end_datetime=self.now + timedelta(minutes=1),
        ).with_user(self.vera)
        self.assertRecordValues(
            digest,
            [
                {
                    "kpi_mango_calls_value": 4,
                    "kpi_mango_missed_value": 2,
                    "kpi_mango_not_called_back_value": 1,
                    "kpi_mango_answer_time_value": 12,
                }
            ],
        )
        with self.assertRaises(AccessError):
            digest.with_user(self.anna).kpi_mango_calls_value  # noqa: B018
        kpis = digest.sudo()._compute_kpis(self.company, self.vera)
        self.assertIn("kpi_mango_missed", [kpi["kpi_name"] for kpi in kpis])

    def test_views(self):
        """A user opens an entry."""
        self.missed(10)
        entry = self.work_off()
        with Form(entry.with_user(self.anna)) as form:
            form.user_id = self.boris
        self.assertEqual(entry.user_id, self.boris)
