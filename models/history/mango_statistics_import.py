import logging
import time
from datetime import timedelta, timezone

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools.misc import format_date

from ...vpbx import errors, statistics
from ..pbx.mango_circuit_breaker import is_hopeless, is_trouble

ACTIVE_STATES = ("queued", "running")

#: Imports ordered by the cron, not by a user.
PLANNED_KINDS = ("first", "regular", "nightly")

_logger = logging.getLogger(__name__)

#: Size of a request: this many calls, of one day, or of more days if there are few.
PAGE = 500

FEW = PAGE // 8

MOST_DAYS = 7

#: Interval between two orders, and between two polls of a report. Odoo stores whole
#: seconds, so it may be up to one second less; the PBX accepts one order in two seconds
#: (mango-api.md 2.6).
ORDER_INTERVAL = timedelta(seconds=3)

POLL_INTERVAL = timedelta(seconds=3)

#: A report that is not ready after this many polls is ordered again.
MAX_POLLS = 100

#: After this many consecutive failures that are not due to the PBX, the import fails.
MAX_ATTEMPTS = 6

RETRY_DELAY = timedelta(minutes=1)

#: Once requests are stopped, only a user can resume them, which triggers the cron.
STOPPED_DELAY = timedelta(minutes=15)

#: How long the cron runs before others get their turn.
RUN_TIME = timedelta(seconds=40)

#: How often Odoo looks for crons that are due.
TRIGGER_INTERVAL = timedelta(minutes=1)

#: How far the regular import looks back: a call is in the statistics once it is over.
OVERLAP = timedelta(hours=2)

#: Once a day it looks back further, because recordings come late.
LONG_OVERLAP = timedelta(days=2)

LEAST_INTERVAL = timedelta(minutes=10)

KEPT_TIME = timedelta(days=30)


