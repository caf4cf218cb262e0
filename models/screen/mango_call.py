from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ...vpbx import numbers
from ..click_to_call.mango_command import LIVE_STATES


class MangoCall(models.Model):
    """The actions of a call's card.

    Writes to the call and its cards are serialized with its notifications
    (:meth:`mango.call._locked`), so that neither causes a retry of the other.
    """

    _inherit = "mango.call"

    transfer_ids = fields.Many2many(
        "mango.command",
        string="Transfers from Odoo",
        compute="_compute_transfer_ids",
        compute_sudo=True,
        help="Transfers that may have taken effect, the latest first.",
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
        with self._locked() as call:
            call._own_card().closed_at = fields.Datetime.now()
            key = call.env["mango.card.content"]._keys(call)["key"]
            call.env.user._bus_send("mango_office/closed", {"key": key})

    def open_card(self):
        """Put the call back on the user's screen, in every tab."""
        self.ensure_one()
        self.check_access("read")
        with self._locked() as call:
            card_sudo = call._own_card()
            if card_sudo:
                card_sudo.closed_at = False
            else:
                card_sudo.create({"call_id": call.id, "user_id": call.env.uid})
            key = call.env["mango.card.content"]._keys(call)["key"]
            call.env.user._bus_send("mango_office/opened", {"key": key, "id": call.id})

    def _own_card(self):
        # sudo: mango.call.presence - only whether the user's own card is shown.
        return (
            self.env["mango.call.presence"]
            .sudo()
            .search([("call_id", "=", self.id), ("user_id", "=", self.env.uid)])
        )

    # ------------------------------------------------------------
    # Notes and corrections
    # ------------------------------------------------------------

    def save_note(self, note, base):
        """Save a note, merging it with concurrent changes by others.

        :param str note: the edited text.
        :param str base: the text before editing.
        :return: the stored text.
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
        """Choose the contact who is on the phone; the lead is updated.

        :param int partner_id: the contact.
        """
        self.ensure_one()
        self.check_access("write")
        partner = self.env["res.partner"].browse(partner_id)
        partner.check_access("read")
        with self._locked() as call:
            call._choose_partner(partner.with_env(call.env))

    def choose_new_partner(self, partner_id):
        """Choose a contact that was created for the call's number.

        :param int partner_id: the contact.
        :return: how many earlier calls were also assigned to the contact.
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
                return 0  # It is hidden, or another one was entered.
            return len(call._attach_earlier(partner))

    def _choose_partner(self, partner):
        self.partner_id = partner
        # sudo: mango.call - only computes the lead and the participants for the chosen
        # contact.
        call_sudo = self.sudo()
        call_sudo._identify_client()
        call_sudo._update_participants()
        self._notify_participants()

    def add_number_to(self, partner_id):
        """Add the client's number to a contact, who becomes the client.

        If the contact already has another number, an additional address gets this one.

        :param int partner_id: the contact.
        :return: how many earlier calls were also assigned to the contact.
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
        """Assign the ended calls of the same number that have no contact.

        Hook for other parts of the addon.

        :param res.partner partner: the owner of the number, as chosen by a user.
        :return: these calls.
        :rtype: mango.call
        """
        # sudo: mango.call - the owner of a number applies to all its calls; the contact
        # would have been found automatically if it had existed.
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
        """Return the defaults of a new lead for the call.

        :return: a context for the form.
        :rtype: dict
        """
        self.ensure_one()
        self.check_access("write")
        self.env["crm.lead"].check_access("create")
        vals = self._prepare_lead_vals()
        return {f"default_{name}": value for name, value in vals.items()}

    def choose_lead(self, lead_id):
        """Choose the lead of the call, such as one that was created for it.

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
        # A contact's own number is taken from the contact.
        return vals if partner.phone else {**vals, "phone": number}

    # ------------------------------------------------------------
    # Commands to the PBX
    # ------------------------------------------------------------

    def hang_up(self):
        """End the user's own call.

        :raise UserError: if they are not part of it.
        """
        leg = self._own_leg(("connected", "onhold"), ("appeared",))
        self._command("hangup", leg)

    def stop_consulting(self):
        """End the consultation with a colleague, and return to the client.

        :raise UserError: if there is no consultation.
        """
        self._command("hangup", self._own_leg(("appeared", "connected"), asked=True))

    def transfer(self, target, method):
        """Transfer the client to a colleague, a group or an outside number.

        :param str target: the extension, the group's number or an outside number, as
            people write it.
        :param str method: ``blind`` (at once) or ``hold`` (after asking).
        :return: True: it was sent, now or by another tab.
        :rtype: bool
        :raise UserError: if the user is not talking in this call, or is only being
            consulted, or the company does not pay for calls to that number.
        """
        leg = self._own_leg(("connected",))
        own = self.env["mango.card.content"]._own_numbers(self)
        view = self.env["mango.card.phase"]._describe_phase(self, own)
        if view["about"] == "asked":
            raise UserError(
                self.env._("Only the colleague who asks you can transfer the client.")
            )
        to_number = self._transfer_number(target)
        self._command("transfer", leg, method=method, to_number=to_number)
        # The user's other tabs do not know of it.
        self.env.user._bus_send("mango_office/call", self._bus_payload())
        return True

    def _transfer_number(self, target):
        """Return the number to transfer to: of the call's PBX, or else E.164.

        :rtype: str
        :raise UserError: if it is neither.
        """
        text = target.strip() if isinstance(target, str) else ""
        is_inside = Domain("account_id", "=", self.account_id.id) & Domain(
            "number", "=", text
        )
        for model in ("mango.extension", "mango.group"):
            # sudo: mango.extension, mango.group - whichever company is active; the PBX
            # is the call's.
            if self.env[model].sudo().search_count(is_inside, limit=1):
                return text
        regions = self.env["mail.thread.phone"]._mango_phone_regions(self.company_id)
        number = numbers.e164(text, regions)
        if not number:
            raise UserError(
                self.env._(
                    "“%s” is no extension and no group of this PBX, and no phone "
                    "number.",
                    text,
                )
            )
        return number

    def _own_leg(self, *states, asked=False):
        """Return the leg of this call that the user is on.

        :param tuple states: the leg's states; the first tuple that matches is used.
        :param bool asked: whether to return the leg to the colleague being consulted.
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
        """Send a command for a leg to the PBX, once.

        :param str kind: as in ``mango.command``.
        :param mango.call.leg leg: one of the user's own legs.
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
    # Notifying users
    # ------------------------------------------------------------

    def _notify_participants(self):
        """Notify the web clients of the participants that the call has changed."""
        self._notify_listeners(SQL("TRUE"))
        return super()._notify_participants()

    def _views(self, legs):
        return self.env["mango.card.phase"]._by_extension(self, legs)

    def _notify_about_legs(self, before, after, arrived):
        """Notify those whose own view has changed, who are few in a large group."""
        super()._notify_about_legs(before, after, arrived)
        changed = {
            number
            for number in before.keys() | after.keys()
            if before.get(number) != after.get(number)
        }
        if not changed and not arrived:
            return
        # False stands for the menu, whose callers the board shows.
        self._notify_listeners(
            SQL(
                "(person.id = ANY(%(user_ids)s) OR person.id IN ("
                "SELECT user_id FROM mango_extension "
                "WHERE account_id = %(account_id)s AND number = ANY(%(numbers)s)))",
                user_ids=arrived.ids,
                account_id=self.account_id.id,
                numbers=list(changed - {False}),
            )
        )

    def _notify_listeners(self, concerned):
        """Notify web clients that the call has changed.

        The payload only identifies the call; each client reads it with its user's own
        rights.

        :param SQL concerned: condition on ``person``, the row of a participant.
        """
        if self.env.context.get("mango_quiet"):
            return  # An import of thousands of calls, which nobody watches.
        self._listeners(concerned)._bus_send("mango_office/call", self._bus_payload())
        self._notify_board()

    def _listeners(self, concerned):
        """Return the partners to notify on the bus.

        In SQL, because this runs for every notification.

        :param SQL concerned: condition on ``person``, the row of a participant.
        :return: of the active participants.
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
        """Show the call to everybody whose phone rings or rang.

        This includes ended calls, because notifications may come in any order.

        :param CallState state: the fold over all its notifications.
        :param dict[str, mango.extension] extensions: by number.
        :return: the users on whose screen it is new.
        :rtype: res.users
        """
        if self.env.context.get("mango_quiet") or not state.legs:
            return self.env["res.users"]
        rung = self.routed_extension_id.concat(*extensions.values())
        return self.env["mango.call.presence"]._show_call(self, rung)

    def _notify_board(self):
        """Notify the open boards of the supervisors of a change.

        The message is empty: each client reads the board with its user's own rights.
        Nobody is notified while no board is open (``ir.websocket``).
        """
        self.account_id._bus_send("mango_office/board", {}, subchannel="board")


def _joined(stored, note, base):
    """Merge two versions of a note without losing text.

    :param str stored: the note in the database.
    :param str note: the edited version of ``base``.
    :rtype: str
    """
    if stored in (note, base):
        return note
    added = note.removeprefix(base).strip()
    # The same text may arrive twice, if an answer was lost and it was sent again.
    return stored if added in stored else f"{stored}\n{added}"
