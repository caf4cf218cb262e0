from odoo import fields, models


class MangoAccount(models.Model):
    """Unexpected data from a PBX, and the support tools."""

    _inherit = "mango.account"

    new_surprise_count = fields.Integer(
        string="New Surprises",
        compute="_compute_new_surprise_count",
        groups="mango_office.group_admin",
    )

    def _compute_new_surprise_count(self):
        rows = self.env["mango.surprise"]._read_group(
            [("account_id", "in", self.ids), ("is_seen", "=", False)],
            ["account_id"],
            ["__count"],
        )
        count_by_account = dict(rows)
        for account in self:
            account.new_surprise_count = count_by_account.get(account, 0)

    def action_view_surprises(self):
        """Open the unexpected data from the PBX."""
        self.ensure_one()
        self.env["mango.surprise"].check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "mango_office.mango_surprise_action"
        )
        action["domain"] = [("account_id", "=", self.id)]
        return action

    def action_self_test(self):
        """Start the self-test with real calls."""
        self.ensure_one()
        self.check_access("write")
        return self.env["mango.self.test"]._open(self)

    def action_export_for_support(self):
        """Show what would be exported for this PBX; the period can be chosen."""
        self.ensure_one()
        self.check_access("read")
        return self.env["mango.support.export"]._open({"account_id": self.id})
