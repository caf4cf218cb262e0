from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .mango_callback import SOON

#: A click without a call after this time leads to none.
DIALLING_TIME = timedelta(seconds=60)


class MangoCallback(models.Model):
    """Fields of a waiting entry that are computed when it is shown."""

    _inherit = "mango.callback"

    urgency = fields.Selection(
        [
            ("fine", "Enough Time"),
            ("soon", "Soon"),
            ("overdue", "Overdue"),
            ("later", "Postponed"),
        ],
        compute="_compute_urgency",
    )
    calling = fields.Char(
        string="Being Called By",
        compute="_compute_calling",
        help="Who is calling or speaking with the client right now.",
    )
    is_calling_me = fields.Boolean(compute="_compute_calling")
    is_talking = fields.Boolean(
        compute="_compute_calling", help="The client has answered, or was answered."
    )
    last_words = fields.Char(
        compute="_compute_last_words",
        help="The last note about a call with this client.",
    )
    asks = fields.Boolean(
        string="What Now?",
        compute="_compute_asks",
        help="The maximum number of unsuccessful tries has been reached.",
    )

    has_sms = fields.Boolean(compute="_compute_has_sms")

    def _compute_has_sms(self):
        self.has_sms = "sms.composer" in self.env

    @api.depends("state", "deadline", "later_set_at")
    def _compute_urgency(self):
        now = fields.Datetime.now()
        for callback in self:
            callback.urgency = callback._urgency(now)

    def _urgency(self, now):
        if self.state != "open" or not self.deadline:
            return False
        if self.deadline < now:
            return "overdue"
        if self.later_set_at:
            return "later"
        return "soon" if self.deadline < now + SOON else "fine"

    @api.depends("state", "try_count", "account_id.callback_max_tries")
    def _compute_asks(self):
        for callback in self:
            limit = callback.account_id.callback_max_tries
            callback.asks = callback.state == "open" and 0 < limit <= callback.try_count

    # ------------------------------------------------------------
    # Who is calling the client
    # ------------------------------------------------------------

    @api.depends("state", "client_number", "partner_id")
    @api.depends_context("uid")
    def _compute_calling(self):
        open_ones = self.filtered(lambda callback: callback.state == "open")
        users = open_ones._calling_users()
        for callback in self:
            user, is_talking = users.get(callback.id, (self.env["res.users"], False))
            callback.calling = user.name or False
            callback.is_calling_me = user == self.env.user
            callback.is_talking = is_talking

    def _calling_users(self):
        """Return the users who are calling or speaking with the clients of entries.

        :return: the user, and whether they are talking, by the entry's id.
        :rtype: dict[int, tuple[res.users, bool]]
        """
        if not self:
            return {}
        # sudo: mango.call, mango.command - readers of the entry may know that a
        # colleague takes care of the client; nothing but the name is shown.
        calls_sudo = (
            self.env["mango.call"]
            .sudo()
            .search(
                Domain("state", "!=", "ended")
                & Domain("account_id", "in", self.account_id.ids)
                & (
                    Domain("direction", "=", "outbound")
                    | Domain("state", "=", "talking")
                )
            )
        )
        commands_sudo = (
            self.env["mango.command"]
            .sudo()
            .search(
                Domain("kind", "=", "callback")
                & Domain("state", "in", ("requested", "accepted", "unclear"))
                & Domain("to_number", "in", self.mapped("client_number"))
                & Domain("create_date", ">", fields.Datetime.now() - DIALLING_TIME)
            )
            .filtered(lambda command: command._is_live())
        )
        found = {}
        for callback in self:
            user, is_talking = callback._caller_among(calls_sudo, commands_sudo)
            if user:
                found[callback.id] = user, is_talking
        return found

    def _caller_among(self, calls, commands):
        calls = calls.filtered(
            lambda call: (
                call.account_id == self.account_id
                and (
                    call.client_number == self.client_number
                    or (self.partner_id and call.partner_id == self.partner_id)
                )
            )
        )
        commands = commands.filtered(
            lambda command: (
                command.account_id == self.account_id
                and command.to_number == self.client_number
            )
        )
        talks = calls.filtered(lambda call: call.state == "talking" and call.user_id)
        user = talks.user_id or calls.user_id or commands.user_id
        return user[:1], bool(talks)

    @api.model
    def _open_of_call(self, call):
        """Return the open entry of the client of a call.

        :rtype: mango.callback
        """
        return self.search(self._open_domain(call), limit=1)

    @api.model
    def _open_domain(self, call):
        """Return the domain for the open entries of the client of a call.

        :rtype: Domain
        """
        if call.direction == "internal" or not call.client_number:
            return Domain.FALSE
        is_client = Domain("client_number", "=", call.client_number)
        if call.partner_id:
            is_client |= Domain("partner_id", "=", call.partner_id.id)
        return (
            Domain("account_id", "=", call.account_id.id)
            & Domain("state", "=", "open")
            & is_client
        )

    @api.model
    def _tell_of_call(self, call):
        """Notify the users concerned that a talk to a client begins, changes or ends.

        The participants and the boards are notified of the call itself, after which
        their web clients reload the entries, too. This halves the messages of a group
        whose members have all missed the client before.

        :param mango.call call: one that has just changed.
        """
        callbacks = self.search(self._open_domain(call))
        if callbacks:
            callbacks._notify_users(informed=call.user_ids)

    @api.model
    def _tell_of_calling(self, account, number):
        """Notify the users concerned that somebody is calling a client.

        :param mango.account account: from which the client is called.
        :param str number: E.164; nothing happens if no client with this number waits.
        """
        if not number:
            return
        waiting = self.search(
            Domain("account_id", "=", account.id)
            & Domain("client_number", "=", number)
            & Domain("state", "=", "open")
        )
        waiting._notify_listeners()

    # ------------------------------------------------------------
    # The last note
    # ------------------------------------------------------------

    @api.depends("client_number")
    def _compute_last_words(self):
        notes = self._last_notes()
        for callback in self:
            callback.last_words = notes.get(callback.client_number, False)

    def _last_notes(self):
        """Return the last notes about the clients that the user may read.

        :return: by number.
        :rtype: dict[str, str]
        """
        numbers = [number for number in self.mapped("client_number") if number]
        if not numbers:
            return {}
        calls = self.env["mango.call"]
        calls.flush_model(["client_number", "note", "started_at"])
        query = calls._search(
            Domain("client_number", "in", numbers) & Domain("note", "!=", False)
        )
        number, note, started_at = (
            calls._field_to_sql(calls._table, name, query)
            for name in ("client_number", "note", "started_at")
        )
        rows = self.env.execute_query(
            SQL(
                "SELECT DISTINCT ON (%s) %s, %s FROM %s WHERE %s ORDER BY %s, %s DESC",
                number,
                number,
                note,
                query.from_clause,
                query.where_clause or SQL("TRUE"),
                number,
                started_at,
            )
        )
        return dict(rows)
