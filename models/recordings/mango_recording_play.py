from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

#: The player reports the start of a play; the server also sees file requests.
PLAY_MERGE = timedelta(minutes=1)


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
    _recent_idx = models.Index("(recording_id, user_id, played_at DESC)")

    @api.model
    def _log(self, recordings, kind, merge):
        """Log plays of recordings by the user, merging repeated requests.

        :param mango.recording recordings: those that the user may read.
        :param str kind: ``play`` or ``download``.
        :param timedelta merge: requests of the same kind within this time belong to one
            play.
        """
        now = fields.Datetime.now()
        self.env.execute_query(
            SQL(
                """
                INSERT INTO mango_recording_play
                    (recording_id, user_id, kind, played_at,
                     create_uid, write_uid, create_date, write_date)
                     SELECT recording.id, %(uid)s, %(kind)s, %(now)s,
                            %(uid)s, %(uid)s, %(now)s, %(now)s
                       FROM mango_recording AS recording
                      WHERE recording.id = ANY(%(recording_ids)s)
                        AND NOT EXISTS (
                                SELECT 1
                                  FROM mango_recording_play AS play
                                 WHERE play.recording_id = recording.id
                                   AND play.user_id = %(uid)s
                                   AND play.kind = %(kind)s
                                   AND play.played_at > %(since)s
                            )
                  RETURNING id
                """,
                uid=self.env.uid,
                kind=kind,
                now=now,
                since=now - merge,
                recording_ids=recordings.ids,
            )
        )
        # sudo: mango.recording - only supervisors may access the field.
        recordings.sudo().invalidate_recordset(["play_ids"])
