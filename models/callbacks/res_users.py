from odoo import fields, models
from odoo.fields import Domain

LIST_LIMIT = 20

#: The fields on which it depends whether a user can call clients back.
RIGHTS_FIELDS = {"active", "company_ids", "group_ids"}


class ResUsers(models.Model):
    """The calls that a user has to make: missed clients and planned calls."""

    _inherit = "res.users"

    def write(self, vals):
        result = super().write(vals)
        if not vals.keys().isdisjoint(RIGHTS_FIELDS):
            # sudo: mango.callback - follows from a permitted change of the user.
            self.env["mango.callback"].sudo()._hand_over(self)
        return result

    # ------------------------------------------------------------
    # Missed clients
    # ------------------------------------------------------------

    def mango_waiting(self):
        """Return the clients who wait for the user or their colleagues to call back.

        Each is a dict of ``id``, ``name``, ``number`` (formatted), ``dial``,
        ``last_missed_at`` (UTC, as text), ``attempts`` (theirs), ``tries`` (ours),
        ``deadline`` (UTC, as text), ``urgency`` (as of the entry), ``responsible``,
        ``calling`` (who is calling them now, or False), ``is_calling_me``,
        ``is_talking`` (whether they were reached) and ``asks`` (whether the maximum
        number of tries has been reached).

        :return: by deadline.
        :rtype: list[dict]
        :raise AccessError: if they are another user's.
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
                "is_talking": callback.is_talking,
                "asks": callback.asks,
            }
            for callback in callbacks
        ]

    def _mango_waiting_count(self):
        """Return the number of clients who wait for the user or their colleagues."""
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
    # Planned calls
    # ------------------------------------------------------------

    def mango_planned(self):
        """Return the user's planned calls that are due.

        :return: as :meth:`mail.activity._mango_planned_rows`, the oldest first.
        :rtype: list[dict]
        :raise AccessError: if they are another user's.
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
