from odoo import models


class MangoCrmTask(models.Model):
    """A call that was answered, has ended or was corrected, for the CRM to process."""

    _name = "mango.crm.task"
    _inherit = "mango.call.task"
    _description = "Call to Process in the CRM"

    _cron = "mango_office.ir_cron_crm"

    def _jobs(self):
        """Process the calls of each number together."""
        of_number = self.call_id.grouped(
            lambda call: (call.account_id, call.client_number)
        )
        return [(calls, calls._update_crm) for calls in of_number.values()]
