from odoo import api, fields, models
from odoo.fields import Domain


class MangoCall(models.Model):
    """The clients to call back whose entries a call belongs to."""

    _inherit = "mango.call"

    # Readers of the call may know the state of its client, as on the card.
    callback_ids = fields.Many2many(
        "mango.callback",
        string="Waiting to Be Called Back",
        readonly=True,
        bypass_search_access=True,
    )
    callback_outcome = fields.Selection(
        related="callback_ids.outcome", string="Follow-Up"
    )

    def _on_ended(self):
        result = super()._on_ended()
        self.env["mango.callback.task"]._add(
            self.filtered(lambda call: call.direction != "internal")
        )
        return result

    def write(self, vals):
        result = super().write(vals)
        if not self.env.su and not vals.keys().isdisjoint({"partner_id", "lead_id"}):
            ended = self.filtered(lambda call: call.state == "ended")
            # sudo: mango.callback.task - follows from a permitted change.
            self.env["mango.callback.task"].sudo()._add(ended)
        return result

    def _attach_earlier(self, partner):
        """Recompute the entries of the clients, who are no longer only a number."""
        earlier = super()._attach_earlier(partner)
        # sudo: mango.callback.task - follows from a permitted change.
        self.env["mango.callback.task"].sudo()._add(earlier)
        return earlier

    def _delete_by_age(self):
        """Also delete the closed entries of clients without other calls."""
        closed = self.env["mango.callback"].search(
            Domain("call_ids", "in", self.ids) & Domain("state", "!=", "open")
        )
        result = super()._delete_by_age()
        closed.filtered(lambda callback: not callback.call_ids).unlink()
        return result

    def _update_from(self, state):
        before = self._attention()
        result = super()._update_from(state)
        is_quiet = self.env.context.get("mango_quiet")
        if not is_quiet and self._attention() != before:
            self.env["mango.callback"]._tell_of_call(self)
        return result

    def _attention(self):
        """Return who is calling or talking to which client; None if nobody is."""
        is_calling = self.direction == "outbound" and self.state != "ended"
        is_talking = self.direction == "inbound" and self.state == "talking"
        if not is_calling and not is_talking:
            return None
        return self.user_id, self.state, self.client_number, self.partner_id

    @api.model
    def _prepare_origin_vals(self, record):
        """Link a call back to the lead and the contact of its entry."""
        vals = super()._prepare_origin_vals(record)
        if record._name != "mango.callback" or not record:
            return vals
        client = super()._prepare_origin_vals(record.lead_id or record.partner_id)
        return {**client, **vals}
