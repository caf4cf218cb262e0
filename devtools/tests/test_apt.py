"""Which of the machine's apt sources is Debian's mirror."""

import unittest
from unittest import mock

from devtools import apt
from devtools.console import Failure

RELEASE = {"ID": "debian", "VERSION_CODENAME": "bookworm", "VERSION_ID": "12"}


def mirror_among(*lines, before_update=()):
    listings = [
        "".join(f"{line}\n" for line in part) for part in (lines, before_update)
    ]
    with (
        mock.patch.object(apt, "os_release", return_value=RELEASE),
        mock.patch.object(apt.processes, "output_of", side_effect=listings),
    ):
        return apt.machine_mirror()


class TestMachineMirror(unittest.TestCase):
    def test_debian_among_others(self):
        mirror = mirror_among(
            "stable|main|Somebody|https://packages.example.com/deb/",
            "bookworm-security|main|Debian|https://debian.example.com/security/",
            "bookworm|contrib|Debian|https://debian.example.com/contrib/",
            "bookworm|main|Debian|cdrom://[Debian 12]/",
            "bookworm|main|Debian|https://debian.example.com/debian/",
        )
        self.assertEqual(mirror, "https://debian.example.com/debian/")

    def test_before_the_first_update(self):
        source = "bookworm|main|$(ORIGIN)|https://debian.example.com/debian/"
        mirror = mirror_among(before_update=[source])
        self.assertEqual(mirror, "https://debian.example.com/debian/")

    def test_none(self):
        with self.assertRaises(Failure):
            mirror_among("stable|main|Somebody|https://packages.example.com/deb/")
