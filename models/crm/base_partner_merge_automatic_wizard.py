from odoo import api, models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    """The leads that calls have made stay those of their client."""

    _inherit = "base.partner.merge.automatic.wizard"

    @api.model
    def _update_values(self, src_partners, dst_partner):
        result = super()._update_values(src_partners, dst_partner)
        # sudo: mango.client.lead - what follows from a merge that was allowed.
        clients_sudo = self.env["mango.client.lead"].sudo()
        clients_sudo._merge_contacts(src_partners, dst_partner)
        return result
