from odoo import fields, models


class MangoBenchRow(models.Model):
    """What a bare webhook stores: the least that any webhook of Odoo does."""

    _name = "mango.bench.row"
    _description = "Row of a Bare Webhook"

    body = fields.Text(required=True)
