from contextlib import contextmanager

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

from ...tools.locking import locked_transaction

DIRECTIONS = [
    ("inbound", "Inbound"),
    ("outbound", "Outbound"),
    ("internal", "Internal"),
]
RESULTS = [
    ("answered", "Answered"),
    ("missed", "Missed"),
    ("unanswered", "No Answer"),
    ("busy", "Busy"),
    ("failed", "Failed"),
]

#: Fields that users may correct on a call; everything else comes from the PBX.
CORRECTABLE_FIELDS = {"partner_id", "lead_id", "note"}


class MangoCall(models.Model):
    """One conversation as users see it: the fold over its notifications."""

    _name = "mango.call"
    _description = "Call"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "started_at desc, id desc"
    _mail_post_access = "read"

    @property
    def _rec_names_search(self):
        names = ["client_number", "partner_id"]
        # Telephony alone gives no access to leads.
        return [*names, "lead_id"] if self.env["crm.lead"].has_access("read") else names

    account_id = fields.Many2one(
        "mango.account", string="PBX", required=True, readonly=True
    )
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, index=True
    )
    entry_id = fields.Char(string="PBX Call", required=True, readonly=True)
    source = fields.Selection(
        [("webhook", "Notification"), ("statistics", "Statistics")],
        required=True,
        readonly=True,
        default="webhook",
    )
    # From the PBX.
    direction = fields.Selection(DIRECTIONS, readonly=True)
    state = fields.Selection(
        [("ringing", "Ringing"), ("talking", "Talking"), ("ended", "Ended")],
        required=True,
        readonly=True,
        default="ringing",
    )
    result = fields.Selection(
        RESULTS,
        readonly=True,
        help="Missed: inbound and not answered. No answer: outbound and not answered.",
    )
    client_number = fields.Char(string="Number", readonly=True, help="E.164")
    client_number_display = fields.Char(
        string="Client Number", compute="_compute_client_number_display"
    )
    line_number = fields.Char(readonly=True)
    line_id = fields.Many2one(
        "mango.line", readonly=True, index="btree_not_null", ondelete="set null"
    )
    extension_id = fields.Many2one(
        "mango.extension",
        readonly=True,
        index="btree_not_null",
        help="The employee who talked; for a missed call, the only one rung, or the "
        "one chosen by Odoo.",
    )
    user_id = fields.Many2one(
        "res.users",
        string="Employee",
        readonly=True,
        index="btree_not_null",
        help="The employee who talked; for a missed call, the only one rung, or the "
        "one chosen by Odoo. A call that several people missed belongs to their "
        "group.",
    )
    group_number = fields.Char(readonly=True)
    group_id = fields.Many2one(
        "mango.group",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="The group of the PBX that was rung.",
    )
    group_text = fields.Char(
        string="Group Instead of the Employee", compute="_compute_group_text"
    )
    rung_extension_ids = fields.Many2many(
        "mango.extension",
        string="Phones Rung",
        compute="_compute_rung_extension_ids",
        help="Everybody whose phone rang, in this order.",
    )
    owner_id = fields.Many2one(
        "res.users",
        string="Responsible for the Client",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    manual_user_ids = fields.Many2many(
        "res.users",
        relation="mango_call_manual_user_rel",
        string="Added Manually",
        help="They see the call although they did not take part in it.",
    )
    user_ids = fields.Many2many(
        "res.users",
        string="Participants",
        readonly=True,
        help="Everybody whose phone rang, who called, who is responsible for the "
        "client, or who was added manually.",
    )
    started_at = fields.Datetime(string="Started", readonly=True)
    answered_at = fields.Datetime(readonly=True)
    ended_at = fields.Datetime(readonly=True)
    closed_at = fields.Datetime(
        readonly=True, help="Set if the PBX never reported the end of the call."
    )
    wait_duration = fields.Integer(
        string="Wait", readonly=True, help="Seconds until the answer, or until the end."
    )
    talk_duration = fields.Integer(string="Talk", readonly=True, help="Seconds")
    talking_seconds = fields.Integer(
        compute="_compute_talking_seconds",
        help="Seconds since the answer, for a call that is going on.",
    )
    end_reason = fields.Integer(
        string="End Code", readonly=True, help="The PBX's code."
    )
    end_reason_text = fields.Char(
        string="End Reason", compute="_compute_end_reason_text"
    )
    leg_ids = fields.One2many("mango.call.leg", "call_id", string="Legs", readonly=True)
    event_ids = fields.Many2many(
        "mango.event",
        string="Notifications",
        compute="_compute_event_ids",
        groups="mango_office.group_admin",
    )
    timeline = fields.Json(compute="_compute_timeline")
    # Who called.
    partner_id = fields.Many2one(
        "res.partner", string="Contact", index="btree_not_null", tracking=True
    )
    lead_id = fields.Many2one("crm.lead", index="btree_not_null", tracking=True)
    partner_is_manual = fields.Boolean(
        readonly=True, help="The contact was chosen manually."
    )
    lead_is_manual = fields.Boolean(readonly=True, help="The lead was chosen manually.")
    candidate_ids = fields.Many2many(
        "res.partner",
        string="Other Contacts with This Number",
        compute="_compute_candidate_ids",
    )
    note = fields.Text()
    _entry_uniq = models.UniqueIndex(
        "(account_id, entry_id)", "This call is already known."
    )
    _started_idx = models.Index("(started_at DESC, id DESC)")
    _live_idx = models.Index("(id) WHERE state != 'ended'")
    # For the last calls with a client on every card; includes the company for the
    # record rules, so that counting a contact's calls is an index-only scan.
    _partner_idx = models.Index(
        "(partner_id, started_at DESC) INCLUDE (company_id) "
        "WHERE partner_id IS NOT NULL"
    )
    _client_idx = models.Index(
        "(client_number, started_at DESC) WHERE client_number IS NOT NULL"
    )
    sealed_at = fields.Datetime(
        readonly=True,
        help="When the notifications of the call were removed; the call is final "
        "since then.",
    )
    _unsealed_idx = models.Index(
        "(account_id, COALESCE(ended_at, create_date)) WHERE sealed_at IS NULL"
    )

    # ------------------------------------------------------------
    # Computed fields
    # ------------------------------------------------------------

    @api.depends(
        "partner_id",
        "lead_id",
        "client_number",
        "direction",
        "user_id",
        "extension_id",
        "rung_extension_ids",
    )
    def _compute_display_name(self):
        for call in self:
            call.display_name = call._client_name()

    def _client_name(self):
        """Return the name of the client, or the best substitute.

        :rtype: str
        """
        self.ensure_one()
        # sudo: res.partner, crm.lead - the client's name, for readers of the call; a
        # record rule on leads must not make the log unreadable.
        call_sudo = self.sudo().with_context(mango_person_first=True)
        if call_sudo.partner_id:
            return call_sudo.partner_id.display_name
        if call_sudo.lead_id:
            return call_sudo.lead_id.display_name
        if self.client_number:
            return self.client_number_display
        if self.direction == "internal":
            return self._internal_name()
        if not self.direction:
            return self.env._("Unknown number")
        return self.env._("Hidden number")

    def _internal_name(self):
        """Return who called whom.

        :rtype: str
        """
        caller, called = self.extension_id, self.rung_extension_ids[:1]
        if not caller or not called:
            return self.env._("Internal call")
        # sudo: mango.extension - the names of colleagues, for readers of the call.
        ends_sudo = (caller | called).sudo()
        return " → ".join(end.name or end.number for end in ends_sudo)

    @api.depends("client_number", "account_id")
    def _compute_client_number_display(self):
        for call in self:
            call.client_number_display = call.account_id._display_number(
                call.client_number
            )

    @api.depends("state", "answered_at")
    def _compute_talking_seconds(self):
        now = fields.Datetime.now()
        for call in self:
            since = (call.state == "talking" and call.answered_at) or now
            call.talking_seconds = max(int((now - since).total_seconds()), 0)

    @api.depends("end_reason")
    @api.depends_context("lang")
    def _compute_end_reason_text(self):
        meaning = self.env["mango.error.message"]
        for call in self:
            call.end_reason_text = (
                meaning._explain_code(call.end_reason) if call.end_reason else False
            )

    @api.depends("user_id", "extension_id", "group_id", "direction", "result")
    @api.depends_context("lang")
    def _compute_group_text(self):
        for call in self:
            call.group_text = call._group_words()

    def _group_words(self):
        """Return the text shown instead of the employee for a group's inbound call.

        :return: False if there is an employee, or no group.
        :rtype: str | bool
        """
        # sudo: mango.group - the group's name, for readers of the call.
        group_sudo = self.sudo().group_id
        is_nobodys = not self.user_id and not self.extension_id
        if not is_nobodys or not group_sudo or self.direction != "inbound":
            return False
        name = group_sudo.name or group_sudo.number
        if self.result == "missed":
            return self.env._("%(group)s, nobody answered", group=name)
        return name

    @api.depends(
        "direction", "extension_id", "leg_ids.to_extension", "leg_ids.location"
    )
    def _compute_rung_extension_ids(self):
        numbers = {call: call._rung_numbers() for call in self}
        for account, calls in self.grouped("account_id").items():
            wanted = {number for call in calls for number in numbers[call]}
            by_number = self.env["mango.extension"]._by_number(account, wanted)
            for call in calls:
                call.rung_extension_ids = self.env["mango.extension"].concat(
                    *(by_number[n] for n in numbers[call] if n in by_number)
                )

    def _rung_numbers(self):
        """Return the extensions that were rung, each once, in order.

        :rtype: list[str]
        """
        # A callback also rings the caller.
        caller = self.direction != "inbound" and self.extension_id.number
        rung = self.leg_ids._rung().mapped("to_extension")
        return [number for number in dict.fromkeys(rung) if number != caller]

    @api.depends("account_id", "entry_id")
    def _compute_event_ids(self):
        for call in self:
            call.event_ids = self.env["mango.event"].search(
                Domain("account_id", "=", call.account_id.id)
                & Domain("entry_id", "=", call.entry_id),
                order="id",
            )

    @api.depends("client_number", "partner_id", "account_id")
    def _compute_candidate_ids(self):
        for call in self:
            partners = self.env["mango.caller.lookup"]._find_partners(
                call.account_id, call.client_number
            )
            call.candidate_ids = partners - call.partner_id

    @api.depends("leg_ids", "state", "end_reason")
    @api.depends_context("lang")
    def _compute_timeline(self):
        timeline = self.env["mango.timeline"]
        for call in self:
            call.timeline = timeline._steps(call)

    # ------------------------------------------------------------
    # CRUD: calls come from the PBX; users add notes and corrections
    # ------------------------------------------------------------

    def write(self, vals):
        if not self.env.su:
            self._check_correction(vals)
            vals = dict(vals)
            if "partner_id" in vals:
                vals["partner_is_manual"] = True
            if "lead_id" in vals:
                vals["lead_is_manual"] = True
        return super().write(vals)

    @api.model
    def _correctable_fields(self):
        """Return the names of the fields that a person may write.

        For other parts of the addon to extend.

        :rtype: set[str]
        """
        return CORRECTABLE_FIELDS

    def _check_correction(self, vals):
        mixins = (
            self.env["mail.thread"]._fields.keys()
            | self.env["mail.activity.mixin"]._fields.keys()
        )
        allowed = self._correctable_fields() | mixins
        if self.env.user.has_group("mango_office.group_supervisor"):
            # Users who may see all calls may also share one.
            allowed |= {"manual_user_ids"}
        forbidden = vals.keys() - allowed
        if forbidden:
            raise AccessError(
                self.env._(
                    "On a call, only the contact, the lead, the outcome and the note "
                    "can be changed."
                )
            )

    @contextmanager
    def _locked(self):
        """Open a transaction that is serialized with the notifications of this call.

        :return: context manager giving the call there.
        """
        with locked_transaction(self.env, self._call_lock_name()) as env:
            yield self.with_env(env)

    def _call_lock_name(self):
        return self.env["mango.event"]._lock_name(self.account_id.id, self.entry_id)

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    @api.model
    def _action_of(self, domain):
        """Return the call log limited to a domain, without a date filter.

        :param Domain domain: which calls.
        :rtype: dict
        :raise AccessError: if the user is not a telephony user.
        """
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "mango_office.mango_call_action"
        )
        action["domain"] = list(domain)
        action["context"] = {}
        return action

    @api.model
    def _find_by_entry(self, account, entry_id):
        """Return the call with an identifier of the PBX; empty if it is unknown.

        :rtype: mango.call
        """
        return self.search(
            Domain("account_id", "=", account.id) & Domain("entry_id", "=", entry_id)
        )
