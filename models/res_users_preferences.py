from odoo import api, fields, models
from odoo.exceptions import ValidationError

PREFERENCES = ["mango_extension_id", "mango_device_id", "mango_line_id"]


class ResUsers(models.Model):
    """What people prefer when they call.

    A choice that is not theirs any more (the extension went to somebody else, the PBX
    lost the line) is passed over, not an error.
    """

    _inherit = "res.users"

    mango_extension_id = fields.Many2one(
        "mango.extension",
        string="Call From",
        domain="[('user_id', '=', id)]",
        groups="mango_office.group_user",
        help="The extension that you call from if you have several.",
    )
    mango_device_id = fields.Many2one(
        "mango.device",
        string="Phone to Ring First",
        domain="[('extension_id.user_id', '=', id), ('extension_id.active', '=', True),"
        " ('extension_id', '=?', mango_extension_id)]",
        groups="mango_office.group_user",
        help="When you call with a click, this phone rings and then your client's.",
    )
    mango_line_id = fields.Many2one(
        "mango.line",
        string="Outgoing Line",
        domain="[('account_id.extension_ids.user_id', '=', id)]",
        groups="mango_office.group_user",
        help="The number that your clients see when you call with a click.",
    )

    @property
    def SELF_READABLE_FIELDS(self):
        return [*super().SELF_READABLE_FIELDS, "mango_extension_ids", *PREFERENCES]

    @property
    def SELF_WRITEABLE_FIELDS(self):
        return [*super().SELF_WRITEABLE_FIELDS, *PREFERENCES]

    # ------------------------------------------------------------
    # Checks
    # ------------------------------------------------------------

    @api.constrains("mango_extension_id")
    def _check_mango_extension_id(self):
        # sudo: mango.extension - whoever may change the user may have this checked,
        # whatever company is active.
        for user in self.sudo():
            extension = user.mango_extension_id
            if extension and extension not in user.mango_extension_ids:
                raise ValidationError(
                    self.env._(
                        "%(extension)s is no extension of %(user)s.",
                        extension=extension.display_name,
                        user=user.name,
                    )
                )

    @api.constrains("mango_device_id", "mango_extension_id")
    def _check_mango_device_id(self):
        # sudo: mango.device - as above.
        for user in self.sudo():
            device = user.mango_device_id
            if not device:
                continue
            callers = user.mango_extension_id or user.mango_extension_ids
            if callers != device.extension_id:
                raise ValidationError(
                    self.env._(
                        "The phone %(phone)s is not one of the extension that "
                        "%(user)s calls from. Choose the extension, then its phone.",
                        phone=device.display_name,
                        user=user.name,
                    )
                )

    @api.constrains("mango_line_id")
    def _check_mango_line_id(self):
        # sudo: mango.line - as above.
        for user in self.sudo():
            line = user.mango_line_id
            if line and line.account_id not in user.mango_extension_ids.account_id:
                raise ValidationError(
                    self.env._(
                        "%(user)s has no extension in the PBX of the line %(line)s.",
                        user=user.name,
                        line=line.display_name,
                    )
                )

    @api.onchange("mango_extension_id")
    def _onchange_mango_extension_id(self):
        if self.mango_device_id.extension_id != self.mango_extension_id:
            self.mango_device_id = False

    @api.onchange("mango_device_id")
    def _onchange_mango_device_id(self):
        if self.mango_device_id and not self.mango_extension_id:
            self.mango_extension_id = self.mango_device_id.extension_id

    # ------------------------------------------------------------
    # What follows for a call
    # ------------------------------------------------------------

    def _mango_caller_extension(self):
        """Return the extension that the user calls from.

        That is the one they chose, else the first of the current company, else the
        first of all.

        :return: readable by the user whatever company is active, since it comes with
            its own company; empty if they have none.
        :rtype: mango.extension
        """
        self.ensure_one()
        # sudo: mango.extension - the user's own ones.
        user_sudo = self.sudo()
        extensions_sudo = user_sudo.mango_extension_ids.sorted().filtered(
            lambda extension: (
                extension.active
                and extension.account_id.active
                and extension.company_id in user_sudo.company_ids
            )
        )
        company = self.env.company if self == self.env.user else user_sudo.company_id
        found = (
            extensions_sudo & user_sudo.mango_extension_id
            or extensions_sudo.filtered(lambda ext: ext.company_id == company)
            or extensions_sudo
        )[:1]
        extension = found.with_env(self.env)
        return extension.with_company(found.company_id) if found else extension

    def _mango_caller_device(self, extension):
        """Return the phone that is to ring first when the user calls.

        :param mango.extension extension: that the user calls from.
        :return: a number or a SIP address as the PBX writes it, or None to leave it
            to the PBX.
        :rtype: str | None
        """
        self.ensure_one()
        # sudo: mango.device - a phone of the user's own extension.
        device_sudo = self.sudo().mango_device_id
        if not device_sudo.active or device_sudo.extension_id != extension:
            return None
        return device_sudo.number

    def _mango_outgoing_line(self, account):
        """Return the line that a call of the user goes out through.

        :param mango.account account: that the user calls with.
        :return: as a command to the PBX names it, or None to leave it to the PBX.
        :rtype: str | None
        """
        self.ensure_one()
        # sudo: mango.line - the user's and the account's own line.
        lines_sudo = self.sudo().mango_line_id | account.sudo().outgoing_line_id
        usable = lines_sudo.filtered(
            lambda line: line.active and line.account_id == account
        )
        return next(filter(None, (line._outgoing_name() for line in usable)), None)
