import logging
import threading
import uuid
from datetime import timedelta
from functools import partial

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.modules.registry import Registry
from odoo.tools.constants import GC_UNLINK_LIMIT

from ...tools.locking import (
    in_own_transaction,
    in_thread_transaction,
    locked_transaction,
    retried,
    start_after_commit,
)
from ...vpbx import codes, errors, numbers

_logger = logging.getLogger(__name__)

#: States in which a command may still take effect; it is not given again meanwhile.
LIVE_STATES = ("requested", "accepted", "unclear")

#: After this time without a call, a callback has failed.
CALLBACK_PATIENCE = timedelta(seconds=60)

#: After this time, another attempt to hang up or to transfer is a new one.
PATIENCE = timedelta(seconds=5)

#: Longer than any request to the PBX takes: its thread must have died.
SENDING_TIME = timedelta(seconds=45)

#: How long a callback without a call stays on its user's screen.
SHOWN_TIME = timedelta(minutes=10)

KEPT_TIME = timedelta(days=90)

BUDGET_TIME = timedelta(hours=1)


class MangoCommand(models.Model):
    """A user's command to the PBX: call somebody, hang up or transfer.

    A command is stored, and sent once after the commit, by a separate thread. If it is
    unknown whether it arrived (after a timeout), it is ``unclear``. Nothing is ever
    sent again: a repeated callback dials twice.
    """

    _name = "mango.command"
    _description = "Command to the PBX"
    _order = "id desc"
    _rec_name = "command_id"

    account_id = fields.Many2one(
        "mango.account", string="PBX", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="account_id.company_id")
    user_id = fields.Many2one(
        "res.users",
        string="Sent By",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    command_id = fields.Char(
        required=True,
        readonly=True,
        default=lambda self: f"odoo-{uuid.uuid4()}",
        help="Repeated in the PBX's notifications.",
    )
    kind = fields.Selection(
        [
            ("callback", "Call"),
            ("hangup", "Hang Up"),
            ("transfer", "Transfer"),
        ],
        required=True,
        readonly=True,
    )
    state = fields.Selection(
        [
            ("requested", "To Send"),
            ("accepted", "Accepted"),
            ("unclear", "Unclear"),
            ("failed", "Refused"),
            ("done", "Done"),
        ],
        required=True,
        readonly=True,
        default="requested",
    )
    reason = fields.Char(readonly=True, help="Why it failed, in the user's language.")
    target = fields.Char(
        required=True,
        readonly=True,
        help="The same command is not sent to this target twice at a time.",
    )
    leg_ref = fields.Char(string="PBX Leg", readonly=True)
    entry_id = fields.Char(string="PBX Call", readonly=True)
    extension = fields.Char(readonly=True, help="Whose phone rings or rang.")
    device = fields.Char(readonly=True)
    line_number = fields.Char(string="Outgoing Line", readonly=True)
    to_number = fields.Char(
        string="Called Number", readonly=True, help="E.164, or an extension or group."
    )
    to_number_display = fields.Char(string="Whom", compute="_compute_to_number_display")
    method = fields.Selection(
        [("blind", "At Once"), ("hold", "After Asking")], readonly=True
    )
    res_model = fields.Char(string="Called From", readonly=True)
    res_id = fields.Many2oneReference(
        string="Record", model_field="res_model", readonly=True
    )
    is_card_closed = fields.Boolean(readonly=True)
    is_over_limit = fields.Boolean(
        readonly=True,
        help="Refused by Odoo: the employee has reached the click-to-call limit.",
    )
    _command_uniq = models.UniqueIndex(
        "(account_id, command_id)", "The PBX already has this command."
    )
    _live_uniq = models.UniqueIndex(
        "(user_id, kind, target) WHERE state IN ('requested', 'accepted', 'unclear')",
        "Already in progress.",
    )
    _entry_idx = models.Index("(entry_id) WHERE entry_id IS NOT NULL")
    # The calls of the last hour are counted at each click.
    _budget_idx = models.Index("(user_id, create_date) WHERE kind = 'callback'")

    @api.depends("to_number", "account_id")
    def _compute_to_number_display(self):
        for command in self:
            account = command.account_id
            command.to_number_display = account._display_number(command.to_number)

    # ------------------------------------------------------------
    # Giving a command
    # ------------------------------------------------------------

    @api.model
    def _submit_command(self, vals):
        """Store and send a command, unless the same one is in progress.

        It is stored in a transaction of its own: a failure of the current transaction
        cannot undo it, and a retry finds it.

        :param dict vals: for :meth:`create`, without the user, who is the current one.
        :return: for a callback, the card of the command or of its call; else None.
        :rtype: dict | None
        :raise UserError: if the company has blocked the number, or the user has made
            too many calls.
        """
        vals = {**vals, "user_id": self.env.uid}
        # sudo: mango.account - its company's limits, whichever company is active.
        account_sudo = self.env["mango.account"].sudo().browse(vals["account_id"])
        account_sudo._check_destination(vals.get("to_number"))
        refusal = None
        with locked_transaction(self.env, f"mango_office/user/{self.env.uid}") as env:
            # sudo: mango.command - the caller has checked the user's rights; commands
            # are created in no other way.
            commands_sudo = env["mango.command"].sudo()
            command = commands_sudo._under_way(vals)
            if not command:
                refusal = commands_sudo._refuse_over_limit(vals)
            if not command and not refusal:
                command = commands_sudo.create(vals)
                start_after_commit(env, send, command.id)
            if command.kind == "callback":
                return command._card()
        if refusal:
            # Raised after the commit, so that the administrators' notice is kept.
            raise UserError(refusal)
        return None

    @api.model
    def _under_way(self, vals):
        """Return the same command if it was given before and may still take effect.

        :param dict vals: values of the new command.
        :rtype: mango.command
        """
        same = self.search(
            Domain("user_id", "=", vals["user_id"])
            & Domain("kind", "=", vals["kind"])
            & Domain("target", "=", vals["target"])
            & Domain("state", "in", LIVE_STATES)
        )
        if same and not same._is_live():
            same.state = "done"
            same.flush_recordset()
            return self.browse()
        return same

    def _is_live(self):
        """Tell whether this command may still take effect.

        :rtype: bool
        """
        self.ensure_one()
        if self.state not in LIVE_STATES:
            return False
        if self.kind != "callback":
            return self._age() < PATIENCE
        if call := self._call():
            return call._is_alive()
        return self._age() < CALLBACK_PATIENCE

    def _is_lost(self):
        """Tell whether a command without a visible effect has come to nothing.

        :rtype: bool
        """
        if self.state == "requested":
            return self._age() > SENDING_TIME
        return self.state in LIVE_STATES and self._age() > CALLBACK_PATIENCE

    def _age(self):
        return fields.Datetime.now() - self.create_date

    def _lock_name(self):
        """Return the name of the lock of the notifications of this command's outcome.

        :rtype: str
        """
        return self.env["mango.event"]._lock_name(
            self.account_id.id, self.entry_id or self.command_id
        )

    def _call(self):
        """Return the call of a command: started by a callback, or affected by others.

        :rtype: mango.call
        """
        self.ensure_one()
        is_of_command = (
            Domain("callback_command_id", "=", self.command_id)
            if self.kind == "callback"
            else Domain("entry_id", "=", self.entry_id)
        )
        return self.env["mango.call"].search(
            Domain("account_id", "=", self.account_id.id) & is_of_command, limit=1
        )

    # ------------------------------------------------------------
    # Sending
    # ------------------------------------------------------------

    def _request(self):
        """Return a function that sends this command; None if it is not to be sent.

        Its thread may have had to wait. By then the user may have given the command up,
        and given it again.

        :return: to be called without arguments, outside of any transaction; raises
            :class:`VpbxError`.
        :rtype: Callable | None
        """
        if self.state != "requested":
            return None
        if self._is_lost():
            reason = self.env._("The PBX could not be asked in time. Try again.")
            self._set_outcome("failed", reason)
            return None
        try:
            client = self.account_id._client()
        except UserError as error:
            self._set_outcome("failed", str(error))
            return None
        if self.kind == "callback":
            return partial(
                client.callback,
                self.command_id,
                self.extension,
                numbers.to_pbx(self.to_number),
                line_number=self.line_number or None,
                device=self.device or None,
            )
        if self.kind == "hangup":
            return partial(client.hangup, self.command_id, self.leg_ref)
        return partial(
            client.transfer,
            self.command_id,
            self.leg_ref,
            self.method,
            numbers.to_pbx(self.to_number),
            self.extension,
        )

    def _on_answer(self, error):
        """Store the PBX's answer.

        :param error: None if it accepted the command.
        :type error: VpbxError | None
        """
        if self.state != "requested":
            return  # The outcome has arrived before the answer.
        if error is None:
            self._set_outcome("accepted", False)
            return
        state = "unclear" if error.ambiguous else "failed"
        self._set_outcome(state, self.env["mango.error.message"]._explain_error(error))

    def _set_outcome(self, state, reason):
        self.write({"state": state, "reason": reason})
        self._notify_user()

    # ------------------------------------------------------------
    # The outcome
    # ------------------------------------------------------------

    @api.model
    def _find_by_command_id(self, account_id, command_id):
        """Return the command that a notification refers to.

        :rtype: mango.command
        """
        return self.search(
            Domain("account_id", "=", account_id)
            & Domain("command_id", "=", command_id),
            limit=1,
        )

    @api.model
    def _apply_result(self, account, notification):
        """Store the failure of a command that the PBX had accepted.

        Success shows in the notifications of the call.

        :param mango.account account: whose PBX has reported it.
        :param CommandResult notification: results of other commands are ignored.
        """
        command = self._find_by_command_id(account.id, notification.command_id)
        if not command or command.state == "failed" or notification.code == codes.DONE:
            return
        command = command._as_its_user()
        error = errors.RefusedError(notification.code or 0, "")
        command._set_outcome(
            "failed", self.env["mango.error.message"]._explain_error(error)
        )

    # ------------------------------------------------------------
    # Notifying the user
    # ------------------------------------------------------------

    def _as_its_user(self):
        """Return the command with the language of its user in the context."""
        return self.with_context(lang=self.user_id.lang or self.account_id._language())

    def _card(self):
        """Return the card of a callback for its user.

        :return: the card of the call as soon as there is one.
        :rtype: dict
        """
        content = self.env["mango.card.content"].with_user(self.user_id)
        # The user may have another company active than the one that they call from.
        content = content.with_company(self.company_id)
        if call := self._call():
            return content._card_of_call(call.with_env(content.env))
        return content._card_of_command(self)

    def _notify_user(self):
        """Notify the web clients of the user of the command's state."""
        if self.kind == "callback":
            if not self._call():
                self.user_id._bus_send("mango_office/command", {"card": self._card()})
        elif self.reason:
            payload = {"error": self.reason, "call_id": self._call().id}
            self.user_id._bus_send("mango_office/command", payload)

    @api.model
    def _on_screen(self):
        """Return the callbacks without a call that are still on the user's screen.

        :rtype: mango.command
        """
        # sudo: mango.command - the user's own commands.
        recent_sudo = self.sudo().search(
            Domain("user_id", "=", self.env.uid)
            & Domain("kind", "=", "callback")
            & Domain("state", "!=", "done")
            & Domain("is_card_closed", "=", False)
            & Domain("create_date", ">", fields.Datetime.now() - SHOWN_TIME)
        )
        return recent_sudo.filtered(lambda command: not command._call())

    def close_card(self):
        """Take the cards of these callbacks off the user's screen, in every tab.

        :raise AccessError: if the user is not a telephony user.
        """
        self.env["mango.call.presence"].check_access("read")
        # sudo: mango.command - the user's own commands, and only their cards.
        user = self.env.user
        own_sudo = self.sudo().filtered(lambda command: command.user_id == user)

        def close(env):
            commands = own_sudo.with_env(env)
            commands.is_card_closed = True
            for command in commands:
                key = command._card_key()
                command.user_id._bus_send("mango_office/closed", {"key": key})

        locks = sorted(command._lock_name() for command in own_sudo)
        in_own_transaction(self.env, close, *locks)
        own_sudo.invalidate_recordset(["is_card_closed"])

    def _card_key(self):
        return f"command-{self.id}"

    @api.autovacuum
    def _gc_old(self):
        """Delete old commands; their calls stay."""
        old = self.search(
            Domain("create_date", "<", fields.Datetime.now() - KEPT_TIME),
            limit=GC_UNLINK_LIMIT,
        )
        old.unlink()
        return len(old), len(old) == GC_UNLINK_LIMIT

    # ------------------------------------------------------------
    # Click-to-call limit per hour
    # ------------------------------------------------------------

    @api.model
    def _refuse_over_limit(self, vals):
        """Return the refusal of a call beyond the limit per hour.

        Must be called while the user's lock is held, so that the second of two
        simultaneous clicks sees the command of the first.

        :param dict vals: values of the new command.
        :return: the message to the user; None if the call is allowed.
        :rtype: str | None
        """
        account = self.env["mango.account"].browse(vals["account_id"])
        limit = account.callback_limit_per_hour
        if vals["kind"] != "callback" or not limit:
            return None
        recent = (
            Domain("user_id", "=", vals["user_id"])
            & Domain("kind", "=", "callback")
            & Domain("create_date", ">", fields.Datetime.now() - BUDGET_TIME)
        )
        # One more than the limit, because a refusal is stored as a command, too.
        found = self.search_fetch(recent, ["is_over_limit"], limit=limit + 1)
        given = found.filtered(lambda command: not command.is_over_limit)
        if len(given) < limit:
            return None
        reason = self.env._(
            "You have reached your company's click-to-call limit of %s calls per "
            "hour. Wait a little, dial on your phone, or ask the telephony "
            "administrator.",
            limit,
        )
        if found == given:
            self._report_over_limit(account, {**vals, "reason": reason}, limit)
        return reason

    def _report_over_limit(self, account, vals, limit):
        """Notify the administrators that somebody is over the limit, once an hour.

        :param mango.account account: the PBX that would have called.
        :param dict vals: values of the refused command.
        :param int limit: the allowed number of calls per hour.
        """
        command = self.create(
            {
                **vals,
                "state": "failed",
                "is_over_limit": True,
                "is_card_closed": True,  # the user has been informed
            }
        )
        account_as_told = account.with_context(lang=account._language())
        account_as_told.message_post(
            body=account_as_told.env._(
                "%(user)s has reached the click-to-call limit of %(limit)s calls "
                "per hour.",
                user=command.user_id.name,
                limit=limit,
            ),
            author_id=self.env.ref("base.partner_root").id,
        )


def send(dbname, command_id):
    """Send a command, once; runs in a separate thread.

    The request happens outside of any transaction.

    :param str dbname: the database.
    :param int command_id: the ``mango.command``.
    """
    threading.current_thread().dbname = dbname
    registry = Registry(dbname)
    try:
        request = _on_command(registry, command_id, lambda command: command._request())
        if request is None:
            return
        error = None
        try:
            request()
        except errors.VpbxError as failure:
            error = failure
        _record_answer(registry, command_id, error)
        _on_command(registry, command_id, lambda command: command._on_answer(error))
    except Exception:
        _logger.exception("the command %s to the PBX failed", command_id)


def _on_command(registry, command_id, function):
    """Call a function of a command in a transaction of its own.

    It is serialized with the notifications of the command's outcome.
    """
    with registry.cursor() as holder:
        env = api.Environment(holder, SUPERUSER_ID, {})
        command = env["mango.command"].browse(command_id)
        with locked_transaction(env, command._lock_name()) as own:
            return retried(
                own, lambda own: function(command.with_env(own)._as_its_user())
            )


def _record_answer(registry, command_id, error):
    """Report the answer to the account: refusals add up, whoever caused them.

    :param error: None if the PBX accepted the command.
    :type error: VpbxError | None
    """

    def record(env):
        env["mango.command"].browse(command_id).account_id._record_answer(error)

    in_thread_transaction(registry, record)
