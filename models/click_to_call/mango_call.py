from odoo import api, fields, models
from odoo.fields import Domain

from ...vpbx import codes


class MangoCall(models.Model):
    """The click that started a call, and the one that ended it."""

    _inherit = "mango.call"

    callback_command_id = fields.Char(
        readonly=True,
        index="btree_not_null",
        help="The command from Odoo that started the call.",
    )
    res_model = fields.Char(string="Called From Model", readonly=True)
    res_id = fields.Many2oneReference(
        string="Called From", model_field="res_model", readonly=True
    )

    hung_up_by_id = fields.Many2one(
        "res.users",
        string="Hung Up in Odoo By",
        readonly=True,
        ondelete="set null",
        help="The PBX says only that an external system ended the call.",
    )

    @api.depends("hung_up_by_id")
    def _compute_end_reason_text(self):
        result = super()._compute_end_reason_text()
        for call in self:
            if words := call._hang_up_words(call):
                call.end_reason_text = words
        return result

    @api.depends("leg_ids.hung_up_by_id")
    def _compute_timeline(self):
        return super()._compute_timeline()

    def _hang_up_words(self, ended):
        """Return the text that tells who hung up in Odoo.

        :param ended: the call, or one of its legs.
        :type ended: mango.call | mango.call.leg
        :return: empty if nobody did.
        :rtype: str
        """
        # sudo: res.users - a colleague's name, for readers of the call.
        user_sudo = ended.sudo().hung_up_by_id
        if not user_sudo:
            return ""
        return self.env._("%(name)s hung up in Odoo", name=user_sudo.name)

    def _on_changed(self, state, extensions):
        changed = super()._on_changed(state, extensions)
        reasons = {state.end_reason, *(leg.end_reason for leg in state.legs)}
        if reasons.isdisjoint(codes.ENDED_BY_COMMAND):
            return changed
        return self._note_who_hung_up() or changed

    def _note_who_hung_up(self):
        """Store who ended the legs and the call by commands, which are not kept.

        :return: whether anything changed.
        :rtype: bool
        """
        commands = self.env["mango.command"].search(
            Domain("account_id", "=", self.account_id.id)
            & Domain("entry_id", "=", self.entry_id)
            & Domain("kind", "=", "hangup")
            & Domain("state", "!=", "failed"),
            order="id",
        )
        legs = self.leg_ids._ended_by_command()
        changed = legs._note_who_hung_up(commands)
        if self.end_reason not in codes.ENDED_BY_COMMAND or not commands:
            return changed
        # Earlier ones may only have ended a talk with a colleague.
        last = legs.filtered(lambda leg: leg.ended_at == legs[-1].ended_at)
        user = last.hung_up_by_id[-1:] if legs else commands[-1].user_id
        return self._write_changes({"hung_up_by_id": user.id}) or changed

    def _link_origin(self, state):
        """Link the call to the click that started it, and to its record."""
        if not state.callback or self.callback_command_id:
            return super()._link_origin(state)
        command = self.env["mango.command"].search(
            Domain("account_id", "=", self.account_id.id)
            & Domain("command_id", "in", state.command_ids)
            & Domain("kind", "=", "callback"),
            limit=1,
        )
        if not command:
            return super()._link_origin(state)
        vals = {"callback_command_id": command.command_id}
        # The record may have been deleted meanwhile.
        if command.res_model in self.env:
            record = self.env[command.res_model].browse(command.res_id).exists()
            vals |= self._prepare_origin_vals(record)
        self.write(vals)
        return True

    @api.model
    def _prepare_origin_vals(self, record):
        """Return the values of a call that somebody started from a record.

        :param models.BaseModel record: of any model; possibly empty.
        :rtype: dict
        """
        if not record:
            return {}
        vals = {"res_model": record._name, "res_id": record.id}
        if record._name == "res.partner":
            vals |= {"partner_id": record.id, "partner_is_manual": True}
        elif record._name == "crm.lead":
            vals |= {"lead_id": record.id, "lead_is_manual": True}
            if record.partner_id:
                vals |= {"partner_id": record.partner_id.id, "partner_is_manual": True}
        return vals
