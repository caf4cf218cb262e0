from odoo import api, fields, models


class ResUsersSettings(models.Model):
    """Availability for routed calls.

    Stored here and not on the user: every call refers to its users, and a notification
    fails if the row of one of them was written meanwhile.
    """

    _inherit = "res.users.settings"

    mango_status = fields.Selection(
        [
            ("available", "Available"),
            ("dnd", "Do Not Disturb"),
            ("away", "Away"),
        ],
        required=True,
        default="available",
    )
    mango_away_until = fields.Datetime()

    @api.model
    def _get_fields_blacklist(self):
        return [
            *super()._get_fields_blacklist(),
            "mango_status",
            "mango_away_until",
        ]
