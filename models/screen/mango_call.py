from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..click_to_call.mango_command import LIVE_STATES


class MangoCall(models.Model):
    """What a person does with a call on their screen: the buttons of its card.

    Whatever is written to the call is written while no notification of it is applied
    (:meth:`mango.call._locked`): neither has to wait for a repetition of the other.
    """

    _inherit = "mango.call"

    transfer_ids = fields.Many2many(
        "mango.command",
        string="Transfers from Odoo",
        compute="_compute_transfer_ids",
        compute_sudo=True,
        help="Those of which something may have come, the last one first.",
    )

    @api.depends("account_id", "entry_id")
    def _compute_transfer_ids(self):
        transfers = self.env["mango.command"].search(
            Domain("entry_id", "in", self.mapped("entry_id"))
            & Domain("kind", "=", "transfer")
            & Domain("state", "in", LIVE_STATES)
        )
        by_call = transfers.grouped(lambda one: (one.account_id, one.entry_id))
        for call in self:
            key = (call.account_id, call.entry_id)
            call.transfer_ids = by_call.get(key, transfers.browse())

    # ------------------------------------------------------------
    # The card
    # ------------------------------------------------------------

    def _card_key(self):
        return f"call-{self.id}"

    def close_card(self):
        """Take the call off the user's screen, in every tab."""
        self.ensure_one()
        self.check_access("read")
        self._own_card().closed_at = fields.Datetime.now()
        key = self.env["mango.card.content"]._keys(self)["key"]
        self.env.user._bus_send("mango_office/closed", {"key": key})

    def open_card(self):
        """Put the call back on the user's screen, in every tab."""
        self.ensure_one()
        self.check_access("read")
        card_sudo = self._own_card()
        if card_sudo:
            card_sudo.closed_at = False
        else:
            card_sudo.create({"call_id": self.id, "user_id": self.env.uid})
        key = self.env["mango.card.content"]._keys(self)["key"]
        self.env.user._bus_send("mango_office/opened", {"key": key, "id": self.id})

    def _own_card(self):
        # sudo: mango.call.presence - the user's own card, and only whether it is shown.
        return (
            self.env["mango.call.presence"]
            .sudo()
            .search([("call_id", "=", self.id), ("user_id", "=", self.env.uid)])
        )

    # ------------------------------------------------------------
    # What a person adds to the call
    # ------------------------------------------------------------

    def save_note(self, note, base):
        """Save what somebody typed; what somebody else typed meanwhile is kept too.

        :param str note: the text as it is now.
        :param str base: the text that the typing began from.
        :return: the text that is stored.
        :rtype: str
        """
        self.ensure_one()
        self.check_access("write")
        with self._locked() as call:
            stored = call.note or ""
            text = _joined(stored, note or "", base or "")
            if text != stored:
                call.note = text
                call._notify_participants()
        return text

    def choose_partner(self, partner_id):
        """Choose which of several contacts is on the phone; the lead follows.

        :param int partner_id: the contact.
        """
        self.ensure_one()
        self.check_access("write")
        partner = self.env["res.partner"].browse(partner_id)
        partner.check_access("read")
        with self._locked() as call:
            call._choose_partner(partner.with_env(call.env))

    def choose_new_partner(self, partner_id):
        """Choose a contact that was created for the number of the call.

        :param int partner_id: the contact.
        :return: how many earlier calls are the contact's now, too.
        :rtype: int
        """
        self.ensure_one()
        self.check_access("write")
        partner = self.env["res.partner"].browse(partner_id)
        partner.check_access("read")
        with self._locked() as call:
            partner = partner.with_env(call.env)
            call._choose_partner(partner)
            number = call.client_number
            if not number or partner.phone_sanitized != number:
                return 0  # It is hidden, or another one was typed in.
            return len(call._attach_earlier(partner))

    def _choose_partner(self, partner):
        self.partner_id = partner
        # sudo: mango.call - the machine finds the lead of whom a person has chosen, and
        # who takes part because of that.
        call_sudo = self.sudo()
        call_sudo._identify_client()
        call_sudo._update_participants()
        self._notify_participants()

    def add_number_to(self, partner_id):
        """Give the client's number to a contact, who is from now on the client.

        A contact that has another number already gets one more address with this one.

        :param int partner_id: the contact.
        :return: how many earlier calls are the contact's now, too.
        :rtype: int
        """
        self.ensure_one()
        self.check_access("write")
        number = self.client_number_display
        if not self.client_number:
            raise UserError(self.env._("The caller hides their number."))
        with self._locked() as call:
            partner = call.env["res.partner"].browse(partner_id)
            partner._mango_learn_number(number, self.client_number)
            call._choose_partner(partner)
            return len(call._attach_earlier(partner))

    def _attach_earlier(self, partner):
        """Attach the ended calls of the same number, of which nobody knew whose.

        For other parts of the addon to extend.

        :param res.partner partner: whose number it is, as a person has told.
        :return: those calls.
        :rtype: mango.call
        """
        # sudo: mango.call - whose number it is, is so for every call of it; the machine
        # would have found the contact itself, had it been there before.
        earlier_sudo = self.sudo().search(
            Domain("client_number", "=", self.client_number)
            & Domain("company_id", "=", self.company_id.id)
            & Domain("state", "=", "ended")
            & Domain("partner_id", "=", False)
            & Domain("partner_is_manual", "=", False)
            & Domain("id", "!=", self.id)
        )
        earlier_sudo.with_context(tracking_disable=True).write(
            {"partner_id": partner.id, "owner_id": self._owner().id}
        )
        earlier_sudo._update_participants()
        return earlier_sudo

    def get_lead_defaults(self):
        """Return what a new lead of the call begins with.

        :return: as a context, for the form.
        :rtype: dict
        """
        self.ensure_one()
        self.check_access("write")
        self.env["crm.lead"].check_access("create")
        vals = self._prepare_lead_vals()
        return {f"default_{name}": value for name, value in vals.items()}

    def choose_lead(self, lead_id):
        """Choose what the call is about, such as a lead that was created for it.

        :param int lead_id: the lead.
        """
        self.ensure_one()
        self.check_access("write")
        lead = self.env["crm.lead"].browse(lead_id)
        lead.check_access("read")
        with self._locked() as call:
            call.lead_id = lead_id
            call._notify_participants()

    def _prepare_lead_vals(self):
        number = self.client_number_display
        partner = self.partner_id._filtered_access("read")
        vals = {
            "name": self.env._("Call: %s", self._client_name()),
            "partner_id": partner.id,
            "user_id": self.env.uid,
            "team_id": self.env["crm.team"]._get_default_team_id().id,
        }
        # A contact's own number comes with the contact.
        return vals if partner.phone else {**vals, "phone": number}

    # ------------------------------------------------------------
    # What a person tells the PBX about the call
    # ------------------------------------------------------------

    def hang_up(self):
        """End the user's own call.

        :raise UserError: if they are not in it.
        """
        leg = self._own_leg(("connected", "onhold"), ("appeared",))
        self._command("hangup", leg)

    def stop_consulting(self):
        """Let the colleague go who was being asked, and return to the client.

        :raise UserError: if nobody is being asked.
        """
        self._command("hangup", self._own_leg(("appeared", "connected"), asked=True))

    def transfer(self, extension_id, method):
        """Put the client through to a colleague.

        :param int extension_id: the colleague's ``mango.extension``.
        :param str method: ``blind`` (at once) or ``hold`` (after asking).
        :return: True: it was sent, now or a moment ago.
        :rtype: bool
        :raise UserError: if the user is not talking in this call, or is only asked
            about it.
        """
        leg = self._own_leg(("connected",))
        numbers = self.env["mango.card.content"]._own_numbers(self)
        view = self.env["mango.card.phase"]._describe_phase(self, numbers)
        if view["about"] == "asked":
            raise UserError(
                self.env._("Only the colleague who asks you can transfer the client.")
            )
        # sudo: mango.extension - whichever company is active; the PBX is the call's.
        target_sudo = self.env["mango.extension"].sudo().browse(extension_id).exists()
        if target_sudo.account_id != self.account_id or not target_sudo.active:
            raise UserError(self.env._("This PBX has no such extension."))
        self._command("transfer", leg, method=method, to_number=target_sudo.number)
        # The user's other tabs have not clicked.
        self.env.user._bus_send("mango_office/call", self._bus_payload())
        return True

    def _own_leg(self, *states, asked=False):
        """Return the leg of this call that the user is on.

        :param tuple states: the leg's states; of several tuples the first that fits.
        :param bool asked: the one to a colleague who is being asked.
        :rtype: mango.call.leg
        :raise UserError: if there is none.
        """
        self.ensure_one()
        self.check_access("write")
        own = self.env["mango.card.content"]._own_numbers(self)
        if self.state == "ended":
            raise UserError(self.env._("The call is over."))
        legs = self.leg_ids.filtered(
            lambda leg: (
                leg.from_extension in own
                if asked
                else leg.from_extension in own or leg.to_extension in own
            )
        )
        for wanted in states:
            if found := legs.filtered(lambda leg, wanted=wanted: leg.state in wanted):
                return found[-1]
        raise UserError(self.env._("You are not in this call."))

    def _command(self, kind, leg, **vals):
        """Have the PBX do something with a leg, once.

        :param str kind: as of ``mango.command``.
        :param mango.call.leg leg: of the user's own.
        """
        own = self.env["mango.card.content"]._own_numbers(self)
        on_leg = {leg.from_extension, leg.to_extension}
        self.env["mango.command"]._submit_command(
            {
                "account_id": self.account_id.id,
                "kind": kind,
                "target": " ".join([leg.leg_ref, *vals.values()]),
                "leg_ref": leg.leg_ref,
                "entry_id": self.entry_id,
                "extension": next(iter(sorted(own & on_leg))),
                **vals,
            }
        )

    # ------------------------------------------------------------
    # Telling people
    # ------------------------------------------------------------

    def _notify_participants(self):
        """Tell the web clients of the participants that the call has changed."""
        self._notify_listeners(SQL("TRUE"))
        return super()._notify_participants()

    def _views(self, legs):
        return self.env["mango.card.phase"]._by_extension(self, legs)

    def _notify_about_legs(self, before, after, arrived):
        """Tell those whose own view has changed: in a large group these are few."""
        super()._notify_about_legs(before, after, arrived)
        numbers = {
            number
            for number in before.keys() | after.keys()
            if before.get(number) != after.get(number)
        }
        if not numbers and not arrived:
            return
        # False stands for the menu: the board shows who waits there.
        self._notify_listeners(
            SQL(
                "(person.id = ANY(%(user_ids)s) OR person.id IN ("
                "SELECT user_id FROM mango_extension "
                "WHERE account_id = %(account_id)s AND number = ANY(%(numbers)s)))",
                user_ids=arrived.ids,
                account_id=self.account_id.id,
                numbers=list(numbers - {False}),
            )
        )

    def _notify_listeners(self, concerned):
        """Tell web clients that the call has changed.

        The payload names the call; what there is to see of it, each client reads
        under its user's own rights.

        :param SQL concerned: condition on ``person``, the row of a participant.
        """
        if self.env.context.get("mango_quiet"):
            return  # An import of thousands of calls, which nobody waits for.
        self._listeners(concerned)._bus_send("mango_office/call", self._bus_payload())
        self._notify_board()

    def _listeners(self, concerned):
        """Return the partners to notify on the bus.

        In SQL, because this runs for every notification.

        :param SQL concerned: condition on ``person``, the row of a participant.
        :return: of the participants who may still log in.
        :rtype: res.partner
        """
        self.env["res.users"].flush_model(["active", "partner_id"])
        self.env["mango.extension"].flush_model(["account_id", "number", "user_id"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT person.partner_id
                  FROM mango_call_res_users_rel AS rel
                  JOIN res_users AS person ON person.id = rel.res_users_id
                 WHERE rel.mango_call_id = %s AND person.active AND %s
                """,
                self.id,
                concerned,
            )
        )
        return self.env["res.partner"].browse(row[0] for row in rows)

    def _bus_payload(self):
        return {
            "id": self.id,
            "state": self.state,
            "direction": self.direction,
            "result": self.result,
        }

    def _on_rung(self, state):
        self._put_on_screens(state, {})
        return super()._on_rung(state)

    def _put_on_screens(self, state, extensions):
        """Show the call to whoever it rings or rang for.

        A call that has ended, too: its notifications may come in any order.

        :param CallState state: the fold over all its notifications.
        :param dict[str, mango.extension] extensions: by number.
        :return: those who did not have it on their screen before.
        :rtype: res.users
        """
        if self.env.context.get("mango_quiet") or not state.legs:
            return self.env["res.users"]
        rung = self.routed_extension_id.concat(*extensions.values())
        return self.env["mango.call.presence"]._show_call(self, rung)

    def _notify_board(self):
        """Tell the open boards of the supervisors that something has changed.

        The message is empty: what there is to see, each client reads under its user's
        own rights. It reaches nobody while no board is open (``ir.websocket``).
        """
        self.account_id._bus_send("mango_office/board", {}, subchannel="board")


def _joined(stored, note, base):
    """Return a note in which nobody's words are lost.

    :param str stored: the note as it is in the database.
    :param str note: what somebody made of ``base``.
    :rtype: str
    """
    if stored in (note, base):
        return note
    added = note.removeprefix(base).strip()
    # The same words may come twice: an answer got lost, and they were sent again.
    return stored if added in stored else f"{stored}\n{added}"
