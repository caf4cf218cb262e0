from odoo import models
from odoo.fields import Domain


class CrmLead(models.Model):
    _inherit = "crm.lead"

    def _merge_dependences(self, opportunities):
        """Let the next calls of merged leads' clients belong to the lead that stays."""
        result = super()._merge_dependences(opportunities)
        # sudo: mango.client.lead - follows from a permitted merge.
        rows_sudo = self.env["mango.client.lead"].sudo()
        moved_sudo = rows_sudo.search(Domain("lead_id", "in", opportunities.ids))
        # The lead does not stem from a single call any more.
        moved_sudo.write({"lead_id": self.id, "call_id": False})
        return result
