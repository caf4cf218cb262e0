from odoo import fields, models
from odoo.fields import Domain


class ResUsers(models.Model):
    _inherit = "res.users"

    mango_call_count = fields.Integer(
        string="Number of Calls",
        compute="_compute_mango_call_count",
        groups="mango_office.group_user",
    )

    def _compute_mango_call_count(self):
        rows = self.env["mango.call"]._read_group(
            Domain("user_id", "in", self.ids), ["user_id"], ["__count"]
        )
        count_by_user = dict(rows)
        for user in self:
            user.mango_call_count = count_by_user.get(user, 0)

    def action_view_mango_calls(self):
        """Open the calls that the user answered, made or missed."""
        self.ensure_one()
        return self.env["mango.call"]._action_of(Domain("user_id", "=", self.id))
