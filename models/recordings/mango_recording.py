from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Command, Domain
from odoo.tools import format_datetime, split_every

from ...tools.locking import in_own_transaction
from ...vpbx.audio import EXTENSIONS
from .mango_recording_play import PLAY_MERGE

#: States of a call's recordings, the most important one first.
STATES = [
    ("requested", "On Its Way"),
    ("ready", "Ready"),
    ("announced", "At the PBX"),
    ("failed", "Failed"),
    ("expired", "Deleted"),
]

DOWNLOAD_GROUP = "mango_office.group_recording_download"

DELETE_GROUP = "mango_office.group_recording_delete"

#: Lock that serializes changes of the queue.
QUEUE_LOCK = "mango_office/recordings"

#: For how many calls recordings are requested in one transaction: each is locked.
CALLS_AT_A_TIME = 100

#: When to retry a recording that is not available yet; then every hour.
DELAYS = [timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 30)]


class MangoRecording(models.Model):
    """The recording of one employee in a call, announced by the PBX and fetched later.

    The audio is played from ``/web/content/mango.recording/<id>/audio`` and never read
    over RPC (:meth:`_has_field_access`), so that all plays are logged.
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
    # Not a related field: it would cost every call a query, even without recordings.
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
        readonly=True,
        default=True,
        help="The PBX reported that it has stored the recording.",
    )
    is_added = fields.Boolean(
        readonly=True, help="The PBX reported that it can be fetched."
    )
    audio = fields.Binary(attachment=True, readonly=True)
    mimetype = fields.Char(readonly=True)
    size = fields.Integer(readonly=True, help="Bytes")
    duration = fields.Integer(readonly=True, help="Seconds")
    requested_at = fields.Datetime(readonly=True)
    requester_ids = fields.Many2many(
        "res.users", readonly=True, help="Who is notified of the result."
    )
    fetched_at = fields.Datetime(readonly=True)
    expired_at = fields.Datetime(string="Deleted On", readonly=True)
    expired_by_id = fields.Many2one(
        "res.users",
        string="Deleted By",
        readonly=True,
        index="btree_not_null",
        help="Empty if it was deleted at the end of the retention period.",
    )
    error = fields.Char(readonly=True, help="Why it failed or is delayed.")
    keep = fields.Boolean(
        readonly=True,
        help="Neither this recording nor its call is deleted by age.",
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
    # A recording that the PBX reports for two calls is kept with both.
    _ref_uniq = models.UniqueIndex(
        "(call_id, recording_ref)", "This recording is already known."
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

    @api.depends("call_id", "started_at")
    @api.depends_context("lang", "tz")
    def _compute_display_name(self):
        # sudo: mango.call - the other party, for readers of the recording.
        for recording in self.sudo():
            client = recording.call_id.display_name
            when = recording.started_at and format_datetime(
                self.env, recording.started_at, dt_format="short"
            )
            recording.display_name = ", ".join(filter(None, [client, when]))

    def _employee_name(self):
        """Return who was recorded, as far as known.

        :rtype: str
        """
        self.ensure_one()
        # sudo: res.users, mango.extension - a colleague's name, for readers of the
        # call; they may have left, or belong to another company.
        recording_sudo = self.sudo()
        return (
            recording_sudo.user_id.name
            or recording_sudo.extension_id.display_name
            or self.env._("Recording")
        )

    def _file_name(self):
        """Return the name of the file for downloads.

        :rtype: str
        """
        # sudo: mango.call - the call of a recording that the user may read.
        call_sudo = self.call_id.sudo()
        moment = call_sudo.started_at or self.create_date
        words = [
            f"{fields.Datetime.context_timestamp(self, moment):%Y-%m-%d %H-%M}",
            call_sudo.client_number,
            self._employee_name(),
        ]
        return " ".join(filter(None, words)) + EXTENSIONS.get(self.mimetype, "")

    def _has_field_access(self, field, operation):
        """The audio is only streamed: neither RPC nor exports may read it."""
        if field.name in ("audio", "part") and not self.env.su:
            return False
        return super()._has_field_access(field, operation)

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    def action_request(self):
        """Request those of these recordings that are not stored yet."""
        self.check_access("read")
        self._ask_for()

    def action_delete(self):
        """Permanently delete the audio; the record stays."""
        self._check_delete_right()
        # sudo: mango.recording - the permission has been checked.
        self.sudo()._expire(self.env.user)

    def action_keep(self):
        """Exclude these recordings from deletion by age, or include them again."""
        self._check_delete_right()
        # sudo: mango.recording - the permission has been checked.
        for recording_sudo in self.sudo():
            recording_sudo.keep = not recording_sudo.keep
        self.sudo()._notify_listeners()

    def _check_delete_right(self):
        """Raise unless the user may decide on the retention of these recordings."""
        self.check_access("read")
        if not self.env.su and not self.env.user.has_group(DELETE_GROUP):
            raise AccessError(self.env._("You are not allowed to delete recordings."))

    def log_play(self):
        """Log that the user has started to play these recordings."""
        self.check_access("read")
        self.env["mango.recording.play"]._log(self, "play", PLAY_MERGE)

    # ------------------------------------------------------------
    # Deleting
    # ------------------------------------------------------------

    def _expire(self, user=None):
        """Permanently delete the audio of these recordings, and log who did it.

        Those that are still at the PBX will not be fetched any more.

        :param user: who requested it; None if the retention time is over.
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
        lasting._drop_parts()
        lasting._notify_listeners()

    def _delete_by_age(self):
        """Delete the audio; the recording stays."""
        self._expire()

    # ------------------------------------------------------------
    # Following the PBX
    # ------------------------------------------------------------

    @api.model
    def _update_recordings(self, call, recording_states, extensions):
        """Write the differences between a call's recordings and the PBX's state.

        A recording that the PBX did not store is ignored, unless there is a reason to
        show in its place.

        :param mango.call call: whose recordings; already up to date itself.
        :param Iterable[RecordingState] recording_states: all recordings of the call.
        :param dict[str, mango.extension] extensions: of the call, by number.
        :return: whether anything differed.
        :rtype: bool
        """
        wanted = [told for told in recording_states if told.stored or told.is_refused]
        if not wanted:
            return False
        known = {recording.recording_ref: recording for recording in call.recording_ids}
        owners = self._owners(call, wanted, extensions, known)
        to_create, is_changed = [], False
        for told in wanted:
            vals = self._prepare_vals(told, owners.get(told.ref))
            vals["started_at"] = call.started_at
            if recording := known.get(told.ref):
                is_changed |= recording._update_from_pbx(vals)
            else:
                to_create.append({**vals, "call_id": call.id})
        created = self.create(to_create)
        is_changed |= call.recording_ids._request_automatically()
        return is_changed or bool(created)

    @api.model
    def _owners(self, call, recording_states, extensions, known):
        """Return the extensions that were recorded.

        :param dict[str, mango.recording] known: the call's existing recordings.
        :return: by recording; empty if the PBX does not report it.
        :rtype: dict[str, mango.extension]
        """
        owners = {
            told.ref: extensions[told.extension]
            for told in recording_states
            if told.extension in extensions
        }
        # record/added has the PBX's id of the employee instead of the extension.
        user_refs = {
            told.ref: told.pbx_user_ref
            for told in recording_states
            if told.pbx_user_ref
            and told.ref not in owners
            and not (known.get(told.ref) and known[told.ref].extension_id)
        }
        if not user_refs:
            return owners
        found = self.env["mango.extension"].search(
            Domain("account_id", "=", call.account_id.id)
            & Domain("pbx_user_ref", "in", list(user_refs.values()))
        )
        by_user = found.grouped("pbx_user_ref")
        owners.update(
            {
                ref: by_user[user_ref][:1]
                for ref, user_ref in user_refs.items()
                if user_ref in by_user
            }
        )
        return owners

    @api.model
    def _prepare_vals(self, told, extension):
        """Return the values of a recording as reported by the PBX.

        :param RecordingState told: the state reported by the PBX.
        :param extension: who was recorded, if known.
        :type extension: mango.extension | None
        :rtype: dict
        """
        vals = {
            "recording_ref": told.ref,
            "is_at_pbx": told.stored,
            "is_added": told.is_added,
        }
        if extension:
            vals |= {"extension_id": extension.id, "user_id": extension.user_id.id}
        if told.stored:
            return {**vals, "state": "announced"}
        reason = self.env["mango.error.message"]._explain_code(told.completion_code)
        return {**vals, "state": "failed", "error": reason}

    def _update_from_pbx(self, vals):
        """Update a known recording from the PBX.

        :param dict vals: as returned by :meth:`_prepare_vals`.
        :return: whether anything changed.
        :rtype: bool
        """
        changes = {}
        if vals["started_at"] != self.started_at:
            changes["started_at"] = vals["started_at"]
        # For the same extension the employee stays: it may have got another one since.
        if vals.get("extension_id", self.extension_id.id) != self.extension_id.id:
            changes |= {name: vals[name] for name in ("extension_id", "user_id")}
        if vals["is_at_pbx"] and not self.is_at_pbx:
            changes |= {"is_at_pbx": True, "state": "announced", "error": False}
        if vals["is_added"] and not self.is_added:
            changes["is_added"] = True
        if changes:
            self.write(changes)
        if "is_added" in changes and self.state == "requested":
            # An earlier request may have found that it was not available yet.
            self._fetch_soon()
        return bool(changes)

    def _request_automatically(self):
        """Request those of these recordings that the account's rules select.

        :return: whether there are any.
        :rtype: bool
        """
        wanted = self.filtered(lambda recording: recording._is_wanted_automatically())
        if wanted:
            wanted._request(is_automatic=True)
            wanted.filtered(lambda recording: not recording.is_added)._put_off()
        return bool(wanted)

    def _is_outdated(self):
        """Tell whether the recording would be deleted as soon as it is fetched.

        :rtype: bool
        """
        days = self.account_id.recording_retention_days
        oldest = fields.Datetime.now() - timedelta(days=days)
        return bool(days and self.started_at and self.started_at < oldest)

    def _is_wanted_automatically(self):
        account, call = self.account_id, self.call_id
        if account.recording_mode != "automatic" or self.state != "announced":
            return False
        if call.state != "ended":
            return False  # The end of the call decides whether it is fetched.
        if account.recording_only_answered and call.result != "answered":
            return False
        if call.talk_duration < account.recording_min_duration:
            return False
        if self._is_outdated():
            return False
        chosen = account.recording_extension_ids
        return not chosen or self.extension_id in chosen

    # ------------------------------------------------------------
    # Requesting
    # ------------------------------------------------------------

    def _is_fetchable(self):
        """Tell whether the recording can be requested from the PBX.

        :rtype: bool
        """
        return self.is_at_pbx and self.state in ("announced", "failed")

    def _ask_for(self):
        """Request these recordings for the user, whose permission has been checked.

        In transactions of their own, so that they conflict neither with simultaneous
        requests nor with notifications of the calls.

        :return: how many of them will be fetched.
        :rtype: int
        """
        count = 0
        for groups in split_every(CALLS_AT_A_TIME, self.grouped("call_id").values()):
            count += self.browse().concat(*groups)._ask_for_batch()
        self.env.invalidate_all()
        return count

    def _ask_for_batch(self):
        ids, user_id = self.ids, self.env.uid

        def order(env):
            recordings = env["mango.recording"].browse(ids).exists()
            wanted = recordings.filtered(lambda recording: recording._is_fetchable())
            wanted._request()
            waiting = recordings.filtered(lambda one: one.state == "requested")
            waiting.requester_ids = [Command.link(user_id)]
            waiting.filtered("is_automatic")._hurry()
            wanted._notify_listeners()
            return len(waiting)

        # sudo: mango.call - its identifiers, for readers of the recordings.
        calls_sudo = self.call_id.sudo()
        locks = sorted(call._lock_name() for call in calls_sudo)
        return in_own_transaction(self.env, order, QUEUE_LOCK, *locks)

    def _request(self, is_automatic=False):
        """Put these recordings into the queue, and trigger its cron.

        :param bool is_automatic: whether nobody waits for them.
        """
        if not self:
            return
        now = fields.Datetime.now()
        self.write(
            {
                "state": "requested",
                "requested_at": now,
                "next_fetch_at": now,
                "is_automatic": is_automatic,
                "attempts": 0,
                "lease": False,
                "leased_until": False,
                "error": False,
            }
        )
        self._wake_cron()

    def _hurry(self):
        """Give automatic requests the priority of a user's request."""
        if self:
            self.is_automatic = False
            self._fetch_soon()

    def _fetch_soon(self):
        """Make the next attempt now."""
        self.next_fetch_at = fields.Datetime.now()
        self._wake_cron()

    def _put_off(self):
        """Wait, for a limited time, until the PBX reports the recordings."""
        if self:
            self.next_fetch_at = fields.Datetime.now() + DELAYS[0]
            self._wake_cron(self[0].next_fetch_at)

    @api.model
    def _wake_cron(self, at=None):
        # sudo: ir.cron - waking our own cron.
        self.env.ref("mango_office.ir_cron_fetch_recordings").sudo()._trigger(at)

    def _notify_listeners(self):
        """Notify the calls' participants that these recordings have changed."""
        for call in self.call_id:
            call._notify_participants()
            # sudo: res.users - the requesters could read the call.
            recordings_sudo = self.sudo() & call.sudo().recording_ids
            waiting_sudo = recordings_sudo.requester_ids - call.sudo().user_ids
            waiting_sudo.filtered("active")._bus_send(
                "mango_office/call", call._bus_payload()
            )
