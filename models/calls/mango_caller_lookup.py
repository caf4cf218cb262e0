from odoo import api, models
from odoo.fields import Domain

#: If more contacts than this share a number, it does not identify the caller.
MAX_MATCHES = 50


class MangoCallerLookup(models.AbstractModel):
    """Identify callers and the users responsible for them (``design.md`` 4)."""

    _name = "mango.caller.lookup"
    _description = "Who Is Calling"

    # ------------------------------------------------------------
    # Identification
    # ------------------------------------------------------------

    @api.model
    def _identify(self, account, number, chosen=None):
        """Find the contact and the open lead with a number.

        :param mango.account account: whose company's contacts and leads are searched.
        :param str number: E.164; anything else matches nobody.
        :param res.partner chosen: the contact, if it was chosen manually.
        :return: the contact and the lead, each possibly empty.
        :rtype: tuple[res.partner, crm.lead]
        """
        partners = chosen or self._find_partners(account, number)
        leads = self._find_open_leads(account, number, partners)
        if not partners:
            return leads[:1].partner_id, leads[:1]
        partner = self._choose_partner(account, partners, leads)
        return partner, self._lead_of(partner, leads)

    @api.model
    def _find_partners(self, account, number):
        """Return the contacts with a number, by index.

        :rtype: res.partner
        """
        if not number:
            return self.env["res.partner"]
        return self.env["res.partner"].search(
            Domain("phone_sanitized", "=", number) & self._company_domain(account),
            order="id",
            limit=MAX_MATCHES,
        )

    @api.model
    def _find_open_leads(self, account, number, partners):
        """Return the open leads with a number or of some contacts, by index.

        :rtype: crm.lead
        """
        if not number:
            return self.env["crm.lead"]
        has_number = Domain("phone_sanitized", "=", number)
        is_of_partner = Domain("partner_id", "in", partners.ids)
        return self.env["crm.lead"].search(
            (has_number | is_of_partner)
            & Domain("won_status", "=", "pending")
            & self._company_domain(account),
            limit=MAX_MATCHES,
        )

    @api.model
    def _company_domain(self, account):
        return Domain("company_id", "in", [False, account.company_id.id])

    @api.model
    def _choose_partner(self, account, partners, leads):
        """Choose among the contacts with one number (``design.md`` 4, identification).

        The one with an open lead, then the one with an owner, then the one spoken to
        most recently; among equals a company before its employees.

        :rtype: res.partner
        """
        if len(partners) == 1:
            return partners
        spoken_at = dict(
            self.env["mango.call"]._read_group(
                Domain("partner_id", "in", partners.ids)
                & Domain("result", "=", "answered"),
                ["partner_id"],
                ["started_at:max"],
            )
        )

        def rank(partner):
            last = spoken_at.get(partner)
            return (
                partner not in leads.partner_id,
                not (partner.user_id or partner.commercial_partner_id.user_id),
                -last.timestamp() if last else 0,
                not partner.is_company,
                partner.id,
            )

        return min(partners, key=rank)

    @api.model
    def _lead_of(self, partner, leads):
        """Return a contact's lead, or else one without a contact that has the number.

        :rtype: crm.lead
        """
        own = leads.filtered(lambda lead: lead.partner_id == partner)
        if own:
            return own[:1]
        return leads.filtered(
            lambda lead: (
                lead.partner_id.commercial_partner_id
                in (partner.commercial_partner_id, self.env["res.partner"])
            )
        )[:1]

    # ------------------------------------------------------------
    # Owner
    # ------------------------------------------------------------

    @api.model
    def _owners(self, partner, lead):
        """Return the users responsible for a caller, by priority.

        The open lead's salesperson, then the contact's, then the company's.

        :rtype: res.users
        """
        company = partner.commercial_partner_id
        owners = lead.user_id | partner.user_id | company.user_id
        return owners.filtered("active")
