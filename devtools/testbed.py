"""A fresh Odoo connected to the PBX simulator, for end-to-end tests and the bench."""

import contextlib
import datetime as dt
import itertools
import json
import os
import time
import urllib.error
import urllib.request
from http.cookiejar import CookieJar

from . import database, demo, odoo, paths, processes
from .console import step

TEMPLATE = "mango_template"
TIMEOUT = 120  # seconds for one answer; that of a scenario comes at its end
CRON_PATIENCE = 120  # seconds
SESSION_COOKIE = "session_id"
#: True in a page of the web client once it receives notifications.
CONNECTED = (
    "odoo.isReady && odoo.__WOWL_DEBUG__.root.env.services"
    ".bus_service.workerState === 'CONNECTED'"
)


@contextlib.contextmanager
def opened(name, log_path, speed, addons=(), fill=None, template=None):
    """Provide a database with the demo, and a running PBX.

    :param str name: of the database, which is dropped afterwards.
    :param pathlib.Path log_path: receives the output of Odoo and the simulator.
    :param float speed: of the simulator; only shortens waiting.
    :param addons: folders of further addons to install.
    :param fill: called with the name and the database server's environment for a new
        database; it is then kept, and only updated the next time.
    :param str template: a database of :func:`template` to be copied.
    :return: the :class:`TestBed`.
    """
    surroundings = database.acquire()
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(log_path.open("w"))
        copy = stack.enter_context(odoo.deployed_copy())
        for addon in addons:
            link = copy / "addons" / addon.name
            link.symlink_to(addon, target_is_directory=True)
        config = copy / "odoo.conf"
        environment = odoo.environment(surroundings, copy / "addons", config)
        if not fill:
            name = f"{name}_{os.getpid()}"
            stack.callback(database.drop, name, surroundings)
        bed = TestBed(name, environment, log, speed, surroundings)
        stack.callback(bed.stop_pbx)
        with step("Starting the PBX and Odoo with demo data"):
            bed.start_pbx()
            wishes = demo.make_wishes(bed.port, bed.pbx_port, "en_US")
            modules = [addon.name for addon in addons]
            if fill:
                demo.keep(name, wishes, surroundings, environment, modules, fill)
            elif template:
                demo.copy(template, name, wishes, surroundings, environment)
            else:
                demo.build(name, wishes, surroundings, environment, modules)
        yield bed


@contextlib.contextmanager
def template(surroundings):
    """Choose a database for the time of the block, to be made once and then copied.

    :param dict surroundings: as returned by :func:`devtools.database.acquire`.
    :return: its name.
    :rtype: str
    """
    name = f"{TEMPLATE}_{os.getpid()}"
    try:
        yield name
    finally:
        database.drop(name, surroundings)


