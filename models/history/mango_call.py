from datetime import timedelta

from odoo import models

#: How long a call without a reported end waits for the statistics to report it, and how
#: far beyond its last sign of life they must have been fetched.
PATIENCE = timedelta(hours=1)

STATISTICS_DELAY = timedelta(minutes=10)


class MangoCall(models.Model):
    """Completion of calls from the PBX's statistics."""

    _inherit = "mango.call"

    def _has_news(self, events, entry):
        """Tell whether an entry of the statistics changes the call.

        :param mango.event events: of this call, which may be unknown (``self`` is
            empty).
        :param StatisticsCall entry: of this call.
        :rtype: bool
        """
        if not self:
            return entry.is_ended
        if self.sealed_at:
            return False
        before, after = self._fold(events), self._fold(events, [entry])
        return _essence(before) != _essence(after)

    def _is_abandoned(self, now):
        return not self._awaits_statistics(now) and super()._is_abandoned(now)

    def _awaits_statistics(self, now):
        """Tell whether the statistics may soon report the end of this unfinished call.

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
    """Return the state to compare, with only those recordings that can be fetched."""
    stored = frozenset(
        recording.ref for recording in state.recordings if recording.stored
    )
    return {**vars(state), "recordings": stored}
