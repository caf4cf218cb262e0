from odoo import models

from ...tools.caches import clear_caches


class MangoGroup(models.Model):
    """Groups as targets of the routing plan."""

    _inherit = "mango.group"

    def write(self, vals):
        result = super().write(vals)
        if not vals.keys().isdisjoint({"active", "number"}):
            clear_caches(self.env)  # MangoAccount._route_plan
        return result
