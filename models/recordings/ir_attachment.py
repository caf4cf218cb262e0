from odoo import models


class IrAttachment(models.Model):
    _inherit = "ir.attachment"

    def _has_field_access(self, field, operation):
        """Access to the audio of a recording only through the recording.

        Attachments check this for the field whose content they are.
        """
        if field.model_name == "mango.recording":
            return self.env["mango.recording"]._has_field_access(field, operation)
        return super()._has_field_access(field, operation)
