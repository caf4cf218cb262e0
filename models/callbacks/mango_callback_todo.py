from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, format_datetime

BATCH_SIZE = 200


class MangoCallback(models.Model):
    """Responsible user, deadline and activity of an entry."""

    _inherit = "mango.callback"

    # ------------------------------------------------------------
    # Responsible user
    # ------------------------------------------------------------

    def _assign(self):
        """Find the responsible user; a manual choice stays while it is possible.

        :return: whether the user has changed.
        :rtype: bool
        """
        self.ensure_one()
        if self.user_is_manual and self._can_be_responsible(self.user_id):
            return False
        user = next(
            filter(self._can_be_responsible, self._candidates()),
            self.env["res.users"],
        )
        vals = {"user_id": user.id, "user_is_manual": False}
        if user not in self.user_ids:
            vals["user_ids"] = [fields.Command.set((self.user_ids | user).ids)]
        return self._write_changes(vals)

    def _candidates(self):
        """Yield the users who may be responsible, by priority.

        These are the client's salesperson, the user rung first, and those of the line
        and the PBX.
        """
        owners = self.env["mango.caller.lookup"]._owners(self.partner_id, self.lead_id)
        yield from owners
        missed = self.call_ids.filtered(lambda call: call.result == "missed")
        for call in missed.sorted("started_at"):
            yield from call.leg_ids._rung().to_user_id | call.user_id
        yield self.line_id.user_id
        yield self.account_id.callback_user_id

    def _can_be_responsible(self, user):
        """Tell whether a user can see the entry and deal with it.

        :rtype: bool
        """
        return bool(
            user
            and user.active
            and self.company_id in user.company_ids
            and user.has_group("mango_office.group_user")
        )

    @api.model
    def _hand_over(self, users):
        """Reassign the clients of users who cannot be responsible any more.

        :param res.users users: whose rights have changed.
        """
        waiting = self.search(
            Domain("state", "=", "open") & Domain("user_id", "in", users.ids)
        ).filtered(lambda callback: not callback._can_be_responsible(callback.user_id))
        for callback in waiting:
            callback._assign()
        waiting._update_todo()
        waiting._notify_listeners()

    # ------------------------------------------------------------
    # Deadline
    # ------------------------------------------------------------

    def _set_deadline(self):
        """Compute the deadline, unless it was set manually.

        :return: whether it has changed.
        :rtype: bool
        """
        self.ensure_one()
        if self.deadline_is_manual and self.deadline:
            return False
        since = self.resumed_at or self.first_missed_at
        return self._write_changes({"deadline": self._after_working_minutes(since)})

    def _after_working_minutes(self, moment):
        """Return the end of the time to call back, counted in working minutes.

        Without working hours every minute counts.

        :param datetime moment: UTC.
        :rtype: datetime
        """
        minutes = self.account_id.callback_minutes
        calendar = self._calendar()
        planned = calendar and calendar.plan_hours(
            minutes / 60, moment, compute_leaves=True
        )
        return (planned or moment + timedelta(minutes=minutes)).replace(microsecond=0)

    def _set_reaction(self):
        """Store the reaction time: NULL, not zero, if nobody has called back.

        So the average only covers clients who were called back.
        """
        if self.state == "done":
            self.write({"reaction_minutes": self._reaction_minutes(self.closed_at)})
        elif self.reaction_minutes:
            self.env.execute_query(
                SQL(
                    "UPDATE mango_callback SET reaction_minutes = NULL WHERE id = %s",
                    self.id,
                )
            )
            self.invalidate_recordset(["reaction_minutes"])

    def _reaction_minutes(self, until):
        """Return the working minutes from the first missed call to a moment.

        :param datetime until: UTC.
        :rtype: int
        """
        since = self.first_missed_at
        if not until or until <= since:
            return 0
        calendar = self._calendar()
        if calendar:
            hours = calendar.get_work_hours_count(since, until, compute_leaves=True)
            return round(hours * 60)
        return round((until - since).total_seconds() / 60)

    def _calendar(self):
        """Return the company's calendar; empty if it has no hours."""
        calendar = self.company_id.resource_calendar_id
        return calendar if calendar.attendance_ids else calendar.browse()

    # ------------------------------------------------------------
    # Activities
    # ------------------------------------------------------------

    def _update_todo(self):
        """Update the activities of these entries, if the PBX uses them."""
        for callback in self:
            if callback.state != "open":
                callback._finish_todo()
            elif not callback.user_id:
                callback._forget_todo()
            elif callback.account_id.callback_activity:
                callback._plan_todo()

    def _plan_todo(self):
        day = self._local_day(self.deadline)
        activity = self.activity_id
        if activity.active:
            wanted = {"user_id": self.user_id.id, "date_deadline": day}
            if activity.user_id != self.user_id or activity.date_deadline != day:
                activity.with_context(mail_activity_quick_update=True).write(wanted)
            return
        if activity:
            return  # It was marked as done by a user.
        lang = self.user_id.lang or self.account_id._language()
        record = self._todo_record().with_context(
            lang=lang, mail_activity_quick_update=True
        )
        self.activity_id = record.activity_schedule(
            "mail.mail_activity_data_call",
            date_deadline=day,
            summary=record.env._("Call back: %s", self.display_name),
            user_id=self.user_id.id,
        )

    def _todo_record(self):
        """Return the record for the activity: the lead, the contact, or this entry.

        The responsible user must be able to open it.
        """
        for record in (self.lead_id.exists(), self.partner_id.exists()):
            if record and record.with_user(self.user_id).has_access("read"):
                return record
        return self

    def _local_day(self, moment):
        user = self.user_id
        zone = user.tz or self.company_id.partner_id.tz or "UTC"
        local = fields.Datetime.context_timestamp(self.with_context(tz=zone), moment)
        return local.date()

    def _finish_todo(self):
        """Mark the activity as done, with a note on what closed the entry."""
        activity = self.activity_id.exists()
        if not activity or not activity.active:
            return
        lang = self.user_id.lang or self.account_id._language()
        activity.with_context(mango_callback_closed=True)._action_done(
            feedback=self.with_context(lang=lang)._closing_words()
        )

    def _closing_words(self):
        who = self.closing_user_id.name
        if self.closed_by == "hand":
            return self.reason or self.env._("Closed manually.")
        when = format_datetime(self.env, self.closed_at, tz=self.user_id.tz)
        if self.closed_by == "got_through":
            words = self.env._("The client got through on %(when)s.", when=when)
        else:
            words = self.env._("The client was called back on %(when)s.", when=when)
        return f"{words} ({who})" if who else words

    def _forget_todo(self):
        self.activity_id.exists().unlink()

    # ------------------------------------------------------------
    # Overdue
    # ------------------------------------------------------------

    @api.model
    def _tell_overdue(self):
        """Cron: notify the supervisors once of every client who waits too long."""
        overdue = self.search(
            Domain("state", "=", "open")
            & Domain("deadline", "<", fields.Datetime.now())
            & Domain("overdue_told_at", "=", False),
            limit=BATCH_SIZE,
        )
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(overdue))
        for account, callbacks in overdue.grouped("account_id").items():
            account._tell_of_overdue(callbacks)
            callbacks.overdue_told_at = fields.Datetime.now()
            callbacks._notify_listeners()
            if not cron._commit_progress(len(callbacks)):
                return
