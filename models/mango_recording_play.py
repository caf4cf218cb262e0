from odoo import api, fields, models


class MangoRecordingPlay(models.Model):
    """Who listened to a recording, and when."""

    _name = "mango.recording.play"
    _description = "Play of a Recording"
    _order = "id desc"
    _rec_name = "user_id"

    recording_id = fields.Many2one(
        "mango.recording", required=True, readonly=True, index=True, ondelete="cascade"
    )
    user_id = fields.Many2one(
        "res.users", required=True, readonly=True, index=True, ondelete="cascade"
    )
    kind = fields.Selection(
        [("play", "Played"), ("download", "Downloaded")], required=True, readonly=True
    )
    played_at = fields.Datetime(string="When", required=True, readonly=True)

    @api.model
    def _log(self, recordings, kind):
        """Note that the user listens to recordings; once for what is one listening."""
        raise NotImplementedError
