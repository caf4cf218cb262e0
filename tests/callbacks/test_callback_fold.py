"""The fold over a client's calls: examples by hand, and random histories."""

import random
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ...models.callbacks.fold import HAND, MISSED, TALK, TRY, Fact, fold

START = datetime(2026, 3, 2, 9, 0)
CLIENTS = ("+74950000201", "+74950000202", "+74950000203", "+74950000204", "hidden")


def fact(kind, minute, ref=None, lasts=1, **more):
    """Build a fact that began some minutes after the start."""
    at = START + timedelta(minutes=minute)
    until = at + timedelta(minutes=lasts)
    return Fact(kind, at, ref or f"{kind}-{minute}", until=until, **more)


def missed(minute, **more):
    return fact(MISSED, minute, **more)


def tried(minute, **more):
    return fact(TRY, minute, is_outbound=True, **more)


def called(minute, **more):
    return fact(TALK, minute, is_outbound=True, **more)


def reached_us(minute, **more):
    return fact(TALK, minute, **more)


def by_hand(minute, **more):
    return fact(HAND, minute, **more)


def summed_up(facts):
    return [(len(loop.missed), len(loop.tries), loop.closed_by) for loop in fold(facts)]


FACTS = st.builds(
    lambda kind, minute, ref, lasts, outbound: fact(
        kind,
        minute,
        ref=f"{kind}-{minute}-{ref}",
        lasts=lasts,
        is_outbound=outbound if kind == TALK else kind == TRY,
    ),
    st.sampled_from([MISSED, MISSED, TRY, TALK, HAND]),
    st.integers(0, 120),
    st.integers(0, 2),
    st.just(3),
    st.booleans(),
)


@tagged("post_install", "-at_install")
class TestCallbackFold(BaseCase):
    # -- examples ---------------------------------------------------------------

    def test_nothing_was_missed(self):
        self.assertEqual(fold([]), [])
        self.assertEqual(fold([called(1), reached_us(5), tried(9)]), [])

    def test_missed_once(self):
        [loop] = fold([missed(1)])
        self.assertTrue(loop.is_open)
        self.assertIsNone(loop.closed_by)
        self.assertEqual(loop.missed, [missed(1)])

    def test_further_attempts_join(self):
        self.assertEqual(summed_up([missed(1), missed(3), missed(4)]), [(3, 0, None)])

    def test_called_back(self):
        self.assertEqual(
            summed_up([missed(1), tried(3), tried(5), called(9)]),
            [(1, 2, "called_back")],
        )

    def test_got_through(self):
        self.assertEqual(summed_up([missed(1), reached_us(9)]), [(1, 0, "got_through")])

    def test_the_first_talk_closes(self):
        [loop] = fold([missed(1), called(9), reached_us(20)])
        self.assertEqual(loop.closing, called(9))

    def test_missed_again_after_a_talk(self):
        self.assertEqual(
            summed_up([missed(1), called(9), missed(30)]),
            [(1, 0, "called_back"), (1, 0, None)],
        )

    def test_calls_before_it_do_not_count(self):
        self.assertEqual(summed_up([tried(0), called(1), missed(9)]), [(1, 0, None)])

    def test_missed_while_they_talk(self):
        """Both dialled at once, or the client has a second phone."""
        self.assertEqual(fold([called(1, lasts=10), missed(5)]), [])
        self.assertEqual(len(fold([called(1, lasts=10), missed(11)])), 1)

    def test_in_the_same_second(self):
        self.assertEqual(summed_up([called(1), missed(1)]), [(1, 0, "called_back")])

    def test_closed_by_hand(self):
        self.assertEqual(
            summed_up([missed(1), by_hand(9), missed(30)]),
            [(1, 0, "hand"), (1, 0, None)],
        )
        [loop] = fold([missed(1), by_hand(9), called(20)])
        self.assertEqual(loop.closed_by, "hand")

    def test_a_late_talk_does_not_take_a_persons_word_away(self):
        self.assertEqual(
            summed_up([missed(1), called(5), by_hand(9)]), [(1, 0, "hand")]
        )
        self.assertEqual(
            summed_up([missed(1), by_hand(2), missed(4), called(5), by_hand(9)]),
            [(1, 0, "hand"), (1, 0, "hand")],
        )

    def test_by_hand_without_a_call(self):
        self.assertEqual(fold([by_hand(9)]), [])

    def test_calls_of_a_loop(self):
        [loop] = fold([missed(1), tried(2), called(5)])
        self.assertEqual(loop.facts, [missed(1), tried(2), called(5)])
        [loop] = fold([missed(1), by_hand(5)])
        self.assertEqual(loop.facts, [missed(1)])

    # -- properties -------------------------------------------------------------

    def assertSound(self, facts, loops):
        """Check that at most one loop is open, and none after a talk."""
        self.assertFalse([loop for loop in loops[:-1] if loop.is_open])
        talks = [one for one in facts if one.kind == TALK]
        for loop in loops:
            if loop.is_open:
                last = loop.missed[0].at
                self.assertFalse([talk for talk in talks if talk.at >= last])
            starts = [one.at for one in loop.missed]
            self.assertEqual(starts, sorted(starts))
            if loop.closing:
                self.assertGreaterEqual(loop.closing.at, starts[-1])
        counted = [one for loop in loops for one in loop.missed]
        self.assertEqual(len(counted), len(set(counted)))
        during_talks = [
            one for one in set(facts) if one.kind == MISSED and one not in counted
        ]
        for one in during_talks:
            self.assertTrue(any(talk.at <= one.at < talk.until for talk in talks))

    def test_ten_thousand_histories(self):
        """Calls of five clients, in another order and some of them twice."""
        source = random.Random(20260302)
        for _history in range(10_000):
            calls = _random_calls(source)
            told = [*calls, *source.sample(calls, len(calls) // 3)]
            source.shuffle(told)
            for client in CLIENTS:
                expected = fold(one for who, one in calls if who == client)
                facts = [one for who, one in told if who == client]
                loops = fold(facts)
                self.assertEqual(loops, expected)
                self.assertSound(facts, loops)

    @settings(max_examples=300, deadline=None)
    @given(st.data())
    def test_order_does_not_matter(self, data):
        facts = data.draw(st.lists(FACTS, max_size=25))
        loops = fold(facts)
        self.assertEqual(fold(data.draw(st.permutations(facts + facts))), loops)
        if not any(one.kind == HAND for one in facts):
            self.assertSound(facts, loops)

    @settings(max_examples=300, deadline=None)
    @given(st.lists(FACTS, max_size=25))
    def test_facts_arriving_one_by_one(self, facts):
        """Intermediate results do not affect the final one."""
        for count in range(len(facts)):
            fold(facts[:count])
        self.assertEqual(fold(facts), fold(reversed(facts)))

    @settings(max_examples=200, deadline=None)
    @given(st.lists(FACTS, min_size=1, max_size=20))
    def test_a_talk_in_the_end_closes_everything(self, facts):
        end = replace(called(10_000), ref="end")
        self.assertFalse([loop for loop in fold([*facts, end]) if loop.is_open])


def _random_calls(source):
    calls = []
    for number in range(source.randrange(1, 16)):
        kind = source.choice((MISSED, MISSED, MISSED, TRY, TALK))
        calls.append(
            (
                source.choice(CLIENTS),
                fact(
                    kind,
                    source.randrange(40),
                    ref=f"E{number}",
                    lasts=source.randrange(1, 4),
                    is_outbound=kind == TRY or source.random() < 0.5,
                ),
            )
        )
    return calls
