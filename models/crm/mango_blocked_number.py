from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ...vpbx import errors, numbers


class MangoBlockedNumber(models.Model):
    """An entry of the PBX's black list, put there by users of Odoo or in its cabinet.

    Written only after the PBX has accepted or told it, so that both lists agree.
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
    number = fields.Char(
        required=True, readonly=True, help="E.164, or a mask as in the PBX's cabinet."
    )
    number_display = fields.Char(
        string="Blocked Number", compute="_compute_number_display"
    )
    number_ref = fields.Char(readonly=True, help="The PBX's id of the entry.")
    reason = fields.Char(readonly=True)
    user_id = fields.Many2one(
        "res.users",
        string="Blocked By",
        readonly=True,
        help="Empty if the number was blocked in the PBX's cabinet.",
    )
    blocked_at = fields.Datetime(string="Blocked", readonly=True)
    _number_uniq = models.UniqueIndex(
        "(account_id, number)", "This number is already blocked."
    )

    @api.depends("number", "account_id")
    def _compute_number_display(self):
        for blocked in self:
            blocked.number_display = blocked.account_id._display_number(blocked.number)

    @api.model
    def _block(self, call, reason):
        """Block the calls of a client in the PBX.

        The request is sent before anything is written or locked.

        :param mango.call call: of the client.
        :param str reason: shown in the list.
        :raise UserError: if the PBX refuses.
        """
        user, account, number = self.env.user, call.account_id, call.client_number
        comment = f"{user.name}: {reason}"
        try:
            ref = account._ask_pbx(
                lambda client: client.block(numbers.to_pbx(number), comment),
                is_optional=True,
            )
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
            call.with_env(own)._on_blocked()

        account._store_answer(store, self._lock(account))

    @api.model
    def _lock(self, account):
        return f"mango_office/blocked/{account.id}"

    @api.model
    def _load(self, account):
        """Read the black list of a PBX.

        It is requested once, before anything is written or locked.

        :param mango.account account: the PBX.
        :raise VpbxError: if it does not tell.
        """
        asked_at = fields.Datetime.now()
        listed = account._ask_pbx(lambda client: client.blocked(), is_optional=True)
        entries = {
            # Whatever is not only digits is a mask.
            (entry.number.isdecimal() and account._e164(entry.number))
            or entry.number: entry
            for entry in listed
        }

        def store(own):
            rows = own[self._name]
            known = rows.search(Domain("account_id", "=", account.id))
            # One that was blocked in the meantime is not gone.
            known.filtered(
                lambda row: (
                    row.number not in entries
                    and not (row.blocked_at and row.blocked_at >= asked_at)
                )
            ).unlink()
            row_by_number = known.exists().grouped("number")
            new = []
            for number, entry in entries.items():
                vals = {"number_ref": entry.ref, "reason": entry.comment}
                row = row_by_number.get(number)
                if not row:
                    new.append({"account_id": account.id, "number": number, **vals})
                elif row.number_ref != entry.ref:
                    # Not the entry that was made from Odoo.
                    row.write({**vals, "user_id": False, "blocked_at": False})
            rows.create(new)

        account._store_answer(store, self._lock(account))

    def action_load(self):
        """Read the black lists of the user's PBXes."""
        self.check_access("read")
        accounts = self.env["mango.account"].search(
            Domain("company_id", "in", self.env.companies.ids)
        )
        for account in accounts.filtered("is_connected"):
            try:
                self._load(account)
            except errors.VpbxError as error:
                raise self._refusal(error) from error
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def _refusal(self, error):
        return UserError(self.env["mango.error.message"]._explain_error(error))

    def action_unblock(self):
        """Unblock these numbers in the PBX."""
        self.check_access("read")
        for blocked in self:
            blocked._unblock()
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def _unblock(self):
        """Unblock this number in the PBX, and delete it as soon as that has worked.

        A later failure does not undo it.

        :raise UserError: if the PBX refuses.
        """
        account, ref = self.account_id, self.number_ref
        if ref:
            try:
                account._ask_pbx(lambda client: client.unblock(ref), is_optional=True)
            except errors.VpbxError as error:
                raise self._refusal(error) from error
        account._store_answer(
            lambda own: self.with_env(own).exists().unlink(), self._lock(account)
        )
