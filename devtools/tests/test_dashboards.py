"""The dashboards' files are those that the generator writes."""

import unittest

from devtools import dashboards


class TestDashboards(unittest.TestCase):
    def test_files_are_up_to_date(self):
        files = dashboards.files()
        self.assertEqual(set(dashboards.FOLDER.iterdir()), set(files))
        for path, text in files.items():
            with self.subTest(file=path.name):
                self.assertTrue(
                    path.read_text() == text,
                    "run: python -m devtools.dashboards",
                )
