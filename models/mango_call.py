from contextlib import contextmanager

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL

from .transaction import locked_transaction

#: What a person may correct on a call; everything else is the PBX's word.
CORRECTABLE_FIELDS = {"partner_id", "lead_id", "note"}


class MangoCall(models.Model):
    """One conversation as a person sees it: the fold over its notifications."""

    _name = "mango.call"
    _description = "Call"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "started_at desc, id desc"
    _rec_names_search = ["client_number", "partner_id", "lead_id"]
    _mail_post_access = "read"

    account_id = fields.Many2one(
        "mango.account", string="PBX", required=True, readonly=True, index=True
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

    # What the PBX says.
    direction = fields.Selection(
        [("inbound", "Inbound"), ("outbound", "Outbound"), ("internal", "Internal")],
        readonly=True,
    )
    state = fields.Selection(
        [("ringing", "Ringing"), ("talking", "Talking"), ("ended", "Ended")],
        required=True,
        readonly=True,
        default="ringing",
    )
    result = fields.Selection(
        [
            ("answered", "Answered"),
            ("missed", "Missed"),
            ("unanswered", "No Answer"),
            ("busy", "Busy"),
            ("failed", "Failed"),
        ],
        readonly=True,
        help="Missed: inbound without a talk. No answer: outbound without one.",
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
        help="Who talked; for a missed call who missed it first.",
    )
    user_id = fields.Many2one(
        "res.users", string="Employee", readonly=True, index="btree_not_null"
    )
    user_ids = fields.Many2many(
        "res.users",
        string="Participants",
        readonly=True,
        help="Whose phone rang or who called, and who is responsible for the client.",
    )
    started_at = fields.Datetime(string="Started", readonly=True)
    answered_at = fields.Datetime(readonly=True)
    ended_at = fields.Datetime(readonly=True)
    closed_at = fields.Datetime(
        readonly=True, help="Set if the PBX never told that the call ended."
    )
    wait_duration = fields.Integer(
        string="Wait", readonly=True, help="Seconds to the answer, or to the end."
    )
    talk_duration = fields.Integer(string="Talk", readonly=True, help="Seconds")
    end_reason = fields.Integer(
        string="End Code", readonly=True, help="The PBX's code."
    )
    end_reason_text = fields.Char(
        string="Ended Because", compute="_compute_end_reason_text"
    )
    leg_ids = fields.One2many("mango.call.leg", "call_id", string="Legs", readonly=True)
    event_ids = fields.Many2many(
        "mango.event",
        string="Notifications",
        compute="_compute_event_ids",
        groups="mango_office.group_admin",
    )
    timeline = fields.Json(compute="_compute_timeline")

    # Who called, and what became of it here.
    partner_id = fields.Many2one(
        "res.partner", string="Contact", index="btree_not_null", tracking=True
    )
    lead_id = fields.Many2one("crm.lead", index="btree_not_null", tracking=True)
    partner_is_manual = fields.Boolean(
        readonly=True, help="The contact was chosen by a person."
    )
    lead_is_manual = fields.Boolean(
        readonly=True, help="The lead was chosen by a person."
    )
    candidate_ids = fields.Many2many(
        "res.partner",
        string="Other Contacts with This Number",
        compute="_compute_candidate_ids",
    )
    note = fields.Text()
    callback_command_id = fields.Char(
        readonly=True,
        index="btree_not_null",
        help="The command of a person in Odoo from which the call came.",
    )
    res_model = fields.Char(string="Called From Model", readonly=True)
    res_id = fields.Many2oneReference(
        string="Called From", model_field="res_model", readonly=True
    )
    routed_extension_id = fields.Many2one("mango.extension", readonly=True)
    route_state = fields.Selection(
        [
            ("none", "Not Needed"),
            ("sent", "Sent"),
            ("accepted", "Accepted"),
            ("failed", "Routing Failed"),
            ("skipped", "Not Routed"),
        ],
        string="Routing",
        required=True,
        readonly=True,
        default="none",
    )
    route_reason = fields.Char(string="Route", readonly=True)
    route_command_id = fields.Char(readonly=True, index="btree_not_null")

    _entry_uniq = models.UniqueIndex(
        "(account_id, entry_id)", "This call is known already."
    )
    _started_idx = models.Index("(started_at DESC, id DESC)")
    _live_idx = models.Index("(id) WHERE state != 'ended'")
    # The last calls with a client, on every card; the company, which the rules ask for,
    # so that counting them on the contact needs the index only.
    _partner_idx = models.Index(
        "(partner_id, started_at DESC) INCLUDE (company_id) "
        "WHERE partner_id IS NOT NULL"
    )
    _client_idx = models.Index(
        "(client_number, started_at DESC) WHERE client_number IS NOT NULL"
    )

    # ------------------------------------------------------------
    # Computed fields
    # ------------------------------------------------------------

    @api.depends("partner_id", "lead_id", "client_number", "direction", "user_id")
    def _compute_display_name(self):
        for call in self:
            call.display_name = call._client_name()

    def _client_name(self):
        """Return who is at the other end, as well as it is known.

        :rtype: str
        """
        self.ensure_one()
        # sudo: res.partner, crm.lead - the name of the client of a call that the
        # reader may read; a record rule on leads must not make the log unreadable.
        call_sudo = self.sudo()
        if call_sudo.partner_id:
            return call_sudo.partner_id.display_name
        if call_sudo.lead_id:
            return call_sudo.lead_id.display_name
        if self.client_number:
            return self.client_number_display
        if self.direction == "internal":
            return self.env._("Internal call")
        if not self.direction:
            return self.env._("Unknown number")
        return self.env._("Hidden number")

    @api.depends("client_number", "account_id")
    def _compute_client_number_display(self):
        for call in self:
            call.client_number_display = call.account_id._display_number(
                call.client_number
            )

    @api.depends("end_reason")
    @api.depends_context("lang")
    def _compute_end_reason_text(self):
        meaning = self.env["mango.meaning"]
        for call in self:
            call.end_reason_text = (
                meaning._of_code(call.end_reason) if call.end_reason else False
            )

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
            partners = self.env["mango.caller"]._find_partners(
                call.account_id, call.client_number
            )
            call.candidate_ids = partners - call.partner_id

    @api.depends("leg_ids", "state", "route_reason", "end_reason")
    @api.depends_context("lang")
    def _compute_timeline(self):
        timeline = self.env["mango.timeline"]
        for call in self:
            call.timeline = timeline._steps(call)

    # ------------------------------------------------------------
    # CRUD: a call is the PBX's word; people add theirs
    # ------------------------------------------------------------

    def write(self, vals):
        if not self.env.su:
            self._check_correction(vals)
            vals = dict(vals)
            if "partner_id" in vals:
                vals["partner_is_manual"] = True
            if "lead_id" in vals:
                vals["lead_is_manual"] = True
        result = super().write(vals)
        if not self.env.su and not vals.keys().isdisjoint({"partner_id", "lead_id"}):
            self._let_owner_in()
        return result

    def _check_correction(self, vals):
        mixins = (
            self.env["mail.thread"]._fields.keys()
            | self.env["mail.activity.mixin"]._fields.keys()
        )
        forbidden = vals.keys() - CORRECTABLE_FIELDS - mixins
        if forbidden:
            raise AccessError(
                self.env._(
                    "On a call, only the contact, the lead and the note can be changed."
                )
            )

    # ------------------------------------------------------------
    # Routing
    # ------------------------------------------------------------

    def _skip_route(self, reason):
        self.write(
            {"route_state": "skipped", "route_reason": self._reason_with(reason)}
        )

    def _reason_with(self, sentence):
        """Return the reason for the route with one more sentence.

        :rtype: str
        """
        return " ".join(filter(None, [self.route_reason, sentence]))

    @contextmanager
    def _locked(self):
        """Open a transaction that no notification of this call interferes with.

        :return: context manager giving the call there.
        """
        lock = self.env["mango.event"]._lock_name(self.account_id.id, self.entry_id)
        with locked_transaction(self.env, lock) as env:
            yield self.with_env(env)

    # ------------------------------------------------------------
    # Telling people
    # ------------------------------------------------------------

    def _notify_participants(self):
        """Tell the web clients of the participants that the call has changed.

        The payload names the call; what there is to see of it, each client reads
        under its user's own rights.
        """
        if self.env.context.get("mango_quiet"):
            return  # History: nobody waits for it, and there are thousands of it.
        self._listeners()._bus_send("mango_office/call", self._bus_payload())
        self._notify_board()

    def _listeners(self):
        """Return whom the web clients of the participants listen for.

        In SQL: of the users nothing else is needed, at every notification.

        :return: of the participants who may still log in.
        :rtype: res.partner
        """
        self.env["res.users"].flush_model(["active", "partner_id"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT person.partner_id
                  FROM mango_call_res_users_rel AS rel
                  JOIN res_users AS person ON person.id = rel.res_users_id
                 WHERE rel.mango_call_id = %s AND person.active
                """,
                self.id,
            )
        )
        return self.env["res.partner"].browse(row[0] for row in rows)

    def _bus_payload(self):
        return {
            "id": self.id,
            "state": self.state,
            "direction": self.direction,
            "result": self.result,
        }

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    @api.model
    def _action_of(self, domain):
        """Return the call log limited to a domain, whatever the day.

        :param Domain domain: which calls.
        :rtype: dict
        :raise AccessError: if the user has no part in telephony.
        """
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "mango_office.mango_call_action"
        )
        action["domain"] = list(domain)
        action["context"] = {}
        return action
