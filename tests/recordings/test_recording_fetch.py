"""Fetching recordings: real requests, to a PBX on this machine."""

import itertools
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...models.recordings import mango_recording_fetch as fetching
from ...vpbx import recordings
from ..common import API_KEY, API_SALT, RECORDING, Answer, MangoCase, sound
from ..vpbx_scenarios import inbound_answered

LINK = Answer(302, "", location="link")
WEB_PAGE = b"<html><body>Sorry, something went wrong</body></html>"


class FetchCase(MangoCase):
    def setUp(self):
        super().setUp()
        self.play(inbound_answered())
        self.wanted = self.announce()

    def request(self, user=None):
        self.env.flush_all()
        self.wanted.with_user(user or self.anna).action_request()

    def request_and_fetch(self):
        self.request()
        self.fetch_recordings()

    def claim(self):
        """Claim the next recording, like a process of its own."""
        with self.transaction() as env:
            return env["mango.recording"]._claim()

    def fetch(self, order):
        with self.transaction() as env:
            env["mango.recording"]._fetch(order)

    def let_time_pass(self):
        """Make all waiting recordings due."""
        past = fields.Datetime.now() - timedelta(seconds=1)
        waiting = self.env["mango.recording"].search([("state", "=", "requested")])
        waiting.next_fetch_at = past
        waiting.filtered("leased_until").leased_until = past

    def audio(self, recording=None):
        return self.env["ir.attachment"].search(
            [
                ("res_model", "=", "mango.recording"),
                ("res_id", "=", (recording or self.wanted).id),
                ("res_field", "=", "audio"),
            ]
        )

    def assertNothingStored(self):
        self.assertFalse(self.audio())
        self.assertFalse(self.wanted.size)
        self.assertFalse(self.wanted.fetched_at)


