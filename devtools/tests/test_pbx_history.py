"""The past month: plausible, repeatable, and fetched within the PBX's limits."""

import itertools
import unittest
from collections import Counter
from datetime import datetime, timedelta

from devtools.pbx.app import Pbx
from devtools.pbx.clock import VirtualClock
from devtools.pbx.history import DAYS, MANAGERS, MOSCOW
from devtools.pbx.legs import INBOUND, INTERNAL, OUTBOUND
from devtools.pbx.statistics import DATE_FORMAT
from devtools.pbx.testing import Receiver

#: 26.01.2026 18:00 in Moscow, a Monday
NOW = datetime(2026, 1, 26, 18, tzinfo=MOSCOW).timestamp()
DAY = 86400


def make(now=NOW, history=True):
    return Pbx(VirtualClock(now), Receiver, history=history)


def shape(calls):
    return [
        (c.entry_id, c.created_at, c.ended_at, c.reason, [vars(x) for x in c.legs])
        for c in calls
    ]


class TestMonth(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pbx = make()
        cls.calls = list(cls.pbx.exchange.history)

    def day(self, call):
        return datetime.fromtimestamp(call.created_at, MOSCOW)

    def test_about_three_thousand(self):
        self.assertTrue(2700 <= len(self.calls) <= 3300, len(self.calls))
        self.assertEqual(len({c.entry_id for c in self.calls}), len(self.calls))
        legs = [leg.call_id for call in self.calls for leg in call.legs]
        self.assertEqual(len(set(legs)), len(legs))

    def test_off_by_default(self):
        self.assertFalse(make(history=False).exchange.history)

    def test_repeatable(self):
        self.assertEqual(shape(self.calls), shape(make().exchange.history))

    def test_a_later_start_repeats_the_days(self):
        later = {c.entry_id: c.created_at for c in make(NOW + DAY).exchange.history}
        first = (NOW - (DAYS - 2) * DAY, NOW)
        common = [c for c in self.calls if first[0] <= c.created_at < first[1]]
        self.assertTrue(common)
        for call in common:
            self.assertEqual(later[call.entry_id], call.created_at)

    def test_nothing_lies_in_the_future(self):
        self.assertTrue(all(c.ended_at < NOW for c in self.calls))
        self.assertTrue(
            any(
                self.day(c).date() == self.day(self.calls[-1]).date()
                for c in self.calls
            )
        )

    def test_today_is_busy_whenever_one_looks(self):
        hours = {"early": -11.5, "at noon": -5.5, "late": 5.5, "on sunday": -24}
        for name, ago in hours.items():
            with self.subTest(name):
                now = NOW + ago * 3600
                midnight = datetime.fromtimestamp(now, MOSCOW).replace(
                    hour=0, minute=0, second=0
                )
                calls = make(now).exchange.history
                today = [c for c in calls if c.created_at >= midnight.timestamp()]
                self.assertGreater(len(today), 20)
                self.assertTrue(all(c.ended_at < now for c in today))
                self.assertEqual(len({c.entry_id for c in calls}), len(calls))
                self.assertTrue(any(c.talk_at for c in today))
                self.assertTrue(any(not c.talk_at for c in today))

    def test_a_busy_morning_is_not_taken_for_the_day(self):
        early = {c.entry_id for c in make(NOW - 11 * 3600).exchange.history}
        late = [c for c in self.calls if c.created_at > NOW - 18 * 3600]
        self.assertFalse(early & {c.entry_id for c in late})

    def test_weekends_and_peaks(self):
        weekdays = Counter(self.day(c).weekday() for c in self.calls)
        self.assertLess(weekdays[5], weekdays[4] / 2)
        self.assertLess(weekdays[6], weekdays[5])
        hours = Counter(self.day(c).hour for c in self.calls)
        self.assertGreater(hours[11], 2 * hours[17])
        self.assertLess(hours[3], 5)

    def test_variety(self):
        directions = Counter(c.direction for c in self.calls)
        self.assertGreater(directions[INBOUND], directions[OUTBOUND])
        self.assertGreater(directions[OUTBOUND], directions[INTERNAL])
        self.assertGreater(directions[INTERNAL], 0)
        inbound = [c for c in self.calls if c.direction == INBOUND]
        self.assertEqual(len({c.line for c in inbound}), 5)
        missed = [c for c in inbound if not c.talk_at]
        self.assertTrue(0.1 < len(missed) / len(inbound) < 0.35)
        self.assertEqual({c.recall_status for c in missed}, {0, 1, 2})
        self.assertTrue(any(not c.client for c in inbound))
        transferred = [
            c for c in inbound if sum(bool(x.answered_at) for x in c.legs) == 2
        ]
        self.assertGreater(len(transferred), 30)
        self.assertGreater(len(self.pbx.recordings.items), 300)

    def test_most_known_customers_reach_their_manager(self):
        talks = [c for c in self.calls if c.direction == INBOUND and c.talk_at]
        known = [c for c in talks if c.client in MANAGERS]
        self.assertGreater(len(known), 200)
        by_manager = [c for c in known if c.legs[1].extension == MANAGERS[c.client]]
        self.assertTrue(0.6 < len(by_manager) / len(known) < 0.95)

    def test_a_returned_call_follows_the_missed_one(self):
        missed = [c for c in self.calls if c.recall_status == 1]
        for call in missed:
            self.assertTrue(
                any(
                    back.client == call.client and back.created_at > call.ended_at
                    for back in self.calls
                    if back.direction == OUTBOUND and back.talk_at
                )
            )

    def test_nobody_talks_twice_at_once(self):
        talks = {}
        for call in self.calls:
            for leg in call.legs:
                if leg.answered_at and leg.role != "initiator":
                    for extension in filter(None, (leg.extension, leg.initiator)):
                        span = (leg.answered_at, leg.ended_at)
                        talks.setdefault(extension, []).append(span)
        for spans in talks.values():
            spans.sort()
            for (_start, end), (start, _end) in itertools.pairwise(spans):
                self.assertLessEqual(end, start)

    def test_times_of_legs(self):
        for call in self.calls:
            self.assertLessEqual(call.created_at, call.ended_at)
            for leg in call.legs:
                self.assertFalse(leg.live)
                self.assertLessEqual(call.created_at, leg.started_at)
                self.assertLessEqual(leg.started_at, leg.ended_at)
                self.assertLessEqual(leg.ended_at, call.ended_at)
                if leg.answered_at:
                    self.assertLessEqual(leg.started_at, leg.answered_at)
            self.assertEqual(bool(call.talk_at), bool(call.talker))


class TestFetching(unittest.TestCase):
    def setUp(self):
        self.pbx = make()

    def pages(self, start, end, limit):
        offset = 0
        while True:
            params = {
                "start_date": start.strftime(DATE_FORMAT),
                "end_date": end.strftime(DATE_FORMAT),
                "limit": limit,
                "offset": offset,
            }
            key = self.pbx.statistics.request_calls(params)["key"]
            reply = {"status": ""}
            while reply["status"] != "complete":
                reply = self.pbx.statistics.result_calls({"key": key})
            items = [item for day in reply["data"] for item in day["list"]]
            yield items
            if len(items) < limit:
                return
            offset += limit

    def test_in_pages(self):
        end = datetime.fromtimestamp(NOW, MOSCOW)
        start = end - timedelta(days=30) + timedelta(seconds=1)
        pages = list(self.pages(start, end, 500))
        items = [item for page in pages for item in page]
        self.assertGreater(len(pages), 4)
        self.assertEqual(len({i["entry_id"] for i in items}), len(items))
        self.assertGreater(len(items), 2500)

    def test_recordings_can_be_fetched(self):
        recordings = self.pbx.recordings
        call = recordings.items[0].call
        text = str(self.pbx.statistics.describe(call))
        self.assertIn(recordings.items[0].id, text)
        self.assertTrue(recordings.ready(recordings.items[0]))
        token = recordings.make_link(recordings.items[0])
        self.assertTrue(recordings.use_link(token).read_bytes())

    def test_nothing_is_notified(self):
        self.pbx.clock.advance(60)
        self.assertFalse(self.pbx.transport.forms)

    def test_reset_keeps_the_month(self):
        count = len(self.pbx.exchange.history)
        self.pbx.reset()
        self.assertEqual(len(self.pbx.exchange.history), count)
        self.assertEqual(
            len({r.id for r in self.pbx.recordings.items}),
            len(self.pbx.recordings.items),
        )
