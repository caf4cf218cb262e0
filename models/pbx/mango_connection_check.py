from datetime import datetime, timedelta, timezone

from odoo import api, fields, models
from odoo.fields import Command
from odoo.tools import format_datetime

from ...vpbx import errors

#: With a larger difference of the clocks, the times of calls are unreliable.
CLOCK_TOLERANCE = timedelta(seconds=60)

#: A working PBX without notifications for longer needs attention.
QUIET_DAYS = 3


class MangoConnectionCheck(models.TransientModel):
    """A check of the connection to the PBX and back, step by step.

    Each request is made once and the first refusal ends the check: two refused
    requests within two minutes lock the account out (``mango-api.md`` 2.5).
    """

    _name = "mango.connection.check"
    _description = "Check of the Connection to the PBX"

    account_id = fields.Many2one(
        "mango.account", string="PBX", required=True, ondelete="cascade"
    )
    line_ids = fields.One2many(
        "mango.connection.check.line", "check_id", string="Steps"
    )
    is_fine = fields.Boolean(compute="_compute_is_fine")

    @api.depends("line_ids.state")
    def _compute_is_fine(self):
        for check in self:
            check.is_fine = all(line.state == "ok" for line in check.line_ids)

    @api.model
    def _run(self, account):
        """Check an account, and store the result.

        :param mango.account account: with code and secret.
        :return: the id of the check, which the current transaction does not see.
        :rtype: int
        :raise UserError: if the code or the secret is missing.
        """
        vals = {
            "account_id": account.id,
            "line_ids": [Command.create(link) for link in self._check(account)],
        }

        def store(own):
            # As the user, who may only read their own checks.
            checks = self.with_env(own).with_user(self.env.user).sudo(self.env.su)
            return checks.create(vals).id

        return account._store_answer(store, f"mango_office/check/{account.id}")

    @api.model
    def _check(self, account):
        """Check an account.

        :param mango.account account: with code and secret.
        :return: values of the lines.
        :rtype: list[dict]
        :raise UserError: if the code or the secret is missing.
        """
        links = self._check_requests(account)
        if all(link["state"] in ("ok", "warning") for link in links):
            # The cause of a stop is fixed, so automatic requests may resume.
            account._resume_requests(is_proven=True)
        return [*links, self._check_webhook(account)]

    @api.model
    def _check_requests(self, account):
        """Check everything that needs an answer of the PBX.

        :param mango.account account: whose PBX; failures count in its circuit breaker.
        :return: values of the lines.
        :rtype: list[dict]
        :raise UserError: if the code or the secret is missing.
        """
        with account._client() as client:
            try:
                server_time = client.probe()
            except errors.VpbxError as error:
                account._record_answer(error)
                return self._explain_probe(error)
            return [
                self._link_reached(),
                self._link_accepted(),
                self._check_rights(account, client),
                self._check_clock(server_time),
            ]

    @api.model
    def _explain_probe(self, error):
        message = self.env["mango.error.message"]._explain_error(error)
        if isinstance(error, errors.RateLimitedError):
            return [
                self._link_reached(),
                self._link(self.env._("Code and secret"), "skipped", message),
                self._link(self.env._("Rights"), "skipped"),
            ]
        if not isinstance(error, errors.RefusedError | errors.LockedOutError):
            return [
                self._link(self.env._("Address and encryption"), "failed", message),
                self._link(self.env._("Code and secret"), "skipped"),
                self._link(self.env._("Rights"), "skipped"),
            ]
        return [
            self._link_reached(),
            self._link(self.env._("Code and secret"), "failed", message),
            self._link(self.env._("Rights"), "skipped"),
        ]

    @api.model
    def _check_rights(self, account, client):
        name = self.env._("Rights")
        try:
            users = client.users()
        except errors.VpbxError as error:
            account._record_answer(error)
            return self._link(
                name, "failed", self.env["mango.error.message"]._explain_error(error)
            )
        return self._link(
            name,
            "ok",
            self.env._(
                "The API connector lets Odoo read who works with the PBX: "
                "%s employees there.",
                len(users),
            ),
        )

    @api.model
    def _check_clock(self, server_time):
        """Compare the clocks.

        :param datetime | None server_time: the PBX's, with its time zone.
        """
        name = self.env._("Clocks")
        if server_time is None:
            return self._link(
                name, "warning", self.env._("The PBX did not report its time.")
            )
        difference = abs(datetime.now(timezone.utc) - server_time)
        if difference > CLOCK_TOLERANCE:
            return self._link(
                name,
                "warning",
                self.env._(
                    "The clocks of this server and the PBX differ by %s seconds. "
                    "Synchronize the server's clock over the network (NTP).",
                    int(difference.total_seconds()),
                ),
            )
        return self._link(
            name, "ok", self.env._("The clocks of this server and the PBX agree.")
        )

    @api.model
    def _check_webhook(self, account):
        name = self.env._("Notifications")
        last = account.last_event_at
        if not last:
            return self._link(
                name,
                "warning",
                self.env._(
                    "None received yet. Enter %s as the address of the external "
                    "system in the PBX's cabinet, and make a call.",
                    account.webhook_url,
                ),
            )
        if refused := self._refused_source(account):
            return self._link(
                name,
                "warning",
                self.env._(
                    "The last one came from %s, which is not an allowed address: "
                    "the next one from there will be refused. Correct the list, or "
                    "the reverse proxy and proxy_mode.",
                    refused,
                ),
            )
        moment = format_datetime(self.env, last)
        message = self.env._("Last received: %s.", moment)
        is_quiet = last < fields.Datetime.now() - timedelta(days=QUIET_DAYS)
        return self._link(name, "warning" if is_quiet else "ok", message)

    @api.model
    def _refused_source(self, account):
        """Return the sender of the last notification, if it would be refused now.

        :rtype: str | None
        """
        # sudo: mango.event - only the sender's address of the account's last one.
        last_sudo = (
            self.env["mango.event"]
            .sudo()
            .search(
                [("account_id", "=", account.id), ("source_address", "!=", False)],
                order="received_at desc, id desc",
                limit=1,
            )
        )
        source = last_sudo.source_address
        if not source or account._is_source_allowed(account.id, source):
            return None
        return source

    @api.model
    def _link_reached(self):
        return self._link(
            self.env._("Address and encryption"), "ok", self.env._("The PBX answers.")
        )

    @api.model
    def _link_accepted(self):
        return self._link(
            self.env._("Code and secret"),
            "ok",
            self.env._("The PBX accepts our signature."),
        )

    @api.model
    def _link(self, name, state, message=None):
        if message is None:
            message = self._skipped_message()
        return {"name": name, "state": state, "message": message}

    @api.model
    def _skipped_message(self):
        return self.env._("Skipped because of the problem above.")

    @api.model
    def _problems(self, links):
        """Return what is wrong, without the steps that were skipped because of it.

        :param list[dict] links: as returned by :meth:`_check`.
        :rtype: list[str]
        """
        skipped = self._skipped_message()
        messages = [link["message"] for link in links if link["state"] != "ok"]
        return [message for message in messages if message != skipped]


class MangoConnectionCheckLine(models.TransientModel):
    _name = "mango.connection.check.line"
    _description = "Step of the Connection Check"
    _order = "id"

    check_id = fields.Many2one(
        "mango.connection.check", required=True, index=True, ondelete="cascade"
    )
    name = fields.Char(string="Step", readonly=True)
    state = fields.Selection(
        [
            ("ok", "OK"),
            ("warning", "Needs Attention"),
            ("failed", "Not Working"),
            ("skipped", "Not Checked"),
        ],
        string="Result",
        readonly=True,
    )
    message = fields.Char(string="Details", readonly=True)
