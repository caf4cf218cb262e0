from odoo import api, fields, models
from odoo.fields import Domain


class MangoAccount(models.Model):
    """What a PBX answered lately decides whether it is asked again unasked."""

    _inherit = "mango.account"

    requests_stopped_reason = fields.Char(
        compute="_compute_requests_gate",
        compute_sudo=True,
        help="Why Odoo asks the PBX nothing of its own accord; empty if it does.",
    )
    requests_paused_until = fields.Datetime(
        compute="_compute_requests_gate",
        compute_sudo=True,
        help="The PBX was in trouble; until then Odoo asks it nothing by itself.",
    )
    last_sync_at = fields.Datetime(
        string="Statistics Fetched Up To",
        compute="_compute_last_sync_at",
        compute_sudo=True,
    )

    @api.depends("api_url", "api_key", "api_salt")
    @api.depends_context("lang")
    def _compute_requests_gate(self):
        now = fields.Datetime.now()
        for account in self:
            gate = self.env["mango.gate"]._of(account)
            account.requests_stopped_reason = (
                account._words_of_stop(gate) if gate.stopped_at else False
            )
            paused_until = not gate.stopped_at and gate.paused_until
            account.requests_paused_until = (
                paused_until if paused_until and paused_until > now else False
            )

    def _compute_last_sync_at(self):
        gates = self.env["mango.gate"].search(Domain("account_id", "in", self.ids))
        moments = {gate.account_id.id: gate.last_sync_at for gate in gates}
        for account in self:
            account.last_sync_at = moments.get(account.id, False)

    def _words_of_stop(self, gate):
        reason = self.env["mango.meaning"]._of_error(gate._stopped_error())
        consequence = self.env._(
            "Mend the cause, check the connection, and resume the requests in the "
            "settings of the PBX. Until then Odoo fetches no statistics and no "
            "recordings and routes no calls."
        )
        return f"{reason} {consequence}"

    def _may_request(self, urgent=False):
        """Tell whether the PBX may be asked something that no person has ordered.

        :param bool urgent: a caller is waiting: after some failures in a row the PBX
            is tried again every few seconds, and True is the turn to do so.
        :rtype: bool
        """
        self.ensure_one()
        # sudo: mango.gate - whether requests go out, whoever causes them.
        gates_sudo = self.env["mango.gate"].sudo()
        gate_sudo = gates_sudo._of(self)
        if not gate_sudo._is_open(urgent):
            return False
        if urgent and gate_sudo._is_failing():
            return gates_sudo._claim_trial(self)
        return True

    def _note_answer(self, error=None):
        """Learn from an answer of the PBX, whoever caused the request.

        Committed at once, in a transaction of its own: it holds whatever becomes of
        the one at hand.

        :param error: what the client raised; None for a good answer.
        :type error: VpbxError | None
        """
        self.ensure_one()
        # sudo: mango.gate - the machine notes what it was answered.
        self.env["mango.gate"].sudo()._note(self, error)

    def action_resume_requests(self):
        """Let Odoo ask the PBX again of its own accord; the cause has been mended."""
        self.ensure_one()
        self._client()  # Without code and secret there is nothing to resume.
        self._resume_requests()
        return self._notify(
            self.env._("Odoo sends requests to the PBX again."), "success"
        )

    def _resume_requests(self, is_proven=False):
        """Open the gate; committed at once.

        :param bool is_proven: the PBX has just accepted a request.
        """
        self.ensure_one()
        self.check_access("write")
        # sudo: mango.gate - whoever may set up the PBX may have Odoo ask it again.
        self.env["mango.gate"].sudo()._reopen(self, is_proven)

    def _tell_requests_stopped(self):
        """Tell the administrators, in their languages, that requests have stopped."""
        self.ensure_one()
        admins = self.env.ref("mango_office.group_admin").all_user_ids.filtered(
            lambda user: user.active and self.company_id in user.company_ids
        )
        for admin in admins:
            account = self.with_context(lang=admin.lang)
            account.invalidate_recordset(["requests_stopped_reason"])
            account.message_notify(
                partner_ids=admin.partner_id.ids,
                subject=account.env._("Requests to the PBX have stopped"),
                body=account.requests_stopped_reason,
            )
