from odoo import fields, models
from odoo.fields import Domain

from .caches import clear_caches


class ResPartner(models.Model):
    _inherit = "res.partner"

    # Callers are looked up by it at every inbound call; Odoo indexes it on leads only.
    phone_sanitized = fields.Char(index="btree_not_null")
    mango_call_ids = fields.One2many(
        "mango.call", "partner_id", string="Calls", groups="mango_office.group_user"
    )
    mango_call_count = fields.Integer(
        string="Number of Calls",
        compute="_compute_mango_call_count",
        groups="mango_office.group_user",
    )

    def write(self, vals):
        result = super().write(vals)
        if not vals.keys().isdisjoint({"lang", "country_id"}):
            self._forget_of_companies()
        return result

    def _forget_of_companies(self):
        """Let the PBXs read anew what they remember of their companies' contacts."""
        # sudo: res.company - whether there is one, whoever writes the contact.
        companies_sudo = self.env["res.company"].sudo()
        if companies_sudo.search_count(Domain("partner_id", "in", self.ids), limit=1):
            clear_caches(self.env)

    def _compute_mango_call_count(self):
        self.mango_call_count = 0
        family = self._fetch_children_partners_for_hierarchy()
        rows = self.env["mango.call"]._read_group(
            Domain("partner_id", "in", family.ids), ["partner_id"], ["__count"]
        )
        wanted = set(self._ids)
        for partner, count in rows:
            while partner:
                if partner.id in wanted:
                    partner.mango_call_count += count
                partner = partner.parent_id

    def action_view_mango_calls(self):
        """Open the calls of the contact and of its children."""
        self.ensure_one()
        return self.env["mango.call"]._action_of(
            Domain("partner_id", "child_of", self.id)
        )

    def action_delete_mango_recordings(self):
        """Delete the recordings of these people's calls; the calls stay.

        Of a company, those with everybody who belongs to it, as its calls are shown.

        :return: how many were deleted, of all companies that the user works for.
        :rtype: int
        """
        self.check_access("read")
        recordings = (
            self.env["mango.recording"]
            .with_context(allowed_company_ids=self.env.user.company_ids.ids)
            .search(
                Domain("call_id.partner_id", "child_of", self.ids)
                & Domain("state", "!=", "expired")
            )
        )
        recordings.action_delete()
        return len(recordings)
