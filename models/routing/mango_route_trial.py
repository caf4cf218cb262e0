from odoo import api, fields, models

from .decision import decide_all
from .mango_route_facts import Caller


class MangoRouteTrial(models.TransientModel):
    """Shows whom a call would ring, without a real call."""

    _name = "mango.route.trial"
    _description = "Try the Routing Plan"

    account_id = fields.Many2one(
        "mango.account",
        string="PBX",
        required=True,
        ondelete="cascade",
        default=lambda self: self.env.company.mango_account_id,
    )
    number = fields.Char(string="Caller's Number")
    line_id = fields.Many2one(
        "mango.line", ondelete="cascade", domain="[('account_id', '=', account_id)]"
    )
    moment = fields.Datetime(
        help="Leave empty for now, taking into account who is on the phone."
    )
    caller = fields.Char(compute="_compute_result")
    result = fields.Json(compute="_compute_result")

    @api.depends("account_id", "number", "line_id", "moment")
    @api.depends_context("lang")
    def _compute_result(self):
        for trial in self:
            trial.account_id.check_access("read")
            # sudo: simulates a call: whoever may configure the plan sees the owners of
            # contacts and leads that it selects, and nothing else.
            trial_sudo = trial.sudo()
            caller = trial_sudo._caller()
            trial.caller = trial_sudo._caller_name(caller)
            trial.result = trial_sudo._steps(caller)

    def _caller(self):
        account = self.account_id
        number = account._e164(self.number) if self.number else None
        partner, lead = self.env["mango.caller.lookup"]._identify(account, number)
        return Caller(account, partner, lead, number, self.line_id)

    def _caller_name(self, caller):
        known = caller.partner or caller.lead
        if known:
            return known.display_name
        if self.number and not caller.number:
            return self.env._("This is not a phone number.")
        return self.env._("Unknown caller")

    def _steps(self, caller):
        """Return the simulated course, as shown by ``mango_timeline``.

        :rtype: list[dict]
        """
        account = self.account_id
        words = self.env["mango.route.words"]
        if not account:
            return []
        if not account.routing_enabled:
            return self._as_steps(
                words._lines_of(
                    account,
                    self.env["mango.router"]._not_routed("switched_off")["route_trace"],
                )
            )
        steps = account._route_plan()
        findings = self.env["mango.route.facts"]._read(
            caller, steps, self.moment or None
        )
        considered = {}
        for decision in decide_all(steps, findings.facts):
            # People who are still unavailable are not listed twice.
            considered |= dict.fromkeys(decision.considered)
            if not account.reroute_enabled:
                break
        trace = self.env["mango.router"]._entries(considered, findings)
        if not trace or trace[-1]["verdict"] == "rung":
            trace.append(self._end_entry())
        return self._as_steps(words._lines_of(account, trace), trace)

    def _end_entry(self):
        return {
            "step": None,
            "target": "pbx",
            "extension": None,
            "verdict": "skipped",
            "reason": "pbx",
        }

    def _as_steps(self, lines, trace=()):
        steps = []
        for number, line in enumerate(lines):
            text = line["text"]
            if line["verdict"] == "rung":
                text = self._rung_text(trace[number])
            steps.append(
                {
                    "key": f"step-{number}",
                    "kind": "route" if line["verdict"] == "rung" else "skipped",
                    "offset": None,
                    "title": line["title"],
                    "text": text,
                }
            )
        return steps

    def _rung_text(self, entry):
        if entry["ring_seconds"]:
            return self.env._(
                "Rings for %s seconds; without an answer, the next step follows.",
                entry["ring_seconds"],
            )
        return self.env._("Rings for as long as the PBX lets it.")
