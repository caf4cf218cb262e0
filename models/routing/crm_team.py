from odoo import models

from ...tools.caches import clear_caches


class CrmTeam(models.Model):
    """Sales teams as targets of the routing plan."""

    _inherit = "crm.team"

    def write(self, vals):
        result = super().write(vals)
        if "active" in vals:
            clear_caches(self.env)  # MangoAccount._route_plan
        return result
