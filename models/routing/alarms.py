"""Delayed function calls of a server process, in one thread however many there are."""

import heapq
import itertools
import logging
import threading
import time

from ...tools.locking import start_urgent

_logger = logging.getLogger(__name__)

#: More calls than this do not ring at the same time.
MAX_ALARMS = 1000


class Alarms:
    """Functions that are called later, off the caller's thread.

    They are lost when the process ends, so nothing essential may depend on them.
    """

    def __init__(self):
        self._due = []
        self._changed = threading.Condition()
        self._thread = None
        self._count = itertools.count()

    def set(self, seconds, function, *args):
        """Schedule a function.

        :param float seconds: from now.
        :param Callable function: must handle its exceptions.
        :return: whether there was room for one more.
        :rtype: bool
        """
        with self._changed:
            if len(self._due) >= MAX_ALARMS:
                _logger.warning(
                    "too many calls are ringing: one of them is not re-routed"
                )
                return False
            due_at = time.monotonic() + seconds
            heapq.heappush(self._due, (due_at, next(self._count), function, args))
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="mango_office.alarms", daemon=True
                )
                self._thread.start()
            self._changed.notify()
        return True

    def _run(self):
        while task := self._next():
            function, args = task
            start_urgent(function, *args)

    def _next(self):
        """Wait for the next due function; None, if there is none, ends the thread."""
        with self._changed:
            while self._due:
                wait = self._due[0][0] - time.monotonic()
                if wait <= 0:
                    return heapq.heappop(self._due)[2:]
                self._changed.wait(wait)
            self._thread = None
            return None


alarms = Alarms()
