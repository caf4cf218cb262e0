from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

BATCH_SIZE = 200


class MangoAccount(models.Model):
    """What is deleted by age."""

    _inherit = "mango.account"

    @api.model
    def _apply_retention(self):
        """Cron: delete the audio and the calls whose time is over, in batches."""
        cron = self.env["ir.cron"]
        accounts = self.with_context(active_test=False).search(
            Domain("recording_retention_days", ">", 0)
            | Domain("call_retention_days", ">", 0)
        )
        limited = {
            "mango.recording": accounts.filtered("recording_retention_days"),
            "mango.call": accounts.filtered("call_retention_days"),
        }
        cron._commit_progress(
            remaining=sum(
                self.env[model].search_count(account._outdated_domain(model))
                for model, accounts in limited.items()
                for account in accounts
            )
        )
        for model, accounts in limited.items():
            for account in accounts:
                if not account._delete_outdated(model):
                    return

    def _outdated_domain(self, model):
        """Return which records of this account are to go, and may.

        :param str model: ``mango.recording`` or ``mango.call``.
        :rtype: Domain
        """
        domain = Domain("account_id", "=", self.id)
        now = fields.Datetime.now()
        if model == "mango.recording":
            before = now - timedelta(days=self.recording_retention_days)
            return (
                domain
                & Domain("state", "=", "ready")
                & Domain("keep", "=", False)
                & Domain("call_id.started_at", "<", before)
            )
        before = now - timedelta(days=self.call_retention_days)
        return (
            domain
            & Domain("state", "=", "ended")
            & Domain("started_at", "<", before)
            & ~Domain("recording_ids", "any", [("keep", "=", True)])
        )

    def _delete_outdated(self, model):
        """Delete what is to go of one kind, batch by batch.

        :param str model: as of :meth:`_outdated_domain`.
        :return: whether there is time for more.
        :rtype: bool
        """
        cron = self.env["ir.cron"]
        domain = self._outdated_domain(model)
        while outdated := self.env[model].search(domain, order="id", limit=BATCH_SIZE):
            outdated._delete_by_age()
            if not cron._commit_progress(len(outdated)):
                return False
        return True
