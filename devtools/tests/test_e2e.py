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
    BAD = "03:13:16,965 9177 ERROR db odoo.sql_db: bad query: b' UPDATE {} ='\n"

    def is_clean(self, text):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "e2e.log"
            path.write_text(text)
            return e2e._check_log(path)[1]

    def test_a_conflict_is_tried_again(self):
        conflict = "ERROR: could not serialize access due to concurrent update\n"
        command = self.BAD.format('"mango_command"\\n   SET "reason"')
        recording = self.BAD.format('"mango_call"\\n   SET "recording_state"')
        other = self.BAD.format('"mango_call"\\n   SET "state"')
        self.assertTrue(self.is_clean(command + conflict))
        self.assertTrue(self.is_clean(recording + conflict))
        self.assertFalse(self.is_clean(other + conflict))

    def test_whatever_else_is_wrong(self):
        command = self.BAD.format('"mango_command"\\n   SET "reason"')
        self.assertFalse(self.is_clean(command + "ERROR: no such column\n"))
        self.assertFalse(self.is_clean("… WARNING db odoo.http: text\n"))
        self.assertTrue(self.is_clean("… INFO db odoo.http: text\n"))


if __name__ == "__main__":
    unittest.main()
