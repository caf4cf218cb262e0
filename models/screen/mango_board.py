from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain


class MangoBoard(models.AbstractModel):
    """The supervisors' board: all extensions, and the waiting callers.

    Everything is read with the reader's own rights, for the active companies. The
    number of queries does not depend on the number of extensions or calls.
    """

    _name = "mango.board"
    _description = "Supervisor's Board"

    @api.model
    def _all(self):
        """Return the whole board.

        :return: as described in :meth:`mango.extension.get_board`.
        :rtype: dict
        """
        self._check_supervisor()
        extensions = self.env["mango.extension"].search(
            Domain("account_id.active", "=", True)
        )
        calls = self._live_calls()
        activities = self._activities(extensions, calls)
        departments = extensions._departments()
        return {
            "extensions": [
                {
                    **extension._describe(),
                    "department": departments[extension.id],
                    **activities.get(extension.id, {"state": "free", "call": False}),
                }
                for extension in extensions
            ],
            "waiting": self._waiting(calls),
        }

    @api.model
    def _changing(self):
        """Return the parts of the board that change with calls.

        :return: as described in :meth:`mango.extension.get_board_calls`.
        :rtype: dict
        """
        self._check_supervisor()
        calls = self._live_calls()
        legs = calls.leg_ids
        numbers = {*legs.mapped("from_extension"), *legs.mapped("to_extension")}
        extensions = self.env["mango.extension"].search(
            Domain("account_id", "in", calls.account_id.ids)
            & Domain("number", "in", list(numbers))
        )
        activities = self._activities(extensions, calls)
        return {
            "busy": [{"id": key, **activity} for key, activity in activities.items()],
            "absent": self._absent(),
            "waiting": self._waiting(calls),
        }

    def _absent(self):
        """Return the status of the extensions whose employees take no routed calls."""
        # sudo: res.users.settings, res.users - only the status, which the board shows.
        settings_sudo = self.env["res.users.settings"].sudo()
        users_sudo = settings_sudo.search([("mango_status", "!=", "available")]).user_id
        extensions = self.env["mango.extension"].search(
            Domain("account_id.active", "=", True)
            & Domain("user_id", "in", users_sudo.ids)
        )
        return [
            {"id": extension.id, **extension.user_id.sudo()._mango_status_info()}
            for extension in extensions
        ]

    def _check_supervisor(self):
        if not self.env.user.has_group("mango_office.group_supervisor"):
            raise AccessError(self.env._("The board is for supervisors."))

    def _live_calls(self):
        return self.env["mango.call"].search(Domain("state", "!=", "ended"))

    def _activities(self, extensions, calls):
        """Return the state and the call of each busy extension.

        :param mango.extension extensions: including those whom they may talk to.
        :param mango.call calls: live calls.
        :return: by extension id, ``state`` and ``call``.
        :rtype: dict[int, dict]
        """
        by_number = {
            (extension.account_id.id, extension.number): extension
            for extension in extensions
        }
        return {
            by_number[key].id: {
                "state": leg._extension_state(),
                "call": self._call(leg, key, by_number),
            }
            for key, leg in calls.leg_ids._live_by_extension().items()
            if key in by_number
        }

    def _call(self, leg, key, by_number):
        """Return the other party of an extension's call.

        In a consultation this is the colleague, not the client of the call.
        """
        account_id, number = key
        call = leg.call_id
        values = {
            "id": call.id,
            "direction": call.direction,
            "name": call._client_name(),
            "number": call.client_number_display,
            "seconds": self._seconds(leg.answered_at or leg.started_at),
        }
        for other in {leg.from_extension, leg.to_extension} - {number, False}:
            colleague = by_number.get((account_id, other))
            name = colleague.display_name if colleague else other
            values.update(direction="internal", name=name, number=other)
        return values

    def _waiting(self, calls):
        """Return the callers without a ringing phone, the longest waiting first."""
        callers = []
        for call in calls.filtered(lambda call: call.direction == "inbound"):
            legs = call.leg_ids._live()
            if legs and all(leg._is_menu() for leg in legs):
                callers.append(self._caller(call, legs[-1]))
        return sorted(callers, key=lambda caller: -caller["seconds"])

    def _caller(self, call, leg):
        # After a transfer, waiting starts anew.
        since = leg.started_at if call.answered_at else call.started_at
        return {
            "call_id": call.id,
            "name": call._client_name(),
            "number": call.client_number_display,
            "line": call.line_id.display_name or "",
            "in_queue": leg.location == "queue",
            "seconds": self._seconds(since),
        }

    def _seconds(self, moment):
        if not moment:
            return 0
        return max(int((fields.Datetime.now() - moment).total_seconds()), 0)
