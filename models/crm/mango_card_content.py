from datetime import timezone

from odoo import api, fields, models
from odoo.fields import Domain


class MangoCardContent(models.AbstractModel):
    """The outcomes on the card, the business with the client, and their day."""

    _inherit = "mango.card.content"

    @api.model
    def _card_of_call(self, call):
        card = super()._card_of_call(call)
        return {
            **card,
            **self._outcome(call),
            "can_block": call._may_block_number(),
            **self._meeting_and_business(call, card),
        }

    def _empty(self):
        return {
            **super()._empty(),
            "outcomes": [],
            "outcome_id": False,
            "needs_outcome": False,
            "can_block": False,
            "can_meet": False,
            "can_quote": False,
            "business": self.env["mango.client.business"]._nothing(),
            "today": False,
        }

    def _meeting_and_business(self, call, card):
        """Return what is said of a client, and of nobody else.

        :param dict card: as far as it is made.
        :rtype: dict
        """
        if card["direction"] == "internal":
            return {}
        shown = card["partner"]
        partner = self.env["res.partner"].browse(shown["id"] if shown else ())
        return {
            "can_meet": self.env["calendar.event"].has_access("create"),
            "can_quote": bool(partner) and call._may_quote(),
            "business": self.env["mango.client.business"]._business_with(
                partner, call.company_id
            ),
            "today": self._today(call, partner),
        }

    @api.model
    def _others_of_today(self, call, partner):
        """Return which other calls with the client there were on the user's day.

        :param res.partner partner: the client, as far as the user may know them.
        :rtype: Domain
        """
        now = fields.Datetime.context_timestamp(self, fields.Datetime.now())
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        since = midnight.astimezone(timezone.utc).replace(tzinfo=None)
        return self._other_calls(call, partner) & Domain("started_at", ">=", since)

    def _today(self, call, partner):
        """Return how many other calls of the client there were today.

        :return: ``count``, and how many of them were ``missed``; False if there are
            none that the user may know of.
        :rtype: dict | bool
        """
        rows = self.env["mango.call"]._read_group(
            self._others_of_today(call, partner), ["result"], ["__count"]
        )
        count_by_result = dict(rows)
        if not count_by_result:
            return False
        return {
            "count": sum(count_by_result.values()),
            "missed": count_by_result.get("missed", 0),
        }

    def _outcome(self, call):
        """Return the available outcomes of a talk, and the chosen one.

        :rtype: dict
        """
        if not call._may_have_outcome():
            return {}
        outcomes = self.env["mango.call.outcome"]._outcomes_of(call)
        return {
            "outcomes": [
                {"id": outcome.id, "name": outcome.name, "color": outcome.color}
                for outcome in outcomes | call.outcome_id
            ],
            "outcome_id": call.outcome_id.id,
            "needs_outcome": call._needs_outcome(),
        }
