from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    mango_last_sync_at = fields.Datetime(related="mango_account_id.last_sync_at")
    mango_history_days = fields.Integer(
        related="mango_account_id.history_days", readonly=False
    )
    mango_event_retention_days = fields.Integer(
        related="mango_account_id.event_retention_days", readonly=False
    )

    def action_mango_fetch_history(self):
        """Ask for the period to fetch from the company's PBX."""
        return self._mango_account().action_fetch_history()

    def action_mango_view_history(self):
        """Open the imports of the company's PBX."""
        return self._mango_account().action_view_history()
