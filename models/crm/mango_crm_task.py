import logging

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ...tools.locking import is_connection_lost

_logger = logging.getLogger(__name__)

BATCH_SIZE = 500
#: After this many failures a call is only processed when it changes again.
MAX_ATTEMPTS = 5


class MangoCrmTask(models.Model):
    """A call that the CRM has to process.

    Stored in the transaction in which the call is answered, ends or is corrected, and
    processed by a cron that this triggers: the webhook does not wait, and nothing is
    lost if a server dies.
    """

    _name = "mango.crm.task"
    _description = "Call to Process in the CRM"
    _order = "id"
    _rec_name = "call_id"

    call_id = fields.Many2one(
        "mango.call", required=True, readonly=True, index=True, ondelete="cascade"
    )
    attempts = fields.Integer(readonly=True, default=0)

    @api.model
    def _add(self, calls):
        """Schedule the processing of calls.

        :param mango.call calls: the calls to process.
        """
        if not calls:
            return
        self.create([{"call_id": call.id} for call in calls])
        cron = self.env.ref("mango_office.ir_cron_crm", raise_if_not_found=False)
        if cron:
            # sudo: ir.cron - triggers our own cron.
            cron.sudo()._trigger()

    @api.model
    def _work_off(self):
        """Cron: process calls in the CRM, those of one number together."""
        cron = self.env["ir.cron"]
        domain = Domain("attempts", "<", MAX_ATTEMPTS)
        cron._commit_progress(remaining=self.search_count(domain))
        last_id = 0
        # Each once: a failed task waits for the next run.
        while tasks := self.search(
            domain & Domain("id", ">", last_id), order="id", limit=BATCH_SIZE
        ):
            last_id = tasks.ids[-1]
            of_client = tasks.grouped(
                lambda task: (task.call_id.account_id, task.call_id.client_number)
            )
            for own in of_client.values():
                count = len(own)
                if _do(own.call_id):
                    own.unlink()
                else:
                    for task in own:
                        task.attempts += 1
                # The time of a run may end in the middle of a batch.
                if not cron._commit_progress(count):
                    return


def _do(calls):
    """Process the calls of one number in the CRM.

    :return: whether it succeeded.
    :rtype: bool
    """
    try:
        calls._update_crm()
    except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
        _logger.info("a call is being written concurrently, the CRM processes it later")
    except Exception as error:
        if is_connection_lost(error):
            raise  # And so is this run.
        _logger.exception("the CRM could not process a call")
    else:
        return True
    return False
