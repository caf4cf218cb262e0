from odoo import models


class MangoTimeline(models.AbstractModel):
    """Who hung up in Odoo, on the way of a call."""

    _inherit = "mango.timeline"

    def _reason(self, leg):
        return leg.call_id._hang_up_words(leg) or super()._reason(leg)
