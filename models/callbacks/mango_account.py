from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import plaintext2html

#: So many clients are named in one message to the supervisors.
MAX_NAMED = 50


class MangoAccount(models.Model):
    """How missed clients of a PBX are called back."""

    _inherit = "mango.account"

    callback_enabled = fields.Boolean(
        string="Call Missed Clients Back",
        default=True,
        tracking=True,
        help="Every client who was missed waits in Calls ▸ To Call Back until somebody "
        "has spoken with them.",
    )
    callback_minutes = fields.Integer(
        string="Call Back Within",
        default=30,
        tracking=True,
        help="Working minutes of the company's calendar.",
    )
    callback_min_wait = fields.Integer(
        string="Shortest Call",
        default=3,
        tracking=True,
        help="Seconds; who hung up sooner is not called back.",
    )
    callback_max_age_hours = fields.Integer(
        string="Oldest Call",
        default=24,
        tracking=True,
        help="Hours; a call that became known later than that is not called back.",
    )
    callback_max_tries = fields.Integer(
        string="Tries",
        default=3,
        tracking=True,
        help="After so many tries in vain the entry asks what to do; 0 for never.",
    )
    callback_user_id = fields.Many2one(
        "res.users",
        string="Default Responsible",
        tracking=True,
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        help="Calls back whoever has nobody of their own.",
    )
    callback_activity = fields.Boolean(
        string="Plan an Activity",
        tracking=True,
        help="An activity of type Call on the lead or the contact, which is done by "
        "itself once somebody has spoken with the client.",
    )

    @api.constrains(
        "callback_minutes",
        "callback_min_wait",
        "callback_max_age_hours",
        "callback_max_tries",
    )
    def _check_callback_numbers(self):
        for account in self:
            numbers = (
                account.callback_minutes,
                account.callback_min_wait,
                account.callback_max_age_hours,
                account.callback_max_tries,
            )
            if min(numbers) < 0 or account.callback_max_age_hours > 24 * 30:
                raise ValidationError(
                    self.env._(
                        "Calling back: numbers from 0, and calls of at most 30 days."
                    )
                )

    def _tell_of_overdue(self, callbacks):
        """Tell the supervisors of this PBX who was not called back in time.

        :param mango.callback callbacks: the entries, all of this PBX.
        """
        self.ensure_one()
        supervisors = self._callback_supervisors()
        if not supervisors:
            return
        account = self.with_context(lang=self._language())
        names = callbacks.with_env(account.env)[:MAX_NAMED].mapped(
            lambda callback: f"{callback.display_name}: {callback.user_id.name or '—'}"
        )
        account.message_notify(
            partner_ids=supervisors.partner_id.ids,
            subject=account.env._("Not called back in time: %s", len(callbacks)),
            body=plaintext2html("\n".join(names)),
        )

    def _callback_supervisors(self):
        group = self.env.ref("mango_office.group_supervisor")
        return group.all_user_ids.filtered(
            lambda user: (
                user.active and not user.share and self.company_id in user.company_ids
            )
        )
