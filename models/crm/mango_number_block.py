from odoo import fields, models


class MangoNumberBlock(models.TransientModel):
    """Asks for the reason to block a number."""

    _name = "mango.number.block"
    _description = "Blocking a Number"

    call_id = fields.Many2one("mango.call", readonly=True, required=True)
    client_number_display = fields.Char(related="call_id.client_number_display")
    reason = fields.Char(required=True)

    def action_block(self):
        """Put the number on the PBX's black list."""
        self.check_access("write")
        for block in self:
            block.call_id._block_number(block.reason)
        return {"type": "ir.actions.act_window_close"}
