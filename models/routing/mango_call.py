from odoo import fields, models


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

    # ------------------------------------------------------------
    # Routing
    # ------------------------------------------------------------

    def _skip_route(self, reason):
        self.write(
            {"route_state": "skipped", "route_reason": self._reason_with(reason)}
        )

    def _reason_with(self, sentence):
        """Return the reason for the route with one more sentence.

        :rtype: str
        """
        return " ".join(filter(None, [self.route_reason, sentence]))

    def _awaits_routing(self, state):
        return (
            state.direction == "inbound"
            and state.state == "ringing"
            and self.route_state == "none"
            and not self.route_reason
        )
