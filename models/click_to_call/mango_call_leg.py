from datetime import datetime

from odoo import fields, models

from ...vpbx import codes


class MangoCallLeg(models.Model):
    """Who ended a leg in Odoo."""

    _inherit = "mango.call.leg"

    hung_up_by_id = fields.Many2one(
        "res.users", string="Hung Up in Odoo By", readonly=True, ondelete="set null"
    )

    def _ended_by_command(self):
        """Return the legs that a command ended, in order."""
        ended = self.filtered(lambda leg: leg.end_reason in codes.ENDED_BY_COMMAND)
        return ended.sorted(lambda leg: leg.ended_at or datetime.min)

    def _note_who_hung_up(self, commands):
        """Store whose commands ended these legs, if not stored yet.

        :param mango.command commands: to hang up, of the call.
        :return: whether anything changed.
        :rtype: bool
        """
        users = {command.leg_ref: command.user_id for command in commands}
        news = self.filtered(lambda leg: not leg.hung_up_by_id and leg.leg_ref in users)
        for leg in news:
            leg.hung_up_by_id = users[leg.leg_ref]
        return bool(news)
