from odoo import api, models


class MangoEvent(models.Model):
    _inherit = "mango.event"

    @api.model
    def _entry_of_command(self, account_id, command_id):
        call = self.env["mango.router"]._call_of(account_id, command_id)
        return call.entry_id or super()._entry_of_command(account_id, command_id)

    def _apply_command_result(self, result):
        self.env["mango.router"]._apply_result(self.account_id, result)
        return super()._apply_command_result(result)
