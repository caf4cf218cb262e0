from datetime import datetime, timedelta

import phonenumbers

from odoo import fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

from ..vpbx import numbers

#: An older missed call reminds nobody any more.
MISSED_PERIOD = timedelta(days=7)
RECENT_PERIOD = timedelta(days=30)
LIST_LIMIT = 20
SEARCH_LIMIT = 10
#: Of leads and of colleagues; the rest are contacts.
SEARCH_LIMIT_OTHERS = 3
MIN_TERM = 2
#: Fewer digits begin too many numbers.
MIN_DIGITS = 4
#: E.164 has no number that is longer, so this is behind all that begin the same.
LAST_DIGITS = "9" * 15


class ResUsers(models.Model):
    """What the systray shows of a user's calls, and whom they find to be called."""

    _inherit = "res.users"

    def _mango_check_self(self):
        """Check that a user of the telephony asks about nobody else.

        :raise AccessError: otherwise.
        """
        user = self.env.user
        if self != user or not user.has_group("mango_office.group_user"):
            raise AccessError(
                self.env._("Only users of the telephony see calls, and only their own.")
            )

    # ------------------------------------------------------------
    # Missed and recent calls
    # ------------------------------------------------------------

    def mango_recent(self):
        """Return the user's missed calls and the last of all their calls.

        Each is a dict of ``id``, ``direction``, ``result``, ``name`` (of the client),
        ``number`` (as people write it), ``dial`` (to call again; False if hidden),
        ``started_at`` (UTC, as text), ``talk_duration`` (seconds) and ``called_back``
        (whether the client of a missed call was spoken to since).

        :return: under ``missed`` and ``recent``, the latest first.
        :rtype: dict[str, list[dict]]
        :raise AccessError: if another user's calls are asked for.
        """
        self._mango_check_self()
        calls = self.env["mango.call"]
        missed = calls.search(self._mango_missed_domain(), limit=LIST_LIMIT)
        recent = calls.search(self._mango_ended_domain(RECENT_PERIOD), limit=LIST_LIMIT)
        rows = self._mango_recent_rows(missed | recent)
        return {
            "missed": [rows[call] for call in missed],
            "recent": [rows[call] for call in recent],
        }

    def mango_missed_seen(self):
        """Remember that the user has looked at their missed calls.

        :return: how many are still to be looked at, as :meth:`_mango_missed_count`.
        :rtype: int
        :raise AccessError: if it is another user.
        """
        self._mango_check_self()
        if not self._mango_missed_count():
            return 0
        # The clocks of the PBX and of this machine may differ.
        [(last_ended_at,)] = self.env["mango.call"]._read_group(
            self._mango_missed_domain(), [], ["ended_at:max"]
        )
        # sudo: res.users.settings - the user's own, and nothing but this moment.
        settings_sudo = self.env["res.users.settings"]._find_or_create_for_user(self)
        settings_sudo.mango_missed_seen_at = max(
            fields.Datetime.now(), last_ended_at or datetime.min
        )
        count = self._mango_missed_count()
        self._bus_send("mango_office/missed", {"missed_count": count})
        return count

    def _mango_missed_count(self):
        """Return how many missed calls the user has neither seen nor called back.

        Two queries, whatever the number of calls.

        :rtype: int
        """
        self.ensure_one()
        rows = self.env["mango.call"]._read_group(
            self._mango_missed_domain() & self._mango_unseen_domain(),
            ["client_number"],
            ["started_at:array_agg"],
        )
        spoken_at = self._mango_spoken_at([number for number, _missed in rows])
        return sum(
            started_at > spoken_at.get(number, datetime.min)
            for number, missed in rows
            for started_at in missed
        )

    def _mango_ended_domain(self, period):
        return (
            Domain("user_ids", "in", self.ids)
            & Domain("state", "=", "ended")
            & Domain("started_at", ">=", fields.Datetime.now() - period)
        )

    def _mango_missed_domain(self):
        return self._mango_ended_domain(MISSED_PERIOD) & Domain("result", "=", "missed")

    def _mango_unseen_domain(self):
        # sudo: res.users.settings - the user's own; see mango_missed_seen.
        seen_at = self.sudo().res_users_settings_id.mango_missed_seen_at
        if not seen_at:
            return Domain.TRUE
        # A call that the PBX told of late has ended before, but is new here.
        return Domain("ended_at", ">", seen_at) | Domain("create_date", ">", seen_at)

    def _mango_spoken_at(self, client_numbers):
        """Return when some clients were last spoken to, as far as the user may know.

        :param list[str] client_numbers: E.164; empty ones are passed over.
        :return: when the last answered call began, by number.
        :rtype: dict[str, datetime]
        """
        wanted = [number for number in client_numbers if number]
        if not wanted:
            return {}
        since = fields.Datetime.now() - MISSED_PERIOD
        return dict(
            self.env["mango.call"]._read_group(
                Domain("client_number", "in", wanted)
                & Domain("result", "=", "answered")
                & Domain("started_at", ">=", since),
                ["client_number"],
                ["started_at:max"],
            )
        )

    def _mango_recent_rows(self, calls):
        missed = calls.filtered(lambda call: call.result == "missed")
        spoken_at = self._mango_spoken_at(missed.mapped("client_number"))
        colleagues = self._mango_other_ends(calls)
        return {
            call: {
                "id": call.id,
                "direction": call.direction,
                "result": call.result,
                **self._mango_client(call, colleagues.get(call)),
                "started_at": fields.Datetime.to_string(call.started_at),
                "talk_duration": call.talk_duration,
                "called_back": call in missed
                and spoken_at.get(call.client_number, datetime.min) > call.started_at,
            }
            for call in calls
        }

    def _mango_client(self, call, colleague):
        if colleague:
            return {
                "name": colleague.name or colleague.number,
                "number": colleague.number,
                "dial": colleague.number,
            }
        return {
            "name": call.display_name,
            "number": call.client_number_display,
            "dial": call.client_number,
        }

    def _mango_other_ends(self, calls):
        """Return the colleague at the other end of each internal call.

        :rtype: dict[mango.call, mango.extension]
        """
        internal = calls.filtered(lambda call: call.direction == "internal")
        own = set(self.mango_extension_ids.mapped("number"))
        found = {}
        for account, account_calls in internal.grouped("account_id").items():
            legs = account_calls.leg_ids
            extensions = self.env["mango.extension"]._by_number(
                account,
                {*legs.mapped("from_extension"), *legs.mapped("to_extension")} - own,
            )
            for leg in legs:
                colleague = extensions.get(leg.from_extension) or extensions.get(
                    leg.to_extension
                )
                if colleague:
                    found.setdefault(leg.call_id, colleague)
        return found

    # ------------------------------------------------------------
    # Whom to call
    # ------------------------------------------------------------

    def mango_search(self, term):
        """Find contacts, open leads and colleagues that can be called.

        :param str term: the beginning of a number, or part of a name.
        :return: each with ``type`` (``colleague``, ``partner`` or ``lead``), ``id``,
            ``name``, ``detail`` (company, department and the like), ``number`` (as
            people write it), ``dial`` and the record that the call belongs to, in
            ``res_model`` and ``res_id``.
        :rtype: list[dict]
        :raise AccessError: if another user is asked.
        """
        self._mango_check_self()
        term = str(term or "").strip()
        if len(term) < MIN_TERM:
            return []
        colleagues = self._mango_find_colleagues(term)
        leads = self._mango_find_leads(term)
        partners = self._mango_find_partners(
            term, SEARCH_LIMIT - len(colleagues) - len(leads)
        )
        return [
            *(self._mango_found_colleague(extension) for extension in colleagues),
            *(self._mango_found_partner(partner) for partner in partners),
            *(self._mango_found_lead(lead) for lead in leads),
        ]

    def _mango_find_colleagues(self, term):
        if _is_number(term):
            fits = Domain("number", "=like", f"{_digits(term)}%")
        else:
            fits = Domain("name", "ilike", term) | Domain("user_id", "ilike", term)
        return self.env["mango.extension"].search(
            Domain("account_id", "in", self.mango_extension_ids.account_id.ids)
            & Domain("id", "not in", self.mango_extension_ids.ids)
            & fits,
            limit=SEARCH_LIMIT_OTHERS,
        )

    def _mango_find_partners(self, term, limit):
        domain = self._mango_number_domain(term)
        if domain is None:
            domain = Domain("display_name", "ilike", term)
        return self.env["res.partner"].search(
            Domain("phone", "!=", False) & domain, limit=limit
        )

    def _mango_find_leads(self, term):
        leads = self.env["crm.lead"]
        if not leads.has_access("read"):
            return leads
        domain = self._mango_number_domain(term)
        if domain is None:
            domain = Domain.OR(
                Domain(name, "ilike", term)
                for name in ("name", "contact_name", "partner_name")
            )
        return leads.search(
            Domain("phone", "!=", False)
            & Domain("won_status", "=", "pending")
            & domain,
            limit=SEARCH_LIMIT_OTHERS,
        )

    def _mango_number_domain(self, term):
        """Return the domain for records whose number begins with what was typed.

        :return: one that an index answers; None if a name was typed.
        :rtype: Domain | None
        """
        if not _is_number(term):
            return None
        if len(_digits(term)) < MIN_DIGITS:
            return Domain.FALSE
        regions = self.env["mail.thread.phone"]._mango_phone_regions(self.env.company)
        # LIKE would use the index in databases with the collation C only.
        return Domain.OR(
            Domain("phone_sanitized", ">=", beginning)
            & Domain("phone_sanitized", "<=", beginning + LAST_DIGITS)
            for beginning in _beginnings(term, regions)
        )

    def _mango_found_colleague(self, extension):
        return {
            "type": "colleague",
            "id": extension.id,
            "name": extension.name or extension.user_id.name or extension.number,
            "detail": _joined(extension.position, extension.department),
            "number": extension.number,
            "dial": extension.number,
            "res_model": False,
            "res_id": False,
        }

    def _mango_found_partner(self, partner):
        company = not partner.is_company and partner.commercial_company_name
        return {
            "type": "partner",
            "name": partner.name or partner.display_name,
            "detail": _joined(company, partner.function),
            **self._mango_found_record(partner),
        }

    def _mango_found_lead(self, lead):
        return {
            "type": "lead",
            "name": lead.name,
            "detail": _joined(lead.contact_name, lead.partner_name),
            **self._mango_found_record(lead),
        }

    def _mango_found_record(self, record):
        account = self.mango_extension_ids.account_id[:1]
        number = record.phone_sanitized
        return {
            "id": record.id,
            "number": account._display_number(number) if number else record.phone,
            "dial": number or record.phone,
            "res_model": record._name,
            "res_id": record.id,
        }


def _is_number(term):
    """Tell whether the beginning of a number was typed, not that of a name."""
    return bool(_digits(term)) and not any(sign.isalpha() for sign in term)


def _digits(term):
    return "".join(str(int(sign)) for sign in term if sign.isdecimal())


def _beginnings(term, regions):
    """Return how numbers in E.164 may begin that somebody has begun to type.

    :param str term: with or without country code, or as dialled in a region.
    :param tuple[str, ...] regions: ISO codes of the countries to think of.
    :rtype: set[str]
    """
    digits = _digits(term)
    if term.startswith("+"):
        return {f"+{digits}"}
    if digits.startswith("00"):
        return {f"+{digits[2:]}"}
    found = {f"+{digits}", numbers.e164(term, regions)}
    for region in regions:
        trunk_prefix = phonenumbers.ndd_prefix_for_region(region, True) or ""
        country_code = phonenumbers.country_code_for_region(region)
        found.add(f"+{country_code}{digits.removeprefix(trunk_prefix)}")
    return found - {None}


def _joined(*texts):
    return " · ".join(filter(None, texts))
