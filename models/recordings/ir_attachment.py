from odoo import models


class IrAttachment(models.Model):
    _inherit = "ir.attachment"

    def _has_field_access(self, field, operation):
        """The audio of a recording is reached through the recording, never past it.

        Attachments ask this of themselves about the field that they are the content of.
        """
        if field.model_name == "mango.recording":
            return self.env["mango.recording"]._has_field_access(field, operation)
        return super()._has_field_access(field, operation)