class MangoStatisticsImport(models.Model):
    """The import of one period of the PBX's statistics, and its progress.

    Everything needed to continue is in the row, because the process may be killed at
    any time.
    """

    _name = "mango.statistics.import"
    _description = "Fetch of Calls from the PBX"
    _order = "id desc"

    account_id = fields.Many2one(
        "mango.account", string="PBX", required=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(related="account_id.company_id")
    kind = fields.Selection(
        [
            ("manual", "By Hand"),
            ("first", "First Connection"),
            ("regular", "Regular"),
            ("nightly", "Once a Day"),
        ],
        string="Occasion",
        required=True,
        readonly=True,
        default="manual",
    )
    date_from = fields.Datetime(string="From", required=True, readonly=True)
    date_to = fields.Datetime(string="To", required=True, readonly=True)
    state = fields.Selection(
        [
            ("queued", "Waiting"),
            ("running", "In Progress"),
            ("done", "Done"),
            ("failed", "Failed"),
        ],
        required=True,
        readonly=True,
        default="queued",
    )
    finished_at = fields.Datetime(readonly=True)
    error = fields.Text(readonly=True)
    # Progress.
    position = fields.Datetime(
        string="Now At",
        readonly=True,
        help="Everything before this time has been fetched.",
    )
    progress = fields.Float(compute="_compute_progress", help="Percent")
    fetched_count = fields.Integer(string="Calls Read", readonly=True)
    new_count = fields.Integer(string="New Calls", readonly=True)
    completed_count = fields.Integer(
        string="Completed Calls",
        readonly=True,
        help="Calls that were known, but whose end was not.",
    )
    recording_count = fields.Integer(string="New Recordings", readonly=True)
    unreadable_count = fields.Integer(string="Unreadable Entries", readonly=True)
    refused_count = fields.Integer(
        string="Periods Refused",
        readonly=True,
        help="The PBX refuses some periods without calls.",
    )
    wait_reason = fields.Char(compute="_compute_wait_reason", compute_sudo=True)
    # The last request.
    window_days = fields.Integer(readonly=True, default=1)
    offset = fields.Integer(readonly=True)
    report_key = fields.Char(readonly=True)
    polls = fields.Integer(readonly=True, help="How often the report was polled.")
    attempts = fields.Integer(readonly=True, help="Consecutive failures.")
    next_at = fields.Datetime(
        readonly=True, help="The PBX is not asked before this time."
    )
    _active_uniq = models.UniqueIndex(
        "(account_id, kind) WHERE state IN ('queued', 'running')",
        "Already in progress: calls of this PBX are being fetched. Wait until it "
        "is done, or stop it.",
    )
    _account_idx = models.Index("(account_id, kind, id)")

    # ------------------------------------------------------------
    # Computed fields, checks
    # ------------------------------------------------------------

    @api.depends("account_id", "date_from", "date_to")
    def _compute_display_name(self):
        for job in self:
            start, end = (
                format_date(self.env, fields.Datetime.context_timestamp(job, moment))
                for moment in (job.date_from, job.date_to)
            )
            job.display_name = f"{job.account_id.name}: {start} – {end}"

    @api.depends("date_from", "date_to", "position", "state")
    def _compute_progress(self):
        for job in self:
            length = (job.date_to - job.date_from).total_seconds()
            done = ((job.position or job.date_from) - job.date_from).total_seconds()
            share = done / length if length > 0 else 0
            job.progress = 100 if job.state == "done" else round(100 * share, 1)

    @api.depends("state", "account_id")
    @api.depends_context("lang")
    def _compute_wait_reason(self):
        for job in self:
            account = job.account_id
            reason = False
            if job.state in ACTIVE_STATES:
                reason = account.requests_stopped_reason
                if not reason and account.requests_paused_until:
                    reason = self.env._(
                        "The PBX is having problems. The import continues "
                        "automatically once it answers again."
                    )
            job.wait_reason = reason

    @api.constrains("date_from", "date_to")
    def _check_dates(self):
        for job in self:
            if job.date_from >= job.date_to:
                raise UserError(self.env._("The period must begin before it ends."))

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    @api.model
    def _start(self, account, date_from, date_to, kind="manual"):
        """Start the import of a period.

        :param mango.account account: whose calls.
        :param datetime date_from: UTC.
        :param datetime date_to: UTC.
        :param str kind: the kind of import.
        :rtype: mango.statistics.import
        :raise UserError: if one of this kind is in progress.
        """
        active = self.search_count(
            Domain("account_id", "=", account.id)
            & Domain("kind", "=", kind)
            & Domain("state", "in", ACTIVE_STATES),
            limit=1,
        )
        if active:
            # The index prevents this too, but with an error in the log.
            raise UserError(
                self.env._(
                    "Already in progress: calls of this PBX are being fetched. "
                    "Wait until it is done, or stop it."
                )
            )
        job = self.create(
            {
                "account_id": account.id,
                "kind": kind,
                "date_from": date_from,
                "date_to": date_to,
                "position": date_from,
            }
        )
        self._wake_cron()
        return job

    @api.model
    def _wake_cron(self, at=None):
        cron = self.env.ref("mango_office.ir_cron_reconcile_statistics")
        # sudo: ir.cron - waking our own cron.
        cron.sudo()._trigger(at)

    @api.model
    def _go_on_at_once(self, account):
        """Run the imports that wait for a PBX now."""
        waiting = self.search(
            Domain("account_id", "=", account.id)
            & Domain("state", "in", ACTIVE_STATES)
            & Domain("next_at", ">", fields.Datetime.now())
        )
        waiting.next_at = False
        self._wake_cron()

    def action_stop(self):
        """Stop fetching; what has been fetched stays."""
        self.check_access("read")
        # sudo: mango.statistics.import - whoever may read imports may stop them;
        # nothing else can be changed.
        active_sudo = self.sudo().filtered(lambda job: job.state in ACTIVE_STATES)
        active_sudo._finish(
            "failed", self.env._("Stopped by %s.", self.env.user.display_name)
        )

    def action_go_on(self):
        """Continue an import that failed or was stopped, from where it had stopped."""
        self.check_access("read")
        # sudo: mango.statistics.import - as for stopping.
        failed_sudo = self.sudo().filtered(lambda job: job.state == "failed")
        failed_sudo.write(
            {
                "state": "queued",
                "error": False,
                "finished_at": False,
                "report_key": False,
                "attempts": 0,
                "next_at": False,
            }
        )
        self._wake_cron()

    def action_view_calls(self):
        """Open the calls of the period."""
        self.ensure_one()
        return self.env["mango.call"]._action_of(
            Domain("account_id", "=", self.account_id.id)
            & Domain("started_at", ">=", self.date_from)
            & Domain("started_at", "<=", self.date_to)
        )

    def _finish(self, state, error=False):
        self.write(
            {
                "state": state,
                "error": error,
                "finished_at": fields.Datetime.now(),
                "report_key": False,
                "next_at": False,
            }
        )
        for job in self:
            job._notify_screens()

    def _notify_screens(self):
        """Notify the web client of the user who started this of its progress."""
        self.create_uid._bus_send("mango_office/history", {"id": self.id})

    # ------------------------------------------------------------
    # Regular imports
    # ------------------------------------------------------------

    @api.model
    def _reconcile(self):
        """Cron: start the imports that are due, and continue all imports."""
        connected = Domain("api_key", "!=", False) & Domain("api_salt", "!=", False)
        for account in self.env["mango.account"].search(connected):
            self._plan(account)
        self.env["ir.cron"]._commit_progress()
        self._run_queue()

    @api.model
    def _plan(self, account):
        """Start the next import of a PBX, if it is due.

        It overlaps with the last one, because calls and recordings enter the statistics
        late.

        :param mango.account account: with code and secret.
        """
        now = fields.Datetime.now()
        planned = Domain("account_id", "=", account.id) & Domain(
            "kind", "in", PLANNED_KINDS
        )
        # Not only the last one: a user may have continued an earlier one.
        is_active = Domain("state", "in", ACTIVE_STATES)
        if self.search_count(planned & is_active, limit=1) or not account._is_proven():
            return
        last = self.search(planned, limit=1)
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
    # Steps
    # ------------------------------------------------------------

    @api.model
    def _run_queue(self):
        """Continue the jobs, step by step, the oldest of each PBX first."""
        deadline = fields.Datetime.now() + RUN_TIME
        while job := self._next_job():
            now = fields.Datetime.now()
            due_at = max(job.next_at or now, now)
            if due_at >= deadline and due_at >= now + TRIGGER_INTERVAL:
                self._wake_cron(due_at)
                return
            if due_at > now:
                self.env["ir.cron"]._commit_progress()
                time.sleep((min(due_at, deadline) - now).total_seconds())
            if due_at >= deadline:
                # Due before the cron could be triggered: the next run goes on waiting.
                self._wake_cron()
                return
            job._in_its_language()._step_safely()
            self.env["ir.cron"]._commit_progress()

    @api.model
    def _next_job(self):
        """Return the job that is due first; each PBX has one at a time.

        Imports ordered by users come first, because somebody waits for them.

        :rtype: mango.statistics.import
        """
        active = self.search(
            Domain("state", "in", ACTIVE_STATES)
            # There are no requests to an archived PBX; its jobs wait.
            & Domain("account_id.active", "=", True),
            order="id",
        )
        by_account = {}
        for job in active.sorted(lambda job: job.kind in PLANNED_KINDS):
            by_account.setdefault(job.account_id, job)
        now = fields.Datetime.now()
        return min(
            by_account.values(),
            key=lambda job: job.next_at or now,
            default=self.browse(),
        )

    def _in_its_language(self):
        """Return the job with the language of its reader in the context.

        :rtype: mango.statistics.import
        """
        is_planned = self.kind in PLANNED_KINDS
        language = self.account_id._language()
        return self.with_context(
            lang=language if is_planned else self.create_uid.lang or language
        )

    def _step_safely(self):
        """Do one step; a failure of one PBX does not delay the others."""
        try:
            self._step()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            self.env.cr.rollback()
            self._continue(POLL_INTERVAL)  # Concurrent update: retry later.
        except Exception as error:
            _logger.exception("fetch %s of calls failed", self.id)
            self.env.cr.rollback()
            self._try_again(f"{type(error).__name__}: {error}", report_key=False)

    def _step(self):
        """Send one request to the PBX, and handle its answer.

        No lock is held and nothing is uncommitted during the request.
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
            account._record_answer()
            self._on_report(answer)
        else:
            account._record_answer()
            self._continue(ORDER_INTERVAL, report_key=answer, polls=0)

    def _window(self):
        """Return the period to request now, aware, as expected by the PBX's client.

        :rtype: tuple[datetime, datetime]
        """
        start, end = self.position, self._window_end()
        return start.replace(tzinfo=timezone.utc), end.replace(tzinfo=timezone.utc)

    def _window_end(self):
        return min(self.position + timedelta(days=self.window_days), self.date_to)

    def _continue(self, delay, **vals):
        self.write({**vals, "next_at": fields.Datetime.now() + delay})

    def _wait_for(self, account):
        """Store when the next request may be sent."""
        if account.requests_stopped_reason:
            self._continue(STOPPED_DELAY)
            return
        until = account.requests_paused_until
        self._continue(until - fields.Datetime.now() if until else RETRY_DELAY)

    # ------------------------------------------------------------
    # Answers
    # ------------------------------------------------------------

    def _on_report(self, report):
        """Continue after the answer to a poll.

        :param Report report: pending, lost or complete.
        """
        if report.status == statistics.PENDING and self.polls < MAX_POLLS:
            self._continue(POLL_INTERVAL, polls=self.polls + 1)
        elif report.status != statistics.COMPLETE:
            self._try_again(
                self.env._("The PBX did not complete its statistics."), report_key=False
            )
        else:
            self._import_report(report)

    def _import_report(self, report):
        """Store a page, and continue with the next one.

        :param Report report: complete.
        """
        counts = self.env["mango.event"]._import_statistics(
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
            self._notify_screens()
        else:
            count = self.offset + report.row_count
            days = min(self.window_days * 2, MOST_DAYS) if count < FEW else 1
            self._turn_over(**vals, window_days=days)

    def _turn_over(self, **vals):
        """Continue with the next window, or finish."""
        position = self._window_end()
        vals |= {"position": position, "offset": 0, "report_key": False}
        self._continue(ORDER_INTERVAL, attempts=0, **vals)
        if position < self.date_to:
            self._notify_screens()
            return
        self._finish("done")
        if self.kind in PLANNED_KINDS:
            # sudo: mango.circuit.breaker - records the progress of imports.
            self.env["mango.circuit.breaker"].sudo()._record_synced(
                self.account_id, self.date_to
            )
            self._forget_uneventful()

    def _on_failure(self, failure):
        """Continue after a failed request.

        :param VpbxError failure: what the client raised.
        """
        code = getattr(failure, "code", None)
        if code in statistics.EMPTY_CODES:
            # It counts as a refusal, but says nothing about our access.
            if code // 1000 == 3:
                self.account_id._record_answer(errors.RefusedError(3300, ""))
            self._turn_over(refused_count=self.refused_count + 1)
            return
        self.account_id._record_answer(failure)
        if is_hopeless(failure):
            self._continue(RETRY_DELAY, report_key=False)
        elif is_trouble(failure) and not isinstance(failure, errors.BadAnswerError):
            # The report may become ready meanwhile; if it is lost, the PBX says so.
            self._wait_for(self.account_id)
        else:
            self._try_again(
                self.env["mango.error.message"]._explain_error(failure),
                report_key=False,
            )

    def _try_again(self, reason, **vals):
        """Request the same window again, unless that has failed too often."""
        if self.attempts + 1 >= MAX_ATTEMPTS:
            self._finish("failed", reason)
            return
        self._continue(RETRY_DELAY, attempts=self.attempts + 1, **vals)

    # ------------------------------------------------------------
    # Housekeeping
    # ------------------------------------------------------------

    def _forget_uneventful(self):
        """Delete the earlier regular imports without results."""
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
        """Delete old imports; the calls stay."""
        self.search(
            Domain("state", "not in", ACTIVE_STATES)
            & Domain("create_date", "<", fields.Datetime.now() - KEPT_TIME)
        ).unlink()
