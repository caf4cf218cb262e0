from odoo import fields, models


class MangoAccount(models.Model):
    _inherit = "mango.account"

    routing_enabled = fields.Boolean(
        string="Route Callers to Their Manager",
        default=True,
        tracking=True,
        help="While the greeting plays, tell the PBX to ring the responsible person.",
    )
