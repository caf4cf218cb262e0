from odoo import models

#: The channel that clients subscribe to; guessable, so nothing is ever sent to it
#: directly.
BOARD_CHANNEL = "mango_office_board"


class IrWebsocket(models.AbstractModel):
    _inherit = "ir.websocket"

    def _build_bus_channel_list(self, channels):
        """Let supervisors follow the PBXs of all their companies."""
        if BOARD_CHANNEL in channels:
            channels = [channel for channel in channels if channel != BOARD_CHANNEL]
            channels += [(account, "board") for account in self._mango_board_accounts()]
        return super()._build_bus_channel_list(channels)

    def _mango_board_accounts(self):
        user = self.env.user
        if not user.has_group("mango_office.group_supervisor"):
            return self.env["mango.account"]
        # The socket does not know the active companies of a tab.
        companies = user.company_ids.ids
        accounts = self.env["mango.account"].with_context(allowed_company_ids=companies)
        return accounts.search([("company_id", "in", companies)])
