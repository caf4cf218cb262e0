from odoo import models


class MangoTimeline(models.AbstractModel):
    """Adds the routing decisions to the course of a call."""

    _inherit = "mango.timeline"

    def _steps(self, call):
        """Return the course of a call, including routing.

        :param mango.call call: one call.
        :return: as in the base model; ``kind`` may also be ``route`` or ``skipped``.
        :rtype: list[dict]
        """
        steps = super()._steps(call)
        legs = list(call.leg_ids)
        place = 1 if legs and legs[0]._is_menu() else 0
        for number, batch in enumerate(self._batches(call)):
            place = self._place(legs, place, batch, is_first=not number)
            steps[place:place] = batch
            # Legs and steps have the same positions.
            legs[place:place] = [None] * len(batch)
            place += len(batch)
        for step in steps:
            step.pop("extension", None)
        return steps

    def _batches(self, call):
        """Return the routing steps, grouped by decision.

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
        """Return the position of a decision: before the leg that it led to.

        :param list legs: of the call, None for other steps.
        :param int start: the position after the previous decision.
        :rtype: int
        """
        extension = batch[-1]["extension"]
        for place in range(start, len(legs)):
            leg = legs[place]
            if leg is not None and extension and leg.to_extension == extension:
                return place
        return start if is_first else len(legs)
