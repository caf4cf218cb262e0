from odoo import api, fields, models
from odoo.exceptions import ValidationError


class MangoAccount(models.Model):
    """The service level of a PBX."""

    _inherit = "mango.account"

    answer_seconds = fields.Integer(
        string="Answer Within (Seconds)",
        required=True,
        default=20,
        help="A call counts as answered in time within this many seconds.",
    )

    @api.constrains("answer_seconds")
    def _check_answer_seconds(self):
        for account in self:
            if not 1 <= account.answer_seconds <= 600:
                raise ValidationError(
                    self.env._("The time to answer must be between 1 and 600 seconds.")
                )
