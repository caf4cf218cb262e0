"""What the PBX sends and nobody expected is counted, and nothing fails of it."""

from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged, warmup

from ...models.support import mango_surprise
from ..common import MangoCase, MangoHttpCase
from ..vpbx_scenarios import (
    LINE,
    inbound_answered,
    leg,
    menu,
    outside,
    result,
    staff,
    unknown_members,
)

APPEARED, MENU_LEFT = menu()


def rung(seq=1, **more):
    return leg("L2", seq, "Appeared", 12, outside(), staff("101", LINE), **more)


class SurpriseFixtures:
    def surprises(self, account=None):
        """Return what was counted: how often by place and kind."""
        found = self.env["mango.surprise"].search(
            [("account_id", "=", (account or self.account).id)]
        )
        return {(one.place, one.what): one.count for one in found}

    def look(self, delay=timedelta(minutes=5)):
        """Let the cron look through what came, as if some minutes were over."""
        later = fields.Datetime.now() + delay
        with patch.object(fields.Datetime, "now", lambda *_args: later):
            self.run_cron("ir_cron_count_surprises")


@tagged("post_install", "-at_install")
class TestSurprises(SurpriseFixtures, MangoCase):
    def test_counted_by_place(self):
        self.receive(*rung(1, moon="full"))
        self.receive(*rung(2, moon="new"))
        self.receive(*rung(2, moon="new"))  # a repetition
        self.receive(*rung(3, sun=1))
        self.receive("events/weather", {"sky": "blue"})
        self.look()
        self.assertEqual(
            self.surprises(),
            {
                ("events/call: moon", "member"): 2,
                ("events/call: sun", "member"): 1,
                ("events/weather", "kind"): 1,
            },
        )
        moon = self.env["mango.surprise"].search([("place", "like", "moon")])
        self.assertEqual(moon.example, "xxxx")
        self.assertLessEqual(moon.first_at, moon.last_at)
        self.look()  # each notification once
        self.assertEqual(self.surprises()["events/call: moon", "member"], 2)

    def test_nothing_fails(self):
        call = self.play(unknown_members())
        self.assertEqual(call.result, "missed")
        self.look()
        self.assertEqual(
            set(self.surprises()),
            {
                ("events/call: moon", "member"),
                ("events/call: call_state", "word"),
                ("events/call: disconnect_reason", "code"),
                ("events/weather", "kind"),
                ("events/summary: mood", "member"),
                ("events/summary: disconnect_reason", "code"),
            },
        )

    def test_what_is_described_is_no_surprise(self):
        self.play(inbound_answered())
        self.look()
        self.assertEqual(self.surprises(), {})
        self.assertEqual(set(self.events().mapped("surprise")), {False})

    def test_contradictions_are_looked_for_when_all_is_here(self):
        *events, told = inbound_answered().posts
        self.receive(*events[3])
        self.receive(*told)
        # At once it would look as if nobody had answered.
        self.run_cron("ir_cron_count_surprises")
        self.assertEqual(self.surprises(), {})
        for post in events:
            self.receive(*post)
        self.look()
        self.assertEqual(self.surprises(), {})

    def test_contradiction(self):
        *events, told = inbound_answered().posts
        self.receive(*events[3])
        self.receive(*told)
        self.look()
        self.assertEqual(
            self.surprises(), {("events/summary: talk_time", "contradiction"): 1}
        )

    def test_bounded(self):
        with patch.object(mango_surprise, "MOST_OF_PBX", 3):
            members = {f"member_{sign}": 1 for sign in "abcdef"}
            self.receive(*rung(1, **members))
            self.look()
            self.receive(*rung(2, **members, last=1))
            self.look()
        counts = self.surprises()
        self.assertEqual(len(counts), 4)
        self.assertEqual(counts["…", "more"], 7)

    def test_each_pbx_has_its_own(self):
        other = self.create_account(api_key="test_api_key_0009", api_salt="x000010")
        self.receive(*rung(moon="full"))
        self.receive(*rung(sun=1), account=other)
        self.look()
        self.assertEqual(list(self.surprises()), [("events/call: moon", "member")])
        self.assertEqual(list(self.surprises(other)), [("events/call: sun", "member")])

    def command(self, command_id, **vals):
        values = {"kind": "callback", "target": command_id, "state": "accepted"}
        values |= {"user_id": self.anna.id, "account_id": self.account.id}
        return self.env["mango.command"].create(
            {**values, "command_id": command_id, **vals}
        )

    def test_results_that_never_come(self):
        self.command("c-told")
        self.command("c-refused", state="failed")
        self.command("c-lost")
        self.command("c-lost-too", kind="hangup", state="done")
        self.receive(*result("callback", "c-told", 1000))
        self.look()  # Some may still come.
        self.assertEqual(self.surprises(), {})
        for _again in range(2):
            self.look(timedelta(minutes=15))
        self.assertEqual(
            self.surprises(),
            {("result/callback", "missing"): 1, ("result/call/hangup", "missing"): 1},
        )

    def route(self, entry_id, **vals):
        """Let a call have been routed some way."""
        kind, payload = rung()
        self.receive(kind, {**payload, "entry_id": entry_id})
        command_id = f"r-{entry_id}"
        self.call(entry_id).sudo().write({"route_command_id": command_id, **vals})
        return command_id

    def test_results_of_routes_that_never_come(self):
        told = self.route("E1", route_state="accepted")
        self.route("E2", route_state="accepted")
        self.route("E3", route_state="sent")
        self.route("E4", route_state="failed")
        self.route("E5", route_state="skipped")
        self.receive(*result("route", told, 1000))
        self.look()  # Some may still come.
        self.assertEqual(self.surprises(), {})
        for _again in range(2):
            self.look(timedelta(minutes=15))
        self.assertEqual(self.surprises(), {("result/route", "missing"): 2})

    def test_new_until_somebody_looked(self):
        self.receive(*rung(moon="full"))
        self.look()
        admin = self.create_user("admin", "Админ", "group_admin")
        account = self.account.with_user(admin)
        self.assertEqual(account.new_surprise_count, 1)
        action = account.action_view_surprises()
        found = account.env["mango.surprise"].search(action["domain"])
        found.action_mark_seen()
        account.invalidate_recordset()
        self.assertEqual(account.new_surprise_count, 0)
        self.receive(*rung(2, moon="full"))
        self.look()
        self.assertEqual((found.count, found.is_seen), (2, True))

    def test_shows_the_notifications(self):
        self.receive(*rung(moon="full"))
        self.receive(*APPEARED)
        self.look()
        [one] = self.env["mango.surprise"].search(
            [("account_id", "=", self.account.id)]
        )
        events = self.env["mango.event"].search(one.action_view_events()["domain"])
        self.assertIn("moon", events.body)

    @warmup
    def test_costs_no_query(self):
        """A notification costs the same whether it surprises or not."""
        self.receive(*APPEARED)
        with self.assertQueryCount(13):
            kind, payload = MENU_LEFT
            self.receive(kind, {**payload, "moon": "full"})


@tagged("post_install", "-at_install")
class TestUnreadable(SurpriseFixtures, MangoHttpCase):
    def test_refused_and_counted(self):
        """What is not even stored would be seen nowhere else."""
        kind, payload = rung()
        payload = {**payload, "seq": "first"}
        self.assertEqual(self.post(kind, payload).status_code, 400)
        self.assertEqual(self.post(kind, payload).status_code, 400)
        self.assertEqual(self.post(kind, "[]").status_code, 400)
        self.assertEqual(self.post(kind, payload, sign="0").status_code, 403)
        self.assertEqual(
            self.surprises(),
            {("events/call: seq", "type"): 2, ("events/call", "type"): 1},
        )
