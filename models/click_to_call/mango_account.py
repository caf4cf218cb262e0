from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...vpbx import numbers

MAX_CALLBACK_LIMIT = 10_000


class MangoAccount(models.Model):
    """The outgoing line, and the numbers that users may dial."""

    _inherit = "mango.account"

    outgoing_line_id = fields.Many2one(
        "mango.line",
        domain="[('account_id', '=', id)]",
        ondelete="set null",
        copy=False,
        tracking=True,
        help="The number that clients see on click-to-call calls; employees can "
        "choose another one in their preferences.",
    )
    callback_limit_per_hour = fields.Integer(
        string="Click-to-Call Limit per Hour",
        default=60,
        tracking=True,
        help="How many click-to-call calls each employee may start per hour; 0 for "
        "no limit. Protects your balance if an employee's session is stolen.",
    )
    premium_allowed = fields.Boolean(
        string="Premium-Rate Numbers",
        tracking=True,
        help="Whether premium-rate numbers, and satellite and other international "
        "networks, can be called with click-to-call.",
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
        help="Countries that can be called with click-to-call. The company's own "
        "country is always allowed.",
    )
    foreign_country_ids = fields.Many2many(
        "res.country",
        string="Countries",
        help="In addition to the company's own country.",
    )

    @api.constrains("outgoing_line_id")
    def _check_outgoing_line_id(self):
        for account in self:
            line = account.outgoing_line_id
            if line and line.account_id != account:
                raise ValidationError(
                    self.env._(
                        "The outgoing line %s belongs to another PBX.",
                        line.display_name,
                    )
                )

    def _check_credentials(self, vals):
        """Refuse missing values: PostgreSQL would log the row with its secrets."""
        missing = [
            field
            for name, field in self._fields.items()
            if field.required and name in vals and not vals[name]
        ]
        if missing:
            names = self.fields_get([field.name for field in missing], ["string"])
            raise ValidationError(
                self.env._(
                    "Required fields: %s.",
                    ", ".join(description["string"] for description in names.values()),
                )
            )
        if not 0 <= int(vals.get("callback_limit_per_hour") or 0) <= MAX_CALLBACK_LIMIT:
            raise ValidationError(
                self.env._(
                    "The click-to-call limit per hour must be between 0 (no limit) "
                    "and %s.",
                    MAX_CALLBACK_LIMIT,
                )
            )
        return super()._check_credentials(vals)

    # ------------------------------------------------------------
    # Permitted numbers
    # ------------------------------------------------------------

    def _check_destination(self, number):
        """Refuse a number that the company has blocked.

        :param str number: E.164; anything else is an extension, which is always
            allowed.
        :raise UserError: if it is blocked.
        """
        self.ensure_one()
        destination = numbers.destination(number)
        if destination is None:
            return
        if destination.is_costly and not self.premium_allowed:
            raise UserError(
                self.env._(
                    "Calls to premium-rate numbers and satellite networks are "
                    "blocked in your company. The telephony administrator can "
                    "allow them."
                )
            )
        if not destination.is_costly and not self._is_country_allowed(
            destination.region
        ):
            raise UserError(
                self.env._(
                    "Calls to this country are blocked in your company. The "
                    "telephony administrator can allow them."
                )
            )

    def _is_country_allowed(self, region):
        """Tell whether a country may be called.

        :param str region: its ISO code, or None if the number belongs to no country.
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
