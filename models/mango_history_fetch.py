import time
from datetime import timedelta, timezone

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..vpbx import errors, statistics
from .mango_gate import is_hopeless, is_trouble
from .mango_history import ACTIVE_STATES, PLANNED_KINDS

#: What is asked for at once: so many calls, of a day, or of more if there are few.
PAGE = 500
FEW = PAGE // 8
MOST_DAYS = 7
#: Between two orders, and two questions whether a report is ready. Odoo counts whole
#: seconds, so it is up to one less; the PBX takes one order in two (mango-api.md 2.6).
ORDER_INTERVAL = timedelta(seconds=3)
POLL_INTERVAL = timedelta(seconds=3)
#: A report that is not ready after so many questions is ordered anew.
MAX_POLLS = 100
#: After so many failures in a row that the PBX's trouble does not explain, it is over.
MAX_ATTEMPTS = 6
RETRY_DELAY = timedelta(minutes=1)
#: Once requests are stopped it takes a person, who wakes the cron.
STOPPED_DELAY = timedelta(minutes=15)
#: How long the cron goes on before others get their turn.
RUN_TIME = timedelta(seconds=40)

#: How far the regular fetch looks back: a call is in the statistics once it is over.
OVERLAP = timedelta(hours=2)
#: Once a day it looks back further: recordings come late.
LONG_OVERLAP = timedelta(days=2)
LEAST_INTERVAL = timedelta(minutes=10)
KEPT_TIME = timedelta(days=30)


