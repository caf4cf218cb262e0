from odoo import models


class MangoRecording(models.Model):
    """The play button in the chatter."""

    _inherit = "mango.recording"

    def _notify_listeners(self):
        result = super()._notify_listeners()
        # sudo: mango.crm.task - the chatter shows whether there is a recording, whoever
        # caused it.
        self.call_id.sudo()._update_crm_soon()
        return result
