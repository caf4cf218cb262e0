from odoo import api, models


class MangoEvent(models.Model):
    _inherit = "mango.event"

    @api.model
    def _entry_of_command(self, account_id, command_id):
        # Empty for a callback: its result is not serialized with its call.
        command = self.env["mango.command"]._find_by_command_id(account_id, command_id)
        return command.entry_id or super()._entry_of_command(account_id, command_id)

    def _apply_command_result(self, result):
        self.env["mango.command"]._apply_result(self.account_id, result)
        return super()._apply_command_result(result)
