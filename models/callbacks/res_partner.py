from odoo import api, fields, models
from odoo.fields import Domain


class ResPartner(models.Model):
    _inherit = "res.partner"

    mango_is_waiting = fields.Boolean(
        string="Waiting for a Call Back",
        compute="_compute_mango_is_waiting",
        groups="mango_office.group_user",
    )

    @api.depends_context("allowed_company_ids")
    def _compute_mango_is_waiting(self):
        # sudo: mango.callback - readers of the contact may know that it waits for one
        # of their companies.
        waiting = (
            self.env["mango.callback"]
            .sudo()
            .search_fetch(
                Domain("state", "=", "open")
                & Domain("company_id", "in", self.env.companies.ids)
                & Domain("partner_id", "in", self.ids),
                ["partner_id"],
            )
            .partner_id
        )
        for partner in self:
            partner.mango_is_waiting = partner in waiting

    @api.ondelete(at_uninstall=False)
    def _unlink_mango_waiting(self):
        """Recompute the entries, whose clients become another contact or a number."""
        keys = [f"contact,{partner.id}" for partner in self]
        # sudo: mango.callback - follows from a permitted deletion.
        callbacks = self.env["mango.callback"].sudo()
        waiting = callbacks.search(
            Domain("state", "=", "open") & Domain("client_key", "in", keys)
        )
        self.env["mango.callback.task"].sudo()._add(waiting.call_ids)
