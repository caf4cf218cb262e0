from odoo import models


class CrmLead(models.Model):
    """What calls change of a lead."""

    _inherit = "crm.lead"

    def _replace_source(self, before, call):
        """Let leads that a call has made follow where it came from.

        :param dict before: the records by field that they were made with; what a person
            has changed since stays.
        :param mango.call call: as it is now.
        """
        for lead in self:
            changes = {
                name: call[name].id
                for name, record in before.items()
                if lead[name] == record and call[name] != record
            }
            if changes:
                lead.with_context(tracking_disable=True).write(changes)
