from odoo import api, fields, models
from odoo.fields import Domain

from ...vpbx.surprises import MISSING, Surprise
from .mango_command import BATCH_SIZE, RESULT_TIME

#: States of routes that the PBX took, or may have taken; a refusal was reported.
_TAKEN_ROUTES = ("sent", "accepted")


class MangoCall(models.Model):
    """Export of a call for support, and routes that were never confirmed."""

    _inherit = "mango.call"

    is_route_result_checked = fields.Boolean(readonly=True)
    _route_result_idx = models.Index(
        "(create_date) WHERE route_command_id IS NOT NULL"
        " AND is_route_result_checked IS NOT TRUE"
    )

    @api.model
    def _count_without_route_result(self):
        """Count the routes whose outcome should have come by now, each once."""
        calls = self.search(
            Domain("route_command_id", "!=", False)
            & Domain("is_route_result_checked", "=", False)
            & Domain("create_date", "<", fields.Datetime.now() - RESULT_TIME),
            order="create_date, id",
            limit=BATCH_SIZE,
        ).try_lock_for_update()
        for account, same in calls.grouped("account_id").items():
            told = self.env["mango.event"]._told_commands(
                account, same.mapped("create_date"), RESULT_TIME
            )
            self.env["mango.surprise"]._count(
                account.id,
                [
                    (Surprise("result/route", MISSING, ""), call.create_date)
                    for call in same
                    if call.route_state in _TAKEN_ROUTES
                    and call.route_command_id not in told
                ],
            )
        calls.is_route_result_checked = True

    def action_export_for_support(self):
        """Show what would be exported for this call."""
        self.ensure_one()
        self.check_access("read")
        return self.env["mango.support.export"]._open(
            {"account_id": self.account_id.id, "call_id": self.id}
        )
