"""Terminal output: a line per step, progress, one-line failures."""

import contextlib
import shutil
import sys
import threading
import time

QUIET_INTERVAL = 15  # seconds between progress lines where the output is no terminal
LIVE_INTERVAL = 0.5  # seconds between updates of the line on a terminal
PROGRESS = "  ... "  # begins a line of progress


class Failure(Exception):
    """A failure that the user can fix. Its text is one sentence that says how."""


def say(text=""):
    """Print one line at once.

    :param str text: the line.
    """
    print(text, flush=True)


def is_live():
    """Tell whether the output is a terminal, where a line can be updated.

    :rtype: bool
    """
    return sys.stdout.isatty()


def show_progress(states):
    """Show what is going on at the same time.

    :param list states: a text for each.
    """
    if is_live():
        _overwrite(" · ".join(states))
        return
    for state in states:
        say(f"{PROGRESS}{state}")


def clear_line():
    """Clear the line of progress."""
    if is_live():
        _overwrite("")


@contextlib.contextmanager
def step(text, measure=None):
    """Show a step and, while it lasts, its progress.

    :param str text: the step, without a full stop.
    :param measure: a function without parameters that returns a short text, such as
        ``"34 of 117 MB"``; called periodically from another thread.
    """
    done = threading.Event()
    reporter = threading.Thread(
        target=_report, args=(text, measure or (lambda: ""), done), daemon=True
    )
    started = time.monotonic()
    live = is_live()
    print(f"{text} ...", end="" if live else "\n", flush=True)
    reporter.start()
    outcome = "interrupted"
    try:
        yield
        outcome = f"done, {time.monotonic() - started:.0f} s"
    except Exception:
        outcome = "failed"
        raise
    finally:
        done.set()
        reporter.join()
        if live:
            _overwrite(f"{text} ... {outcome}")
            print(flush=True)


def _report(text, measure, done):
    started = time.monotonic()
    live = is_live()
    while not done.wait(LIVE_INTERVAL if live else QUIET_INTERVAL):
        try:
            state = measure()
        except OSError:  # the measured file has been moved meanwhile
            state = ""
        state = state or f"{time.monotonic() - started:.0f} s"
        if live:
            _overwrite(f"{text} ... {state}")
        else:
            say(f"{PROGRESS}{state}")


def _overwrite(line):
    width = shutil.get_terminal_size().columns - 1
    print("\r\033[K" + line[:width], end="", flush=True)
