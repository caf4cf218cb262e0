from datetime import timezone

from odoo import api, fields, models
from odoo.fields import Domain


class MangoCardContent(models.AbstractModel):
    """The outcomes, the business with the client, and today's calls on the card."""

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
        """Return the parts of the card that concern a client, not a colleague.

        :param dict card: the parts so far.
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
        """Return the domain of the other calls with the client since midnight.

        :param res.partner partner: the client, empty if the user may not read it.
        :rtype: Domain
        """
        now = fields.Datetime.context_timestamp(self, fields.Datetime.now())
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        since = midnight.astimezone(timezone.utc).replace(tzinfo=None)
        return self._other_calls(call, partner) & Domain("started_at", ">=", since)

    def _today(self, call, partner):
        """Count today's other calls with the client.

        :return: ``count``, and how many of them were ``missed``; False if there are
            none that the user may read.
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
