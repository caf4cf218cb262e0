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
#: Uses a server in a folder of its own until its standard input ends.
USER = """\
import sys
from pathlib import Path

from devtools import paths

folder = Path(sys.argv[1])
paths.DEV, paths.LOGS = folder / "dev", folder / "log"

from devtools import database

database.Server._home = lambda server: folder / "server"
environment = database.acquire()
database.query("SELECT 1", "postgres", environment)
print("ready", flush=True)
sys.stdin.read()
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

    def start_user(self):
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        environment.pop("PGHOST", None)
        user = subprocess.Popen(
            [sys.executable, "-c", USER, str(self.folder)],
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
