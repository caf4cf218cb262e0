"""``./dev demo``: Odoo with demo data beside the PBX simulator, already connected."""

import fcntl
import hashlib
import json
import locale
import os
import time
import urllib.error
import urllib.request

from . import database, odoo, paths, processes
from .console import Failure, say, step

DATABASE = "mango_demo"
BUILDING = f"{DATABASE}_new"  # renamed to the above once it is complete
SETUP = paths.DEVTOOLS / "demo_setup.py"
STAMP = paths.STAMPS / "demo"
LOG = paths.LOGS / "demo.log"
HOST = "127.0.0.1"
START_TIMEOUT = 120  # seconds
# The simulator's credentials, not valid anywhere else.
KEY = "demo_api_key_0001"
SALT = "demo_api_salt_0002"
PASSWORD = "demo"
# Files whose change requires an update of the database.
SOURCES = ["*.py", "*.xml", "*.csv", "*.po", "*.json"]

WELCOME = """
The demo is running.

  Odoo       {odoo}
             admin / admin: sees everything, and the settings
             {logins}: password {password}
  PBX        {pbx}
             the simulated telephone exchange: its staff, calls to play, its log

Try: open both addresses side by side, in Odoo as anna.
- On the PBX's page let 74950000201 (Ivan Petrov, Anna's customer) call the main line.
  Before the greeting ends the page shows that Odoo routed the call to 101, Anna, whose
  card in Odoo shows who is calling; pick up, write a note on the card, hang up, and
  find the call in Odoo's app "Calls" with the contact, the lead, the reason, the note.
- In the lead "Поставка офисной мебели" click the phone icon beside the number. On the
  PBX's page pick up for 101, then let the customer answer; Odoo follows.
- In a second, private window log in as boris. Let 74950000204 (Sergey Volkov, nobody's
  customer) call: the card is on both screens. Pick up for 102: it leaves Anna's.
- As vera, who leads the team, open Board in the app "Calls": who talks with whom. Its
  Full Screen is for a television.
{history}
README.md goes on from here. Ctrl-C stops both; the data stay. Log: {log}
"""

HISTORY = """\
- As vera, open Reporting > Dashboards there: the past week, or the past month if you
  choose it. Click a figure or a bar to see its calls.
"""


def main(port, pbx_port, language, fresh, history):
    """Run the demo until Ctrl-C.

    :param int port: of Odoo.
    :param int pbx_port: of the simulator.
    :param str language: its code, or None for the system's language.
    :param bool fresh: whether to start from an empty database.
    :param bool history: whether there were calls in the past month.
    """
    odoo.require_free_port(port, "--port")
    odoo.require_free_port(pbx_port, "--pbx-port")
    surroundings = database.acquire()
    environment = odoo.environment(surroundings)
    if fresh:
        database.drop(DATABASE, surroundings)
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("w") as log:
        output = {"stdout": log, "stderr": log, "stdin": processes.DEVNULL}
        pbx = simulator([port], pbx_port, history)
        with processes.running(pbx, cwd=paths.ROOT, **output):
            wait_for(f"http://{HOST}:{pbx_port}/", "the PBX simulator")
            wishes = make_wishes(port, pbx_port, language, history)
            update = _prepare(wishes, surroundings, environment)
            server = processes.running(
                _server(port, update), cwd=paths.DEV, env=environment, **output
            )
            with server as process:
                with step("Starting Odoo"):
                    wait_for(f"http://{HOST}:{port}/exec/mango", "Odoo", process)
                _remember(wishes)
                _welcome(wishes)
                process.wait()
    raise Failure(f"Odoo has ended by itself: read {LOG}.")


def simulator(ports, pbx_port, history=False):
    """Return the simulator's command.

    :param list[int] ports: of Odoo's servers, which are notified in turn.
    :param int pbx_port: of the simulator.
    :param bool history: whether its statistics know a past month of calls.
    :rtype: list
    """
    options = {"port": pbx_port, "key": KEY, "salt": SALT}
    arguments = [f"--{name}={value}" for name, value in options.items()]
    arguments += [f"--webhook=http://{HOST}:{port}/exec/mango" for port in ports]
    if history:
        arguments.append("--history")
    return [paths.PYTHON, "-m", "devtools.pbx", *arguments]


def _server(port, update):
    """Return Odoo's command.

    Without workers, so that Odoo serves websockets on its own port, and live
    notifications need no reverse proxy.
    """
    arguments = [f"--database={DATABASE}", f"--db-filter=^{DATABASE}$"]
    arguments += [f"--http-port={port}", *odoo.workers(0), "--no-database-list"]
    if update:
        arguments.append(f"--update={paths.MODULE}")
    return odoo.command(arguments)


def make_wishes(port, pbx_port, language, history=False):
    """Collect the parameters that the database depends on.

    :param bool history: whether the calls of the past month are in it.
    :return: the input of ``demo_setup.py``, and a digest of the addon's files.
    :rtype: dict
    """
    return {
        "odoo_url": f"http://{HOST}:{port}",
        "pbx_url": f"http://{HOST}:{pbx_port}",
        "api_key": KEY,
        "api_salt": SALT,
        "password": PASSWORD,
        "language": language or _machine_language(),
        "history": history,
        "addon": _digest(),
    }


