from functools import partial

from odoo import api, fields, models
from odoo.tools import SQL


class MangoCallbackTask(models.Model):
    """An ended call that may change the clients to call back."""

    _name = "mango.callback.task"
    _inherit = "mango.call.task"
    _description = "Call to Process for Call Backs"

    _cron = "mango_office.ir_cron_callbacks"
    _batch_size = 2000

    @api.model
    def _add(self, calls):
        """Schedule the update of the clients of some calls.

        An old call matters only if there is an entry that is open or was closed later.

        :param mango.call calls: that have ended.
        """
        calls = calls.filtered(lambda call: call.client_number and call.started_at)
        if not calls:
            return
        calls.flush_recordset(["account_id", "started_at"])
        calls.account_id.flush_recordset(["callback_enabled", "callback_max_age_hours"])
        added = self.env.execute_query(
            SQL(
                """
                INSERT INTO mango_callback_task
                    (call_id, attempts, create_uid, write_uid, create_date, write_date)
                SELECT call.id, 0, %(uid)s, %(uid)s, %(now)s, %(now)s
                  FROM mango_call AS call
                  JOIN mango_account AS account ON account.id = call.account_id
                 WHERE call.id IN %(ids)s
                   AND account.callback_enabled
                   AND (call.started_at >= %(now)s
                            - make_interval(hours => account.callback_max_age_hours)
                        OR EXISTS (
                            SELECT FROM mango_callback AS entry
                             WHERE entry.account_id = call.account_id
                               AND (entry.state = 'open'
                                    OR entry.closed_at >= call.started_at)))
                RETURNING id
                """,
                ids=tuple(calls.ids),
                uid=self.env.uid,
                now=fields.Datetime.now(),
            )
        )
        if added:
            self._trigger_cron()

    def _jobs(self):
        """Update the entries of each client."""
        clients = self.env["mango.callback"]._clients_of(self.call_id)
        return [
            (calls, partial(client.apply, calls)) for client, calls in clients.items()
        ]
