from odoo import api, models


class MangoExtension(models.Model):
    _inherit = "mango.extension"

    @api.model
    def get_board_figures(self):
        """Return the figures of the day above the board.

        :return: ``to_call_back`` and ``overdue``: clients who wait for a call back;
            ``inbound``: calls since midnight; ``answered_share``: their share from 0 to
            1, False without calls.
        :rtype: dict
        :raise AccessError: if the user is no supervisor.
        """
        return self.env["mango.board"]._figures()
