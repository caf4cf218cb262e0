from odoo import api, models


class MangoCallPresence(models.Model):
    _inherit = "mango.call.presence"

    @api.model
    def _figures(self):
        user = self.env.user
        return {
            **super()._figures(),
            "missed_count": user._mango_waiting_count(),
            "planned_count": user._mango_planned_count(),
        }
