from odoo import models


class MangoTimeline(models.AbstractModel):
    """The routing plan on the way of a call: who was considered before who was rung."""

    _inherit = "mango.timeline"

    def _steps(self, call):
        """Return what happened in a call, with what routing did.

        :param mango.call call: one call.
        :return: as the base says; ``kind`` may be ``route`` or ``skipped``, too.
        :rtype: list[dict]
        """
        steps = super()._steps(call)
        legs = list(call.leg_ids)
        place = 1 if legs and legs[0]._is_menu() else 0
        for number, batch in enumerate(self._batches(call)):
            place = self._place(legs, place, batch, is_first=not number)
            steps[place:place] = batch
            # The legs are at the same places as their steps.
            legs[place:place] = [None] * len(batch)
            place += len(batch)
        for step in steps:
            step.pop("extension", None)
        return steps

    def _batches(self, call):
        """Return the routing steps, those of one decision together.

        :rtype: list[list[dict]]
        """
        batches, batch = [], []
        for number, line in enumerate(self.env["mango.route.words"]._lines(call)):
            is_skipped = line["verdict"] == "skipped"
            batch.append(
                {
                    "key": f"route-{number}",
                    "kind": "skipped" if is_skipped else "route",
                    "offset": None,
                    "title": line["title"],
                    "text": line["text"],
                    "extension": line["extension"],
                }
            )
            if not is_skipped:
                batches.append(batch)
                batch = []
        return [*batches, batch] if batch else batches

    def _place(self, legs, start, batch, is_first):
        """Return where a decision belongs: before the leg that it led to.

        :param list legs: of the call, None for what is no leg.
        :param int start: behind the decision before.
        :rtype: int
        """
        extension = batch[-1]["extension"]
        for place in range(start, len(legs)):
            leg = legs[place]
            if leg is not None and extension and leg.to_extension == extension:
                return place
        return start if is_first else len(legs)
