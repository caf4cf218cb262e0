from odoo import fields, models


class MangoLine(models.Model):
    _inherit = "mango.line"

    user_id = fields.Many2one(
        "res.users",
        string="Employee",
        index="btree_not_null",
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        help="Calls back the clients who were missed on this line and have no "
        "responsible person of their own.",
    )
