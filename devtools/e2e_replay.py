"""``./dev replay`` with a bundle as it is, and with one whose calls were changed."""

import json
import pathlib
import subprocess
import sys
import tempfile
import zipfile

from . import paths, processes
from .console import step

BUNDLE = paths.ROOT / "tests" / "bundles" / "simulator-transfer-returned.zip"
CALLS = "calls.jsonl"
TALK = 4321  # seconds that nobody talked


def check():
    """Run the command with either bundle.

    :return: name, success and detail of each check, as they come.
    :rtype: ~collections.abc.Iterator[tuple[str, bool, str]]
    """
    with tempfile.TemporaryDirectory() as folder:
        changed = pathlib.Path(folder) / "changed.zip"
        _change_call(BUNDLE, changed)
        yield _run("replay: an equal bundle", BUNDLE, 0, "1 calls, 0 different")
        words = f"talk_duration: {TALK} | "
        yield _run("replay: a bundle with another call", changed, 1, words)


def _change_call(source, target):
    """Copy a bundle with another length of its only call."""
    with zipfile.ZipFile(source) as bundle, zipfile.ZipFile(target, "w") as changed:
        for name in bundle.namelist():
            text = bundle.read(name).decode()
            if name == CALLS:
                text = json.dumps({**json.loads(text), "talk_duration": TALK})
            changed.writestr(name, text)


def _run(name, bundle, status, words):
    with step(name):
        answer = subprocess.run(
            [sys.executable, str(paths.ROOT / "dev"), "replay", str(bundle)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            preexec_fn=processes.die_with_parent(),
        )
    ok = answer.returncode == status and words in answer.stdout
    detail = f"expected {status} and {words!r}, found {answer.returncode}"
    return name, ok, f"{detail}\n{answer.stdout}"
