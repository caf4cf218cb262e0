from odoo import api, fields, models
from odoo.fields import Command

from .mango_recording_fetch import DELAYS, QUEUE_LOCK
from .transaction import in_own_transaction


class MangoRecording(models.Model):
    """How recordings are asked for, and who is told what becomes of them."""

    _inherit = "mango.recording"

    def _is_fetchable(self):
        """Tell whether there is something to ask the PBX for.

        :rtype: bool
        """
        return self.is_at_pbx and self.state in ("announced", "failed")

    def _ask_for(self):
        """Request these recordings for the user, who has been found to be allowed to.

        In a transaction of its own, so that several people who ask at once do not get
        into each other's way.

        :return: how many of them are on their way.
        :rtype: int
        """
        ids, user_id = self.ids, self.env.uid

        def order(env):
            recordings = env["mango.recording"].browse(ids).exists()
            wanted = recordings.filtered(lambda recording: recording._is_fetchable())
            wanted._request()
            waiting = recordings.filtered(lambda one: one.state == "requested")
            waiting.requester_ids = [Command.link(user_id)]
            waiting.filtered("is_automatic")._hurry()
            wanted._notify()
            return len(waiting)

        count = in_own_transaction(self.env, QUEUE_LOCK, order)
        self.env.invalidate_all()
        return count

    def _request(self, is_automatic=False):
        """Put these recordings into the queue, and wake the cron that empties it.

        :param bool is_automatic: nobody waits for them.
        """
        if not self:
            return
        now = fields.Datetime.now()
        self.write(
            {
                "state": "requested",
                "requested_at": now,
                "next_fetch_at": now,
                "is_automatic": is_automatic,
                "attempts": 0,
                "lease": False,
                "leased_until": False,
                "error": False,
            }
        )
        self._wake_cron()

    def _hurry(self):
        """Fetch what was requested automatically for somebody who waits now."""
        if self:
            self.is_automatic = False
            self._fetch_soon()

    def _fetch_soon(self):
        """Do not wait for the next attempt's time."""
        self.next_fetch_at = fields.Datetime.now()
        self._wake_cron()

    def _put_off(self):
        """Wait for the PBX to say that the recordings are there; not for ever."""
        if self:
            self.next_fetch_at = fields.Datetime.now() + DELAYS[0]
            self._wake_cron(self[0].next_fetch_at)

    @api.model
    def _wake_cron(self, at=None):
        # sudo: ir.cron - waking our own cron.
        self.env.ref("mango_office.ir_cron_fetch_recordings").sudo()._trigger(at)

    def _notify(self):
        """Tell whoever sees the calls of these recordings that they have changed."""
        for call in self.call_id:
            call._notify_participants()
            # sudo: res.users - who asked for a recording could read the call.
            recordings_sudo = self.sudo() & call.sudo().recording_ids
            waiting_sudo = recordings_sudo.requester_ids - call.sudo().user_ids
            waiting_sudo.filtered("active")._bus_send(
                "mango_office/call", call._bus_payload()
            )
