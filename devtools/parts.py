"""Parts of a long run, side by side: a process for each, its output in one piece."""

import contextlib
import multiprocessing
import os
import re
import sys
import time
from collections import deque
from collections.abc import Callable
from multiprocessing import connection
from typing import NamedTuple

from . import console, paths, processes
from .console import Failure, say
from .report import Report

CONTEXT = multiprocessing.get_context("fork")
#: Of a part that gives way to those in which people wait for each other.
NICENESS = 5
STOP_TIMEOUT = 60  # seconds for a part to tidy up
INTERVAL = 30  # seconds between progress lines where the output is no terminal


class Part(NamedTuple):
    """``run`` is called with a :class:`~devtools.report.Report`."""

    name: str
    run: Callable[[Report], None]
    gives_way: bool = False


def run_side_by_side(report, *lanes):
    """Run parts in lanes: at any time one of each lane.

    :param Report report: receives the results.
    :param list lanes: lists of :class:`Part`.
    """
    waiting = [deque(lane) for lane in lanes]
    running = {}
    try:
        while any(waiting) or running:
            for order, lane in enumerate(waiting):
                if lane and order not in running:
                    running[order] = _Run(lane.popleft())
            ended = _wait(running)
            for order in ended:
                running.pop(order).finish(report)
    finally:
        for run in running.values():
            run.stop()


def _wait(running):
    """Wait until a part has ended, and show what is going on meanwhile.

    :return: the lanes of the ended parts.
    :rtype: list[int]
    """
    sentinels = {run.sentinel: order for order, run in running.items()}
    interval = console.LIVE_INTERVAL if console.is_live() else INTERVAL
    while True:
        ended = connection.wait(list(sentinels), interval)
        if ended:
            console.clear_line()
            return [sentinels[sentinel] for sentinel in ended]
        console.show_progress(
            [f"{run.name}: {run.state()}" for run in running.values()]
        )


class _Run:
    """A part in its process.

    :param Part part: what to run.
    """

    def __init__(self, part):
        self.name = part.name
        self._log = paths.LOGS / f"part-{re.sub('[^a-z]+', '-', part.name.lower())}.log"
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._log.write_text("")
        self._results, results = CONTEXT.Pipe(duplex=False)
        sys.stdout.flush()  # or the process would print it once more
        self._process = CONTEXT.Process(
            target=_work,
            args=(part, self._log, results, processes.die_with_parent()),
        )
        self._started = time.monotonic()
        self._process.start()
        results.close()

    @property
    def sentinel(self):
        return self._process.sentinel

    def state(self):
        """:return: the last line of the output, and the progress of that step."""
        lines = self._log.read_text(errors="replace").splitlines() or ["starting"]
        steps = [line for line in lines if not line.startswith(console.PROGRESS)]
        said = dict.fromkeys([*steps[-1:], lines[-1]])
        return ": ".join(line.strip(" .") for line in said)

    def finish(self, report):
        """Show the output of a part that has ended, and report its results."""
        self._process.join()
        seconds = time.monotonic() - self._started
        outcome = Report()
        with contextlib.suppress(EOFError):
            outcome = self._results.recv()
        code = self._process.exitcode
        if code:
            outcome.failed.append(f"{self.name}: ended with status {code}")
        counts = f"{outcome.passed} passed, {len(outcome.failed)} failed"
        say(f"\n{self.name}: {counts}, {seconds:.0f} s")
        for line in self._log.read_text(errors="replace").splitlines():
            if not line.startswith(console.PROGRESS):
                say(f"  {line}".rstrip())
        report.merge(outcome)

    def stop(self):
        """End a part that is not needed any more."""
        self._process.terminate()
        self._process.join(STOP_TIMEOUT)
        if self._process.is_alive():
            self._process.kill()


def _work(part, log, results, die_with_parent):
    """Run a part in its process."""
    die_with_parent()
    sys.stdout = sys.stderr = log.open("a", buffering=1)
    for descriptor in (1, 2):  # those of the programs that it starts
        os.dup2(sys.stdout.fileno(), descriptor)
    if part.gives_way:
        os.nice(NICENESS)
    report = Report()
    try:
        part.run(report)
    except Failure as failure:
        report.add(part.name, False, str(failure))
    finally:
        results.send(report)
        results.close()
