from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    mango_account_id = fields.Many2one(
        "mango.account",
        string="Main Mango Office PBX",
        groups="mango_office.group_user",
        index="btree_not_null",
    )
