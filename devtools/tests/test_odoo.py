"""A threaded Odoo keeps running, and could reload itself."""

import subprocess
import tempfile
import unittest
from pathlib import Path

from devtools import demo, odoo, paths


class TestReload(unittest.TestCase):
    def test_the_packages_are_found_again(self):
        with tempfile.TemporaryDirectory() as folder:
            environment = odoo.environment({}, config=Path(folder) / "odoo.conf")
        # As Odoo does: by name, not by path.
        answer = subprocess.run(
            ["python", "-c", "import babel"],
            executable=paths.PYTHON,
            env=environment,
            check=False,
        )
        self.assertEqual(answer.returncode, 0)


class TestWorkers(unittest.TestCase):
    def test_threads_may_wait_for_a_browsers_request(self):
        self.assertIn("--limit-time-real=0", odoo.workers(0))
        self.assertIn("--limit-time-real=0", demo._server(8069, update=False))

    def test_processes_are_limited(self):
        self.assertEqual(odoo.workers(2), ["--workers=2"])


if __name__ == "__main__":
    unittest.main()
