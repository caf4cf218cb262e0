from odoo import api, models
from odoo.fields import Domain


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    """Merged contacts are still known by the numbers that they had."""

    _inherit = "base.partner.merge.automatic.wizard"

    @api.model
    def _update_values(self, src_partners, dst_partner):
        numbers = {
            partner.phone_sanitized: partner.phone
            for partner in src_partners
            if partner.phone_sanitized
        }
        result = super()._update_values(src_partners, dst_partner)
        # sudo: mango.call - whether there are calls of a number; what is done about it
        # is done by whoever may merge the contacts.
        rows = (
            self.env["mango.call"]
            .sudo()
            ._read_group(
                Domain("client_number", "in", list(numbers)), ["client_number"]
            )
        )
        for [sanitized] in rows:
            dst_partner._mango_learn_number(numbers[sanitized], sanitized)
        return result
