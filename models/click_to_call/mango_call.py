from odoo import api, fields, models
from odoo.fields import Domain


class MangoCall(models.Model):
    """The click that a call came from."""

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

    def _link_origin(self, state):
        """Link the call to the click that it came from, and to what was clicked on."""
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
        # What was clicked on may have been deleted meanwhile.
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
