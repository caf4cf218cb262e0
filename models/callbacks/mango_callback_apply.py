from collections import defaultdict
from datetime import timedelta
from typing import NamedTuple

import pytz

from odoo import api, fields, models
from odoo.fields import Domain

from ...tools.locking import in_own_transaction
from ...vpbx import codes
from .fold import HAND, MISSED, TALK, TRY, Fact, fold

#: How many calls of one client are considered; robots make more.
MAX_CALLS = 2000
#: Automatic changes are documented by the calls themselves.
QUIET = {
    "tracking_disable": True,
    "mail_auto_subscribe_no_notify": True,
    "mail_create_nosubscribe": True,
}


class Client(NamedTuple):
    """A waiting client: a contact with all its numbers, or else one number.

    Holds ids only, so that it can be passed to another transaction.
    """

    account_id: int
    contact_id: int | None
    number: str | None

    @property
    def key(self):
        return f"contact,{self.contact_id}" if self.contact_id else self.number

    def apply(self, calls):
        """Update the entries of the client, in a transaction of its own.

        Serialized for each account and client across all servers.

        :param mango.call calls: calls of the client that may change something.
        """

        def apply(own):
            own = own(context={**own.context, **QUIET})
            own["mango.callback"]._apply(self, calls.with_env(own))

        lock = f"mango_office/client/{self.account_id}/{self.key}"
        in_own_transaction(calls.env, apply, lock)


class Owners(NamedTuple):
    """The contacts with numbers, by number.

    ``now`` has those who have them; ``before`` those who wait, had them when they were
    missed, and do not have them any more, where nobody else has.
    """

    now: dict
    before: dict


