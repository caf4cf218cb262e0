from odoo import api, models


class MangoCardContent(models.AbstractModel):
    """The outcomes on the card."""

    _inherit = "mango.card.content"

    @api.model
    def _card_of_call(self, call):
        return {
            **super()._card_of_call(call),
            **self._outcome(call),
            "can_block": call._may_block_number(),
        }

    def _empty(self):
        return {
            **super()._empty(),
            "outcomes": [],
            "outcome_id": False,
            "needs_outcome": False,
            "can_block": False,
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
