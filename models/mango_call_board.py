from odoo import models


class MangoCall(models.Model):
    """How the supervisors' board follows the calls."""

    _inherit = "mango.call"

    def _notify_board(self):
        """Tell the open boards of the supervisors that something has changed.

        The message is empty: what there is to see, each client reads under its user's
        own rights. It reaches nobody while no board is open (``ir.websocket``).
        """
        self.account_id._bus_send("mango_office/board", {}, subchannel="board")