class TestBed:
    """The database, the PBX, and Odoo while it is :meth:`serving`.

    :param str name: of the database.
    :param dict environment: for Odoo.
    :param io.TextIOBase log: receives the output of both.
    :param float speed: of the simulator.
    :param dict surroundings: as returned by :func:`devtools.database.acquire`.
    """

    def __init__(self, name, environment, log, speed, surroundings):
        self.name = name
        self._surroundings = surroundings
        self.port, self.pbx_port = odoo.free_port(), odoo.free_port()
        self.url = f"http://{demo.HOST}:{self.port}"
        self.pbx = Pbx(f"http://{demo.HOST}:{self.pbx_port}")
        self._environment = environment
        self.speed = speed
        self._output = {"stdout": log, "stderr": log, "stdin": processes.DEVNULL}
        self._pbx_process = None
        self._notified = [self.port]

    def start_pbx(self):
        command = [
            *demo.simulator(self._notified, self.pbx_port),
            f"--speed={self.speed}",
        ]
        self._pbx_process = processes.spawn(command, cwd=paths.ROOT, **self._output)
        demo.wait_for(self.pbx.url, "the PBX simulator", self._pbx_process)

    def stop_pbx(self):
        if self._pbx_process:
            processes.stop(self._pbx_process)
            self._pbx_process = None

    @contextlib.contextmanager
    def serving(self, workers, port=None, log=None, crons=True):
        """Run Odoo for the time of the block.

        :param int workers: number of processes; 0 for threads, where the websocket is
            served on the same port.
        :param int port: for a second server, another one than the PBX notifies.
        :param io.TextIOBase log: receives its output instead of the bed's log.
        :param bool crons: whether it runs scheduled actions.
        :return: the :class:`subprocess.Popen`, which leads a process group of its own.
        """
        port = port or self.port
        command = odoo.command(
            [
                f"--database={self.name}",
                f"--db-filter=^{self.name}$",
                f"--http-port={port}",
                f"--gevent-port={odoo.free_port()}",
                *odoo.workers(workers),
                *([] if crons else ["--max-cron-threads=0"]),
            ]
        )
        command = odoo.with_long_queue(command, port)
        options = {"cwd": paths.DEV, "env": self._environment, **self._output}
        if log:
            options |= {"stdout": log, "stderr": log}
        options["start_new_session"] = True
        with processes.running(command, **options) as process:
            demo.wait_for(f"http://{demo.HOST}:{port}/web/health", "Odoo", process)
            yield process
            if crons and process.poll() is None:
                self.wait_for_callbacks()

    @contextlib.contextmanager
    def serving_twice(self, workers):
        """Run two servers for the time of the block; the PBX notifies them in turn.

        :param int workers: of each, as for :meth:`serving`.
        :return: their addresses; the first is :attr:`url`.
        :rtype: list[str]
        """
        second = odoo.free_port()
        with self._notifying(self.port, second):
            with self.serving(workers), self.serving(workers, second):
                yield [self.url, f"http://{demo.HOST}:{second}"]

    @contextlib.contextmanager
    def _notifying(self, *ports):
        earlier = self._notified
        self._restart_pbx(ports)
        try:
            yield
        finally:
            self._restart_pbx(earlier)

    def _restart_pbx(self, ports):
        self.stop_pbx()
        self._notified = ports
        self.start_pbx()

    def wait_for_callbacks(self):
        """Wait until the cron has processed all missed clients.

        :raise RuntimeError: after a timeout.
        """
        self.wait_for_none(
            "SELECT id FROM mango_callback_task WHERE attempts = 0",
            "who is to be called",
        )

    def wait_for_crm(self):
        """Wait until the cron has processed all calls for leads and chatters.

        :raise RuntimeError: after a timeout.
        """
        self.wait_for_none(
            "SELECT id FROM mango_crm_task WHERE attempts = 0",
            "the leads and chatters",
        )

    def wait_for_none(self, text, what):
        """Wait until a query finds nothing any more.

        :param str text: a query for one column.
        :param str what: is waited for.
        :raise RuntimeError: if it does not come to an end.
        """
        deadline = time.monotonic() + CRON_PATIENCE
        while self.query(text):
            if time.monotonic() > deadline:
                raise RuntimeError(f"Timeout after {CRON_PATIENCE} s: {what}.")
            time.sleep(0.2)

    def cut_connections(self):
        """End all connections to the database, as a restart of its server does."""
        database.disconnect(self.name, self._surroundings)

    def query(self, text):
        """Query the database directly.

        :param str text: a query for one column.
        :rtype: list[str]
        """
        return database.query(text, self.name, self._surroundings)

    def log_in(self, login, password):
        """:rtype: Server"""
        return Server(self.url, self.name, login, password)


class Pbx:
    """The simulator, through its control API.

    :param str url: where it listens.
    """

    def __init__(self, url):
        self.url = url

    def play(self, scenario):
        """Play a scenario to its end.

        :param str scenario: its name.
        :return: ``ok``, ``error``, ``calls`` and ``entries`` of the scenario.
        :rtype: dict
        """
        return self.post("scenario", name=scenario, wait=True)

    def post(self, action, /, **values):
        """Control the phones; see :mod:`devtools.pbx.control`."""
        url = f"{self.url}/control/{action}"
        return _post(urllib.request.build_opener(), url, values)

    def get(self, name):
        with urllib.request.urlopen(
            f"{self.url}/control/{name}", timeout=TIMEOUT
        ) as answer:
            return json.load(answer)

    def last_id(self):
        """:return: id of the newest entry of the PBX's log; 0 if it is empty."""
        entries = self.get("log")
        return entries[-1]["id"] if entries else 0

    def wait_for(self, condition, what, timeout=30):
        """Wait until the PBX's state meets a condition.

        :param condition: a function of the state; see :mod:`devtools.pbx.control`.
        :param str what: the expected state, for the error.
        :param float timeout: seconds.
        :raise RuntimeError: after a timeout.
        """
        deadline = time.monotonic() + timeout
        with contextlib.closing(self._states()) as states:
            for state in states:
                if state and condition(state):
                    return
                if time.monotonic() > deadline:
                    break
        raise RuntimeError(f"Timeout after {timeout:.0f} s waiting for {what}.")

    def _states(self):
        """Follow the PBX's state.

        :return: the state after each change, and None in between, every 15 s at least.
        """
        url = f"{self.url}/control/events"
        kind = b""
        with urllib.request.urlopen(url, timeout=TIMEOUT) as stream:
            for line in stream:
                name, _colon, value = line.partition(b": ")
                kind = value.strip() if name == b"event" else kind
                is_state = (name, kind) == (b"data", b"state")
                yield json.loads(value) if is_state else None

    def commands(self, path, since=0):
        """List the commands from Odoo.

        :param str path: such as ``commands/callback``.
        :param int since: id of the log entry after which to begin.
        :rtype: list[dict]
        """
        return [
            entry
            for entry in self.get(f"log?since={since}")
            if (entry["direction"], entry["path"]) == ("received", path)
        ]


