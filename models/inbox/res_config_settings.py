from odoo import api, fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    mango_webhook_url = fields.Char(
        string="Webhook Address", compute="_compute_mango_webhook_url"
    )
    mango_last_event_at = fields.Datetime(related="mango_account_id.last_event_at")
    mango_failed_event_count = fields.Integer(
        related="mango_account_id.failed_event_count"
    )

    @api.depends("company_id")
    def _compute_mango_webhook_url(self):
        for settings in self:
            account = settings.company_id.mango_account_id
            settings.mango_webhook_url = (
                account or self.env["mango.account"].new()
            ).webhook_url

    def action_mango_view_failed_events(self):
        """Open the notifications that could not be applied."""
        return self._mango_account().action_view_failed_events()
