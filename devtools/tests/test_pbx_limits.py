"""Rate limits and the two-minute lock-out, on a clock turned by hand."""

import unittest

from devtools.pbx.clock import VirtualClock
from devtools.pbx.limits import Penalty, RateLimiter


class TestRateLimiter(unittest.TestCase):
    def setUp(self):
        self.clock = VirtualClock()
        self.limiter = RateLimiter(self.clock)

    def test_route_once_in_two_seconds(self):
        self.assertTrue(self.limiter.admit("commands/route"))
        self.clock.advance(1.9)
        self.assertFalse(self.limiter.admit("commands/route"))
        self.clock.advance(0.1)
        self.assertTrue(self.limiter.admit("commands/route"))

    def test_refused_requests_do_not_count(self):
        self.limiter.admit("commands/route")
        for _attempt in range(4):
            self.clock.advance(0.4)
            self.assertFalse(self.limiter.admit("commands/route"))
        self.clock.advance(0.4)
        self.assertTrue(self.limiter.admit("commands/route"))

    def test_methods_are_independent(self):
        self.assertTrue(self.limiter.admit("commands/route"))
        self.assertTrue(self.limiter.admit("commands/transfer"))

    def test_general_limit_of_ten(self):
        served = [self.limiter.admit(f"method/{n}") for n in range(11)]
        self.assertEqual(served, [True] * 10 + [False])
        self.clock.advance(1)
        self.assertTrue(self.limiter.admit("method/12"))


class TestPenalty(unittest.TestCase):
    def setUp(self):
        self.clock = VirtualClock()
        self.penalty = Penalty(self.clock)

    def test_one_is_forgiven(self):
        self.penalty.count(3102)
        self.assertFalse(self.penalty.locked)

    def test_second_locks_until_two_minutes_after_the_first(self):
        self.penalty.count(3102)
        self.clock.advance(100)
        self.penalty.count(3105)
        self.assertTrue(self.penalty.locked)
        self.assertEqual(self.penalty.seconds_left(), 20)
        self.clock.advance(19)
        self.assertTrue(self.penalty.locked)
        self.clock.advance(1)
        self.assertFalse(self.penalty.locked)

    def test_two_with_two_minutes_between(self):
        self.penalty.count(3102)
        self.clock.advance(120)
        self.penalty.count(3102)
        self.assertFalse(self.penalty.locked)

    def test_not_found_and_other_classes_do_not_count(self):
        for code in (3320, 3310, 4101, 2240, 5008):
            self.penalty.count(code)
            self.penalty.count(code)
        self.assertFalse(self.penalty.locked)