class MangoCallback(models.Model):
    """Update of the entries from the calls."""

    _inherit = "mango.callback"

    # ------------------------------------------------------------
    # Client
    # ------------------------------------------------------------

    @api.model
    def _clients_of(self, calls):
        """Return the clients whose entries some calls may change.

        These are the clients of the entries that a call is in and should be in, which
        differ if a user has corrected the client.

        :return: the calls of each client.
        :rtype: dict[Client, mango.call]
        """
        found = defaultdict(self.env["mango.call"].browse)
        for account, own in calls.grouped("account_id").items():
            owners = self._owners_of(account, own)
            for call in own:
                found[self._client_of(call, owners)] |= call
            entries = self._touched_by(account, own)
            owners = self._owners_of(account, entries)
            of_number = own.grouped("client_number")
            for entry in entries:
                changing = [of_number.get(number) for number in entry._numbers()]
                found[self._client_of(entry, owners)] |= own.browse().union(
                    own & entry.call_ids, *filter(None, changing)
                )
        return {client: changing for client, changing in found.items() if changing}

    @api.model
    def _touched_by(self, account, calls):
        """Return the entries that calls belong to or may belong to.

        :param mango.call calls: all of one account.
        :rtype: mango.callback
        """
        numbers = calls.mapped("client_number")
        since = min(calls.mapped("started_at"))
        is_with_client = (
            Domain("client_number", "in", numbers)
            | Domain("call_ids.client_number", "in", numbers)
            | Domain("partner_id.phone_sanitized", "in", numbers)
        )
        return self.search(
            Domain("account_id", "=", account.id)
            & (Domain("state", "=", "open") | Domain("closed_at", ">=", since))
            & (Domain("call_ids", "in", calls.ids) | is_with_client)
        )

    def _numbers(self):
        """Return the known numbers of the client of an entry.

        :rtype: set[str]
        """
        numbers = {self.client_number, self.partner_id.phone_sanitized}
        return numbers | set(self.call_ids.mapped("client_number"))

    @api.model
    def _client_of(self, record, owners):
        """Return the client of a call or an entry.

        :param Owners owners: as returned by :meth:`_owners_of`.
        :rtype: Client
        """
        contact = self._contact_of(record, owners)
        return self._client(record.account_id, contact, record.client_number)

    @api.model
    def _client(self, account, contact, number):
        """Return the client that a contact or else a number is.

        :param res.partner contact: empty or None if there is none.
        :rtype: Client
        """
        if contact:
            return Client(account.id, contact.id, None)
        return Client(account.id, None, number)

    @api.model
    def _owners_of(self, account, records):
        """Return the contacts with the numbers of calls or entries without a contact.

        An archived contact counts as none.

        :rtype: Owners
        """
        unknown = records.filtered(
            lambda record: not self._contact(record.partner_id).active
        )
        numbers = set(unknown.mapped("client_number"))
        now = {number: self._owner_of(account, number) for number in numbers}
        lost = [number for number, owner in now.items() if not owner]
        return Owners(now, self._former_owners(account, lost))

    @api.model
    def _former_owners(self, account, numbers):
        """Return the contacts who wait and who had some numbers when they were missed.

        :rtype: dict[str, res.partner]
        """
        if not numbers:
            return {}
        is_identified = (
            Domain("client_number", "in", numbers)
            & Domain("partner_id", "!=", False)
            & Domain("partner_is_manual", "=", False)
        )
        waiting = self.search(
            Domain("account_id", "=", account.id)
            & Domain("state", "=", "open")
            & Domain("partner_id", "!=", False)
            & Domain("call_ids", "any", is_identified),
            order="id desc",
        )
        return {
            call.client_number: self._contact(entry.partner_id)
            for entry in waiting
            for call in entry.call_ids.filtered_domain(is_identified)
        }

    @api.model
    def _contact_of(self, record, owners):
        """Return the contact that a call or an entry belongs to, if any.

        A client whose contact was archived, or got another number, while they wait is
        still the same client.

        :param Owners owners: as returned by :meth:`_owners_of`.
        :rtype: res.partner
        """
        contact = self._contact(record.partner_id)
        if contact.active:
            return contact
        number = record.client_number
        is_call = record._name == "mango.call"
        calls = record if is_call else record.call_ids
        contact = owners.now.get(number) or contact
        if contact or any(calls.mapped("partner_is_manual")):
            return contact
        if is_call:
            contact = self._contact(record.callback_ids.partner_id[:1])
        return contact or owners.before.get(number, contact)

    @api.model
    def _contact(self, partner):
        """Return the contact of a partner, which may be another address of it.

        :rtype: res.partner
        """
        while partner.parent_id and partner.type not in (False, "contact"):
            partner = partner.parent_id
        return partner

    @api.model
    def _owner_of(self, account, number):
        """Return the contact that currently has a number.

        :rtype: res.partner
        """
        partner, _lead = self.env["mango.caller.lookup"]._identify(account, number)
        return self._contact(partner)

    @api.model
    def _family(self, contact):
        """Return a contact with its other addresses."""
        if not contact:
            return contact
        children = contact.with_context(active_test=False).child_ids
        return contact | children.filtered(
            lambda child: child.type not in (False, "contact")
        )

    # ------------------------------------------------------------
    # Facts
    # ------------------------------------------------------------

    @api.model
    def _apply(self, client, calls):
        """Update the entries of a client from all their calls.

        :param Client client: whose entries.
        :param mango.call calls: calls of the client that may change something.
        """
        account = self.env["mango.account"].browse(client.account_id).exists()
        contact = self.env["res.partner"].browse(client.contact_id).exists()
        known = calls.exists().filtered("started_at")
        if not account or not known:
            return
        family = self._family(contact)
        numbers = {client.number, *family.mapped("phone_sanitized")} - {None, False}
        numbers |= set(known.mapped("client_number"))
        entries = self._entries_of(
            account, contact, family, numbers, min(known.mapped("started_at"))
        )
        numbers |= set(entries.mapped("client_number"))
        since = min([*known.mapped("started_at"), *entries.mapped("first_missed_at")])
        calls = self._calls_of(account, family, numbers, since)
        missed = calls.filtered(lambda call: call.result == "missed")
        own = self._own_of(account, contact, missed)
        if more := set(own.mapped("client_number")) - numbers:
            # The contact was chosen manually: look for talks with it, too.
            calls |= self._calls_of(account, contact.browse(), more, since)
        others = calls.filtered(lambda call: call.result != "missed")
        facts = self._facts(account, others | own, entries)
        facts += entries._own_facts(own)
        self._reconcile(client, contact, entries, fold(facts))

    @api.model
    def _entries_of(self, account, contact, family, numbers, since):
        """Return the entries of a client that are open or were closed after a moment.

        :rtype: mango.callback
        """
        of_number = (
            Domain("partner_id", "=", False) | Domain("partner_id.active", "=", False)
        ) & Domain("client_number", "in", list(numbers))
        entries = self.search(
            Domain("account_id", "=", account.id)
            & (Domain("partner_id", "in", family.ids) | of_number)
            & (Domain("state", "=", "open") | Domain("closed_at", ">=", since)),
            order="first_missed_at, id",
        )
        return self._own_of(account, contact, entries)

    @api.model
    def _own_of(self, account, contact, records):
        """Return the calls or entries of a client, not of others with the same number.

        :param res.partner contact: the client; empty if it is only a number.
        :param models.BaseModel records: calls or entries with numbers of the client.
        :rtype: models.BaseModel
        """
        owners = self._owners_of(account, records)
        return records.filtered(
            lambda record: self._contact_of(record, owners) == contact
        )

    @api.model
    def _calls_of(self, account, family, numbers, since):
        """Return the calls with a client since a moment, and a talk at that moment.

        :rtype: mango.call
        """
        is_talk_of_then = Domain("result", "=", "answered") & Domain(
            "ended_at", ">", since
        )
        return self.env["mango.call"].search_fetch(
            Domain("account_id", "=", account.id)
            & Domain("state", "=", "ended")
            & Domain("direction", "in", ("inbound", "outbound"))
            & (Domain("started_at", ">=", since) | is_talk_of_then)
            & Domain("client_number", "!=", False)
            & (
                Domain("client_number", "in", list(numbers))
                | Domain("partner_id", "in", family.ids)
            ),
            [
                "entry_id",
                "direction",
                "result",
                "client_number",
                "partner_id",
                "partner_is_manual",
                "lead_id",
                "line_id",
                "user_id",
                "started_at",
                "answered_at",
                "ended_at",
                "wait_duration",
                "end_reason",
                "source",
                "create_date",
            ],
            order="started_at desc",
            limit=MAX_CALLS,
        )

    @api.model
    def _facts(self, account, calls, entries):
        """Return the facts that follow from calls, without calls that do not count.

        :param mango.callback entries: the client's present entries.
        :rtype: list[Fact]
        """
        missed = calls.filtered(lambda call: call.result == "missed")
        # A call that was counted before the settings or the blacklist changed still
        # counts.
        new = missed - entries.call_ids
        refused = self._refused_numbers(account, new)
        passed_over = new.filtered(
            lambda call: (
                call.client_number in refused or self._is_passed_over(account, call)
            )
        )
        facts = map(self._fact, calls - passed_over)
        return [fact for fact in facts if fact is not None]

    def _is_passed_over(self, account, call):
        """Tell whether a missed call does not count.

        It was too short, became known too late, or the PBX refused it because the
        number is on its black list.
        """
        max_age = timedelta(hours=account.callback_max_age_hours)
        return (
            call.wait_duration < account.callback_min_wait
            or codes.is_caller_blocked(call.end_reason)
            or call.create_date - call.started_at > max_age
        )

    def _fact(self, call):
        if call.result == "missed":
            kind = MISSED
        elif call.result == "answered":
            kind = TALK
        elif call.direction == "outbound":
            kind = TRY
        else:
            return None
        return Fact(
            kind,
            call.started_at,
            call.entry_id,
            until=call.ended_at or call.started_at,
            is_outbound=call.direction == "outbound",
            record_id=call.id,
        )

    @api.model
    def _refused_numbers(self, account, calls):
        """Return the numbers that are not called back.

        These are our own employees' phones and blacklisted numbers. An entry that was
        opened earlier stays until somebody closes it.

        :rtype: set[str]
        """
        blocked = self.env["phone.blacklist"].search(
            Domain("number", "in", calls.mapped("client_number"))
        )
        devices = self.env["mango.device"].search(
            Domain("extension_id.account_id", "=", account.id)
        )
        own = {*devices.mapped("number"), *account._own_numbers()}
        return {account._e164(number) for number in own} | set(blocked.mapped("number"))

    def _own_facts(self, missed):
        """Return the facts of the entries themselves: how users have closed them.

        For an open one whose calls were deleted by age, also that there was a missed
        call.

        :param mango.call missed: the missed calls of the client.
        :rtype: list[Fact]
        """
        facts = []
        for entry in self:
            if entry.closed_by == "hand":
                at = entry._decided_at(missed)
                facts.append(Fact(HAND, at, f"entry-{entry.id}", record_id=entry.id))
            if not entry.call_ids:
                facts.append(Fact(MISSED, entry.first_missed_at, f"entry-{entry.id}"))
        return facts

    def _decided_at(self, missed):
        """Return when a user closed the entry, on the PBX's clock.

        The user's decision does not concern a call that was not known, or not over,
        when they made it. By the clocks it may have been earlier: the PBX's may be
        behind this server's, and a phone may have been ringing.

        :param mango.call missed: the missed calls of the client.
        :rtype: datetime
        """
        later = (missed - self.call_ids).filtered(
            lambda call: (
                (call.ended_at or call.started_at) > self.closed_at
                # The statistics may report a call long after it.
                or (call.source == "webhook" and call.create_date > self.closed_at)
            )
        )
        if not later:
            return self.closed_at
        known = (missed - later).filtered(
            lambda call: call.started_at <= self.closed_at
        )
        before_later = min(later.mapped("started_at")) - timedelta(seconds=1)
        moment = max([before_later, *known.mapped("started_at")])
        return min(moment, self.closed_at)

    # ------------------------------------------------------------
    # Writing the difference
    # ------------------------------------------------------------

    @api.model
    def _reconcile(self, client, contact, entries, loops):
        """Make the entries of a client match the loops.

        :param Client client: whose entries.
        :param res.partner contact: its contact; empty if it is only a number.
        :param mango.callback entries: the present ones.
        :param list[Loop] loops: the wanted state, the oldest first.
        """
        pairs = entries._paired(loops)
        gone = entries - self.concat(*pairs)
        # An entry closed manually stays, even if its calls change.
        gone = gone.filtered(lambda entry: entry.closed_by != "hand")
        gone._notify_listeners()
        gone._forget_todo()
        gone.unlink()
        for entry, loop in zip(pairs, loops, strict=True):
            entry._update_from_loop(client, contact, loop)

    def _paired(self, loops):
        """Return the entry of each loop; an empty one for a loop that is new.

        :rtype: list[mango.callback]
        """
        by_hand = {
            loop.closing.record_id: loop for loop in loops if loop.closed_by == "hand"
        }
        free = self.filtered(lambda entry: entry.closed_by != "hand")
        pairs = []
        for loop in loops:
            entry = self.filtered(
                lambda entry, loop=loop: by_hand.get(entry.id) is loop
            ) or next(
                (entry for entry in free if entry._is_of(loop)),
                self.browse(),
            )
            free -= entry
            pairs.append(entry)
        return pairs

    def _is_of(self, loop):
        if not self.call_ids:
            return any(fact.ref == f"entry-{self.id}" for fact in loop.missed)
        ids = {fact.record_id for fact in loop.missed}
        return not ids.isdisjoint(self.call_ids.ids)

    def _update_from_loop(self, client, contact, loop):
        """Write the changes of one entry, or create it.

        :param Client client: its client.
        :param res.partner contact: the client's contact.
        :param Loop loop: what the entry should be.
        """
        vals = self._prepare_vals(client, contact, loop)
        if not self:
            created = self.create({**vals, **self._prepare_closing_vals(loop, vals)})
            created._assign()
            created._set_deadline()
            created._settle()
            return
        if self.closed_by == "hand":
            # Only the counters can still change.
            self._write_changes(vals)
            return
        is_new_attempt = vals["attempt_count"] > self.attempt_count
        if is_new_attempt and self.later_set_at and not loop.closing:
            vals |= self._prepare_resumed_vals(vals)
        changed = self._write_changes(
            {**vals, **self._prepare_closing_vals(loop, vals)}
        )
        changed |= self._assign()
        changed |= self._set_deadline()
        if changed:
            self._settle()

    def _prepare_resumed_vals(self, vals):
        """Return the values for a postponed entry whose client has called again.

        :rtype: dict
        """
        return {
            "later_set_at": False,
            "deadline_is_manual": False,
            "resumed_at": vals["last_missed_at"],
            "overdue_told_at": False,
        }

    def _settle(self):
        """Handle the consequences of a change of an entry."""
        self._set_reaction()
        self._update_todo()
        self._notify_listeners()

    def _prepare_vals(self, client, contact, loop):
        calls = self.env["mango.call"].browse(
            [fact.record_id for fact in loop.facts if fact.record_id]
        )
        missed = self.env["mango.call"].browse(
            [fact.record_id for fact in loop.missed if fact.record_id]
        )
        last = missed[-1:]
        first_missed_at = loop.missed[0].at
        hour, weekday = self._local_time(client, first_missed_at)
        return {
            "account_id": client.account_id,
            "client_key": client.key,
            "client_number": last.client_number or self.client_number,
            "partner_id": contact.id,
            "lead_id": missed.filtered("lead_id")[-1:].lead_id.id
            or self.lead_id.exists().id,
            "line_id": last.line_id.id,
            "first_missed_at": first_missed_at,
            "last_missed_at": loop.missed[-1].at,
            "missed_hour": hour,
            "missed_weekday": weekday,
            "attempt_count": len(loop.missed),
            "try_count": len(loop.tries),
            "call_ids": [fields.Command.set(calls.ids)],
            "user_ids": [
                fields.Command.set((missed.user_ids | self.user_id).ids),
            ],
        }

    def _prepare_closing_vals(self, loop, vals):
        if not loop.closing:
            return {
                "state": "open",
                "closed_by": False,
                "closing_call_id": False,
                "closing_user_id": False,
                "closed_at": False,
            }
        call = self.env["mango.call"].browse(loop.closing.record_id)
        return {
            "state": "done",
            "closed_by": loop.closed_by,
            "closing_call_id": call.id,
            "closing_user_id": call.user_id.id,
            "closed_at": call.answered_at or call.started_at,
        }

    def _local_time(self, client, moment):
        """Return the hour and the weekday of a moment in the company's time zone.

        :rtype: tuple[str, str]
        """
        account = self.env["mango.account"].browse(client.account_id)
        company = account.company_id
        zone = company.resource_calendar_id.tz or company.partner_id.tz or "UTC"
        local = pytz.utc.localize(moment).astimezone(pytz.timezone(zone))
        return f"{local.hour:02}:00", str(local.weekday())

    def _write_changes(self, vals):
        """Write the values that differ.

        :return: whether anything differed.
        :rtype: bool
        """
        changes = {}
        for name, value in vals.items():
            now = self[name]
            if self._fields[name].type == "many2many":
                if set(now.ids) != set(value[0][2]):
                    changes[name] = value
            elif self._fields[name].convert_to_write(now, self) != (value or False):
                changes[name] = value
        if changes:
            self.write(changes)
            self.flush_recordset()
        return bool(changes)
