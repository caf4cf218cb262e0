"""Static checks of Python, XML, CSV, PO and JavaScript."""

import os
import shutil
import subprocess

from . import css_classes, odoo, paths
from .console import step
from .report import Report

ESLINT = "node_modules/eslint/bin/eslint.js"
PRETTIER = "node_modules/prettier/bin/prettier.cjs"
PYLINT_DISABLED = [
    "consider-merging-classes-inherited",  # a large model is split by subject
]
OCA_DISABLED = [
    "prefer-readme-rst",  # ours is README.md
    "xml-header-wrong",  # wants UTF-8 where Odoo itself writes utf-8
]
NODE_CONFIGS = ["eslint.config.cjs", "prettier.config.cjs"]


def main(fix):
    """Run all checks.

    :param bool fix: whether to fix first what can be fixed.
    :return: exit status.
    :rtype: int
    """
    if fix:
        _fix()
    report = Report()
    run(report)
    return report.finish()


def run(report):
    """Run all checks.

    :param devtools.report.Report report: receives the results.
    """
    with odoo.deployed_copy() as copy:
        addon = copy / "addons" / paths.MODULE
        for name, command in _checks(addon):
            with step(name):
                ok, output = _run(command)
            for prefix in (f"{addon}/", f"{addon.relative_to(paths.ROOT)}/"):
                output = output.replace(prefix, "")
            report.add(name, ok, output)
    unused = css_classes.find_unused()
    report.add("CSS classes", not unused, "\n".join(unused))


def _checks(addon):
    """List the checks.

    :param pathlib.Path addon: the addon as deployed, for checks that depend on the name
        of its folder.
    :return: names and commands.
    :rtype: list
    """
    ruff = [paths.PYTHON, "-m", "ruff"]
    pylint = [paths.PYTHON, "-m", "pylint", f"--rcfile={paths.ROOT / '.pylintrc'}"]
    pylint.append(f"--disable={','.join(PYLINT_DISABLED)}")
    oca = paths.VENV / "bin" / "oca-checks-odoo-module"
    checks = [
        ("ruff check", [*ruff, "check", "--quiet", "."]),
        ("ruff format", [*ruff, "format", "--quiet", "--diff", "."]),
        ("pylint-odoo", [*pylint, addon]),
        ("OCA module checks", [oca, f"--disable={','.join(OCA_DISABLED)}", addon]),
    ]
    catalogues = sorted((addon / "i18n").glob("*.po*"))
    if catalogues:
        program = paths.VENV / "bin" / "oca-checks-po"
        # It expects translations that equal their term to be empty; the format is that
        # of "./dev i18n", which has a check of its own.
        command = [program, "--disable=po-pretty-format", *catalogues]
        checks.append(("OCA PO checks", command))
    scripts = _scripts()
    if scripts:
        checks.append(("eslint", [*_node_tool(ESLINT), *scripts]))
        checks.append(("prettier", [*_node_tool(PRETTIER), "--check", *scripts]))
    return checks


def _fix():
    ruff = [paths.PYTHON, "-m", "ruff"]
    commands = [[*ruff, "check", "--fix", "--quiet", "."], [*ruff, "format", "--quiet"]]
    scripts = _scripts()
    if scripts:
        commands.append([*_node_tool(ESLINT), "--fix", *scripts])
        commands.append([*_node_tool(PRETTIER), "--write", *scripts])
    for command in commands:
        _run(command)  # the check reports what cannot be fixed


def _scripts():
    scripts = sorted((paths.ROOT / "static").rglob("*.js"))
    return [path.relative_to(paths.ROOT) for path in scripts if "lib" not in path.parts]


def _node_tool(script):
    """Return the command of a Node.js program with our configuration."""
    for name in NODE_CONFIGS:
        shutil.copy(paths.DEVTOOLS / name, paths.NODE_TOOLS)
    config = "eslint.config.cjs" if script == ESLINT else "prettier.config.cjs"
    tool = paths.NODE_TOOLS / script
    return [paths.node(), tool, "--config", paths.NODE_TOOLS / config]


def _run(command):
    # Tools of the virtual environment call each other by name.
    search = f"{paths.VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    answer = subprocess.run(
        [str(part) for part in command],
        cwd=paths.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env={**os.environ, "PATH": search, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    return answer.returncode == 0, answer.stdout
