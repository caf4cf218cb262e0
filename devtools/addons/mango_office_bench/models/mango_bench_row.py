from odoo import fields, models


class MangoBenchRow(models.Model):
    """The row stored by a bare webhook, the minimum for any webhook in Odoo."""

    _name = "mango.bench.row"
    _description = "Row of a Bare Webhook"

    body = fields.Text(required=True)
