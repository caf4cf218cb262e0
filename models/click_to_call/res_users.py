from odoo import api, fields, models
from odoo.exceptions import AccessError, RedirectWarning, UserError, ValidationError
from odoo.fields import Domain

from ...vpbx import numbers

PREFERENCES = ["mango_extension_id", "mango_device_id", "mango_line_id"]


class ResUsers(models.Model):
    """Click to call: which phone rings first, and the call itself."""

    _inherit = "res.users"

    mango_extension_id = fields.Many2one(
        "mango.extension",
        string="Call From",
        domain="[('user_id', '=', id)]",
        groups="mango_office.group_user",
        help="The extension you call from, if you have several.",
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
        # sudo: mango.extension - only checked, for anybody who may change the user,
        # whichever company is active.
        for user in self.sudo():
            extension = user.mango_extension_id
            if extension and extension not in user.mango_extension_ids:
                raise ValidationError(
                    self.env._(
                        "%(extension)s is not an extension of %(user)s.",
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
    # Extension, phone and line of a call
    # ------------------------------------------------------------

    def _mango_caller_extension(self):
        """Return the extension that the user calls from.

        This is the one they chose, else the first of the current company, else the
        first of all.

        :return: readable by the user whichever company is active; empty if they have
            none.
        :rtype: mango.extension
        """
        self.ensure_one()
        # sudo: mango.extension - the user's own extensions.
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
        """Return the phone that rings first when the user calls.

        :param mango.extension extension: the one that the user calls from.
        :return: a number or a SIP address in the PBX's format, or None to leave it to
            the PBX.
        :rtype: str | None
        """
        self.ensure_one()
        # sudo: mango.device - a phone of the user's own extension.
        device_sudo = self.sudo().mango_device_id
        if not device_sudo.active or device_sudo.extension_id != extension:
            return None
        return device_sudo.number

    def _mango_outgoing_line(self, account):
        """Return the outgoing line for calls of the user.

        :param mango.account account: the one that the user calls with.
        :return: in the format of a command to the PBX, or None to leave it to the PBX.
        :rtype: str | None
        """
        self.ensure_one()
        # sudo: mango.line - the user's and the account's own line.
        lines_sudo = self.sudo().mango_line_id | account.sudo().outgoing_line_id
        usable = lines_sudo.filtered(
            lambda line: line.active and line.account_id == account
        )
        return next(filter(None, (line._outgoing_name() for line in usable)), None)

    # ------------------------------------------------------------
    # Click to call
    # ------------------------------------------------------------

    def mango_call(self, number, res_model=None, res_id=None):
        """Make the PBX ring the user's phone and then call the number.

        The same number is not called twice at a time: a second click, even in another
        tab, finds the first one.

        :param str number: as written by people in the record's country; or a
            colleague's extension.
        :param str res_model: the model of the record that the call belongs to, if any.
        :param int res_id: its id.
        :return: the card of the call (:class:`mango.card.content`).
        :rtype: dict
        :raise AccessError: if it is another user, not an internal user, or if the user
            may not read the record.
        :raise UserError: if the user has no extension, or the number is invalid.
        """
        self.ensure_one()
        if self != self.env.user or not self._is_internal():
            raise AccessError(self.env._("You can only call from your own phone."))
        extension = self._mango_caller_extension()
        if not extension:
            raise self._mango_no_extension()
        record = self._mango_origin(res_model, res_id)
        account = extension.account_id
        to_number = self._mango_dialled(number, extension, record)
        return self.env["mango.command"]._submit_command(
            {
                "account_id": account.id,
                "kind": "callback",
                "target": to_number,
                "extension": extension.number,
                "device": self._mango_caller_device(extension),
                "line_number": self._mango_outgoing_line(account),
                "to_number": to_number,
                "res_model": record._name if record else False,
                "res_id": record.id,
            }
        )

    def _mango_origin(self, res_model, res_id):
        """Return the record that a call is started from; empty if it does not exist.

        :rtype: models.BaseModel
        :raise AccessError: if the user may not read it.
        """
        if not res_id or res_model not in self.env:
            return self.env["res.partner"]
        model = self.env[res_model]
        if model._transient or model._abstract or not isinstance(res_id, int):
            return self.env["res.partner"]
        record = model.browse(res_id).exists()
        record.check_access("read")
        if record._name != "mango.call":
            return record
        # A call from the call log goes to the client of the entry.
        lead = record.lead_id._filtered_access("read")
        return lead or record.partner_id._filtered_access("read")

    def _mango_dialled(self, number, extension, record):
        """Return the number to call: E.164, or a colleague's extension.

        :raise UserError: if it is neither.
        """
        text = number.strip() if isinstance(number, str) else ""
        if text == extension.number:
            raise UserError(self.env._("%s is your own extension.", text))
        # Under the company of the user's extension, whichever is active.
        colleagues = extension.search_count(
            Domain("account_id", "=", extension.account_id.id)
            & Domain("number", "=", text),
            limit=1,
        )
        if colleagues:
            return text
        e164 = numbers.e164(text, self._mango_regions_of(record, extension))
        if not e164:
            raise UserError(
                self.env._("“%s” is neither a phone number nor an extension.", text)
            )
        return e164

    def _mango_regions_of(self, record, extension):
        company_regions = self.env["mail.thread.phone"]._mango_phone_regions(
            extension.company_id
        )
        # sudo: res.country - of a record that the user may read, or of its contact.
        country = record.sudo()._phone_get_country().get(record.id)
        return (country.code, *company_regions) if country else company_regions

    def _mango_no_extension(self):
        """Return the error that explains how to get an extension.

        :rtype: Exception
        """
        if self.has_group("mango_office.group_admin"):
            return RedirectWarning(
                self.env._(
                    "You have no extension in the PBX. Choose yourself as the "
                    "employee of one."
                ),
                self.env.ref("mango_office.mango_extension_action").id,
                self.env._("Open Extensions"),
            )
        return UserError(
            self.env._(
                "You have no extension in the PBX. Ask the telephony administrator "
                "for one: Calls ▸ Configuration ▸ Extensions."
            )
        )

    def _mango_extension_info(self):
        """Return the extension that the user calls from, for the web client.

        :return: ``id``, ``number`` and ``name``; or False.
        :rtype: dict | bool
        """
        extension = self._mango_caller_extension()
        if not extension:
            return False
        return {
            "id": extension.id,
            "number": extension.number,
            "name": extension.name or "",
        }
