import logging
from collections import Counter

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ...tools.locking import is_connection_lost

_logger = logging.getLogger(__name__)

#: After this many failures a call is only processed when it is added again.
MAX_ATTEMPTS = 5


class MangoCallTask(models.AbstractModel):
    """A queue of calls to process after the transaction that has changed them.

    A task is stored in that transaction, and processed by a cron that this triggers:
    the webhook does not wait, nothing is lost if a server dies, and simultaneous calls
    of one client are processed together.
    """

    _name = "mango.call.task"
    _description = "Call to Process"
    _order = "id"
    _rec_name = "call_id"

    #: The external ID of the cron.
    _cron = ""
    _batch_size = 500

    call_id = fields.Many2one(
        "mango.call", required=True, readonly=True, index=True, ondelete="cascade"
    )
    attempts = fields.Integer(readonly=True, default=0)

    @api.model
    def _add(self, calls):
        """Schedule the processing of calls.

        :param mango.call calls: the calls to process.
        """
        if calls:
            self.create([{"call_id": call.id} for call in calls])
            self._trigger_cron()

    @api.model
    def _trigger_cron(self):
        """Wake the cron; in a batch, its end does."""
        cron = self.env.ref(self._cron, raise_if_not_found=False)
        if cron and not self.env.context.get("mango_batch"):
            # sudo: ir.cron - triggers our own cron.
            cron.sudo()._trigger()

    @api.model
    def _end_batch(self):
        """Wake the crons, after adding calls with ``mango_batch`` in the context."""
        for name in self.pool.descendants([self._name], "_inherit") - {self._name}:
            queue = self.env[name]
            if queue.search_count(Domain("attempts", "=", 0), limit=1):
                queue._trigger_cron()

    @api.model
    def _work_off(self):
        """Cron: process all calls."""
        domain = Domain("attempts", "<", MAX_ATTEMPTS)
        self.env["ir.cron"]._commit_progress(remaining=self.search_count(domain))
        last_id = 0
        # Each once: a failed task waits for the next run.
        while tasks := self.search(
            domain & Domain("id", ">", last_id), order="id", limit=self._batch_size
        ):
            last_id = tasks.ids[-1]
            if not tasks._work_off_batch():
                return

    def _work_off_batch(self):
        """Process the calls of these tasks.

        Each job is committed, because the time of a run may end after any of them.

        :return: whether there is time left.
        :rtype: bool
        """
        tasks_of = self.grouped("call_id")
        jobs = self._jobs()
        # A call may be part of several jobs.
        waiting = Counter(call for calls, _process in jobs for call in calls)
        for calls, process in jobs:
            if succeeded := self._attempt(process):
                waiting.subtract(calls)
                calls = calls.filtered(lambda call: not waiting[call])
            tasks = self.browse().concat(*(tasks_of[call] for call in calls))
            count = len(tasks)
            if succeeded:
                tasks.unlink()
            else:
                for task in tasks:
                    task.attempts += 1
            if not self.env["ir.cron"]._commit_progress(count):
                return False
        return True

    def _jobs(self):
        """Return what to do for these tasks.

        To be implemented; each job has transactions of its own.

        :return: the calls of each job, and the function that processes them.
        :rtype: list[tuple[mango.call, Callable]]
        """
        raise NotImplementedError

    @api.model
    def _attempt(self, process):
        """Run a job.

        :param Callable process: of :meth:`_jobs`.
        :return: whether it succeeded.
        :rtype: bool
        """
        try:
            process()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            _logger.info("%s: concurrent update, retrying later", self._name)
        except Exception as error:
            if is_connection_lost(error):
                raise  # And so is this run.
            _logger.exception("%s: a call could not be processed", self._name)
        else:
            return True
        return False