@tagged("post_install", "-at_install")
class TestFetch(FetchCase):
    def test_from_request_to_player(self):
        self.pbx.offers_recording(sound(3))
        self.request()
        self.assertEqual(self.wanted.state, "requested")
        self.assertEqual(self.wanted.call_id.recording_state, "requested")
        self.assertEqual(self.pbx.requests, [], "nothing leaves in the request")
        self.fetch_recordings()
        self.assertRecordValues(
            self.wanted,
            [
                {
                    "state": "ready",
                    "size": 24044,
                    "duration": 3,
                    "mimetype": "audio/wav",
                    "error": False,
                    "lease": False,
                }
            ],
        )
        self.assertEqual(self.wanted.call_id.recording_state, "ready")
        self.assertEqual(self.audio().raw, sound(3))
        self.assertEqual(self.audio().mimetype, "audio/wav")
        self.assertEqual(self.audio().company_id, self.company)
        self.assertEqual(len(self.pbx.accesses), 1)

    def test_request_wakes_the_cron(self):
        cron = self.env.ref("mango_office.ir_cron_fetch_recordings")
        triggers = self.env["ir.cron.trigger"]
        triggers.search([("cron_id", "=", cron.id)]).unlink()
        self.request()
        trigger = triggers.search([("cron_id", "=", cron.id)])
        self.assertLessEqual(trigger.call_at, fields.Datetime.now())

    def test_asked_twice_is_fetched_once(self):
        self.pbx.offers_recording()
        self.request()
        self.request(self.vera)
        self.fetch_recordings()
        self.request()
        self.fetch_recordings()
        self.assertEqual(len(self.pbx.requests), 1)
        self.assertEqual(len(self.pbx.accesses), 1)
        self.assertEqual(self.wanted.state, "ready")

    def test_archived_pbx_is_asked_nothing(self):
        self.pbx.offers_recording()
        self.request()
        self.account.active = False
        self.fetch_recordings()
        self.assertEqual(self.pbx.requests, [])
        self.account.active = True
        self.fetch_recordings()
        self.assertEqual(self.wanted.state, "ready")

    def test_claimed_by_one(self):
        self.request()
        self.assertEqual(self.claim().recording_id, self.wanted.id)
        self.assertIsNone(self.claim())
        self.fetch_recordings()
        self.assertEqual(self.pbx.requests, [])

    def parts(self):
        return self.wanted._parts()

    def test_in_parts(self):
        """A long download is spread over several runs of the cron."""
        file = sound(150)
        self.patch(fetching, "PACE", 0)
        self.patch(recordings, "BUDGET", -1)
        self.patch(fetching, "LEAST_PROGRESS", recordings.PIECE)
        self.pbx.offers_recording(file, mark='"v1"')
        self.request()
        runs = len(file) // recordings.PIECE + 1
        self.assertGreater(runs, fetching.MAX_ATTEMPTS)
        self.fetch_recordings()
        self.assertEqual(len(self.pbx.accesses), runs)
        self.assertEqual(self.wanted.state, "ready")
        self.assertEqual(self.audio().raw, file)
        self.assertFalse(self.parts())
        self.assertFalse(self.wanted.part_of_size)
        self.assertTrue(self.account._may_request())

    def test_part_stays_for_the_next_attempt(self):
        self.pbx.offers_recording(sound(30), mark='"v1"', cut=70000)
        self.request_and_fetch()
        self.assertEqual(self.wanted.state, "requested")
        self.assertTrue(self.wanted.error, "so little is a failure")
        self.assertTrue(self.parts())
        self.pbx.offers_recording(sound(30), mark='"v1"')
        self.let_time_pass()
        self.fetch_recordings()
        self.assertIn("Range", self.pbx.accesses[-1][2])
        self.assertEqual(self.audio().raw, sound(30))

    def test_file_server_that_always_starts_over(self):
        """It promises parts, but names the file differently for each link."""
        self.patch(fetching, "PACE", 0)
        self.patch(recordings, "BUDGET", -1)
        self.patch(fetching, "LEAST_PROGRESS", recordings.PIECE)
        self.pbx.offers_recording(sound(30))
        real, number = self.pbx._next_file, itertools.count(1)

        def renamed(path, _headers):
            answer, _range = real(path, {})
            version = next(number)
            if version > 2 * fetching.MAX_ATTEMPTS:
                return Answer(404, ""), ""
            return replace(answer, mark=f'"v{version}"'), ""

        self.patch(self.pbx, "_next_file", renamed)
        self.request()
        for _attempt in range(fetching.MAX_ATTEMPTS):
            self.fetch_recordings()
            self.let_time_pass()
        self.assertEqual(self.wanted.state, "failed")
        self.assertEqual(len(self.pbx.accesses), fetching.MAX_ATTEMPTS + 1)
        self.assertFalse(self.parts())

    def test_part_goes_with_the_recording(self):
        self.pbx.offers_recording(sound(30), mark='"v1"', cut=70000)
        self.request_and_fetch()
        self.wanted._expire()
        self.assertFalse(self.parts())

    def test_part_is_not_read_over_rpc(self):
        with self.assertRaises(AccessError):
            self.wanted.with_user(self.anna).read(["part"])

    def test_killed_in_the_middle(self):
        self.pbx.offers_recording()
        self.request()

        class Killed(BaseException):
            pass

        order = self.claim()
        with (
            patch.object(
                self.env.registry["ir.attachment"], "_file_write", side_effect=Killed
            ),
            self.assertRaises(Killed),
        ):
            self.fetch(order)
        self.env.invalidate_all()
        self.assertEqual(self.wanted.state, "requested")
        self.assertNothingStored()
        self.fetch_recordings()
        self.assertEqual(len(self.pbx.requests), 1, "it is leased")
        self.let_time_pass()
        self.fetch_recordings()
        self.assertEqual(self.wanted.state, "ready")
        self.assertEqual(len(self.pbx.requests), 2)
        self.assertEqual(len(self.audio()), 1)

    def test_killed_each_time(self):
        self.request()
        self.wanted.attempts = fetching.MAX_ATTEMPTS
        self.fetch_recordings()
        self.assertEqual(self.wanted.state, "failed")
        self.assertTrue(self.wanted.error)
        self.assertEqual(self.pbx.requests, [])

    def test_taken_for_dead(self):
        """A process that exceeds its lease stores nothing: another one does."""
        self.pbx.offers_recording()
        self.request()
        slow = self.claim()
        self.let_time_pass()
        self.fetch_recordings()
        self.assertEqual(self.wanted.state, "ready")
        fetched_at, audio = self.wanted.fetched_at, self.audio()
        self.fetch(slow)
        self.assertEqual(self.audio(), audio)
        self.assertEqual(self.wanted.fetched_at, fetched_at)

    def test_deleted_while_it_comes(self):
        self.pbx.offers_recording()
        self.request()
        order = self.claim()
        self.wanted._expire()
        self.fetch(order)
        self.assertEqual(self.wanted.state, "expired")
        self.assertNothingStored()

    def test_many_at_once(self):
        for number in range(2, 6):
            self.play(inbound_answered(), entry_id=f"E{number}")
            self.announce(f"R{number}", entry_id=f"E{number}")
        calls = self.env["mango.call"].search([("account_id", "=", self.account.id)])
        self.pbx.offers_recording()
        answer = calls.with_user(self.anna).action_request_recordings()
        self.assertIn("5", answer["params"]["message"])
        self.fetch_recordings()
        self.assertEqual(set(calls.mapped("recording_state")), {"ready"})
        self.assertEqual(len(self.pbx.accesses), 5)
        self.assertEqual(len({path for _method, path, _h in self.pbx.accesses}), 5)
        answer = calls.with_user(self.anna).action_request_recordings()
        self.assertEqual(answer["params"]["type"], "warning")

    def test_people_come_first(self):
        self.account.recording_mode = "automatic"
        self.play(inbound_answered(), entry_id="E2")
        self.announce("R2", entry_id="E2")
        self.request()
        self.let_time_pass()
        self.pbx.offers_recording()
        self.fetch_recordings()
        asked = [request.payload["recording_id"] for request in self.pbx.requests]
        self.assertEqual(asked, ["R1", "R2"])

    def test_who_is_notified(self):
        """The participants, and those who requested it."""
        self.pbx.offers_recording()
        told = self.env["res.partner"]

        def collect(_bus, target, kind, payload):
            nonlocal told
            if kind == "mango_office/call" and payload["id"] == self.wanted.call_id.id:
                told |= told.browse(target.id)

        with patch.object(self.env.registry["bus.bus"], "_sendone", collect):
            self.request(self.vera)
            self.assertNotIn(self.vera, self.wanted.call_id.user_ids)
            everybody = (self.wanted.call_id.user_ids | self.vera).partner_id
            self.assertEqual(told, everybody)
            told = self.env["res.partner"]
            self.fetch_recordings()
        self.assertEqual(told, everybody)


