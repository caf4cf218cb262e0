from datetime import timedelta

import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError

#: When call backs start in the morning.
MORNING = 9


class MangoCallbackDecision(models.TransientModel):
    """A user's decision about clients who wait to be called back."""

    _name = "mango.callback.decision"
    _description = "Decision About a Client to Call Back"

    callback_ids = fields.Many2many("mango.callback", string="Clients", readonly=True)
    choice = fields.Selection(
        [
            ("later", "Call back later"),
            ("done", "It is dealt with"),
            ("dropped", "Do not call back"),
        ],
        required=True,
        default="later",
    )
    until = fields.Datetime(string="Call Back At", default=lambda self: self._hour())
    reason = fields.Char()

    @api.model
    def _hour(self):
        return fields.Datetime.now().replace(second=0, microsecond=0) + timedelta(
            hours=1
        )

    def action_apply(self):
        """Apply the decision."""
        self.check_access("write")
        for decision in self:
            decision._apply()

    def _apply(self):
        if self.choice != "later":
            self.callback_ids._close_by_hand(self.choice, self.reason)
            return
        if not self.until or self.until <= fields.Datetime.now():
            raise UserError(self.env._("Choose a time in the future."))
        self.callback_ids._put_off(self.until)

    def action_tomorrow(self):
        """Postpone the call back until tomorrow morning, in the user's time zone."""
        self.check_access("write")
        zone = pytz.timezone(self.env.user.tz or "UTC")
        now = pytz.utc.localize(fields.Datetime.now()).astimezone(zone)
        morning = (now + timedelta(days=1)).replace(
            hour=MORNING, minute=0, second=0, microsecond=0, tzinfo=None
        )
        until = zone.localize(morning).astimezone(pytz.utc).replace(tzinfo=None)
        self.callback_ids._put_off(until)
