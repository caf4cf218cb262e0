from odoo import fields, models


class MangoLine(models.Model):
    _inherit = "mango.line"

    user_id = fields.Many2one(
        "res.users",
        string="Employee",
        index="btree_not_null",
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        help="Calls back whoever was missed on this line and has nobody of their own.",
    )
