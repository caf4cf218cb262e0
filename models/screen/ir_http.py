from odoo import models


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    def session_info(self):
        info = super().session_info()
        if "mango_office" in info:
            info["mango_office"]["shows_tips"] = self.env.user._mango_shows_tips()
        return info
