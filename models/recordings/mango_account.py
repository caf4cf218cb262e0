from datetime import timedelta

from odoo import api, fields, models, tools
from odoo.fields import Domain

DEFAULT_MAX_SIZE_MB = 200

BATCH_SIZE = 200


class MangoAccount(models.Model):
    """The rules for fetching recordings, and for keeping them and the calls."""

    _inherit = "mango.account"

    recording_mode = fields.Selection(
        [("on_request", "On Request"), ("automatic", "Automatically")],
        string="Fetch Recordings",
        required=True,
        default="on_request",
        tracking=True,
    )
    recording_only_answered = fields.Boolean(
        string="Only Answered Calls",
        default=True,
        help="Recordings of other calls are fetched on request.",
    )
    recording_min_duration = fields.Integer(
        string="Shortest Talk",
        help="Seconds. Recordings of shorter talks are fetched on request.",
    )
    recording_extension_ids = fields.Many2many(
        "mango.extension",
        string="Only of Extensions",
        copy=False,
        domain="[('account_id', '=', id)]",
        help="Leave empty for all.",
    )
    recording_max_size_mb = fields.Integer(
        string="Largest Recording",
        default=DEFAULT_MAX_SIZE_MB,
        help="Megabytes. A larger file is not stored.",
    )
    recording_retention_days = fields.Integer(
        string="Keep Recordings",
        tracking=True,
        help="Days after the call; 0 keeps them forever. Recordings marked to be "
        "kept stay.",
    )
    call_retention_days = fields.Integer(
        string="Keep Calls",
        tracking=True,
        help="Days; 0 keeps them forever. A call is deleted with everything that "
        "belongs to it; calls with a recording marked to be kept stay.",
    )
    recording_count = fields.Integer(
        compute="_compute_recording_disk_usage", compute_sudo=True
    )
    recording_disk_usage = fields.Char(
        string="Disk Use of Recordings",
        compute="_compute_recording_disk_usage",
        compute_sudo=True,
    )
    _recording_min_duration_positive = models.Constraint(
        "CHECK (recording_min_duration >= 0)",
        "The shortest talk cannot be negative.",
    )
    _recording_max_size_positive = models.Constraint(
        "CHECK (recording_max_size_mb BETWEEN 1 AND 1024)",
        "The largest recording is between 1 and 1024 megabytes.",
    )
    _retention_positive = models.Constraint(
        "CHECK (recording_retention_days >= 0 AND call_retention_days >= 0)",
        "Days cannot be negative.",
    )

    @api.depends_context("lang")
    def _compute_recording_disk_usage(self):
        rows = self.env["mango.recording"]._read_group(
            Domain("account_id", "in", self.ids) & Domain("state", "=", "ready"),
            ["account_id"],
            ["__count", "size:sum"],
        )
        usage = {account: (count, size) for account, count, size in rows}
        for account in self:
            count, size = usage.get(account, (0, 0))
            account.recording_count = count
            account.recording_disk_usage = (
                tools.human_size(size) if size else self.env._("Nothing stored")
            )

    # ------------------------------------------------------------
    # Deleting by age
    # ------------------------------------------------------------

    @api.model
    def _apply_retention(self):
        """Cron: delete outdated audio and calls, in batches."""
        cron = self.env["ir.cron"]
        accounts = self.with_context(active_test=False).search(
            Domain("recording_retention_days", ">", 0)
            | Domain("call_retention_days", ">", 0)
        )
        limited = {
            "mango.recording": accounts.filtered("recording_retention_days"),
            "mango.call": accounts.filtered("call_retention_days"),
        }
        cron._commit_progress(
            remaining=sum(
                self.env[model].search_count(account._outdated_domain(model))
                for model, accounts in limited.items()
                for account in accounts
            )
        )
        for model, accounts in limited.items():
            for account in accounts:
                if not account._delete_outdated(model):
                    return

    def _is_call_outdated(self, started_at):
        """Tell whether a new call would be deleted by age at once.

        :param started_at: UTC; None if unknown.
        :type started_at: datetime | None
        :rtype: bool
        """
        days = self.call_retention_days
        oldest = fields.Datetime.now() - timedelta(days=days)
        return bool(days and started_at and started_at < oldest)

    def _outdated_domain(self, model):
        """Return the domain of this account's records to delete by age.

        :param str model: ``mango.recording`` or ``mango.call``.
        :rtype: Domain
        """
        domain = Domain("account_id", "=", self.id)
        now = fields.Datetime.now()
        if model == "mango.recording":
            before = now - timedelta(days=self.recording_retention_days)
            return (
                domain
                & Domain("state", "=", "ready")
                & Domain("keep", "=", False)
                & Domain("call_id.started_at", "<", before)
            )
        before = now - timedelta(days=self.call_retention_days)
        return (
            domain
            & Domain("state", "=", "ended")
            & Domain("started_at", "<", before)
            & ~Domain("recording_ids", "any", [("keep", "=", True)])
        )

    def _delete_outdated(self, model):
        """Delete the outdated records of one kind, in batches.

        :param str model: as for :meth:`_outdated_domain`.
        :return: whether there is time left.
        :rtype: bool
        """
        cron = self.env["ir.cron"]
        domain = self._outdated_domain(model)
        while outdated := self.env[model].search(domain, order="id", limit=BATCH_SIZE):
            outdated._delete_by_age()
            if not cron._commit_progress(len(outdated)):
                return False
        return True
