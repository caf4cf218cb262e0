"""``./dev test`` runs every end-to-end test, and ``./dev e2e`` those that are named."""

import itertools
import tempfile
import unittest
from pathlib import Path

from devtools import commands, e2e


def chosen(*names):
    """:return: the names of the checks that these arguments run."""
    options = commands._parse(["e2e", *names])
    wanted = e2e.Wanted(options.scenarios, options.seeds, options.times)
    functions = {check: name for name, check in e2e.CHECKS.items()}
    return [functions[check] for check in wanted.checks()], wanted


class TestParts(unittest.TestCase):
    def test_each_check_is_in_one_part(self):
        lanes, alone = e2e.split("template")
        parts = [*itertools.chain(*lanes), alone]
        checks = [
            check
            for part in parts
            if part.name != "End-to-end: replay"  # needs no Odoo
            for check in part.run.keywords["checks"]
        ]
        expected = set(e2e.CHECKS) - {"replay", "chaos-order"}
        self.assertCountEqual(checks, [e2e.CHECKS[name] for name in expected])
        self.assertIn("End-to-end: replay", [part.name for part in parts])


class TestWanted(unittest.TestCase):
    def test_by_name(self):
        self.assertEqual(chosen("outages", "routing")[0], ["routing", "outages"])

    def test_scenarios_in_the_browser(self):
        checks, wanted = chosen("two_tabs", "self-test", "board")
        self.assertEqual(checks, ["browser", "self-test"])
        self.assertEqual(wanted.scenarios, ["two_tabs", "board"])

    def test_all_scenarios_in_the_browser(self):
        checks, wanted = chosen("browser")
        self.assertEqual((checks, wanted.scenarios), (["browser"], []))


class TestLog(unittest.TestCase):
    def is_clean(self, text):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "e2e.log"
            path.write_text(text)
            return e2e._check_log(path)[1]

    def test_nothing_is_wrong(self):
        self.assertTrue(self.is_clean("… INFO db odoo.http: text\n"))

    def test_something_is_wrong(self):
        conflict = '… ERROR db odoo.sql_db: bad query: b\' UPDATE "mango_call"\n'
        for text in (conflict, "… WARNING db odoo.http: text\n", "Traceback\n"):
            with self.subTest(text=text):
                self.assertFalse(self.is_clean(text))


if __name__ == "__main__":
    unittest.main()