@tagged("post_install", "-at_install")
class TestFailures(FetchCase):
    def test_not_ready_yet(self):
        for number, answer in enumerate(
            (
                Answer(404, '{"result": 3320}'),
                Answer(404, ""),
                Answer(200, '{"result": "3320"}'),
            )
        ):
            with self.subTest(answer):
                self.wanted.state = "announced"
                self.audio().unlink()
                self.pbx.reset()
                self.pbx.answers_in_turn(RECORDING, answer, answer, LINK)
                self.pbx.offers_recording()
                self.request()
                for delay in fetching.DELAYS[:2]:
                    before = fields.Datetime.now()
                    self.fetch_recordings()
                    self.assertEqual(self.wanted.state, "requested")
                    self.assertIn("does not have the recording yet", self.wanted.error)
                    self.assertGreaterEqual(self.wanted.next_fetch_at, before + delay)
                    self.fetch_recordings()  # not before its time
                    self.let_time_pass()
                self.fetch_recordings()
                self.assertEqual(self.wanted.state, "ready")
                self.assertFalse(self.wanted.error)
                self.assertEqual(len(self.pbx.requests), 3)
                self.assertEqual(len(self.pbx.accesses), 1, number)

    def test_never_ready(self):
        self.pbx.answers(RECORDING, status=404, body='{"result": 3320}')
        self.request()
        moments = []
        for _attempt in range(fetching.MAX_ATTEMPTS + 3):
            self.fetch_recordings()
            moments.append(self.wanted.next_fetch_at)
            self.let_time_pass()
        self.assertEqual(self.wanted.state, "failed")
        self.assertIn("no longer has it", self.wanted.error)
        self.assertEqual(self.wanted.call_id.recording_error, self.wanted.error)
        self.assertEqual(len(self.pbx.requests), fetching.MAX_ATTEMPTS)
        # Another request starts the attempts again.
        self.request()
        self.fetch_recordings()
        self.assertEqual(self.wanted.state, "requested")

    def test_refused_is_final(self):
        for answer, word in (
            ({"body": '{"result": 2230}'}, "2230"),
            ({"body": '{"result": 3102}', "status": 401}, "signature"),
            ({"body": '{"result": 4001}'}, "4001"),
            ({"body": "<html>"}, "cannot be read"),
        ):
            with self.subTest(answer):
                self.wanted.state = "announced"
                self.pbx.reset()
                self.pbx.answers(RECORDING, **answer)
                self.request_and_fetch()
                self.assertEqual(self.wanted.state, "failed")
                self.assertIn(word, self.wanted.error)
                self.let_time_pass()
                self.fetch_recordings()
                self.assertEqual(len(self.pbx.requests), 1)

    def test_what_is_no_recording_is_not_stored(self):
        self.account.recording_max_size_mb = 1
        elsewhere = "https://files.mango-office.ru/a"
        for name, file, word in (
            (
                "page",
                {"body": WEB_PAGE, "content_type": "text/html"},
                "did not send a recording",
            ),
            ("disguised", {"body": WEB_PAGE}, "did not send a recording"),
            ("empty", {"body": b""}, "did not send a recording"),
            ("large", {"body": sound(200)}, "1 MB"),
            ("large, untold", {"body": sound(200), "length": None}, "1 MB"),
            ("elsewhere", {"status": 302, "location": elsewhere}, "cannot be read"),
        ):
            with self.subTest(name):
                self.wanted.state = "announced"
                self.pbx.reset()
                self.pbx.offers_recording(**file)
                self.request_and_fetch()
                self.assertEqual(self.wanted.state, "failed")
                self.assertIn(word, self.wanted.error)
                self.assertNothingStored()
                self.assertEqual(len(self.pbx.accesses), 1)

    def test_what_may_pass_is_tried_again(self):
        for name, answer, file, pause in (
            ("429", Answer(429, '{"status": 429}'), {}, fetching.PAUSE),
            ("503", Answer(503, "busy"), {}, fetching.PAUSE),
            ("5001", Answer(200, '{"result": 5001}'), {}, fetching.PAUSE),
            ("lock-out", Answer(401, ""), {}, fetching.LOCK_OUT_PAUSE),
            ("hung up", Answer(body=None), {}, timedelta()),
            ("cut", LINK, {"body": sound(3)[:9000], "length": 24044}, timedelta()),
            ("file's 500", LINK, {"status": 500}, fetching.PAUSE),
            ("used up", LINK, {"status": 404}, timedelta()),
        ):
            with self.subTest(name):
                self.wanted.state = "announced"
                self.audio().unlink()
                self.pbx.reset()
                self.pbx.answers_in_turn(RECORDING, answer, LINK)
                self.pbx.offers_recording(**file)
                before = fields.Datetime.now()
                self.request_and_fetch()
                self.assertEqual(self.wanted.state, "requested")
                self.assertTrue(self.wanted.error)
                self.assertFalse(self.audio())
                self.assertGreaterEqual(self.wanted.next_fetch_at, before + pause)
                self.pbx.offers_recording()
                self.let_time_pass()
                self.fetch_recordings()
                self.assertEqual(self.wanted.state, "ready")
                self.assertEqual(len(self.pbx.requests), 2)

    def test_pbx_in_trouble_is_left_in_peace(self):
        """After one failed recording, the others wait."""
        self.play(inbound_answered(), entry_id="E2")
        other = self.announce("R2", entry_id="E2")
        self.pbx.answers(RECORDING, status=429, body='{"status": 429}')
        (self.wanted | other).with_user(self.anna).action_request()
        self.fetch_recordings()
        self.assertEqual(len(self.pbx.requests), 1)
        self.assertGreater(other.next_fetch_at, fields.Datetime.now())
        self.assertEqual(other.attempts, 0)

    def test_no_credentials(self):
        self.account.write({"api_key": False, "api_salt": False})
        self.request_and_fetch()
        self.assertEqual(self.wanted.state, "failed")
        self.assertIn("secret", self.wanted.error)

    def test_disk_is_full(self):
        self.pbx.offers_recording()
        self.request()
        attachments = type(self.env["ir.attachment"])
        with (
            patch.object(attachments, "_file_write", side_effect=OSError("full")),
            mute_logger(
                "odoo.addons.mango_office.models.recordings.mango_recording_fetch"
            ),
        ):
            self.fetch_recordings()
        self.assertEqual(self.wanted.state, "requested")
        self.assertIn("could not be stored", self.wanted.error)
        self.assertNothingStored()
        self.let_time_pass()
        self.fetch_recordings()
        self.assertEqual(self.wanted.state, "ready")

    def test_partial_file_of_a_killed_process(self):
        """Odoo does not overwrite an existing file, so it is removed first."""
        self.pbx.offers_recording()
        self.request()
        attachments = self.env["ir.attachment"]
        checksum = attachments._compute_checksum(sound(3))
        path = Path(attachments._full_path(f"{checksum[:2]}/{checksum}"))
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = path.read_bytes() if path.exists() else b""
        path.write_bytes(sound(3)[:1000])
        self.addCleanup(lambda: path.write_bytes(whole or sound(3)))
        listed = Path(attachments._full_path(f"checklist/{checksum[:2]}/{checksum}"))
        listed.unlink(missing_ok=True)
        with mute_logger(
            "odoo.addons.mango_office.models.recordings.mango_recording_fetch"
        ):
            self.fetch_recordings()
        self.assertEqual(self.wanted.state, "requested")
        self.assertNothingStored()
        self.assertTrue(listed.exists())
        path.unlink()
        self.let_time_pass()
        self.fetch_recordings()
        self.assertEqual(self.audio().raw, sound(3))

    def test_reason_in_the_companys_language(self):
        self.env["res.lang"]._activate_lang("ru_RU")
        self.company.partner_id.lang = "ru_RU"
        self.account.write({"api_key": False, "api_salt": False})
        self.request_and_fetch()
        self.assertRegex(self.wanted.error, "[а-я]")

    def test_nothing_tells_the_link(self):
        logger = "odoo.addons.mango_office"
        with self.assertLogs(logger, "DEBUG") as logs:
            self.pbx.offers_recording()
            self.request_and_fetch()
            self.wanted.state = "announced"
            self.audio().unlink()
            self.pbx.offers_recording(WEB_PAGE)
            self.request_and_fetch()
        told = "\n".join(logs.output)
        self.assertIn("recording", told)
        shown = self.wanted.call_id.with_user(self.vera).get_recordings()
        read = self.wanted.with_user(self.vera).read()
        for secret in ("secret_link", API_KEY, API_SALT, self.pbx.url):
            self.assertNotIn(secret, told)
            self.assertNotIn(secret, f"{shown}{read}")

    def test_storage_in_the_database(self):
        self.env["ir.config_parameter"].set_param("ir_attachment.location", "db")
        self.pbx.offers_recording()
        self.request_and_fetch()
        self.assertEqual(self.wanted.state, "ready")
        self.assertEqual(self.audio().raw, sound(3))
        self.assertFalse(self.audio().store_fname)
