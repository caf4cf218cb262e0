from odoo import api, fields, models
from odoo.fields import Domain


class MangoDevice(models.Model):
    """A phone of an employee, from the PBX's staff data (mango-api.md 6.1)."""

    _name = "mango.device"
    _description = "Phone of an Extension"
    _order = "extension_id, sequence, id"
    _rec_name = "number"

    extension_id = fields.Many2one(
        "mango.extension", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="extension_id.company_id", store=True)
    number = fields.Char(
        required=True,
        readonly=True,
        help="A phone number or a SIP address in the PBX's format.",
    )
    protocol = fields.Char(
        readonly=True, help="tel, sip or fmc, as reported by the PBX"
    )
    sequence = fields.Integer(
        readonly=True, help="The order in which the PBX rings the phones."
    )
    active = fields.Boolean(default=True, readonly=True)
    _number_uniq = models.UniqueIndex(
        "(extension_id, number)", "The extension already has this phone."
    )

    @api.depends("number", "extension_id.account_id")
    def _compute_display_name(self):
        for device in self:
            account = device.extension_id.account_id
            device.display_name = account._display_number(
                device.number.removeprefix("sip:")
            )

    @api.model
    def _load_devices(self, devices_by_extension):
        """Update the phones of some extensions, and archive removed ones.

        :param dict[mango.extension, tuple[Device, ...]] devices_by_extension: all
            phones of each extension, as in :class:`vpbx.client.User`.
        :return: the extensions whose phones have changed.
        :rtype: mango.extension
        """
        # sudo: mango.device - phones are only written by loading, which requires write
        # access to the account.
        devices_sudo = self.sudo().with_context(active_test=False)
        extension_ids = [extension.id for extension in devices_by_extension]
        known = {
            (device.extension_id.id, device.number): device
            for device in devices_sudo.search(
                Domain("extension_id", "in", extension_ids)
            )
        }
        to_create, changed_ids = [], set()
        for extension, pbx_devices in devices_by_extension.items():
            for number, vals in self._prepare_loaded_vals(pbx_devices).items():
                device = known.pop((extension.id, number), None)
                if device is None:
                    to_create.append(
                        {**vals, "extension_id": extension.id, "number": number}
                    )
                    changed_ids.add(extension.id)
                elif any(device[name] != value for name, value in vals.items()):
                    device.write(vals)
                    changed_ids.add(extension.id)
        devices_sudo.create(to_create)
        gone = devices_sudo.union(*known.values()).filtered("active")
        gone.active = False
        return self.env["mango.extension"].browse(changed_ids) | gone.extension_id

    @api.model
    def _prepare_loaded_vals(self, pbx_devices):
        return {
            device.number: {
                "protocol": device.protocol or False,
                "sequence": device.order,
                "active": device.is_on,
            }
            for device in pbx_devices
        }
