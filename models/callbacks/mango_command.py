from odoo import api, models


class MangoCommand(models.Model):
    _inherit = "mango.command"

    @api.model_create_multi
    def create(self, vals_list):
        commands = super().create(vals_list)
        commands._tell_who_calls_back()
        return commands

    def _set_outcome(self, state, reason):
        result = super()._set_outcome(state, reason)
        self._tell_who_calls_back()
        return result

    def _tell_who_calls_back(self):
        """Notify the colleagues that somebody calls a client back."""
        for command in self.filtered(lambda command: command.kind == "callback"):
            self.env["mango.callback"]._tell_of_calling(
                command.account_id, command.to_number
            )
