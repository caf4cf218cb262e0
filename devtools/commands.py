"""The command line of ``./dev``."""

import argparse
import os
import pathlib

from . import (
    bench_groups,
    demo,
    e2e_routing,
    environment,
    i18n,
    lint,
    odoo,
    paths,
    processes,
    replay,
    testing,
)
from .console import Failure, say

DESCRIPTION = """\
Set up and run everything that work on this addon needs. Whatever is missing is fetched
into .dev/ first; deleting that folder resets all.

Environment: ODOO_PATH (folder of an Odoo 19 source tree) and PGHOST (a PostgreSQL
server) are used instead of our own if set.
"""


def main(arguments):
    """Run one command.

    :param list arguments: without the program's name.
    :return: exit status.
    :rtype: int
    """
    processes.end_on_sigterm()
    options = _parse(arguments)
    try:
        return options.run(options) or 0
    except Failure as failure:
        say(f"./dev {options.command}: {failure}")
        return 1
    except KeyboardInterrupt:
        say("\nStopped. The same command goes on where this one was.")
        return 130


def _parse(arguments):
    passed_on = {"odoo": _odoo, "pbx": _pbx}
    if arguments and arguments[0] in passed_on:  # their options are passed on
        command, *rest = arguments
        run = passed_on[command]
        return argparse.Namespace(command=command, arguments=rest, run=run)
    return _parser().parse_args(arguments)


def _parser():
    parser = argparse.ArgumentParser(
        prog="./dev",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    commands.add_parser("odoo", help="Odoo's own command line: odoo -- ARGS")
    commands.add_parser("pbx", help="the PBX simulator alone: pbx [options]")

    command = commands.add_parser("lint", help="static checks")
    command.add_argument("--fix", action="store_true", help="fix what can be fixed")
    command.set_defaults(run=_lint)

    command = commands.add_parser("test", help="every test on a fresh database")
    command.add_argument("tags", nargs="?", default="", help="Odoo test tags instead")
    command.set_defaults(run=_test)

    command = commands.add_parser("e2e", help="its end-to-end tests alone")
    command.add_argument(
        "scenarios",
        nargs="*",
        help="scenarios, routing, recordings, self-test, browser, bursts, chaos, "
        "chaos-order, outages, or names of browser scenarios",
    )
    command.add_argument(
        "--seeds",
        type=_range,
        default=[1],
        metavar="1-20",
        help="of the disorder, for chaos-order (1)",
    )
    command.add_argument(
        "--times",
        type=int,
        default=e2e_routing.AT_ONCE,
        help="how often two callers of one manager call together (%(default)s)",
    )
    command.set_defaults(run=_e2e)

    command = commands.add_parser("bench", help="speed, measured against its budgets")
    command.add_argument(
        "--quick", action="store_true", help="ten thousand calls, not a million"
    )
    command.add_argument(
        "--markdown", action="store_true", help="the table for docs/benchmarks.md too"
    )
    command.add_argument(
        "--only",
        action="append",
        default=[],
        choices=bench_groups.GROUPS,
        help="only this group of measures; may be repeated",
    )
    command.set_defaults(run=_bench)

    command = commands.add_parser("replay", help="play a support bundle and compare")
    command.add_argument("bundle", nargs="?", metavar="BUNDLE.zip")
    command.add_argument(
        "--record",
        type=pathlib.Path,
        metavar="FOLDER",
        help="make bundles of the simulator's scenarios instead",
    )
    command.add_argument(
        "--scenario", action="append", default=[], help="only this one; may be repeated"
    )
    command.set_defaults(run=_replay)

    command = commands.add_parser("i18n", help="update the translation files")
    command.add_argument("--check", action="store_true", help="only compare")
    command.set_defaults(run=_i18n)

    command = commands.add_parser("demo", help="Odoo and a simulated PBX, connected")
    command.add_argument("--port", type=int, default=8069, help="of Odoo (8069)")
    command.add_argument("--pbx-port", type=int, default=8090, help="of the PBX (8090)")
    command.add_argument("--lang", choices=["ru_RU", "en_US"], help="of all users")
    command.add_argument("--fresh", action="store_true", help="drop the data first")
    command.add_argument(
        "--no-history",
        dest="history",
        action="store_false",
        help="without the calls of a past month",
    )
    command.set_defaults(run=_demo)

    command = commands.add_parser(
        "screenshots", help="pictures of every screen of the running demo"
    )
    command.add_argument(
        "folder",
        nargs="?",
        type=pathlib.Path,
        help="that takes the PNG files; without one, those of the documentation and of "
        "the app's page are retaken",
    )
    command.add_argument("screens", nargs="*", help="names of some screens instead")
    command.add_argument(
        "--again", action="store_true", help="only pictures that the folder has already"
    )
    command.add_argument("--port", type=int, default=8069, help="of Odoo (8069)")
    command.add_argument("--pbx-port", type=int, default=8090, help="of the PBX (8090)")
    command.set_defaults(run=_screenshots)

    return parser


def _range(text):
    """Return the numbers of a range such as ``1-20``, or of a single number."""
    first, _dash, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def _odoo(options):
    environment.ensure_runtime()
    odoo.replace_process(_after_dashes(options.arguments))


def _after_dashes(arguments):
    return arguments[1:] if arguments[:1] == ["--"] else arguments


def _lint(options):
    environment.ensure_test_tools()
    return lint.main(options.fix)


def _test(options):
    environment.ensure_runtime()
    environment.ensure_test_tools()
    environment.ensure_browser()
    return testing.main(options.tags)


def _e2e(options):
    environment.ensure_runtime()
    environment.ensure_test_tools()
    environment.ensure_browser()
    from . import e2e  # needs the packages that were just installed

    return e2e.main(options.scenarios, options.seeds, options.times)


def _bench(options):
    environment.ensure_runtime()
    environment.ensure_test_tools()
    environment.ensure_browser()
    from . import bench  # needs the packages that were just installed

    return bench.main(options.quick, options.markdown, options.only)


def _replay(options):
    environment.ensure_runtime()
    if options.record:
        from . import replay_record

        return replay_record.main(options.record, options.scenario)
    if not options.bundle:
        raise Failure("name a bundle, or --record FOLDER")
    return replay.main(options.bundle)


def _i18n(options):
    environment.ensure_runtime()
    return i18n.main(options.check)


def _demo(options):
    environment.ensure_runtime()
    demo.main(
        options.port, options.pbx_port, options.lang, options.fresh, options.history
    )


def _screenshots(options):
    environment.ensure_runtime()
    environment.ensure_test_tools()
    environment.ensure_browser()
    from . import screens

    ports = options.port, options.pbx_port
    return screens.main(options.folder, options.screens, options.again, *ports)


def _pbx(options):
    environment.ensure_runtime()
    arguments = _after_dashes(options.arguments)
    python = str(paths.PYTHON)
    os.chdir(paths.ROOT)
    os.execv(python, [python, "-m", "devtools.pbx", *arguments])
