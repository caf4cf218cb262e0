from odoo import models


class MangoTimeline(models.AbstractModel):
    """Add to the course of a call who hung up in Odoo."""

    _inherit = "mango.timeline"

    def _reason(self, leg):
        return leg.call_id._hang_up_words(leg) or super()._reason(leg)
