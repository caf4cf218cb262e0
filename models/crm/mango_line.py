from odoo import fields, models, tools

from ...tools.caches import clear_caches
from .lead_rules import Rules
from .mango_account import CACHED_FIELDS, LEAD_POLICIES

#: The fields of a call's source.
UTM_FIELDS = ("campaign_id", "source_id", "medium_id")

LINE_POLICIES = [("default", "As the PBX"), *LEAD_POLICIES]


class MangoLine(models.Model):
    """Settings for a line's calls in the CRM."""

    _inherit = "mango.line"

    lead_policy = fields.Selection(
        LINE_POLICIES,
        string="Leads of Unknown Callers",
        required=True,
        default="default",
    )
    lead_policy_known = fields.Selection(
        LINE_POLICIES,
        string="Leads of Known Clients",
        required=True,
        default="default",
    )
    team_id = fields.Many2one(
        "crm.team",
        string="Sales Team",
        ondelete="set null",
        domain="[('company_id', 'in', [False, company_id])]",
        help="For the leads created from calls of this line.",
    )
    tag_ids = fields.Many2many(
        "crm.tag",
        string="Tags",
        groups="sales_team.group_sale_salesman",
        help="For the leads created from calls of this line.",
    )

    # Restricted, because the values that a line passes on to calls are cached.
    campaign_id = fields.Many2one(
        "utm.campaign", ondelete="restrict", index="btree_not_null"
    )
    source_id = fields.Many2one(
        "utm.source",
        ondelete="restrict",
        index="btree_not_null",
        help="For the line's inbound calls and the leads created from them.",
    )
    medium_id = fields.Many2one(
        "utm.medium", ondelete="restrict", index="btree_not_null"
    )

    def write(self, vals):
        result = super().write(vals)
        if not vals.keys().isdisjoint({*CACHED_FIELDS, *UTM_FIELDS}):
            clear_caches(self.env)
        return result

    @tools.ormcache("self.id")
    def _utm_vals(self):
        """Return the source of the calls of this line.

        Cached, because every call needs it.

        :rtype: dict[str, int | bool]
        """
        return {name: self[name].id for name in UTM_FIELDS}

    def _lead_rules(self, account):
        """Return the lead rules of this line.

        :param mango.account account: its rules are the default for the line's, which
            may be empty.
        :rtype: Rules
        """

        def policy(name):
            own = self[name]
            return own if own and own != "default" else account[name]

        return Rules(
            unknown=policy("lead_policy"),
            known=policy("lead_policy_known"),
            again=account.lead_again,
            max_age=account._crm_max_age(),
        )
