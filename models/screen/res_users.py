from datetime import timedelta

import phonenumbers

from odoo import fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.modules import module

from ...vpbx import numbers

#: The tour of ``data/web_tour_data.xml``.
TIPS = "mango_office_tips"

RECENT_PERIOD = timedelta(days=30)

LIST_LIMIT = 20

SEARCH_LIMIT = 10

#: Results that are leads and colleagues; the rest are contacts.
SEARCH_LIMIT_OTHERS = 3

MIN_TERM = 2

#: Fewer digits match too many numbers.
MIN_DIGITS = 4

#: No number in E.164 is longer, so this sorts after all with the same beginning.
LAST_DIGITS = "9" * 15


class ResUsers(models.Model):
    """A user's calls in the systray, and the search for numbers to call."""

    _inherit = "res.users"

    def _mango_store_status(self, status, until):
        result = super()._mango_store_status(status, until)
        # sudo: res.users, mango.account - only notifies open screens.
        user_sudo = self.sudo()
        user_sudo._bus_send("mango_office/status", user_sudo._mango_status_info())
        for account in user_sudo.mango_extension_ids.account_id:
            account._bus_send("mango_office/board", {}, subchannel="board")
        return result

    def _mango_check_self(self):
        """Check that telephony users only read their own calls.

        :raise AccessError: otherwise.
        """
        user = self.env.user
        if self != user or not user.has_group("mango_office.group_user"):
            raise AccessError(
                self.env._("Only telephony users can see calls, and only their own.")
            )

    def _mango_shows_tips(self):
        """Tell whether the user is new, and is to be shown what they can do.

        As with Odoo's own tours, nobody is while there are demo data or in a test.

        :rtype: bool
        """
        if module.current_test or not self._mango_caller_extension():
            return False
        # sudo: web_tour.tour, ir.module.module - only whether it was shown before, and
        # whether this is a demonstration.
        tours_sudo = self.env["web_tour.tour"].sudo()
        was_shown = tours_sudo.search_count(
            Domain("name", "=", TIPS) & Domain("user_consumed_ids", "in", self.ids),
            limit=1,
        )
        modules_sudo = self.env["ir.module.module"].sudo()
        return not was_shown and not modules_sudo.search_count(
            Domain("demo", "=", True), limit=1
        )

    # ------------------------------------------------------------
    # Recent calls
    # ------------------------------------------------------------

    def mango_recent(self):
        """Return the last of the user's calls, those that go on among them.

        Each is a dict of ``id``, ``direction``, ``state``, ``result``, ``name`` (of the
        client), ``number`` (as people write it), ``dial`` (to call again; False if
        hidden), ``started_at`` (UTC, as text), ``talk_duration`` (seconds) and
        ``talking_seconds`` (since the answer, while it goes on).

        :return: the latest first.
        :rtype: list[dict]
        :raise AccessError: if another user's calls are asked for.
        """
        self._mango_check_self()
        calls = self.env["mango.call"].search(
            Domain("user_ids", "in", self.ids)
            & Domain("started_at", ">=", fields.Datetime.now() - RECENT_PERIOD),
            limit=LIST_LIMIT,
        )
        colleagues = self._mango_other_ends(calls)
        return [
            {
                "id": call.id,
                "direction": call.direction,
                "state": call.state,
                "result": call.result,
                **self._mango_client(call, colleagues.get(call)),
                "started_at": fields.Datetime.to_string(call.started_at),
                "talk_duration": call.talk_duration,
                "talking_seconds": call.talking_seconds,
            }
            for call in calls
        ]

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
    # Search for numbers
    # ------------------------------------------------------------

    def mango_search(self, term):
        """Find contacts, open leads and colleagues to call.

        :param str term: the beginning of a number, or part of a name.
        :return: each with ``type`` (``colleague``, ``partner`` or ``lead``), ``id``,
            ``name``, ``detail`` (company, department and the like), ``number``
            (formatted), ``dial``, and ``res_model`` and ``res_id`` (the record of the
            call).
        :rtype: list[dict]
        :raise AccessError: if it is another user.
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
        """Return the domain for records whose number begins with the term.

        :return: one that can use an index; None if the term is a name.
        :rtype: Domain | None
        """
        if not _is_number(term):
            return None
        if len(_digits(term)) < MIN_DIGITS:
            return Domain.FALSE
        regions = self.env["mail.thread.phone"]._mango_phone_regions(self.env.company)
        # LIKE would use the index only in databases with the collation C.
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
    """Tell whether the term is the beginning of a number, not of a name."""
    return bool(_digits(term)) and not any(sign.isalpha() for sign in term)


def _digits(term):
    return "".join(str(int(sign)) for sign in term if sign.isdecimal())


def _beginnings(term, regions):
    """Return the possible beginnings in E.164 of a partly typed number.

    :param str term: the typed digits, with or without country code, or as dialled in a
        region.
    :param tuple[str, ...] regions: ISO codes of the countries to try.
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
