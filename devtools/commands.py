"""The command line of ``./dev``."""

import argparse

from . import environment, lint, odoo, processes
from .console import Failure, say

DESCRIPTION = """\
Set up and run everything that work on this addon needs. Whatever is missing is fetched
into .dev/ first; deleting that folder resets all.

Environment: ODOO_PATH (folder of an Odoo 19 source tree) and PGHOST (a PostgreSQL server)
are used instead of our own if set.
"""


def main(arguments):
    """Run one command.

    :param list arguments: without the program's name.
    :return: exit status.
    :rtype: int
    """
    processes.end_on_sigterm()
    options = _parser().parse_args(arguments)
    try:
        return options.run(options) or 0
    except Failure as failure:
        say(f"./dev {options.command}: {failure}")
        return 1
    except KeyboardInterrupt:
        say("\nStopped. The same command goes on where this one was.")
        return 130


def _parser():
    parser = argparse.ArgumentParser(
        prog="./dev",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    command = commands.add_parser("odoo", help="Odoo's own command line: odoo -- ARGS")
    command.add_argument("arguments", nargs=argparse.REMAINDER)
    command.set_defaults(run=_odoo)

    command = commands.add_parser("lint", help="static checks")
    command.add_argument("--fix", action="store_true", help="mend what can be mended")
    command.set_defaults(run=_lint)
    return parser


def _odoo(options):
    environment.ensure_runtime()
    odoo.replace_process(_after_dashes(options.arguments))


def _after_dashes(arguments):
    return arguments[1:] if arguments[:1] == ["--"] else arguments


def _lint(options):
    environment.ensure_test_tools()
    return lint.main(options.fix)
