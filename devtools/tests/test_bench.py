"""The bench's arithmetic, its table, and the recordings it posts."""

import json
import unittest

from devtools.bench_groups import GROUPS, choose
from devtools.bench_pages import _specification
from devtools.bench_table import Budget, Row, at_most, markdown, table
from devtools.console import Failure
from devtools.traffic import Post, RecordedScenario, multiplied, unmarked

BUDGET = Budget("p95 ≤ 1 s", lambda row: row.p95 <= 1)


class TestBench(unittest.TestCase):
    def test_percentiles(self):
        row = Row("ring", [order / 100 for order in range(1, 101)])
        self.assertAlmostEqual(row.p50, 0.505)
        self.assertEqual(row.p95, 0.95)

    def test_budget(self):
        for last, ok in ((1.0, True), (1.1, False)):
            with self.subTest(last=last):
                row = Row("ring", [0.1, last], budget=BUDGET)
                self.assertEqual(row.ok, ok)
        self.assertTrue(Row("no budget", [9]).ok)

    def test_budget_of_the_floor(self):
        for seconds, ok in ((0.5, True), (0.51, False)):
            with self.subTest(seconds=seconds):
                row = Row("apply", [seconds], floor=0.2, budget=at_most(2.5))
                self.assertEqual(row.ok, ok)
        self.assertEqual(at_most(2.5).words, "≤ 2.5 ×")

    def test_table(self):
        rows = [
            Row("bare", [0.02]),
            Row("ring → card", [0.1, 0.2], floor=0.02, budget=BUDGET),
            Row("slow", [2.0], budget=BUDGET),
        ]
        bare, ring, slow = table(rows).splitlines()[1:]
        self.assertEqual(bare.split(), ["bare", "1", "20", "ms", "20", "ms"])
        self.assertRegex(ring, r"150 ms +200 ms +7\.5 ")
        self.assertTrue(ring.endswith("p95 ≤ 1 s  pass"))
        self.assertTrue(slow.endswith("FAIL"))

    def test_small_figures(self):
        [_headings, line] = table([Row("index", [0.00018], floor=0.198)]).splitlines()
        self.assertEqual(
            line.split()[2:], ["0.18", "ms", "0.18", "ms", "1", "/", "1", "100"]
        )

    def test_memory(self):
        row = Row(
            "board", [24_300_000], floor=23_100_000, budget=at_most(1.1), unit="MB"
        )
        [_headings, line] = table([row]).splitlines()
        self.assertRegex(line, r"board +1 +24 MB +24 MB +1\.1 +≤ 1\.1 × +pass")

    def test_markdown(self):
        heading, rule, line = markdown([Row("bare", [0.02])]).splitlines()
        self.assertEqual(heading.count("|"), rule.count("|"))
        self.assertEqual(line, "| bare | 1 | 20 ms | 20 ms |  |  |  |")


class TestTakes(unittest.TestCase):
    def test_copy_has_ids_of_its_own(self):
        leg = {
            "entry_id": "E1",
            "from": {"number": "74950000201", "taken_from_call_id": "L1"},
            "call_id": "L2",
            "command_id": "",
        }
        [post] = RecordedScenario("talk", 1, [["events/call", leg]]).copy("7")
        self.assertEqual(post.kind, "events/call")
        self.assertEqual(
            json.loads(post.text),
            {
                "entry_id": "E1~7",
                "from": {"number": "74950000201", "taken_from_call_id": "L1~7"},
                "call_id": "L2~7",
                "command_id": "",
            },
        )
        self.assertEqual(unmarked("E1~7"), "E1")

    def test_copies_are_the_same_each_time(self):
        take = RecordedScenario(
            "talk", 1, [["events/call", {"entry_id": "E1", "а": 1}]]
        )
        self.assertEqual(take.copy("1"), take.copy("1"))
        self.assertEqual(
            take.copy("1"), [Post("events/call", '{"entry_id":"E1~1","а":1}')]
        )

    def test_each_take_at_least_once_and_the_short_ones_most(self):
        takes = [
            RecordedScenario(str(length), 1, [None] * length) for length in range(1, 17)
        ]
        chosen = multiplied(takes, 100)
        self.assertEqual(len(chosen), 100)
        counts = {take.name: chosen.count(take) for take in takes}
        self.assertEqual(min(counts.values()), 1)
        self.assertGreater(counts["1"], 40)
        self.assertEqual(multiplied(takes, 5), takes)


class TestSpecification(unittest.TestCase):
    def test_fields_of_a_view(self):
        arch = """<form><field name="name"/><group><field name="user_id"/></group>
            <field name="line_ids"><list><field name="inner"/></list></field>
            <field name="hidden_by_rights"/></form>"""
        kinds = {"name": "char", "user_id": "many2one", "line_ids": "one2many"}
        fields = {name: {"type": kind} for name, kind in kinds.items()}
        self.assertEqual(
            _specification(arch, {**fields, "inner": {"type": "char"}}),
            {
                "line_ids": {},
                "name": {},
                "user_id": {"fields": {"display_name": {}}},
            },
        )


class TestGroups(unittest.TestCase):
    def test_all(self):
        self.assertEqual(choose(quick=False, only=[]), [*GROUPS])

    def test_quick_ones(self):
        quick = ["webhook", "pages", "routing", "burst", "wall"]
        self.assertEqual(choose(quick=True, only=[]), quick)

    def test_some_in_their_order(self):
        self.assertEqual(choose(False, ["wall", "webhook"]), ["webhook", "wall"])

    def test_nothing_left(self):
        with self.assertRaisesRegex(Failure, "throughput"):
            choose(quick=True, only=["throughput"])
