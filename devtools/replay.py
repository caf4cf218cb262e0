"""``./dev replay``: play a support bundle into a fresh database and compare."""

import json
import os
import pathlib
import tempfile

from . import database, odoo, paths, processes
from .console import Failure, say, step

DATABASE = "mango_replay"
SCRIPT = paths.DEVTOOLS / "replay_bundle.py"
LOG = "replay.log"
ABSENT = object()
LEGEND = (
    "Where a call differs: what the customer's Odoo had | what comes of the "
    "notifications here."
)


def main(bundle):
    """Play a bundle, and print its calls beside the resulting ones.

    :param str bundle: path of the zip.
    :return: exit status: 1 if they differ.
    :rtype: int
    """
    path = pathlib.Path(bundle).resolve()
    if not path.is_file():
        raise Failure(f"there is no file {bundle}")
    surroundings = database.acquire()
    name = f"{DATABASE}_{os.getpid()}"
    with odoo.deployed_copy() as copy, tempfile.TemporaryDirectory() as folder:
        environment = odoo.environment(
            surroundings, copy / "addons", copy / "odoo.conf"
        )
        outcome = pathlib.Path(folder) / "outcome.json"
        try:
            _install(name, environment)
            _play(name, path, outcome, environment)
            calls = json.loads(outcome.read_text())
        finally:
            database.drop(name, surroundings)
    return report(calls)


def _install(name, environment):
    arguments = [f"--database={name}", f"--init={paths.MODULE}", "--no-http"]
    arguments += ["--stop-after-init", "--log-level=warn"]
    with step("Installing the addon in a fresh database (about a minute)"):
        processes.run_logged(
            odoo.command(arguments),
            "read the log, fix the addon and run the same command again",
            log_name=LOG,
            env=environment,
            cwd=paths.DEV,
        )


def _play(name, path, outcome, environment):
    command = odoo.command(["shell", f"--database={name}", "--no-http"])
    files = {"MANGO_BUNDLE": str(path), "MANGO_OUTCOME": str(outcome)}
    with step("Playing the bundle"):
        processes.run_logged(
            [*command, "--log-level=warn", "--shell-interface=python"],
            "is it a bundle of this version? Read the log",
            log_name=LOG,
            env={**environment, **files},
            cwd=paths.DEV,
            script=SCRIPT,
        )


def report(calls):
    """Print the calls of a bundle beside the resulting ones.

    :param list calls: ``entry_id``, the call in the bundle and the resulting one.
    :return: exit status: 1 if they differ.
    :rtype: int
    """
    different = 0
    for entry_id, expected, made in calls:
        is_equal = expected == made
        different += not is_equal
        say(f"{'  ' if is_equal else '! '}{entry_id}  {_summary(expected or made)}")
        for line in [] if is_equal else _differences(expected, made):
            say(f"    {line}")
    say(f"\n{len(calls)} calls, {different} different")
    if different:
        say(LEGEND)
    return 1 if different else 0


def _summary(call):
    words = [call["direction"], call["result"] or call["state"]]
    words += [call["client_number"], f"{call['wait_duration'] or 0} s wait"]
    words.append(f"{call['talk_duration'] or 0} s talk")
    return ", ".join(filter(None, words))


def _differences(expected, made):
    """List the differences: each place with both values, the bundle's first."""
    if made is None:
        yield "only in the bundle"
    elif expected is None:
        yield "only in the replay"
    else:
        yield from _compare("", expected, made)


def _compare(place, before, after):
    """Compare two values, and what they consist of."""
    if before == after:
        return
    before_parts, after_parts = _parts(before), _parts(after)
    if before_parts is None or after_parts is None:
        yield f"{place}: {_short(before)} | {_short(after)}"
        return
    for name in {**before_parts, **after_parts}:
        yield from _compare(
            f"{place} {name}".lstrip(),
            before_parts.get(name, ABSENT),
            after_parts.get(name, ABSENT),
        )


def _parts(value):
    """Return the named parts of a value; None if it has none."""
    if isinstance(value, dict):
        return value
    if isinstance(value, list) and all(isinstance(part, dict) for part in value):
        return {
            part.get("leg_ref") or part.get("recording_ref") or order: part
            for order, part in enumerate(value, 1)
        }
    return None


def _short(value):
    if value is ABSENT:
        return "nothing"
    if isinstance(value, dict):
        value = {name: part for name, part in value.items() if part is not None}
    return json.dumps(value, ensure_ascii=False)
