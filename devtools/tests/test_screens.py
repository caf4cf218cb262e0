"""Where pictures belong."""

import tempfile
import unittest
from pathlib import Path
from unittest import mock

from devtools import commands, screens

NAME = "wall.en.1400.png"


class TestPlaces(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.docs, self.page = Path(folder.name, "docs"), Path(folder.name, "page")
        for one in (self.docs, self.page):
            one.mkdir()
        ours = mock.patch.object(screens, "OURS", (self.docs, self.page))
        ours.start()
        self.addCleanup(ours.stop)

    def test_all_are_taken_into_a_folder(self):
        self.assertEqual(screens.places(NAME, self.docs), [self.docs / NAME])

    def test_again_takes_only_those_that_are_there(self):
        self.assertEqual(screens.places(NAME, self.docs, again=True), [])
        (self.docs / NAME).touch()
        found = screens.places(NAME, self.docs, again=True)
        self.assertEqual(found, [self.docs / NAME])

    def test_without_a_folder_each_of_ours_that_has_it(self):
        self.assertEqual(screens.places(NAME), [])
        (self.page / NAME).touch()
        self.assertEqual(screens.places(NAME), [self.page / NAME])
        (self.docs / NAME).touch()
        self.assertEqual(screens.places(NAME), [self.docs / NAME, self.page / NAME])

    def test_the_command_needs_no_folder(self):
        self.assertIsNone(commands._parse(["screenshots"]).folder)
