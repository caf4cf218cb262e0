"""Translations: the template as Odoo exports it, and the Russian catalogue."""

import subprocess
import sys

from . import database, odoo, paths
from .console import Failure, step

LANGUAGES = ["ru"]
FOLDER = paths.ROOT / "i18n"
DATABASE = "mango_i18n"
LOG = paths.LOGS / "i18n.log"
MERGE = paths.DEVTOOLS / "i18n_merge.py"


def main(check):
    """Update the template and the catalogues, or only compare them.

    :param bool check: whether to only report differences.
    :return: exit status.
    :rtype: int
    """
    surroundings = database.acquire()
    with odoo.deployed_copy() as copy:
        environment = odoo.environment(
            surroundings, copy / "addons", copy / "odoo.conf"
        )
        database.drop(DATABASE, surroundings)
        try:
            with step("Installing the addon in a fresh database"):
                _install(environment)
            found = problems(DATABASE, environment) if check else []
            if not check:
                _merge("--write", _export(DATABASE, environment))
        finally:
            database.drop(DATABASE, surroundings)
    sys.stdout.write("".join(f"{problem}\n" for problem in found))
    return 1 if found else 0


def problems(name, environment):
    """Compare the committed files with the addon's terms.

    :param str name: database with the addon installed.
    :param dict environment: as returned by :func:`devtools.odoo.environment`.
    :return: one line for each problem.
    :rtype: list
    """
    return _merge("--check", _export(name, environment)).splitlines()


def _install(environment):
    arguments = [f"--database={DATABASE}", f"--init={paths.MODULE}", "--no-http"]
    line = odoo.command([*arguments, "--stop-after-init", "--log-level=warn"])
    _run(line, environment)


def _export(name, environment):
    """Export the template with Odoo.

    :return: the template's text.
    :rtype: str
    """
    arguments = ["i18n", "export", "-d", name, "-l", "pot", "-o", "-", paths.MODULE]
    return _run(odoo.command(arguments), environment)


def _merge(mode, template):
    line = [str(paths.PYTHON), str(MERGE), mode, str(FOLDER), paths.MODULE, *LANGUAGES]
    return _run(line, None, template)


def _run(line, environment, text=None):
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("a") as log:
        answer = subprocess.run(
            line,
            env=environment,
            input=text,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            check=False,
        )
    if answer.returncode:
        raise Failure(f"{' '.join(line[1:3])} failed: read {LOG}.")
    return answer.stdout
