from odoo import api, models


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
            **self._meeting_and_business(call, card["direction"] == "internal"),
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

    def _meeting_and_business(self, call, is_internal):
        """Return what is said of a client, and of nobody else.

        :rtype: dict
        """
        if is_internal:
            return {}
        partner = call.partner_id._filtered_access("read")
        return {
            "can_meet": self._may_create("calendar.event", is_internal),
            "can_quote": bool(partner) and call._may_quote(),
            "business": self.env["mango.client.business"]._business_with(
                partner, call.company_id
            ),
            "today": self._today(call),
        }

    def _today(self, call):
        """Return how many other calls of the client there were today.

        :return: ``count``, and how many of them were ``missed``; False if there are
            none that the user may know of.
        :rtype: dict | bool
        """
        rows = self.env["mango.call"]._read_group(
            call._others_of_today(), ["result"], ["__count"]
        )
        count_by_result = dict(rows)
        if not count_by_result:
            return False
        return {
            "count": sum(count_by_result.values()),
            "missed": count_by_result.get("missed", 0),
        }

    def _outcome(self, call):
        """Return which outcomes a talk may have, and which it has.

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
