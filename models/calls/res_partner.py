from odoo import api, fields, models
from odoo.fields import Domain


class ResPartner(models.Model):
    _inherit = "res.partner"

    # Every inbound call looks up its caller by it; Odoo indexes it on leads only.
    phone_sanitized = fields.Char(index="btree_not_null")
    mango_call_ids = fields.One2many(
        "mango.call", "partner_id", string="Calls", groups="mango_office.group_user"
    )
    mango_call_count = fields.Integer(
        string="Number of Calls",
        compute="_compute_mango_call_count",
        groups="mango_office.group_user",
    )

    @api.depends_context("mango_person_first")
    def _compute_display_name(self):
        return super()._compute_display_name()

    def _get_complete_name(self):
        """Show the person before their company, because lists truncate long names."""
        name = super()._get_complete_name()
        if not self.env.context.get("mango_person_first"):
            return name
        alone = self.with_context(partner_display_name_hide_company=True)
        person = super(ResPartner, alone)._get_complete_name()
        company = name.removesuffix(person).removesuffix(", ")
        return f"{person}, {company}" if person and company else name

    def _compute_mango_call_count(self):
        self.mango_call_count = 0
        rows = self.env["mango.call"]._read_group(
            Domain("partner_id", "child_of", self.ids), ["partner_id"], ["__count"]
        )
        wanted = {partner.id: partner for partner in self}
        for partner, count in rows:
            while partner:
                if partner.id in wanted:
                    wanted[partner.id].mango_call_count += count
                # sudo: res.partner - only the hierarchy, to attribute the calls.
                partner = partner.sudo().parent_id

    def _mango_learn_number(self, number, sanitized):
        """Add another number to the contact, for good.

        Odoo has one number on a contact: a second one gets an address of its own.

        :param str number: as people write it.
        :param str sanitized: the same in E.164.
        """
        self.ensure_one()
        addresses = self.child_ids.filtered(lambda child: child.type != "contact")
        if not self.phone:
            self.phone = number
        elif sanitized not in (self | addresses).mapped("phone_sanitized"):
            self.create(
                {
                    "name": self.name,
                    "parent_id": self.id,
                    "type": "other",
                    "phone": number,
                }
            )

    def action_view_mango_calls(self):
        """Open the calls of the contact and of its children."""
        self.ensure_one()
        return self.env["mango.call"]._action_of(
            Domain("partner_id", "child_of", self.id)
        )
