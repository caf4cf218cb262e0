from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    """The routing plan of the company's main PBX."""

    _inherit = "res.config.settings"

    mango_route_step_ids = fields.One2many(related="mango_account_id.route_step_ids")
    mango_reroute_enabled = fields.Boolean(
        related="mango_account_id.reroute_enabled", readonly=False
    )

    def action_mango_view_route_steps(self):
        """Open the routing plan of the company's main PBX."""
        return self._mango_account().action_view_route_steps()
