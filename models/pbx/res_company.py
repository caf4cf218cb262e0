from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ResCompany(models.Model):
    _inherit = "res.company"

    mango_account_id = fields.Many2one(
        "mango.account",
        string="Main Mango Office PBX",
        groups="mango_office.group_user",
        index="btree_not_null",
    )

    @api.constrains("mango_account_id")
    def _check_mango_account_id(self):
        for company in self:
            # sudo: mango.account - only its company.
            account_sudo = company.sudo().mango_account_id
            if account_sudo and account_sudo.company_id != company:
                raise ValidationError(
                    self.env._("The main PBX of a company must be one of its own.")
                )
