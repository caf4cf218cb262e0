from dataclasses import replace
from typing import NamedTuple

from odoo import SUPERUSER_ID, api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.locking import in_own_transaction
from ...vpbx import codes
from ..callbacks.mango_callback_apply import QUIET
from .lead_rules import CREATE, Facts, decide


class Client(NamedTuple):
    """The client of a lead: a contact with its other addresses, else a number."""

    account: object
    key: str
    number: str
    partner: object


class MangoClientLead(models.Model):
    """The lead of one client of a PBX.

    There is one row for each client, which is written before a lead is created. So one
    of two transactions that do not see each other's lead fails and is retried: there
    are never two open leads, in whatever number of processes calls are handled.
    """

    _name = "mango.client.lead"
    _description = "Lead of a Client Who Called"
    _rec_name = "client_key"

    account_id = fields.Many2one(
        "mango.account", required=True, readonly=True, ondelete="cascade"
    )
    client_key = fields.Char(required=True, readonly=True)
    # Empty only within the transaction that creates the lead.
    lead_id = fields.Many2one(
        "crm.lead", readonly=True, index="btree_not_null", ondelete="cascade"
    )
    call_id = fields.Many2one(
        "mango.call",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="The call that the lead was created from; empty if a user created it.",
    )
    call_facts = fields.Json(
        readonly=True, help="What was known of the call when the lead was created."
    )
    lead_vals = fields.Json(
        readonly=True, help="The values that the call has given to the lead."
    )
    _client_uniq = models.UniqueIndex(
        "(account_id, client_key)", "The client already has a row."
    )

    # ------------------------------------------------------------
    # Client
    # ------------------------------------------------------------

    @api.model
    def _client(self, call):
        """Return the client of a call as known now.

        :param mango.call call: one with a number.
        :return: the client, and their open lead as found automatically.
        :rtype: tuple[Client, crm.lead]
        """
        account = call.account_id
        partner, lead = self.env["mango.caller.lookup"]._identify(
            account,
            call.client_number,
            call.partner_id if call.partner_is_manual else None,
        )
        callbacks = self.env["mango.callback"]
        contact = callbacks._contact(partner) or callbacks._owner_of(
            account, call.client_number
        )
        who = callbacks._client(account, contact, call.client_number)
        return Client(account, who.key, call.client_number, partner), lead

    @api.model
    def _claim(self, client):
        """Return the row of a client, always written by this transaction.

        :param Client client: the caller.
        :rtype: mango.client.lead
        """
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO mango_client_lead
                    (account_id, client_key, create_uid, write_uid, create_date,
                     write_date)
                VALUES (%(account_id)s, %(key)s, %(uid)s, %(uid)s, %(now)s, %(now)s)
                ON CONFLICT (account_id, client_key)
                DO UPDATE SET write_date = EXCLUDED.write_date
                RETURNING id
                """,
                account_id=client.account.id,
                key=client.key,
                uid=self.env.uid,
                now=fields.Datetime.now(),
            )
        )
        row = self.browse(rows[0][0])
        row.invalidate_recordset()
        return row

    def _open_lead(self):
        """Return the lead of the row, if it is neither won nor lost.

        :rtype: crm.lead
        """
        return self.lead_id.filtered(
            lambda lead: lead.active and lead.won_status == "pending"
        )

    @api.model
    def _merge_contacts(self, sources, target):
        """Let merged contacts be one client, who has one row.

        If several of them have an open lead, the row of the target is kept.

        :param res.partner sources: the contacts that are about to be deleted.
        :param res.partner target: the contact that stays.
        """
        contact = self.env["mango.callback"]._contact(target)
        of_target = f"contact,{contact.id}"
        of_sources = [f"contact,{source.id}" for source in sources]
        rows = self.search(Domain("client_key", "in", [of_target, *of_sources]))
        for own in rows.grouped("account_id").values():
            kept = own.sorted(
                lambda row: (not row._open_lead(), row.client_key != of_target, row.id)
            )[0]
            (own - kept).unlink()
            kept.client_key = of_target

    # ------------------------------------------------------------
    # Creating leads
    # ------------------------------------------------------------

    @api.model
    def _make_leads(self, calls):
        """Create the lead for calls of one number, if needed, and link the calls to it.

        In transactions of its own, serialized for each number across all servers.

        :param mango.call calls: of one PBX and one number.
        """
        made = self.search(Domain("call_id", "in", calls.ids)).call_id
        calls = calls.filtered(
            lambda call: call.started_at and (call in made or _may_belong(call))
        )
        if not calls or not calls.account_id._makes_leads():
            return
        account, number = calls.account_id, calls[0].client_number

        def make(own):
            context = {**own.context, **QUIET, "lang": account._language()}
            rows = self.with_env(own(context=context))
            ordered = calls.with_env(rows.env).exists().sorted(_order)
            rows.search(Domain("call_id", "in", ordered.ids))._review()
            leads = {}
            for call in ordered.filtered(_may_belong):
                if lead := rows._lead_for(call):
                    leads[call.id] = lead.id
            return leads

        lock = f"mango_office/lead/{account.id}/{number}"
        leads = in_own_transaction(calls.env, make, lock)
        calls.env.invalidate_all()
        for call in calls.filtered(lambda call: not call.lead_id):
            if call.id in leads:
                call._link_lead(leads[call.id])

    @api.model
    def _lead_for(self, call):
        """Return the open lead that a call belongs to, created if needed.

        :param mango.call call: of a number that is locked.
        :return: empty if there is none and none is created.
        :rtype: crm.lead
        """
        client, lead = self._client(call)
        row = self.search(
            Domain("account_id", "=", client.account.id)
            & Domain("client_key", "=", client.key)
        )
        lead = row._open_lead() or lead
        if call.lead_id and call.lead_id != lead:
            return call.lead_id.browse()
        verdict = decide(
            self._facts(call, client), call.line_id._lead_rules(client.account)
        )
        if lead:
            is_origin = row.lead_id == lead and row.call_id
            if verdict == CREATE and is_origin and _order(call) < _order(row.call_id):
                # Calls become known in any order.
                row._take_over(call)
            return lead
        return self._create_lead(call, client) if verdict == CREATE else lead

    @api.model
    def _facts(self, call, client):
        refused = self.env["mango.callback"]._refused_numbers(client.account, call)
        is_colleague = any(not user.share for user in client.partner.user_ids)
        return Facts(
            direction=call.direction,
            number=client.number,
            is_answered=bool(call.answered_at),
            is_ended=call.state == "ended",
            started_at=call.started_at,
            delay=call.create_date - call.started_at,
            is_known=bool(client.partner),
            is_refused=is_colleague
            or client.number in refused
            or codes.is_caller_blocked(call.end_reason),
            is_chosen_by_hand=call.lead_is_manual,
            closed_at=self._closed_at(client),
        )

    @api.model
    def _closed_at(self, client):
        """Return when the last lead of a client was won, lost or put away.

        :rtype: datetime | None
        """
        is_of_client = Domain("phone_sanitized", "=", client.number)
        if client.partner:
            is_of_client |= Domain("partner_id", "=", client.partner.id)
        closed = (
            self.env["crm.lead"]
            .with_context(active_test=False)
            .search(
                is_of_client
                & (Domain("won_status", "!=", "pending") | Domain("active", "=", False))
                & self.env["mango.caller.lookup"]._company_domain(client.account)
            )
        )
        moments = [lead.date_closed or lead.write_date for lead in closed]
        return max(moments, default=None)

    @api.model
    def _create_lead(self, call, client):
        row = self._claim(client)
        vals = call._prepare_rule_lead_vals(client.partner)
        lead = self.env["crm.lead"].with_company(call.company_id).create(vals)
        row.write({"lead_id": lead.id, "lead_vals": vals})
        row._found_on(call)
        return lead

    def _found_on(self, call):
        """Store the call that the lead stems from, with its present facts."""
        self.write({"call_id": call.id, "call_facts": self._call_facts(call)})

    def _take_over(self, call):
        """Let the lead stem from a call that would create one by itself.

        :param mango.call call: the earliest such call.
        """
        self._update_lead(call)
        self._found_on(call)

    def _update_lead(self, call):
        """Update the lead as if it had been created from a call as known now.

        Manual changes are kept.

        :param mango.call call: that the lead stems from.
        """
        call = call.with_context(**QUIET, lang=call.account_id._language())
        lead = self.lead_id.with_env(call.env)
        before = self.lead_vals or {}
        after = call._prepare_rule_lead_vals(lead.partner_id)
        changes = {
            name: [fields.Command.set(value)] if name == "tag_ids" else value
            for name, value in after.items()
            if value != before.get(name, False)
            and _has_value(lead, name, before.get(name, False))
        }
        if changes:
            lead.write(changes)
        self.lead_vals = after

    # ------------------------------------------------------------
    # Leads whose call has changed since
    # ------------------------------------------------------------

    @api.model
    def _call_facts(self, call):
        """Return the facts of a call that later notifications may change.

        New settings and corrections by users do not concern existing leads, so they are
        not among these facts.

        :return: as stored with the lead.
        :rtype: dict
        """
        facts = self._facts(call, self._client(call)[0])
        return {
            "direction": facts.direction,
            "number": facts.number,
            "is_answered": facts.is_answered,
            "is_refused": facts.is_refused,
            "user_id": call.user_id.id,
        }

    def _review(self):
        """Correct the open leads whose call has changed since they were created.

        A lead is created while its call is going on, and notifications come in any
        order. If none of its calls would create it now, it is deleted, unless somebody
        has worked with it.
        """
        for row in self:
            facts = row._call_facts(row.call_id)
            if not row.call_facts or row.call_facts == facts or not row._open_lead():
                continue
            calls = row.lead_id.mango_call_ids.filtered(
                lambda call: call.started_at and _may_belong(call)
            )
            if facts["number"] == row.call_facts["number"]:
                calls |= row.call_id
            else:
                calls -= row.call_id
            founding = calls.filtered(self._would_create).sorted(_order)[:1]
            if founding:
                row._take_over(founding)
            elif not row._is_worked_with():
                row._withdraw()

    @api.model
    def _would_create(self, call):
        """Tell whether a call would create a lead if it had none.

        :rtype: bool
        """
        client, _lead = self._client(call)
        facts = replace(self._facts(call, client), closed_at=None)
        rules = call.line_id._lead_rules(client.account)
        # The contact may have been created for this lead.
        return any(
            decide(replace(facts, is_known=is_known), rules) == CREATE
            for is_known in (False, True)
        )

    def _is_worked_with(self):
        """Tell whether a user, or another automation, has worked with the lead.

        :rtype: bool
        """
        lead = self.lead_id
        call_subtype = self.env.ref("mango_office.mt_call")
        return (
            lead.write_uid.id != SUPERUSER_ID
            or not all(_has_value(lead, *item) for item in self.lead_vals.items())
            or bool(lead.activity_ids)
            or any(lead.mango_call_ids.mapped("lead_is_manual"))
            or bool(lead.message_ids.filtered(lambda m: m.subtype_id != call_subtype))
        )

    def _withdraw(self):
        """Delete the lead as if it had never been created."""
        lead = self.lead_id
        calls = lead.mango_call_ids
        calls.with_context(tracking_disable=True).lead_id = False
        lead.unlink()
        calls._follow_client()
        calls._update_crm_soon()  # Their lines may move to a contact's chatter.
        for call in calls:
            call._notify_participants()


def _order(call):
    return call.started_at, call.entry_id


def _may_belong(call):
    """Tell whether a call may belong to the lead of a client."""
    return call.direction == "inbound" and bool(call.client_number)


def _has_value(lead, name, value):
    """Tell whether a field of a lead has the value that was written to it."""
    field = lead._fields[name]
    if field.type == "many2many":
        return set(lead[name].ids) == set(value or ())
    return field.convert_to_write(lead[name], lead) == (value or False)
