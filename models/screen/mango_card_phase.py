from collections import defaultdict

from odoo import api, fields, models


class MangoCardPhase(models.AbstractModel):
    """Where a call stands for one of the people in it: the phase of their card.

    The same call rings for one, is on hold for another and has been taken away from a
    third; all of it is read off the legs.
    """

    _name = "mango.card.phase"
    _description = "Phase of a Call Card"

    @api.model
    def _describe_phase(self, call, numbers):
        """Return where a call stands for somebody.

        :param mango.call call: any.
        :param frozenset[str] numbers: that person's extensions in its PBX.
        :return: ``phase``, ``message`` (a sentence or empty), ``leaves`` (the card
            goes by itself), ``seconds`` (since that phone rings or that talk goes on;
            False at the end) and ``consulting`` (the colleague who is being asked).
        :rtype: dict
        """
        legs = self._legs_of(call, numbers)
        phase = self._phase(call, legs, numbers, call.leg_ids - legs)
        live = legs._live()
        return {
            "phase": phase,
            "message": self._message(call, legs, numbers, phase),
            "leaves": self._leaves(call, phase),
            "seconds": self._seconds(call, live, phase),
            "consulting": self._consulting(call, live, numbers),
        }

    @api.model
    def _leaves_me(self, call):
        """Tell whether a call is none of the user's business any more.

        :rtype: bool
        """
        numbers = self.env["mango.card.content"]._own_numbers(call)
        legs = self._legs_of(call, numbers)
        phase = self._phase(call, legs, numbers, call.leg_ids - legs)
        return self._leaves(call, phase)

    @api.model
    def _by_extension(self, call, legs):
        """Return what the legs of a call mean for each extension on them.

        Cheap, since it is compared at every notification: a person needs to be told
        of a change only if this changes for one of their extensions.

        :param mango.call call: any.
        :param mango.call.leg legs: all of its legs, which are not searched again.
        :return: values to compare, by number; for the menu's legs by False.
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
        """Return what :meth:`_describe_phase` and the board depend on."""
        others = legs - own
        phase = self._phase(call, own, frozenset({number}), others)
        named = ()
        if phase == "left":
            named = self._talker(others)._ids
        elif phase == "elsewhere":
            ringing = self._ringing(others)._ids
            named = ringing if len(ringing) == 1 else len(ringing) > 1  # no names then
        live = [(leg.id, leg.state, leg.answered_at) for leg in own._live()]
        return phase, named, live

    def _legs_of(self, call, numbers):
        return call.leg_ids.filtered(
            lambda leg: leg.from_extension in numbers or leg.to_extension in numbers
        )

    # ------------------------------------------------------------
    # Phase
    # ------------------------------------------------------------

    def _phase(self, call, legs, numbers, others):
        """Return the phase, one of those that the card knows.

        :param mango.call.leg legs: those of the person.
        :param mango.call.leg others: the other legs of the call.
        :rtype: str
        """
        if call.state == "ended":
            return self._end_phase(call, legs, numbers)
        live = legs._live()
        states = live.mapped("state")
        if "onhold" in states:
            return "hold"
        if "connected" in states and call.state == "talking":
            return "talking"
        if self._is_caller(call, numbers):
            return self._caller_phase(call, legs, numbers, others)
        if live:
            return "ringing"
        return self._bystander_phase(call, legs, numbers, others)

    def _is_caller(self, call, numbers):
        """Tell whether the person has made the call, or had the PBX make it."""
        return call.direction != "inbound" and call.extension_id.number in numbers

    def _caller_phase(self, call, legs, numbers, others):
        if call.state == "talking":
            return "left" if self._talker(others) else "ended"
        dialled = legs.filtered(lambda leg: leg.from_extension in numbers)
        # A callback rings the caller first, on a leg that goes to them.
        if dialled or legs.filtered("answered_at"):
            return "calling"
        return "pick_up"

    def _bystander_phase(self, call, legs, numbers, others):
        """Return the phase for a user whose phone is not ringing."""
        if call.state != "talking":
            return "elsewhere" if legs else "greeting"
        if not self._had_client(call, legs, numbers):
            return "taken"
        return "left" if self._talker(others) else "ended"

    def _end_phase(self, call, legs, numbers):
        is_others = call.result == "answered" and not (
            self._is_caller(call, numbers) or self._had_client(call, legs, numbers)
        )
        return "taken" if is_others else "ended"

    def _had_client(self, call, legs, numbers):
        """Tell whether the person has talked, and not only been asked by a colleague.

        When a colleague who asked has hung up, the leg goes on with the client.

        :rtype: bool
        """
        answered = legs.filtered("answered_at")
        if call.direction == "internal":
            return bool(answered)
        return any(
            not leg.from_extension or leg.from_extension in numbers for leg in answered
        )

    def _leaves(self, call, phase):
        if phase == "taken":
            return True
        # A call that the whole group missed stays with one of them.
        return (
            phase == "ended"
            and call.result == "missed"
            and self.env.user not in self._responsible(call)
        )

    def _responsible(self, call):
        # What a group missed stays with who was rung first.
        charged = call.user_id or call.leg_ids._rung().to_user_id[:1]
        users = charged | call.routed_extension_id.user_id
        owners = self.env["mango.caller.lookup"]._owners(
            call.partner_id._filtered_access("read"),
            call.lead_id._filtered_access("read"),
        )
        return users | owners[:1]

    # ------------------------------------------------------------
    # Words and times
    # ------------------------------------------------------------

    def _message(self, call, legs, numbers, phase):
        if phase == "ended":
            return self._end_message(call, legs, numbers)
        if phase == "greeting":
            stand_in = self.env["mango.route.words"]._stand_in(call, numbers)
            return stand_in or call.route_reason or ""
        if phase == "ringing":
            return self.env["mango.route.words"]._stand_in(call, numbers)
        if phase not in ("taken", "left", "elsewhere"):
            return ""
        others = call.leg_ids - legs
        talker, ringing = self._talker(others), self._ringing(others)
        if phase == "elsewhere" and len(ringing) > 1:
            return self.env._("Ringing at several phones")
        other = talker or ringing[:1]
        name = self._party_name(call, other)
        if phase == "taken":
            if legs.filtered("answered_at"):
                return name and self.env._("%s is back with the client", name)
            name = name or call.extension_id.display_name
            return name and self.env._("%s picked up", name)
        if not name:
            return ""
        if phase == "left":
            return self.env._("Talking to %s", name)
        return self.env._("Ringing at %s", name)

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
        """Return the leg of whoever else talks to the client now.

        :param mango.call.leg others: all legs of the call but the person's own.
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
        """Return the colleague on a leg, as people name them; empty if none is.

        :rtype: str
        """
        number = leg.to_extension or leg.from_extension
        if not number:
            return ""
        extensions = self.env["mango.extension"]._by_number(call.account_id, [number])
        return extensions[number].display_name if number in extensions else number

    def _consulting(self, call, live, numbers):
        """Return the colleague whom the person asks while the client is on hold."""
        if "onhold" not in live.mapped("state"):
            return ""
        asked = live.filtered(
            lambda leg: (
                leg.state != "onhold"
                and leg.from_extension in numbers
                and leg.to_extension
            )
        )
        return self._party_name(call, asked[:1])

    def _seconds(self, call, live, phase):
        if phase in ("ended", "taken"):
            return False
        since = self._since(call, live, phase)
        if not since:
            return 0
        return max(int((fields.Datetime.now() - since).total_seconds()), 0)

    def _since(self, call, live, phase):
        """Return the moment from which the card counts what it says.

        :param mango.call.leg live: the person's legs that go on.
        :rtype: datetime | None
        """
        others = call.leg_ids._live() - live
        if phase in ("talking", "hold"):
            return self._first(live.mapped("answered_at")) or call.answered_at
        if phase == "left":
            return self._talker(others).answered_at or call.answered_at
        phones = self._ringing(others if phase == "elsewhere" else live)
        return self._first(phones.mapped("started_at")) or call.started_at

    def _first(self, moments):
        return min(filter(None, moments), default=None)
