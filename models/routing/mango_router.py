import logging
import threading
import time
import uuid
from dataclasses import dataclass
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.modules.registry import Registry

from ...tools.locking import (
    in_own_transaction,
    in_thread_transaction,
    start_after_commit,
    take_locks,
)
from ...vpbx import codes, errors
from .alarms import alarms
from .decision import decide
from .mango_call import LIVE_ROUTES
from .mango_route_facts import Caller

_logger = logging.getLogger(__name__)

#: How long a route command may wait for its turn. A greeting is seldom longer than ten
#: seconds, and part of it has been played already.
PATIENCE = timedelta(seconds=5)
#: Maximum number of route commands for one caller.
MAX_ATTEMPTS = 20

#: Longer than any command waits: its process must have died.
LOST_TIME = timedelta(minutes=1)


@dataclass(frozen=True)
class RouteCommand:
    """A command to the PBX: ring ``to_number`` for the caller on ``leg_ref``."""

    client: object
    command_id: str
    leg_ref: str
    to_number: str
    attempt: int
    ring_seconds: int


class MangoRouter(models.AbstractModel):
    """Decides to whom a call is routed, and sends the commands (``design.md`` 4)."""

    _name = "mango.router"
    _description = "Call Routing"

    # ------------------------------------------------------------
    # Deciding
    # ------------------------------------------------------------

    @api.model
    def _decide(self, call, leg_ref, settled=()):
        """Decide whom to ring next for an inbound call.

        :param mango.call call: with its client identified.
        :param str leg_ref: the leg that a command may take; None if none is.
        :param list settled: the trace of those who did not answer.
        :return: values for the call, always with ``route_trace``, and with
            ``route_command_id`` if a command is to be sent.
        :rtype: dict
        """
        if not call.account_id.routing_enabled:
            return self._not_routed("switched_off", settled)
        steps = call.account_id._route_plan()
        if not steps:
            return self._not_routed("no_plan", settled)
        entries, findings = self._consider(call, steps, settled)
        trace = [*settled, *entries]
        last = entries[-1] if entries else None
        if not last or last["verdict"] != "rung":
            return self._nobody_vals(trace, settled)
        if not leg_ref:
            last.update(verdict="skipped", reason="no_greeting")
            return self._nobody_vals(trace, settled)
        return {
            "route_trace": trace,
            "route_state": "none",
            "route_command_id": f"odoo-route-{uuid.uuid4()}",
            **self._rung_vals(call, last, findings),
        }

    @api.model
    def _not_routed(self, reason, settled=()):
        """Return the values of a call that the plan is not asked about.

        :param str reason: a code of ``mango.route.words``.
        :param list settled: the trace of those who did not answer before.
        :rtype: dict
        """
        entry = {
            "step": None,
            "target": None,
            "extension": None,
            "verdict": "skipped",
            "reason": reason,
        }
        return self._nobody_vals([*settled, entry], settled)

    @api.model
    def _nobody_vals(self, trace, settled):
        return {"route_trace": trace, **({} if settled else {"route_state": "skipped"})}

    @api.model
    def _rung_vals(self, call, entry, findings=None):
        """Return the values of a call that tell who is rung.

        :param dict entry: the entry of the trace.
        :param Findings findings: if the entry is new.
        :rtype: dict
        """
        number, step_id = entry["extension"], entry["step_id"]
        if findings:
            extension_id = findings.extension_ids.get(number, False)
            is_there = step_id in findings.step_ids
        else:
            found = self.env["mango.extension"]._by_number(call.account_id, [number])
            extension_id = found[number].id if number in found else False
            is_there = self.env["mango.route.step"].browse(step_id).exists()
        return {
            "routed_extension_id": extension_id,
            "routed_to": entry["user"] or False,
            "route_step_id": step_id if is_there else False,
        }

    @api.model
    def _consider(self, call, steps, settled):
        """Read the facts, decide, and return the decision as entries of the trace.

        :rtype: tuple[list[dict], Findings]
        """
        passed = [entry for entry in settled if entry["verdict"] == "passed"]
        findings = self.env["mango.route.facts"]._read(
            Caller(
                call.account_id,
                call.partner_id,
                call.lead_id,
                call.client_number,
                call.line_id,
                call,
            ),
            steps,
            rung=frozenset(entry["key"] for entry in passed),
            since=passed[-1]["step"] if passed else 0,
        )
        considered = decide(steps, findings.facts).considered
        reasons = {entry["key"]: entry["reason"] for entry in passed}
        entries = self._entries(considered, findings, reasons)
        told = {self._identity(entry) for entry in settled}
        # People who are still unavailable are not listed twice.
        return [one for one in entries if self._identity(one) not in told], findings

    def _identity(self, entry):
        return entry["step"], entry["key"], entry["verdict"], entry["reason"]

    @api.model
    def _entries(self, considered, findings, reasons=None):
        """Return the steps considered in the form of a call's trace.

        :param Iterable[Considered] considered: from a decision.
        :param Findings findings: the decision's facts.
        :param dict reasons: why those rung before did not answer, by key.
        :rtype: list[dict]
        """
        reasons = dict(reasons or {})
        entries = []
        for one in considered:
            entry = self._entry(one, findings)
            if one.stands_in_for is not None:
                absent = self._party(one.stands_in_for, findings)
                absent["reason"] = reasons.get(one.stands_in_for)
                entry["for"] = absent
            reasons.setdefault(one.rung, one.reason)
            entries.append(entry)
        return entries

    def _entry(self, one, findings):
        is_person = one.person is not None
        party = self._party(one.person, findings)
        return {
            "step": one.step.position,
            "step_id": one.step.id,
            "target": one.step.target,
            **party,
            "number": None if is_person else one.number,
            "key": one.rung,
            "of": findings.owner_of.get(one.step.target) if is_person else None,
            "ring_seconds": one.step.ring_seconds,
            "verdict": "rung" if one.is_chosen else "skipped",
            "reason": one.reason,
        }

    def _party(self, key, findings):
        """Return the identification of a person in the trace: extension and user."""
        person = findings.facts.people.get(key)
        return {
            "extension": person.extension if person else None,
            "user": key if key is not None and key > 0 else None,
        }

    @api.model
    def _pass_on(self, call, leg_ref, reason, is_ringing=False):
        """Decide who is next after the last target has not answered.

        :param mango.call call: locked, with a target that is being rung.
        :param str leg_ref: the leg that a command may take; None if none is.
        :param str reason: the code of the reason why there was no answer.
        :param bool is_ringing: the phone is still ringing, which it may if there is no
            next target.
        :return: values for the call; empty if nothing changes.
        :rtype: dict
        """
        account = call.account_id
        settled = call._trace_with(verdict="passed", reason=reason)
        is_over = (
            not leg_ref
            or not account.reroute_enabled
            or not account.routing_enabled
            or call.route_attempts >= MAX_ATTEMPTS
        )
        if is_over:
            return {} if is_ringing else {"route_trace": settled}
        vals = self._decide(call, leg_ref, settled)
        if is_ringing and not vals.get("route_command_id"):
            return {}
        return vals

    # ------------------------------------------------------------
    # Sending
    # ------------------------------------------------------------

    @api.model
    def _send_after_commit(self, call):
        """Send the command in another thread after the commit.

        The caller is listening to a greeting, so this waits neither for the webhook's
        answer nor for a cron.

        :param mango.call call: with a decision; its command is sent at most once.
        """
        start_after_commit(self.env, send, call.id, urgent=True)

    @api.model
    def _claim_turn(self, call):
        """Reserve a slot for the command; drop it if that would be too late.

        It is also dropped while automatic requests are stopped.

        :return: the seconds to wait, or None if the command was dropped.
        :rtype: float | None
        """
        account = call.account_id
        if not account._may_request(urgent=True):
            is_stopped = account.requests_stopped_reason
            self._drop(call, "requests_stopped" if is_stopped else "trouble")
            return None
        wait = self.env["mango.route.slot"]._claim(account, PATIENCE)
        if wait is None:
            self._drop(call, "rate_limit")
        return wait

    @api.model
    def _start(self, call):
        """Mark the command as sent, if the call can still be routed.

        The decision is made again, because another call may have been routed there
        since. The calls of a PBX are serialized, so that two callers do not get the
        same person. Committed before the request, so that it is never sent twice.

        :return: the command; None if there is nothing to send any more.
        :rtype: RouteCommand | None
        """
        # Serializes the calls of a PBX, for some milliseconds each.
        take_locks(self.env, f"mango_office/routing/{call.account_id.id}")
        with call._locked() as call:
            if call.route_state != "none" or not call.route_command_id:
                return None
            state = call._fold(call._events())
            settled = call._settled_trace()
            leg_ref = call._leg_to_take(state) if settled else state.in_menu_leg
            if not leg_ref:
                call._skip_route("left_greeting")
                return None
            try:
                client = call.account_id._client()
            except UserError:
                call._skip_route("no_credentials")
                return None
            vals = call.env["mango.router"]._decide(call, leg_ref, settled)
            if not vals.get("route_command_id"):
                call._write_route({**call._vals_before(settled), **vals})
                return None
            entry = vals["route_trace"][-1]
            entry["legs"] = len(call._legs_to(entry, state))
            entry["from_leg"] = leg_ref
            call._write_route(
                {
                    **vals,
                    "route_command_id": call.route_command_id,
                    "route_state": "sent",
                    "route_attempts": call.route_attempts + 1,
                }
            )
            call._on_rung(state)
            return RouteCommand(
                client,
                call.route_command_id,
                leg_ref,
                entry["extension"] or entry["number"],
                call.route_attempts,
                entry["ring_seconds"],
            )

    @api.model
    def _drop_lost(self):
        """Cron: drop the commands whose process has died.

        A thread that is only late finds its command dropped and sends nothing.
        """
        lost = self.env["mango.call"].search(
            Domain("route_state", "=", "none")
            & Domain("route_command_id", "!=", False)
            # Every notification writes to its call, and so does every decision.
            & Domain("write_date", "<", fields.Datetime.now() - LOST_TIME)
        )
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(lost))
        for call in lost:
            self._drop(call, "lost")
            if not cron._commit_progress(1):
                break

    @api.model
    def _drop(self, call, reason):
        """Do not send the command of a call, unless it was sent meanwhile."""

        def drop(env):
            waiting = call.with_env(env)
            if waiting.route_state == "none" and waiting.route_command_id:
                waiting._skip_route(reason)

        in_own_transaction(call.env, drop, call._lock_name())

    @api.model
    def _record_answer(self, call, error):
        """Let the circuit breaker know how the request went."""
        call.account_id._record_answer(error)

    @api.model
    def _seconds_left(self, call, command, asked_at):
        """Return for how long the phone may go on ringing because of a command.

        A slow PBX may ring it long before it answers the command.

        :param RouteCommand command: has been sent.
        :param datetime asked_at: when it was sent.
        :return: None if it is not to be waited for.
        :rtype: float | None
        """
        is_live = call.route_state in LIVE_ROUTES
        if not is_live or call.route_command_id != command.command_id:
            return None
        now = fields.Datetime.now()
        began = [
            leg.create_date
            for leg in call.leg_ids
            if command.to_number in (leg.to_extension, leg.group_extension)
            and leg.create_date >= asked_at
        ]
        rang = now - min(began, default=now)
        return max(command.ring_seconds - rang.total_seconds(), 0)

    @api.model
    def _fail(self, call, command_id, error):
        """Store the PBX's answer to a command.

        :param str command_id: the command; the result notification may have been
            faster, and another command may have been sent since.
        :param VpbxError error: if it is unknown whether the command arrived, the call
            stays ``sent`` until the result notification.
        :return: whether another command is to be sent.
        :rtype: bool
        """
        details = self.env["mango.route.words"]._error_entry(error)
        with call._locked() as call:
            if call.route_state != "sent" or call.route_command_id != command_id:
                return False
            if error.ambiguous:
                call.route_trace = call._trace_with(**details)
                return False
            return self._fail_with(call, details)

    def _fail_with(self, call, details):
        """Store that a command failed, and continue if its target was refused.

        :param dict details: ``reason`` and more for the entry of the trace.
        :return: whether another command is to be sent.
        :rtype: bool
        """
        code = details.get("code")
        if isinstance(code, int) and is_about_number(code):
            call.route_trace = call._trace_with(**details)
            state = call._fold(call._events())
            vals = call.env["mango.router"]._pass_on(
                call, call._leg_to_take(state), details["reason"]
            )
            if vals.get("route_command_id"):
                call._write_route(vals)
                return True
        call._on_route_failed(verdict="passed", **details)
        return False

    # ------------------------------------------------------------
    # The outcome
    # ------------------------------------------------------------

    @api.model
    def _call_of(self, account_id, command_id):
        """Return the call that one of our commands refers to.

        :rtype: mango.call
        """
        return self.env["mango.call"].search(
            Domain("account_id", "=", account_id)
            & Domain("route_command_id", "=", command_id),
            limit=1,
        )

    @api.model
    def _apply_result(self, account, notification):
        """Store the outcome of a route command on its call.

        :param mango.account account: whose PBX has reported it.
        :param CommandResult notification: results of other commands are ignored.
        """
        call = self._call_of(account.id, notification.command_id)
        if not call or call.route_state == "none":
            return
        if notification.code == codes.DONE:
            call.route_state = "accepted"
            return
        details = {"reason": "result", "code": notification.code}
        if not call._rung_entry():
            call._on_route_failed(**details)
        elif self._fail_with(call, details):
            self._send_after_commit(call)

    @api.model
    def _go_on(self, call, attempt):
        """Decide who is next if a phone has rung for the time of its step.

        :param int attempt: the number of the call's command that made it ring.
        :return: whether there is a command to be sent.
        :rtype: bool
        """
        with call._locked() as call:
            entry = call._rung_entry()
            if call.route_attempts != attempt or not entry:
                return False
            state = call._fold(call._events())
            if not call._may_have_rung(entry, state):
                return False
            vals = call.env["mango.router"]._pass_on(
                call, call._leg_to_take(state), "no_answer", is_ringing=True
            )
            if vals:
                call._write_route(vals)
            return bool(vals.get("route_command_id"))


