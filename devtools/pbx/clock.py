"""Clocks: real time, and virtual time for tests."""

import asyncio
import heapq
import itertools
import time


class Timer:
    """A scheduled callback that can be cancelled."""

    def __init__(self, callback):
        self._callback = callback
        self._handle = None

    def fire(self):
        callback, self._callback = self._callback, None
        if callback:
            callback()

    def attach(self, handle):
        self._handle = handle

    def cancel(self):
        self._callback = None
        if self._handle:
            self._handle.cancel()


class RealClock:
    """Real time. ``speed`` shortens delays; it does not change the time shown."""

    def __init__(self, speed=1.0):
        self.speed = speed

    def now(self):
        """Return seconds since the epoch, as a float."""
        return time.time()

    def call_later(self, delay, callback):
        """Call ``callback`` in ``delay`` PBX seconds.

        :param float delay: seconds before acceleration.
        :return: a :class:`Timer`.
        """
        timer = Timer(callback)
        loop = asyncio.get_running_loop()
        timer.attach(loop.call_later(max(delay, 0) / self.speed, timer.fire))
        return timer


class VirtualClock:
    """Virtual time, which passes only by :meth:`advance`."""

    def __init__(self, start=1767258000.0):
        self.speed = 1.0
        self._now = start
        self._order = itertools.count()
        self._timers = []

    def now(self):
        return self._now

    def call_later(self, delay, callback):
        timer = Timer(callback)
        due = self._now + max(delay, 0)
        heapq.heappush(self._timers, (due, next(self._order), timer))
        return timer

    def advance(self, seconds):
        """Let ``seconds`` pass and fire the timers that fall due, in order."""
        end = self._now + seconds
        while self._timers and self._timers[0][0] <= end:
            self._now, _order, timer = heapq.heappop(self._timers)
            timer.fire()
        self._now = end
