from odoo import api, fields, models


class MangoCardContent(models.AbstractModel):
    """The missed client and the planned call on the card."""

    _inherit = "mango.card.content"

    @api.model
    def _card_of_call(self, call):
        card = super()._card_of_call(call)
        card["callback"] = self._callback(call)
        card["follow_up"] = self._follow_up(call)
        card["activity"] = self._planned(call, card["phase"])
        return card

    def _empty(self):
        return {
            **super()._empty(),
            "callback": False,
            "follow_up": False,
            "activity": False,
        }

    def _callback(self, call):
        """Return the missed calls of the client, if they wait to be called back.

        :rtype: dict | bool
        """
        # sudo: mango.callback - the user who talks to the client may know that they
        # were missed, but only when and how often, and who takes care of them now.
        callback_sudo = self.env["mango.callback"].sudo()._open_of_call(call)
        if not callback_sudo:
            return False
        return {
            "attempts": callback_sudo.attempt_count,
            "since": fields.Datetime.to_string(callback_sudo.first_missed_at),
            "calling": callback_sudo.calling,
            "is_calling_me": callback_sudo.is_calling_me,
            "is_talking": callback_sudo.is_talking,
        }

    def _follow_up(self, call):
        """Return what has become of the client of a missed call; False while they wait.

        :return: ``outcome`` as of the entry, and ``user``, who has dealt with it.
        :rtype: dict | bool
        """
        if call.result != "missed":
            return False
        # sudo: mango.callback - the participants of the missed call may know whether
        # somebody has taken care of its client.
        callbacks_sudo = call.callback_ids.sudo()
        closed_sudo = callbacks_sudo.filtered(lambda one: one.state != "open")[-1:]
        if not closed_sudo:
            return False
        return {
            "outcome": closed_sudo.outcome,
            "user": closed_sudo.closing_user_id.name or "",
        }

    def _planned(self, call, phase):
        """Return the planned activity that a talk may fulfil.

        :rtype: dict | bool
        """
        if phase != "ended" or call.result != "answered":
            return False
        activity = self.env["mail.activity"]._mango_planned_of(call)
        if not activity:
            return False
        return {
            "id": activity.id,
            "summary": activity.summary or activity.activity_type_id.name or "",
        }

    def _origin(self, command):
        if command.res_model == "mango.callback":
            callback = self.env["mango.callback"].browse(command.res_id).exists()
            record = callback.lead_id or callback.partner_id
            return record._filtered_access("read")
        return super()._origin(command)
