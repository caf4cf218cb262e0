from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...tools.caches import clear_caches
from ...vpbx import numbers
from .decision import Step
from .mango_account import RING_SECONDS

MAX_RING_SECONDS = 300


class MangoRouteStep(models.Model):
    """A step of a PBX's routing plan: whom to ring, for which callers, how long."""

    _name = "mango.route.step"
    _description = "Step of the Routing Plan"
    _order = "account_id, sequence, id"
    _check_company_auto = True

    account_id = fields.Many2one(
        "mango.account",
        string="PBX",
        required=True,
        index=True,
        ondelete="cascade",
        default=lambda self: self._default_account_id(),
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)

    # Whom to ring.
    target = fields.Selection(
        [
            ("lead_owner", "Salesperson of the open lead"),
            ("contact_owner", "Salesperson of the contact"),
            ("company_owner", "Salesperson of the company"),
            ("last_spoken", "Who spoke with the client last"),
            ("user", "An employee"),
            ("team", "A sales team, longest idle first"),
            ("group", "A group of the PBX"),
            ("number", "An outside number"),
            ("pbx", "Leave it to the PBX"),
        ],
        string="Ring",
        required=True,
        default="contact_owner",
    )
    user_id = fields.Many2one(
        "res.users",
        check_company=True,
        string="Employee",
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        ondelete="restrict",
    )
    team_id = fields.Many2one(
        "crm.team",
        check_company=True,
        string="Sales Team",
        domain="[('company_id', 'in', [company_id, False])]",
        ondelete="restrict",
    )
    group_id = fields.Many2one(
        "mango.group",
        string="PBX Group",
        domain="[('account_id', '=', account_id)]",
        ondelete="restrict",
    )
    number = fields.Char(help="A phone number outside the PBX, E.164.")
    within_days = fields.Integer(
        default=30,
        help="How many days ago the last talk with the client may have been.",
    )
    ring_seconds = fields.Integer(
        string="Ring For",
        default=RING_SECONDS,
        help="Seconds until the next step; 0 to leave it to the PBX.",
    )
    only_working_hours = fields.Boolean(
        default=True,
        help="Ring people in their own working hours only: those of the employee if "
        "the app Employees is installed, else the company's.",
    )

    # For whom.
    line_ids = fields.Many2many(
        "mango.line", string="Lines", domain="[('account_id', '=', account_id)]"
    )
    partner_category_ids = fields.Many2many("res.partner.category", string="Tags")
    caller = fields.Selection(
        [
            ("any", "Everybody"),
            ("known", "Known callers"),
            ("unknown", "Unknown callers"),
        ],
        string="Callers",
        required=True,
        default="any",
    )
    hours = fields.Selection(
        [
            ("any", "At any time"),
            ("within", "Within working hours"),
            ("outside", "Outside working hours"),
        ],
        required=True,
        default="any",
    )
    resource_calendar_id = fields.Many2one(
        "resource.calendar",
        check_company=True,
        string="Working Hours",
        domain="[('company_id', 'in', [company_id, False])]",
        ondelete="restrict",
        help="Leave empty for those of the company.",
    )

    summary = fields.Char(string="Step", compute="_compute_summary")
    problem = fields.Char(
        compute="_compute_problem", help="Why the step is always skipped."
    )

    _ring_seconds_check = models.Constraint(
        f"CHECK(ring_seconds BETWEEN 0 AND {MAX_RING_SECONDS})",
        "A step rings between 0 and 300 seconds.",
    )
    _within_days_check = models.Constraint(
        "CHECK(within_days BETWEEN 0 AND 3650)",
        "Within days: from 0 to 3650.",
    )

    # ------------------------------------------------------------
    # Defaults, computed fields, checks
    # ------------------------------------------------------------

    def _default_account_id(self):
        return self.env.company.mango_account_id or self.env["mango.account"].search(
            [], limit=1
        )

    @api.depends("target", "user_id", "team_id", "group_id", "number")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for step in self:
            step.display_name = step._target_words()

    def _target_words(self):
        """Return whom the step rings."""
        names = {
            "user": self.user_id.name,
            "team": self.team_id.name,
            "group": self.group_id.display_name,
            "number": self.account_id._display_number(self.number),
        }
        labels = dict(self._fields["target"]._description_selection(self.env))
        label = labels.get(self.target, "")
        if self.target not in names:
            return label
        return self.env._(
            "%(target)s: %(name)s", target=label, name=names[self.target] or "…"
        )

    @api.depends(
        "target",
        "user_id",
        "team_id",
        "group_id",
        "number",
        "within_days",
        "ring_seconds",
        "only_working_hours",
        "line_ids",
        "partner_category_ids",
        "caller",
        "hours",
        "resource_calendar_id",
        "problem",
    )
    @api.depends_context("lang")
    def _compute_summary(self):
        for step in self:
            words = [step._target_words(), *step._limits(), *step._conditions()]
            sentence = ", ".join(words)
            if step.problem:
                sentence = f"{sentence}. {step.problem}"
            step.summary = sentence

    def _limits(self):
        if self.target == "pbx":
            return
        if self.target == "last_spoken":
            yield self.env._("within %s days", self.within_days)
        if self.ring_seconds:
            yield self.env._("for %s seconds", self.ring_seconds)
        if self.only_working_hours and self.target not in ("group", "number"):
            yield self.env._("in their working hours only")

    def _conditions(self):
        if self.line_ids:
            lines = ", ".join(self.line_ids.mapped("display_name"))
            yield self.env._("on the lines %s", lines)
        if self.partner_category_ids:
            tags = ", ".join(self.partner_category_ids.mapped("display_name"))
            yield self.env._("for contacts with the tags %s", tags)
        if self.caller == "known":
            yield self.env._("for known callers")
        if self.caller == "unknown":
            yield self.env._("for unknown callers")
        if self.hours == "any":
            return
        calendar = self._calendar().name or ""
        if self.hours == "within":
            yield self.env._("within the hours %s", calendar)
        else:
            yield self.env._("outside the hours %s", calendar)

    def _calendar(self):
        return self.resource_calendar_id or self.company_id.resource_calendar_id

    @api.depends(
        "target",
        "user_id.active",
        "team_id.active",
        "group_id.active",
        "number",
        "account_id.premium_allowed",
        "account_id.foreign_calls",
    )
    @api.depends_context("lang")
    def _compute_problem(self):
        words = self.env["mango.route.words"]
        for step in self:
            code = step._problem_code()
            step.problem = words._explain_reason(code) if code else False

    def _problem_code(self):
        """Return the code of the step's problem, None if it works.

        :return: ``user_left``, ``team_gone``, ``group_gone`` or ``number_forbidden``
        :rtype: str | None
        """
        if self.target == "user" and not self.user_id.active:
            return "user_left"
        if self.target == "team" and not self.team_id.active:
            return "team_gone"
        if self.target == "group" and not self.group_id.active:
            return "group_gone"
        if self.target != "number":
            return None
        try:
            self.account_id._check_destination(self.number)
        except UserError:
            return "number_forbidden"
        return None

    @api.constrains("target", "user_id", "team_id", "group_id", "number")
    def _check_target(self):
        needed = {
            "user": "user_id",
            "team": "team_id",
            "group": "group_id",
            "number": "number",
        }
        for step in self:
            name = needed.get(step.target)
            if name and not step[name]:
                raise ValidationError(
                    self.env._("Choose whom the step “%s” rings.", step.display_name)
                )

    @api.constrains("number", "account_id")
    def _check_number(self):
        for step in self:
            if step.number and not step.account_id._e164(step.number):
                raise ValidationError(
                    self.env._("“%s” is not a phone number.", step.number)
                )

    @api.constrains("group_id", "line_ids", "account_id")
    def _check_account(self):
        for step in self:
            others = step.group_id.account_id | step.line_ids.account_id
            if others - step.account_id:
                raise ValidationError(
                    self.env._("The group and lines of a step must belong to its PBX.")
                )

    # ------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        steps = super().create(vals_list)
        steps._write_numbers()
        clear_caches(self.env)
        return steps

    def write(self, vals):
        result = super().write(vals)
        if vals.get("number"):
            self._write_numbers()
        clear_caches(self.env)
        return result

    def unlink(self):
        clear_caches(self.env)
        return super().unlink()

    def _write_numbers(self):
        """Normalize outside numbers to E.164."""
        for step in self.filtered("number"):
            e164 = step.account_id._e164(step.number)
            if e164 and e164 != step.number:
                step.number = e164

    # ------------------------------------------------------------
    # For the decision
    # ------------------------------------------------------------

    def _plain(self, position):
        """Return this step as plain data.

        :param int position: in the plan, from 1.
        :rtype: Step
        """
        return Step(
            id=self.id,
            position=position,
            target=self.target,
            lines=frozenset(self.line_ids.ids),
            tags=frozenset(self.partner_category_ids.ids),
            caller=self.caller,
            hours=self.hours,
            calendar=self.resource_calendar_id.id or None,
            user=self.user_id.id or None,
            team=self.team_id.id or None,
            number=self._rung_number(),
            within_days=self.within_days,
            ring_seconds=self.ring_seconds,
            only_working_hours=self.only_working_hours,
            problem=self._problem_code(),
        )

    def _rung_number(self):
        if self.target == "group":
            return self.group_id.number or None
        if self.target == "number" and self.number:
            return numbers.to_pbx(self.number)
        return None
