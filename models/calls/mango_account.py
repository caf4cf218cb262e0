from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Domain


class MangoAccount(models.Model):
    """A PBX with calls stays in its company, and so do the calls."""

    _inherit = "mango.account"

    def write(self, vals):
        if "company_id" in vals:
            self._check_new_company(vals["company_id"])
        return super().write(vals)

    def _check_new_company(self, company_id):
        moved = self.filtered(lambda account: account.company_id.id != company_id)
        # sudo: mango.call - only tells whether there are any.
        calls_sudo = self.env["mango.call"].sudo()
        if calls_sudo.search_count(Domain("account_id", "in", moved.ids), limit=1):
            raise UserError(
                self.env._(
                    "The company of a PBX cannot be changed once there are calls. "
                    "Add another PBX to the other company."
                )
            )
