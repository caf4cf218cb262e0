from odoo import fields, models

from ...tools.caches import clear_caches
from .lead_rules import Rules
from .mango_account import CACHED_FIELDS, LEAD_POLICIES

LINE_POLICIES = [("default", "As the PBX"), *LEAD_POLICIES]


class MangoLine(models.Model):
    """What the calls of a line do in the CRM."""

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
        help="Of the leads that calls of this line make.",
    )
    tag_ids = fields.Many2many(
        "crm.tag",
        string="Tags",
        groups="sales_team.group_sale_salesman",
        help="Of the leads that calls of this line make.",
    )

    def write(self, vals):
        result = super().write(vals)
        if not vals.keys().isdisjoint(CACHED_FIELDS):
            clear_caches(self.env)
        return result

    def _lead_rules(self, account):
        """Return when a call of this line makes a lead.

        :param mango.account account: whose rules hold where the line has none; the
            line may be empty.
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
