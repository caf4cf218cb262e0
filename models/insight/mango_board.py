from datetime import datetime, time

import pytz

from odoo import api, fields, models
from odoo.fields import Domain


class MangoBoard(models.AbstractModel):
    """The figures of the day above the board."""

    _inherit = "mango.board"

    @api.model
    def _figures(self):
        """Return the figures of the day.

        :return: as described in :meth:`mango.extension.get_board_figures`.
        :rtype: dict
        """
        self._check_supervisor()
        waiting = Domain("state", "=", "open")
        overdue = waiting & Domain("deadline", "<", fields.Datetime.now())
        callbacks = self.env["mango.callback"]
        [(count, share)] = self.env["mango.call.report"]._read_group(
            Domain("direction", "=", "inbound")
            & Domain("started_at", ">=", self._day_began()),
            aggregates=["__count", "answered_share:avg"],
        )
        return {
            "to_call_back": callbacks.search_count(waiting),
            "overdue": callbacks.search_count(overdue),
            "inbound": count,
            "answered_share": share if count else False,
        }

    def _day_began(self):
        """Return the start of the reader's day.

        :return: UTC.
        :rtype: datetime
        """
        zone = self.env.tz
        midnight = datetime.combine(datetime.now(zone).date(), time.min)
        return zone.localize(midnight).astimezone(pytz.utc).replace(tzinfo=None)
