from odoo import models
from odoo.fields import Domain


class ResPartner(models.Model):
    _inherit = "res.partner"

    def action_delete_mango_recordings(self):
        """Delete the recordings of these people's calls; the calls stay.

        For a company this includes its contacts, as in its list of calls.

        :return: how many were deleted, in all companies of the user.
        :rtype: int
        """
        self.check_access("read")
        recordings = (
            self.env["mango.recording"]
            .with_context(allowed_company_ids=self.env.user.company_ids.ids)
            .search(
                Domain("call_id.partner_id", "child_of", self.ids)
                & Domain("state", "!=", "expired")
            )
        )
        recordings.action_delete()
        return len(recordings)
