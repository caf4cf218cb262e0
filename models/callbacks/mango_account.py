from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import plaintext2html

#: How many clients are named in one message to the supervisors.
MAX_NAMED = 50


class MangoAccount(models.Model):
    """Settings for calling back the missed clients of a PBX."""

    _inherit = "mango.account"

    callback_enabled = fields.Boolean(
        string="Call Missed Clients Back",
        default=True,
        tracking=True,
        help="Missed clients stay in Calls ▸ To Call Back until somebody has spoken "
        "with them.",
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
        help="Seconds. Clients who hang up sooner are not called back.",
    )
    callback_max_age_hours = fields.Integer(
        string="Oldest Call",
        default=24,
        tracking=True,
        help="Hours. Calls that become known later are not called back.",
    )
    callback_max_tries = fields.Integer(
        string="Tries",
        default=3,
        tracking=True,
        help="After this many unsuccessful tries, Odoo asks what to do next; 0 for "
        "never.",
    )
    callback_user_id = fields.Many2one(
        "res.users",
        string="Default Responsible",
        tracking=True,
        domain=lambda self: self._callback_users_domain(),
        help="Calls back the clients who have no responsible person of their own.",
    )
    callback_activity = fields.Boolean(
        string="Plan an Activity",
        tracking=True,
        help="Plan an activity of type Call on the lead or the contact. It is marked "
        "as done once somebody has spoken with the client.",
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
                        "The call back settings cannot be negative, and calls cannot "
                        "be older than 30 days."
                    )
                )

    @api.model
    def _callback_users_domain(self):
        """Return the domain of those who can call clients back, for the web client.

        :rtype: str
        """
        group = self.env.ref("mango_office.group_user")
        return (
            f"[('company_ids', 'in', company_id), ('all_group_ids', 'in', {group.id})]"
        )

    def _tell_of_overdue(self, callbacks):
        """Notify the supervisors of this PBX of clients not called back in time.

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
