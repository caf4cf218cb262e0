from odoo import models


class CrmLead(models.Model):
    """Updates of leads from their calls."""

    _inherit = "crm.lead"

    def _replace_source(self, before, call):
        """Update the source of leads that were created from a call.

        :param dict before: the records by field that they were created with; manual
            changes are kept.
        :param mango.call call: the updated call.
        """
        for lead in self:
            changes = {
                name: call[name].id
                for name, record in before.items()
                if lead[name] == record and call[name] != record
            }
            if changes:
                lead.with_context(tracking_disable=True).write(changes)