class MangoHistory(models.Model):
    """How the statistics are fetched."""

    _inherit = "mango.history"

    # ------------------------------------------------------------
    # What is to be fetched
    # ------------------------------------------------------------

    @api.model
    def _reconcile(self):
        """Cron: order what is due, and go on with everything that is ordered."""
        connected = Domain("api_key", "!=", False) & Domain("api_salt", "!=", False)
        for account in self.env["mango.account"].search(connected):
            self._plan(account)
        self.env["ir.cron"]._commit_progress()
        self._run_queue()

    @api.model
    def _plan(self, account):
        """Order the next period of a PBX, if it is due.

        It begins before the last one ended: calls and recordings come into the
        statistics late.

        :param mango.account account: with code and secret.
        """
        now = fields.Datetime.now()
        planned = Domain("account_id", "=", account.id) & Domain(
            "kind", "in", PLANNED_KINDS
        )
        last = self.search(planned, limit=1)
        if last.state in ACTIVE_STATES or not account._is_proven():
            return
        if last and last.create_date > now - LEAST_INTERVAL:
            return
        synced_at = account.last_sync_at
        if not synced_at:
            date_from = now - timedelta(days=max(account.history_days, 0))
            date_from = min(date_from, now - LEAST_INTERVAL)
            self._start(account, date_from, now, "first")
            return
        of_today = planned & Domain("kind", "in", ("first", "nightly"))
        had_long = self.search_count(
            of_today & Domain("create_date", ">", now - timedelta(days=1)), limit=1
        )
        overlap = OVERLAP if had_long else LONG_OVERLAP
        self._start(
            account, synced_at - overlap, now, "regular" if had_long else "nightly"
        )

    # ------------------------------------------------------------
    # Going on
    # ------------------------------------------------------------

    @api.model
    def _run_queue(self):
        """Go on with the jobs, step by step, each PBX's oldest first."""
        deadline = fields.Datetime.now() + RUN_TIME
        while job := self._next_job():
            now = fields.Datetime.now()
            due_at = max(job.next_at or now, now)
            if due_at >= deadline:
                # Sooner than a cron can be sure to be woken, it goes on at once.
                is_soon = due_at < now + timedelta(minutes=1)
                self._wake_cron(None if is_soon else due_at)
                return
            if due_at > now:
                self.env["ir.cron"]._commit_progress()
                time.sleep((due_at - now).total_seconds())
            job._step()
            self.env["ir.cron"]._commit_progress()

    @api.model
    def _next_job(self):
        """Return the job that is due first; one PBX has one at a time.

        Somebody waits for what a person ordered, so it comes first.

        :rtype: mango.history
        """
        active = self.search(Domain("state", "in", ACTIVE_STATES), order="id")
        by_account = {}
        for job in active.sorted(lambda job: job.kind in PLANNED_KINDS):
            by_account.setdefault(job.account_id, job)
        now = fields.Datetime.now()
        return min(
            by_account.values(),
            key=lambda job: job.next_at or now,
            default=self.browse(),
        )

    def _step(self):
        """Ask the PBX once, and do what follows from its answer.

        Nothing is locked and nothing unsaved while the PBX is asked.
        """
        self.ensure_one()
        account = self.account_id
        if not account._may_request():
            self._wait_for(account)
            return
        try:
            client = account._client()
        except UserError as error:
            self._finish("failed", str(error))
            return
        self.write({"state": "running"})
        key = self.report_key
        order = (*self._window(), PAGE, self.offset)
        self.env["ir.cron"]._commit_progress()
        answer = failure = None
        try:
            with client:
                answer = client.calls(key) if key else client.request_calls(*order)
        except errors.VpbxError as error:
            failure = error
        if failure:
            self._on_failure(failure)
        elif key:
            account._note_answer()
            self._on_report(answer)
        else:
            account._note_answer()
            self._continue(ORDER_INTERVAL, report_key=answer, polls=0)

    def _window(self):
        """Return the period that is asked for now, aware, as the PBX's client takes it.

        :rtype: tuple[datetime, datetime]
        """
        start, end = self.position, self._window_end()
        return start.replace(tzinfo=timezone.utc), end.replace(tzinfo=timezone.utc)

    def _window_end(self):
        return min(self.position + timedelta(days=self.window_days), self.date_to)

    def _continue(self, delay, **vals):
        self.write({**vals, "next_at": fields.Datetime.now() + delay})

    def _wait_for(self, account):
        """Wait until the PBX may be asked again."""
        if account.requests_stopped_reason:
            self._continue(STOPPED_DELAY)
            return
        now = fields.Datetime.now()
        until = account.requests_paused_until or now
        self._continue(max(until - now, RETRY_DELAY))

    # ------------------------------------------------------------
    # Answers
    # ------------------------------------------------------------

    def _on_report(self, report):
        """Go on after an answer to the question for a report.

        :param Report report: pending, lost or complete.
        """
        if report.status == statistics.PENDING and self.polls < MAX_POLLS:
            self._continue(POLL_INTERVAL, polls=self.polls + 1)
        elif report.status != statistics.COMPLETE:
            self._try_again(
                self.env._("The PBX did not finish its statistics."), report_key=False
            )
        else:
            self._take(report)

    def _take(self, report):
        """Take a page in, and turn it over.

        :param Report report: complete.
        """
        counts = self.env["mango.event"]._take_statistics(
            self.account_id, report.entries
        )
        vals = {
            "fetched_count": self.fetched_count + report.row_count,
            "new_count": self.new_count + counts["new"],
            "completed_count": self.completed_count + counts["completed"],
            "recording_count": self.recording_count + counts["recordings"],
            "unreadable_count": self.unreadable_count
            + counts["unreadable"]
            + report.row_count
            - len(report.entries),
        }
        if report.row_count >= PAGE:
            vals |= {"offset": self.offset + PAGE, "report_key": False}
            self._continue(ORDER_INTERVAL, attempts=0, **vals)
            self._notify()
        else:
            count = self.offset + report.row_count
            days = min(self.window_days * 2, MOST_DAYS) if count < FEW else 1
            self._turn_over(**vals, window_days=days)

    def _turn_over(self, **vals):
        """Go on with the next window, or come to the end."""
        position = self._window_end()
        vals |= {"position": position, "offset": 0, "report_key": False}
        self._continue(ORDER_INTERVAL, attempts=0, **vals)
        if position < self.date_to:
            self._notify()
            return
        self._finish("done")
        if self.kind in PLANNED_KINDS:
            # sudo: mango.gate - that the machine has come so far.
            self.env["mango.gate"].sudo()._note_synced(self.account_id, self.date_to)
            self._forget_uneventful()

    def _on_failure(self, failure):
        """Go on after an answer that is none.

        :param VpbxError failure: what the client raised.
        """
        code = getattr(failure, "code", None)
        if code in statistics.EMPTY_CODES:
            # It counts as a refusal all the same, but says nothing of our access.
            if code // 1000 == 3:
                self.account_id._note_answer(errors.RefusedError(3300, ""))
            self._turn_over(refused_count=self.refused_count + 1)
            return
        self.account_id._note_answer(failure)
        if is_hopeless(failure):
            self._continue(RETRY_DELAY, report_key=False)
        elif is_trouble(failure) and not isinstance(failure, errors.BadAnswerError):
            # A report may get ready meanwhile; if it is lost, the PBX says so.
            self._wait_for(self.account_id)
        else:
            self._try_again(
                self.env["mango.meaning"]._of_error(failure), report_key=False
            )

    def _try_again(self, reason, **vals):
        """Ask for the same window once more, unless that was in vain too often."""
        if self.attempts + 1 >= MAX_ATTEMPTS:
            self._finish("failed", reason)
            return
        self._continue(RETRY_DELAY, attempts=self.attempts + 1, **vals)

    # ------------------------------------------------------------
    # Housekeeping
    # ------------------------------------------------------------

    def _forget_uneventful(self):
        """Delete the regular fetches before this one that brought nothing."""
        self.search(
            Domain("account_id", "=", self.account_id.id)
            & Domain("kind", "=", "regular")
            & Domain("state", "=", "done")
            & Domain("id", "<", self.id)
            & Domain("new_count", "=", 0)
            & Domain("completed_count", "=", 0)
            & Domain("recording_count", "=", 0)
        ).unlink()

    @api.autovacuum
    def _gc_old(self):
        """Forget the fetches of long ago; the calls stay."""
        self.search(
            Domain("state", "not in", ACTIVE_STATES)
            & Domain("create_date", "<", fields.Datetime.now() - KEPT_TIME)
        ).unlink()
