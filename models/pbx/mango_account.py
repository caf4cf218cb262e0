import logging
from contextlib import contextmanager
from functools import lru_cache, partial

from odoo import api, fields, models, tools
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ...tools.caches import clear_caches
from ...tools.locking import in_own_transaction
from ...vpbx import addresses, errors, numbers
from ...vpbx.client import Client
from .mango_circuit_breaker import is_closed
from .mango_request import record_request

_logger = logging.getLogger(__name__)

# The same few numbers recur, each in several notifications.
_e164 = lru_cache(maxsize=1024)(numbers.e164)

#: Fields that the cached methods of an account depend on, besides the company's
#: contact.
CACHED_FIELDS = {"active", "api_key", "api_salt", "company_id"}


class MangoAccount(models.Model):
    _name = "mango.account"
    _description = "Mango Office PBX"
    _inherit = ["mail.thread", "bus.listener.mixin"]
    _order = "name, id"

    name = fields.Char(required=True, default=lambda self: self._default_name())
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
    )
    api_url = fields.Char(
        string="API Address",
        required=True,
        default="https://app.mango-office.ru",
        tracking=True,
    )
    api_key = fields.Char(
        string="PBX Code",
        copy=False,
        groups="base.group_system",
        help="«Уникальный код вашей АТС» in the PBX's cabinet, under API коннектор.",
    )
    api_salt = fields.Char(
        string="Secret",
        copy=False,
        groups="base.group_system",
        help="«Ключ для создания подписи» in the PBX's cabinet.",
    )
    new_api_salt = fields.Char(
        string="New Secret",
        compute="_compute_new_api_salt",
        inverse="_inverse_new_api_salt",
        groups="base.group_system",
        help="Saved with the form. A stored secret is never shown again.",
    )
    is_connected = fields.Boolean(
        string="Code and Secret Stored",
        compute="_compute_is_connected",
        compute_sudo=True,
    )
    extension_ids = fields.One2many(
        "mango.extension", "account_id", string="Extensions"
    )
    line_ids = fields.One2many("mango.line", "account_id", string="Lines")
    extension_count = fields.Integer(compute="_compute_extension_counts")
    mapped_extension_count = fields.Integer(compute="_compute_extension_counts")
    suggested_extension_count = fields.Integer(compute="_compute_extension_counts")
    last_load_at = fields.Datetime(string="PBX Users Loaded", readonly=True, copy=False)
    _api_key_uniq = models.UniqueIndex(
        "(api_key) WHERE api_key IS NOT NULL",
        "This PBX code already belongs to another PBX.",
    )
    # Automatic requests: the circuit breaker
    requests_stopped_reason = fields.Char(
        compute="_compute_requests_state",
        compute_sudo=True,
        help="Why automatic requests to the PBX have been stopped; empty otherwise.",
    )
    requests_paused_until = fields.Datetime(
        compute="_compute_requests_state",
        compute_sudo=True,
        help="The PBX had problems; Odoo sends it no automatic requests until then.",
    )
    last_sync_at = fields.Datetime(
        string="Statistics Fetched Up To",
        compute="_compute_last_sync_at",
        compute_sudo=True,
    )

    # ------------------------------------------------------------
    # Defaults, computed fields, checks
    # ------------------------------------------------------------

    def _default_name(self):
        return self.env._("Mango Office")

    def _compute_new_api_salt(self):
        # Always empty: the field only accepts a new secret.
        self.new_api_salt = False

    def _inverse_new_api_salt(self):
        for account in self:
            if account.new_api_salt:
                account.api_salt = account.new_api_salt.strip()

    @api.depends("api_key", "api_salt")
    def _compute_is_connected(self):
        for account in self:
            account.is_connected = bool(account.api_key and account.api_salt)

    @api.depends("extension_ids.user_id", "extension_ids.suggested_user_id")
    def _compute_extension_counts(self):
        for account in self:
            extensions = account.extension_ids
            account.extension_count = len(extensions)
            account.mapped_extension_count = len(extensions.filtered("user_id"))
            account.suggested_extension_count = len(
                extensions.filtered("suggested_user_id")
            )

    @api.constrains("api_url")
    def _check_api_url(self):
        for account in self:
            try:
                addresses.check_base_url(account.api_url)
            except ValueError as error:
                raise ValidationError(
                    self.env._(
                        "The API address must begin with https:// and name the PBX's "
                        "host, for example https://app.mango-office.ru."
                    )
                ) from error

    # ------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._clean_credentials(vals)
            self._check_credentials(vals)
        accounts = super().create(vals_list)
        clear_caches(self.env)
        accounts._become_main()
        return accounts

    def write(self, vals):
        self._clean_credentials(vals)
        self._check_credentials(vals)
        result = super().write(vals)
        if not vals.keys().isdisjoint(CACHED_FIELDS):
            clear_caches(self.env)
        if "company_id" in vals:
            self._become_main()
        return result

    def _become_main(self):
        """Make these PBXs the main ones of companies without any, and of no others."""
        # sudo: res.company - a telephony administrator may not write companies, but the
        # first PBX of a company is its main one.
        companies_sudo = self.env["res.company"].sudo()
        former_sudo = companies_sudo.search(Domain("mango_account_id", "in", self.ids))
        former_sudo.filtered(
            lambda company: company.mango_account_id.company_id != company
        ).mango_account_id = False
        for account in self:
            if not account.company_id.mango_account_id:
                account.company_id.sudo().mango_account_id = account

    def unlink(self):
        clear_caches(self.env)
        return super().unlink()

    @api.model
    def _clean_credentials(self, vals):
        """Strip the whitespace of pasted codes, in place.

        :param dict vals: values as for :meth:`write`.
        """
        for name in ("api_url", "api_key", "api_salt"):
            if name in vals:
                vals[name] = (vals[name] or "").strip() or False

    def _check_credentials(self, vals):
        """Refuse invalid values before they reach the database.

        :param dict vals: values as for :meth:`write`.
        :raise AccessError: if the address would change without the right to see the
            code, which every request sends to that address.
        :raise ValidationError: if another PBX has the code. The index would prevent
            this too, but PostgreSQL logs a failing statement with its values, including
            the secret.
        """
        may_see_code = self.env.su or self.env.user.has_group("base.group_system")
        if "api_url" in vals and not may_see_code:
            raise AccessError(
                self.env._("Only a system administrator may change the API address.")
            )
        if not vals.get("api_key"):
            return
        # sudo: mango.account - only tells whether a PBX of any company has the code.
        others_sudo = self.sudo().with_context(active_test=False)
        if others_sudo.search_count(
            Domain("api_key", "=", vals["api_key"]) & Domain("id", "not in", self.ids),
            limit=1,
        ):
            raise ValidationError(
                self.env._("This PBX code already belongs to another PBX.")
            )

    def _mail_get_operation_for_mail_message_operation(self, message_operation):
        """Show the chatter to those who configure the PBX.

        Every telephony user may read the PBX, but not who has reached a limit, or who
        has changed what.
        """
        if message_operation == "read":
            return dict.fromkeys(self, "write")
        return super()._mail_get_operation_for_mail_message_operation(message_operation)

    def message_subscribe(self, partner_ids=None, subtype_ids=None):
        """Accept only followers who are added by those who read the chatter."""
        self.check_access("write")
        return super().message_subscribe(partner_ids, subtype_ids)

    # ------------------------------------------------------------
    # Lookups
    # ------------------------------------------------------------

    @api.model
    @tools.ormcache()
    def _credentials(self):
        """Return the data needed to verify a notification, for every active account.

        It is one cached value, so that a flood of unknown codes neither queries the
        database nor fills the cache.

        :return: for each PBX code, the account's id and its secret.
        :rtype: dict[str, tuple[int, str]]
        """
        # sudo: mango.account - the PBX is not a user; the result stays on the server
        # and is only compared.
        accounts_sudo = self.sudo().search(
            Domain("api_key", "!=", False) & Domain("api_salt", "!=", False)
        )
        return {
            account.api_key: (account.id, account.api_salt) for account in accounts_sudo
        }

    @tools.ormcache("self.id")
    def _company_id(self):
        """Return the id of the PBX's company, cached for the notifications.

        :rtype: int
        """
        # sudo: mango.account - the PBX is not a user; only the id is used.
        return self.sudo().company_id.id

    @tools.ormcache("self.id")
    def _own_numbers(self):
        """Return the numbers of the PBX's lines, which are never a client's.

        :rtype: frozenset[str]
        """
        lines = self.with_context(active_test=False).line_ids
        return frozenset(lines.mapped("number"))

    @tools.ormcache("self.id")
    def _regions(self):
        """Return the regions to try for a number without a country code.

        Cached, like :meth:`_language`, because every notification needs both.

        :return: ISO codes, Russia last.
        :rtype: tuple[str, ...]
        """
        return self.env["mail.thread.phone"]._mango_phone_regions(self.company_id)

    def _e164(self, number):
        """Convert a number of the PBX to E.164, parsed for the company's country.

        :param str number: as sent by the PBX.
        :rtype: str | None
        """
        return _e164(number, self._regions())

    def _display_number(self, number):
        """Format a number for display: ``+7 495 000-02-01``.

        :param str number: E.164, as sent by the PBX, or empty.
        :return: the same text if it is not a phone number.
        :rtype: str
        """
        e164 = self._e164(number) if number else None
        if not e164:
            return number or ""
        return self._phone_format(number=e164, force_format="INTERNATIONAL") or e164

    @tools.ormcache("self.id")
    def _language(self):
        """Return the language of the texts that are stored with calls.

        :rtype: str
        """
        # sudo: res.partner - only the language of the company.
        return self.company_id.partner_id.sudo().lang or "en_US"

    # ------------------------------------------------------------
    # The PBX's API
    # ------------------------------------------------------------

    def _client(self):
        """Return the API client of this PBX.

        :rtype: odoo.addons.mango_office.vpbx.client.Client
        :raise UserError: if the code or the secret is missing.
        """
        self.ensure_one()
        # sudo: mango.account - users of the PBX sign with its secret without being able
        # to read it; the client never reveals it.
        account_sudo = self.sudo()
        if not account_sudo.is_connected:
            raise UserError(
                self.env._(
                    "Enter the PBX's code and secret first. Both are in the PBX's "
                    "cabinet, under Integrations ▸ API connector."
                )
            )
        return Client(
            account_sudo.api_url,
            account_sudo.api_key,
            account_sudo.api_salt,
            on_answer=partial(record_request, self.env.registry, self.id),
        )

    def _ask_pbx(self, ask, is_optional=False):
        """Send a user's requests to the PBX, and record the answer.

        Nothing may be written before in this transaction, and only
        :meth:`_store_answer` after it: Odoo repeats a transaction after a concurrent
        update, and the PBX would get the requests again.

        :param Callable ask: takes the client.
        :param bool is_optional: the PBX may lack the option for this; such a refusal
            does not affect other requests.
        :return: what the function returns.
        :raise UserError: if the code or the secret is missing.
        :raise VpbxError: if the PBX refuses or cannot be reached.
        """
        with self._client() as client:
            try:
                answer = ask(client)
            except errors.VpbxError as error:
                if not (is_optional and is_closed(error)):
                    self._record_answer(error)
                raise
        self._record_answer()
        return answer

    def _store_answer(self, store, lock):
        """Store the PBX's answer to a user's request, in a transaction of its own.

        So no lock is held while waiting for the PBX, and what is repeated after a
        concurrent update is only the storing.

        :param Callable store: takes the environment of that transaction.
        :param str lock: as for :func:`in_own_transaction`.
        :return: what the function returns; the current transaction does not see it.
        :raise UserError: if that fails because of a lock or repeated concurrent
            updates.
        """
        try:
            with self._not_repeated():
                return in_own_transaction(self.env, store, lock)
        finally:
            self.env.invalidate_all()

    @contextmanager
    def _not_repeated(self):
        """Keep Odoo from repeating the current transaction, and the user's request.

        :raise UserError: instead of an error after which Odoo would repeat it.
        """
        try:
            yield
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY as error:
            raise UserError(
                self.env._(
                    "Odoo could not store the PBX's answer, because somebody was "
                    "changing the same data. Try again."
                )
            ) from error

    def action_test_connection(self):
        """Check the connection to the PBX step by step, and show the result."""
        self.ensure_one()
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Connection to the PBX"),
            "res_model": "mango.connection.check",
            "res_id": self.env["mango.connection.check"]._run(self),
            "view_mode": "form",
            "target": "new",
        }

    def action_load_users(self):
        """Load staff and lines from the PBX, and report the changes."""
        self.ensure_one()
        self.check_access("write")
        try:
            loaded = self._ask_pbx(
                lambda client: (client.users(), client.groups(), client.lines())
            )
        except errors.VpbxError as error:
            raise UserError(
                self.env["mango.error.message"]._explain_error(error)
            ) from error
        changes = self._store_answer(
            lambda env: self.with_env(env)._store_loaded(*loaded),
            f"mango_office/load/{self.id}",
        )
        return self._display_notification(
            self.env._(
                "Extensions: %(new)s new, %(changed)s changed, %(gone)s gone.",
                **changes,
            ),
            "success",
        )

    def _store_loaded(self, users, groups, lines):
        """Update extensions, groups and lines from the PBX.

        :param list users: as returned by :meth:`vpbx.client.Client.users`.
        :param list groups: as returned by :meth:`vpbx.client.Client.groups`.
        :param list lines: as returned by :meth:`vpbx.client.Client.lines`.
        :return: as returned by :meth:`mango.extension._load`.
        :rtype: dict[str, int]
        """
        changes = self.env["mango.extension"]._load_extensions(self, users)
        self.env["mango.group"]._load_groups(self, groups)
        self.env["mango.line"]._load_lines(self, lines)
        self.last_load_at = fields.Datetime.now()
        return changes

    def action_apply_suggestions(self):
        """Set the suggested employee on every extension."""
        self.check_access("write")
        extensions = self.extension_ids.filtered("suggested_user_id")
        for extension in extensions:
            extension.user_id = extension.suggested_user_id
        return self._display_notification(
            self.env._("Employees set: %(count)s.", count=len(extensions)), "success"
        )

    def action_view_extensions(self):
        """Open the table of extensions and employees."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "mango_office.mango_extension_action"
        )
        action["domain"] = [("account_id", "=", self.id)]
        return action

    def _display_notification(self, message, kind):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": message,
                "type": kind,
                # Reloads the form in place, without leaving the page.
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    # ------------------------------------------------------------
    # Automatic requests: the circuit breaker
    # ------------------------------------------------------------

    @api.depends("api_url", "api_key", "api_salt")
    @api.depends_context("lang")
    def _compute_requests_state(self):
        now = fields.Datetime.now()
        for account in self:
            breaker = self.env["mango.circuit.breaker"]._get_breaker(account)
            account.requests_stopped_reason = (
                account._words_of_stop(breaker) if breaker.stopped_at else False
            )
            paused_until = not breaker.stopped_at and breaker.paused_until
            account.requests_paused_until = (
                paused_until if paused_until and paused_until > now else False
            )

    def _compute_last_sync_at(self):
        breakers = self.env["mango.circuit.breaker"].search(
            Domain("account_id", "in", self.ids)
        )
        moments = {breaker.account_id.id: breaker.last_sync_at for breaker in breakers}
        for account in self:
            account.last_sync_at = moments.get(account.id, False)

    def _words_of_stop(self, breaker):
        reason = self.env["mango.error.message"]._explain_error(
            breaker._stopped_error()
        )
        consequence = self.env._(
            "Fix the cause, check the connection, and resume requests in the PBX "
            "settings. Until then Odoo fetches no statistics or recordings and "
            "routes no calls."
        )
        return f"{reason} {consequence}"

    def _may_request(self, urgent=False):
        """Tell whether an automatic request may be sent to the PBX.

        :param bool urgent: a caller is waiting: after several consecutive failures the
            PBX is tried again every few seconds, and True grants this attempt.
        :rtype: bool
        """
        self.ensure_one()
        # sudo: mango.circuit.breaker - only tells whether requests are allowed.
        breakers_sudo = self.env["mango.circuit.breaker"].sudo()
        breaker_sudo = breakers_sudo._get_breaker(self)
        if not breaker_sudo._is_open(urgent):
            return False
        if urgent and breaker_sudo._is_failing():
            return breakers_sudo._claim_trial(self)
        return True

    def _record_answer(self, error=None):
        """Record an answer of the PBX in the circuit breaker.

        Committed at once, in a transaction of its own, independently of the current
        one. It does not fail because of a lock or a concurrent update: whatever was
        asked would be asked again.

        :param error: the exception that the client raised; None for a success.
        :type error: VpbxError | None
        """
        self.ensure_one()
        # sudo: mango.circuit.breaker - records an answer.
        breaker_sudo = self.env["mango.circuit.breaker"].sudo()
        try:
            breaker_sudo._record_answer(self, error)
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            _logger.warning("PBX %s: an answer was not counted", self.id)

    def action_resume_requests(self):
        """Resume automatic requests after the cause was fixed."""
        self.ensure_one()
        self._client()  # Without code and secret there is nothing to resume.
        self._resume_requests()
        return self._display_notification(
            self.env._("Requests to the PBX are resumed."), "success"
        )

    def _resume_requests(self, is_proven=False):
        """Close the breaker, which allows requests; committed at once.

        :param bool is_proven: the PBX has just accepted a request.
        """
        self.ensure_one()
        self.check_access("write")
        # sudo: mango.circuit.breaker - whoever may configure the PBX may resume
        # requests.
        breaker_sudo = self.env["mango.circuit.breaker"].sudo()
        with self._not_repeated():
            breaker_sudo._reopen(self, is_proven)

    def _tell_requests_stopped(self):
        """Notify the administrators, in their languages, that requests are stopped."""
        self.ensure_one()
        admins = self.env.ref("mango_office.group_admin").all_user_ids.filtered(
            lambda user: user.active and self.company_id in user.company_ids
        )
        for admin in admins:
            account = self.with_context(lang=admin.lang)
            account.invalidate_recordset(["requests_stopped_reason"])
            account.message_notify(
                partner_ids=admin.partner_id.ids,
                subject=account.env._("Requests to the PBX have been stopped"),
                body=account.requests_stopped_reason,
            )
