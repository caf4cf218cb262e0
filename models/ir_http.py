from odoo import models


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    def session_info(self):
        """Tell the web client of telephony's users which extension they call from.

        For everybody else there is nothing, and the web client does nothing.
        """
        info = super().session_info()
        user = self.env.user
        if user.has_group("mango_office.group_user"):
            info["mango_office"] = {
                "extension": user._mango_extension_info(),
                "is_supervisor": user.has_group("mango_office.group_supervisor"),
            }
        return info
