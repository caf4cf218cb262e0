import logging
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from odoo import SUPERUSER_ID, api, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.modules.registry import Registry

from ...tools.locking import start_after_commit
from ...vpbx import errors

_logger = logging.getLogger(__name__)

#: How long a route command may wait for its turn. A greeting is seldom longer than
#: ten seconds, and the caller has heard a part of it already.
PATIENCE = timedelta(seconds=5)

RESULT_DONE = 1000


@dataclass(frozen=True)
class RouteCommand:
    """What is told to the PBX: ring ``to_number`` for the caller on ``leg_ref``."""

    client: object
    command_id: str
    leg_ref: str
    to_number: str


class MangoRouter(models.AbstractModel):
    """To whom a call is routed, and the command that does it (``design.md`` 4)."""

    _name = "mango.router"
    _description = "Call Routing"

    # ------------------------------------------------------------
    # Deciding
    # ------------------------------------------------------------

    @api.model
    def _decide(self, call, menu_leg):
        """Decide to whom an inbound call goes.

        :param mango.call call: identified, not yet decided.
        :param str menu_leg: the leg that is in the menu or queue; None if none is.
        :return: values for the call, ``route_reason`` always among them.
        :rtype: dict
        """
        if not call.account_id.routing_enabled:
            return self._skipped(self.env._("Routing is switched off in the settings."))
        if not call.client_number:
            return self._skipped(self.env._("The caller hides their number."))
        if not call.partner_id and not call.lead_id:
            return self._skipped(
                self.env._("No contact and no open lead has the caller's number.")
            )
        owners = self.env["mango.caller.lookup"]._owners(call.partner_id, call.lead_id)
        if not owners:
            return self._skipped(self.env._("Nobody is responsible for the caller."))
        owner, extension = self._first_with_extension(call.account_id, owners)
        if not extension:
            return self._skipped(
                self.env._(
                    "%(name)s, the %(why)s, has no extension.",
                    name=owner.user.name,
                    why=owner.reason,
                )
            )
        reason = self.env._(
            "%(name)s (%(extension)s), the %(why)s.",
            name=owner.user.name,
            extension=extension.number,
            why=owner.reason,
        )
        if not menu_leg:
            late = self.env._("Not routed: the call was not in a greeting any more.")
            return self._skipped(f"{reason} {late}")
        return {
            "routed_extension_id": extension.id,
            "route_reason": reason,
            "route_command_id": f"odoo-route-{uuid.uuid4()}",
        }

    @api.model
    def _skipped(self, reason):
        return {"route_state": "skipped", "route_reason": reason}

    @api.model
    def _first_with_extension(self, account, owners):
        """Return the first owner who has an extension, else the first owner.

        :param list[Owner] owners: not empty.
        :rtype: tuple[Owner, mango.extension]
        """
        users = self.env["res.users"].concat(*(owner.user for owner in owners))
        extensions = self.env["mango.extension"].search(
            Domain("account_id", "=", account.id) & Domain("user_id", "in", users.ids)
        )
        for owner in owners:
            own = extensions.filtered(lambda ext, user=owner.user: ext.user_id == user)
            if own:
                return owner, own[0]
        return owners[0], extensions

    # ------------------------------------------------------------
    # Sending
    # ------------------------------------------------------------

    @api.model
    def _send_after_commit(self, call):
        """Send the command that was decided on, off this thread, after the commit.

        The caller is listening to a greeting: neither the webhook's answer nor a cron
        may come in between.

        :param mango.call call: decided; its command is sent at most once.
        """
        start_after_commit(self.env, send, call.id, urgent=True)

    @api.model
    def _claim_turn(self, call):
        """Take the PBX's turn for a command; drop it if that would come too late.

        It is dropped as well while the PBX is asked nothing.

        :return: the seconds to wait, or None if the command was dropped.
        :rtype: float | None
        """
        if not call.account_id._may_request(urgent=True):
            self._drop(call, self._why_no_requests(call.account_id))
            return None
        wait = self.env["mango.route.slot"]._claim(call.account_id, PATIENCE)
        if wait is None:
            self._drop(
                call,
                self.env._(
                    "The PBX takes one such command in two seconds; too many calls."
                ),
            )
        return wait

    @api.model
    def _why_no_requests(self, account):
        if account.requests_stopped_reason:
            return self.env._(
                "Not routed: automatic requests to the PBX have stopped; an "
                "administrator has to resume them."
            )
        return self.env._("Not routed: the PBX is in trouble.")

    @api.model
    def _start(self, call):
        """Mark the command as sent, if the call is still where it can be routed.

        Committed ahead of the request: whatever happens then, it is not sent twice.

        :return: what to send; None if there is nothing to send any more.
        :rtype: RouteCommand | None
        """
        with call._locked() as call:
            if call.route_state != "none" or not call.routed_extension_id:
                return None
            menu_leg = call._fold(call._events()).in_menu_leg
            if not menu_leg:
                call._skip_route(self.env._("The caller has left the greeting."))
                return None
            try:
                client = call.account_id._client()
            except UserError as error:
                call._skip_route(str(error))
                return None
            call.route_state = "sent"
            return RouteCommand(
                client,
                call.route_command_id,
                menu_leg,
                call.routed_extension_id.number,
            )

    @api.model
    def _drop(self, call, reason):
        with call._locked() as call:
            call._skip_route(reason)

    @api.model
    def _fail(self, call, error):
        """Note what the PBX answered to the command.

        :param VpbxError error: an answer that leaves open whether the command arrived
            keeps the call as ``sent``; its result notification tells.
        """
        with call._locked() as call:
            if call.route_state != "sent":
                return
            call.write(
                {
                    "route_state": "sent" if error.ambiguous else "failed",
                    "route_reason": call._reason_with(
                        self.env["mango.error.message"]._of_error(error)
                    ),
                }
            )

    # ------------------------------------------------------------
    # The outcome
    # ------------------------------------------------------------

    @api.model
    def _call_of(self, account_id, command_id):
        """Return the call that a command of ours was about.

        :rtype: mango.call
        """
        return self.env["mango.call"].search(
            Domain("account_id", "=", account_id)
            & Domain("route_command_id", "=", command_id),
            limit=1,
        )

    @api.model
    def _apply_result(self, account, notification):
        """Put the outcome of a route command on its call.

        :param mango.account account: whose PBX tells.
        :param CommandResult notification: results of other commands are passed over.
        """
        call = self._call_of(account.id, notification.command_id)
        if not call:
            return
        if notification.code == RESULT_DONE:
            call.route_state = "accepted"
            return
        meaning = self.env["mango.error.message"]._of_code(notification.code or 0)
        call.write(
            {
                "route_state": "failed",
                "route_reason": call._reason_with(
                    self.env._(
                        "The PBX did not route it: %(meaning)s (code %(code)s).",
                        meaning=meaning,
                        code=notification.code,
                    )
                ),
            }
        )


def send(dbname, call_id):
    """Send a call's route command, once; the body of a thread of its own.

    Waiting and the request happen outside of any transaction.

    :param str dbname: the database.
    :param int call_id: the ``mango.call``.
    """
    threading.current_thread().dbname = dbname
    registry = Registry(dbname)
    try:
        with _router(registry, call_id) as (router, call):
            wait = router._claim_turn(call)
        if wait is None:
            return
        time.sleep(wait)
        with _router(registry, call_id) as (router, call):
            command = router._start(call)
        if command is None:
            return
        failure = None
        try:
            command.client.route(command.command_id, command.leg_ref, command.to_number)
        except errors.VpbxError as error:
            failure = error
        with _router(registry, call_id) as (router, call):
            call.account_id._note_answer(failure)
            if failure:
                router._fail(call, failure)
    except Exception:
        _logger.exception("the route command of call %s failed", call_id)


@contextmanager
def _router(registry, call_id):
    """Open a transaction as the system, which the PBX's events run as too.

    :return: context manager giving the router and the call.
    """
    with registry.cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, {})
        call = env["mango.call"].browse(call_id)
        call = call.with_context(lang=call.account_id._language())
        yield call.env["mango.router"], call
