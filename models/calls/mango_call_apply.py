import logging
from dataclasses import replace
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ...tools.datetimes import from_epoch, to_epoch
from ...tools.locking import in_own_transaction, is_connection_lost
from ...vpbx.call_state import fold

_logger = logging.getLogger(__name__)

#: A call without a summary is closed when all its legs have been gone for this long …
QUIET_TIME = timedelta(minutes=10)

#: … or when it is older than any real conversation.
MAX_LIFE = timedelta(hours=12)

#: A call may be without any leg for some seconds.
LEG_GAP = timedelta(seconds=15)

#: Maximum time that a phone rings.
RINGING_TIME = timedelta(minutes=3)


class MangoCall(models.Model):
    """Computes a call from everything that the PBX has reported about it."""

    _inherit = "mango.call"

    @api.model
    def _apply(self, entry_id, account=None, source="webhook"):
        """Update a call from everything that the PBX has reported about it.

        Idempotent and safe under concurrency: the call's row is always written, so that
        one of two transactions that do not see each other's notification fails and is
        retried (``design.md`` 2, traps).

        :param str entry_id: the PBX's identifier of the call.
        :param mango.account account: needed only if several PBXs use that identifier.
        :param str source: the source of the call, if it is new.
        :return: the call.
        :rtype: mango.call
        """
        if account is None:
            account = (
                self.env["mango.event"].search([("entry_id", "=", entry_id)]).account_id
            )
        call = self._touch(account, entry_id, source)
        events = call._events()
        state = call._fold(events)
        call = call.with_context(lang=account._language(), tracking_disable=True)
        if call.sealed_at:
            call._update_sealed(state)
        else:
            call._update_from(state)
        events._mark_done()
        return call

    def _events(self):
        return self.env["mango.event"]._events_of_entry(self.account_id, self.entry_id)

    def _fold(self, events, more=()):
        """Return the state of the call according to all its notifications.

        :param mango.event events: all of them.
        :param Iterable more: further parsed evidence.
        :rtype: CallState
        """
        return fold(
            [*events._parsed(), *more],
            lines=self.account_id._own_numbers(),
            closed_at=to_epoch(self.closed_at),
        )

    @api.model
    def _touch(self, account, entry_id, source):
        """Return the row of a call, always written by this transaction.

        :param str source: of a new call.
        :rtype: mango.call
        """
        account.flush_recordset(["company_id"])
        initial = self._prepare_initial_vals()
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO mango_call
                    (account_id, company_id, entry_id, source, create_uid, write_uid,
                     create_date, write_date, %(fields)s)
                SELECT id, company_id, %(entry_id)s, %(source)s, %(uid)s, %(uid)s,
                       %(now)s, %(now)s, %(values)s
                  FROM mango_account
                 WHERE id = %(account_id)s
                ON CONFLICT (account_id, entry_id)
                DO UPDATE SET write_date = EXCLUDED.write_date
                RETURNING id
                """,
                account_id=account.id,
                entry_id=entry_id,
                source=source,
                uid=self.env.uid,
                now=fields.Datetime.now(),
                fields=SQL(", ").join(map(SQL.identifier, initial)),
                values=SQL(", ").join(SQL("%s", value) for value in initial.values()),
            )
        )
        return self.browse(rows[0][0])

    @api.model
    def _prepare_initial_vals(self):
        """Return the values of stored fields that a new call must have.

        Hook for other parts of the addon.

        :rtype: dict
        """
        return {"state": "ringing"}

    def _update_from(self, state):
        """Write the differences between this call and the PBX's state.

        :param CallState state: the fold over all its notifications.
        """
        self.ensure_one()
        extensions = self.env["mango.extension"]._by_number(
            self.account_id, self._extension_numbers(state)
        )
        if state.client_number in extensions:
            # A colleague known only by number is not a client.
            state = replace(state, client_number=None)
        vals = self._prepare_vals(state, extensions)
        number_is_new = (vals["client_number"] or False) != self.client_number
        legs = self.env["mango.call.leg"]._legs_of_call(self)
        before = self._views(legs)
        people = legs._users()
        changed = self._write_changes(vals)
        legs, legs_changed = legs._update_legs(self, state.legs, extensions)
        origin_is_new = self._link_origin(state)
        changed |= origin_is_new
        if number_is_new or origin_is_new:
            changed |= self._identify_client()
        changed |= self._on_changed(state, extensions)
        arrived = self.env["res.users"]
        if changed or legs._users() != people:
            self._update_participants()
            arrived = self._put_on_screens(state, extensions)
        if changed:
            self._notify_participants()
        elif legs_changed or arrived:
            self._notify_about_legs(before, self._views(legs), arrived)
        if self.state == "ended" and (changed or legs_changed):
            self._on_ended()

    def _update_sealed(self, state):
        """Apply late notifications to a call whose earlier ones were removed.

        The call was computed from all of them, and cannot be computed from the late
        ones alone. Hook for other parts of the addon.

        :param CallState state: the fold over the late notifications.
        """

    def _views(self, legs):
        """Return each user's view of the legs, to find out whom to notify.

        Hook for other parts of the addon.

        :param mango.call.leg legs: all of the call.
        :rtype: dict
        """
        return {}

    def _put_on_screens(self, state, extensions):
        """Show the call to those whose phone rings or rang.

        Hook for other parts of the addon.

        :param CallState state: the fold over all its notifications.
        :param dict[str, mango.extension] extensions: of the call, by number.
        :return: the users on whose screen it is new.
        :rtype: res.users
        """
        return self.env["res.users"]

    def _notify_about_legs(self, before, after, arrived):
        """Notify the users whose view of the call has changed, though the call has not.

        Hook for other parts of the addon.

        :param dict before: as returned by :meth:`_views`.
        :param dict after: the same, after the change.
        :param res.users arrived: the users on whose screen the call is new.
        """

    def _link_origin(self, state):
        """Link the call to the record that it was started from.

        Hook for other parts of the addon.

        :param CallState state: the fold over all its notifications.
        :return: whether anything changed.
        :rtype: bool
        """
        return False

    def _on_changed(self, state, extensions):
        """Handle the consequences of an update, in the same transaction.

        Hook for other parts of the addon.

        :param CallState state: the fold over all its notifications.
        :param dict[str, mango.extension] extensions: of the call, by number.
        :return: whether anything visible has changed.
        :rtype: bool
        """
        return False

    def _notify_participants(self):
        """Notify the participants that the call has changed.

        Hook for other parts of the addon.
        """

    def _on_ended(self):
        """Handle the end of the call, or a change after its end.

        Hook for other parts of the addon; may be called several times.
        """

    def _extension_numbers(self, state):
        """Return the numbers of a call that may be extensions.

        :rtype: set[str]
        """
        legs = state.legs
        found = {
            state.extension,
            *(leg.to_extension for leg in legs),
            *(leg.from_extension for leg in legs),
            *(recording.extension for recording in state.recordings),
        }
        if state.client_number and not self.account_id._e164(state.client_number):
            found.add(state.client_number)
        return found

    def _prepare_vals(self, state, extensions):
        extension = self._charged_extension(state, extensions)
        line = self._find_line(state.line_number)
        group_number, group = self._find_group(state, extensions)
        client = state.client_number
        return {
            "direction": state.direction or False,
            "state": state.state,
            "result": state.result or False,
            "client_number": client and (self.account_id._e164(client) or client),
            "line_number": state.line_number or False,
            "line_id": line.id,
            "group_number": group_number,
            "group_id": group.id,
            "extension_id": extension.id,
            # An extension may get another employee; a past call keeps the old one.
            "user_id": self.user_id.id
            if self.extension_id == extension and self.user_id
            else extension.user_id.id,
            "started_at": from_epoch(state.started_at),
            "answered_at": from_epoch(state.answered_at),
            "ended_at": from_epoch(state.ended_at),
            "wait_duration": state.wait_duration or 0,
            "talk_duration": state.talk_duration or 0,
            "end_reason": state.end_reason or 0,
        }

    def _find_line(self, number):
        if not number or self.line_number == number:
            return self.line_id
        return (
            self.env["mango.line"]
            .with_context(active_test=False)
            .search(
                Domain("account_id", "=", self.account_id.id)
                & Domain("number", "=", number)
            )
        )

    def _charged_extension(self, state, extensions):
        """Return the extension of the call; none if several people missed it.

        Hook for other parts of the addon.

        :param CallState state: the fold over all its notifications.
        :param dict[str, mango.extension] extensions: of the call, by number.
        :rtype: mango.extension
        """
        return extensions.get(state.extension, self.env["mango.extension"])

    def _find_group(self, state, extensions):
        """Return the number of the group that was rung, and the group if it is known.

        :rtype: tuple[str | bool, mango.group]
        """
        number = state.group_number
        if (
            not number
            and state.result == "missed"
            and state.extension not in extensions
        ):
            # Without legs, a group cannot be told from an employee in the summary.
            number = state.extension
        nothing = self.env["mango.group"]
        if not number:
            return False, nothing
        if self.group_number == number:
            return number, self.group_id
        group = nothing.with_context(active_test=False).search(
            Domain("account_id", "=", self.account_id.id)
            & Domain("number", "=", number)
        )
        return state.group_number or group.number, group

    def _write_changes(self, vals):
        """Write the values that differ.

        :param dict vals: as for :meth:`write`, without x2many fields.
        :return: whether anything differed.
        :rtype: bool
        """
        changes = {
            name: value
            for name, value in vals.items()
            if self._fields[name].convert_to_write(self[name], self) != (value or False)
        }
        if changes:
            self.write(changes)
        return bool(changes)

    # ------------------------------------------------------------
    # Calls whose end was not reported
    # ------------------------------------------------------------

    @api.model
    def _close_abandoned(self):
        """Cron: end the calls whose summary never came."""
        now = fields.Datetime.now()
        # Every notification writes to its call, so this is the time of the last one.
        live = self.search(
            Domain("state", "!=", "ended")
            & Domain("write_date", "<", now - QUIET_TIME),
            order="id",
        )
        abandoned = live.filtered(lambda call: call._is_abandoned(now))
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(abandoned))
        for call in abandoned:
            call._close_safely()
            if not cron._commit_progress(1):
                break

    def _close_safely(self):
        """End a call whose summary never came; a failure does not affect the others."""

        def close(own):
            call = self.with_env(own).exists()
            if call and call.state != "ended":
                call.closed_at = call._last_seen_at()
                call._apply(call.entry_id, call.account_id)

        try:
            in_own_transaction(self.env, close, self._lock_name())
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            _logger.info("call %s: concurrent update, closing it later", self.id)
        except Exception as error:
            if is_connection_lost(error):
                raise
            _logger.exception("call %s could not be closed", self.id)

    def _is_abandoned(self, now):
        if (self.started_at or self.create_date) < now - MAX_LIFE:
            return True
        return self._fold(self._events()).all_legs_gone

    def _is_alive(self):
        """Tell whether something may still be going on in this call.

        Its end may have been lost: then it counts as over when it has had no live leg
        for a while, when it has been ringing for longer than any phone rings, or when
        its employee has made or taken another call since.

        :rtype: bool
        """
        if self.state == "ended":
            return False
        quiet = fields.Datetime.now() - self.write_date
        if not self.leg_ids._live():
            return quiet < LEG_GAP
        if self.state == "ringing" and quiet > RINGING_TIME:
            return False
        return not self._has_later_call()

    def _has_later_call(self):
        if not self.extension_id or not self.started_at:
            return False
        # sudo: mango.call - only tells whether there is one.
        later = (
            Domain("extension_id", "=", self.extension_id.id)
            & Domain("started_at", ">", self.started_at)
            & Domain("answered_at", "!=", False)
        )
        return bool(self.sudo().search_count(later, limit=1))

    def _last_seen_at(self):
        """Return the last time that the PBX reported.

        :rtype: datetime
        """
        moments = self.leg_ids.mapped("ended_at") + self.leg_ids.mapped("started_at")
        return max(filter(None, [*moments, self.started_at]), default=self.create_date)