def is_about_number(code):
    """Tell whether a code refuses only the number to ring.

    Any other refusal concerns the call or our access, and ends routing.

    :param int code: a result code of the PBX
    :rtype: bool
    """
    return code // 100 in (32, 42) or code == 3330


def send(dbname, call_id):
    """Send a call's route command, once; runs in a separate thread.

    Waits and sends the request outside of any transaction.

    :param str dbname: the database.
    :param int call_id: the ``mango.call``.
    """
    threading.current_thread().dbname = dbname
    registry = Registry(dbname)
    try:
        # Everybody is rung at most once, so this terminates.
        while _send(registry, call_id):
            pass
    except Exception:
        _logger.exception("the route command of call %s failed", call_id)


def go_on(dbname, call_id, attempt):
    """Ring the next target of the plan if there was no answer.

    :param str dbname: the database.
    :param int call_id: the ``mango.call``.
    :param int attempt: the number of the call's command that made the phone ring.
    """
    threading.current_thread().dbname = dbname
    try:
        is_next = _on_router(Registry(dbname), call_id, "_go_on", attempt)
    except Exception:
        _logger.exception("call %s could not be re-routed", call_id)
        return
    if is_next:
        send(dbname, call_id)


def _send(registry, call_id):
    """Send one command.

    :return: whether there is another one, because the PBX refused the target.
    :rtype: bool
    """
    wait = _on_router(registry, call_id, "_claim_turn")
    if wait is None:
        return False
    time.sleep(wait)
    command = _on_router(registry, call_id, "_start")
    if command is None:
        return False
    failure, asked_at = None, fields.Datetime.now()
    try:
        command.client.route(command.command_id, command.leg_ref, command.to_number)
    except errors.VpbxError as error:
        failure = error
    _on_router(registry, call_id, "_record_answer", failure)
    if failure and _on_router(registry, call_id, "_fail", command.command_id, failure):
        return True
    if command.ring_seconds:
        seconds = _on_router(registry, call_id, "_seconds_left", command, asked_at)
        if seconds is not None:
            alarms.set(seconds, go_on, registry.db_name, call_id, command.attempt)
    return False


def _on_router(registry, call_id, method, *args):
    """Call a method of the router for a call, in a transaction of its own.

    :param str method: its first argument is the call.
    """

    def call(env):
        of_call = env["mango.call"].browse(call_id)
        of_call = of_call.with_context(lang=of_call.account_id._language())
        return getattr(of_call.env["mango.router"], method)(of_call, *args)

    return in_thread_transaction(registry, call)
