from odoo import fields, models


class MangoCall(models.Model):
    """What a call does in the CRM."""

    _inherit = "mango.call"

    # ------------------------------------------------------------
    # When there is something to do
    # ------------------------------------------------------------

    def _on_changed(self, state, extensions):
        changed = super()._on_changed(state, extensions)
        # Who answers has the lead on the card while talking.
        if self.state == "talking" and not self.lead_id and self._may_make_lead():
            self.env["mango.crm.task"]._add(self)
        return changed

    def _on_ended(self):
        result = super()._on_ended()
        concerned = self.filtered(lambda call: call._concerns_crm())
        self.env["mango.crm.task"]._add(concerned)
        return result

    def _concerns_crm(self):
        """Tell whether the CRM has to look at this call, which has ended.

        :rtype: bool
        """
        return self._may_make_lead()

    def _may_make_lead(self):
        if self.direction != "inbound" or not self.client_number:
            return False
        return self.account_id._makes_leads() and not self._is_history()

    def _is_history(self):
        """Tell whether the call became known too late to matter to the CRM.

        :rtype: bool
        """
        if not self.started_at:
            return True
        return self.create_date - self.started_at > self.account_id._crm_max_age()

    def _update_crm(self):
        """Do what these calls of one number have to do in the CRM; idempotent."""
        self.env["mango.client.lead"]._make_leads(self)

    # ------------------------------------------------------------
    # Leads
    # ------------------------------------------------------------

    def _link_lead(self, lead_id):
        """Link a call to the lead that it has made or belongs to.

        :param int lead_id: the lead.
        """
        with self._locked() as call:
            lead = call.env["crm.lead"].browse(lead_id).exists()
            if not lead or call.lead_id or call.lead_is_manual:
                return
            call.with_context(tracking_disable=True).lead_id = lead
            call._on_lead_linked()

    def _on_lead_linked(self):
        """Do what follows from the lead that the machine has found for the call."""
        self._let_owner_in()
        self._notify_participants()
        if self.state == "ended":
            self._on_ended()

    def _create_lead(self):
        """Of several people who make a lead for one client at once, one does."""
        if not self.client_number:
            return super()._create_lead()
        # sudo: mango.client.lead - the machine keeps the lead of each client.
        rows_sudo = self.env["mango.client.lead"].sudo()
        client, _lead = rows_sudo._client(self.sudo())
        row_sudo = rows_sudo._claim(client)
        lead_sudo = row_sudo._open_lead()
        if lead_sudo:
            return lead_sudo.with_env(self.env)
        lead = super()._create_lead()
        row_sudo.write({"lead_id": lead.id, "call_id": False})
        return lead

    def _prepare_rule_lead_vals(self, partner):
        """Return the values of a lead that the rules make from the call.

        :param res.partner partner: the client; empty if unknown.
        :rtype: dict
        """
        line = self.line_id
        vals = {
            **self._prepare_lead_vals(),
            "partner_id": partner.id,
            "user_id": self._lead_salesperson(partner).id,
            "company_id": self.company_id.id,
        }
        if line.team_id:
            vals["team_id"] = line.team_id.id
        if line.tag_ids:
            vals["tag_ids"] = [fields.Command.set(line.tag_ids.ids)]
        return vals

    def _lead_salesperson(self, partner):
        """Return who gets the lead that a call makes; nobody leaves it to Odoo.

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
