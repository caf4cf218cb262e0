"""The card of a call: what each participant sees, and its buttons."""

import json
from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged

from ...models.click_to_call.mango_command import SENDING_TIME, send
from ...models.screen.mango_call_presence import SHOWN_LIMIT
from ..common import MangoCase
from ..vpbx_scenarios import (
    blind_transfer,
    callback_answered,
    consultation,
    dialled,
    inbound_answered,
    internal,
    leg,
    menu,
    missed_by_group,
    outbound,
    outside,
    returned_transfer,
    routed,
    staff,
    summary,
)

ANNA = staff("101", "74950000100", taken_from="L1")
BORIS = staff("102", "74950000100", taken_from="L1")
CALLER = outside(taken_from="L1")
LINE = "74950000100"


class CardCase(MangoCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        sales = cls.env.ref("sales_team.group_sale_salesman_all_leads")
        cls.anna.group_ids += sales
        cls.boris.group_ids += sales

    def card(self, user=None, call=None):
        """Return a user's card of a call; None if there is none."""
        self.env.invalidate_all()
        cards = self.env["mango.call.presence"].with_user(user or self.anna)
        found = cards.get_cards((call or self.call()).ids)["cards"]
        return found[0] if found else None

    def phases(self, posts, *users):
        """Receive notifications; return each user's phases without repetitions."""
        phases = [[] for _user in users]
        for kind, payload in posts:
            self.receive(kind, payload)
            for user, seen in zip(users, phases, strict=True):
                card = self.card(user)
                phase = card["phase"] if card else None
                if not seen or seen[-1] != phase:
                    seen.append(phase)
        return phases

    def group_rings(self):
        for post in menu():
            self.receive(*post)
        self.receive(*leg("L3", 1, "Appeared", 11, CALLER, ANNA))
        self.receive(*leg("L4", 1, "Appeared", 11, CALLER, BORIS))

    def talk(self):
        """Receive a call in which Anna talks to Ivan."""
        self.receive(*leg("L3", 1, "Appeared", 11, CALLER, ANNA))
        self.receive(*leg("L3", 2, "Connected", 15, CALLER, ANNA))
        return self.call()

    def at_desk(self, method, *args, user=None):
        """Call a method of the call like a request, in separate transactions."""
        self.env.flush_all()
        result = getattr(self.call().with_user(user or self.anna), method)(*args)
        self.env.invalidate_all()
        return result

    def send(self):
        """Do the work of the thread: send the last command."""
        self.env.flush_all()
        command = self.env["mango.command"].search([], limit=1)
        send(self.cr.dbname, command.id)
        self.env.invalidate_all()
        return self.pbx.requests[-1] if self.pbx.requests else None

    def seconds_at(self, moment, *users):
        """Return the timers of some users, some seconds after the start of the call."""
        with freeze_time(self.call().started_at + timedelta(seconds=moment)):
            return [self.card(user)["seconds"] for user in users]


@tagged("post_install", "-at_install")
class TestPhases(CardCase):
    def test_routed(self):
        """Ivan's manager sees the call before the phone rings."""
        [phases] = self.phases(routed().posts, self.anna)
        self.assertEqual(phases, ["greeting", "ringing", "talking", "ended"])

    def test_greeting_says_why(self):
        self.receive(*menu()[0])
        card = self.card()
        self.assertEqual(card["message"], self.call().route_reason)
        self.assertIn("101", card["message"])

    def test_answered(self):
        [phases] = self.phases(inbound_answered().posts, self.anna)
        self.assertEqual(phases[-3:], ["ringing", "talking", "ended"])

    def test_how_long_ago_the_call_ended(self):
        self.receive(*menu()[0])
        self.assertIs(self.card()["ended_seconds"], False)
        self.phases(inbound_answered().posts, self.anna)
        self.call().ended_at = fields.Datetime.now() - timedelta(seconds=90)
        self.assertGreaterEqual(self.card()["ended_seconds"], 90)

    def test_group_one_picks_up(self):
        self.group_rings()
        self.assertEqual(self.card(self.anna)["phase"], "ringing")
        self.assertEqual(self.card(self.boris)["phase"], "ringing")
        self.receive(*leg("L3", 2, "Connected", 15, CALLER, ANNA))
        self.assertEqual(self.card(self.anna)["phase"], "talking")
        self.receive(*leg("L4", 2, "Disconnected", 15, CALLER, BORIS, reason=1183))
        card = self.card(self.boris)
        self.assertEqual((card["phase"], card["leaves"]), ("taken", True))
        self.assertEqual(card["message"], "101 picked up")
        self.assertEqual(self.screen_keys(self.boris), [])
        self.assertEqual(self.screen_keys(self.anna), [self.card()["key"]])
        self.receive(*summary(1, outside(), staff("101"), talk=15, end=30, reason=1110))
        self.assertEqual(self.card(self.boris)["phase"], "taken")
        self.assertEqual(self.card(self.anna)["phase"], "ended")

    def screen_keys(self, user):
        self.env.invalidate_all()
        screen = self.env["mango.call.presence"].with_user(user).get_screen()
        return [card["key"] for card in screen["cards"]]

    def test_group_misses(self):
        """The card of the missed call stays for the responsible user, here Anna."""
        self.phases(missed_by_group().posts, self.anna, self.boris)
        anna, boris = self.card(self.anna), self.card(self.boris)
        self.assertEqual((anna["phase"], anna["leaves"]), ("ended", False))
        self.assertEqual((boris["phase"], boris["leaves"]), ("ended", True))
        self.assertTrue(anna["message"])

    def test_one_after_the_other(self):
        self.receive(*leg("L3", 1, "Appeared", 11, CALLER, ANNA))
        self.receive(*leg("L3", 2, "Disconnected", 15, CALLER, ANNA, reason=1111))
        self.receive(*leg("L4", 1, "Appeared", 15, CALLER, BORIS))
        card = self.card()
        self.assertEqual(
            (card["phase"], card["message"]), ("elsewhere", "Ringing at 102")
        )

    def test_outbound_from_the_phone(self):
        [phases] = self.phases(outbound(1110, talk=10).posts, self.anna)
        self.assertEqual(phases, ["calling", "talking", "ended"])

    def test_callback_of_another_system(self):
        [phases] = self.phases(callback_answered().posts[1:], self.anna)
        self.assertEqual(phases, ["pick_up", "calling", "talking", "ended"])
        self.assertTrue(self.card()["key"].startswith("call-"))

    def test_internal(self):
        self.anna_extension.name = "Анна С."
        anna, boris = self.phases(internal().posts, self.anna, self.boris)
        self.assertEqual(anna, ["calling", "talking", "ended"])
        self.assertEqual(boris, ["ringing", "talking", "ended"])
        card = self.card(self.boris)
        self.assertEqual((card["name"], card["dial"]), ("Анна С.", "101"))
        self.assertFalse(card["can_create_lead"])
        self.assertEqual(self.card(self.anna)["dial"], "102")

    def test_consultation(self):
        anna, boris = self.phases(consultation().posts, self.anna, self.boris)
        # Anna hangs up: for a moment, the leg to Boris is still hers.
        self.assertEqual(anna[-5:], ["talking", "hold", "talking", "left", "ended"])
        self.assertEqual(boris[-3:], ["ringing", "talking", "ended"])

    def test_consulted_colleague(self):
        for post in consultation().posts:
            self.receive(*post)
            card = self.card()
            if card["phase"] == "hold" and card["consulting"]:
                self.assertEqual(card["consulting"], "102")
                self.assertFalse(card["can_hang_up"])
                break
        else:
            self.fail("nobody was asked")

    def test_asked_and_let_go(self):
        """Boris was consulted, and Anna continues with the client."""
        self.talk()
        asking, asked = staff("101", taken_from="L3"), staff("102")
        for post in (
            leg("L3", 3, "OnHold", 20, CALLER, ANNA),
            leg("L5", 1, "Appeared", 21, asking, asked),
            leg("L5", 2, "Connected", 22, asking, asked),
        ):
            self.receive(*post)
        self.assertEqual(self.card(self.boris)["phase"], "talking")
        self.receive(*leg("L5", 3, "Disconnected", 30, asking, asked, reason=1180))
        self.receive(*leg("L3", 4, "Connected", 30, CALLER, ANNA))
        card = self.card(self.boris)
        self.assertEqual((card["phase"], card["leaves"]), ("taken", True))
        self.assertEqual(card["message"], "101 is back with the client")
        self.receive(*summary(1, outside(), staff("101"), talk=15, end=60, reason=1110))
        self.assertTrue(self.card(self.boris)["leaves"])
        self.assertEqual(self.card()["phase"], "ended")

    def test_hung_up_but_no_summary_yet(self):
        self.talk()
        self.receive(*leg("L3", 3, "Disconnected", 60, CALLER, ANNA, reason=1110))
        self.assertEqual(self.card()["phase"], "ended")

    def test_call_reported_after_its_end(self):
        """The cards are the same as after a call reported in time."""
        posts = inbound_answered().posts
        self.receive(*posts[-1])
        for post in posts:
            self.receive(*post)
        self.assertEqual(self.card()["phase"], "ended")
        self.assertTrue(self.card(self.boris)["leaves"])

    def test_bystander_has_no_card(self):
        self.talk()
        self.assertIsNone(self.card(self.boris))
        self.assertIsNone(self.card(self.vera))

    def test_archived_user_has_no_card(self):
        self.boris.active = False
        self.group_rings()
        self.assertFalse(
            self.env["mango.call.presence"].search([("user_id", "=", self.boris.id)])
        )


@tagged("post_install", "-at_install")
class TestTransfers(CardCase):
    """What each participant of a transfer sees, from the click to its end."""

    BORIS_NAME = "Борис Кузнецов"

    def take(self, *posts):
        for post in posts:
            self.receive(*post)

    def transfer(self, method="blind"):
        """Transfer to Boris by a click of Anna; return the command."""
        self.env.flush_all()
        call = self.call().with_user(self.anna)
        self.assertTrue(call.transfer("102", method))
        return self.env["mango.command"].search([], limit=1)

    def hand_over(self, target=None, at=20):
        """Receive the transfer: the PBX rings Boris or another target."""
        target = target or BORIS
        asking = staff("101", taken_from="L3")
        self.take(
            leg("L3", 3, "OnHold", at, CALLER, ANNA),
            leg("L5", 1, "Appeared", at, asking, target),
            leg("L3", 4, "Disconnected", at + 2, CALLER, ANNA, reason=1120),
            leg("L5", 2, "Appeared", at + 2, CALLER, target),
        )

    def ask(self):
        """Receive the consultation: Boris' phone rings for Anna."""
        self.take(
            leg("L3", 3, "OnHold", 20, CALLER, ANNA),
            leg("L5", 1, "Appeared", 21, *self.asking()),
        )

    def asking(self):
        return staff("101", taken_from="L3"), staff("102")

    def told(self):
        """Return Anna's last bus message."""
        domain = [("channel", "like", f'%"res.partner",{self.anna.partner_id.id}%')]
        last = self.env["bus.bus"].search(domain, order="id desc", limit=1)
        return json.loads(last.message)

    # -- blind ---------------------------------------------------------------------

    def test_blind(self):
        anna, boris = self.phases(blind_transfer().posts, self.anna, self.boris)
        self.assertEqual(
            anna[-5:], ["talking", "hold", "transferring", "left", "ended"]
        )
        self.assertEqual(boris[-3:], ["ringing", "talking", "ended"])

    def test_within_the_second_of_the_answer(self):
        """The PBX reports whole seconds."""
        self.talk()
        self.transfer()
        self.hand_over(at=15)
        card = self.card()
        self.assertEqual(
            (card["phase"], card["message"]), ("transferring", "Ringing at 102")
        )

    def test_from_the_click(self):
        """The card shows the transfer at once, and until the phone stops ringing."""
        self.talk()
        self.transfer()
        card = self.card()
        self.assertEqual(
            (card["phase"], card["target"], card["message"]),
            ("transferring", self.BORIS_NAME, ""),
        )
        self.assertFalse(card["can_transfer"] or card["can_hang_up"])
        self.assertIs(card["seconds"], False)
        self.send()
        self.assertEqual(self.card()["phase"], "transferring")
        self.hand_over()
        card = self.card()
        self.assertEqual(
            (card["phase"], card["target"], card["message"]),
            ("transferring", self.BORIS_NAME, "Ringing at 102"),
        )
        self.take(leg("L5", 3, "Connected", 30, CALLER, BORIS))
        card = self.card()
        self.assertEqual((card["phase"], card["target"]), ("left", ""))
        self.assertEqual(card["message"], "Talking to 102")

    def test_phases_after_the_click(self):
        """The card never shows that the call is over or ringing."""
        talk, *rest = blind_transfer().posts[1:]
        self.take(blind_transfer().posts[0], talk)
        self.transfer()
        anna, boris = self.phases(rest, self.anna, self.boris)
        self.assertEqual(anna, ["transferring", "left", "ended"])
        self.assertEqual(boris[-3:], ["ringing", "talking", "ended"])

    def test_every_tab_is_notified_of_the_click(self):
        call = self.talk()
        self.transfer()
        self.env.cr.precommit.run()
        message = self.told()
        self.assertEqual(message["type"], "mango_office/call")
        self.assertEqual(message["payload"]["id"], call.id)

    def test_colleague_is_rung_by_the_client(self):
        """Before Anna has left, it looks like a consultation, which it is not."""
        self.talk()
        self.transfer()
        self.ask()
        card = self.card(self.boris)
        self.assertEqual((card["phase"], card["about"]), ("ringing", ""))

    def test_refused(self):
        self.pbx.answers("commands/transfer", {"result": 4100})
        call = self.talk()
        self.transfer()
        self.send()
        card = self.card()
        self.assertEqual(card["phase"], "talking")
        self.assertTrue(card["can_transfer"])
        self.assertEqual(self.told()["payload"]["call_id"], call.id)

    def test_answer_is_lost(self):
        self.pbx.answers("commands/transfer", body=None)
        self.talk()
        self.transfer()
        self.send()
        self.assertEqual(self.card()["phase"], "talking")
        self.ask()
        self.assertEqual(self.card()["phase"], "transferring")

    def test_nothing_comes_of_it(self):
        self.talk()
        command = self.transfer()
        self.set_age(command, SENDING_TIME)
        self.assertEqual(self.card()["phase"], "talking")

    def set_age(self, command, age):
        """Make a command or a leg older."""
        self.env.flush_all()
        moment = fields.Datetime.now() - age
        self.cr.execute(
            f"UPDATE {command._table} SET create_date = %s WHERE id = %s",
            [moment, command.id],
        )
        self.env.invalidate_all()

    def test_cancelled_on_the_way(self):
        """The colleague's phone stopped ringing, and Anna still has the client."""
        self.talk()
        self.transfer()
        self.ask()
        self.take(
            leg("L5", 2, "Disconnected", 25, *self.asking(), reason=1180),
            leg("L3", 4, "Connected", 25, CALLER, ANNA),
        )
        self.assertEqual(self.card()["phase"], "talking")
        # A new transfer has not started yet, whatever came before.
        asked = self.call().leg_ids.filtered(lambda one: one.leg_ref == "L5")
        self.set_age(asked, timedelta(minutes=1))
        self.set_age(self.env["mango.command"].search([]), timedelta(seconds=30))
        self.transfer()
        self.assertEqual(self.card()["phase"], "transferring")

    def test_declined(self):
        first, talk, *rest = returned_transfer().posts
        self.take(first, talk)
        self.transfer()
        phases, cards = [], {}
        for post in rest:
            self.take(post)
            card = self.card()
            cards[card["phase"], card["about"]] = card
            phases.append((card["phase"], card["about"]))
        self.assertEqual(
            list(dict.fromkeys(phases)),
            [("transferring", ""), ("ringing", "back"), ("talking", ""), ("ended", "")],
        )
        self.assertEqual(
            cards["ringing", "back"]["message"], "Борис Кузнецов did not take the call."
        )
        self.assertEqual(cards["talking", ""]["message"], "")

    def test_no_message_for_the_user_who_declined(self):
        self.talk()
        self.transfer()
        self.hand_over()
        self.take(
            leg("L5", 3, "Disconnected", 30, CALLER, BORIS, reason=1122),
            leg("L6", 1, "Appeared", 30, outside(taken_from="L5"), ANNA),
        )
        card = self.card(self.boris)
        self.assertTrue(card["leaves"])
        self.assertEqual(card["message"], "Ringing at 101")

    def test_declined_and_transferred_again(self):
        self.talk()
        self.transfer()
        self.hand_over()
        back = outside(taken_from="L5")
        self.take(
            leg("L5", 3, "Disconnected", 30, CALLER, BORIS, reason=1122),
            leg("L6", 1, "Appeared", 30, back, ANNA),
            leg("L6", 2, "Connected", 34, back, ANNA),
        )
        self.assertEqual(self.card()["phase"], "talking")
        self.take(leg("L6", 3, "Disconnected", 50, back, ANNA, reason=1120))
        self.take(leg("L7", 1, "Appeared", 50, back, staff("104", LINE)))
        card = self.card()
        self.assertEqual((card["phase"], card["target"]), ("transferring", "104"))

    def test_client_hangs_up(self):
        self.talk()
        self.transfer()
        self.hand_over()
        self.take(leg("L5", 3, "Disconnected", 30, CALLER, BORIS, reason=1110))
        self.assertEqual(self.card()["phase"], "ended")

    def test_client_gives_it_back(self):
        """A client who comes back after a talk was not missed."""
        self.talk()
        self.transfer()
        self.hand_over()
        self.take(
            leg("L5", 3, "Connected", 30, CALLER, BORIS),
            leg("L5", 4, "Disconnected", 40, CALLER, BORIS, reason=1120),
            leg("L6", 1, "Appeared", 40, outside(taken_from="L5"), ANNA),
        )
        card = self.card()
        self.assertEqual((card["about"], card["message"]), ("back", ""))
        self.assertEqual(self.card(self.boris)["phase"], "transferring")

    def test_call_that_goes_out(self):
        client, line = outside(), staff("101", LINE)
        self.take(
            leg("L1", 1, "Appeared", 0, line, client),
            leg("L1", 2, "Connected", 5, line, client),
        )
        self.transfer()
        self.assertEqual(self.card()["phase"], "transferring")
        again = outside(taken_from="L1")
        self.take(
            leg("L1", 3, "OnHold", 20, line, client),
            leg("L2", 1, "Appeared", 20, staff("101", taken_from="L1"), staff("102")),
            leg("L1", 4, "Disconnected", 22, line, client, reason=1110),
        )
        self.assertEqual(self.card()["phase"], "transferring")
        self.take(leg("L2", 2, "Appeared", 22, again, staff("102")))
        self.assertEqual(self.card()["phase"], "transferring")
        self.take(
            leg("L2", 3, "Disconnected", 30, again, staff("102"), reason=1111),
            leg("L3", 1, "Appeared", 30, again, staff("101")),
        )
        card = self.card()
        self.assertEqual((card["phase"], card["about"]), ("ringing", "back"))

    def test_group(self):
        """From the desk phone, without a command of Odoo."""
        self.env["mango.group"].create(
            {"account_id": self.account.id, "number": "500", "name": "Склад"}
        )
        self.talk()
        self.take(
            leg("L3", 3, "Disconnected", 20, CALLER, ANNA, reason=1120),
            leg("L5", 1, "Appeared", 20, CALLER, staff("102", LINE, group="500")),
            leg("L6", 1, "Appeared", 20, CALLER, staff("104", LINE, group="500")),
        )
        card = self.card()
        self.assertEqual(
            (card["phase"], card["target"], card["message"]),
            ("transferring", "Склад", "Ringing at several phones"),
        )
        self.take(
            leg("L5", 2, "Disconnected", 40, CALLER, staff("102"), reason=1111),
            leg("L6", 2, "Disconnected", 40, CALLER, staff("104"), reason=1111),
            leg("L7", 1, "Appeared", 40, outside(taken_from="L5"), ANNA),
        )
        self.assertEqual(self.card()["message"], "Склад did not take the call.")

    def test_several_phones_of_no_group(self):
        self.talk()
        self.take(
            leg("L3", 3, "Disconnected", 20, CALLER, ANNA, reason=1120),
            leg("L5", 1, "Appeared", 20, CALLER, staff("102")),
            leg("L6", 1, "Appeared", 20, CALLER, staff("104")),
        )
        card = self.card()
        self.assertEqual((card["phase"], card["target"]), ("transferring", ""))

    def test_outside_number(self):
        mobile = outside("74950000301")
        self.talk()
        self.hand_over(mobile)
        card = self.card()
        self.assertEqual(
            (card["phase"], card["target"], card["message"]),
            ("transferring", "+7 495 000-03-01", "Ringing at +7 495 000-03-01"),
        )
        self.take(leg("L5", 3, "Connected", 30, CALLER, mobile))
        card = self.card()
        self.assertEqual(
            (card["phase"], card["message"]), ("left", "Talking to +7 495 000-03-01")
        )

    def test_phone_of_a_group_that_has_not_stopped(self):
        """It rang for the call itself, not for a transfer."""
        self.receive(*leg("L3", 1, "Appeared", 11, CALLER, ANNA))
        self.receive(*leg("L4", 1, "Appeared", 11, CALLER, BORIS))
        self.receive(*leg("L3", 2, "Connected", 15, CALLER, ANNA))
        self.receive(*leg("L4", 2, "Disconnected", 15, CALLER, BORIS, reason=1183))
        self.receive(*leg("L3", 3, "Disconnected", 60, CALLER, ANNA, reason=1110))
        self.assertEqual(self.card()["phase"], "ended")

    # -- attended --------------------------------------------------------------------

    def test_asking(self):
        self.talk()
        self.transfer("hold")
        card = self.card()
        self.assertEqual(
            (card["phase"], card["about"], card["target"], card["consulting"]),
            ("transferring", "asking", self.BORIS_NAME, ""),
        )
        self.assertFalse(card["can_transfer"] or card["can_hang_up"])
        self.ask()
        card = self.card()
        self.assertEqual(
            (card["phase"], card["about"], card["consulting"]),
            ("hold", "asking", "102"),
        )
        # The phone rings since 21, ten seconds after the call began.
        self.assertEqual(self.seconds_at(15, self.anna), [5])
        self.take(leg("L5", 2, "Connected", 25, *self.asking()))
        card = self.card()
        self.assertEqual((card["about"], card["consulting"]), ("", "102"))
        self.take(leg("L5", 2, "Disconnected", 30, *self.asking(), reason=1122))
        self.take(leg("L3", 4, "Connected", 30, CALLER, ANNA))
        self.assertEqual(self.card()["phase"], "talking")

    def test_hold_that_began_nobody_knows_when(self):
        self.talk()
        self.take(leg("L3", 3, "OnHold", 20, CALLER, ANNA))
        card = self.card()
        self.assertEqual((card["phase"], card["about"]), ("hold", ""))
        self.assertIs(card["seconds"], False)

    def test_asked_before_but_transferred_by_phone(self):
        self.talk()
        self.transfer("hold")
        self.ask()
        self.take(
            leg("L5", 2, "Disconnected", 30, *self.asking(), reason=1122),
            leg("L3", 4, "Connected", 30, CALLER, ANNA),
            leg("L3", 5, "Disconnected", 40, CALLER, ANNA, reason=1120),
            leg("L6", 1, "Appeared", 40, CALLER, staff("104", LINE)),
        )
        card = self.card()
        self.assertEqual(
            (card["phase"], card["about"], card["target"]), ("transferring", "", "104")
        )

    def test_asked(self):
        self.talk()
        self.ask()
        message = "Анна Соколова asks you. The client is waiting."
        card = self.card(self.boris)
        self.assertEqual((card["phase"], card["about"]), ("ringing", "asked"))
        self.assertEqual((card["message"], card["name"]), (message, "Иван Петров"))
        self.take(leg("L5", 2, "Connected", 25, *self.asking()))
        card = self.card(self.boris)
        self.assertEqual((card["phase"], card["about"]), ("talking", "asked"))
        self.assertEqual(card["message"], message)
        self.assertFalse(card["can_transfer"])
        self.assertTrue(card["can_hang_up"])
        with self.assertRaises(UserError):
            self.call().with_user(self.boris).transfer("101", "blind")
        # Anna hangs up, which completes the transfer.
        self.take(
            leg("L3", 4, "Disconnected", 30, CALLER, ANNA, reason=1120),
            leg("L5", 3, "Connected", 30, CALLER, BORIS),
        )
        card = self.card(self.boris)
        self.assertEqual(
            (card["phase"], card["about"], card["message"]), ("talking", "", "")
        )
        self.assertTrue(card["can_transfer"])

    def test_consultation_is_notified_while_the_phone_keeps_ringing(self):
        """The phone rings before the client is reported on hold."""
        self.talk()
        self.take(leg("L5", 1, "Appeared", 21, *self.asking()))
        view = self.env["mango.card.phase"]
        before = view._by_extension(self.call(), self.call().leg_ids)
        self.take(leg("L3", 3, "OnHold", 20, CALLER, ANNA))
        after = view._by_extension(self.call(), self.call().leg_ids)
        self.assertNotEqual(before["102"], after["102"])

    def test_colleague_who_calls_does_not_ask(self):
        self.take(*internal().posts[:1])
        self.assertEqual(self.card(self.boris)["about"], "")

    def test_transfers_of_many_calls_are_read_at_once(self):
        for number in range(5):
            self.play(inbound_answered(), entry_id=f"E{number}")
        calls = self.env["mango.call"].search([])
        calls.mapped("entry_id")
        with self.assertQueryCount(1):
            calls.mapped("transfer_ids")


@tagged("post_install", "-at_install")
class TestContent(CardCase):
    def test_who(self):
        vector = self.create_partner("ООО «Вектор»", is_company=True)
        self.ivan.parent_id = vector
        lead = self.create_lead(
            "Поставка",
            partner_id=self.ivan.id,
            user_id=self.boris.id,
            expected_revenue=120000,
        )
        self.talk()
        card = self.card()
        self.assertEqual(card["name"], "Иван Петров")
        self.assertEqual(card["number"], "+7 495 000-02-01")
        self.assertEqual(card["dial"], "+74950000201")
        self.assertEqual(card["partner"]["company"], "ООО «Вектор»")
        self.assertEqual(card["lead"]["id"], lead.id)
        self.assertEqual(card["lead"]["stage"], lead.stage_id.name)
        self.assertIn("120", card["lead"]["revenue"])
        self.assertEqual(card["owner"], "Борис Кузнецов")
        self.assertTrue(card["can_hang_up"] and card["can_transfer"])
        self.assertEqual(card["direction"], "inbound")

    def test_hidden_number(self):
        self.receive(*leg("L1", 1, "Appeared", 0, outside(None), ANNA))
        card = self.card()
        self.assertEqual((card["number"], card["dial"]), ("", False))
        self.assertEqual(card["history"], [])

    def test_history(self):
        self.play(inbound_answered(), entry_id="E0")
        self.play(missed_by_group(), entry_id="E2")
        self.talk()
        history = self.card()["history"]
        self.assertEqual(
            {(past["direction"], past["result"]) for past in history},
            {("inbound", "answered"), ("inbound", "missed")},
        )
        self.assertNotIn(self.call().id, [past["id"] for past in history])

    def test_history_of_a_group(self):
        # Ivan's manager would be chosen by routing.
        self.account.routing_enabled = False
        self.ivan.user_id = False
        self.env["mango.group"].create(
            {"account_id": self.account.id, "number": "500", "name": "Продажи"}
        )
        self.play(missed_by_group(), entry_id="E2")
        self.talk()
        [past] = self.card()["history"]
        self.assertEqual(
            (past["user"], past["group"]), ("", "Продажи, nobody answered")
        )

    def test_history_is_what_one_may_read(self):
        """Olga has no responsible user, and it was Boris who talked to her before."""
        self.create_partner("Ольга", "74950000209")
        caller = outside("74950000209")
        for post in (
            leg("B1", 1, "Appeared", 0, caller, BORIS),
            summary(1, caller, staff("102"), talk=5, end=9, reason=1110),
        ):
            kind, payload = post
            self.receive(kind, {**payload, "entry_id": "E0"})
        self.receive(*leg("L1", 1, "Appeared", 0, caller, ANNA))
        self.assertEqual(self.card()["history"], [])
        self.receive(*leg("L2", 1, "Appeared", 0, caller, BORIS))
        self.assertEqual(len(self.card(self.boris)["history"]), 1)

    def test_lead_that_may_not_be_read(self):
        self.create_lead("Чужая", partner_id=self.ivan.id, user_id=self.boris.id)
        sales = self.env.ref("sales_team.group_sale_salesman_all_leads")
        self.anna.group_ids -= sales
        self.talk()
        card = self.card()
        self.assertFalse(card["lead"])
        self.assertFalse(card["can_create_lead"])

    def test_seconds(self):
        self.talk()
        self.assertGreater(self.card()["seconds"], 0)
        self.receive(*summary(1, outside(), staff("101"), talk=15, end=30, reason=1110))
        card = self.card()
        self.assertFalse(card["seconds"])
        self.assertEqual(card["talk_duration"], 15)

    def test_ringing_counts_from_when_this_phone_began_to_ring(self):
        for post in menu():
            self.receive(*post)
        self.receive(*leg("L3", 1, "Appeared", 11, CALLER, ANNA))
        self.receive(*leg("L4", 1, "Appeared", 31, CALLER, BORIS))
        self.assertEqual(self.seconds_at(40, self.anna, self.boris), [29, 9])

    def test_talking_counts_from_the_answer(self):
        for post in menu():
            self.receive(*post)
        self.talk()
        self.assertEqual(self.seconds_at(40, self.anna), [25])

    def test_ringing_time_of_a_transfer(self):
        posts = blind_transfer().posts
        for post in posts[:6]:
            self.receive(*post)
        self.assertEqual(self.seconds_at(27, self.boris), [7])
        self.receive(*posts[6])
        # Boris answered at 28, and Anna sees that he is talking.
        self.assertEqual(self.seconds_at(40, self.anna, self.boris), [12, 12])

    def test_click_to_call_to_a_colleague(self):
        """The PBX only reports at the end that it was an internal call."""
        self.boris_extension.name = "Борис К."
        self.env.flush_all()
        self.anna.with_user(self.anna).mango_call("102")
        self.env.invalidate_all()
        command = self.env["mango.command"].search([], limit=1)
        told = {"command_id": command.command_id, "callback_initiator": "API"}
        anna, boris = staff("101"), staff("102")
        self.receive(*leg("L1", 1, "Appeared", 0, boris, anna, **told))
        card = self.card()
        self.assertEqual((card["name"], card["dial"]), ("Борис К.", "102"))
        self.assertEqual(card["direction"], "internal")
        self.assertFalse(card["can_create_partner"])
        self.receive(*leg("L1", 2, "Connected", 3, boris, anna, **told))
        self.receive(
            *leg("L2", 1, "Appeared", 4, staff("101", taken_from="L1"), boris, **told)
        )
        self.assertEqual(self.card()["name"], "Борис К.")
        # Without a name in the PBX, the employee's name is shown.
        self.assertEqual(self.card(self.boris)["name"], self.anna.name)

    def test_colleague_whose_leg_is_not_reported_yet(self):
        self.boris_extension.name = "Борис К."
        self.env.flush_all()
        self.anna.with_user(self.anna).mango_call("102")
        self.env.invalidate_all()
        command = self.env["mango.command"].search([], limit=1)
        told = {"command_id": command.command_id, "callback_initiator": "API"}
        self.receive(*leg("L1", 1, "Appeared", 0, {}, staff("101"), **told))
        self.assertEqual(self.card()["name"], "Борис К.")

    def test_internal_call_to_several_shows_the_one_talking(self):
        boris, vera = staff("102"), staff("103")
        self.env["mango.extension"].search([("number", "=", "103")]).name = "Вера М."
        self.receive(*leg("L1", 1, "Appeared", 0, staff("101"), boris))
        self.receive(*leg("L2", 1, "Appeared", 0, staff("101"), vera))
        self.receive(*leg("L2", 2, "Connected", 3, staff("101"), vera))
        self.assertEqual(self.card()["name"], "Вера М.")

    def test_candidates_and_choice(self):
        maria = self.create_partner("Мария", "74950000201")
        lead = self.create_lead("Её сделка", partner_id=maria.id)
        self.create_lead("Его сделка", partner_id=self.ivan.id)
        # Both have a lead; the one with an owner is taken.
        self.talk()
        card = self.card()
        self.assertEqual(card["partner"]["id"], self.ivan.id)
        self.assertEqual([one["id"] for one in card["candidates"]], [maria.id])
        self.assertFalse(card["is_partner_chosen"])
        self.at_desk("choose_partner", maria.id)
        card = self.card()
        self.assertEqual(card["partner"]["id"], maria.id)
        self.assertEqual(card["lead"]["id"], lead.id)
        self.assertEqual([one["id"] for one in card["candidates"]], [self.ivan.id])
        self.assertTrue(card["is_partner_chosen"])
        self.receive(*summary(1, outside(), staff("101"), talk=15, end=30, reason=1110))
        self.assertEqual(self.call().partner_id, maria)

    def test_cost_does_not_grow_with_the_past(self):
        self.talk()
        counts = []
        for times in range(4):
            for number in range(times * 3):
                self.play(inbound_answered(), entry_id=f"E{times}-{number}")
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.card(call=self.call())
            counts.append(self.cr.sql_log_count - before)
        self.assertEqual(counts[2], counts[3])


@tagged("post_install", "-at_install")
class TestScreen(CardCase):
    def test_close_and_open(self):
        call = self.talk()
        call.with_user(self.anna).close_card()
        self.assertIsNone(self.card())
        # A late notification does not bring it back.
        self.receive(*leg("L3", 3, "OnHold", 20, CALLER, ANNA))
        self.assertIsNone(self.card())
        call.with_user(self.anna).open_card()
        self.assertEqual(self.card()["phase"], "hold")

    def test_running_calls_can_be_shown_again(self):
        call = self.talk()
        call.with_user(self.anna).close_card()
        key = call._card_key()
        running = {"id": call.id, "key": key, "name": self.ivan.name}
        self.assertEqual(
            self.running(self.anna), [{**running, "company_id": self.company.id}]
        )
        self.assertEqual(self.running(self.boris), [])
        self.receive(*leg("L3", 3, "Disconnected", 30, CALLER, ANNA, reason=1120))
        self.receive(*summary(1, outside(), staff("101"), talk=15, end=30, reason=1110))
        self.assertEqual(self.running(self.anna), [])

    def running(self, user):
        self.env.invalidate_all()
        return self.env["mango.call.presence"].with_user(user).get_running()

    def test_closing_is_everybodys_own(self):
        self.group_rings()
        self.call().with_user(self.anna).close_card()
        self.assertIsNone(self.card(self.anna))
        self.assertEqual(self.card(self.boris)["phase"], "ringing")

    def test_strangers(self):
        call = self.talk()
        with self.assertRaises(AccessError):
            call.with_user(self.boris).open_card()
        portal = new_test_user(self.env, "mango_portal2", groups="base.group_portal")
        for user in (portal, self.kirill_without_group()):
            cards = self.env["mango.call.presence"].with_user(user)
            with self.assertRaises(AccessError):
                cards.get_screen()
            with self.assertRaises(AccessError):
                cards.get_cards(call.ids)

    def kirill_without_group(self):
        return new_test_user(self.env, "mango_clerk2", groups="base.group_user")

    def test_screen(self):
        self.talk()
        screen = self.env["mango.call.presence"].with_user(self.anna).get_screen()
        self.assertEqual(len(screen["cards"]), 1)
        self.assertEqual(screen["my_state"], "talking")
        self.assertEqual(screen["extension"]["number"], "101")
        self.assertEqual(screen["missed_count"], 0)

    def test_running_call_is_not_hidden_by_those_that_leave(self):
        running = self.talk()
        for number in range(SHOWN_LIMIT + 1):
            for post in (
                leg("L3", 1, "Appeared", 20, CALLER, ANNA),
                leg("L4", 1, "Appeared", 20, CALLER, BORIS),
                leg("L3", 2, "Disconnected", 21, CALLER, ANNA, reason=1183),
                leg("L4", 2, "Connected", 21, CALLER, BORIS),
            ):
                kind, payload = post
                self.receive(kind, {**payload, "entry_id": f"taken-{number}"})
        screen = self.env["mango.call.presence"].with_user(self.anna).get_screen()
        self.assertEqual([card["call_id"] for card in screen["cards"]], running.ids)

    def test_screen_without_extension(self):
        screen = self.env["mango.call.presence"].with_user(self.kirill).get_screen()
        self.assertEqual(
            screen,
            {
                "cards": [],
                "extension": False,
                "my_state": "free",
                "my_status": {"status": "available", "away_until": False},
                "missed_count": 0,
                "planned_count": 0,
            },
        )


@tagged("post_install", "-at_install")
class TestNote(CardCase):
    def setUp(self):
        super().setUp()
        self.talk()

    def test_saved(self):
        self.assertEqual(self.at_desk("save_note", "Цена", ""), "Цена")
        self.assertEqual(self.card()["note"], "Цена")
        self.assertEqual(self.at_desk("save_note", "Цена, срок", "Цена"), "Цена, срок")
        self.assertEqual(self.at_desk("save_note", "", "Цена, срок"), "")

    def test_saved_twice(self):
        self.at_desk("save_note", "Цена", "")
        self.assertEqual(self.at_desk("save_note", "Цена", ""), "Цена")

    def test_somebody_else_has_written(self):
        self.call().note = "От Бориса"
        self.assertEqual(self.at_desk("save_note", "Цена", ""), "От Бориса\nЦена")
        self.assertEqual(self.at_desk("save_note", "Цена", ""), "От Бориса\nЦена")

    def test_both_went_on_from_the_same(self):
        self.call().note = "Начало. Борис"
        saved = self.at_desk("save_note", "Начало. Анна", "Начало.")
        self.assertEqual(saved, "Начало. Борис\nАнна")

    def test_late_notifications_leave_it(self):
        self.at_desk("save_note", "Цена", "")
        self.receive(*summary(1, outside(), staff("101"), talk=15, end=30, reason=1110))
        self.assertEqual(self.call().note, "Цена")

    def test_strangers(self):
        with self.assertRaises(AccessError):
            self.call().with_user(self.boris).save_note("x", "")


@tagged("post_install", "-at_install")
class TestClientOfCall(CardCase):
    def setUp(self):
        super().setUp()
        self.caller = outside("74950000277")
        self.receive(*leg("L1", 1, "Appeared", 0, self.caller, ANNA))
        self.anna.group_ids += self.env.ref("base.group_partner_manager")

    def test_new_lead(self):
        team = self.env["crm.team"].create(
            {"name": "Мебель", "company_id": self.company.id, "sequence": -1}
        )
        team.member_ids = self.anna
        leads = self.env["crm.lead"].with_user(self.anna)
        form = Form(leads.with_context(**self.at_desk("get_lead_defaults")))
        self.assertEqual(form.name, "Call: +7 495 000-02-77")
        self.assertEqual(form.phone, "+7 495 000-02-77")
        self.assertEqual((form.user_id, form.team_id), (self.anna, team))
        lead = form.save()
        self.at_desk("choose_lead", lead.id)
        self.assertEqual(self.call().lead_id, lead)
        self.assertEqual(self.card()["lead"]["id"], lead.id)

    def test_lead_needs_the_right(self):
        lead = self.create_lead("Чужая")
        self.anna.group_ids -= self.env.ref("sales_team.group_sale_salesman_all_leads")
        with self.assertRaises(AccessError):
            self.at_desk("get_lead_defaults")
        with self.assertRaises(AccessError):
            self.at_desk("choose_lead", lead.id)

    def past_calls(self, number="74950000277"):
        """Add two earlier calls of a number: one with Anna, one only with Boris."""
        calls = self.env["mango.call"]
        for extension in ("101", "102"):
            entry_id = f"{number}-{extension}"
            kind, payload = summary(
                1, outside(number), staff(extension), talk=None, end=30, reason=1110
            )
            self.receive(kind, {**payload, "entry_id": entry_id})
            calls += self.call(entry_id)
        return calls

    def test_new_contact_gets_the_earlier_calls(self):
        past = self.past_calls()
        other = self.past_calls("74950000288")
        olga = self.create_partner("Ольга", "+74950000277", user_id=self.anna.id)
        self.assertFalse(past.partner_id)
        self.assertEqual(self.at_desk("choose_new_partner", olga.id), 2)
        self.assertEqual((past | self.call()).partner_id, olga)
        self.assertFalse(other.partner_id)
        self.assertTrue(all(self.anna in call.user_ids for call in past))
        self.assertEqual(self.at_desk("choose_new_partner", olga.id), 0)

    def test_new_contact_with_another_number(self):
        past = self.past_calls()
        olga = self.create_partner("Ольга", "+74950000299")
        self.assertEqual(self.at_desk("choose_new_partner", olga.id), 0)
        self.assertEqual(self.call().partner_id, olga)
        self.assertFalse(past.partner_id)

    def test_hidden_numbers_have_nothing_in_common(self):
        past = self.past_calls("")
        self.assertFalse(past[0].client_number)
        self.call().client_number = False
        olga = self.create_partner("Ольга")
        self.assertEqual(self.at_desk("choose_new_partner", olga.id), 0)
        self.assertFalse(past.partner_id)

    def test_added_number_brings_the_earlier_calls(self):
        past = self.past_calls()
        past[0].with_user(self.vera).partner_id = self.create_partner("Мария")
        self.assertEqual(self.at_desk("add_number_to", self.ivan.id), 1)
        self.assertEqual(past[1].partner_id, self.ivan)
        self.assertEqual(past[0].partner_id.name, "Мария", "a person has said so")

    def test_number_for_a_contact_without_one(self):
        olga = self.create_partner("Ольга")
        self.at_desk("add_number_to", olga.id)
        self.assertEqual(olga.phone_sanitized, "+74950000277")
        self.assertEqual(self.call().partner_id, olga)
        self.assertFalse(olga.child_ids)

    def test_number_for_a_contact_with_another(self):
        self.at_desk("add_number_to", self.ivan.id)
        self.assertEqual(self.ivan.phone_sanitized, "+74950000201")
        self.assertEqual(self.ivan.child_ids.phone_sanitized, "+74950000277")
        self.assertEqual(self.call().partner_id, self.ivan)

    def test_number_that_the_contact_has(self):
        olga = self.create_partner("Ольга", "8 495 000-02-77")
        self.at_desk("add_number_to", olga.id)
        self.assertFalse(olga.child_ids)

    def test_contact_needs_the_right(self):
        self.anna.group_ids -= self.env.ref("base.group_partner_manager")
        self.anna.group_ids -= self.env.ref("sales_team.group_sale_salesman_all_leads")
        with self.assertRaises(AccessError):
            self.at_desk("add_number_to", self.create_partner("Ольга").id)


@tagged("post_install", "-at_install")
class TestCommandsOfCard(CardCase):
    def test_hang_up(self):
        call = self.talk()
        call.with_user(self.anna).hang_up()
        request = self.send()
        self.assertEqual(request.path, "commands/call/hangup")
        self.assertEqual(request.payload["call_id"], "L3")

    def end(self, ref, reason):
        """Receive the end of the call."""
        self.receive(*leg(ref, 9, "Disconnected", 40, CALLER, ANNA, reason=reason))
        callee = staff("101")
        self.receive(*summary(1, outside(), callee, talk=15, end=40, reason=reason))
        return self.call()

    def test_who_hung_up(self):
        self.talk().with_user(self.anna).hang_up()
        call = self.end("L3", 1181)
        words = f"{self.anna.name} hung up in Odoo"
        self.assertEqual(call.hung_up_by_id, self.anna)
        self.assertEqual(call.end_reason_text, words)
        self.assertEqual(call.timeline[-1]["text"], words)
        self.env["mango.command"].search([]).unlink()  # as after some months
        call.invalidate_recordset()
        self.assertEqual(call.end_reason_text, words)

    def test_another_program_hung_up(self):
        call = self.talk()
        self.end("L3", 1181)
        self.assertFalse(call.hung_up_by_id)
        self.assertIn("external system", call.end_reason_text)

    def test_client_hung_up_first(self):
        self.talk().with_user(self.anna).hang_up()
        call = self.end("L3", 1110)
        self.assertFalse(call.hung_up_by_id)
        self.assertNotIn("Odoo", call.end_reason_text)

    def test_refused_to_hang_up(self):
        self.pbx.answers("commands/call/hangup", {"result": 4101})
        self.talk().with_user(self.anna).hang_up()
        self.send()
        self.assertFalse(self.end("L3", 1181).hung_up_by_id)

    def test_hung_up_on_the_colleague_only(self):
        """Anna hung up on Boris; her click did not end the call later."""
        call = self.talk()
        asking, asked = staff("101"), staff("102", taken_from="L3")
        self.receive(*leg("L5", 1, "Appeared", 20, asking, asked))
        call.with_user(self.anna).stop_consulting()
        self.receive(*leg("L5", 2, "Disconnected", 30, asking, asked, reason=1181))
        self.assertEqual(call.leg_ids[-1].hung_up_by_id, self.anna)
        self.assertIn("hung up in Odoo", call.timeline[-1]["text"])
        self.end("L3", 1181)
        self.assertFalse(call.hung_up_by_id)

    def test_hang_up_once(self):
        call = self.talk().with_user(self.anna)
        call.hang_up()
        call.hang_up()
        self.assertEqual(self.env["mango.command"].search_count([]), 1)

    def test_hang_up_the_leg_that_goes_out(self):
        for post in outbound(1110, talk=10).posts[:2]:
            self.receive(*post)
        self.call().with_user(self.anna).hang_up()
        self.assertEqual(self.send().path, "commands/call/hangup")

    def test_only_ones_own(self):
        self.group_rings()
        self.receive(*leg("L3", 2, "Connected", 15, CALLER, ANNA))
        self.receive(*leg("L4", 2, "Disconnected", 15, CALLER, BORIS, reason=1183))
        call = self.call().with_user(self.boris)
        with self.assertRaises(UserError):
            call.hang_up()
        with self.assertRaises(UserError):
            call.transfer("101", "blind")
        with self.assertRaises(AccessError):
            self.call().with_user(self.kirill).hang_up()

    def test_supervisor_cannot_hang_up_for_others(self):
        with self.assertRaises(UserError):
            self.talk().with_user(self.vera).hang_up()

    def test_over(self):
        call = self.play(inbound_answered())
        with self.assertRaises(UserError):
            call.with_user(self.anna).hang_up()

    def test_transfer(self):
        for method in ("blind", "hold"):
            with self.subTest(method=method):
                call = self.talk()
                call.with_user(self.anna).transfer("102", method)
                request = self.send()
                command = self.env["mango.command"].search([], limit=1)
                self.assertEqual(request.path, "commands/transfer")
                self.assertEqual(
                    request.payload,
                    {
                        "command_id": command.command_id,
                        "call_id": "L3",
                        "method": method,
                        "to_number": "102",
                        "initiator": "101",
                    },
                )
                command.state = "done"

    def test_asking_and_then_putting_through(self):
        call = self.talk().with_user(self.anna)
        call.transfer("102", "hold")
        call.transfer("102", "hold")
        call.transfer("102", "blind")
        methods = self.env["mango.command"].search([]).mapped("method")
        self.assertEqual(methods, ["blind", "hold"])

    def test_transfer_to_another_pbx(self):
        other = self.create_account(api_key="other_key", api_salt="other_salt")
        strange = self.env["mango.extension"].create(
            {"account_id": other.id, "number": "777"}
        )
        with self.assertRaises(UserError):
            self.talk().with_user(self.anna).transfer(strange.number, "blind")

    def test_transfer_to_a_group(self):
        self.create_group("500")
        self.talk().with_user(self.anna).transfer("500", "hold")
        self.assertEqual(self.send().payload["to_number"], "500")
        card = self.card()
        self.assertEqual((card["phase"], card["target"]), ("transferring", "Склад"))

    def test_transfer_outside(self):
        self.talk().with_user(self.anna).transfer("8 (495) 000-03-01", "blind")
        self.assertEqual(self.send().payload["to_number"], "74950000301")
        self.assertEqual(self.card()["target"], "+7 495 000-03-01")

    def test_transfer_outside_costs_no_more_than_a_click(self):
        call = self.talk().with_user(self.anna)
        for number in ("+78091234567", "+881612345678"):
            with self.subTest(number=number), self.assertRaises(UserError):
                call.transfer(number, "blind")
        self.assertFalse(self.env["mango.command"].search([]))

    def test_transfer_to_nothing(self):
        call = self.talk().with_user(self.anna)
        for target in ("", "Борис", "999", "112", None, False, 102):
            with self.subTest(target=target), self.assertRaises(UserError):
                call.transfer(target, "blind")

    def create_group(self, number, **vals):
        return self.env["mango.group"].create(
            {
                "account_id": self.account.id,
                "number": number,
                "name": "Склад",
                **vals,
            }
        )

    # -- transfer targets ------------------------------------

    def targets(self, term="", user=None):
        self.env.invalidate_all()
        extensions = self.env["mango.extension"].with_user(user or self.anna)
        return extensions.get_transfer_targets(term)

    def dials(self, term=""):
        return [target["dial"] for target in self.targets(term)]

    def test_free_targets_come_first_and_of_them_the_recent(self):
        everybody = self.dials()
        self.assertNotIn("101", everybody)  # oneself
        self.talk().with_user(self.anna).transfer(everybody[-1], "blind")
        self.assertEqual(self.dials()[0], everybody[-1])
        busy = staff(everybody[-1], LINE, taken_from="L1")
        self.receive(*leg("L9", 1, "Appeared", 21, CALLER, busy))
        last = self.targets()[-1]
        self.assertEqual((last["dial"], last["state"]), (everybody[-1], "ringing"))

    def test_others_transfers_are_not_ones_own(self):
        everybody = self.dials()
        self.env["mango.command"].create(
            {
                "account_id": self.account.id,
                "user_id": self.boris.id,
                "kind": "transfer",
                "target": "L1",
                "to_number": everybody[-1],
            }
        )
        self.assertEqual(self.dials(), everybody)

    def test_group_is_free_while_a_member_is(self):
        group = self.create_group("500", extension_ids=self.boris_extension.ids)
        [target] = self.targets("скл")
        self.assertEqual(
            (target["type"], target["id"], target["name"], target["state"]),
            ("group", group.id, "Склад", "free"),
        )
        self.receive(*leg("L3", 1, "Appeared", 11, CALLER, BORIS))
        [target] = self.targets("500")
        self.assertEqual(target["state"], "talking")

    def test_number_that_is_typed(self):
        [target] = self.targets("8 495 000 03 01")
        self.assertEqual(
            (target["type"], target["name"], target["dial"]),
            ("outside", "+7 495 000-03-01", "+74950000301"),
        )
        self.assertEqual(self.targets("112"), [])

    def test_targets_of_whoever_has_no_extension(self):
        self.assertEqual(self.targets("", self.kirill), [])

    def test_transfer_while_ringing(self):
        self.group_rings()
        with self.assertRaises(UserError):
            self.call().with_user(self.anna).transfer("102", "blind")

    def test_stop_consulting(self):
        for post in consultation().posts:
            self.receive(*post)
            if self.card()["consulting"]:
                break
        self.call().with_user(self.anna).stop_consulting()
        request = self.send()
        self.assertEqual(request.path, "commands/call/hangup")
        self.assertEqual(request.payload["call_id"], "L2")

    def test_refusal_is_shown_on_the_call(self):
        self.pbx.answers("commands/call/hangup", {"result": 4101})
        call = self.talk()
        call.with_user(self.anna).hang_up()
        self.send()
        command = self.env["mango.command"].search([], limit=1)
        self.assertEqual(command.state, "failed")
        self.assertIn("over or unknown", command.reason)
        self.assertEqual(command._call(), call)

    def test_result_takes_the_turn_of_the_call(self):
        call = self.talk()
        call.with_user(self.anna).transfer("102", "blind")
        command = self.env["mango.command"].search([], limit=1)
        self.receive(
            "result/transfer", {"command_id": command.command_id, "result": 4100}
        )
        event = self.events().filtered(lambda event: event.kind == "result/transfer")
        self.assertEqual(event.entry_id, "E1")
        self.assertEqual(command.state, "failed")


@tagged("post_install", "-at_install")
class TestMenuCall(CardCase):
    def test_greeting_of_a_stranger_is_on_no_screen(self):
        caller = outside("74950000288")
        self.receive(*leg("L1", 1, "Appeared", 0, caller, dialled(), place="ivr"))
        self.assertFalse(self.env["mango.call.presence"].search([]))


@tagged("post_install", "-at_install")
class TestOtherCompany(CardCase):
    """Анна also works for a second company with a PBX of its own, where she is 201."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.there = cls.env["res.company"].create({"name": "ООО «Лилия»"})
        cls.anna.company_ids += cls.there
        cls.account_there = cls.create_account(
            api_key="test_api_key_0007", api_salt="x", company_id=cls.there.id
        )
        cls.extension_there = cls.create_extension(
            "201", cls.anna, account_id=cls.account_there.id
        )
        cls.create_extension("202", account_id=cls.account_there.id)
        cls.maria = cls.create_partner(
            "Мария Котова",
            "74950000208",
            user_id=cls.anna.id,
            company_id=cls.there.id,
        )
        cls.lead_there = cls.create_lead(
            "Сад", partner_id=cls.maria.id, user_id=cls.anna.id, company_id=cls.there.id
        )

    def ring_there(self, state="Appeared", seq=1, user="201"):
        kind, payload = leg(
            "L3", seq, state, 11, outside("74950000208"), staff(user, LINE)
        )
        self.receive(kind, {**payload, "entry_id": "E2"}, account=self.account_there)
        return self.call("E2", self.account_there)

    def screen(self, user=None, companies=None):
        """Return the presence model as a tab with some active companies uses it."""
        self.env.invalidate_all()
        companies = companies or self.company
        presence = self.env["mango.call.presence"].with_user(user or self.anna)
        return presence.with_context(allowed_company_ids=companies.ids)

    def test_a_phone_rings_whatever_company_is_active(self):
        call = self.ring_there()
        for companies in (self.company, self.there, self.company | self.there):
            with self.subTest(companies.mapped("name")):
                screen = self.screen(companies=companies)
                [card] = screen.get_screen()["cards"]
                self.assertEqual(screen.get_cards(call.ids)["cards"], [card])
                self.assertEqual(card["phase"], "ringing")
                self.assertEqual(card["name"], "Мария Котова")
                self.assertEqual(card["lead"]["id"], self.lead_there.id)
                self.assertEqual(card["company_id"], self.there.id)
                self.assertEqual(card["company"], "ООО «Лилия»")
                [running] = screen.get_running()
                self.assertEqual(
                    (running["id"], running["company_id"]), (call.id, self.there.id)
                )

    def test_a_click_with_the_phone_of_another_company(self):
        self.anna.mango_extension_id = self.extension_there
        self.env["mango.command"].create(
            {
                "account_id": self.account_there.id,
                "user_id": self.anna.id,
                "kind": "callback",
                "target": "+74950000208",
                "to_number": "+74950000208",
                "res_model": "res.partner",
                "res_id": self.maria.id,
            }
        )
        [card] = self.screen().get_screen()["cards"]
        self.assertEqual(card["name"], "Мария Котова")
        self.assertEqual(card["company_id"], self.there.id)
        self.assertEqual(card["company"], "ООО «Лилия»")

    def test_one_company_is_not_named(self):
        self.receive(*leg("L3", 1, "Appeared", 11, CALLER, BORIS))
        [card] = self.screen(self.boris).get_screen()["cards"]
        self.assertEqual(card["company"], "")

    def test_only_companies_that_the_user_works_for(self):
        call = self.ring_there()
        self.anna.write({"company_ids": [Command.unlink(self.there.id)]})
        screen = self.screen()
        self.assertFalse(screen.get_screen()["cards"])
        self.assertFalse(screen.get_cards(call.ids)["cards"])
        self.assertFalse(screen.get_running())

    def test_the_card_shows_nothing_of_a_third_company(self):
        """Only the call's company, and those that are active."""
        third = self.env["res.company"].create({"name": "ООО «Мак»"})
        self.anna.company_ids += third
        own = {"client_number": "+74950000208", "partner_id": self.maria.id}
        for entry_id, company in (("T1", third), ("T2", self.company)):
            self.env["mango.call"].create(
                {
                    "account_id": self.account.id,
                    "company_id": company.id,
                    "entry_id": entry_id,
                    "state": "ended",
                    "direction": "inbound",
                    "started_at": fields.Datetime.now() - timedelta(days=1),
                    "user_id": self.anna.id,
                    "user_ids": self.anna.ids,
                    **own,
                }
            )
        self.ring_there()
        [card] = self.screen().get_screen()["cards"]
        self.assertEqual([past["id"] for past in card["history"]], self.call("T2").ids)

    def test_buttons_of_the_card(self):
        """The web client names the call's company in the requests of its card."""
        self.ring_there()
        call = self.ring_there("Connected", 2)
        [card] = self.screen().get_screen()["cards"]
        self.assertTrue(card["can_transfer"])
        context = {"allowed_company_ids": [card["company_id"], self.company.id]}
        own = call.with_user(self.anna).with_context(**context)
        inactive = {"allowed_company_ids": self.company.ids}
        with self.assertRaises(AccessError):
            call.with_user(self.anna).with_context(**inactive).save_note("Сад", "")
        self.env.flush_all()
        self.assertEqual(own.save_note("Сад", ""), "Сад")
        targets = own.env["mango.extension"].get_transfer_targets("", call.id)
        self.assertEqual([target["dial"] for target in targets], ["202"])
        own.transfer("202", "blind")
        self.env.invalidate_all()
        command = self.env["mango.command"].search([], limit=1)
        self.assertEqual(command.account_id, self.account_there)
        self.assertEqual(command.extension, "201")

    def test_transfer_within_the_pbx_of_the_call(self):
        """Whichever extension the user has chosen for their own calls."""
        self.anna.mango_extension_id = self.anna_extension
        call = self.ring_there("Connected", 2)
        companies = self.there | self.company
        extensions = self.env["mango.extension"].with_user(self.anna)
        extensions = extensions.with_context(allowed_company_ids=companies.ids)
        numbers = {one["dial"] for one in extensions.get_transfer_targets("")}
        self.assertIn("102", numbers)
        targets = extensions.get_transfer_targets("", call.id)
        self.assertEqual([target["dial"] for target in targets], ["202"])

    def test_transfer_targets_of_a_colleagues_call(self):
        call = self.ring_there("Connected", 2)
        with self.assertRaises(AccessError):
            self.env["mango.extension"].with_user(self.boris).get_transfer_targets(
                "", call.id
            )

    def test_opening_suggests_the_company(self):
        """The web client activates it and opens the record, as for a link."""
        call = self.ring_there()
        for record in (call, self.maria, self.lead_there):
            with self.subTest(record), self.assertRaises(AccessError) as caught:
                self.env.invalidate_all()
                inactive = {"allowed_company_ids": self.company.ids}
                own = record.with_user(self.anna).with_context(**inactive)
                own.web_read({"display_name": {}})
            suggested = caught.exception.context["suggested_company"]
            self.assertEqual(suggested["id"], self.there.id)
