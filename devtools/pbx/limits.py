"""Rate limits and the lock-out (``mango-api.md`` 2.5 and 2.6)."""

from collections import defaultdict, deque

GENERAL = (10, 1.0)
#: requests, seconds
PER_METHOD = {
    "commands/callback": (4, 1.0),
    "commands/call/hangup": (4, 1.0),
    "commands/recording/start": (4, 1.0),
    "commands/route": (1, 2.0),
    "commands/transfer": (1, 2.0),
    "config/users/request": (1, 2.0),
    "queries/recording/post": (10, 1.0),
    "stats/request": (1, 2.0),
    "stats/calls/request": (1, 2.0),
    "account/balance": (2, 1.0),
}
PENALTY_SECONDS = 120.0


class RateLimiter:
    """Sliding windows: one for all requests, one for each limited method."""

    def __init__(self, clock):
        self._clock = clock
        self._served = defaultdict(deque)

    def admit(self, method):
        """Count a request, if it may be served.

        :return: whether it may be served; a refused one is not counted.
        """
        windows = [("", GENERAL)]
        if method in PER_METHOD:
            windows.append((method, PER_METHOD[method]))
        now = self._clock.now()
        if any(self._full(name, limit, now) for name, limit in windows):
            return False
        for name, _limit in windows:
            self._served[name].append(now)
        return True

    def _full(self, name, limit, now):
        count, seconds = limit
        served = self._served[name]
        while served and now - served[0] >= seconds:
            served.popleft()
        return len(served) >= count

    def clear(self):
        self._served.clear()


class Penalty:
    """One invalid request in two minutes is forgiven, a second one locks out.

    Counted are the answers 3xxx except 33xx: not finding something, such as a
    recording that is not ready yet, is no invalid request.
    """

    def __init__(self, clock):
        self._clock = clock
        self._first = None
        self._locked = False

    @property
    def locked(self):
        self._expire()
        return self._locked

    def seconds_left(self):
        self._expire()
        if not self._locked:
            return 0
        return round(self._first + PENALTY_SECONDS - self._clock.now())

    def count(self, code):
        """Count an answer; the second one for an invalid request locks out."""
        if code // 1000 != 3 or code // 100 == 33:
            return
        self._expire()
        if self._first is None:
            self._first = self._clock.now()
            return
        self._locked = True

    def lock(self):
        """Lock out now, as after two invalid requests."""
        self._first = self._clock.now()
        self._locked = True

    def clear(self):
        self._first, self._locked = None, False

    def _expire(self):
        if self._first is None:
            return
        if self._clock.now() - self._first >= PENALTY_SECONDS:
            self.clear()
