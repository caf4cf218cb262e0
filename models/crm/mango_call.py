from functools import partial

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ...tools.locking import in_own_transaction
from ..pbx.mango_circuit_breaker import is_hopeless, is_trouble
from . import visitor_query
from .mango_line import UTM_FIELDS
from .visitor_query import PRESENT_TIME, find_utm

#: Fields that users may change and that the chatter shows.
CHATTER_FIELDS = {"partner_id", "lead_id", "note", "outcome_id"}


class MangoCall(models.Model):
    """Leads, sources, outcomes and blocking of calls."""

    _inherit = "mango.call"

    campaign_id = fields.Many2one(
        "utm.campaign", readonly=True, index="btree_not_null", ondelete="set null"
    )
    source_id = fields.Many2one(
        "utm.source",
        string="Advertising Source",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    medium_id = fields.Many2one(
        "utm.medium", readonly=True, index="btree_not_null", ondelete="set null"
    )
    dct_type = fields.Selection(
        [("dynamic", "Dynamic"), ("static", "Static")],
        string="Call Tracking",
        readonly=True,
    )
    dct_number = fields.Char(string="Tracking Number", readonly=True)
    visitor_state = fields.Selection(
        [
            ("asked", "Asked"),
            ("known", "Known"),
            ("unknown", "Unknown"),
            ("failed", "No Answer"),
        ],
        string="Visitor of the Site",
        readonly=True,
    )
    visitor_page = fields.Char(string="Page", readonly=True)
    outcome_id = fields.Many2one(
        "mango.call.outcome", index="btree_not_null", ondelete="restrict", tracking=True
    )
    outcome_activity_id = fields.Many2one(
        "mail.activity",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="The activity that the outcome has planned.",
    )
    may_block_number = fields.Boolean(compute="_compute_may_block_number")
    chatter_message_id = fields.Many2one(
        "mail.message",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="The line of the call in the chatter of its lead or contact.",
    )

    # ------------------------------------------------------------
    # Tasks
    # ------------------------------------------------------------

    def _on_changed(self, state, extensions):
        changed = super()._on_changed(state, extensions)
        if self._awaits_visitor():
            self.visitor_state = "asked"
            visitor_query.ask_after_commit(self)
        return changed

    def _on_ended(self):
        result = super()._on_ended()
        self._update_crm_soon()
        return result

    def _concerns_crm(self):
        """Tell whether the CRM has to process this ended call.

        :rtype: bool
        """
        return (
            self._has_chatter_line() or self._may_make_lead() or self._has_made_lead()
        )

    def _has_chatter_line(self):
        """Tell whether the call is, or has to be, in a chatter.

        :rtype: bool
        """
        if self.direction == "internal" or not self.account_id._writes_chatter():
            return False
        if self.chatter_message_id:
            return True
        return bool(self.lead_id or self.partner_id) and not self._is_history()

    def write(self, vals):
        result = super().write(vals)
        if vals.get("state") == "talking":
            # The user who answers sees the lead on the card while talking. Only once:
            # other notifications during the talk do not pay for it.
            self.env["mango.crm.task"]._add(
                self.filtered(lambda call: not call.lead_id and call._may_make_lead())
            )
        if not self.env.su and "outcome_id" in vals:
            for call in self:
                call._plan_by_outcome()
        if not self.env.su and not vals.keys().isdisjoint(CHATTER_FIELDS):
            # sudo: mango.crm.task - follows from a permitted change.
            self.sudo()._update_crm_soon()
        return result

    def _delete_by_age(self):
        """Also delete the lines of these calls in chatters."""
        lines = self.chatter_message_id
        result = super()._delete_by_age()
        lines.unlink()
        return result

    def _update_crm_soon(self):
        """Schedule the processing of those calls that concern the CRM."""
        concerned = self.filtered(
            lambda call: call.state == "ended" and call._concerns_crm()
        )
        self.env["mango.crm.task"]._add(concerned)

    def _may_make_lead(self):
        if self.direction != "inbound" or not self.client_number:
            return False
        return self.account_id._makes_leads() and not self._is_history()

    def _has_made_lead(self):
        """Tell whether the lead may be one that the rules have created of this call.

        :rtype: bool
        """
        is_automatic = bool(self.lead_id) and not self.lead_is_manual
        return is_automatic and self.account_id._makes_leads()

    def _is_history(self):
        """Tell whether the call became known too late to matter to the CRM.

        :rtype: bool
        """
        if not self.started_at:
            return True
        return self.create_date - self.started_at > self.account_id._crm_max_age()

    def _update_crm(self):
        """Process calls of one number in the CRM; idempotent."""
        self.env["mango.client.lead"]._make_leads(self)
        for call in self:
            if call.state == "ended" and call._has_chatter_line():
                with call._locked() as locked:
                    locked.env["mango.chatter.line"]._update_line(locked)

    # ------------------------------------------------------------
    # Source
    # ------------------------------------------------------------

    def _prepare_vals(self, state, extensions):
        vals = super()._prepare_vals(state, extensions)
        if state.tracking:
            vals |= {
                "dct_type": state.tracking.kind,
                "dct_number": state.tracking.number,
            }
        line_id = vals["direction"] == "inbound" and vals["line_id"]
        before = self.direction == "inbound" and self.line_id.id
        # A past call keeps its source, even if the line's settings change.
        if line_id != before and self.visitor_state != "known":
            vals |= self.env["mango.line"].browse(line_id or ())._utm_vals()
        return vals

    def _awaits_visitor(self):
        """Tell whether to ask the PBX for the site's visitor who is calling, once.

        The PBX only knows the present visitors.

        :rtype: bool
        """
        return (
            self.dct_type == "dynamic"
            and not self.visitor_state
            and self.state != "ended"
            and not self.env.context.get("mango_quiet")
            and self.account_id.tracking_enabled
        )

    def _visitor_question(self):
        """Return a function that asks the PBX for the visitor.

        :return: to be called outside of any transaction; None if requests are not
            possible now.
        :rtype: Callable | None
        """
        account = self.account_id
        if self.visitor_state != "asked":
            return None
        is_late = fields.Datetime.now() - self.create_date > PRESENT_TIME
        if is_late or not account.is_connected or not account._may_request():
            self._store_visitor("failed")
            return None
        return partial(account._client().visitor, self.dct_number)

    def _record_visitor_answer(self, error):
        """Let the circuit breaker know how the request went.

        :param error: as for :meth:`_on_visitor_answer`.
        :type error: VpbxError | None
        """
        # Call tracking is an option: without it, callers are routed all the same.
        if is_hopeless(error) or not is_trouble(error):
            self.account_id._record_answer(error)

    def _on_visitor_answer(self, visitor, error):
        """Store the PBX's information about the visitor.

        :param visitor: None if unknown.
        :type visitor: Visitor | None
        :param error: the error of the request; None if it succeeded.
        :type error: VpbxError | None
        """
        if not visitor:
            self._store_visitor("failed" if error else "unknown")
            return
        found = in_own_transaction(
            self.env, lambda own: find_utm(own, visitor), "mango_office/utm"
        )
        # The line supplies what the visitor's channel lacks.
        known = {name: value for name, value in found.items() if value}
        self._store_visitor("known", visitor_page=visitor.page, **known)

    def _store_visitor(self, state, **vals):
        with self._locked() as call:
            call.write({"visitor_state": state, **vals})
            # The lead may have been created before the answer.
            made = call.env["mango.client.lead"].search([("call_id", "=", call.id)])
            for row in made:
                row._update_lead(call)
            call._notify_participants()

    # ------------------------------------------------------------
    # Leads
    # ------------------------------------------------------------

    def _prepare_source_vals(self):
        return {name: self[name].id for name in UTM_FIELDS if self[name]}

    def _prepare_lead_vals(self):
        """Pass the source of the first call on to a new lead."""
        return {**super()._prepare_lead_vals(), **self._prepare_source_vals()}

    def _link_lead(self, lead_id):
        """Link a call to the lead that it has created or belongs to.

        :param int lead_id: the lead.
        """
        with self._locked() as call:
            lead = call.env["crm.lead"].browse(lead_id).exists()
            if not lead or call.lead_id or call.lead_is_manual:
                return
            call.with_context(tracking_disable=True).lead_id = lead
            call._on_lead_linked()

    def _on_lead_linked(self):
        """Handle the consequences of a lead that was linked automatically."""
        self._follow_client()
        self._notify_participants()
        if self.state == "ended":
            self._on_ended()

    def _attach_earlier(self, partner):
        earlier = super()._attach_earlier(partner)
        earlier._update_crm_soon()
        return earlier

    def choose_lead(self, lead_id):
        """Register the lead, so that the rules do not create a second one."""
        result = super().choose_lead(lead_id)
        if self.client_number:
            # sudo: mango.client.lead - internal record of each client's lead.
            rows_sudo = self.env["mango.client.lead"].sudo()
            client, _lead = rows_sudo._client(self.sudo())
            row_sudo = rows_sudo._claim(client)
            if not row_sudo._open_lead():
                row_sudo.write({"lead_id": lead_id, "call_id": False})
        return result

    def _prepare_rule_lead_vals(self, partner):
        """Return the values of a lead created from the call.

        :param res.partner partner: the client; empty if unknown.
        :rtype: dict
        """
        line = self.line_id
        vals = {
            **self._prepare_lead_vals(),
            **{name: self[name].id for name in UTM_FIELDS},
            "tag_ids": line.tag_ids.ids,
            "partner_id": partner.id,
            "user_id": self._lead_salesperson(partner).id,
            "company_id": self.company_id.id,
        }
        # Without a team, Odoo chooses the salesperson's.
        vals.pop("team_id", None)
        if team := self._lead_team():
            vals["team_id"] = team.id
        return vals

    def _lead_team(self):
        """Return the line's sales team, if it can have leads of the call's company.

        :rtype: crm.team
        """
        team = self.line_id.team_id
        is_ours = team.company_id in (self.company_id, self.env["res.company"])
        return team if team.active and is_ours else team.browse()

    def _lead_salesperson(self, partner):
        """Return the salesperson of a new lead; empty leaves the choice to Odoo.

        :rtype: res.users
        """
        choice = self.account_id.lead_salesperson
        users = self.env["res.users"]
        if choice == "answered":
            if self.answered_at:
                users |= self.user_id
            users |= self.env["mango.caller.lookup"]._owners(
                partner, self.env["crm.lead"]
            )
        if choice in ("answered", "line"):
            users |= self.line_id.user_id
        return users.filtered(
            lambda user: user.active and self.company_id in user.company_ids
        )[:1]

    # ------------------------------------------------------------
    # Business with the client
    # ------------------------------------------------------------

    def action_view_today(self):
        """Open the other calls with the client of today."""
        self.ensure_one()
        self.check_access("read")
        partner = self.partner_id._filtered_access("read")
        content = self.env["mango.card.content"]
        return self._action_of(content._others_of_today(self, partner))

    def action_view_overdue(self):
        """Open the overdue invoices of the client."""
        self.ensure_one()
        self.check_access("read")
        business = self.env["mango.client.business"]
        partner = self.partner_id._filtered_access("read")
        if not partner or business._readable("account.move") is None:
            raise UserError(self.env._("There are no invoices that you may see."))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Overdue Invoices"),
            "res_model": "account.move",
            "views": [(False, "list"), (False, "form")],
            "domain": list(business._is_overdue(partner, self.company_id)),
            "context": {"create": False},
        }

    def get_meeting_defaults(self):
        """Return the default values of a meeting with the client.

        :return: a context for the form.
        :rtype: dict
        """
        self.ensure_one()
        self.check_access("read")
        partner = self.partner_id._filtered_access("read")
        lead = self.lead_id._filtered_access("read")
        return {
            "default_name": lead.name or partner.name or self._client_name(),
            "default_partner_ids": (self.env.user.partner_id | partner).ids,
            # As Odoo's own button does: a lead becomes an opportunity first.
            "default_opportunity_id": lead.type == "opportunity" and lead.id,
        }

    def _may_quote(self):
        """Tell whether the app Sales is installed and the user may write quotations.

        :rtype: bool
        """
        return "sale.order" in self.env and self.env["sale.order"].has_access("create")

    def get_quotation_defaults(self):
        """Return the default values of a quotation for the client.

        :return: a context for the form.
        :rtype: dict
        :raise UserError: if the client is unknown, or the user may not write one.
        """
        self.ensure_one()
        self.check_access("read")
        partner = self.partner_id._filtered_access("read")
        if not partner or not self._may_quote():
            raise UserError(self.env._("You cannot write a quotation for this call."))
        vals = {"partner_id": partner.id, **self._prepare_source_vals()}
        lead = self.lead_id._filtered_access("read")
        if lead and "opportunity_id" in self.env["sale.order"]._fields:
            vals |= {"opportunity_id": lead.id, "origin": lead.name}
        return {f"default_{name}": value for name, value in vals.items()}

    # ------------------------------------------------------------
    # Blocking
    # ------------------------------------------------------------

    @api.depends_context("uid")
    @api.depends("client_number", "direction", "account_id")
    def _compute_may_block_number(self):
        for call in self:
            call.may_block_number = call._may_block_number()

    def _may_block_number(self):
        """Tell whether the user may block the client's number.

        :rtype: bool
        """
        if self.direction == "internal" or not self.client_number:
            return False
        is_supervisor = self.env.user.has_group("mango_office.group_supervisor")
        return is_supervisor or self.account_id.block_by_users

    def _check_may_block_number(self):
        self.ensure_one()
        self.check_access("write")
        if not self._may_block_number():
            raise AccessError(self.env._("You are not allowed to block this number."))

    def action_block_number(self):
        """Ask for the reason to block the client's number."""
        self._check_may_block_number()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Block This Number"),
            "res_model": "mango.number.block",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_call_id": self.id},
        }

    def _block_number(self, reason):
        """Put the client's number on the PBX's black list.

        :param str reason: shown in the list.
        :raise UserError: if the PBX refuses.
        """
        self._check_may_block_number()
        # sudo: mango.blocked.number - only created by blocking, which was checked.
        self.env["mango.blocked.number"].sudo()._block(self, reason)

    def _on_blocked(self):
        """Review the leads that were created from calls of a blocked number."""
        made = self.env["mango.client.lead"].search(
            [("lead_id", "in", self.lead_id.ids)]
        )
        (self | made.call_id)._update_crm_soon()

    # ------------------------------------------------------------
    # Outcome
    # ------------------------------------------------------------

    @api.model
    def _correctable_fields(self):
        return super()._correctable_fields() | {"outcome_id"}

    def _may_have_outcome(self):
        """Tell whether the call may have an outcome: a talk, or an attempt of ours.

        :rtype: bool
        """
        if self.direction == "internal":
            return False
        is_try = self.direction == "outbound" and self.state == "ended"
        return bool(self.answered_at) or is_try

    def _needs_outcome(self):
        """Tell whether the user has to choose the outcome of the call.

        :rtype: bool
        """
        return (
            self.state == "ended"
            and self.result == "answered"
            and self.direction != "internal"
            and self.user_id == self.env.user
            and not self.outcome_id
            and self.account_id.outcome_required
        )

    def choose_outcome(self, outcome_id):
        """Set the outcome of the call.

        :param outcome_id: the ``mango.call.outcome``; False removes it.
        :type outcome_id: int | bool
        """
        self.ensure_one()
        self.check_access("write")
        with self._locked() as call:
            outcomes = call.env["mango.call.outcome"]
            call.outcome_id = outcomes.browse(outcome_id or ()).exists()
            call._notify_participants()

    def close_card(self):
        """Close the user's card, if the outcome was chosen.

        :raise UserError: if it has to be chosen first.
        """
        self.ensure_one()
        self.check_access("read")
        if self._needs_outcome():
            raise UserError(self.env._("Choose the outcome of the call first."))
        return super().close_card()

    def _plan_by_outcome(self):
        """Plan the outcome's activity, replacing that of an earlier one."""
        # sudo: mango.call, mail.activity - follows from an outcome that the user may
        # choose, planned for themselves.
        call_sudo = self.sudo()
        call_sudo.outcome_activity_id.filtered("active").unlink()
        activity_type = call_sudo.outcome_id.activity_type_id
        if not activity_type:
            return
        clients = [
            client
            for client in (self.lead_id, self.partner_id, self)
            if client._filtered_access("read")
            and activity_type.res_model in (False, client._name)
        ]
        if not clients:
            return
        call_sudo.outcome_activity_id = (
            clients[0]
            .sudo()
            .activity_schedule(
                activity_type_id=activity_type.id,
                date_deadline=activity_type._get_date_deadline(),
                summary=activity_type.summary or call_sudo.outcome_id.name,
                user_id=self.env.uid,
            )
        )
