from odoo import api, fields, models, tools
from odoo.exceptions import UserError, ValidationError

from ..vpbx import addresses, numbers
from .caches import clear_caches

MAX_CALLBACK_LIMIT = 10_000


class MangoAccount(models.Model):
    """What a PBX may tell us from where, and what people may have it dial."""

    _inherit = "mango.account"

    allowed_addresses = fields.Text(
        string="Notifications Only From",
        tracking=True,
        help="Addresses and networks such as 81.88.80.132 or 81.88.82.0/24. If there "
        "are some, a notification from elsewhere is refused although its signature is "
        "right. Behind a reverse proxy this needs proxy_mode.",
    )
    callback_limit_per_hour = fields.Integer(
        string="Calls by a Click per Hour",
        default=60,
        tracking=True,
        help="How many calls each employee may start by a click in an hour; 0 for any "
        "number. Protects your balance if somebody gets hold of an employee's session.",
    )
    premium_allowed = fields.Boolean(
        string="Premium-Rate Numbers",
        tracking=True,
        help="Whether numbers that cost extra, and satellite and other international "
        "networks, can be called by a click.",
    )
    foreign_calls = fields.Selection(
        [
            ("all", "To every country"),
            ("listed", "Only to some countries"),
            ("none", "Only inside the country"),
        ],
        string="Calls Abroad",
        required=True,
        default="all",
        tracking=True,
        help="Where people can call by a click. The company's own country is always "
        "possible.",
    )
    foreign_country_ids = fields.Many2many(
        "res.country", string="Countries", help="Besides the company's own."
    )

    def _check_credentials(self, vals):
        """Refuse what PostgreSQL would refuse, which logs the row, secrets included."""
        missing = [
            field
            for name, field in self._fields.items()
            if field.required and name in vals and not vals[name]
        ]
        if missing:
            names = self.fields_get([field.name for field in missing], ["string"])
            raise ValidationError(
                self.env._(
                    "Fill in: %s.",
                    ", ".join(description["string"] for description in names.values()),
                )
            )
        if not 0 <= int(vals.get("callback_limit_per_hour") or 0) <= MAX_CALLBACK_LIMIT:
            raise ValidationError(
                self.env._(
                    "Calls by a click per hour: from 0, which allows any number, "
                    "to %s.",
                    MAX_CALLBACK_LIMIT,
                )
            )
        return super()._check_credentials(vals)

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
                        "«%s» is no address and no network. Write them like "
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
        :return: nothing if that does not matter.
        :rtype: tuple[IPv4Network | IPv6Network, ...]
        """
        # sudo: mango.account - the PBX is nobody's user; the result is compared with.
        account_sudo = self.sudo().browse(account_id)
        return addresses.parse_networks(account_sudo.allowed_addresses)

    @api.model
    def _is_source_allowed(self, account_id, address):
        """Tell whether a notification of an account may come from an address.

        :param int account_id: the account.
        :param str address: of the sender, or of whom the reverse proxy says it is.
        :rtype: bool
        """
        networks = self._allowed_networks(account_id)
        return not networks or addresses.is_among(address, networks)

    def action_allow_known_addresses(self):
        """Let notifications come from the addresses that the PBX's operator names."""
        self.ensure_one()
        self.check_access("write")
        self.allowed_addresses = "\n".join(addresses.KNOWN_SOURCES)

    # ------------------------------------------------------------
    # What may be dialled
    # ------------------------------------------------------------

    def _check_destination(self, number):
        """Refuse a number that the company does not want to pay for.

        :param str number: E.164; anything else is an extension, which is free.
        :raise UserError: saying why.
        """
        self.ensure_one()
        destination = numbers.destination(number)
        if destination is None:
            return
        if destination.is_costly and not self.premium_allowed:
            raise UserError(
                self.env._(
                    "Calls to premium-rate numbers and to satellite networks are "
                    "switched off in your company. The administrator of the telephony "
                    "can allow them."
                )
            )
        if not destination.is_costly and not self._is_country_allowed(
            destination.region
        ):
            raise UserError(
                self.env._(
                    "Calls to this country are switched off in your company. The "
                    "administrator of the telephony can allow them."
                )
            )

    def _is_country_allowed(self, region):
        """Tell whether a country may be called.

        :param str region: its ISO code, or None if the number is of no country.
        :rtype: bool
        """
        if self.foreign_calls == "all":
            return True
        # sudo: res.company, res.country - the country of the account's company.
        account_sudo = self.sudo()
        home = account_sudo.company_id.country_id.code or numbers.HOME_REGION
        if region == home:
            return True
        listed = account_sudo.foreign_country_ids.mapped("code")
        return self.foreign_calls == "listed" and region in listed
