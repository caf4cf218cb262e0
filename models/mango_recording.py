from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

from ..vpbx.audio import EXTENSIONS
from .mango_recording_play import PLAY_MERGE

#: Where a recording of a call stands, the most urgent to tell first.
STATES = [
    ("requested", "On Its Way"),
    ("ready", "Ready"),
    ("announced", "At the PBX"),
    ("failed", "Failed"),
    ("expired", "Deleted"),
]
DOWNLOAD_GROUP = "mango_office.group_recording_download"
DELETE_GROUP = "mango_office.group_recording_delete"


class MangoRecording(models.Model):
    """What one employee said in a call: announced by the PBX, fetched on request.

    The audio is played from ``/web/content/mango.recording/<id>/audio`` and never read
    over RPC (:meth:`_has_field_access`): what is heard, and by whom, shall be known.
    """

    _name = "mango.recording"
    _description = "Call Recording"
    _order = "started_at desc, id"
    _rec_name = "call_id"

    call_id = fields.Many2one(
        "mango.call", required=True, readonly=True, index=True, ondelete="cascade"
    )
    account_id = fields.Many2one(related="call_id.account_id", store=True, index=True)
    company_id = fields.Many2one(related="call_id.company_id")
    # No related field: it would cost every call a query to find that it has none.
    started_at = fields.Datetime(string="Call Started", readonly=True)
    recording_ref = fields.Char(
        string="PBX Recording", required=True, readonly=True, help="recording_id"
    )
    extension_id = fields.Many2one(
        "mango.extension", readonly=True, index="btree_not_null"
    )
    user_id = fields.Many2one(
        "res.users", string="Employee", readonly=True, index="btree_not_null"
    )
    state = fields.Selection(
        STATES, required=True, readonly=True, default="announced", index=True
    )
    is_at_pbx = fields.Boolean(
        readonly=True, default=True, help="The PBX has stored it, as far as it told."
    )
    is_added = fields.Boolean(
        readonly=True, help="The PBX told that it can be fetched now."
    )
    audio = fields.Binary(attachment=True, readonly=True)
    mimetype = fields.Char(readonly=True)
    size = fields.Integer(readonly=True, help="Bytes")
    duration = fields.Integer(readonly=True, help="Seconds")
    requested_at = fields.Datetime(readonly=True)
    requester_ids = fields.Many2many(
        "res.users", readonly=True, help="Who is told what becomes of it."
    )
    fetched_at = fields.Datetime(readonly=True)
    expired_at = fields.Datetime(string="Deleted On", readonly=True)
    expired_by_id = fields.Many2one(
        "res.users",
        string="Deleted By",
        readonly=True,
        index="btree_not_null",
        help="Empty if the retention time was over.",
    )
    error = fields.Char(readonly=True, help="Why it failed, or why it takes longer.")
    keep = fields.Boolean(
        readonly=True,
        help="Neither this recording nor its call is ever deleted by age.",
    )
    play_ids = fields.One2many(
        "mango.recording.play",
        "recording_id",
        string="Plays",
        readonly=True,
        groups="mango_office.group_supervisor",
    )
    play_count = fields.Integer(
        compute="_compute_play_count", groups="mango_office.group_supervisor"
    )
    can_download = fields.Boolean(compute="_compute_rights")
    can_delete = fields.Boolean(compute="_compute_rights")

    # One that the PBX tells of two calls is kept with both: neither loses it.
    _ref_uniq = models.UniqueIndex(
        "(call_id, recording_ref)", "This recording is known already."
    )
    _started_idx = models.Index("(started_at DESC, id)")

    @api.depends("state")
    @api.depends_context("uid")
    def _compute_rights(self):
        may_download = self.env.user.has_group(DOWNLOAD_GROUP)
        may_delete = self.env.user.has_group(DELETE_GROUP)
        for recording in self:
            recording.can_download = may_download and recording.state == "ready"
            recording.can_delete = may_delete and recording.state == "ready"

    def _compute_play_count(self):
        rows = self.env["mango.recording.play"]._read_group(
            Domain("recording_id", "in", self.ids), ["recording_id"], ["__count"]
        )
        counts = dict(rows)
        for recording in self:
            recording.play_count = counts.get(recording, 0)

    @api.depends("extension_id", "user_id")
    def _compute_display_name(self):
        for recording in self:
            recording.display_name = recording._employee_name()

    def _employee_name(self):
        """Return whose words these are, as well as it is known.

        :rtype: str
        """
        self.ensure_one()
        # sudo: res.users, mango.extension - the name of a colleague in a call that
        # the reader may read; they may have left since, or be of another company.
        recording_sudo = self.sudo()
        return (
            recording_sudo.user_id.name
            or recording_sudo.extension_id.display_name
            or self.env._("Recording")
        )

    def _file_name(self):
        """Return how the file is called that somebody saves.

        :rtype: str
        """
        # sudo: mango.call - of a recording that the user may read.
        call_sudo = self.call_id.sudo()
        moment = call_sudo.started_at or self.create_date
        words = [
            f"{fields.Datetime.context_timestamp(self, moment):%Y-%m-%d %H-%M}",
            call_sudo.client_number,
            self._employee_name(),
        ]
        return " ".join(filter(None, words)) + EXTENSIONS.get(self.mimetype, "")

    def _has_field_access(self, field, operation):
        """The audio is streamed only: neither RPC nor an export reads it."""
        if field.name == "audio" and not self.env.su:
            return False
        return super()._has_field_access(field, operation)

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    def action_request(self):
        """Have these recordings fetched from the PBX, as far as they are not here."""
        self.check_access("read")
        self._ask_for()

    def action_delete(self):
        """Delete the audio for good; the recording stays and says so."""
        self._check_delete_right()
        # sudo: mango.recording - the right has been checked.
        self.sudo()._expire(self.env.user)

    def action_keep(self):
        """Keep these recordings whatever their age, or no longer."""
        self._check_delete_right()
        # sudo: mango.recording - the right has been checked.
        for recording_sudo in self.sudo():
            recording_sudo.keep = not recording_sudo.keep
        self.sudo()._notify()

    def _check_delete_right(self):
        """Raise unless the user may say how long these recordings last."""
        self.check_access("read")
        if not self.env.su and not self.env.user.has_group(DELETE_GROUP):
            raise AccessError(self.env._("You have no right to delete recordings."))

    def log_play(self):
        """Note that the user begins to play these recordings."""
        self.check_access("read")
        self.env["mango.recording.play"]._log(self, "play", PLAY_MERGE)

    # ------------------------------------------------------------
    # Deleting
    # ------------------------------------------------------------

    def _expire(self, user=None):
        """Delete the audio of these recordings for good, and note who did it.

        One that is still at the PBX is not fetched any more either.

        :param user: who wants it; nobody if the retention time is over.
        :type user: res.users | None
        """
        lasting = self.filtered(lambda recording: recording.state != "expired")
        self.env["ir.attachment"].search(
            Domain("res_model", "=", self._name)
            & Domain("res_id", "in", lasting.ids)
            & Domain("res_field", "=", "audio")
        ).unlink()
        lasting.write(
            {
                "state": "expired",
                "expired_at": fields.Datetime.now(),
                "expired_by_id": user.id if user else False,
                "size": 0,
                "keep": False,
                "error": False,
                "lease": False,
                "leased_until": False,
            }
        )
        lasting._notify()

    def _delete_by_age(self):
        """Delete the audio; the recording stays and says so."""
        self._expire()
