"""Parts of a run, side by side: nothing is lost, mixed up or taken for a success."""

import contextlib
import io
import multiprocessing
import os
import signal
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from devtools import parts, paths
from devtools.console import Failure, say
from devtools.parts import Part
from devtools.report import Report

PATIENCE = 30  # seconds for two parts to meet


def passes(report):
    say("begins")
    report.add("one", True)
    report.add("two", True)
    say("ends")


def fails(report):
    report.add("one", True)
    report.add("three", False, "expected 4")


class TestSideBySide(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        logs = mock.patch.object(paths, "LOGS", self.folder / "log")
        logs.start()
        self.addCleanup(logs.stop)

    def run_parts(self, *lanes):
        report, printed = Report(), io.StringIO()
        with contextlib.redirect_stdout(printed):
            parts.run_side_by_side(report, *lanes)
        return report, printed.getvalue()

    def test_results_are_added(self):
        report, text = self.run_parts([Part("A", passes)], [Part("B", fails)])
        self.assertEqual((report.passed, report.failed), (3, ["three"]))
        self.assertRegex(text, r"\nA: 2 passed, 0 failed, \d+ s\n  begins\n  ends\n")
        self.assertRegex(text, r"\nB: 1 passed, 1 failed, \d+ s\n")
        self.assertIn("  FAILED: three\n  expected 4\n", text)
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(report.finish(), 1)

    def test_a_part_that_raises_has_failed(self):
        def raises(report):
            report.add("one", True)
            report.add("two", False)
            raise ValueError("surprise")

        report, text = self.run_parts([Part("A", raises)])
        self.assertEqual(report.passed, 1)
        self.assertEqual(report.failed, ["two", "A: ended with status 1"])
        self.assertIn("ValueError: surprise", text)

    def test_a_failure_is_told_in_its_sentence(self):
        def raises(report):
            raise Failure("read the log")

        report, text = self.run_parts([Part("A", raises)])
        self.assertEqual(report.failed, ["A"])
        self.assertIn("  read the log\n", text)
        self.assertNotIn("Traceback", text)

    def test_a_part_that_is_killed_has_failed(self):
        def dies(report):
            report.add("one", True)
            os.kill(os.getpid(), signal.SIGKILL)

        report, _text = self.run_parts([Part("A", dies), Part("B", passes)])
        self.assertEqual(report.passed, 2)
        self.assertEqual(report.failed, ["A: ended with status -9"])

    def test_lanes_run_at_the_same_time(self):
        barrier = multiprocessing.get_context("fork").Barrier(2, timeout=PATIENCE)

        def meets(report):
            barrier.wait()
            report.add("met", True)

        report, _text = self.run_parts([Part("A", meets)], [Part("B", meets)])
        self.assertEqual((report.passed, report.failed), (2, []))

    def test_parts_of_a_lane_run_one_after_the_other(self):
        def begins(report):
            (self.folder / "done").touch()

        def goes_on(report):
            report.add("in order", (self.folder / "done").exists())

        lane = [Part("A", begins), Part("B", goes_on)]
        report, _text = self.run_parts(lane, [])
        self.assertEqual((report.passed, report.failed), (1, []))

    def test_progress_is_only_shown_while_it_lasts(self):
        def has_steps(report):
            say("First ...")
            say("  ... half of it")

        run = parts._Run(Part("A", has_steps))
        parts._wait({0: run})
        self.assertEqual(run.state(), "First: half of it")
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            run.finish(Report())
        self.assertIn("  First ...\n", printed.getvalue())
        self.assertNotIn("half of it", printed.getvalue())

    def test_an_interrupted_run_ends_its_parts(self):
        tidied = self.folder / "tidied"
        began = multiprocessing.get_context("fork").Event()

        def lasts(report):
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            try:
                began.set()
                signal.pause()
            finally:
                tidied.touch()

        def interrupt(running):
            began.wait(PATIENCE)
            raise KeyboardInterrupt

        with mock.patch.object(parts, "_wait", interrupt):
            with self.assertRaises(KeyboardInterrupt):
                self.run_parts([Part("A", lasts)])
        self.assertTrue(tidied.exists())


if __name__ == "__main__":
    unittest.main()
