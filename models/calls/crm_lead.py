from odoo import fields, models
from odoo.fields import Domain


class CrmLead(models.Model):
    _inherit = "crm.lead"

    mango_call_ids = fields.One2many(
        "mango.call", "lead_id", string="Calls", groups="mango_office.group_user"
    )
    mango_call_count = fields.Integer(
        string="Number of Calls",
        compute="_compute_mango_call_count",
        groups="mango_office.group_user",
    )

    def _compute_mango_call_count(self):
        rows = self.env["mango.call"]._read_group(
            Domain("lead_id", "in", self.ids), ["lead_id"], ["__count"]
        )
        count_by_lead = dict(rows)
        for lead in self:
            lead.mango_call_count = count_by_lead.get(lead, 0)

    def _merge_dependences(self, opportunities):
        """Move the calls of merged leads; the database would detach them."""
        result = super()._merge_dependences(opportunities)
        # sudo: mango.call - follows from a permitted merge.
        calls_sudo = self.env["mango.call"].sudo()
        moved_sudo = calls_sudo.search(Domain("lead_id", "in", opportunities.ids))
        moved_sudo.with_context(tracking_disable=True).lead_id = self
        moved_sudo._follow_client()
        return result

    def action_view_mango_calls(self):
        """Open the calls that belong to the lead."""
        self.ensure_one()
        return self.env["mango.call"]._action_of(Domain("lead_id", "=", self.id))
