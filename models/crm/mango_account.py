import logging
from datetime import timedelta

from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError

from ...tools.caches import clear_caches
from ...vpbx import errors
from .lead_rules import ALWAYS, ANSWERED, MISSED, NEVER

_logger = logging.getLogger(__name__)

LEAD_POLICIES = [
    (NEVER, "Never"),
    (MISSED, "When missed"),
    (ANSWERED, "When answered"),
    (ALWAYS, "Always"),
]

#: Fields that the cached methods of this folder depend on.
CACHED_FIELDS = {
    "lead_policy",
    "lead_policy_known",
    "chatter_enabled",
    "crm_max_age_hours",
}


class MangoAccount(models.Model):
    """Settings for a PBX's calls in the CRM."""

    _inherit = "mango.account"

    lead_policy = fields.Selection(
        LEAD_POLICIES,
        string="Leads of Unknown Callers",
        required=True,
        default=NEVER,
        tracking=True,
        help="When a call from a number without a contact and an open lead creates a "
        "lead. Lines may have their own rule.",
    )
    lead_policy_known = fields.Selection(
        LEAD_POLICIES,
        string="Leads of Known Clients",
        required=True,
        default=NEVER,
        tracking=True,
        help="When a call of a contact without an open lead creates a lead.",
    )
    lead_salesperson = fields.Selection(
        [
            ("answered", "Who answered, else the client's, else the line's"),
            ("line", "The line's employee"),
            ("odoo", "Nobody: Odoo's assignment rules"),
        ],
        string="Salesperson of New Leads",
        required=True,
        default="answered",
        tracking=True,
    )
    lead_again = fields.Boolean(
        string="New Lead After a Closed One",
        default=True,
        tracking=True,
        help="A client whose lead was won or lost gets a new one with the next call. A "
        "closed lead is never opened again.",
    )
    crm_max_age_hours = fields.Integer(
        string="Oldest Call for the CRM",
        default=24,
        tracking=True,
        help="Hours. Calls that become known later create no lead and no line in a "
        "chatter.",
    )

    tracking_enabled = fields.Boolean(
        string="Ask for the Advertisement",
        default=True,
        tracking=True,
        help="Asks the PBX for the source of a call from dynamic call tracking, once "
        "while it rings.",
    )

    chatter_enabled = fields.Boolean(
        string="Calls in the Chatter",
        default=True,
        tracking=True,
        help="Log every ended call in the chatter of its lead, or else of its "
        "contact, without notifying anybody.",
    )
    outcome_required = fields.Boolean(
        tracking=True,
        help="The card of a talk can only be closed once its outcome is chosen.",
    )

    block_by_users = fields.Boolean(
        string="Everybody May Block Numbers",
        tracking=True,
        help="Otherwise only supervisors may.",
    )

    @api.constrains("crm_max_age_hours")
    def _check_crm_max_age_hours(self):
        for account in self:
            if not 0 <= account.crm_max_age_hours <= 24 * 30:
                raise ValidationError(
                    self.env._(
                        "The oldest call for the CRM must be between 0 hours "
                        "and 30 days."
                    )
                )

    def write(self, vals):
        result = super().write(vals)
        if not vals.keys().isdisjoint(CACHED_FIELDS):
            clear_caches(self.env)
        return result

    def action_load_users(self):
        """Load staff and lines, and the black list if the PBX shows it."""
        result = super().action_load_users()
        try:
            self.env["mango.blocked.number"]._load(self)
        except errors.VpbxError as error:
            # Not what was asked for. The list's own button explains it.
            _logger.info("the black list was not loaded: %s", error)
        return result

    @tools.ormcache("self.id")
    def _makes_leads(self):
        """Tell whether any call of this PBX may create a lead.

        Cached, because every call needs it.

        :rtype: bool
        """
        lines = self.with_context(active_test=False).line_ids
        policies = {self.lead_policy, self.lead_policy_known}
        policies |= {*lines.mapped("lead_policy"), *lines.mapped("lead_policy_known")}
        return bool(policies - {NEVER, "default"})

    @tools.ormcache("self.id")
    def _writes_chatter(self):
        """Tell whether the calls of this PBX are written to chatters.

        Cached, because every call needs it.

        :rtype: bool
        """
        return self.chatter_enabled

    @tools.ormcache("self.id")
    def _crm_max_age(self):
        """Return how long after its start a call may become known.

        Cached, because every call needs it.

        :rtype: timedelta
        """
        return timedelta(hours=self.crm_max_age_hours)
