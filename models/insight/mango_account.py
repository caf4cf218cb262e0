from odoo import api, fields, models
from odoo.exceptions import ValidationError


class MangoAccount(models.Model):
    """By what the service of a PBX is measured."""

    _inherit = "mango.account"

    answer_seconds = fields.Integer(
        string="Answer Within (Seconds)",
        required=True,
        default=20,
        help="A call that is answered within so many seconds is answered in time.",
    )

    @api.constrains("answer_seconds")
    def _check_answer_seconds(self):
        for account in self:
            if not 1 <= account.answer_seconds <= 600:
                raise ValidationError(
                    self.env._("Calls are answered in time within 1 to 600 seconds.")
                )
