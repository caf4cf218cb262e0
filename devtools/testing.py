"""``./dev test``: all checks, on a fresh database."""

import collections
import os
import re
import subprocess

from . import database, i18n, lint, odoo, paths, processes, testbed
from .console import say, step
from .parts import Part, run_side_by_side
from .report import Report

LINT_ADDON = "test_mango_office_lint"
ALL_TAGS = f"/{paths.MODULE},/{LINT_ADDON}"
#: Tests with an app that the addon does not depend on, run once it is installed.
SALES_TAG, SALES = "mango_sales", "sale_crm"
DATABASE = "mango_test"
#: All those that a killed run leaves.
DATABASES = f"{DATABASE}|mango_e2e|mango_replay|{testbed.TEMPLATE}"
LOG = paths.LOGS / "test.log"

# 2026-11-23 11:26:13,865 8618 INFO database odoo.addons.x.tests.test_y: text
LOG_LINE = re.compile(
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ \d+ (?P<level>[A-Z]+) \S+ (?P<logger>\S+?): "
    r"(?P<text>.*)$"
)
STARTING = re.compile(r"^Starting (?P<test>\S+) \.\.\.$")
BROKEN = re.compile(r"^(FAIL|ERROR): (?P<what>.+)$")
SKIPPED = re.compile(r"^skipped (?P<test>\S+) : (?P<reason>.*)$")
SUM = re.compile(r"(?P<failed>\d+) failed, (?P<errors>\d+) error\(s\) of \d+ tests")
BAD_LEVELS = {"WARNING", "ERROR", "CRITICAL"}

# Everything at WARNING and above is unexpected except for these (logger, text).
KNOWN_MESSAGES = [
    # Odoo's summaries of failed tests, which are counted one by one.
    (r"^odoo\.tests\.result$", SUM.pattern),
    (r"^odoo\.modules\.loading$", r"^Module \S+: \d+ failures, \d+ errors of "),
]

Message = collections.namedtuple("Message", "level logger text")


class OdooLog:
    """The log of a run of Odoo, parsed line by line."""

    def __init__(self):
        self.started = []
        self.broken = {}  # name of a test or of a class's set-up -> its traceback
        self.skipped = {}
        self.messages = []  # everything at WARNING and above that is not a failed test
        self.failures_reported = 0
        self._tail = None  # collects the lines that belong to the last message

    def take(self, line):
        """Parse one line.

        :param str line: with or without line end.
        """
        line = line.rstrip()
        match = LOG_LINE.match(line)
        if not match:
            if self._tail is not None:
                self._tail.append(line)
            return
        self._tail = None
        self._take_message(Message(*match.group("level", "logger", "text")))

    def _take_message(self, message):
        if match := STARTING.match(message.text):
            self.started.append(match["test"])
        elif match := SKIPPED.match(message.text):
            self.skipped[match["test"]] = match["reason"]
        elif match := BROKEN.match(message.text):
            name = _test_name(match["what"])
            self._tail = self.broken.setdefault(name, [])
            self._tail.append(message.text)
        elif message.level in BAD_LEVELS:
            if match := SUM.search(message.text):
                self.failures_reported += int(match["failed"]) + int(match["errors"])
            self._tail = [f"{message.level} {message.logger}: {message.text}"]
            self.messages.append((message, self._tail))

    def ours(self):
        """List the unexpected messages.

        :return: the messages with the lines that follow them.
        :rtype: list
        """
        return [
            "\n".join(lines)
            for message, lines in self.messages
            if not any(
                re.search(logger, message.logger) and re.search(text, message.text)
                for logger, text in KNOWN_MESSAGES
            )
        ]


def main(tags):
    """Run the tests.

    :param str tags: Odoo test tags; empty for all tests. ``mango_sales`` are those
        with the app Sales.
    :return: exit status.
    :rtype: int
    """
    surroundings = database.acquire()
    _drop_left_over_databases(surroundings)
    report = Report()
    if tags:
        _run_odoo_tests(report, tags)
    else:
        _run_everything(report, surroundings)
    return report.finish()


def _run_everything(report, surroundings):
    """Run what needs the processor beside what mostly waits for phones."""
    from . import e2e  # needs the packages that were just installed

    checks = [
        Part("Lint", lint.run, gives_way=True),
        Part("Tests of the tools", _run_devtools_tests, gives_way=True),
    ]
    tests = Part("Tests in Odoo", _run_odoo_tests)
    with testbed.template(surroundings) as template:
        (*lanes, last), alone = e2e.split(template)
        say("Everything side by side, in parts; each is shown when it has ended ...")
        run_side_by_side(report, [tests], *lanes, [*checks, *last])
        run_side_by_side(report, [alone])


