from odoo import api, fields, models
from odoo.exceptions import ValidationError


class MangoExtension(models.Model):
    """Substitutes of extensions."""

    _inherit = "mango.extension"

    substitute_id = fields.Many2one(
        "mango.extension",
        domain="[('account_id', '=', account_id), ('id', '!=', id)]",
        index="btree_not_null",
        ondelete="set null",
        help="Rung next if this employee is not available or does not answer.",
    )

    @api.constrains("substitute_id", "account_id")
    def _check_substitute_id(self):
        for extension in self:
            substitute = extension.substitute_id
            if not substitute:
                continue
            if substitute == extension or substitute.account_id != extension.account_id:
                raise ValidationError(
                    self.env._(
                        "The substitute of %s must be another extension of the same "
                        "PBX.",
                        extension.display_name,
                    )
                )
