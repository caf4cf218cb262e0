from datetime import timedelta

from odoo import api, fields, models, tools
from odoo.fields import Domain

from ...tools.locking import in_own_transaction
from ...vpbx import codes, errors

#: How long requests are paused after a failure of the PBX: initially, and at most.
FIRST_PAUSE = timedelta(seconds=30)

LONGEST_PAUSE = timedelta(minutes=30)

#: After this many consecutive failures a route command is only tried occasionally.
FAILURES_IN_A_ROW = 3

TRIAL_INTERVAL = timedelta(seconds=10)

#: A second refused request within this time locks the account out (mango-api.md 2.5).
PENALTY_TIME = timedelta(minutes=2)

# Errors of the request as such: its signature, code or format. The next one will be
# refused as well. Other 3xxx codes refer to one number, call or recording.
_HOPELESS_CODES = frozenset({3000, *range(3100, 3106), 3400})


class MangoCircuitBreaker(models.Model):
    """Whether automatic requests may be sent to a PBX.

    Repeated refusals lock the PBX's account out, and more requests do not help a
    failing PBX. So a refusal of our requests as such stops all automatic ones until an
    administrator has fixed the cause, and a failure pauses them with exponential
    backoff until one succeeds. A request that a caller waits for is held back only
    after such a refusal, or after several consecutive failures, and then tried every
    ten seconds. Requests made by users are always sent, because they see the answer;
    they count like every other.

    It is a separate row, because under REPEATABLE READ a notification that refers to an
    account fails if the account's row was written meanwhile. It is valid for the
    current code, secret and address only: new ones close the breaker without a write.
    """

    _name = "mango.circuit.breaker"
    _description = "Automatic Requests to a PBX"
    _rec_name = "account_id"

    account_id = fields.Many2one(
        "mango.account", string="PBX", required=True, ondelete="cascade", readonly=True
    )
    access_digest = fields.Char(
        readonly=True,
        groups="base.group_system",
        help="Tells whether the last answer was for the current code, secret and "
        "address.",
    )
    stopped_at = fields.Datetime(readonly=True)
    stopped_code = fields.Integer(
        readonly=True,
        help="The PBX's result code; 0 if it refused without one (HTTP 401).",
    )
    failed_at = fields.Datetime(readonly=True, help="When the PBX last failed.")
    failures = fields.Integer(readonly=True, help="Consecutive failures.")
    pauses = fields.Integer(readonly=True, help="Consecutive pauses.")
    tried_at = fields.Datetime(
        readonly=True, help="When a route command was last tried despite failures."
    )
    paused_until = fields.Datetime(readonly=True)
    careful_until = fields.Datetime(
        readonly=True, help="No request that may be refused is sent before this time."
    )
    proven_at = fields.Datetime(
        readonly=True, help="When the PBX first accepted a request."
    )
    last_sync_at = fields.Datetime(
        readonly=True, help="The statistics have been fetched up to this time."
    )
    _account_uniq = models.UniqueIndex(
        "(account_id)", "The PBX already has a circuit breaker."
    )

    # ------------------------------------------------------------
    # Checks
    # ------------------------------------------------------------

    @api.model
    def _get_breaker(self, account):
        """Return the breaker of a PBX, if it is valid for the current credentials.

        :param mango.account account: one.
        :return: empty if nothing is known about the PBX.
        :rtype: mango.circuit.breaker
        """
        breaker = self.search(Domain("account_id", "in", account.ids))
        return breaker.filtered(lambda row: row.access_digest == self._digest(account))

    def _is_open(self, urgent):
        """Tell whether an automatic request may be made now.

        :param bool urgent: a caller is waiting; a single refusal or failure does not
            matter then, and a failing PBX is tried again every few seconds.
        :rtype: bool
        """
        if not self:
            return True
        if self.stopped_at:
            return False
        now = fields.Datetime.now()
        if urgent:
            return not self._is_failing() or self.tried_at + TRIAL_INTERVAL <= now
        return now >= max(
            filter(None, (self.paused_until, self.careful_until)), default=now
        )

    def _is_failing(self):
        """Tell whether attempts are rationed after too many consecutive failures.

        :rtype: bool
        """
        return self.failures >= FAILURES_IN_A_ROW

    def _stopped_error(self):
        """Return the error that stopped the requests, to be explained to users.

        :rtype: VpbxError
        """
        if self.stopped_code:
            return errors.RefusedError(self.stopped_code, "")
        return errors.LockedOutError("")

    @api.model
    def _digest(self, account):
        """Return a keyed digest of a PBX's code, secret and address.

        :rtype: str
        """
        # sudo: mango.account, ir.config_parameter - only a keyed digest is returned.
        account_sudo = account.sudo()
        access = account_sudo.api_url, account_sudo.api_key, account_sudo.api_salt
        return tools.hmac(self.sudo().env, "mango_office-breaker", access)

    # ------------------------------------------------------------
    # Updates
    # ------------------------------------------------------------

    @api.model
    def _record_answer(self, account, error):
        """Record an answer in a transaction of its own, whatever follows.

        :param mango.account account: whose PBX answered. The current transaction must
            not have written its breaker.
        :param error: what the client raised; None for a good answer.
        :type error: VpbxError | None
        """
        if error is None and self._get_breaker(account)._is_proven():
            return  # Nothing changes: the usual case takes no lock.

        def record(breaker):
            vals = breaker._prepare_vals(error)
            is_stopped_now = vals.get("stopped_at") and not breaker.stopped_at
            if any(breaker[name] != value for name, value in vals.items()):
                breaker.write(vals)
            if is_stopped_now:
                breaker.account_id._tell_requests_stopped()

        self._update_locked(account, record)

    def _is_proven(self):
        return bool(self.proven_at) and not (
            self.stopped_at or self.failed_at or self.paused_until
        )

    @api.model
    def _claim_trial(self, account):
        """Claim an attempt to reach a failing PBX, which is only granted occasionally.

        :param mango.account account: whose PBX.
        :rtype: bool
        """

        def claim(breaker):
            is_open = breaker._is_open(urgent=True)
            if is_open:
                breaker.tried_at = fields.Datetime.now()
            return is_open

        return self._update_locked(account, claim)

    @api.model
    def _record_synced(self, account, moment):
        """Record that the statistics have been fetched up to a moment; never goes back.

        :param mango.account account: whose PBX.
        :param datetime moment: UTC.
        """

        def record(breaker):
            if not breaker.last_sync_at or breaker.last_sync_at < moment:
                breaker.last_sync_at = moment

        self._update_locked(account, record)

    @api.model
    def _reopen(self, account, is_proven):
        """Allow automatic requests again, whatever had stopped them.

        :param mango.account account: whose PBX.
        :param bool is_proven: the PBX has just accepted a request.
        """

        def reopen(breaker):
            vals = breaker._prepare_open()
            if is_proven and not breaker.proven_at:
                vals["proven_at"] = fields.Datetime.now()
            breaker.write(vals)

        self._update_locked(account, reopen)

    @api.model
    def _update_locked(self, account, update):
        """Update a PBX's breaker with exclusive access, in a transaction of its own.

        After a concurrent update the function is called again.

        :param mango.account account: whose.
        :param Callable update: takes the breaker for the current credentials.
        :return: what the function returns.
        """

        def on_own(env):
            breakers = env["mango.circuit.breaker"]
            return update(breakers._get_or_create_row(account.with_env(env)))

        lock = f"mango_office/breaker/{account.id}"
        result = in_own_transaction(account.env, on_own, lock)
        self._forget_cache(account)
        return result

    @api.model
    def _forget_cache(self, account):
        self.invalidate_model()
        account.invalidate_recordset(
            ["requests_stopped_reason", "requests_paused_until", "last_sync_at"]
        )

    @api.model
    def _get_or_create_row(self, account):
        """Return the breaker of a PBX, created or reset if its credentials are new.

        :rtype: mango.circuit.breaker
        """
        breaker = self.search(Domain("account_id", "in", account.ids))
        digest = self._digest(account)
        if not breaker:
            return self.create({"account_id": account.id, "access_digest": digest})
        if breaker.access_digest != digest:
            vals = self._prepare_open()
            breaker.write({**vals, "access_digest": digest, "proven_at": False})
        return breaker

    @api.model
    def _prepare_open(self):
        return {
            "stopped_at": False,
            "stopped_code": 0,
            "failed_at": False,
            "failures": 0,
            "pauses": 0,
            "tried_at": False,
            "paused_until": False,
            "careful_until": False,
        }

    def _prepare_vals(self, error):
        """Return the values that an answer changes.

        :param error: what the client raised; None for a good answer.
        :type error: VpbxError | None
        :rtype: dict
        """
        if self.stopped_at:
            return {}  # Only a user can resume requests.
        now = fields.Datetime.now()
        if is_hopeless(error):
            return {"stopped_at": now, "stopped_code": getattr(error, "code", 0)}
        if is_trouble(error):
            vals = {"failed_at": now, "failures": self.failures + 1}
            if vals["failures"] >= FAILURES_IN_A_ROW and not self.tried_at:
                vals["tried_at"] = now
            if not self.paused_until or self.paused_until <= now:
                # Otherwise it answers requests that were sent before the stop.
                pause = min(FIRST_PAUSE * 2 ** min(self.pauses, 10), LONGEST_PAUSE)
                vals |= {"pauses": self.pauses + 1, "paused_until": now + pause}
            return vals
        vals = {
            "failed_at": False,
            "failures": 0,
            "pauses": 0,
            "tried_at": False,
            "paused_until": False,
        }
        if error is None and not self.proven_at:
            vals["proven_at"] = now
        if isinstance(error, errors.RefusedError) and error.code // 1000 == 3:
            vals["careful_until"] = now + PENALTY_TIME
        return vals


def is_hopeless(error):
    """Tell whether further requests would be refused, too, and make things worse.

    :param error: what the client raised; None for a good answer.
    :type error: VpbxError | None
    :rtype: bool
    """
    if isinstance(error, errors.RefusedError):
        return error.code in _HOPELESS_CODES
    return isinstance(error, errors.LockedOutError)


def is_trouble(error):
    """Tell whether a request failed in a way that may be temporary.

    :param error: as for :func:`is_hopeless`, which comes first.
    :type error: VpbxError | None
    :rtype: bool
    """
    if isinstance(error, errors.RefusedError):
        # Without access or option nothing works; other refusals concern one request.
        is_temporary = error.code != 4200 and codes.is_transient(error.code)
        return is_closed(error) or is_temporary
    return error is not None


def is_closed(error):
    """Tell whether the PBX refused because of missing access or a missing option.

    :param VpbxError error: what the client raised.
    :rtype: bool
    """
    is_refusal = isinstance(error, errors.RefusedError)
    return is_refusal and error.code // 100 in (21, 50, 53)
