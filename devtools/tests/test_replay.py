"""What ``./dev replay`` prints, and its exit status."""

import contextlib
import io
import unittest

from devtools import replay, replay_record
from devtools.pbx import scenarios

CALL = {
    "direction": "inbound",
    "state": "ended",
    "result": "answered",
    "client_number": "+74950000201",
    "wait_duration": 20,
    "talk_duration": 75,
    "legs": [{"leg_ref": "L1", "ended_at": None}],
}


class TestReport(unittest.TestCase):
    def report(self, *calls):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            status = replay.report(list(calls))
        return status, printed.getvalue()

    def test_equal(self):
        status, text = self.report(("E1", CALL, dict(CALL)))
        self.assertEqual(status, 0)
        self.assertIn(
            "  E1  inbound, answered, +74950000201, 20 s wait, 75 s talk", text
        )
        self.assertIn("1 calls, 0 different", text)

    def test_each_difference_has_its_place(self):
        legs = [
            {"leg_ref": "L1", "to_extension": "101", "ended_at": None},
            {"leg_ref": "L2", "to_extension": "102", "ended_at": None},
        ]
        route = [{"target": "team", "verdict": "skipped"}]
        before = {**CALL, "legs": legs, "route": route}
        other = {**legs[0], "to_extension": "103"}
        after = {**CALL, "legs": [other], "route": [{**route[0], "verdict": "rung"}]}
        _status, text = self.report(("E1", before, after))
        self.assertIn('    legs L1 to_extension: "101" | "103"\n', text)
        self.assertIn(
            '    legs L2: {"leg_ref": "L2", "to_extension": "102"} | nothing\n', text
        )
        self.assertIn('    route 1 verdict: "skipped" | "rung"\n', text)
        self.assertEqual(text.count(" | "), 4, "nothing but these and the legend")

    def test_different(self):
        status, text = self.report(
            ("E1", CALL, {**CALL, "result": "missed", "legs": []}),
            ("E2", CALL, None),
            ("E3", None, CALL),
            ("E4", CALL, CALL),
        )
        self.assertEqual(status, 1)
        self.assertIn("! E1  inbound, answered", text)
        self.assertIn('    result: "answered" | "missed"', text)
        self.assertIn('    legs L1: {"leg_ref": "L1"} | nothing', text)
        self.assertIn("! E2", text)
        self.assertIn("    only in the bundle", text)
        self.assertIn("! E3  inbound, answered", text)
        self.assertIn("    only in the replay", text)
        self.assertIn("  E4  inbound", text)
        self.assertIn("4 calls, 3 different", text)


class TestRecord(unittest.TestCase):
    def test_every_scenario_is_one_of_the_simulators(self):
        self.assertLessEqual(set(replay_record.SCENARIOS), set(scenarios.SCENARIOS))


if __name__ == "__main__":
    unittest.main()
