from odoo import models


class ResGroups(models.Model):
    """Users who are removed from the telephony group in the form of a group."""

    _inherit = "res.groups"

    def write(self, vals):
        if vals.keys().isdisjoint({"user_ids", "implied_ids"}):
            return super().write(vals)
        before = self._mango_telephony_users()
        result = super().write(vals)
        if lost := before - self._mango_telephony_users():
            # sudo: mango.callback - follows from a permitted change of the group.
            self.env["mango.callback"].sudo()._hand_over(lost)
        return result

    def _mango_telephony_users(self):
        group = self.env.ref("mango_office.group_user", raise_if_not_found=False)
        return group.all_user_ids if group else self.env["res.users"]
