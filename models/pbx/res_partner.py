from odoo import models
from odoo.fields import Domain

from ...tools.caches import clear_caches


class ResPartner(models.Model):
    _inherit = "res.partner"

    def write(self, vals):
        result = super().write(vals)
        if not vals.keys().isdisjoint({"lang", "country_id"}):
            self._forget_of_companies()
        return result

    def _forget_of_companies(self):
        """Clear the cached data of the companies' contacts."""
        # sudo: res.company - only tells whether there is one.
        companies_sudo = self.env["res.company"].sudo()
        if companies_sudo.search_count(Domain("partner_id", "in", self.ids), limit=1):
            clear_caches(self.env)
