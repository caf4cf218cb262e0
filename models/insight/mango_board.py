from datetime import datetime, time

import pytz

from odoo import api, fields, models
from odoo.fields import Domain


class MangoBoard(models.AbstractModel):
    """The figures of the day: above the board, and of each person."""

    _inherit = "mango.board"

    @api.model
    def _all(self):
        return {**super()._all(), "today": self._today()}

    @api.model
    def _changing(self):
        return {**super()._changing(), "today": self._today()}

    def _today(self):
        """Return today's figures of all extensions with calls, in one query.

        Only ended calls count, each for the person that it belongs to; a call that a
        group missed belongs to nobody. Calls of an extension's former employee do not
        count for the present one.

        :return: ``id`` of the extension; ``answered``, ``missed`` and ``made``, numbers
            of calls with clients; ``talk_seconds``.
        :rtype: list[dict]
        """
        rows = self.env["mango.call"]._read_group(
            Domain("started_at", ">=", self._day_began())
            & Domain("state", "=", "ended")
            & Domain("direction", "in", ["inbound", "outbound"])
            & Domain("extension_id", "!=", False),
            ["extension_id", "user_id", "direction", "result"],
            ["__count", "talk_duration:sum"],
        )
        today = {}
        for extension, user, direction, result, count, seconds in rows:
            # sudo: mango.extension - only compares its present employee.
            if user and user != extension.sudo().user_id:
                continue
            nothing = {"answered": 0, "missed": 0, "made": 0, "talk_seconds": 0}
            figures = today.setdefault(extension.id, {"id": extension.id, **nothing})
            figures[_kind(direction, result)] += count
            figures["talk_seconds"] += seconds
        return list(today.values())

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


def _kind(direction, result):
    """Return the figure that calls count in: ``answered``, ``missed`` or ``made``."""
    if direction == "outbound":
        return "made"
    return "answered" if result == "answered" else "missed"
