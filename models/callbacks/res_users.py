from odoo import fields, models
from odoo.fields import Domain

LIST_LIMIT = 20


class ResUsers(models.Model):
    """Whom a user has to call: who was missed, and what they have planned."""

    _inherit = "res.users"

    def write(self, vals):
        result = super().write(vals)
        if "active" in vals and not vals["active"]:
            self._mango_hand_over()
        return result

    def _mango_hand_over(self):
        """Give the clients of users who have left to the next in the chain."""
        # sudo: mango.callback - what follows from archiving a user.
        callbacks = self.env["mango.callback"].sudo()
        waiting = callbacks.search(
            Domain("state", "=", "open") & Domain("user_id", "in", self.ids)
        )
        for callback in waiting:
            callback._assign()
        waiting._update_todo()
        waiting._notify_listeners()

    # ------------------------------------------------------------
    # Who was missed
    # ------------------------------------------------------------

    def mango_waiting(self):
        """Return the clients who wait for the user or their colleagues to call back.

        Each is a dict of ``id``, ``name``, ``number`` (as people write it), ``dial``,
        ``last_missed_at`` (UTC, as text), ``attempts`` (theirs), ``tries`` (ours),
        ``deadline`` (UTC, as text), ``urgency`` (as of the entry), ``responsible``,
        ``calling`` (who calls them right now, or False) and ``asks`` (whether enough
        was tried).

        :return: by deadline.
        :rtype: list[dict]
        :raise AccessError: if another user's are asked for.
        """
        self._mango_check_self()
        callbacks = self.env["mango.callback"].search(
            self._mango_waiting_domain(), limit=LIST_LIMIT
        )
        return [
            {
                "id": callback.id,
                "name": callback.display_name,
                "number": callback.client_number_display,
                "dial": callback.client_number,
                "last_missed_at": fields.Datetime.to_string(callback.last_missed_at),
                "attempts": callback.attempt_count,
                "tries": callback.try_count,
                "deadline": fields.Datetime.to_string(callback.deadline) or "",
                "urgency": callback.urgency,
                "responsible": callback.user_id.name or "",
                "calling": callback.calling,
                "is_calling_me": callback.is_calling_me,
                "asks": callback.asks,
            }
            for callback in callbacks
        ]

    def _mango_waiting_count(self):
        """Return how many clients wait for the user or their colleagues."""
        self.ensure_one()
        return self.env["mango.callback"].search_count(self._mango_waiting_domain())

    def _mango_waiting_domain(self):
        is_put_off = Domain("later_set_at", "!=", False) & Domain(
            "deadline", ">", fields.Datetime.now()
        )
        is_given_to_others = Domain("user_is_manual", "=", True) & Domain(
            "user_id", "not in", self.ids
        )
        return (
            Domain("user_ids", "in", self.ids)
            & Domain("state", "=", "open")
            & ~is_put_off
            & ~is_given_to_others
        )

    # ------------------------------------------------------------
    # What was planned
    # ------------------------------------------------------------

    def mango_planned(self):
        """Return the calls that the user has planned until today.

        :return: as :meth:`mail.activity._mango_planned_rows`, the oldest first.
        :rtype: list[dict]
        :raise AccessError: if another user's are asked for.
        """
        self._mango_check_self()
        activities = self.env["mail.activity"]
        return activities.search(
            activities._mango_planned_domain(),
            order="date_deadline, id",
            limit=LIST_LIMIT,
        )._mango_planned_rows()

    def _mango_planned_count(self):
        self.ensure_one()
        activities = self.env["mail.activity"]
        return activities.search_count(activities._mango_planned_domain())
