from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

BUDGET_TIME = timedelta(hours=1)


class MangoCommand(models.Model):
    """How many calls one employee may start: a stolen session must not cost much."""

    _inherit = "mango.command"

    @api.model
    def _refuse_over_limit(self, vals):
        """Tell that a call would be one too many in an hour.

        To be asked while the user's lock is held: of two clicks at once the second
        sees the command of the first.

        :param dict vals: of the command that is to be given.
        :return: what to tell the user; None if the command may be given.
        :rtype: str | None
        """
        account = self.env["mango.account"].browse(vals["account_id"])
        limit = account.callback_limit_per_hour
        if vals["kind"] != "callback" or not limit:
            return None
        recent = (
            Domain("user_id", "=", vals["user_id"])
            & Domain("kind", "=", "callback")
            & Domain("create_date", ">", fields.Datetime.now() - BUDGET_TIME)
        )
        # One more than the limit, because a refusal is kept as a command, too.
        found = self.search_fetch(recent, ["is_over_limit"], limit=limit + 1)
        given = found.filtered(lambda command: not command.is_over_limit)
        if len(given) < limit:
            return None
        reason = self.env._(
            "You have started %s calls by a click within an hour, and your company "
            "allows no more. Wait a little, dial on your phone, or ask the "
            "administrator of the telephony.",
            limit,
        )
        if found == given:
            self._report_over_limit(account, {**vals, "reason": reason}, limit)
        return reason

    def _report_over_limit(self, account, vals, limit):
        """Show the administrators that somebody is over the limit, once an hour.

        :param mango.account account: whose PBX was to call.
        :param dict vals: of the command that is not given.
        :param int limit: how many calls in an hour are allowed.
        """
        command = self.create(
            {
                **vals,
                "state": "failed",
                "is_over_limit": True,
                "is_card_closed": True,  # the user has been told
            }
        )
        account_as_told = account.with_context(lang=account._language())
        account_as_told.message_post(
            body=account_as_told.env._(
                "%(user)s has started %(limit)s calls by a click within an hour, and "
                "was refused another one.",
                user=command.user_id.name,
                limit=limit,
            ),
            author_id=self.env.ref("base.partner_root").id,
        )
