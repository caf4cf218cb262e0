import logging
from collections import Counter

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ...tools.locking import is_connection_lost

_logger = logging.getLogger(__name__)

BATCH_SIZE = 2000
#: After this many failures a call is only processed with the client's next one.
MAX_ATTEMPTS = 5


class MangoCallbackTask(models.Model):
    """An ended call that may change the clients to call back.

    Stored in the transaction that ends the call, and processed by a cron that this
    triggers: the webhook does not wait, nothing is lost if a server dies, and
    simultaneous calls of one client are processed once.
    """

    _name = "mango.callback.task"
    _description = "Call to Process for Call Backs"
    _order = "id"
    _rec_name = "call_id"

    call_id = fields.Many2one(
        "mango.call", required=True, readonly=True, index=True, ondelete="cascade"
    )
    attempts = fields.Integer(readonly=True, default=0)

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
        cron = self.env.ref("mango_office.ir_cron_callbacks", raise_if_not_found=False)
        if added and cron:
            # sudo: ir.cron - waking our own cron.
            cron.sudo()._trigger()

    @api.model
    def _work_off(self):
        """Cron: update the entries of all clients whose calls have ended."""
        cron = self.env["ir.cron"]
        domain = Domain("attempts", "<", MAX_ATTEMPTS)
        cron._commit_progress(remaining=self.search_count(domain))
        last_id = 0
        # Each once: a failed task waits for the next run.
        while tasks := self.search(
            domain & Domain("id", ">", last_id), order="id", limit=BATCH_SIZE
        ):
            last_id = tasks.ids[-1]
            if not tasks._work_off_batch():
                return

    def _work_off_batch(self):
        """Update the entries of the clients of these tasks.

        The work is committed client by client, because a run may end after any of them.

        :return: whether there is time left.
        :rtype: bool
        """
        tasks_of = self.grouped("call_id")
        clients = self.env["mango.callback"]._clients_of(self.call_id)
        # A call may matter to several clients.
        waiting = Counter(call for calls in clients.values() for call in calls)
        for client, calls in clients.items():
            done = self.browse()
            if _apply(client, calls):
                waiting.subtract(calls)
                finished = calls.filtered(lambda call: not waiting[call])
                done = done.concat(*(tasks_of[call] for call in finished))
            else:
                for call in calls:
                    for task in tasks_of[call]:
                        task.attempts += 1
            done.unlink()
            if not self.env["ir.cron"]._commit_progress(len(done)):
                return False
        return True


def _apply(client, calls):
    """Update the entries of one client.

    :return: whether it succeeded.
    :rtype: bool
    """
    try:
        client.apply(calls)
    except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
        _logger.info("the entry of a missed client is being written concurrently")
    except Exception as error:
        if is_connection_lost(error):
            raise  # And so is this run.
        _logger.exception("the clients to call back could not be computed")
    else:
        return True
    return False
