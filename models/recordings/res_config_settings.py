from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    mango_recording_mode = fields.Selection(
        related="mango_account_id.recording_mode", readonly=False
    )
    mango_recording_only_answered = fields.Boolean(
        related="mango_account_id.recording_only_answered", readonly=False
    )
    mango_recording_min_duration = fields.Integer(
        related="mango_account_id.recording_min_duration", readonly=False
    )
    mango_recording_extension_ids = fields.Many2many(
        related="mango_account_id.recording_extension_ids", readonly=False
    )
    mango_recording_retention_days = fields.Integer(
        related="mango_account_id.recording_retention_days", readonly=False
    )
    mango_call_retention_days = fields.Integer(
        related="mango_account_id.call_retention_days", readonly=False
    )
    mango_recording_disk_usage = fields.Char(
        related="mango_account_id.recording_disk_usage"
    )
