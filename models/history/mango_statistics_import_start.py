from datetime import datetime, time, timedelta

import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError


class MangoStatisticsImportStart(models.TransientModel):
    """Asks for the days whose calls are to be fetched."""

    _name = "mango.statistics.import.start"
    _description = "Fetch Calls from the PBX"

    account_id = fields.Many2one(
        "mango.account", string="PBX", required=True, ondelete="cascade"
    )
    date_from = fields.Date(
        string="From", required=True, default=lambda self: self._default_date_from()
    )
    date_to = fields.Date(string="To", required=True, default=fields.Date.context_today)
    stopped_reason = fields.Char(related="account_id.requests_stopped_reason")

    def _default_date_from(self):
        return fields.Date.context_today(self) - timedelta(days=7)

    @api.constrains("date_from", "date_to")
    def _check_dates(self):
        for start in self:
            if start.date_from > start.date_to:
                raise UserError(self.env._("The period must begin before it ends."))

    def action_start(self):
        """Start the import of the period, and show its progress."""
        self.ensure_one()
        self.account_id.check_access("write")
        self.account_id._client()  # Fails without code and secret.
        now = fields.Datetime.now()
        date_from = self._to_utc(self.date_from)
        date_to = min(self._to_utc(self.date_to + timedelta(days=1)), now)
        if date_from >= now:
            raise UserError(self.env._("The period must begin in the past."))
        # sudo: mango.statistics.import - whoever sets up the PBX may import its calls.
        job = (
            self.env["mango.statistics.import"]
            .sudo()
            ._start(self.account_id, date_from, date_to)
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Fetch Calls from the PBX"),
            "res_model": "mango.statistics.import",
            "res_id": job.id,
            "view_mode": "form",
        }

    def _to_utc(self, date):
        """Return when a day begins for the user, in UTC.

        :rtype: datetime
        """
        zone = pytz.timezone(self.env.user.tz or "UTC")
        local = zone.localize(datetime.combine(date, time()))
        return local.astimezone(pytz.utc).replace(tzinfo=None)
