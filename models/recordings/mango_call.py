from odoo import api, fields, models
from odoo.tools import SQL

from .mango_recording import STATES


class MangoCall(models.Model):
    """The recordings of a call."""

    _inherit = "mango.call"

    recording_ids = fields.One2many(
        "mango.recording", "call_id", string="Recordings", readonly=True
    )
    recording_state = fields.Selection(
        [("none", "None"), *STATES],
        string="Recording",
        compute="_compute_recording_state",
        store=True,
        readonly=True,
    )
    recording_error = fields.Char(compute="_compute_recording_error")
    # Most calls have no recording; searches are for those that do.
    _recording_idx = models.Index(
        "(recording_state, started_at DESC) WHERE recording_state != 'none'"
    )

    @api.model
    def _prepare_initial_vals(self):
        return {**super()._prepare_initial_vals(), "recording_state": "none"}

    def _on_changed(self, state, extensions):
        changed = super()._on_changed(state, extensions)
        recordings = self.env["mango.recording"]
        return (
            recordings._update_recordings(self, state.recordings, extensions) or changed
        )

    def _participant_queries(self):
        return [
            *super()._participant_queries(),
            SQL(
                "SELECT call_id, user_id FROM mango_recording WHERE call_id = ANY(%s)",
                self.ids,
                to_flush=self.env["mango.recording"]._fields["user_id"],
            ),
        ]

    def _update_sealed(self, state):
        """Update the recordings, which may be announced long after the call."""
        extensions = self.env["mango.extension"]._by_number(
            self.account_id, {recording.extension for recording in state.recordings}
        )
        if self.env["mango.recording"]._update_recordings(
            self, state.recordings, extensions
        ):
            self._update_participants()
            self._notify_participants()
        return super()._update_sealed(state)

    @api.depends("recording_ids.state")
    def _compute_recording_state(self):
        for call in self:
            found = set(call.recording_ids.mapped("state"))
            call.recording_state = next(
                (state for state, _label in STATES if state in found), "none"
            )

    @api.depends("recording_ids.error", "recording_ids.state")
    def _compute_recording_error(self):
        for call in self:
            errors = call.recording_ids.mapped("error")
            call.recording_error = next(filter(None, errors), False)

    def get_recordings(self):
        """Return the recordings of this call as shown in the player.

        :return: for each recording its ``id``, ``state``, ``employee``, ``duration``
            (seconds), ``size`` (bytes), ``mimetype``, ``error``, ``can_request``,
            ``can_download``, ``can_delete`` and ``keep``.
        :rtype: list[dict]
        """
        self.ensure_one()
        self.check_access("read")
        return [
            {
                "id": recording.id,
                "state": recording.state,
                "employee": recording._employee_name(),
                "duration": recording.duration,
                "size": recording.size,
                "mimetype": recording.mimetype or "",
                "error": recording.error or "",
                "can_request": recording._is_fetchable(),
                "can_download": recording.can_download,
                "can_delete": recording.can_delete,
                "keep": recording.keep,
            }
            for recording in self.recording_ids
        ]

    def action_request_recordings(self):
        """Request the recordings of these calls, and report how many will come."""
        self.check_access("read")
        count = self.recording_ids._ask_for()
        if count:
            message = self.env._("Recordings on their way: %(count)s.", count=count)
        else:
            message = self.env._("These calls have no recording that can be requested.")
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": message,
                "type": "info" if count else "warning",
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    # ------------------------------------------------------------
    # Deleting
    # ------------------------------------------------------------

    def unlink(self):
        """Also delete the recordings' files, which the cascade leaves behind."""
        # sudo: mango.recording - deleted with their call.
        self.sudo().recording_ids.unlink()
        return super().unlink()

    def _delete_by_age(self):
        """Delete these calls with all their notifications."""
        self.env.execute_query(
            SQL(
                """
                DELETE FROM mango_event AS event
                      USING mango_call AS call
                      WHERE call.id = ANY(%s)
                        AND event.account_id = call.account_id
                        AND event.entry_id = call.entry_id
                  RETURNING event.id
                """,
                self.ids,
            )
        )
        self.env["mango.event"].invalidate_model()
        self.unlink()
