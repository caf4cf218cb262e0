"""Applying notifications to a call."""

import json
from datetime import datetime, timezone
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tests import tagged, warmup

from ...models.inbox.mango_event import MangoEvent
from ..common import MangoCase
from ..vpbx_scenarios import (
    CLIENT,
    LINE,
    SCENARIOS,
    T0,
    inbound_answered,
    internal,
    leg,
    menu,
    missed_by_group,
    missed_in_menu,
    outbound,
    outside,
    staff,
    summary,
)

APPEARED, MENU_LEFT = menu()
MOMENTS = ("started_at", "answered_at", "ended_at")
SAME = ("direction", "state", "result", "line_number")
NUMBERS = ("wait_duration", "talk_duration", "end_reason")


def utc(seconds):
    """Return Odoo's datetime of epoch seconds; None gives False."""
    if seconds is None:
        return False
    return datetime.fromtimestamp(seconds, timezone.utc).replace(tzinfo=None)


@tagged("post_install", "-at_install")
class TestCallApply(MangoCase):
    def expected_values(self, expected):
        """Translate what a scenario expects into fields of the call."""
        extension = self.account.extension_ids.filtered(
            lambda ext: ext.number == expected.get("extension")
        )
        number = expected.get("client_number")
        return {
            **{name: utc(expected[name]) for name in MOMENTS if name in expected},
            **{name: expected[name] or False for name in SAME if name in expected},
            **{name: expected[name] for name in NUMBERS if name in expected},
            "state": "ended",
            "client_number": f"+{number}" if number else False,
            "extension_id": extension.id,
            "user_id": extension.user_id.id,
        }

    def setUp(self):
        super().setUp()
        self.last_message_id = 0

    def test_every_scenario(self):
        for scenario in SCENARIOS:
            with self.subTest(scenario=scenario.name):
                expected = {"client_number": CLIENT, **scenario.expected}
                call = self.play(scenario, entry_id=scenario.name)
                self.assertRecordValues(call, [self.expected_values(expected)])
                legs = [
                    (leg.leg_ref, leg.location, leg.state, leg.end_reason)
                    for leg in call.leg_ids.sorted("leg_ref")
                ]
                self.assertEqual(legs, sorted(expected.get("legs", legs)))
                self.assertTrue(call.client_number or not call.partner_id)
        self.assertNotIn("failed", self.events().mapped("state"))

    def test_legs_in_detail(self):
        call = self.play(inbound_answered())
        self.assertRecordValues(
            call.leg_ids.filtered(lambda leg: leg.leg_ref == "L3"),
            [
                {
                    "from_number": CLIENT,
                    "from_extension": False,
                    "to_number": "sip:user101@romashka.mangosip.ru",
                    "to_extension": "101",
                    "group_extension": "500",
                    "started_at": utc(T0 + 12),
                    "answered_at": utc(T0 + 20),
                    "ended_at": utc(T0 + 95),
                }
            ],
        )

    def test_line(self):
        self.assertEqual(self.play(inbound_answered()).line_id.number, LINE)

    def test_state_on_the_way(self):
        """The state of a call in progress."""
        caller, anna = outside(taken_from="L1"), staff("101", LINE)
        steps = (
            (APPEARED, "ringing"),
            (MENU_LEFT, "ringing"),
            (leg("L2", 1, "Appeared", 10, caller, anna), "ringing"),
            (leg("L2", 2, "Connected", 15, caller, anna), "talking"),
            (leg("L2", 3, "OnHold", 20, caller, anna), "talking"),
            (leg("L2", 4, "Disconnected", 30, caller, anna, reason=1110), "talking"),
        )
        for post, state in steps:
            self.receive(*post)
            self.assertRecordValues(self.call(), [{"state": state, "result": False}])
        self.assertEqual(self.call().answered_at, utc(T0 + 15))
        self.assertFalse(self.call().ended_at)

    def test_seconds_of_a_talk(self):
        caller, anna = outside(taken_from="L1"), staff("101", LINE)
        self.receive(*leg("L2", 1, "Appeared", 10, caller, anna))
        with freeze_time(utc(T0 + 12)):
            self.assertEqual(self.call().talking_seconds, 0)
        self.receive(*leg("L2", 2, "Connected", 15, caller, anna))
        with freeze_time(utc(T0 + 57)):
            self.env.invalidate_all()
            self.assertEqual(self.call().talking_seconds, 42)
        self.receive(*leg("L2", 3, "Disconnected", 60, caller, anna, reason=1110))
        self.receive(*summary(1, outside(), staff("101"), talk=15, end=60, reason=1110))
        self.assertEqual(self.call().talking_seconds, 0)

    def test_timeline_ends_as_the_call_did(self):
        missed = self.play(missed_by_group(), entry_id="E1")
        answered = self.play(inbound_answered(), entry_id="E2")
        self.assertEqual(missed.timeline[-1]["kind"], "missed")
        self.assertEqual(answered.timeline[-1]["kind"], "end")

    def test_summary_alone(self):
        *_legs, last = inbound_answered().posts
        self.receive(*last)
        call = self.call()
        self.assertRecordValues(
            call,
            [
                {
                    "state": "ended",
                    "result": "answered",
                    "direction": "inbound",
                    "user_id": self.anna.id,
                    "partner_id": self.ivan.id,
                    "talk_duration": 75,
                    "wait_duration": 20,
                    "route_state": "none",
                    "routed_extension_id": False,
                }
            ],
        )
        self.assertFalse(call.leg_ids)

    def test_late_event_does_not_reopen(self):
        call = self.play(inbound_answered())
        before = self.snapshot(call)
        anna = staff("101", LINE, "500")
        caller = outside(taken_from="L1")
        self.receive(*leg("L3", 2, "Connected", 21, caller, anna, moon="late"))
        self.assertEqual(self.snapshot(call), before)
        self.receive(*leg("L9", 1, "Appeared", 99, caller, anna))
        self.assertRecordValues(
            call,
            [{"state": "ended", "result": "answered", "ended_at": before["ended_at"]}],
        )

    def test_two_accounts_with_the_same_entry(self):
        other = self.create_account(api_key="test_api_key_0007", api_salt="x")
        mine = self.play(inbound_answered())
        before = self.snapshot(mine)
        theirs = self.play(missed_by_group(), account=other)
        self.assertNotEqual(mine, theirs)
        self.assertEqual(self.snapshot(mine), before)
        self.assertRecordValues(theirs, [{"result": "missed", "user_id": False}])
        self.assertEqual(len(theirs.leg_ids), 4)

    def test_extension_changes_hands(self):
        """A past call keeps its employee; the next one gets the new one."""
        call = self.play(inbound_answered())
        self.anna_extension.user_id = self.kirill
        with self.transaction() as env:
            env["mango.call"].browse(call.id)._apply("E1", call.account_id)
        self.assertEqual(call.user_id, self.anna)
        later = self.play(inbound_answered(), entry_id="E2")
        self.assertEqual(later.user_id, self.kirill)

    def test_apply_without_account(self):
        call = self.play(inbound_answered())
        with self.transaction() as env:
            found = env["mango.call"]._apply("E1")
            self.assertEqual(found.id, call.id)

    def test_unreadable_notification_is_passed_over(self):
        """A later version may read more strictly than the one that stored it."""
        self.receive(*APPEARED)
        self.events().sudo().body = "[]"
        self.receive(*leg("L1", 2, "Connected", 1, outside(), {}, place="ivr"))
        self.assertEqual(self.call().state, "ringing")
        self.assertEqual(len(self.call().leg_ids), 1)

    # -- participants and the bus -------------------------------------------------

    def test_only_participants_are_notified(self):
        self.ivan.user_id = self.kirill
        outsider = self.create_user("egor", "Егор Павлов")
        self.env["bus.bus"].search([]).unlink()
        call = self.play(inbound_answered())
        self.assertEqual(call.user_ids, self.anna | self.boris | self.kirill)
        sent = [
            (json.loads(row.channel), json.loads(row.message))
            for row in self.env["bus.bus"].search([])
        ]
        sent = [(chan, msg) for chan, msg in sent if msg["type"] == "mango_office/call"]
        told = {channel[-1] for channel, _message in sent}
        partners = call.user_ids.partner_id
        self.assertEqual(told, set(partners.ids))
        self.assertNotIn(outsider.partner_id.id, told)
        for _channel, message in sent:
            self.assertEqual(
                message["payload"].keys(), {"id", "state", "direction", "result"}
            )
        self.assertEqual(sent[-1][1]["payload"]["state"], "ended")

    def test_duplicate_notifies_nobody(self):
        self.play(inbound_answered())
        before = self.env["bus.bus"].search_count([])
        self.play(inbound_answered())
        with self.transaction() as env:
            env["mango.call"]._apply("E1", self.account)
        self.assertEqual(self.env["bus.bus"].search_count([]), before)

    def told(self):
        """Return kind and channel id of each bus message since the last call."""
        rows = self.env["bus.bus"].search([("id", ">", self.last_message_id)])
        self.last_message_id = max(rows.ids, default=self.last_message_id)
        return [
            (json.loads(row.message)["type"], [*json.loads(row.channel), None, None][2])
            for row in rows
            if len(json.loads(row.channel)) > 2
        ]

    def users_told(self, messages):
        """Return the users who are notified of a change of the call."""
        return self.call().user_ids.filtered(
            lambda user: ("mango_office/call", user.partner_id.id) in messages
        )

    def ring(self, number, seq=1, state="Appeared", at=0, **more):
        callee = staff(number, LINE, group="500")
        return leg(f"L{number}", seq, state, at, outside(), callee, **more)

    def test_another_phone_of_the_group_rings(self):
        """Those whose phones already ring are not notified."""
        self.ivan.user_id = False
        self.receive(*self.ring("101"))
        self.told()
        self.receive(*self.ring("102"))
        messages = self.told()
        self.assertEqual(self.users_told(messages), self.boris)
        self.assertIn(("mango_office/board", self.account.id), messages)

    def test_colleague_of_the_group_picks_up(self):
        """The others are notified once, and not again when their legs end."""
        self.receive(*self.ring("101"))
        self.receive(*self.ring("102"))
        self.told()
        self.receive(*self.ring("101", 2, "Connected", 5))
        self.assertEqual(self.users_told(self.told()), self.anna | self.boris)
        view = self.env["mango.card.phase"].with_user(self.boris)
        seen = view._describe_phase(
            self.call().with_user(self.boris), frozenset({"102"})
        )
        self.assertEqual((seen["phase"], seen["leaves"]), ("taken", True))
        self.assertEqual(
            self.boris_extension._states(), {self.boris_extension.id: "free"}
        )
        self.receive(*self.ring("102", 2, "Disconnected", 5, reason=1162))
        self.assertFalse(self.told())

    def test_group_that_is_rung_by_the_one_who_talks(self):
        """The target of a transfer is ringing, although the call has been answered."""
        self.receive(*self.ring("101"))
        self.receive(*self.ring("101", 2, "Connected", 5))
        self.receive(*self.ring("102", at=20))
        view = self.env["mango.card.phase"].with_user(self.boris)
        seen = view._describe_phase(
            self.call().with_user(self.boris), frozenset({"102"})
        )
        self.assertEqual(seen["phase"], "ringing")

    def test_client_of_a_ringing_group_gives_up(self):
        """Nobody gets more than a few notifications."""
        numbers = self.create_group(20)
        for number in numbers:
            self.receive(*self.ring(number))
        self.told()
        for number in numbers:
            self.receive(*self.ring(number, 2, "Disconnected", 9, reason=1110))
        calls = [kind for kind, _id in self.told() if kind == "mango_office/call"]
        self.assertLessEqual(len(calls), 4 * len(numbers))

    def test_group_of_fifty(self):
        self.ring_group_of_fifty(self.create_group(50))

    def test_group_of_fifty_that_has_missed_the_client_before(self):
        """All of them see on their lists who is talking to the client."""
        numbers = self.create_group(50)
        group = self.account.extension_ids.filtered(lambda one: one.number in numbers)
        self.env["mango.callback"].create(
            {
                "account_id": self.account.id,
                "client_key": f"contact,{self.ivan.id}",
                "client_number": "+74950000201",
                "partner_id": self.ivan.id,
                "user_ids": group.user_id.ids,
                "attempt_count": 1,
            }
        )
        self.ring_group_of_fifty(numbers)

    def ring_group_of_fifty(self, numbers):
        self.told()
        for number in numbers:
            self.receive(*self.ring(number))
        first, *others = numbers
        self.receive(*self.ring(first, 2, "Connected", 5))
        for number in others:
            self.receive(*self.ring(number, 2, "Disconnected", 5, reason=1162))
        self.assertLessEqual(len(self.told()), 200)
        self.assertEqual(len(self.call().user_ids), 51)

    def create_group(self, count):
        """Create employees with an extension each.

        :return: their numbers
        """
        numbers = [str(number) for number in range(601, 601 + count)]
        for number in numbers:
            user = self.create_user(number, f"Сотрудник {number}")
            self.create_extension(number, user)
        return numbers

    # -- corrections by users --------------------------------------------------------

    def test_corrections_stay(self):
        *posts, last = inbound_answered().posts
        for post in posts:
            self.receive(*post)
        other = self.create_partner("Олег Никитин")
        lead = self.create_lead("Ремонт", partner_id=other.id)
        self.call().with_user(self.anna).write(
            {"partner_id": other.id, "lead_id": lead.id, "note": "<p>Перезвонить</p>"}
        )
        self.receive(*last)
        self.assertRecordValues(
            self.call(),
            [{"partner_id": other.id, "lead_id": lead.id, "state": "ended"}],
        )
        self.assertIn("Перезвонить", self.call().note)

    def test_contact_taken_away_stays_away(self):
        first, *posts = inbound_answered().posts
        self.receive(*first)
        self.call().with_user(self.anna).partner_id = False
        for post in posts:
            self.receive(*post)
        self.assertFalse(self.call().partner_id)

    def test_correction_stays_when_the_number_comes_late(self):
        """Only the summary has the number, which identifies another contact."""
        number = self.ivan.phone
        caller = outside(None)
        self.receive(*leg("L1", 1, "Appeared", 0, caller, staff("101", LINE)))
        other = self.create_partner("Олег Никитин")
        self.create_lead("Поставка", partner_id=self.ivan.id)
        lead = self.create_lead("Ремонт", partner_id=other.id)
        self.call().with_user(self.anna).partner_id = other
        self.receive(
            *summary(1, outside(number), staff("101"), talk=5, end=9, reason=1110)
        )
        self.assertRecordValues(
            self.call(),
            [
                {
                    "client_number": "+74950000201",
                    "partner_id": other.id,
                    "lead_id": lead.id,
                }
            ],
        )

    def test_chosen_lead_stays_when_the_number_comes_late(self):
        anna = staff("101", LINE)
        self.receive(*leg("L1", 1, "Appeared", 0, outside(None), anna))
        chosen = self.create_lead("Ремонт")
        self.create_lead("Поставка", partner_id=self.ivan.id)
        self.call().with_user(self.anna).lead_id = chosen
        self.receive(*leg("L1", 2, "Connected", 5, outside(), anna))
        self.assertRecordValues(
            self.call(), [{"partner_id": self.ivan.id, "lead_id": chosen.id}]
        )

    def test_chosen_contact_brings_their_manager_in(self):
        call = self.play(missed_in_menu(0))
        partner = self.create_partner("Елена Васильева", user_id=self.boris.id)
        self.assertNotIn(self.boris, call.user_ids)
        call.with_user(self.anna).partner_id = partner
        self.assertIn(self.boris, call.user_ids)

    def test_users_write_nothing_else(self):
        call = self.play(inbound_answered())
        admin = self.create_user("admin", "Админ", "group_admin")
        for user in (self.anna, self.vera, admin):
            as_user = call.with_user(user)
            for vals in (
                {"result": "missed"},
                {"user_ids": [(5,)]},
                {"partner_is_manual": False},
                {"note": "x", "client_number": "+74950000299"},
                {"leg_ids": [(5,)]},
            ):
                with self.subTest(user=user.name, vals=vals):
                    with self.assertRaises(AccessError):
                        as_user.write(vals)
            with self.assertRaises(AccessError):
                as_user.unlink()
            with self.assertRaises(AccessError):
                as_user.copy()
            with self.assertRaises(AccessError):
                as_user.create({"account_id": self.account.id, "entry_id": "E9"})
            with self.assertRaises(AccessError):
                as_user.leg_ids.write({"to_extension": "102"})
        self.assertEqual(call.result, "answered")

    # -- cost ---------------------------------------------------------------------

    @warmup
    def test_queries_of_the_first_notification(self):
        """For a known caller who is routed to their manager."""
        with self.assertQueryCount(25):
            self.receive(*APPEARED)

    @warmup
    def test_queries_of_a_following_notification(self):
        self.receive(*APPEARED)
        with self.assertQueryCount(13):
            self.receive(*MENU_LEFT)

    @warmup
    def test_queries_of_a_duplicate(self):
        self.receive(*APPEARED)
        with self.assertQueryCount(3):
            self.receive(*APPEARED)

    def test_queries_do_not_grow_with_the_call(self):
        """Reading 60 notifications takes as many queries as reading 2."""
        caller, anna = outside(), staff("101", LINE)
        counts = []
        for seq in range(1, 60):
            before = self.cr.sql_log_count
            self.receive(*leg("L1", seq, "OnHold", seq, caller, anna, place="abonent"))
            counts.append(self.cr.sql_log_count - before)
        self.assertEqual(counts[-1], counts[10])

    def test_one_event_is_one_apply(self):
        with patch.object(MangoEvent, "_apply", autospec=True) as apply:
            self.receive(*APPEARED)
            self.receive(*APPEARED)
        self.assertEqual(apply.call_count, 1)

    def test_internal_call_says_who_called_whom(self):
        self.anna_extension.name = "Анна С."
        call = self.play(internal())
        self.assertEqual(call.display_name, "Анна С. → 102")

    def test_outbound_call_of_a_user(self):
        call = self.play(outbound(1121))
        self.assertRecordValues(
            call,
            [{"user_id": self.anna.id, "partner_id": self.ivan.id, "result": "busy"}],
        )
