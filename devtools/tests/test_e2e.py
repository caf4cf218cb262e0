"""``./dev test`` runs every end-to-end test, and ``./dev e2e`` those that are named."""

import itertools
import unittest

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


if __name__ == "__main__":
    unittest.main()