def _prepare(wishes, surroundings, environment):
    """Create the database, or update an older one.

    :return: whether Odoo has to update the addon at its start.
    :rtype: bool
    """
    if DATABASE not in database.names(surroundings):
        build(BUILDING, wishes, surroundings, environment)
        database.rename(BUILDING, DATABASE, surroundings)
        return False
    known = json.loads(STAMP.read_text()) if STAMP.exists() else {}
    changed = {key for key in wishes if known.get(key) != wishes[key]}
    outdated = "addon" in changed
    if changed - {"addon"}:
        if outdated:
            _update(DATABASE, [paths.MODULE], environment)
        with step("Adapting the demo to other ports, another language or the history"):
            _set_up(DATABASE, wishes, environment)
        return False
    return outdated


def build(name, wishes, surroundings, environment, modules=()):
    """Create a database with the demo; the simulator must be running.

    :param str name: of the database; an older one is dropped.
    :param dict wishes: as returned by :func:`make_wishes`.
    :param dict surroundings: as returned by :func:`devtools.database.acquire`.
    :param dict environment: for Odoo.
    :param modules: names of further addons to install.
    """
    database.drop(name, surroundings)
    init = ",".join([paths.MODULE, *modules])
    arguments = [f"--database={name}", f"--init={init}", "--no-http"]
    arguments += [
        "--load-language=en_US,ru_RU",
        "--stop-after-init",
        "--log-level=warn",
    ]
    with step("Installing the addon in a fresh database (about a minute)"):
        processes.run_logged(
            odoo.command(arguments),
            "read the log, fix the addon and run the same command again",
            log_name="demo-setup.log",
            env=environment,
            cwd=paths.DEV,
        )
    history = ", fetching a month of calls" if wishes["history"] else ""
    with step(f"Loading contacts, leads and users, connecting the PBX{history}"):
        _set_up(name, wishes, environment)


def keep(name, wishes, surroundings, environment, modules, fill):
    """Create a database with the demo and more data once, and update it from then on.

    :param str name: of the database.
    :param list modules: names of further addons.
    :param fill: called with the name of the new database and ``surroundings``.

    The rest is as for :func:`build`.
    """
    stamp = paths.STAMPS / name
    if name not in database.names(surroundings):
        building = f"{name}_new"
        build(building, wishes, surroundings, environment, modules)
        fill(building, surroundings)
        database.rename(building, name, surroundings)
    else:
        if not stamp.exists() or stamp.read_text() != wishes["addon"]:
            _update(name, [paths.MODULE, *modules], environment)
        with step("Adapting the database to today's ports"):
            _set_up(name, wishes, environment)
    stamp.write_text(wishes["addon"])


def copy(template, name, wishes, surroundings, environment):
    """Create a database with the demo from another one, which is made if necessary.

    Parts of a run that begin together wait here for the one that makes it.

    :param str template: name of the other one.

    The rest is as for :func:`build`.
    """
    with (paths.DEV / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if template not in database.names(surroundings):
            building = f"{template}_new"
            build(building, wishes, surroundings, environment)
            database.rename(building, template, surroundings)
        database.copy(template, name, surroundings)
    with step("Adapting the database to its ports"):
        _set_up(name, wishes, environment)


def _update(name, modules, environment):
    arguments = [f"--database={name}", f"--update={','.join(modules)}", "--no-http"]
    with step(f"Updating the addon in {name}"):
        processes.run_logged(
            odoo.command([*arguments, "--stop-after-init", "--log-level=warn"]),
            f"drop the database {name} and run the same command again",
            log_name="demo-setup.log",
            env=environment,
            cwd=paths.DEV,
        )


def _set_up(name, wishes, environment):
    """Run ``demo_setup.py`` in Odoo's shell."""
    command = odoo.command(["shell", f"--database={name}", "--no-http"])
    processes.run_logged(
        [*command, "--log-level=warn", "--shell-interface=python"],
        "read the log, fix the cause and run the same command again",
        log_name="demo-setup.log",
        env={**environment, "MANGO_DEMO": json.dumps(wishes)},
        cwd=paths.DEV,
        script=SETUP,
    )


def _remember(wishes):
    STAMP.write_text(json.dumps(wishes))


def _digest(root=paths.ROOT):
    """Return a digest of the files that an update of the addon reads.

    :param pathlib.Path root: the addon.
    """
    digest = hashlib.sha256()
    for folder in ("models", "views", "security", "data", "i18n", "controllers"):
        for pattern in SOURCES:
            for path in sorted((root / folder).rglob(pattern)):
                digest.update(path.read_bytes())
    digest.update((root / "__manifest__.py").read_bytes())
    return digest.hexdigest()


def _machine_language():
    names = [os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    chosen = next(filter(None, names), "") or locale.getlocale()[0] or ""
    return "ru_RU" if chosen.startswith("ru") else "en_US"


def wait_for(url, name, process=None):
    """Wait until a server answers.

    :param str url: polled until there is any answer.
    :param str name: name of the server.
    :param subprocess.Popen process: the server's process; its end stops the wait.
    :raise Failure: if it does not answer.
    """
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        if process and process.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise Failure(f"{name} does not start: read {LOG}.")


def _welcome(wishes):
    say(
        WELCOME.format(
            odoo=wishes["odoo_url"],
            pbx=wishes["pbx_url"],
            logins="anna, boris, vera, gleb, daria, kirill",
            password=PASSWORD,
            history=HISTORY if wishes["history"] else "",
            log=LOG.relative_to(paths.ROOT),
        )
    )
