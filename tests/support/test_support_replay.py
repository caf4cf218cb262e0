"""Bundles are replayed: what comes of their notifications is what they say."""

import io
import json
import zipfile
from base64 import b64decode
from pathlib import Path

from odoo.tests import tagged

from ..common import MangoCase
from ..vpbx_scenarios import SCENARIOS, inbound_answered

BUNDLES = Path(__file__).parent.parent / "bundles"


class ReplayCase(MangoCase):
    def replay(self, archive):
        """Play a bundle into a PBX of its own.

        :return: of each call what the bundle says and what came of it.
        """
        replay = self.env["mango.support.replay"]
        files = replay._read(archive)
        account = replay._set_up(files)
        self.env.flush_all()
        replay._play(account, files)
        self.env.invalidate_all()
        return replay._compare(account, files)

    def export(self, **vals):
        wizard = self.env["mango.support.export"].create(
            {"account_id": self.account.id, **vals}
        )
        wizard.action_prepare()
        return b64decode(wizard.bundle)


@tagged("post_install", "-at_install")
class TestSupportReplay(ReplayCase):
    def test_every_scenario(self):
        """What is exported says the same as what it was made of."""
        # Routing, which is not replayed, has its own effects on nothing compared.
        for number, scenario in enumerate(SCENARIOS):
            self.play(scenario, entry_id=f"E{number}")
        calls = self.replay(self.export())
        self.assertEqual(len(calls), len(SCENARIOS))
        for entry_id, expected, made in calls:
            with self.subTest(entry_id=entry_id):
                self.assertEqual(made, expected)

    def test_abandoned_call(self):
        """A call that was given up without a summary is given up again."""
        *posts, _summary = inbound_answered().posts
        for post in posts:
            self.receive(*post)
        call = self.call()
        call.sudo().closed_at = call._last_seen_at()
        self.env["mango.call"]._apply("E1", self.account)
        [(_entry_id, expected, made)] = self.replay(self.export())
        self.assertEqual(expected["state"], "ended")
        self.assertEqual(made, expected)

    def test_differences_are_found(self):
        self.play(inbound_answered())
        files = self.env["mango.support.bundle"]._make(self.account, self.events())
        told = json.loads(files["calls.jsonl"])
        files["calls.jsonl"] = json.dumps({**told, "talk_duration": 7}) + "\n"
        archive = self.env["mango.support.bundle"]._zip(files)
        [(_entry_id, expected, made)] = self.replay(archive)
        self.assertEqual((expected["talk_duration"], made["talk_duration"]), (7, 75))

    def test_missing_notifications_are_found(self):
        self.play(inbound_answered())
        files = self.env["mango.support.bundle"]._make(self.account, self.events())
        files["notifications.jsonl"] = ""
        [(_id, expected, made)] = self.replay(
            self.env["mango.support.bundle"]._zip(files)
        )
        self.assertTrue(expected)
        self.assertIsNone(made)

    def test_no_bundle(self):
        replay = self.env["mango.support.replay"]
        empty = io.BytesIO()
        with zipfile.ZipFile(empty, "w") as packed:
            packed.writestr("about.json", '{"format": 99}')
        for archive in (b"", b"PK", empty.getvalue()):
            with self.assertRaises(ValueError):
                replay._read(archive)

    def test_replay_calls_nobody(self):
        self.play(inbound_answered())
        archive = self.export()
        self.pbx.reset()
        self.replay(archive)
        self.assertEqual(self.pbx.requests, [])


@tagged("post_install", "-at_install")
class TestBundles(ReplayCase):
    """The bundles kept beside the tests: what once was so stays so."""

    def test_bundles(self):
        paths = sorted(BUNDLES.glob("*.zip"))
        self.assertTrue(paths)
        for path in paths:
            with self.subTest(bundle=path.name):
                calls = self.replay(path.read_bytes())
                self.assertTrue(calls)
                for _entry_id, expected, made in calls:
                    self.assertEqual(made, expected)
