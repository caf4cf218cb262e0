from odoo import api, models
from odoo.fields import Domain


class MangoCallback(models.Model):
    _inherit = "mango.callback"

    @api.model
    def _refused_numbers(self, account, calls):
        """Exclude blocked numbers from call backs."""
        blocked = self.env["mango.blocked.number"].search(
            Domain("account_id", "=", account.id)
            & Domain("number", "in", calls.mapped("client_number"))
        )
        refused = super()._refused_numbers(account, calls)
        return refused | set(blocked.mapped("number"))
