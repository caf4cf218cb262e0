from odoo import fields, models


class MangoCallLeg(models.Model):
    """One place that a call visited: the menu, a queue, an employee, a client."""

    _name = "mango.call.leg"
    _description = "Call Leg"
    _order = "started_at, id"
    _rec_name = "leg_ref"

    call_id = fields.Many2one(
        "mango.call", required=True, index=True, ondelete="cascade", readonly=True
    )
    leg_ref = fields.Char(
        string="PBX Leg", required=True, readonly=True, help="call_id of the PBX"
    )
    location = fields.Char(readonly=True, help="ivr, queue or abonent, as the PBX says")
    state = fields.Char(readonly=True)
    from_number = fields.Char(readonly=True)
    from_extension = fields.Char(readonly=True)
    to_number = fields.Char(readonly=True)
    to_extension = fields.Char(readonly=True)
    group_extension = fields.Char(
        string="Group", readonly=True, help="acd_group, if a group rang"
    )
    started_at = fields.Datetime(readonly=True)
    answered_at = fields.Datetime(readonly=True)
    ended_at = fields.Datetime(readonly=True)
    end_reason = fields.Integer(readonly=True, help="The PBX's code.")

    _ref_uniq = models.UniqueIndex(
        "(call_id, leg_ref)", "The call has this leg already."
    )
