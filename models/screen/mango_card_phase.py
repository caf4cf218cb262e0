from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain

from ...vpbx import codes
from ..click_to_call.mango_command import SENDING_TIME


class MangoCardPhase(models.AbstractModel):
    """The phase of a call's card for one of its participants.

    The same call may ring for one, be on hold for another and be over for a third; all
    this is derived from the legs.
    """

    _name = "mango.card.phase"
    _description = "Phase of a Call Card"

    @api.model
    def _describe_phase(self, call, numbers):
        """Return the phase of a call for a user.

        :param mango.call call: any.
        :param frozenset[str] numbers: the user's extensions in its PBX.
        :return: ``phase``, ``about`` (``asking`` or ``asked`` for a consultation,
            ``back`` for a returned client, or empty), ``message`` (a sentence or
            empty), ``leaves`` (whether the card closes by itself), ``seconds`` (of
            ringing, talking or a consultation; False if unknown), ``consulting`` (the
            colleague being consulted; with ``asking``, the phone still rings) and
            ``target`` (the target of a transfer).
        :rtype: dict
        """
        legs = self._legs_of(call, numbers)
        others = call.leg_ids - legs
        live = legs._live()
        phase = self._phase(call, legs, numbers, others)
        about = self._about(call, legs, numbers, phase, others)
        command = self._own_transfer(call, legs, numbers)
        if self._is_transferring(call, command, numbers, phase):
            phase = "transferring"
            about = "asking" if command.method == "hold" else ""
        elif about == "asked" and self._is_sent_on(call, live, numbers):
            about = ""
        view = {
            "phase": phase,
            "about": about,
            "message": self._message(call, legs, numbers, phase, about),
            "leaves": self._leaves(call, phase),
            "seconds": self._seconds(call, live, phase),
        }
        if phase == "transferring":
            target = self._target(call, numbers, command)
            return {**view, "consulting": "", "target": target}
        asked = self._asked(live, numbers)
        if asked.state == "appeared":
            view["about"] = "asking"
        consulting = self._party_name(call, asked)
        return {**view, "consulting": consulting, "target": ""}

    @api.model
    def _leaves_me(self, call):
        """Tell whether the user has nothing more to do with a call.

        :rtype: bool
        """
        numbers = self.env["mango.card.content"]._own_numbers(call)
        legs = self._legs_of(call, numbers)
        phase = self._phase(call, legs, numbers, call.leg_ids - legs)
        return self._leaves(call, phase)

    @api.model
    def _by_extension(self, call, legs):
        """Return values per extension that change with the phase of its user.

        Cheap, because it is compared at every notification: users are only notified if
        it changes for one of their extensions.

        :param mango.call call: any.
        :param mango.call.leg legs: all of its legs, to avoid another search.
        :return: values to compare, by number; under False for the menu's legs.
        :rtype: dict[str | bool, tuple]
        """
        own_ids = defaultdict(list)
        for leg in legs:
            for number in {leg.from_extension, leg.to_extension} - {False}:
                own_ids[number].append(leg.id)
        views = {
            number: self._comparable(call, legs, legs.browse(ids), number)
            for number, ids in own_ids.items()
        }
        menu = legs.filtered(lambda leg: leg._is_menu())
        return {**views, False: tuple(menu._live().mapped("leg_ref"))}

    def _comparable(self, call, legs, own, number):
        """Return the values that :meth:`_describe_phase` and the board depend on."""
        others = legs - own
        numbers = frozenset({number})
        phase = self._phase(call, own, numbers, others)
        about = self._about(call, own, numbers, phase, others)
        named = ()
        if phase == "left":
            named = self._talker(others)._ids
        elif phase == "elsewhere":
            ringing = self._ringing(others)._ids
            named = ringing if len(ringing) == 1 else len(ringing) > 1  # no names then
        elif phase == "transferring":
            named = self._ringing(self._handed_on(call, legs, numbers))._ids
        live = [(leg.id, leg.state, leg.answered_at) for leg in own._live()]
        return phase, about, named, live

    def _legs_of(self, call, numbers):
        return call.leg_ids.filtered(
            lambda leg: leg.from_extension in numbers or leg.to_extension in numbers
        )

    # ------------------------------------------------------------
    # Phase
    # ------------------------------------------------------------

    def _phase(self, call, legs, numbers, others):
        """Return the phase of the card.

        :param mango.call.leg legs: those of the user.
        :param mango.call.leg others: the other legs of the call.
        :rtype: str
        """
        if call.state == "ended":
            return self._end_phase(call, legs, numbers)
        live = legs._live()
        states = live.mapped("state")
        if "onhold" in states:
            return "hold"
        if call.state == "talking":
            if "connected" in states:
                return "talking"
            if any(leg.to_extension in numbers for leg in live):
                return "ringing"
            return self._phase_without_client(call, legs, numbers, others)
        if self._is_caller(call, numbers):
            return self._caller_phase(legs, numbers)
        if live:
            return "ringing"
        return "elsewhere" if legs else "greeting"

    def _is_caller(self, call, numbers):
        """Tell whether the user has made the call, directly or by a callback."""
        return call.direction != "inbound" and call.extension_id.number in numbers

    def _caller_phase(self, legs, numbers):
        dialled = legs.filtered(lambda leg: leg.from_extension in numbers)
        # A callback rings the caller first, on a leg that goes to them.
        if dialled or legs.filtered("answered_at"):
            return "calling"
        return "pick_up"

    def _phase_without_client(self, call, legs, numbers, others):
        """Return the phase for a user who is not talking to the client."""
        was_theirs = self._is_caller(call, numbers) or self._had_client(
            call, legs, numbers
        )
        if not was_theirs:
            return "taken"
        if self._talker(others):
            return "left"
        is_handed_on = self._is_handed_on(call, legs | others, numbers)
        return "transferring" if is_handed_on else "ended"

    def _end_phase(self, call, legs, numbers):
        is_others = call.result == "answered" and not (
            self._is_caller(call, numbers) or self._had_client(call, legs, numbers)
        )
        return "taken" if is_others else "ended"

    def _had_client(self, call, legs, numbers):
        """Tell whether the user has talked, and not only been consulted.

        When the consulting colleague hangs up, the leg continues with the client.

        :rtype: bool
        """
        answered = legs.filtered("answered_at")
        if call.direction == "internal":
            return bool(answered)
        return any(
            not leg.from_extension or leg.from_extension in numbers for leg in answered
        )

    # ------------------------------------------------------------
    # Transfers
    # ------------------------------------------------------------

    def _handed_on(self, call, legs, numbers):
        """Return the legs that a talk was transferred to.

        :param mango.call.leg legs: all of the call.
        :param frozenset[str] numbers: the user's own extensions, which are ignored.
        :rtype: mango.call.leg
        """
        return legs.filtered(
            lambda leg: (
                leg.to_extension not in numbers and self._is_after_answer(call, leg)
            )
        )

    def _is_after_answer(self, call, leg):
        """Tell whether a leg began once the call had been answered.

        The PBX reports whole seconds. In the second of the answer, the other phones of
        a group stop ringing, and those that still ring are new.

        :rtype: bool
        """
        if not leg.started_at or not call.answered_at:
            return False
        is_same_second = leg.started_at == call.answered_at
        return leg.started_at > call.answered_at or (
            is_same_second and leg.state == "appeared"
        )

    def _is_handed_on(self, call, legs, numbers):
        """Tell whether the client of a talk is being transferred.

        :param mango.call.leg legs: all of the call.
        :rtype: bool
        """
        handed_on = self._handed_on(call, legs, numbers)
        # Between two phones of a group, no phone rings.
        last = legs.sorted("sequence")[-1:] & handed_on
        return bool(handed_on._live()) or self._rang_in_vain(last)

    def _rang_in_vain(self, leg):
        """Tell whether nobody picked up while the client was waiting."""
        is_over = leg.state == "disconnected" and not leg.answered_at
        return is_over and leg.end_reason != codes.CALLER_HUNG_UP

    def _own_transfer(self, call, legs, numbers):
        """Return the user's last transfer from Odoo of this talk.

        :param mango.call.leg legs: those of the user.
        :rtype: mango.command
        """
        if call.state != "talking":
            return self.env["mango.command"]
        # sudo: mango.command - the user's own transfers.
        command_sudo = call.transfer_ids.sudo().filtered(
            lambda command: command.extension in numbers
        )[:1]
        talk = legs.filtered(lambda leg: leg.leg_ref == command_sudo.leg_ref)
        is_past = any(
            leg.to_extension in numbers and leg.sequence > talk.sequence for leg in legs
        )
        return command_sudo if talk and not is_past else command_sudo.browse()

    def _is_transferring(self, call, command, numbers, phase):
        """Tell whether a transfer was sent that does not show in the legs yet.

        :param mango.command command: the user's last one, possibly empty.
        :param str phase: the phase according to the legs.
        :rtype: bool
        """
        if not command or phase not in ("talking", "hold", "ended"):
            return False
        if phase == "ended" and command.method != "blind":
            return False
        # Both times are Odoo's, because the PBX's clock may differ.
        begun = call.leg_ids.filtered(
            lambda leg: (
                leg.leg_ref != command.leg_ref
                and leg.to_extension not in numbers
                and not leg._is_menu()
                and leg.create_date >= command.create_date
            )
        )
        if begun:
            return command.method == "blind" and bool(begun._live())
        return command.state != "unclear" and command._age() < SENDING_TIME

    def _is_sent_on(self, call, live, numbers):
        """Tell whether the client is being transferred blindly to the user.

        At first such a leg looks like a consultation.

        :rtype: bool
        """
        dialled = numbers | set(live.mapped("group_extension"))
        # sudo: mango.command - only whether one makes the phone ring.
        command_sudo = call.transfer_ids.sudo().filtered(
            lambda command: command.to_number in dialled
        )[:1]
        talk = call.leg_ids.filtered(lambda leg: leg.leg_ref == command_sudo.leg_ref)
        return command_sudo.method == "blind" and bool(talk._live())

    def _about(self, call, legs, numbers, phase, others):
        """Return what is special about a ringing or talking call.

        :return: ``about`` of :meth:`_describe_phase`.
        :rtype: str
        """
        if call.direction == "internal" or phase not in ("ringing", "talking"):
            return ""
        if self._asking(legs._live(), numbers, others):
            return "asked"
        is_again = phase == "ringing" and call.state == "talking"
        return "back" if is_again and self._had_client(call, legs, numbers) else ""

    def _asking(self, live, numbers, others):
        """Return the leg of a colleague who consults the user with the client on hold.

        :param mango.call.leg live: the user's live legs.
        :rtype: mango.call.leg
        """
        on_hold = others.filtered(lambda leg: leg.state == "onhold")
        waiting = {*on_hold.mapped("from_extension"), *on_hold.mapped("to_extension")}
        askers = waiting - numbers - {False}
        return live.filtered(lambda leg: leg.from_extension in askers)[:1]

    def _target(self, call, numbers, command):
        """Return to whom the user transfers the client.

        :param mango.command command: their last transfer from Odoo, possibly empty.
        :return: a name or a number; empty if several phones ring.
        :rtype: str
        """
        handed_on = self._handed_on(call, call.leg_ids, numbers)
        ringing = self._ringing(handed_on)
        # Ringing legs take precedence: the client may have been transferred further.
        name = self._phones_name(call, ringing) or self._number_name(
            call, command.to_number
        )
        if name or ringing:
            return name
        return self._phones_name(call, handed_on[-1:])

    def _phones_name(self, call, legs):
        """Return the name of the person or the group whose phones ring.

        :rtype: str
        """
        dialled = {
            leg.group_extension or leg.to_extension or leg.to_number for leg in legs
        }
        if len(dialled) != 1:
            return ""
        return self._number_name(call, dialled.pop())

    def _number_name(self, call, number):
        """Return the name of a number's owner, or else the number.

        :param str number: an extension, a group, or an outside number.
        :rtype: str
        """
        if not number:
            return ""
        account = call.account_id
        extension = self.env["mango.extension"]._by_number(account, [number])
        if extension:
            return extension[number]._person_name()
        # sudo: mango.group - the name of a group, whichever company is active.
        group_sudo = (
            self.env["mango.group"]
            .sudo()
            .search(
                Domain("account_id", "=", account.id) & Domain("number", "=", number),
                limit=1,
            )
        )
        return group_sudo.name or account._display_number(number)

    # ------------------------------------------------------------
    # Cards that close by themselves
    # ------------------------------------------------------------

    def _leaves(self, call, phase):
        if phase == "taken":
            return True
        # A call that the whole group missed stays on one member's screen.
        return (
            phase == "ended"
            and call.result == "missed"
            and self.env.user not in self._responsible(call)
        )

    def _responsible(self, call):
        # A call that a group missed stays with the member rung first.
        charged = call.user_id or call.leg_ids._rung().to_user_id[:1]
        users = charged | call.routed_extension_id.user_id
        owners = self.env["mango.caller.lookup"]._owners(
            call.partner_id._filtered_access("read"),
            call.lead_id._filtered_access("read"),
        )
        return users | owners[:1]

    # ------------------------------------------------------------
    # Messages and times
    # ------------------------------------------------------------

    def _message(self, call, legs, numbers, phase, about):
        others = call.leg_ids - legs
        if phase == "ended":
            return self._end_message(call, legs, numbers)
        if about == "asked":
            asking = self._asking(legs._live(), numbers, others)
            name = self._number_name(call, asking.from_extension)
            return self.env._("%s asks you. The client is waiting.", name)
        if about == "back":
            return self._back_message(call, others)
        if phase == "greeting":
            why = self.env["mango.route.words"]._why_rung(call, numbers)
            return why or call.route_reason or ""
        if phase == "ringing":
            return self.env["mango.route.words"]._why_rung(call, numbers)
        if phase == "transferring":
            handed_on = self._handed_on(call, call.leg_ids, numbers)
            return self._ringing_message(call, self._ringing(handed_on))
        if phase == "elsewhere":
            return self._ringing_message(call, self._ringing(others))
        if phase == "left":
            name = self._party_name(call, self._talker(others))
            return name and self.env._("Talking to %s", name)
        if phase == "taken":
            return self._taken_message(call, legs, others)
        return ""

    def _ringing_message(self, call, ringing):
        if len(ringing) > 1:
            return self.env._("Ringing at several phones")
        name = self._party_name(call, ringing)
        return name and self.env._("Ringing at %s", name)

    def _taken_message(self, call, legs, others):
        talker, ringing = self._talker(others), self._ringing(others)
        if call.state == "talking" and not talker and ringing:
            return self._ringing_message(call, ringing)
        name = self._party_name(call, talker or ringing[:1])
        if legs.filtered("answered_at"):
            return name and self.env._("%s is back with the client", name)
        if not name and call.state == "ended":
            name = call.extension_id.display_name
        return name and self.env._("%s picked up", name)

    def _back_message(self, call, others):
        """Return who did not take the client, if this is why the phone rings again."""
        phones = others.filtered(lambda leg: not leg._is_menu()).sorted("sequence")
        if not self._rang_in_vain(phones[-1:]):
            return ""
        name = self._phones_name(call, phones[-1:])
        return self.env._("%s did not take the call.", name)

    def _end_message(self, call, legs, numbers):
        if call.result == "answered" or call.state != "ended":
            return ""
        if self._is_caller(call, numbers) and self._own_phone_rang_in_vain(
            legs, numbers
        ):
            return self.env._("Your own phone was not answered.")
        return call.end_reason_text or ""

    def _own_phone_rang_in_vain(self, legs, numbers):
        dialled = legs.filtered(lambda leg: leg.from_extension in numbers)
        return bool(legs) and not dialled and not legs.filtered("answered_at")

    def _talker(self, others):
        """Return the leg of another employee who is talking to the client.

        :param mango.call.leg others: all legs of the call but the user's own.
        :rtype: mango.call.leg
        """
        return others.filtered(
            lambda leg: leg.state == "connected" and not leg._is_menu()
        )[:1]

    def _ringing(self, others):
        return others.filtered(
            lambda leg: leg.state == "appeared" and not leg._is_menu()
        )

    def _party_name(self, call, leg):
        """Return the name of the colleague on a leg; empty if there is none.

        :rtype: str
        """
        number = leg.to_extension or leg.from_extension
        if not number:
            # After a transfer to an outside number, both sides may be.
            return call.account_id._display_number(leg.to_number)
        extensions = self.env["mango.extension"]._by_number(call.account_id, [number])
        return extensions[number].display_name if number in extensions else number

    def _asked(self, live, numbers):
        """Return the leg to the colleague being consulted while the client is on hold.

        :param mango.call.leg live: the user's live legs.
        :rtype: mango.call.leg
        """
        if "onhold" not in live.mapped("state"):
            return live.browse()
        return live.filtered(
            lambda leg: (
                leg.state != "onhold"
                and leg.from_extension in numbers
                and leg.to_extension
            )
        )[:1]

    def _seconds(self, call, live, phase):
        if phase in ("ended", "taken", "transferring"):
            return False
        since = self._since(call, live, phase)
        if not since:
            return False if phase == "hold" else 0
        return max(int((fields.Datetime.now() - since).total_seconds()), 0)

    def _since(self, call, live, phase):
        """Return the start of the duration on the card.

        :param mango.call.leg live: the user's live legs.
        :rtype: datetime | None
        """
        others = call.leg_ids._live() - live
        if phase == "hold":
            # The PBX does not say since when, but a consultation begins with it.
            asked = live.filtered(lambda leg: leg.state != "onhold")
            return self._first(asked.mapped("started_at"))
        if phase == "talking":
            return self._first(live.mapped("answered_at")) or call.answered_at
        if phase == "left":
            return self._talker(others).answered_at or call.answered_at
        phones = self._ringing(others if phase == "elsewhere" else live)
        return self._first(phones.mapped("started_at")) or call.started_at

    def _first(self, moments):
        return min(filter(None, moments), default=None)
