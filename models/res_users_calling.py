from odoo import models
from odoo.exceptions import AccessError, RedirectWarning, UserError
from odoo.fields import Domain

from ..vpbx import numbers


class ResUsers(models.Model):
    """Click to call (``design.md`` 4)."""

    _inherit = "res.users"

    def mango_call(self, number, res_model=None, res_id=None):
        """Have the PBX ring the user's phone and then somebody else's.

        The same number is not called twice at a time: a second click, in another tab
        too, finds the first.

        :param str number: as people write it, read as in the record's country; or a
            colleague's extension.
        :param str res_model: the model of the record that the call belongs to, if any.
        :param int res_id: its id.
        :return: the card of the call (:class:`mango.card`).
        :rtype: dict
        :raise AccessError: if it is another user, or the user is not an internal one,
            or may not read the record.
        :raise UserError: if the user has no extension, or that is no number.
        """
        self.ensure_one()
        if self != self.env.user or not self._is_internal():
            raise AccessError(self.env._("People call from their own phone only."))
        extension = self._mango_caller_extension()
        if not extension:
            raise self._mango_no_extension()
        record = self._mango_origin(res_model, res_id)
        account = extension.account_id
        to_number = self._mango_dialled(number, extension, record)
        return self.env["mango.command"]._give(
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
        """Return the record that a call is started from; empty if it is not stored.

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
        return record

    def _mango_dialled(self, number, extension, record):
        """Return what is to be called: E.164, or a colleague's extension.

        :raise UserError: if it is neither.
        """
        text = number.strip() if isinstance(number, str) else ""
        if text == extension.number:
            raise UserError(self.env._("%s is your own extension.", text))
        colleagues = self.env["mango.extension"].search_count(
            Domain("account_id", "=", extension.account_id.id)
            & Domain("number", "=", text),
            limit=1,
        )
        if colleagues:
            return text
        e164 = numbers.e164(text, self._mango_regions_of(record, extension))
        if not e164:
            raise UserError(
                self.env._("«%s» is no phone number and no extension.", text)
            )
        return e164

    def _mango_regions_of(self, record, extension):
        company_regions = self.env["mail.thread.phone"]._mango_phone_regions(
            extension.company_id
        )
        # sudo: res.country - the country of a record that the user may read, or of
        # its contact.
        country = record.sudo()._phone_get_country().get(record.id)
        return (country.code, *company_regions) if country else company_regions

    def _mango_no_extension(self):
        """Return what tells the user how to get an extension.

        :rtype: Exception
        """
        if self.has_group("mango_office.group_admin"):
            return RedirectWarning(
                self.env._(
                    "You have no extension of the PBX. Choose yourself as the employee "
                    "of one."
                ),
                self.env.ref("mango_office.mango_extension_action").id,
                self.env._("Open Extensions"),
            )
        return UserError(
            self.env._(
                "You have no extension of the PBX. Ask the administrator of the "
                "telephony for one: Calls ▸ Configuration ▸ Extensions."
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
