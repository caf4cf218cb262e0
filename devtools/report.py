"""Results of checks and tests: failures in full at once, a summary at the end."""

from .console import say

RULER = "-" * 72


class Report:
    """Counts what passed and shows what failed."""

    def __init__(self):
        self.passed = 0
        self.failed = []

    def add(self, name, ok, detail=""):
        """Add one result.

        :param str name: what was checked.
        :param bool ok: whether it passed.
        :param str detail: what to show if it did not.
        """
        if ok:
            self.passed += 1
            return
        self.failed.append(name)
        say(f"{RULER}\nFAILED: {name}")
        if detail:
            say(detail.rstrip())
        say(RULER)

    def merge(self, other):
        """Add the results of another report, whose failures have been shown.

        :param Report other: with the results of a part.
        """
        self.passed += other.passed
        self.failed += other.failed

    def finish(self):
        """Print the summary, alone on the last line.

        :return: exit status.
        :rtype: int
        """
        for name in self.failed:
            say(f"FAILED: {name}")
        say(f"{self.passed} passed, {len(self.failed)} failed")
        return 1 if self.failed or not self.passed else 0
