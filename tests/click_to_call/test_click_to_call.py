"""Click to call: one click, one command, and its outcome."""

from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, RedirectWarning, UserError
from odoo.tests import new_test_user, tagged

from ...models.calls.mango_call_apply import LEG_GAP, RINGING_TIME
from ...models.click_to_call import mango_command
from ...models.click_to_call.mango_command import (
    CALLBACK_PATIENCE,
    SENDING_TIME,
    send,
)
from ...vpbx.client import Client
from ..common import API_KEY, MangoCase, sign
from ..vpbx_scenarios import (
    callback_answered,
    callback_client_busy,
    callback_employee_silent,
    inbound_answered,
)

CALLBACK = "commands/callback"
NUMBER = "+7 495 000-02-01"
SECOND = timedelta(seconds=1)


class ClickCase(MangoCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.anna.group_ids += cls.env.ref("sales_team.group_sale_salesman_all_leads")

    def click(self, number=NUMBER, record=None, user=None):
        """Click on a number as a user; the command is not sent yet."""
        self.env.flush_all()
        user = user or self.anna
        card = user.with_user(user).mango_call(
            number, record._name if record else None, record.id if record else None
        )
        self.env.invalidate_all()
        return card

    def commands(self, user=None):
        return self.env["mango.command"].search(
            [("user_id", "=", (user or self.anna).id)]
        )

    def send(self, command=None):
        """Do the work of the thread; post-commit hooks do not run in tests."""
        self.env.flush_all()
        command = command or self.commands()
        send(self.cr.dbname, command.id)
        self.env.invalidate_all()

    def play_command(self, scenario, command=None):
        """Receive a scenario as if it resulted from a command of ours."""
        command = command or self.commands()
        for kind, payload in scenario.posts:
            told = {**payload}
            if "command_id" in told:
                told["command_id"] = command.command_id
            self.receive(kind, told)
        return self.call()

    def screen(self, user=None):
        return self.env["mango.call.presence"].with_user(user or self.anna).get_screen()

    def card(self, user=None):
        """Return the only card on the screen, however old the call is."""
        cards = self.env["mango.call.presence"].with_user(user or self.anna)
        [card] = (
            cards.get_cards(self.call().ids)["cards"] or cards.get_screen()["cards"]
        )
        return card

    def age(self, command, age):
        """Make a command older."""
        command.flush_recordset()
        self.cr.execute(
            "UPDATE mango_command SET create_date = %s WHERE id = %s",
            (fields.Datetime.now() - age, command.id),
        )
        command.invalidate_recordset()


@tagged("post_install", "-at_install")
class TestClick(ClickCase):
    def test_the_command(self):
        card = self.click()
        self.assertEqual(card["phase"], "requested")
        self.assertEqual(card["number"], "+7 495 000-02-01")
        self.assertEqual(self.pbx.requests, [])
        self.send()
        [request] = self.pbx.requests
        command = self.commands()
        self.assertEqual(request.path, CALLBACK)
        self.assertEqual(request.key, API_KEY)
        self.assertEqual(request.signature, sign(request.text))
        self.assertEqual(
            request.payload,
            {
                "command_id": command.command_id,
                "from": {"extension": "101"},
                "to_number": "74950000201",
            },
        )
        self.assertEqual(command.state, "accepted")
        self.assertEqual(self.screen()["cards"][0]["phase"], "pick_up")

    def test_device_and_line(self):
        line = self.account.line_ids.filtered(lambda line: line.number == "74950000101")
        device = self.env["mango.device"].create(
            {"extension_id": self.anna_extension.id, "number": "74950000301"}
        )
        self.anna.write({"mango_line_id": line.id, "mango_device_id": device.id})
        self.click()
        self.send()
        payload = self.pbx.requests[0].payload
        self.assertEqual(payload["from"], {"extension": "101", "number": "74950000301"})
        self.assertEqual(payload["line_number"], "74950000101")

    def test_sent_once(self):
        self.click()
        self.send()
        self.send()
        self.assertEqual(len(self.pbx.requests), 1)
        self.assertEqual(self.commands().state, "accepted")

    def test_given_up_before_it_was_sent(self):
        """The threads were busy, and the user has clicked again meanwhile."""
        self.click()
        late = self.commands()
        self.age(late, CALLBACK_PATIENCE + SECOND)
        self.click()
        again = self.commands() - late
        self.send(late)
        self.assertEqual(self.pbx.requests, [], "both would dial")
        self.send(again)
        self.assertEqual(len(self.pbx.requests), 1)

    def test_too_late_to_send(self):
        """The card has told the user to try again."""
        self.click()
        self.age(self.commands(), SENDING_TIME + SECOND)
        self.send()
        self.assertEqual(self.pbx.requests, [])
        self.assertEqual(self.commands().state, "failed")
        self.assertIn("Try again", self.commands().reason)

    def test_second_click_finds_the_first(self):
        first = self.click()
        second = self.click("8 (495) 000-02-01")
        self.assertEqual(first["key"], second["key"])
        self.assertEqual(len(self.commands()), 1)

    def test_second_click_after_the_answer(self):
        self.click()
        self.send()
        self.click()
        self.assertEqual(len(self.commands()), 1)

    def test_second_click_while_it_rings_and_talks(self):
        scenario = callback_answered()
        self.click()
        self.send()
        command = self.commands()
        for kind, payload in scenario.posts[:-2]:
            if "command_id" in payload:
                payload = {**payload, "command_id": command.command_id}
            self.receive(kind, payload)
            self.assertEqual(self.click()["key"], f"command-{command.id}")
        self.assertEqual(self.commands(), command)

    def test_click_after_the_call_is_a_new_call(self):
        self.click()
        self.send()
        self.play_command(callback_answered())
        card = self.click()
        self.assertEqual(card["phase"], "requested")
        self.assertEqual(len(self.commands()), 2)

    def click_and_receive_until(self, state):
        """Call a client and receive notifications, up to the last one of a state."""
        self.click()
        self.send()
        posts = [*callback_answered().posts][:-1]
        last = max(
            place
            for place, (_kind, payload) in enumerate(posts)
            if payload.get("call_state") == state
        )
        for kind, payload in posts[: last + 1]:
            if "command_id" in payload:
                payload = {**payload, "command_id": self.commands().command_id}
            self.receive(kind, payload)
        return self.call()

    def test_click_works_again_when_the_summary_was_lost(self):
        call = self.click_and_receive_until("Disconnected")
        self.click()
        self.assertEqual(len(self.commands()), 1, "a second leg may follow")
        self.quiet(call, LEG_GAP)
        self.click()
        self.assertEqual(len(self.commands()), 2)

    def test_click_works_again_when_nothing_came_after_the_ringing(self):
        call = self.click_and_receive_until("Appeared")
        self.click()
        self.assertEqual(len(self.commands()), 1)
        self.quiet(call, RINGING_TIME)
        self.click()
        self.assertEqual(len(self.commands()), 2)

    def test_click_works_again_after_another_call(self):
        """An employee who has another call has finished the first one."""
        self.click_and_receive_until("Connected")
        self.click()
        self.assertEqual(len(self.commands()), 1)
        *legs, _summary = inbound_answered().posts
        for kind, payload in legs:
            later = {"entry_id": "E2", "timestamp": payload["timestamp"] + 3600}
            self.receive(kind, {**payload, **later})
        self.click()
        self.assertEqual(len(self.commands()), 2)

    def quiet(self, call, time):
        """Make the last notification of a call older."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE mango_call SET write_date = write_date - %s WHERE id = %s",
            [time + timedelta(seconds=1), call.id],
        )
        self.env.invalidate_all()

    def test_refused_clicks_count_for_automatic_requests(self):
        """A second refusal within two minutes would lock the account out."""
        self.pbx.answers(CALLBACK, {"result": 3200})
        self.click()
        self.send()
        self.assertFalse(self.account._may_request())
        self.assertFalse(self.account.requests_stopped_reason)

    def test_wrong_signature_of_a_click_stops_automatic_requests(self):
        self.pbx.answers(CALLBACK, {"result": 3102})
        self.click()
        self.send()
        self.assertTrue(self.account.requests_stopped_reason)

    def test_two_numbers_are_two_calls(self):
        self.click()
        self.click("+74950000202")
        self.assertEqual(len(self.commands()), 2)

    def test_two_people_may_call_the_same_number(self):
        self.click()
        self.click(user=self.boris)
        self.assertEqual(len(self.commands()), 1)
        self.assertEqual(len(self.commands(self.boris)), 1)

    def test_timeout_is_unclear_and_never_repeated(self):
        self.pbx.answers(CALLBACK, body=None)
        self.click()
        self.send()
        self.assertEqual(self.commands().state, "unclear")
        self.assertEqual(self.pbx.paths(), [CALLBACK])
        self.click()
        self.assertEqual(len(self.commands()), 1)
        [card] = self.screen()["cards"]
        self.assertEqual(card["phase"], "pick_up")
        self.assertIn("did not answer clearly", card["message"])

    def test_unclear_is_over_some_day(self):
        self.pbx.answers(CALLBACK, body=None)
        self.click()
        self.send()
        self.age(self.commands(), CALLBACK_PATIENCE + timedelta(seconds=1))
        self.assertEqual(self.screen()["cards"][0]["phase"], "failed")
        self.click()
        self.assertEqual(len(self.commands()), 2)

    def test_refused(self):
        self.pbx.answers(CALLBACK, {"result": 2240})
        self.click()
        self.send()
        self.assertEqual(self.commands().state, "failed")
        [card] = self.screen()["cards"]
        self.assertEqual(card["phase"], "failed")
        self.assertIn("There is not enough money", card["message"])
        # A second click is deliberate.
        self.click()
        self.assertEqual(len(self.commands()), 2)

    def test_refused_later(self):
        self.click()
        self.send()
        command = self.commands()
        self.receive(
            "result/callback", {"command_id": command.command_id, "result": "2300"}
        )
        [card] = self.screen()["cards"]
        self.assertEqual(card["phase"], "failed")
        self.assertIn("Calls to this destination are blocked", card["message"])

    def test_refusal_that_overtakes_the_answer(self):
        self.click()
        command = self.commands()
        callback = Client.callback

        def notified(client, *args, **kwargs):
            self.receive(
                "result/callback", {"command_id": command.command_id, "result": 2300}
            )
            callback(client, *args, **kwargs)

        with patch.object(Client, "callback", notified):
            self.send()
        self.assertEqual(command.state, "failed")

    def test_unreachable(self):
        self.account.api_url = "http://127.0.0.1:9"
        self.click()
        self.send()
        [card] = self.screen()["cards"]
        self.assertEqual(card["phase"], "failed")
        self.assertIn("cannot be reached", card["message"])

    def test_without_credentials(self):
        self.account.sudo().api_salt = False
        self.click()
        self.send()
        self.assertEqual(self.commands().state, "failed")
        self.assertEqual(self.pbx.requests, [])

    def test_words_are_in_the_language_of_the_user(self):
        self.env["res.lang"]._activate_lang("ru_RU")
        self.anna.lang = "ru_RU"
        self.pbx.answers(CALLBACK, {"result": 2240})
        self.click()
        self.send()
        self.assertRegex(self.commands().reason, "[а-я]")

    def test_the_user_is_notified(self):
        self.click()
        with self.told() as messages:
            self.send()
        [(user, kind, payload)] = messages
        self.assertEqual((user, kind), (self.anna.partner_id, "mango_office/command"))
        self.assertEqual(payload["card"]["phase"], "pick_up")

    @contextmanager
    def told(self):
        """Collect the bus notifications."""
        messages = []

        def collect(_bus, target, kind, payload):
            messages.append((target, kind, payload))

        with patch.object(self.env.registry["bus.bus"], "_sendone", collect):
            yield messages

    def test_commands_without_a_call_are_forgotten_in_time(self):
        self.click()
        command = self.commands()
        self.age(command, mango_command.KEPT_TIME - timedelta(days=1))
        self.env["mango.command"]._gc_old()
        self.assertTrue(command.exists())
        self.age(command, mango_command.KEPT_TIME + timedelta(days=1))
        self.env["mango.command"]._gc_old()
        self.assertFalse(command.exists())

    def test_close(self):
        self.click()
        command = self.commands()
        command.with_user(self.boris).close_card()
        self.assertEqual(len(self.screen()["cards"]), 1)
        command.with_user(self.anna).close_card()
        self.assertEqual(self.screen()["cards"], [])

    def test_thread_starts_after_the_commit_only(self):
        """The commit of the transaction that stored the command, not of the request."""
        with patch.object(mango_command, "start_after_commit") as start:
            self.click()
        [(env, target, record_id)] = [call.args for call in start.call_args_list]
        self.assertIsNot(env.cr, self.env.cr)
        self.assertEqual((target, record_id), (send, self.commands().id))

    def test_trouble_is_logged(self):
        self.click()
        broken = patch.object(Client, "callback", side_effect=ValueError("moon"))
        with broken, self.assertLogs(mango_command.__name__, "ERROR"):
            self.send()

    def test_process_that_died_before_sending(self):
        self.click()
        self.age(self.commands(), mango_command.SENDING_TIME + timedelta(seconds=1))
        self.assertEqual(self.screen()["cards"][0]["phase"], "failed")


@tagged("post_install", "-at_install")
class TestWhoMayClick(ClickCase):
    def test_only_for_oneself(self):
        with self.assertRaises(AccessError):
            self.boris.with_user(self.anna).mango_call(NUMBER)
        self.assertFalse(self.commands(self.boris))

    def test_not_the_portal_nor_the_public(self):
        portal = new_test_user(self.env, "mango_portal", groups="base.group_portal")
        for user in (portal, self.env.ref("base.public_user")):
            with self.assertRaises(AccessError):
                user.with_user(user).mango_call(NUMBER)

    def test_without_extension(self):
        with self.assertRaises(UserError) as caught:
            self.click(user=self.kirill)
        self.assertIn("Ask the telephony administrator", str(caught.exception))

    def test_without_the_group(self):
        clerk = new_test_user(
            self.env,
            "mango_clerk",
            groups="base.group_user",
            company_id=self.company.id,
        )
        with self.assertRaises(UserError):
            self.click(user=clerk)

    def test_administrator_without_extension_is_shown_the_way(self):
        admin = self.create_user("admin", "Админ", "group_admin")
        with self.assertRaises(RedirectWarning):
            self.click(user=admin)

    def test_archived_extension(self):
        self.anna_extension.active = False
        with self.assertRaises(UserError):
            self.click()

    def test_record_that_may_not_be_read(self):
        secret = self.create_partner("Тайный", "+74950000299")
        self.env["ir.rule"].create(
            {
                "name": "hidden",
                "model_id": self.env.ref("base.model_res_partner").id,
                "domain_force": f"[('id', '!=', {secret.id})]",
            }
        )
        with self.assertRaises(AccessError):
            self.click(record=secret)
        self.assertFalse(self.commands())

    def test_no_number(self):
        for text in ("", "  ", "abc", "12", "1" * 400, None, 5, "sip:x@y.z"):
            with self.subTest(text=text), self.assertRaises(UserError):
                self.click(text)
        self.assertFalse(self.commands())

    def test_own_extension(self):
        with self.assertRaises(UserError):
            self.click("101")

    def test_commands_cannot_be_made_by_hand(self):
        for user in (self.anna, self.vera, self.create_user("a", "А", "group_admin")):
            commands = self.env["mango.command"].with_user(user)
            with self.assertRaises(AccessError):
                commands.create(
                    {
                        "account_id": self.account.id,
                        "kind": "callback",
                        "target": "1",
                        "user_id": self.boris.id,
                    }
                )


@tagged("post_install", "-at_install")
class TestDialled(ClickCase):
    """The number in the PBX's form."""

    def dialled(self, number, record=None):
        self.click(number, record)
        command = self.commands()[:1]
        self.send(command)
        return self.pbx.requests[-1].payload["to_number"]

    def test_russian(self):
        self.assertEqual(self.dialled("8 (495) 000-02-01 доб. 5"), "74950000201")

    def test_country_of_the_record(self):
        germany = self.env.ref("base.de")
        partner = self.create_partner("Ханс", country_id=germany.id)
        self.assertEqual(self.dialled("030 123456", partner), "4930123456")

    def test_country_of_the_contact_of_a_lead(self):
        germany = self.env.ref("base.de")
        partner = self.create_partner("Ханс", country_id=germany.id)
        lead = self.create_lead("Станок", partner_id=partner.id)
        self.assertEqual(self.dialled("030 123456", lead), "4930123456")

    def test_colleague(self):
        self.assertEqual(self.dialled("102"), "102")
        self.assertEqual(self.dialled("0511"), "0511")


@tagged("post_install", "-at_install")
class TestCallOfAClick(ClickCase):
    """The call is linked to the record that was clicked on."""

    def test_contact(self):
        twin = self.create_partner("Мария Петрова", "74950000201")
        self.click(record=twin)
        call = self.play_command(callback_answered())
        self.assertRecordValues(
            call,
            [
                {
                    "partner_id": twin.id,
                    "partner_is_manual": True,
                    "res_model": "res.partner",
                    "res_id": twin.id,
                    "user_id": self.anna.id,
                    "direction": "outbound",
                }
            ],
        )

    def test_lead_of_the_contact_comes_along(self):
        twin = self.create_partner("Мария Петрова", "74950000201")
        self.create_lead("Чужая сделка", partner_id=self.ivan.id)
        lead = self.create_lead("Её сделка", partner_id=twin.id)
        self.click(record=twin)
        self.assertEqual(self.play_command(callback_answered()).lead_id, lead)

    def test_lead(self):
        self.create_lead("Другая", partner_id=self.ivan.id)
        lead = self.create_lead("Эта", phone=NUMBER)
        self.click(record=lead)
        call = self.play_command(callback_answered())
        self.assertRecordValues(
            call, [{"lead_id": lead.id, "lead_is_manual": True, "res_id": lead.id}]
        )

    def test_numbers_are_shown_as_everywhere(self):
        self.click()
        self.assertEqual(self.commands().to_number_display, NUMBER)
        line = self.account.line_ids[0]
        self.assertEqual(line.number_display, self.account._display_number(line.number))
        self.assertTrue(line.number_display.startswith("+7 "))

    def test_call_in_the_log(self):
        """A call from the log belongs to the client, not to the call in the log."""
        twin = self.create_partner("Мария Петрова", "74950000201")
        past = self.play(inbound_answered(), entry_id="E0")
        past.partner_id = twin
        self.click(record=past)
        command = self.commands()
        self.assertEqual((command.res_model, command.res_id), (twin._name, twin.id))
        past.lead_id = self.create_lead("Эта", phone=NUMBER)
        self.assertEqual(
            self.anna.with_user(self.anna)._mango_origin(past._name, past.id),
            past.lead_id,
        )

    def test_any_other_model(self):
        self.click(record=self.company)
        call = self.play_command(callback_answered())
        self.assertRecordValues(
            call,
            [
                {
                    "res_model": "res.company",
                    "res_id": self.company.id,
                    "partner_id": self.ivan.id,
                    "partner_is_manual": False,
                }
            ],
        )

    def test_record_deleted_meanwhile(self):
        twin = self.create_partner("Мария Петрова", "74950000201")
        self.click(record=twin)
        twin.unlink()
        call = self.play_command(callback_answered())
        self.assertRecordValues(call, [{"partner_id": self.ivan.id, "res_id": False}])

    def test_command_of_somebody_else(self):
        """Another system makes the PBX dial, too."""
        call = self.play(callback_answered())
        self.assertFalse(call.callback_command_id)
        self.assertEqual(call.partner_id, self.ivan)

    def test_card_keeps_its_key(self):
        key = self.click(record=self.ivan)["key"]
        self.send()
        phases = []
        command = self.commands()
        for kind, payload in callback_answered().posts:
            if "command_id" in payload:
                payload = {**payload, "command_id": command.command_id}
            self.receive(kind, payload)
            card = self.card()
            self.assertEqual(card["key"], key)
            phases.append(card["phase"])
        # The result; L1 rings, is picked up; L2 rings; L1 ends; talk; its end; summary
        self.assertEqual(
            phases,
            ["pick_up", "pick_up", *["calling"] * 3, "talking", "ended", "ended"],
        )
        self.assertEqual(card["result"], "answered")
        self.assertEqual(card["message"], "")

    def test_own_phone_not_picked_up(self):
        self.click()
        self.play_command(callback_employee_silent())
        card = self.card()
        self.assertEqual((card["phase"], card["result"]), ("ended", "unanswered"))
        self.assertEqual(card["message"], "Your own phone was not answered.")

    def test_client_busy(self):
        self.click()
        self.play_command(callback_client_busy())
        card = self.card()
        self.assertEqual((card["phase"], card["result"]), ("ended", "busy"))
        self.assertEqual(card["message"], "Busy")
