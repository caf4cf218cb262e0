"""Who gets the past month of calls: the demo, unless told otherwise; nobody else."""

import unittest

from devtools import commands, demo

PORTS = 8069, 8090


class TestHistory(unittest.TestCase):
    def test_the_demo_has_it_unless_told_otherwise(self):
        self.assertTrue(commands._parse(["demo"]).history)
        self.assertFalse(commands._parse(["demo", "--no-history"]).history)

    def test_nobody_else_has_it(self):
        self.assertFalse(demo.make_wishes(*PORTS, "en_US")["history"])
        self.assertNotIn("--history", demo.simulator([8069], 8090))

    def test_the_simulator_knows_it(self):
        self.assertIn("--history", demo.simulator([8069], 8090, history=True))
