from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from ...vpbx.surprises import MISSING, Surprise

#: The PBX reports the outcome of a command within seconds.
RESULT_TIME = timedelta(minutes=10)

#: States of accepted commands; there is no outcome of those refused at once.
TAKEN_STATES = ("accepted", "done")

BATCH_SIZE = 500

_PLACES = {
    "callback": "result/callback",
    "hangup": "result/call/hangup",
    "transfer": "result/transfer",
}


class MangoCommand(models.Model):
    """Commands that the PBX has accepted without ever reporting the outcome."""

    _inherit = "mango.command"

    is_result_checked = fields.Boolean(readonly=True)
    _result_idx = models.Index("(create_date) WHERE is_result_checked IS NOT TRUE")

    @api.model
    def _count_without_result(self):
        """Count the commands whose outcome is overdue, each once."""
        commands = self.search(
            Domain("is_result_checked", "=", False)
            & Domain("create_date", "<", fields.Datetime.now() - RESULT_TIME),
            order="id",
            limit=BATCH_SIZE,
        ).try_lock_for_update()
        for account, same in commands.grouped("account_id").items():
            told = self.env["mango.event"]._told_commands(
                account, same.mapped("create_date"), RESULT_TIME
            )
            self.env["mango.surprise"]._count(
                account.id,
                [
                    (Surprise(_PLACES[one.kind], MISSING, ""), one.create_date)
                    for one in same
                    if one.state in TAKEN_STATES and one.command_id not in told
                ],
            )
        commands.is_result_checked = True
