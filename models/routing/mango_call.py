from odoo import api, fields, models


class MangoCall(models.Model):
    """Whom a call was routed to, and why."""

    _inherit = "mango.call"

    routed_extension_id = fields.Many2one("mango.extension", readonly=True)
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
    route_reason = fields.Char(string="Route", readonly=True)
    route_command_id = fields.Char(readonly=True, index="btree_not_null")

    @api.depends("route_state", "route_reason")
    def _compute_timeline(self):
        super()._compute_timeline()

    def _skip_route(self, reason):
        self.write(
            {"route_state": "skipped", "route_reason": self._reason_with(reason)}
        )

    def _reason_with(self, sentence):
        """Return the reason for the route with one more sentence.

        :rtype: str
        """
        return " ".join(filter(None, [self.route_reason, sentence]))

    @api.model
    def _prepare_initial_vals(self):
        return {**super()._prepare_initial_vals(), "route_state": "none"}

    def _on_changed(self, state, extensions):
        changed = super()._on_changed(state, extensions)
        if not self._awaits_routing(state):
            return changed
        router = self.env["mango.router"]
        self._write_changes(router._decide(self, state.in_menu_leg))
        if self.routed_extension_id:
            router._send_after_commit(self)
        return True

    def _present_users(self):
        return super()._present_users() | self.routed_extension_id.user_id

    def _awaits_routing(self, state):
        return (
            state.direction == "inbound"
            and state.state == "ringing"
            and self.route_state == "none"
            and not self.route_reason
        )
