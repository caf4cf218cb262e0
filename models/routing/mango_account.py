from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ...tools.caches import clear_caches

#: The targets of the default plan.
DEFAULT_TARGETS = ("lead_owner", "contact_owner", "company_owner", "pbx")
#: How long a phone rings before the next one is tried.
RING_SECONDS = 20

#: Fields that the plan depends on.
PLAN_FIELDS = {
    "company_id",
    "foreign_calls",
    "foreign_country_ids",
    "premium_allowed",
}


class MangoAccount(models.Model):
    """The routing plan of a PBX."""

    _inherit = "mango.account"

    routing_enabled = fields.Boolean(
        string="Route Callers to Their Manager",
        default=True,
        tracking=True,
        help="While the greeting plays, tell the PBX whom to ring according to the "
        "routing plan.",
    )
    route_step_ids = fields.One2many(
        "mango.route.step", "account_id", string="Routing Plan"
    )
    group_ids = fields.One2many("mango.group", "account_id", string="Groups")
    reroute_enabled = fields.Boolean(
        string="Go On If Nobody Answers",
        default=True,
        tracking=True,
        help="If nobody answers, or the call is declined or the phone busy, ring the "
        "next person in the plan while the caller is waiting.",
    )
    route_unanswered_limit = fields.Integer(
        string="Unanswered Calls in a Row",
        default=3,
        help="After this many routed calls in a row without an answer, an employee "
        "gets no routed calls for a while; 0 for no limit.",
    )
    route_unanswered_minutes = fields.Integer(
        string="Pause Afterwards",
        default=10,
        help="How long this pause lasts. It also ends when the employee makes or "
        "answers a call.",
    )

    @api.constrains("route_unanswered_limit", "route_unanswered_minutes")
    def _check_route_unanswered(self):
        for account in self:
            if not 0 <= account.route_unanswered_limit <= 100 or not (
                1 <= account.route_unanswered_minutes <= 24 * 60
            ):
                raise ValidationError(
                    self.env._(
                        "Unanswered calls in a row: from 0 to 100, within 1 to 1440 "
                        "minutes."
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        accounts = super().create(vals_list)
        accounts._create_default_plan()
        return accounts

    def write(self, vals):
        result = super().write(vals)
        if not vals.keys().isdisjoint(PLAN_FIELDS):
            clear_caches(self.env)
        return result

    def _create_default_plan(self):
        """Create the default plan for the accounts that have no steps."""
        steps = self.env["mango.route.step"].with_context(active_test=False)
        planned = steps.search(Domain("account_id", "in", self.ids)).account_id
        steps.create(
            [
                {
                    "account_id": account.id,
                    "sequence": sequence,
                    "target": target,
                    "ring_seconds": 0 if target == "pbx" else RING_SECONDS,
                    # Working hours are computed separately.
                    "only_working_hours": False,
                }
                for account in self - planned
                for sequence, target in enumerate(DEFAULT_TARGETS, start=1)
            ]
        )

    @tools.ormcache("self.id")
    def _route_plan(self):
        """Return the steps of the plan as plain data.

        Cached, because a caller is waiting.

        :rtype: tuple[Step, ...]
        """
        # sudo: mango.route.step - routing follows the plan, whoever causes it.
        steps_sudo = (
            self.env["mango.route.step"]
            .sudo()
            .search(Domain("account_id", "=", self.id))
        )
        return tuple(
            step._plain(position) for position, step in enumerate(steps_sudo, start=1)
        )

    def action_view_route_steps(self):
        """Open the routing plan of this PBX."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "mango_office.mango_route_step_action"
        )
        action["domain"] = [("account_id", "=", self.id)]
        action["context"] = {"default_account_id": self.id}
        return action
