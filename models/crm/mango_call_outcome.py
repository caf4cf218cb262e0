from odoo import api, fields, models
from odoo.fields import Domain


class MangoCallOutcome(models.Model):
    """The outcome of a talk, chosen by the user who had it."""

    _name = "mango.call.outcome"
    _description = "Outcome of a Call"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    color = fields.Integer()
    direction = fields.Selection(
        [("any", "All calls"), ("inbound", "Inbound"), ("outbound", "Outbound")],
        string="For",
        required=True,
        default="any",
    )
    activity_type_id = fields.Many2one(
        "mail.activity.type",
        string="Next Activity",
        ondelete="set null",
        domain="[('res_model', 'in', [False, 'crm.lead', 'res.partner'])]",
        help="Planned for the user who chooses the outcome, on the lead or the "
        "contact.",
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)

    @api.model
    def _outcomes_of(self, call):
        """Return the outcomes that may be chosen for a call.

        :rtype: mango.call.outcome
        """
        return self.search(Domain("direction", "in", ("any", call.direction)))
