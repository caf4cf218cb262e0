"""The bench's arithmetic and its table."""

import unittest

from devtools.bench import Budget, Row, table

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
