from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

#: How long a call whose end was not told waits for the statistics to tell it, and how
#: far beyond its last sign of life they must have come to know.
PATIENCE = timedelta(hours=1)
STATISTICS_DELAY = timedelta(minutes=10)


class MangoCall(models.Model):
    """What a call has to do with the PBX's statistics."""

    _inherit = "mango.call"

    sealed_at = fields.Datetime(
        readonly=True,
        help="Since then the notifications of the call are gone, and it is final.",
    )

    _unsealed_idx = models.Index(
        "(account_id, COALESCE(ended_at, create_date)) WHERE sealed_at IS NULL"
    )

    @api.model
    def _of_entry(self, account, entry_id):
        """Return the call of a PBX with a name; empty if it is not known.

        :rtype: mango.call
        """
        return self.search(
            Domain("account_id", "=", account.id) & Domain("entry_id", "=", entry_id)
        )

    def _has_news(self, events, entry):
        """Tell whether an entry of the statistics changes anything.

        :param mango.event events: of this call, which may be unknown (empty).
        :param StatisticsCall entry: of this call.
        :rtype: bool
        """
        if not self:
            return entry.is_ended
        if self.sealed_at:
            return False
        before, after = self._fold(events), self._fold(events, [entry])
        return _essence(before) != _essence(after)

    def _update_sealed(self, state):
        """Take what still may come of a call whose notifications are gone.

        What the call itself is was concluded from all of them; what came later alone
        would conclude something else.

        :param CallState state: the fold over what came later.
        """

    def _awaits_statistics(self, now):
        """Tell whether the statistics may soon tell how this unfinished call ended.

        :param datetime now: UTC.
        :rtype: bool
        """
        account = self.account_id
        synced_at = account.last_sync_at
        last_seen_at = self._last_seen_at()
        if not synced_at or last_seen_at < now - PATIENCE:
            return False
        return synced_at < last_seen_at + STATISTICS_DELAY and account._may_request()


def _essence(state):
    """Return what counts of a call: of recordings, which ones may be fetched."""
    stored = frozenset(
        recording.ref for recording in state.recordings if recording.stored
    )
    return {**vars(state), "recordings": stored}