def _run_odoo_tests(report, tags=""):
    surroundings = database.acquire()
    name = f"{DATABASE}_{os.getpid()}"
    LOG.unlink(missing_ok=True)
    with odoo.deployed_copy() as copy:
        _add_lint_addon(copy)
        environment = _environment(copy, surroundings)
        try:
            if tags != SALES_TAG:
                _run_odoo(report, name, tags or ALL_TAGS, environment)
            if not tags:
                _check_translations(report, name, environment)
            if tags in ("", SALES_TAG):
                _run_odoo(report, name, SALES_TAG, environment, [SALES])
        finally:
            database.drop(name, surroundings)


def _add_lint_addon(copy):
    source = paths.DEVTOOLS / "addons" / LINT_ADDON
    (copy / "addons" / LINT_ADDON).symlink_to(source, target_is_directory=True)


def _environment(copy, surroundings):
    environment = odoo.environment(surroundings, copy / "addons", copy / "odoo.conf")
    return {**environment, "PYTHONDONTWRITEBYTECODE": "1"}


def _run_odoo(report, name, tags, environment, apps=()):
    log = OdooLog()
    command = odoo.command(
        [
            f"--database={name}",
            f"--init={','.join([paths.MODULE, LINT_ADDON, *apps])}",
            f"--update={paths.MODULE}",  # or its tests would not run a second time
            f"--test-tags={tags}",
            f"--http-port={odoo.free_port()}",
            "--stop-after-init",
            "--max-cron-threads=0",
        ]
    )

    def measure():
        if not log.started:
            return "installing"
        return f"{len(log.started)} tests so far: {log.started[-1]}"

    with step(f"Odoo tests {tags}", measure):
        status = _run_and_read(command, environment, log)
    _report_odoo(report, log, tags, status)


def _run_and_read(command, environment, log):
    """Run Odoo, store its output and parse it line by line.

    :return: exit status.
    :rtype: int
    """
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("a", buffering=1) as file:
        process = processes.spawn(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=environment,
            start_new_session=True,  # with its browser, to be ended together
        )
        try:
            for line in process.stdout:
                file.write(line)
                log.take(line)
            return process.wait()
        finally:
            _end_session(process)


def _end_session(process):
    processes.stop_tree(process, timeout=5)


def _report_odoo(report, log, tags, status):
    if not log.started:
        report.add(
            "Odoo tests", False, f"No test has the tags {tags}.\n{_end_of_log()}"
        )
    for name in sorted({*log.started, *log.broken}):
        if name in log.skipped:  # a test that did not run proves nothing
            report.add(name, False, f"skipped: {log.skipped[name]}")
            continue
        report.add(name, name not in log.broken, _shorten(log.broken.get(name, [])))
    if (status or log.failures_reported) and not log.broken:
        report.add("Odoo", False, f"Odoo ended with {status}.\n{_end_of_log()}")
    report.add("Odoo log clean", not log.ours(), _shorten(log.ours()))


def _shorten(lines):
    """Replace paths of the copy by paths of the repository."""
    return re.sub(rf"{paths.DEV}/run/\d+/addons/{paths.MODULE}/", "", "\n".join(lines))


def _end_of_log():
    return "".join(LOG.read_text(errors="replace").splitlines(keepends=True)[-30:])


def _test_name(description):
    """Return the name of a failed test.

    :param str description: ``TestX.test_y``, ``Subtest TestX.test_y (number='7')`` or
        ``setUpClass (odoo.addons.mango_office.tests.test_x.TestX)``.
    :rtype: str
    """
    words = description.split()
    return words[1] if words[0] == "Subtest" else description


def _check_translations(report, name, environment):
    with step("Translations"):
        problems = i18n.problems(name, environment)
    report.add("translations", not problems, "\n".join(problems))


def _run_devtools_tests(report):
    """Run the tools' own tests, which need no Odoo."""
    folder = paths.DEVTOOLS / "tests"
    if not any(folder.glob("test_*.py")):
        return
    command = [paths.PYTHON, "-m", "unittest", "discover", "-v", "-t", paths.ROOT]
    with step("Tests of the tools"):
        answer = subprocess.run(
            [str(part) for part in [*command, "-s", folder]],
            cwd=paths.ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    for test in re.findall(r"^(\S+ \(\S+\)).* \.\.\. ok$", answer.stdout, re.MULTILINE):
        report.add(test, True)
    ok = answer.returncode == 0
    report.add("tests of the tools", ok, answer.stdout[-8000:])


def _drop_left_over_databases(surroundings):
    for name in database.names(surroundings):
        match = re.fullmatch(rf"(?:{DATABASES})_(\d+)(?:_new)?", name)
        if match and not processes.is_running(int(match[1])):
            database.drop(name, surroundings)
