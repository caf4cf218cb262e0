"""The demo: who gets the past month of calls, and when its database is updated."""

import tempfile
import unittest
from pathlib import Path

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


class TestDigest(unittest.TestCase):
    def test_changes_with_each_file_that_an_update_reads(self):
        names = ["__manifest__.py", "models/a.py", "views/a.xml", "i18n/ru.po"]
        names += ["security/a.csv", "data/dashboards/a.json"]
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for name in names:
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text("before")
            for name in names:
                with self.subTest(name):
                    before = demo._digest(root)
                    (root / name).write_text("after")
                    self.assertNotEqual(demo._digest(root), before)
