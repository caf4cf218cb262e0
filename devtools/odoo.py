"""Odoo's command line: which Odoo, with which addons, on which database server."""

import contextlib
import os
import random
import shutil
import socket

from . import database, paths, processes
from .console import Failure
from .environment import odoo_package_root

CONFIG = """\
; Written by ./dev at each start.
[options]
addons_path = {addons}
data_dir = {data}
http_interface = 127.0.0.1
"""
PORTS = range(20000, 30000)
# Files not to deploy: tools and hidden files.
NOT_DEPLOYED = shutil.ignore_patterns(".*", "__pycache__", "dev", "devtools")


def command(arguments):
    """Return a command that runs Odoo.

    :param list arguments: as for ``odoo-bin``.
    :rtype: list
    """
    # Not "-m odoo": that puts the current folder on Python's path.
    return [str(paths.PYTHON), str(paths.ODOO_BIN), *map(str, arguments)]


def environment(database_environment, addons=paths.ADDONS, config=paths.ODOO_CONFIG):
    """Return the environment variables for Odoo.

    :param dict database_environment: as returned by :func:`devtools.database.acquire`.
    :param pathlib.Path addons: folder with our addon.
    :param pathlib.Path config: file to write Odoo's configuration to.
    :rtype: dict
    """
    root = odoo_package_root()
    # The core addons: beside the package in a source tree, in it once packaged.
    candidates = [addons, root / "addons", root / "odoo" / "addons"]
    found = [str(path) for path in candidates if any(path.glob("*/__manifest__.py"))]
    paths.ODOO_DATA.mkdir(exist_ok=True)
    text = CONFIG.format(addons=",".join(found), data=paths.ODOO_DATA)
    if not config.exists() or config.read_text() != text:
        config.write_text(text)
    # Odoo reloads itself as "python", and test_lint looks for pylint.
    search = os.pathsep.join([str(paths.VENV / "bin"), os.environ.get("PATH", "")])
    return {
        **os.environ,
        **database_environment,
        "PATH": search,
        "PYTHONPATH": str(root),
        "PYTHONUNBUFFERED": "1",
        # With threads, no more simultaneous requests than there are connections.
        "ODOO_MAX_HTTP_THREADS": "auto",
        "ODOO_RC": str(config),
    }


def workers(number):
    """Return the arguments for a number of worker processes.

    :param int number: 0 for threads. A browser opens connections in advance. A thread
        that waits for a request there counts as a request, and Odoo reloads itself once
        that has taken too long; so there is no limit for threads.
    :rtype: list
    """
    return [f"--workers={number}", *([] if number else ["--limit-time-real=0"])]


def with_long_queue(command, port):
    """Return a command whose server queues more than a few connections.

    :param list command: as returned by :func:`command`.
    :param int port: of Odoo.
    :rtype: list
    """
    return [command[0], str(paths.DEVTOOLS / "listen.py"), str(port), *command]


def replace_process(arguments):
    """Replace this process by Odoo, which then keeps the database server running.

    :param list arguments: as for ``odoo-bin``.
    """
    surroundings = environment(database.acquire(inherit=True))
    line = command(arguments)
    os.execve(line[0], line, surroundings)


@contextlib.contextmanager
def deployed_copy():
    """Copy the addon as deployed, for the time of the block.

    Odoo's export of terms and its ``test_lint`` walk the whole addon, including links.
    In the working copy they would walk ``.dev`` and, through the link in it, the
    working copy again. Besides, edits during a run do not affect tests.

    :return: a folder of this process with ``addons/mango_office`` in it.
    :rtype: pathlib.Path
    """
    runs = paths.DEV / "run"
    runs.mkdir(exist_ok=True)
    for left_over in runs.iterdir():
        if not processes.is_running(int(left_over.name)):
            shutil.rmtree(left_over, ignore_errors=True)
    folder = runs / str(os.getpid())
    shutil.rmtree(folder, ignore_errors=True)
    try:
        target = folder / "addons" / paths.MODULE
        shutil.copytree(paths.ROOT, target, ignore=NOT_DEPLOYED)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port():
    """Find a free port of the loopback address.

    Not one of those that connections get, since much time may pass until it is used.

    :rtype: int
    """
    while True:
        port = random.choice(PORTS)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def require_free_port(port, option):
    """Check that a port is free.

    :param int port: the port.
    :param str option: the option of ``./dev`` to choose another one.
    :raise Failure: if it is in use.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Failure(
                f"Port {port} cannot be used ({error.strerror.lower()}): stop what "
                f"uses it or choose another one with {option}."
            ) from error
