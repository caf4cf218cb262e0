"""Statistics: the ways of asking, of waiting, and of being refused."""

import unittest
from datetime import datetime, timedelta

from devtools.pbx.commands import Refused
from devtools.pbx.statistics import DATE_FORMAT, MOSCOW
from devtools.pbx.testing import make_pbx

CUSTOMER = "74950000201"


class StatisticsCase(unittest.TestCase):
    def setUp(self):
        self.pbx = make_pbx()
        self.statistics = self.pbx.statistics

    def play(self, name):
        self.pbx.play(name)
        self.pbx.clock.advance(120)

    def period(self, **span):
        end = datetime.fromtimestamp(self.pbx.clock.now(), MOSCOW)
        start = end - timedelta(**(span or {"days": 1}))
        return {
            "start_date": start.strftime(DATE_FORMAT),
            "end_date": end.strftime(DATE_FORMAT),
            "limit": 100,
            "offset": 0,
        }

    def request(self, **changes):
        return self.statistics.request_calls({**self.period(), **changes})

    def refusal(self, params):
        with self.assertRaises(Refused) as refusal:
            self.statistics.request_calls(params)
        return refusal.exception

    def complete(self, key):
        for _poll in range(5):
            reply = self.statistics.result_calls({"key": key})
            if reply["status"] == "complete":
                return [item for day in reply["data"] for item in day["list"]]
        return self.fail("never complete")


class TestExtended(StatisticsCase):
    def test_work_with_a_part_before_complete(self):
        self.play("stats-history")
        params = self.period(days=20)
        key = self.statistics.request_calls(params)["key"]
        replies = [self.statistics.result_calls({"key": key}) for _poll in range(3)]
        self.assertEqual(
            [reply["status"] for reply in replies], ["request", "work", "complete"]
        )
        counts = [sum(len(day["list"]) for day in reply["data"]) for reply in replies]
        self.assertEqual(counts, [0, 20, 40])
        for day in replies[2]["data"]:
            self.assertEqual(day["total_calls_count"], len(day["list"]))
            for item in day["list"]:
                moment = datetime.fromtimestamp(item["context_start_time"], MOSCOW)
                self.assertEqual(moment.strftime("%Y-%m-%d"), day["period"])

    def test_thirty_days_exactly_are_too_many(self):
        refusal = self.refusal(self.period(days=30))
        self.assertEqual(refusal.code, 3100)
        self.assertIn(3111, refusal.fields.values())
        almost = self.period(seconds=30 * 86400 - 1)
        self.assertIn("key", self.statistics.request_calls(almost))

    def test_boundary_scenario(self):
        self.play("stats-boundary")
        key = self.statistics.request_calls(self.period(seconds=30 * 86400 - 1))["key"]
        self.assertEqual(len(self.complete(key)), 1)

    def test_with_other_times(self):
        """As by another clock or time zone; how long a call lasted stays the same."""
        self.play("inbound-answered")
        (call,) = self.pbx.exchange.history
        before = self.statistics.describe(call)
        self.pbx.settings.update({"statistics_shift": -10800})
        [told] = self.complete(self.request()["key"])
        shift = told["context_start_time"] - before["context_start_time"]
        self.assertEqual(shift, -10800)
        [leg], [leg_before] = told["context_calls"], before["context_calls"]
        for name in ("call_start_time", "call_answer_time", "call_end_time"):
            self.assertEqual(leg[name] - leg_before[name], -10800)
        self.assertEqual(leg["talk_duration"], leg_before["talk_duration"])

    def test_without_the_calls(self):
        self.play("inbound-unknown")
        self.pbx.settings.update({"in_statistics": False})
        self.assertEqual(self.complete(self.request()["key"]), [])

    def test_moscow_time(self):
        self.play("inbound-unknown")
        (call,) = self.pbx.exchange.history
        # 1767258000 is 01.01.2026 12:00:00 in Moscow.
        period = {
            "start_date": "01.01.2026 12:00:00",
            "end_date": "01.01.2026 12:00:10",
        }
        (item,) = self.complete(self.request(**period)["key"])
        self.assertEqual(item["entry_id"], call.entry_id)
        period = {
            "start_date": "01.01.2026 09:00:00",
            "end_date": "01.01.2026 09:00:10",
        }
        self.assertEqual(self.complete(self.request(**period)["key"]), [])

    def test_refused_parameters(self):
        good = self.period()
        cases = (
            ({**good, "start_date": "2026-01-01 00:00:00"}, 3104),
            ({**good, "limit": 30}, 3104),
            ({**good, "limit": "many"}, 3104),
            (
                {
                    **good,
                    "start_date": good["end_date"],
                    "end_date": good["start_date"],
                },
                3100,
            ),
            ({k: v for k, v in good.items() if k != "offset"}, 3103),
        )
        for params, code in cases:
            with self.subTest(params=params):
                self.assertEqual(self.refusal(params).code, code)

    def test_limit_as_text_and_offset(self):
        self.play("stats-history")
        params = self.period(days=20)
        first = self.statistics.request_calls({**params, "limit": "20"})["key"]
        second = self.statistics.request_calls(
            {**params, "limit": 100, "offset": "20"}
        )["key"]
        items = [*self.complete(first), *self.complete(second)]
        self.assertEqual(len({item["entry_id"] for item in items}), 40)

    def test_filters(self):
        self.play("inbound-unknown")
        self.play("outgoing")
        self.play("internal-call")
        for kind in (1, 2, 3):
            (item,) = self.complete(self.request(context_type=kind)["key"])
            self.assertEqual(item["context_type"], kind)
        both = self.complete(self.request(context_type=[1, 2])["key"])
        self.assertEqual(len(both), 2)
        self.assertEqual(self.complete(self.request(context_status=0)["key"]), [])

    def test_group_call(self):
        self.play("inbound-answered")
        (item,) = self.complete(self.request()["key"])
        self.assertEqual(item["context_status"], 1)
        (group,) = item["context_calls"]
        self.assertEqual(group["call_type"], "group")
        self.assertEqual(group["call_abonent_id"], 10000500)
        members = {m["call_abonent_extension"]: m for m in group["members"]}
        self.assertEqual(set(members), {"101", "102", "103"})
        self.assertIsNone(members["101"]["call_answer_time"])
        self.assertEqual(members["102"]["talk_duration"], item["talk_duration"])
        self.assertEqual(len(members["102"]["recording_id"]), 1)
        legs = {leg.call_id for leg in self.pbx.exchange.history[0].legs}
        self.assertIn(members["102"]["external_call_id"], legs)

    def test_nobody_available_has_an_empty_group_leg(self):
        self.play("all-unavailable")
        (item,) = self.complete(self.request()["key"])
        (group,) = item["context_calls"]
        self.assertEqual(group["members"], [])
        self.assertEqual(group["call_duration"], 0)
        self.assertEqual(group["call_end_reason"], 1164)

    def test_callback(self):
        self.play("callback-answered")
        (item,) = self.complete(self.request()["key"])
        self.assertEqual(item["context_type"], 2)
        self.assertEqual(item["context_init_type"], 4)
        self.assertEqual(item["caller_id"], 400000101)
        self.assertEqual(item["called_number"], CUSTOMER)

    def test_running_calls_are_not_there(self):
        self.pbx.exchange.call_in(CUSTOMER)
        self.assertEqual(self.complete(self.request()["key"]), [])

    def test_unknown_key(self):
        reply = self.statistics.result_calls({"key": "nothing"})
        self.assertEqual(reply["status"], "not-found")

    def test_204_first(self):
        self.play("stats-204")
        key = self.request()["key"]
        polls = [self.statistics.result_calls({"key": key}) for _poll in range(3)]
        self.assertEqual(polls[:2], [None, None])
        self.assertEqual(polls[2]["status"], "request")


