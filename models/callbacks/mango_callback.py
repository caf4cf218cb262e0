from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

#: Fields that users may change directly; the rest follows from the calls.
CORRECTABLE_FIELDS = {"user_id", "deadline"}
#: From this time before the deadline on, an entry counts as due soon.
SOON = timedelta(minutes=10)
WEEKDAYS = [
    ("0", "Monday"),
    ("1", "Tuesday"),
    ("2", "Wednesday"),
    ("3", "Thursday"),
    ("4", "Friday"),
    ("5", "Saturday"),
    ("6", "Sunday"),
]


class MangoCallback(models.Model):
    """A missed client who waits to be called back.

    The state is computed from all calls of the client (:mod:`.fold`). Users set the
    responsible person and the deadline, and may close an entry themselves.
    """

    _name = "mango.callback"
    _description = "Client to Call Back"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "deadline, id"
    _mail_post_access = "read"

    @property
    def _rec_names_search(self):
        names = ["client_number", "partner_id"]
        # Telephony alone gives no access to leads.
        return [*names, "lead_id"] if self.env["crm.lead"].has_access("read") else names

    account_id = fields.Many2one(
        "mango.account", string="PBX", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="account_id.company_id", store=True, index=True
    )
    client_key = fields.Char(
        required=True,
        readonly=True,
        help="Identifies the client: the contact, or else the number. Each client has "
        "at most one open entry.",
    )
    client_number = fields.Char(
        string="Number",
        required=True,
        readonly=True,
        help="E.164; the number that was used last.",
    )
    client_number_display = fields.Char(
        string="Client Number", compute="_compute_client_number_display"
    )
    partner_id = fields.Many2one(
        "res.partner", string="Contact", readonly=True, index="btree_not_null"
    )
    lead_id = fields.Many2one("crm.lead", readonly=True, index="btree_not_null")
    line_id = fields.Many2one(
        "mango.line", readonly=True, index="btree_not_null", ondelete="set null"
    )
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        index="btree_not_null",
        tracking=True,
        domain=lambda self: self.env["mango.account"]._callback_users_domain(),
    )
    user_is_manual = fields.Boolean(readonly=True)
    user_ids = fields.Many2many(
        "res.users",
        string="Concerned",
        readonly=True,
        help="The responsible person, and those whose phones rang for the missed "
        "calls.",
    )
    first_missed_at = fields.Datetime(string="First Missed", readonly=True)
    last_missed_at = fields.Datetime(string="Last Missed", readonly=True)
    missed_hour = fields.Char(
        string="Hour",
        readonly=True,
        help="Of the first call, in the company's time zone.",
    )
    missed_weekday = fields.Selection(WEEKDAYS, string="Weekday", readonly=True)
    attempt_count = fields.Integer(
        string="Their Calls",
        readonly=True,
        aggregator="sum",
        help="How often the client called without reaching anybody.",
    )
    try_count = fields.Integer(
        string="Our Tries",
        readonly=True,
        aggregator="sum",
        help="How often the client was called without an answer.",
    )
    deadline = fields.Datetime(index="btree_not_null", tracking=True)
    deadline_is_manual = fields.Boolean(readonly=True)
    later_set_at = fields.Datetime(
        readonly=True, help="When the call back was postponed until the deadline."
    )
    resumed_at = fields.Datetime(
        readonly=True,
        help="When the client called again after the call back had been postponed.",
    )
    state = fields.Selection(
        [("open", "Waiting"), ("done", "Done"), ("dropped", "Dropped")],
        required=True,
        readonly=True,
        default="open",
        tracking=True,
    )
    closed_by = fields.Selection(
        [
            ("called_back", "Called Back"),
            ("got_through", "Reached Since"),
            ("hand", "By Hand"),
        ],
        readonly=True,
    )
    reason = fields.Char(
        readonly=True, tracking=True, help="Why it was closed manually."
    )
    closing_call_id = fields.Many2one(
        "mango.call", readonly=True, ondelete="set null", index="btree_not_null"
    )
    closing_user_id = fields.Many2one(
        "res.users",
        string="Dealt With By",
        readonly=True,
        index="btree_not_null",
        help="The person who spoke with the client or closed the entry.",
    )
    closed_at = fields.Datetime(readonly=True)
    reaction_minutes = fields.Integer(
        string="Reaction",
        readonly=True,
        aggregator="avg",
        help="Working minutes from the first missed call until it was dealt with.",
    )
    outcome = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("in_time", "Called Back in Time"),
            ("late", "Called Back Late"),
            ("got_through", "Reached Since"),
            ("never", "Not Called Back"),
        ],
        compute="_compute_outcome",
        store=True,
    )
    overdue_told_at = fields.Datetime(readonly=True)
    call_ids = fields.Many2many("mango.call", string="Calls", readonly=True)
    activity_id = fields.Many2one(
        "mail.activity",
        string="To-Do",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )

    _open_uniq = models.UniqueIndex(
        "(account_id, client_key) WHERE state = 'open'",
        "This client is already waiting for a call back.",
    )
    _open_idx = models.Index("(deadline, id) WHERE state = 'open'")
    _closed_idx = models.Index("(account_id, closed_at) WHERE state != 'open'")
    _client_idx = models.Index("(account_id, client_number)")
    _missed_idx = models.Index("(first_missed_at)")

    # ------------------------------------------------------------
    # Computed fields
    # ------------------------------------------------------------

    @api.depends("partner_id", "lead_id", "client_number")
    def _compute_display_name(self):
        # sudo: res.partner, crm.lead - the name of the client of an entry that the
        # reader may read, as on a call.
        for callback in self.sudo().with_context(mango_person_first=True):
            callback.display_name = (
                callback.partner_id.display_name
                or callback.lead_id.display_name
                or callback.client_number_display
            )

    @api.depends("client_number", "account_id")
    def _compute_client_number_display(self):
        for callback in self:
            callback.client_number_display = callback.account_id._display_number(
                callback.client_number
            )

    @api.depends("state", "closed_by", "closed_at", "deadline")
    def _compute_outcome(self):
        for callback in self:
            callback.outcome = callback._outcome()

    def _outcome(self):
        if self.state == "open":
            return "waiting"
        if self.state == "dropped":
            return "never"
        if self.closed_by == "got_through":
            return "got_through"
        is_late = self.deadline and self.closed_at and self.closed_at > self.deadline
        return "late" if is_late else "in_time"

    # ------------------------------------------------------------
    # Decisions of users
    # ------------------------------------------------------------

    def write(self, vals):
        if self.env.su:
            return super().write(vals)
        self._check_correction(vals)
        if "user_id" in vals:
            vals = {**vals, "user_is_manual": bool(vals["user_id"])}
        if "deadline" in vals:
            is_manual = bool(vals["deadline"])
            vals = {**vals, "deadline_is_manual": is_manual, "overdue_told_at": False}
        result = super().write(vals)
        if not vals.keys().isdisjoint(CORRECTABLE_FIELDS):
            # sudo: mango.callback - follows from a permitted change.
            self.sudo()._after_correction()
        return result

    def _check_correction(self, vals):
        mixins = (
            self.env["mail.thread"]._fields.keys()
            | self.env["mail.activity.mixin"]._fields.keys()
        )
        if vals.keys() - CORRECTABLE_FIELDS - mixins:
            raise AccessError(
                self.env._(
                    "On a client to call back, only the responsible and the deadline "
                    "can be changed."
                )
            )
        # sudo: res.users - only whether the user can be responsible.
        user_sudo = self.env["res.users"].sudo().browse(vals.get("user_id") or ())
        if user_sudo and not all(
            callback._can_be_responsible(user_sudo) for callback in self
        ):
            raise UserError(
                self.env._(
                    "Choose somebody who uses the telephony of this company: others "
                    "cannot see the client."
                )
            )

    def _after_correction(self):
        for callback in self:
            callback.user_ids |= callback.user_id
            if callback.state != "open":
                continue
            if not callback.user_id:
                callback._assign()
            if not callback.deadline:
                callback._set_deadline()
        self._update_todo()
        self._notify_listeners()

    def action_later(self):
        """Ask until when to postpone the call back."""
        return self._ask("later", self.env._("Call Back Later"))

    def action_close(self):
        """Ask how the client was dealt with without a call."""
        return self._ask("done", self.env._("Close"))

    def action_drop(self):
        """Ask why the client is not called back."""
        return self._ask("dropped", self.env._("Do Not Call Back"))

    def _ask(self, choice, title):
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": "mango.callback.decision",
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_callback_ids": self.ids,
                "default_choice": choice,
            },
        }

    def _put_off(self, until):
        """Postpone the call back; another call of the client cancels this.

        :param datetime until: UTC.
        """
        self.check_access("write")
        # sudo: mango.callback - write access was checked; limited to open entries.
        open_sudo = self._open_sudo()
        open_sudo.write(
            {
                "deadline": until,
                "deadline_is_manual": True,
                "later_set_at": fields.Datetime.now(),
                "overdue_told_at": False,
            }
        )
        open_sudo._after_correction()

    def _close_by_hand(self, state, reason):
        """Close entries manually.

        :param str state: ``done`` or ``dropped``.
        :param str reason: the user's explanation.
        :raise UserError: if clients are dropped without a reason.
        """
        self.check_access("write")
        reason = (reason or "").strip()
        if state == "dropped" and not reason:
            raise UserError(
                self.env._("Enter the reason why this client is not called back.")
            )
        open_sudo = self._open_sudo()
        now = fields.Datetime.now()
        for callback in open_sudo:
            # The clocks of the PBX and of this server may differ.
            closed_at = max(now, callback.last_missed_at)
            callback.write(
                {
                    "state": state,
                    "closed_by": "hand",
                    "reason": reason,
                    "closed_at": closed_at,
                    "closing_user_id": self.env.uid,
                }
            )
            callback._set_reaction()
        open_sudo._update_todo()
        open_sudo._notify_listeners()

    def _open_sudo(self):
        # sudo: mango.callback - the caller has checked that the user may change these.
        return self.sudo().filtered(lambda callback: callback.state == "open")

    def action_send_sms(self):
        """Open Odoo's composer for a text message to the client."""
        self.ensure_one()
        self.check_access("read")
        if "sms.composer" not in self.env:
            raise UserError(self.env._("The SMS app is not installed."))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Send SMS"),
            "res_model": "sms.composer",
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_composition_mode": "comment",
                "default_res_model": self._name,
                "default_res_id": self.id,
                "default_number_field_name": "client_number",
            },
        }

    def _phone_get_number_fields(self):
        return ["client_number"]

    def action_lose_lead(self):
        """Open Odoo's dialog for a lost lead."""
        self.ensure_one()
        lead = self.lead_id
        lead.check_access("write")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm.crm_lead_lost_action"
        )
        action["context"] = {
            "active_model": "crm.lead",
            "active_ids": lead.ids,
            "default_lead_ids": lead.ids,
        }
        return action

    def action_view_calls(self):
        """Open the calls of the entry, including the one that closed it."""
        self.ensure_one()
        self.check_access("read")
        return self.env["mango.call"]._action_of([("id", "in", self.call_ids.ids)])

    # ------------------------------------------------------------
    # Notifying users
    # ------------------------------------------------------------

    def _notify_listeners(self):
        """Notify the web clients of the users concerned of a change.

        Supervisors are notified while they have a view of all clients open.
        """
        self._notify_users()
        for account in self.account_id:
            account._bus_send("mango_office/board", {}, subchannel="board")

    def _notify_users(self, informed=None):
        """Notify the web clients of the users concerned.

        :param res.users informed: those who need no notification.
        """
        for callback in self:
            users = callback.user_ids - (informed or callback.user_ids.browse())
            users = users.filtered("active")
            users.partner_id._bus_send("mango_office/callback", {"id": callback.id})