class Server:
    """Odoo as used by its web client.

    :param str url: where it listens.
    :param str name: the database.
    :param str login: of the user.
    :param str password: theirs.

    ``session`` is the web client's session info.
    """

    def __init__(self, url, name, login, password):
        self._url = url
        self._cookies = CookieJar()
        cookies = urllib.request.HTTPCookieProcessor(self._cookies)
        self._opener = urllib.request.build_opener(cookies)
        self._ids = itertools.count(1)
        credentials = {"db": name, "login": login, "password": password}
        self.session = self.rpc("/web/session/authenticate", credentials)
        self.user_id = self.session["uid"]

    @property
    def session_id(self):
        """The cookie with which a browser shares the session."""
        return next(c.value for c in self._cookies if c.name == SESSION_COOKIE)

    def call(self, model, method, *args, **kwargs):
        """Call a method of a model with the user's own rights.

        :raise RuntimeError: with the message of Odoo's error.
        """
        return self.rpc(
            f"/web/dataset/call_kw/{model}/{method}",
            {"model": model, "method": method, "args": args, "kwargs": kwargs},
        )

    def search_read(self, model, domain, fields):
        return self.call(model, "search_read", domain, fields)

    def find(self, model, name):
        """:return: id of the one record of that name, with the user's own rights."""
        [record] = self.search_read(model, [("name", "=", name)], ["id"])
        return record["id"]

    def get(self, path, **headers):
        """Request a file like a browser, such as a picture or a sound.

        :param str path: such as ``/web/content/…``.
        :param headers: such as ``Range="bytes=0-9"``.
        :return: status, content type and body.
        :rtype: tuple[int, str, bytes]
        """
        request = urllib.request.Request(f"{self._url}{path}", headers=headers)
        try:
            answer = self._opener.open(request, timeout=TIMEOUT)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.headers.get_content_type(), answer.read()

    def rpc(self, path, params):
        body = {"jsonrpc": "2.0", "id": next(self._ids), "params": params}
        answer = _post(self._opener, f"{self._url}{path}", body)
        if "error" in answer:
            raise RuntimeError(answer["error"]["data"]["message"])
        return answer.get("result")  # absent if the method returned nothing


def plan_call(admin, login, lead):
    """Plan a call to a lead, today.

    :param Server admin: the user who plans it.
    :param str login: of the user who is to call.
    :param str lead: its name.
    :return: the activity's id.
    :rtype: int
    """
    [user] = admin.call("res.users", "search", [("login", "=", login)])
    [model] = admin.call("ir.model", "search", [("model", "=", "crm.lead")])
    phonecalls = [("category", "=", "phonecall")]
    vals = {
        "res_model_id": model,
        "res_id": admin.find("crm.lead", lead),
        "activity_type_id": admin.call("mail.activity.type", "search", phonecalls)[0],
        "user_id": user,
        "date_deadline": str(dt.date.today()),
    }
    [activity] = admin.call("mail.activity", "create", [vals])
    return activity


def _post(opener, url, body):
    request = urllib.request.Request(
        url,
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with opener.open(request, timeout=TIMEOUT) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{url}: {error.read().decode(errors='replace')}") from error
