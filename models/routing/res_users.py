from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Domain

STATUS_FIELDS = ["mango_status", "mango_away_until"]


class ResUsers(models.Model):
    """Availability for routed calls."""

    _inherit = "res.users"

    mango_status = fields.Selection(
        [
            ("available", "Available"),
            ("dnd", "Do Not Disturb"),
            ("away", "Away"),
        ],
        string="Routed Calls",
        compute="_compute_mango_status",
        inverse="_inverse_mango_status",
        search="_search_mango_status",
        compute_sudo=True,
        groups="mango_office.group_user",
        help="Odoo routes no calls to people who are away or not to be disturbed.",
    )
    mango_away_until = fields.Datetime(
        string="Away Until",
        compute="_compute_mango_status",
        inverse="_inverse_mango_status",
        compute_sudo=True,
        groups="mango_office.group_user",
        help="Empty: until you change it.",
    )

    @property
    def SELF_READABLE_FIELDS(self):
        return [*super().SELF_READABLE_FIELDS, *STATUS_FIELDS]

    @property
    def SELF_WRITEABLE_FIELDS(self):
        return [*super().SELF_WRITEABLE_FIELDS, *STATUS_FIELDS]

    @api.depends(
        "res_users_settings_ids.mango_status",
        "res_users_settings_ids.mango_away_until",
    )
    def _compute_mango_status(self):
        now = fields.Datetime.now()
        by_user = self.res_users_settings_ids.grouped("user_id")
        for user in self:
            settings = by_user.get(user, self.env["res.users.settings"])
            until = settings.mango_away_until
            status = settings.mango_status or "available"
            if status == "away" and until and until <= now:
                status = "available"
            user.mango_status = status
            user.mango_away_until = until if status == "away" else False

    def _inverse_mango_status(self):
        for user in self:
            is_away = user.mango_status == "away"
            user._mango_store_status(
                user.mango_status, user.mango_away_until if is_away else False
            )

    def _search_mango_status(self, operator, value):
        if operator != "in":
            return NotImplemented
        now = fields.Datetime.now()
        # sudo: res.users.settings - the status, which telephony users may read.
        settings_sudo = self.env["res.users.settings"].sudo()
        is_back = Domain("mango_status", "=", "away") & Domain(
            "mango_away_until", "<=", now
        )
        wanted = Domain("mango_status", "in", list(value)) & ~is_back
        if "available" not in value:
            return Domain("id", "in", settings_sudo.search(wanted).user_id.ids)
        others = settings_sudo.search(~wanted & ~is_back)
        return Domain("id", "not in", others.user_id.ids)

    def mango_set_status(self, status, until=False):
        """Set whether calls are routed to the user.

        :param str status: ``available``, ``dnd`` or ``away``.
        :param until: the end of being away, UTC as text; False for no end.
        :type until: str | bool
        :raise AccessError: for somebody else, except by a supervisor of their company.
        """
        self.ensure_one()
        self._mango_check_status_right()
        if status not in dict(self._fields["mango_status"].selection):
            raise ValidationError(self.env._("Unknown status."))
        try:
            moment = fields.Datetime.to_datetime(until) if until else False
        except (TypeError, ValueError) as error:
            raise ValidationError(self.env._("Unknown moment.")) from error
        self._mango_store_status(status, moment if status == "away" else False)

    def _mango_check_status_right(self):
        user = self.env.user
        if self == user and user.has_group("mango_office.group_user"):
            return
        # sudo: res.users - only tells whether both work for a common company.
        companies = self.sudo().company_ids & user.company_ids
        if not companies or not user.has_group("mango_office.group_supervisor"):
            raise AccessError(
                self.env._("Only supervisors may change the status of other people.")
            )

    def _mango_store_status(self, status, until):
        # sudo: res.users.settings - the permission to change the status has been
        # checked.
        settings_sudo = self.env["res.users.settings"].sudo()
        settings_sudo = settings_sudo._find_or_create_for_user(self)
        settings_sudo.write(
            {"mango_status": status or "available", "mango_away_until": until}
        )

    def _mango_status_info(self):
        """Return the status for the web client.

        :return: ``status``, and ``away_until`` (UTC as text, or False).
        :rtype: dict
        """
        until = self.mango_away_until
        return {
            "status": self.mango_status or "available",
            "away_until": fields.Datetime.to_string(until) if until else False,
        }
