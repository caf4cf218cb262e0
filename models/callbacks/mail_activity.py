from odoo import api, fields, models
from odoo.fields import Domain


class MailActivity(models.Model):
    """Planned calls, and their relation to real ones."""

    _inherit = "mail.activity"

    mango_callback_ids = fields.One2many(
        "mango.callback", "activity_id", groups="mango_office.group_user"
    )

    def _action_done(self, feedback=False, attachment_ids=None):
        waiting = self._mango_waiting()
        result = super()._action_done(feedback=feedback, attachment_ids=attachment_ids)
        waiting._close_by_hand("done", feedback)
        return result

    def _mango_waiting(self):
        """Return the open entries that these activities represent.

        :rtype: mango.callback
        """
        callbacks = self.env["mango.callback"]
        if self.env.context.get("mango_callback_closed"):
            return callbacks
        # sudo: mango.callback - whoever may mark the activity as done may close its
        # entry.
        return callbacks.sudo().search(
            Domain("activity_id", "in", self.ids) & Domain("state", "=", "open")
        )

    @api.model
    def _mango_planned_domain(self):
        """Return the domain of the user's planned calls that are due.

        Those of missed clients are left out, because they have a list of their own.

        :rtype: Domain
        """
        today = fields.Date.context_today(self.env.user)
        return (
            Domain("user_id", "=", self.env.uid)
            & Domain("activity_type_id.category", "=", "phonecall")
            & Domain("date_deadline", "<=", today)
            # An activity without a record has nobody to call.
            & Domain("res_model", "not in", (False, "mango.callback"))
            & Domain("mango_callback_ids", "=", False)
        )

    @api.model
    def _mango_planned_of(self, call):
        """Return the user's planned call that a call fulfils, if any.

        :param mango.call call: one that the user may read.
        :rtype: mail.activity
        """
        origins = {
            (call.res_model, call.res_id),
            ("crm.lead", call.lead_id.id),
            ("res.partner", call.partner_id.id),
        }
        is_of_origin = Domain.OR(
            Domain("res_model", "=", model) & Domain("res_id", "=", record_id)
            for model, record_id in sorted(origin for origin in origins if all(origin))
        )
        return self.search(
            self._mango_planned_domain() & is_of_origin,
            order="date_deadline, id",
            limit=1,
        )

    def _mango_planned_rows(self):
        """Return the planned calls as shown in the systray.

        :return: each with ``id``, ``name`` (whom to call), ``summary``, ``number``
            (formatted), ``dial``, ``date`` (the due date), ``res_model`` and ``res_id``
            (the record of the activity).
        :rtype: list[dict]
        """
        numbers = self._mango_numbers()
        return [
            {
                "id": activity.id,
                "name": activity.res_name or "",
                "summary": activity.summary or activity.activity_type_id.name or "",
                "number": numbers.get(activity, ""),
                "dial": numbers.get(activity) or False,
                "date": fields.Date.to_string(activity.date_deadline),
                "res_model": activity.res_model,
                "res_id": activity.res_id,
            }
            for activity in self
        ]

    def _mango_numbers(self):
        """Return the number to call for each activity that has one.

        :rtype: dict[mail.activity, str]
        """
        found = {}
        for model, activities in self.grouped("res_model").items():
            records = self.env[model].browse(activities.mapped("res_id")).exists()
            readable = records._filtered_access("read")
            numbers = {record.id: _number_of(record) for record in readable}
            for activity in activities:
                if number := numbers.get(activity.res_id):
                    found[activity] = number
        return found


def _number_of(record):
    """Return the number of a record, or else of its contact.

    :rtype: str
    """
    if record._name == "mango.call":
        return record.client_number_display
    names = record._phone_get_number_fields()
    own = next((record[name] for name in names if record[name]), "")
    if own or record._name == "res.partner":
        return own
    # sudo: res.partner - the phone of the contact of a record that the user may read.
    partners = record.sudo()._mail_get_partners()[record.id]
    return next((partner.phone for partner in partners if partner.phone), "")
