"""The embedded server lives exactly as long as somebody uses it."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import psutil

from devtools import paths

TIMEOUT = 60  # seconds
#: Uses a server in a folder of its own.
START = """\
import os
import subprocess
import sys
from pathlib import Path

from devtools import paths

folder = Path(sys.argv[1])
paths.DEV, paths.LOGS = folder / "dev", folder / "log"

from devtools import database

database.Server._home = lambda server: folder / "server"
environment = database.acquire()
"""
#: Uses it until the standard input ends.
USER = """\
database.query("SELECT 1", "postgres", environment)
print("ready", flush=True)
sys.stdin.read()
"""
#: Connects as superuser and as Odoo, disconnects, and prints who is still connected.
DISCONNECTED = """\
server = database.Server()
roles = (database.SUPERUSER, database.ROLE)
sessions = [
    subprocess.Popen(
        [server.program("psql"), "-XAtq", "-d", "postgres"],
        env={**os.environ, **server.environment(role)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    for role in roles
]
for session in sessions:
    print("SELECT 'connected';", file=session.stdin, flush=True)
    session.stdout.readline()
database.disconnect("postgres", environment)
for role, session in zip(roles, sessions):
    if session.communicate("SELECT 'connected';")[0]:
        print(role)
"""


class TestServer(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.folder.chmod(0o755)  # run by root, the server is another user's
        (self.folder / "dev").mkdir()

    def test_ends_with_its_last_user(self):
        first, second = self.start_user(), self.start_user()
        self.wait_for(first)
        self.wait_for(second)
        server = self.server()
        self.kill(first)
        third = self.start_user()
        self.wait_for(third)
        third.communicate("")  # ends it
        self.assertEqual(self.server(), server)
        self.kill(second)
        server.wait(TIMEOUT)

    def test_starts_again_while_it_stops(self):
        first = self.start_user()
        self.wait_for(first)
        stopped = self.server()
        self.kill(first)
        second = self.start_user()
        self.wait_for(second)
        server = self.server()
        self.kill(second)
        server.wait(TIMEOUT)
        self.assertFalse(stopped.is_running())

    def test_disconnecting_ends_only_odoo_connections(self):
        """Processes of the superuser, such as autovacuum, cannot be ended by Odoo."""
        user = self.start(START + DISCONNECTED)
        output, _errors = user.communicate(timeout=TIMEOUT)
        self.assertEqual(user.returncode, 0)
        self.assertEqual(output.split()[-1], "postgres")

    def start_user(self):
        return self.start(START + USER)

    def start(self, program):
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        environment.pop("PGHOST", None)
        user = subprocess.Popen(
            [sys.executable, "-c", program, str(self.folder)],
            cwd=paths.ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(self.kill, user)
        return user

    def wait_for(self, user):
        """Wait until a user has the server."""
        self.assertIn("ready\n", iter(user.stdout.readline, ""))

    @staticmethod
    def kill(user):
        user.kill()
        user.wait()
        user.stdin.close()
        user.stdout.close()

    def server(self):
        number = (self.folder / "server/data/postmaster.pid").read_text().split()[0]
        return psutil.Process(int(number))
