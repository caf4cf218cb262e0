from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ...tools.caches import clear_caches
from ...vpbx import addresses, statistics
from .ir_http import WEBHOOK_PATH


class MangoAccount(models.Model):
    """The webhook of a PBX, and the addresses allowed to use it."""

    _inherit = "mango.account"

    webhook_url = fields.Char(string="Webhook Address", compute="_compute_webhook_url")
    last_event_at = fields.Datetime(
        string="Last Notification",
        compute="_compute_last_event_at",
        compute_sudo=True,
    )
    failed_event_count = fields.Integer(
        compute="_compute_failed_event_count", compute_sudo=True
    )
    allowed_addresses = fields.Text(
        string="Notifications Only From",
        tracking=True,
        help="Addresses and networks such as 81.88.80.132 or 81.88.82.0/24. If any "
        "are listed, notifications from other addresses are refused even with "
        "a valid signature. Behind a reverse proxy this requires proxy_mode.",
    )

    def _compute_webhook_url(self):
        for account in self:
            account.webhook_url = account.get_base_url() + WEBHOOK_PATH

    def _compute_last_event_at(self):
        for account in self:
            last = self.env["mango.event"].search(
                Domain("account_id", "in", account.ids)
                # This is an answer to a request, and proves nothing about the webhook.
                & Domain("kind", "!=", statistics.KIND),
                order="received_at desc",
                limit=1,
            )
            account.last_event_at = last.received_at

    def _compute_failed_event_count(self):
        rows = self.env["mango.event"]._read_group(
            Domain("account_id", "in", self.ids) & Domain("state", "=", "failed"),
            ["account_id"],
            ["__count"],
        )
        count_by_account = dict(rows)
        for account in self:
            account.failed_event_count = count_by_account.get(account, 0)

    def action_view_failed_events(self):
        """Open the notifications that could not be applied."""
        self.ensure_one()
        self.env["mango.event"].check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "mango_office.mango_event_action"
        )
        action["domain"] = [("account_id", "=", self.id)]
        action["context"] = {"search_default_failed": 1}
        return action

    # ------------------------------------------------------------
    # Notifications only from the PBX's addresses
    # ------------------------------------------------------------

    @api.constrains("allowed_addresses")
    def _check_allowed_addresses(self):
        for account in self:
            try:
                addresses.parse_networks(account.allowed_addresses)
            except ValueError as error:
                raise ValidationError(
                    self.env._(
                        "“%s” is not an address or a network. Use the form "
                        "81.88.80.132 or 81.88.82.0/24.",
                        error,
                    )
                ) from error

    def write(self, vals):
        result = super().write(vals)
        if "allowed_addresses" in vals:
            clear_caches(self.env)
        return result

    @api.model
    @tools.ormcache("account_id")
    def _allowed_networks(self, account_id):
        """Return where notifications of an account may come from.

        :param int account_id: the account.
        :return: empty if any address is allowed.
        :rtype: tuple[IPv4Network | IPv6Network, ...]
        """
        # sudo: mango.account - the PBX is not a user; the result is only compared.
        account_sudo = self.sudo().browse(account_id)
        return addresses.parse_networks(account_sudo.allowed_addresses)

    @api.model
    def _is_source_allowed(self, account_id, address):
        """Tell whether a notification of an account may come from an address.

        :param int account_id: the account.
        :param str address: of the sender, or as the reverse proxy reports it.
        :rtype: bool
        """
        networks = self._allowed_networks(account_id)
        return not networks or addresses.is_among(address, networks)

    def action_allow_known_addresses(self):
        """Allow the addresses for notifications that the vendor documents."""
        self.ensure_one()
        self.check_access("write")
        self.allowed_addresses = "\n".join(addresses.KNOWN_SOURCES)
