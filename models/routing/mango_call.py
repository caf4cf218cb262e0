from odoo import api, fields, models
from odoo.tools import SQL

from ...vpbx import codes
from ...vpbx.call_state import ENDED, RINGING

#: What an end reason of a leg tells about a target that did not answer.
REASONS = {
    "no_answer": "no_answer",
    "declined": "declined",
    "busy": "busy",
    "abandoned": "caller_left",
    "elsewhere": "elsewhere",
}
#: After this many seconds of ringing, the person counts as not answering even if the
#: caller has hung up.
LONG_RING = 10
#: States of a route that may still succeed.
LIVE_ROUTES = ("sent", "accepted")


class MangoCall(models.Model):
    """The routing of a call, and its reasons."""

    _inherit = "mango.call"

    routed_extension_id = fields.Many2one(
        "mango.extension", readonly=True, help="The last extension rung by Odoo."
    )
    routed_to = fields.Many2one(
        "res.users",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="The employee chosen by Odoo; the last one if there were several.",
    )
    route_state = fields.Selection(
        [
            ("none", "Not Needed"),
            ("sent", "Sent"),
            ("accepted", "Accepted"),
            ("failed", "Routing Failed"),
            ("skipped", "Not Routed"),
        ],
        string="Routing",
        required=True,
        readonly=True,
        default="none",
    )
    route_command_id = fields.Char(readonly=True, index="btree_not_null")
    # Tells who was absent and why, which is not for colleagues.
    route_trace = fields.Json(
        readonly=True,
        groups="mango_office.group_supervisor",
        help="The steps of the routing plan that were considered: step, target, "
        "extension, verdict and reason.",
    )
    route_attempts = fields.Integer(
        string="Routing Steps",
        readonly=True,
        aggregator="avg",
        help="How many targets of the plan were rung.",
    )
    route_step_id = fields.Many2one(
        "mango.route.step",
        string="Routing Step",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
        help="The step of the plan that was rung last.",
    )
    route_answered = fields.Boolean(
        string="Answered by the Person Chosen", readonly=True
    )
    route_reason = fields.Char(string="Route", compute="_compute_route_reason")

    _unsent_idx = models.Index(
        "(id) WHERE route_state = 'none' AND route_command_id IS NOT NULL"
    )

    @api.depends("route_trace", "client_number", "partner_id", "lead_id")
    @api.depends_context("lang", "uid")
    def _compute_route_reason(self):
        reasons = self.env["mango.route.words"]._reasons(self)
        for call in self:
            call.route_reason = reasons[call]

    @api.depends("route_trace", "route_state")
    @api.depends_context("lang", "uid")
    def _compute_timeline(self):
        return super()._compute_timeline()

    # ------------------------------------------------------------
    # Following the call
    # ------------------------------------------------------------

    @api.model
    def _prepare_initial_vals(self):
        return {**super()._prepare_initial_vals(), "route_state": "none"}

    def _on_rung(self, state):
        """Handle a change of the call while the PBX is being told whom to ring.

        Hook for other parts of the addon.

        :param CallState state: the fold over all notifications of the call.
        """
        self._notify_participants()

    def _on_changed(self, state, extensions):
        changed = super()._on_changed(state, extensions)
        if self._awaits_routing(state):
            return self._route(state) or changed
        if self._rung_entry():
            return self._follow_route(state) or changed
        return changed

    def _charged_extension(self, state, extensions):
        """A call that several people missed is attributed to the one chosen by Odoo."""
        found = super()._charged_extension(state, extensions)
        is_missed = state.state == ENDED and state.result == "missed"
        if found or not is_missed or self.route_state not in LIVE_ROUTES:
            return found
        return self.routed_extension_id

    def _participant_queries(self):
        """Add everybody who was to be rung, even if their phone did not ring."""
        return [
            *super()._participant_queries(),
            SQL(
                "SELECT id, (jsonb_path_query(route_trace, "
                "'$[*] ? (@.verdict != \"skipped\")') ->> 'user')::integer "
                "FROM mango_call WHERE id = ANY(%s)",
                self.ids,
                to_flush=self._fields["route_trace"],
            ),
        ]

    def _awaits_routing(self, state):
        return (
            state.direction == "inbound"
            and state.state == RINGING
            and self.route_state == "none"
            and not self.route_trace
        )

    def _route(self, state):
        """Decide on the call, and send the command if there is one.

        :param CallState state: the fold over all its notifications.
        :return: whether anything changed.
        :rtype: bool
        """
        router = self.env["mango.router"]
        vals = router._decide(self, state.in_menu_leg)
        if vals.get("route_command_id"):
            router._send_after_commit(self)
        return self._write_changes(vals)

    def _write_route(self, vals):
        """Store a decision, and show the call to the person to be rung.

        :param dict vals: returned by the router.
        """
        if self._write_changes(vals):
            self._update_participants()

    def _follow_route(self, state):
        """Store the outcome of the last step, and continue with the next one if needed.

        :param CallState state: the fold over all its notifications.
        :return: whether anything changed.
        :rtype: bool
        """
        entry = self._rung_entry()
        if state.state != RINGING:
            return self._close_route(state, entry)
        if not self._is_back(entry, state):
            return False
        reason = self._in_vain(entry, state)
        vals = self.env["mango.router"]._pass_on(self, state.in_menu_leg, reason)
        if not vals:
            return False
        if vals.get("route_command_id"):
            self.env["mango.router"]._send_after_commit(self)
        return self._write_changes(vals)

    def _is_back(self, entry, state):
        """Tell whether the caller is waiting again because nobody answered.

        There may be no leg at all, such as for somebody who is off duty in the PBX.

        :rtype: bool
        """
        legs = self._legs_to(entry, state)[entry.get("legs", 0) :]
        if not state.in_menu_leg or not all(leg.is_gone for leg in legs):
            return False
        return bool(legs) or state.in_menu_leg != entry.get("from_leg")

    def _close_route(self, state, entry):
        """Store whether the person whom the call was routed to has answered.

        :rtype: bool
        """
        answered = state.answered_at is not None and self._is_talker(entry, state)
        if answered:
            return self._write_changes(
                {
                    "route_trace": self._trace_with(verdict="answered"),
                    "route_answered": True,
                }
            )
        reason = self._in_vain(entry, state)
        if state.answered_at is not None:
            reason = "elsewhere"
        elif state.state == ENDED and reason == "unavailable":
            outcome = codes.outcome(state.end_reason)
            reason = REASONS.get(outcome, "unavailable")
        return self._write_changes(
            {"route_trace": self._trace_with(verdict="passed", reason=reason)}
        )

    def _is_talker(self, entry, state):
        """Tell whether an entry's target is talking, or has talked, to the client."""
        if entry["extension"]:
            return state.extension == entry["extension"]
        legs = self._legs_to(entry, state)
        return any(leg.answered_at for leg in legs if not leg.is_menu)

    def _legs_to(self, entry, state):
        """Return the legs of a call to the target of an entry of the trace.

        :rtype: list[LegState]
        """
        if entry["extension"]:
            return [leg for leg in state.legs if leg.to_extension == entry["extension"]]
        number = entry.get("number")
        return [leg for leg in state.legs if number in (leg.acd_group, leg.to_number)]

    def _in_vain(self, entry, state):
        """Return the code of the reason why an entry's target did not answer.

        :rtype: str
        """
        legs = self._legs_to(entry, state)
        if not legs:
            return "unavailable"
        leg = legs[-1]
        rang = (leg.ended_at or leg.started_at or 0) - (leg.started_at or 0)
        outcome = codes.outcome(leg.end_reason)
        if outcome == "abandoned" and rang >= LONG_RING:
            return "no_answer"
        return REASONS.get(outcome, "unavailable")

    def _may_have_rung(self, entry, state):
        """Tell whether an entry's target may have been rung in vain.

        If the command was lost, the PBX goes on by itself: the phones that it rings
        then are left alone.

        :param CallState state: the fold over all notifications of the call.
        :rtype: bool
        """
        if state.in_menu_leg or not entry["extension"]:
            return True
        # The PBX marks what a command causes, such as a forwarded call.
        is_carried_out = self.route_command_id in state.command_ids
        return is_carried_out or bool(
            self._legs_to(entry, state)[entry.get("legs", 0) :]
        )

    def _leg_to_take(self, state):
        """Return the leg that a route command may use.

        This is the menu or the queue, else a phone that is ringing (mango-api.md 5.4).

        :rtype: str | None
        """
        if state.state != RINGING:
            return None
        if state.in_menu_leg:
            return state.in_menu_leg
        ringing = [
            leg for leg in state.legs if leg.state == "appeared" and not leg.is_menu
        ]
        return ringing[-1].leg_ref if ringing else None

    # ------------------------------------------------------------
    # The trace
    # ------------------------------------------------------------

    def _rung_entry(self):
        """Return the last entry of the trace, if it is being rung.

        :rtype: dict | None
        """
        last = self.route_trace[-1] if self.route_trace else None
        is_rung = last and last["verdict"] == "rung"
        return last if is_rung and self.route_state in LIVE_ROUTES else None

    def _trace_with(self, **changes):
        """Return the trace with its last entry changed.

        :rtype: list[dict]
        """
        *others, last = self.route_trace
        return [*others, {**last, **changes}]

    def _settled_trace(self):
        """Return the trace up to the last target that did not answer.

        :rtype: list[dict]
        """
        trace = self.route_trace or []
        passed = [
            place for place, entry in enumerate(trace) if entry["verdict"] == "passed"
        ]
        return trace[: passed[-1] + 1] if passed else []

    def _on_route_failed(self, **details):
        """Store that the command has failed; the call may be over by then.

        :param details: for the last entry of the trace.
        """
        self.write(
            {"route_state": "failed", "route_trace": self._trace_with(**details)}
        )
        if self.state == ENDED:
            # It was not routed to anybody.
            self._update_from(self._fold(self._events()))

    def _skip_route(self, reason):
        """Store that the command is not sent.

        :param str reason: a code of ``mango.route.words``.
        """
        trace = self._trace_with(verdict="skipped", reason=reason)
        before = self._vals_before(self._settled_trace())
        self._write_route({"route_trace": trace, **before})

    def _vals_before(self, settled):
        """Return the values of this call for a decision without a target.

        :param list[dict] settled: the trace up to then.
        :rtype: dict
        """
        if settled:
            # The phone may still be ringing.
            before = self.env["mango.router"]._rung_vals(self, settled[-1])
            return {**before, "route_state": "accepted"}
        return {
            "routed_extension_id": False,
            "routed_to": False,
            "route_step_id": False,
            "route_state": "skipped",
        }
