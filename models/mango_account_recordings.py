from odoo import fields, models, tools
from odoo.fields import Domain

DEFAULT_MAX_SIZE_MB = 200


class MangoAccount(models.Model):
    """Which recordings of a PBX are fetched, and how long they are kept."""

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
        domain="[('account_id', '=', id)]",
        help="None chosen: of all.",
    )
    recording_max_size_mb = fields.Integer(
        string="Largest Recording",
        default=DEFAULT_MAX_SIZE_MB,
        help="Megabytes. A larger file is not stored.",
    )
    recording_retention_days = fields.Integer(
        string="Keep Recordings",
        tracking=True,
        help="Days from the call on; 0 keeps them for ever. What is marked to be kept "
        "stays.",
    )
    call_retention_days = fields.Integer(
        string="Keep Calls",
        tracking=True,
        help="Days; 0 keeps them for ever. Calls go with everything that belongs to "
        "them; a call with a recording that is marked to be kept stays.",
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
            account.recording_disk_usage = tools.human_size(size or 0)
