from odoo import api, fields, models


class ResUsersSettings(models.Model):
    _inherit = "res.users.settings"

    # Here, because every call refers to its user: writing to that row would wait for
    # the calls that are being written.
    mango_missed_seen_at = fields.Datetime(
        string="Missed Calls Seen", help="Missed calls up to here were looked at."
    )

    @api.model
    def _get_fields_blacklist(self):
        return [*super()._get_fields_blacklist(), "mango_missed_seen_at"]
