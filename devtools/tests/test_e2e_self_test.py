"""The end-to-end test of the self-test plays every yellow and every red end."""

import re
import unittest

from devtools import e2e_self_test, paths

TABLE = paths.ROOT / "models" / "support" / "self_test_ends.py"
END = re.compile(r'"(\w+)": End\(\s*(WARNING|FAILED)\b')


class TestEnds(unittest.TestCase):
    def test_each_is_played(self):
        # The addon cannot be imported without Odoo.
        told = {
            (end, verdict.lower()) for end, verdict in END.findall(TABLE.read_text())
        }
        self.assertGreater(len(told), 10)
        played = {
            (play.end, play.verdict)
            for play in e2e_self_test.PLAYS
            if play.verdict != e2e_self_test.OK
        }
        self.assertEqual(played, told)


if __name__ == "__main__":
    unittest.main()
