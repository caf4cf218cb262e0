from odoo import api, fields, models
from odoo.fields import Domain


class CrmLead(models.Model):
    _inherit = "crm.lead"

    mango_is_waiting = fields.Boolean(
        string="Waiting for a Call Back",
        compute="_compute_mango_is_waiting",
        groups="mango_office.group_user",
    )

    def _merge_dependences(self, opportunities):
        """Move the waiting clients of merged leads."""
        result = super()._merge_dependences(opportunities)
        # sudo: mango.callback - follows from a permitted merge.
        callbacks_sudo = self.env["mango.callback"].sudo()
        moved_sudo = callbacks_sudo.search(Domain("lead_id", "in", opportunities.ids))
        moved_sudo.with_context(tracking_disable=True).lead_id = self
        return result

    @api.depends_context("allowed_company_ids")
    def _compute_mango_is_waiting(self):
        # sudo: mango.callback - readers of the lead may know that its client waits for
        # one of their companies.
        waiting = (
            self.env["mango.callback"]
            .sudo()
            .search_fetch(
                Domain("state", "=", "open")
                & Domain("company_id", "in", self.env.companies.ids)
                & (
                    Domain("lead_id", "in", self.ids)
                    | Domain("partner_id", "in", self.partner_id.ids)
                ),
                ["lead_id", "partner_id"],
            )
        )
        for lead in self:
            lead.mango_is_waiting = (
                lead in waiting.lead_id or lead.partner_id in waiting.partner_id
            )
