"""Post-commit callbacks (``Cursor.postcommit``) that wait for the end of a request."""

import logging

from odoo.tools.misc import Callbacks

_logger = logging.getLogger(__name__)


class LateCallbacks(Callbacks):
    """Post-commit callbacks of one transaction, to be run later than at its commit.

    After a commit Odoo wakes the web clients (``bus.bus``) and the crons (``ir.cron``),
    each through a new connection to the database ``postgres``. That takes longer than
    many a transaction, and what it announces is already stored. Replace the cursor's
    ``postcommit`` with these callbacks before the transaction does anything.
    """

    __slots__ = ["_is_committed"]

    def __init__(self):
        super().__init__()
        self._is_committed = False

    def run(self):
        """Keep the callbacks: the transaction has been committed."""
        self._is_committed = True

    def clear(self):
        """Drop the callbacks, unless their transaction has been committed."""
        if self._is_committed:
            return None
        return super().clear()

    def run_late(self):
        """Call the functions; one that fails does not keep the others from it."""
        while self:
            try:
                Callbacks.run(self)
            except Exception:
                _logger.exception("A post-commit callback has failed")
