from dataclasses import replace
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..vpbx.call_state import ENDED, fold
from .moments import from_epoch, to_epoch

#: A call without a summary is closed when all its legs have been gone for so long …
QUIET_TIME = timedelta(minutes=10)
#: … or when it is older than any conversation.
MAX_LIFE = timedelta(hours=12)


#: Between two legs of one call nothing may be there for some seconds.
LEG_GAP = timedelta(seconds=15)
#: No phone rings for longer.
RINGING_TIME = timedelta(minutes=3)


class MangoCall(models.Model):
    """How a call follows what the PBX tells of it."""

    _inherit = "mango.call"

    @api.model
    def _apply(self, entry_id, account=None, source="webhook"):
        """Bring a call up to date with everything the PBX has told of it.

        Idempotent, and correct under concurrency: the call's row is always written,
        so that of two transactions that do not see each other's notification one
        fails and is repeated (``design.md`` 2, traps).

        :param str entry_id: the PBX's name of the call.
        :param mango.account account: needed only if several PBXs use that name.
        :param str source: what the call is known from, if it is new.
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
        return self.env["mango.event"]._of_entry(self.account_id, self.entry_id)

    def _fold(self, events, more=()):
        """Return what the notifications of this call say, all in all.

        :param mango.event events: all of them.
        :param Iterable more: what else is known, parsed.
        :rtype: CallState
        """
        return fold(
            [*events._parsed(), *more],
            lines=self.account_id._own_numbers(),
            closed_at=to_epoch(self.closed_at),
        )

    @api.model
    def _touch(self, account, entry_id, source):
        """Return the row of a call, written to by this transaction in any case.

        :param str source: of a new one.
        :rtype: mango.call
        """
        account.flush_recordset(["company_id"])
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO mango_call
                    (account_id, company_id, entry_id, source, state, route_state,
                     recording_state, create_uid, write_uid, create_date, write_date)
                SELECT id, company_id, %(entry_id)s, %(source)s, 'ringing', 'none',
                       'none', %(uid)s, %(uid)s, %(now)s, %(now)s
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
            )
        )
        return self.browse(rows[0][0])

    def _update_from(self, state):
        """Write the difference between this call and what the PBX says.

        :param CallState state: the fold over all its notifications.
        """
        self.ensure_one()
        extensions = self.env["mango.extension"]._by_number(
            self.account_id, self._extension_numbers(state)
        )
        if state.client_number in extensions:
            # A colleague who came as a bare number is no client.
            state = replace(state, client_number=None)
        vals = self._prepare_vals(state, extensions)
        number_is_new = vals["client_number"] != (self.client_number or False)
        changed = self._write_changes(vals)
        changed |= self.env["mango.call.leg"]._load(self, state.legs)
        changed |= self._bind_to_command(state)
        if number_is_new:
            changed |= self._identify_client()
        changed |= self._add_participants(extensions)
        changed |= self.env["mango.recording"]._load(self, state.recordings, extensions)
        if self._awaits_routing(state):
            changed |= self._write_changes(
                self.env["mango.router"]._decide(self, state.in_menu_leg)
            )
            if self.routed_extension_id:
                self.env["mango.router"]._send_after_commit(self)
        changed |= self._put_on_screens(state, extensions)
        if changed:
            self._notify_participants()
            if self.state == "ended":
                self._on_ended()

    def _on_ended(self):
        """Do what follows once the call has ended, or has changed after that.

        For other parts of the addon to extend; may happen several times.
        """

    def _extension_numbers(self, state):
        """Return what may be an extension in a call: whoever has no phone number.

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
        extension = extensions.get(state.extension, self.env["mango.extension"])
        line = self._find_line(state.line_number)
        client = state.client_number
        return {
            "direction": state.direction or False,
            "state": state.state,
            "result": state.result or False,
            "client_number": client and (self.account_id._e164(client) or client),
            "line_number": state.line_number or False,
            "line_id": line.id,
            "extension_id": extension.id,
            # An extension may change hands; a past call keeps who it was.
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

    def _write_changes(self, vals):
        """Write those of some values that differ.

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

    def _bind_to_command(self, state):
        """Link the call to the click that it came of, and to what was clicked on.

        :param CallState state: the fold over all its notifications.
        :return: whether that is new.
        :rtype: bool
        """
        if not state.callback or self.callback_command_id:
            return False
        command = self.env["mango.command"].search(
            Domain("account_id", "=", self.account_id.id)
            & Domain("command_id", "in", state.command_ids)
            & Domain("kind", "=", "callback"),
            limit=1,
        )
        if not command:
            return False
        vals = {"callback_command_id": command.command_id}
        # What was clicked on may have been deleted meanwhile.
        if command.res_model in self.env:
            record = self.env[command.res_model].browse(command.res_id).exists()
            vals |= self._prepare_origin_vals(record)
        self.write(vals)
        return True

    @api.model
    def _prepare_origin_vals(self, record):
        """Return the values of a call that somebody started from a record.

        :param models.BaseModel record: of any model; possibly empty.
        :rtype: dict
        """
        if not record:
            return {}
        vals = {"res_model": record._name, "res_id": record.id}
        if record._name == "res.partner":
            vals |= {"partner_id": record.id, "partner_is_manual": True}
        elif record._name == "crm.lead":
            vals |= {"lead_id": record.id, "lead_is_manual": True}
            if record.partner_id:
                vals |= {"partner_id": record.partner_id.id, "partner_is_manual": True}
        return vals

    def _identify_client(self):
        """Link the contact and the lead behind the number; a person's choice stays.

        :return: whether anything changed.
        :rtype: bool
        """
        partner, lead = self.env["mango.caller"]._identify(
            self.account_id,
            self.client_number,
            self.partner_id if self.partner_is_manual else None,
        )
        vals = {}
        if not self.partner_is_manual:
            vals["partner_id"] = partner.id
        if not self.lead_is_manual:
            vals["lead_id"] = lead.id
        return self._write_changes(vals) | self._let_owner_in()

    def _let_owner_in(self):
        """Show the call to whoever is responsible for the client.

        :return: whether they did not see it before.
        :rtype: bool
        """
        # sudo: mango.call - the machine decides who took part in a call; the client
        # was chosen by it or by somebody who may correct the call.
        call_sudo = self.sudo()
        owners = (
            self.env["mango.caller"]
            .sudo()
            ._owners(call_sudo.partner_id, call_sudo.lead_id)
        )
        return call_sudo._add_users(
            self.env["res.users"].concat(*(owner.user for owner in owners[:1]))
        )

    def _add_participants(self, extensions):
        """Show the call to everybody whose extension took part in it.

        :param dict[str, mango.extension] extensions: by number.
        :rtype: bool
        """
        users = self.env["res.users"].concat(
            *(extension.user_id for extension in extensions.values())
        )
        return self._add_users(users)

    def _put_on_screens(self, state, extensions):
        """Show the running call to whoever it rings for.

        :param CallState state: the fold over all its notifications.
        :param dict[str, mango.extension] extensions: by number.
        :rtype: bool
        """
        if state.state == ENDED or not state.legs:
            return False
        rung = self.routed_extension_id.concat(*extensions.values())
        return self.env["mango.call.card"]._put(self, rung)

    def _add_users(self, users):
        """Show the call to some people, most of whom see it already.

        In SQL, so that who sees it need not be read at every notification.

        :param res.users users: who take part in it.
        :return: whether anybody did not see it before.
        :rtype: bool
        """
        if not users:
            return False
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO mango_call_res_users_rel (mango_call_id, res_users_id)
                     SELECT %s, id
                       FROM res_users
                      WHERE id IN %s
                ON CONFLICT DO NOTHING
                  RETURNING res_users_id
                """,
                self.id,
                tuple(users.ids),
            )
        )
        if rows:
            self.invalidate_recordset(["user_ids"])
        return bool(rows)

    def _awaits_routing(self, state):
        return (
            state.direction == "inbound"
            and state.state == "ringing"
            and self.route_state == "none"
            and not self.route_reason
        )

    # ------------------------------------------------------------
    # Calls whose end was never told
    # ------------------------------------------------------------

    @api.model
    def _close_abandoned(self):
        """Cron: end the calls whose summary never came."""
        now = fields.Datetime.now()
        # Every notification writes to its call, so this is also when the last came.
        live = self.search(
            Domain("state", "!=", "ended")
            & Domain("write_date", "<", now - QUIET_TIME),
            order="id",
        )
        abandoned = live.filtered(lambda call: call._is_abandoned(now))
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(abandoned))
        for call in abandoned:
            with call._locked() as locked:
                if locked.state != "ended":
                    locked.closed_at = locked._last_seen_at()
                    locked._apply(locked.entry_id, locked.account_id)
            if not cron._commit_progress(1):
                break

    def _is_abandoned(self, now):
        if self._awaits_statistics(now):
            return False
        if (self.started_at or self.create_date) < now - MAX_LIFE:
            return True
        return self._fold(self._events()).all_legs_gone

    def _is_alive(self):
        """Tell whether something may still be going on in this call.

        Its end may have been lost: then it is over when no leg of it has been there
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
        # sudo: mango.call - whether there is one, nothing of it.
        later = (
            Domain("extension_id", "=", self.extension_id.id)
            & Domain("started_at", ">", self.started_at)
            & Domain("answered_at", "!=", False)
        )
        return bool(self.sudo().search_count(later, limit=1))

    def _last_seen_at(self):
        """Return the last moment that the PBX told of.

        :rtype: datetime
        """
        moments = self.leg_ids.mapped("ended_at") + self.leg_ids.mapped("started_at")
        return max(filter(None, [*moments, self.started_at]), default=self.create_date)
