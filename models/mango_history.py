from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools.misc import format_date

ACTIVE_STATES = ("queued", "running")
#: What the cron orders, unlike a person.
PLANNED_KINDS = ("first", "regular", "nightly")


class MangoHistory(models.Model):
    """One period of the PBX's statistics that is fetched, and how far that has come.

    Everything needed to go on is in the row: whoever does it may be killed at any time.
    """

    _name = "mango.history"
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
            ("running", "Under Way"),
            ("done", "Done"),
            ("failed", "Failed"),
        ],
        required=True,
        readonly=True,
        default="queued",
    )
    finished_at = fields.Datetime(readonly=True)
    error = fields.Text(readonly=True)

    # How far it has come.
    position = fields.Datetime(
        string="Now At", readonly=True, help="Everything before has been fetched."
    )
    progress = fields.Float(compute="_compute_progress", help="Percent")
    fetched_count = fields.Integer(string="Calls Read", readonly=True)
    new_count = fields.Integer(string="New Calls", readonly=True)
    completed_count = fields.Integer(
        string="Completed Calls",
        readonly=True,
        help="They were known, but not how they ended.",
    )
    recording_count = fields.Integer(string="New Recordings", readonly=True)
    unreadable_count = fields.Integer(string="Unreadable Entries", readonly=True)
    refused_count = fields.Integer(
        string="Periods Refused",
        readonly=True,
        help="The PBX refuses some periods in which there were no calls.",
    )
    wait_reason = fields.Char(compute="_compute_wait_reason", compute_sudo=True)

    # What was asked last.
    window_days = fields.Integer(readonly=True, default=1)
    offset = fields.Integer(readonly=True)
    report_key = fields.Char(readonly=True)
    polls = fields.Integer(readonly=True, help="How often the report was asked for.")
    attempts = fields.Integer(readonly=True, help="Failures in a row.")
    next_at = fields.Datetime(readonly=True, help="The PBX is not asked before.")

    _active_uniq = models.UniqueIndex(
        "(account_id, kind) WHERE state IN ('queued', 'running')",
        "Calls of this PBX are being fetched already. Wait until that is done, or stop "
        "it.",
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
                        "The PBX is in trouble. The fetch goes on by itself once it "
                        "answers again."
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
        """Order a period.

        :param mango.account account: whose calls.
        :param datetime date_from: UTC.
        :param datetime date_to: UTC.
        :param str kind: the occasion.
        :rtype: mango.history
        :raise UserError: if one of this kind is under way.
        """
        active = self.search_count(
            Domain("account_id", "=", account.id)
            & Domain("kind", "=", kind)
            & Domain("state", "in", ACTIVE_STATES),
            limit=1,
        )
        if active:
            # The index says so as well, but with an error in the log.
            raise UserError(
                self.env._(
                    "Calls of this PBX are being fetched already. Wait until that is "
                    "done, or stop it."
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
        """Let what waits for a PBX wait no longer."""
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
        # sudo: mango.history - whoever may see the jobs of their companies may stop
        # them; nothing else of a job can be changed.
        active_sudo = self.sudo().filtered(lambda job: job.state in ACTIVE_STATES)
        active_sudo._finish(
            "failed", self.env._("Stopped by %s.", self.env.user.display_name)
        )

    def action_go_on(self):
        """Go on with a fetch that failed or was stopped, where it had come to."""
        self.check_access("read")
        # sudo: mango.history - as for stopping.
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
            job._notify()

    def _notify(self):
        """Tell the web client of whoever started this how far it has come."""
        self.create_uid._bus_send("mango_office/history", {"id": self.id})
