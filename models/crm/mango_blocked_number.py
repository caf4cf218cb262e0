from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ...tools.locking import in_own_transaction
from ...vpbx import errors, numbers


class MangoBlockedNumber(models.Model):
    """A number that users have put on the PBX's black list from Odoo.

    Only written after the PBX has accepted it, so that both lists agree.
    """

    _name = "mango.blocked.number"
    _description = "Blocked Number"
    _order = "id desc"
    _rec_name = "number"
    _rec_names_search = ["number", "reason"]

    account_id = fields.Many2one(
        "mango.account", string="PBX", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True)
    number = fields.Char(required=True, readonly=True, help="E.164")
    number_display = fields.Char(
        string="Blocked Number", compute="_compute_number_display"
    )
    number_ref = fields.Char(readonly=True, help="The PBX's id of the entry.")
    reason = fields.Char(readonly=True)
    user_id = fields.Many2one("res.users", string="Blocked By", readonly=True)
    blocked_at = fields.Datetime(string="Blocked", readonly=True)
    _number_uniq = models.UniqueIndex(
        "(account_id, number)", "This number is already blocked."
    )

    @api.depends("number", "account_id")
    def _compute_number_display(self):
        for blocked in self:
            blocked.number_display = blocked.account_id._display_number(blocked.number)

    @api.model
    def _block(self, account, number, reason):
        """Block the calls of a number in the PBX.

        The request is sent before anything is written or locked.

        :param mango.account account: the PBX.
        :param str number: E.164.
        :param str reason: shown in the list.
        :raise UserError: if the PBX refuses.
        """
        user = self.env.user
        try:
            with account._client() as client:
                ref = client.block(numbers.to_pbx(number), f"{user.name}: {reason}")
        except errors.VpbxError as error:
            raise self._refusal(error) from error

        def store(own):
            rows = own[self._name]
            vals = {
                "number_ref": ref,
                "reason": reason,
                "user_id": user.id,
                "blocked_at": fields.Datetime.now(),
            }
            key = {"account_id": account.id, "number": number}
            known = rows.search(
                Domain("account_id", "=", account.id) & Domain("number", "=", number)
            )
            if known:
                known.write(vals)
            else:
                rows.create({**key, **vals})

        in_own_transaction(self.env, f"mango_office/blocked/{account.id}", store)
        self.env.invalidate_all()

    def _refusal(self, error):
        return UserError(self.env["mango.error.message"]._explain_error(error))

    def action_unblock(self):
        """Unblock these numbers in the PBX."""
        self.check_access("read")
        for account, blocked in self.grouped("account_id").items():
            try:
                with account._client() as client:
                    for ref in filter(None, blocked.mapped("number_ref")):
                        client.unblock(ref)
            except errors.VpbxError as error:
                raise self._refusal(error) from error
        # sudo: mango.blocked.number - only deleted here, after the PBX has accepted it.
        self.sudo().unlink()
        return {"type": "ir.actions.client", "tag": "soft_reload"}
