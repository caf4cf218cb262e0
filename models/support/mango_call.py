from odoo import models


class MangoCall(models.Model):
    """Export of a call for support."""

    _inherit = "mango.call"

    def action_export_for_support(self):
        """Show what would be exported for this call."""
        self.ensure_one()
        self.check_access("read")
        return self.env["mango.support.export"]._open(
            {"account_id": self.account_id.id, "call_id": self.id}
        )