class TestBasic(StatisticsCase):
    def ask(self, **changes):
        now = int(self.pbx.clock.now())
        params = {"date_from": now - 3600, "date_to": str(now), **changes}
        return self.statistics.request_csv(params)["key"]

    def test_one_row_per_leg(self):
        self.play("inbound-answered")
        key = self.ask(fields="records,start,to_extension,entry_id,create")
        self.assertEqual(self.statistics.result_csv({"key": key}), (204, ""))
        status, text = self.statistics.result_csv({"key": key})
        self.assertEqual(status, 200)
        rows = [row.split(";") for row in text.splitlines()]
        (call,) = self.pbx.exchange.history
        self.assertEqual([row[2] for row in rows], ["", "101", "102", "103"])
        self.assertEqual({row[3] for row in rows}, {call.entry_id})
        (recording,) = self.pbx.recordings.items
        self.assertEqual(
            [row[0] for row in rows], ["[]", "[]", f"[{recording.id}]", "[]"]
        )

    def test_announced(self):
        key = self.ask(request_id="r-1")
        self.pbx.clock.advance(2)
        self.assertEqual(
            self.pbx.transport.of("result/stat"), [{"key": key, "request_id": "r-1"}]
        )

    def test_unknown_key_and_column(self):
        self.assertEqual(self.statistics.result_csv({"key": "nothing"}), (404, ""))
        self.play("inbound-answered")
        with self.assertRaises(Refused):
            self.ask(fields="start,colour")


class TestWithoutNotifications(StatisticsCase):
    """What only the statistics know, as after an outage."""

    def test_calls_are_in_the_statistics_all_the_same(self):
        self.pbx.settings.update({"notify": False})
        self.play("inbound-known-manager")
        self.assertEqual(self.pbx.journal.last_id, 0)
        [item] = self.complete(self.request()["key"])
        self.assertEqual(item["context_status"], 1)

    def test_back_again(self):
        self.pbx.settings.update({"notify": False})
        self.pbx.settings.update({"notify": True})
        self.play("inbound-known-manager")
        self.assertGreater(self.pbx.journal.last_id, 0)

    def test_only_true_or_false(self):
        with self.assertRaises(ValueError):
            self.pbx.settings.update({"notify": "no"})
