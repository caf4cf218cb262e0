from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.datetimes import from_epoch, to_epoch
from ...tools.locking import locked_transaction
from ...vpbx.call_state import fold

#: Fields that users may correct on a call; everything else comes from the PBX.
CORRECTABLE_FIELDS = {"partner_id", "lead_id", "note"}

#: Fields that determine who is responsible for the client.
CLIENT_FIELDS = {"partner_id", "lead_id"}

#: A call without a summary is closed when all its legs have been gone for this long …
QUIET_TIME = timedelta(minutes=10)

#: … or when it is older than any real conversation.
MAX_LIFE = timedelta(hours=12)

#: A call may be without any leg for some seconds.
LEG_GAP = timedelta(seconds=15)

#: Maximum time that a phone rings.
RINGING_TIME = timedelta(minutes=3)


class MangoCall(models.Model):
    """One conversation as users see it: the fold over its notifications."""

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
    # From the PBX.
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
        string="Rung",
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

    @api.depends("partner_id", "lead_id", "client_number", "direction", "user_id")
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
        result = super().write(vals)
        if not self.env.su and not vals.keys().isdisjoint(CLIENT_FIELDS):
            self._follow_client()
        if "manual_user_ids" in vals:
            # sudo: mango.call - participants are computed; a supervisor has just added
            # some.
            self.sudo()._update_participants()
        return result

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
        lock = self.env["mango.event"]._lock_name(self.account_id.id, self.entry_id)
        with locked_transaction(self.env, lock) as env:
            yield self.with_env(env)

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

    def _update_sealed(self, state):
        """Apply late notifications to a call whose earlier ones were removed.

        The call was computed from all of them, and cannot be computed from the late
        ones alone. Hook for other parts of the addon.

        :param CallState state: the fold over the late notifications.
        """

    # ------------------------------------------------------------
    # Following the PBX
    # ------------------------------------------------------------

    @api.model
    def _apply(self, entry_id, account=None, source="webhook"):
        """Update a call from everything that the PBX has reported about it.

        Idempotent and safe under concurrency: the call's row is always written, so that
        one of two transactions that do not see each other's notification fails and is
        retried (``design.md`` 2, traps).

        :param str entry_id: the PBX's identifier of the call.
        :param mango.account account: needed only if several PBXs use that identifier.
        :param str source: the source of the call, if it is new.
        :return: the call.
        :rtype: mango.call
        """
        if account is None:
            account = (
                self.env["mango.event"].search([("entry_id", "=", entry_id)]).account_id
            )
        call = self._touch(account, entry_id, source)
        events = call._events()
        state = call._fold(events)
        call = call.with_context(lang=account._language(), tracking_disable=True)
        if call.sealed_at:
            call._update_sealed(state)
        else:
            call._update_from(state)
        events._mark_done()
        return call

    def _events(self):
        return self.env["mango.event"]._events_of_entry(self.account_id, self.entry_id)

    def _fold(self, events, more=()):
        """Return the state of the call according to all its notifications.

        :param mango.event events: all of them.
        :param Iterable more: further parsed evidence.
        :rtype: CallState
        """
        return fold(
            [*events._parsed(), *more],
            lines=self.account_id._own_numbers(),
            closed_at=to_epoch(self.closed_at),
        )

    @api.model
    def _touch(self, account, entry_id, source):
        """Return the row of a call, always written by this transaction.

        :param str source: of a new call.
        :rtype: mango.call
        """
        account.flush_recordset(["company_id"])
        initial = self._prepare_initial_vals()
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO mango_call
                    (account_id, company_id, entry_id, source, create_uid, write_uid,
                     create_date, write_date, %(fields)s)
                SELECT id, company_id, %(entry_id)s, %(source)s, %(uid)s, %(uid)s,
                       %(now)s, %(now)s, %(values)s
                  FROM mango_account
                 WHERE id = %(account_id)s
                ON CONFLICT (account_id, entry_id)
                DO UPDATE SET write_date = EXCLUDED.write_date
                RETURNING id
                """,
                account_id=account.id,
                entry_id=entry_id,
                source=source,
                uid=self.env.uid,
                now=fields.Datetime.now(),
                fields=SQL(", ").join(map(SQL.identifier, initial)),
                values=SQL(", ").join(SQL("%s", value) for value in initial.values()),
            )
        )
        return self.browse(rows[0][0])

    @api.model
    def _prepare_initial_vals(self):
        """Return the values of stored fields that a new call must have.

        Hook for other parts of the addon.

        :rtype: dict
        """
        return {"state": "ringing"}

    def _update_from(self, state):
        """Write the differences between this call and the PBX's state.

        :param CallState state: the fold over all its notifications.
        """
        self.ensure_one()
        extensions = self.env["mango.extension"]._by_number(
            self.account_id, self._extension_numbers(state)
        )
        if state.client_number in extensions:
            # A colleague known only by number is not a client.
            state = replace(state, client_number=None)
        vals = self._prepare_vals(state, extensions)
        number_is_new = (vals["client_number"] or False) != self.client_number
        legs = self.env["mango.call.leg"]._legs_of_call(self)
        before = self._views(legs)
        people = legs._users()
        changed = self._write_changes(vals)
        legs, legs_changed = legs._update_legs(self, state.legs, extensions)
        origin_is_new = self._link_origin(state)
        changed |= origin_is_new
        if number_is_new or origin_is_new:
            changed |= self._identify_client()
        changed |= self._on_changed(state, extensions)
        arrived = self.env["res.users"]
        if changed or legs._users() != people:
            self._update_participants()
            arrived = self._put_on_screens(state, extensions)
        if changed:
            self._notify_participants()
        elif legs_changed or arrived:
            self._notify_about_legs(before, self._views(legs), arrived)
        if self.state == "ended" and (changed or legs_changed):
            self._on_ended()

    def _views(self, legs):
        """Return each user's view of the legs, to find out whom to notify.

        Hook for other parts of the addon.

        :param mango.call.leg legs: all of the call.
        :rtype: dict
        """
        return {}

    def _put_on_screens(self, state, extensions):
        """Show the call to those whose phone rings or rang.

        Hook for other parts of the addon.

        :param CallState state: the fold over all its notifications.
        :param dict[str, mango.extension] extensions: of the call, by number.
        :return: the users on whose screen it is new.
        :rtype: res.users
        """
        return self.env["res.users"]

    def _notify_about_legs(self, before, after, arrived):
        """Notify the users whose view of the call has changed, though the call has not.

        Hook for other parts of the addon.

        :param dict before: as returned by :meth:`_views`.
        :param dict after: the same, after the change.
        :param res.users arrived: the users on whose screen the call is new.
        """

    def _link_origin(self, state):
        """Link the call to the record that it was started from.

        Hook for other parts of the addon.

        :param CallState state: the fold over all its notifications.
        :return: whether anything changed.
        :rtype: bool
        """
        return False

    def _on_changed(self, state, extensions):
        """Handle the consequences of an update, in the same transaction.

        Hook for other parts of the addon.

        :param CallState state: the fold over all its notifications.
        :param dict[str, mango.extension] extensions: of the call, by number.
        :return: whether anything visible has changed.
        :rtype: bool
        """
        return False

    def _notify_participants(self):
        """Notify the participants that the call has changed.

        Hook for other parts of the addon.
        """

    def _on_ended(self):
        """Handle the end of the call, or a change after its end.

        Hook for other parts of the addon; may be called several times.
        """

    def _extension_numbers(self, state):
        """Return the numbers of a call that may be extensions.

        :rtype: set[str]
        """
        legs = state.legs
        found = {
            state.extension,
            *(leg.to_extension for leg in legs),
            *(leg.from_extension for leg in legs),
            *(recording.extension for recording in state.recordings),
        }
        if state.client_number and not self.account_id._e164(state.client_number):
            found.add(state.client_number)
        return found

    def _prepare_vals(self, state, extensions):
        extension = self._charged_extension(state, extensions)
        line = self._find_line(state.line_number)
        group_number, group = self._find_group(state, extensions)
        client = state.client_number
        return {
            "direction": state.direction or False,
            "state": state.state,
            "result": state.result or False,
            "client_number": client and (self.account_id._e164(client) or client),
            "line_number": state.line_number or False,
            "line_id": line.id,
            "group_number": group_number,
            "group_id": group.id,
            "extension_id": extension.id,
            # An extension may get another employee; a past call keeps the old one.
            "user_id": self.user_id.id
            if self.extension_id == extension and self.user_id
            else extension.user_id.id,
            "started_at": from_epoch(state.started_at),
            "answered_at": from_epoch(state.answered_at),
            "ended_at": from_epoch(state.ended_at),
            "wait_duration": state.wait_duration or 0,
            "talk_duration": state.talk_duration or 0,
            "end_reason": state.end_reason or 0,
        }

    def _find_line(self, number):
        if not number or self.line_number == number:
            return self.line_id
        return (
            self.env["mango.line"]
            .with_context(active_test=False)
            .search(
                Domain("account_id", "=", self.account_id.id)
                & Domain("number", "=", number)
            )
        )

    def _charged_extension(self, state, extensions):
        """Return the extension of the call; none if several people missed it.

        Hook for other parts of the addon.

        :param CallState state: the fold over all its notifications.
        :param dict[str, mango.extension] extensions: of the call, by number.
        :rtype: mango.extension
        """
        return extensions.get(state.extension, self.env["mango.extension"])

    def _find_group(self, state, extensions):
        """Return the number of the group that was rung, and the group if it is known.

        :rtype: tuple[str | bool, mango.group]
        """
        number = state.group_number
        if (
            not number
            and state.result == "missed"
            and state.extension not in extensions
        ):
            # Without legs, a group cannot be told from an employee in the summary.
            number = state.extension
        nothing = self.env["mango.group"]
        if not number:
            return False, nothing
        if self.group_number == number:
            return number, self.group_id
        group = nothing.with_context(active_test=False).search(
            Domain("account_id", "=", self.account_id.id)
            & Domain("number", "=", number)
        )
        return state.group_number or group.number, group

    def _write_changes(self, vals):
        """Write the values that differ.

        :param dict vals: as for :meth:`write`, without x2many fields.
        :return: whether anything differed.
        :rtype: bool
        """
        changes = {
            name: value
            for name, value in vals.items()
            if self._fields[name].convert_to_write(self[name], self) != (value or False)
        }
        if changes:
            self.write(changes)
        return bool(changes)

    def _identify_client(self):
        """Link the contact and the lead with the number; a manual choice stays.

        :return: whether anything changed.
        :rtype: bool
        """
        partner, lead = self.env["mango.caller.lookup"]._identify(
            self.account_id,
            self.client_number,
            self.partner_id if self.partner_is_manual else None,
        )
        vals = {}
        if not self.partner_is_manual:
            vals["partner_id"] = partner.id
        if not self.lead_is_manual:
            vals["lead_id"] = lead.id
        changed = self._write_changes(vals)
        return self._update_owner() or changed

    def _follow_client(self):
        """Show the call to the user responsible for a manually chosen client."""
        # sudo: mango.call - participants are computed; the client was chosen by
        # somebody who may correct the call.
        calls_sudo = self.sudo()
        for call in calls_sudo:
            call._update_owner()
        calls_sudo._update_participants()

    def _update_owner(self):
        """Store who is responsible for the client.

        :return: whether the user has changed.
        :rtype: bool
        """
        owner = self._owner()
        if self.env.user == self.owner_id != owner:
            # Users do not lose access to the call that they are correcting.
            self.manual_user_ids |= self.env.user
        return self._write_changes({"owner_id": owner.id})

    def _owner(self):
        """Return who is responsible for the client of the call.

        :rtype: res.users
        """
        # sudo: mango.call - only determines who sees the call.
        call_sudo = self.sudo()
        owners = (
            self.env["mango.caller.lookup"]
            .sudo()
            ._owners(call_sudo.partner_id, call_sudo.lead_id)
        )
        return owners[:1].with_env(self.env)

    def _update_participants(self):
        """Update the participants of these calls from the stored data.

        In SQL, so that notifications need not read them.
        """
        sources = SQL(" UNION ").join(self._participant_queries())
        self.env.execute_query(
            SQL(
                """
                WITH part (call_id, user_id) AS (%(sources)s),
                     gone AS (
                         DELETE FROM mango_call_res_users_rel AS rel
                               WHERE rel.mango_call_id = ANY(%(ids)s)
                                 AND (rel.mango_call_id, rel.res_users_id)
                                     NOT IN (SELECT call_id, user_id FROM part
                                              WHERE user_id IS NOT NULL)
                     )
                INSERT INTO mango_call_res_users_rel (mango_call_id, res_users_id)
                     SELECT part.call_id, part.user_id
                       FROM part
                       JOIN res_users ON res_users.id = part.user_id
                ON CONFLICT DO NOTHING
                  RETURNING res_users_id
                """,
                sources=sources,
                ids=self.ids,
            )
        )
        self.invalidate_recordset(["user_ids"], flush=False)

    def _participant_queries(self):
        """Return queries whose union gives the participants of these calls.

        Each selects a call's id and a user's id, which may be NULL. Hook for other
        parts of the addon.

        :rtype: list[SQL]
        """
        legs = self.env["mango.call.leg"]._fields
        return [
            SQL(
                "SELECT id, unnest(ARRAY[user_id, owner_id]) "
                "FROM mango_call WHERE id = ANY(%s)",
                self.ids,
                to_flush=[self._fields["user_id"], self._fields["owner_id"]],
            ),
            SQL(
                "SELECT call_id, unnest(ARRAY[from_user_id, to_user_id]) "
                "FROM mango_call_leg WHERE call_id = ANY(%s)",
                self.ids,
                to_flush=[legs["from_user_id"], legs["to_user_id"]],
            ),
            SQL(
                "SELECT mango_call_id, res_users_id "
                "FROM mango_call_manual_user_rel WHERE mango_call_id = ANY(%s)",
                self.ids,
            ),
        ]

    # ------------------------------------------------------------
    # Calls whose end was not reported
    # ------------------------------------------------------------

    @api.model
    def _close_abandoned(self):
        """Cron: end the calls whose summary never came."""
        now = fields.Datetime.now()
        # Every notification writes to its call, so this is the time of the last one.
        live = self.search(
            Domain("state", "!=", "ended")
            & Domain("write_date", "<", now - QUIET_TIME),
            order="id",
        )
        abandoned = live.filtered(lambda call: call._is_abandoned(now))
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(abandoned))
        for call in abandoned:
            with call._locked() as locked:
                if locked.state != "ended":
                    locked.closed_at = locked._last_seen_at()
                    locked._apply(locked.entry_id, locked.account_id)
            if not cron._commit_progress(1):
                break

    def _is_abandoned(self, now):
        if (self.started_at or self.create_date) < now - MAX_LIFE:
            return True
        return self._fold(self._events()).all_legs_gone

    def _is_alive(self):
        """Tell whether something may still be going on in this call.

        Its end may have been lost: then it counts as over when it has had no live leg
        for a while, when it has been ringing for longer than any phone rings, or when
        its employee has made or taken another call since.

        :rtype: bool
        """
        if self.state == "ended":
            return False
        quiet = fields.Datetime.now() - self.write_date
        if not self.leg_ids._live():
            return quiet < LEG_GAP
        if self.state == "ringing" and quiet > RINGING_TIME:
            return False
        return not self._has_later_call()

    def _has_later_call(self):
        if not self.extension_id or not self.started_at:
            return False
        # sudo: mango.call - only tells whether there is one.
        later = (
            Domain("extension_id", "=", self.extension_id.id)
            & Domain("started_at", ">", self.started_at)
            & Domain("answered_at", "!=", False)
        )
        return bool(self.sudo().search_count(later, limit=1))

    def _last_seen_at(self):
        """Return the last time that the PBX reported.

        :rtype: datetime
        """
        moments = self.leg_ids.mapped("ended_at") + self.leg_ids.mapped("started_at")
        return max(filter(None, [*moments, self.started_at]), default=self.create_date)
