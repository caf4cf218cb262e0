"""A recording from the PBX, against a real HTTP server on this machine."""

import io
import logging
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest.mock import patch

from odoo.tests import BaseCase, tagged

from ...vpbx import recordings
from ...vpbx.addresses import check_link
from ...vpbx.audio import Audio, inspect
from ...vpbx.client import Client
from ...vpbx.errors import (
    BadAnswerError,
    LockedOutError,
    NotAudioError,
    NotReadyError,
    PartialError,
    RateLimitedError,
    RefusedError,
    TooLargeError,
    TransportError,
    VpbxError,
)
from ...vpbx.recordings import Version
from ..common import API_KEY, API_SALT, RECORDING, PbxDouble, sound
from ..vpbx_scenarios import LoopbackRequests

MEGABYTE = 1024**2
HALF_MINUTE = sound(30)
WEB_PAGE = b"<html><body>Sorry, something went wrong</body></html>"
# Frames of silence: MPEG 2 layer 3, 24 kbit/s, 16 kHz, mono; 36 ms each.
MP3 = (b"\xff\xf3\x38\xc4" + bytes(104)) * 100


class Sink(io.BytesIO):
    """Records the sizes of the chunks."""

    def __init__(self):
        super().__init__()
        self.pieces = []

    def write(self, piece):
        self.pieces.append(len(piece))
        return super().write(piece)


@tagged("mango_office", "-at_install", "post_install")
class RecordingCase(LoopbackRequests, BaseCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pbx = PbxDouble()
        cls.addClassCleanup(cls.pbx.stop)

    def setUp(self):
        super().setUp()
        self.pbx.reset()
        self.file = io.BytesIO()
        self.client = self.new_client()

    def new_client(self, **options):
        client = Client(self.pbx.url, API_KEY, API_SALT, **options)
        self.addCleanup(client.close)
        return client

    def fetch(self, max_size=MEGABYTE):
        return self.client.fetch_recording("R1", self.file, max_size)

    def refuse(self, error_class, **options):
        with self.assertRaises(error_class) as caught:
            self.fetch(**options)
        # Exactly this class: subclasses are handled differently.
        self.assertIs(type(caught.exception), error_class)
        return caught.exception

    def links(self):
        return [path for _method, path, _headers in self.pbx.accesses]


class TestFetch(RecordingCase):
    def test_one_request_and_one_access(self):
        self.pbx.offers_recording(sound(3))
        self.assertEqual(self.fetch(), Audio("audio/wav", 24044, 3))
        self.assertEqual(self.file.getvalue(), sound(3))
        self.assertEqual(self.pbx.paths(), [RECORDING])
        self.assertEqual(
            self.pbx.requests[0].payload, {"recording_id": "R1", "action": "download"}
        )
        [(method, path, _headers)] = self.pbx.accesses
        self.assertEqual(method, "GET")
        self.assertTrue(path.startswith("/files/"))

    def test_link_gets_no_credentials(self):
        self.pbx.offers_recording()
        self.fetch()
        [(_method, path, headers)] = self.pbx.accesses
        told = f"{path} {headers}"
        self.assertNotIn("Authorization", headers)
        self.assertNotIn("Cookie", headers)
        self.assertNotIn(API_KEY, told)
        self.assertNotIn("sign", told)

    def test_without_length(self):
        self.pbx.offers_recording(sound(1), length=None)
        self.assertEqual(self.fetch().duration, 1)

    def test_mp3_of_any_name(self):
        self.pbx.offers_recording(MP3, content_type="application/octet-stream")
        self.assertEqual(self.fetch(), Audio("audio/mpeg", len(MP3), 4))

    def test_relative_link(self):
        self.pbx.offers_recording()
        self.pbx._files["/files/relative"] = self.pbx._files["recording"]
        self.pbx.answers(RECORDING, status=302, body="", location="/files/relative")
        self.assertEqual(self.fetch().duration, 3)

    def test_not_ready(self):
        for answer in (
            {"status": 404, "body": '{"result": 3320}'},
            {"status": 404, "body": ""},
            {"status": 200, "body": '{"result": "3320"}'},
        ):
            with self.subTest(answer):
                self.pbx.answers(RECORDING, **answer)
                self.refuse(NotReadyError)
        self.assertEqual(self.pbx.accesses, [])

    def test_refused(self):
        for answer, error_class in (
            ({"body": '{"result": 2230}'}, RefusedError),
            ({"body": '{"result": 3102}', "status": 401}, RefusedError),
            ({"body": "", "status": 401}, LockedOutError),
            ({"body": '{"status": 429}', "status": 429}, RateLimitedError),
            ({"body": "busy", "status": 503}, TransportError),
            ({"body": WEB_PAGE.decode()}, BadAnswerError),
            ({"body": '{"result": 1000}'}, BadAnswerError),
            ({"body": "", "status": 302}, BadAnswerError),
            ({"body": None}, TransportError),
        ):
            with self.subTest(answer):
                self.pbx.answers(RECORDING, **answer)
                self.refuse(error_class)
        self.assertEqual(self.pbx.accesses, [])

    def test_file_is_no_audio(self):
        for name, body, content_type in (
            ("web page", WEB_PAGE, "text/html; charset=utf-8"),
            ("web page that claims to be audio", WEB_PAGE * 100, "audio/mpeg"),
            ("web page without a type", WEB_PAGE, ""),
            ("JSON", b'{"code": 5000}', "application/json"),
            ("empty", b"", "audio/mpeg"),
            ("noughts", bytes(5000), "audio/mpeg"),
            ("a head alone", sound(1)[:30], "audio/wav"),
            ("sound that is said to be text", sound(1), "text/plain"),
        ):
            with self.subTest(name):
                self.pbx.offers_recording(body, content_type=content_type)
                self.refuse(NotAudioError)

    def test_file_breaks_off(self):
        self.pbx.offers_recording(sound(3)[:20000], length=24044)
        self.assertEqual(self.refuse(TransportError).reason, "broken")

    def test_file_is_longer_than_announced(self):
        self.pbx.offers_recording(sound(3), length=len(sound(2)))
        # The rest is not read, and the announced length limits what is read.
        self.assertEqual(self.fetch().size, len(sound(2)))

    def test_file_is_not_given(self):
        for status, error_class in (
            (404, NotReadyError),
            (410, NotReadyError),
            (403, NotReadyError),
            (429, RateLimitedError),
            (500, TransportError),
            (204, BadAnswerError),
            (400, BadAnswerError),
        ):
            with self.subTest(status):
                self.pbx.offers_recording(sound(1), status=status)
                self.refuse(error_class)

    def test_file_leads_on(self):
        """Not even to this machine: the link leads directly to the file."""
        self.pbx.offers_recording(b"", status=302, location=f"{self.pbx.url}/files/2")
        self.refuse(BadAnswerError)
        self.assertEqual(len(self.pbx.accesses), 1)

    def test_too_large(self):
        limit = len(sound(2))
        for length in (-1, None):
            with self.subTest(length=length):
                self.file = io.BytesIO()
                self.pbx.offers_recording(sound(10) * 100, length=length)
                error = self.refuse(TooLargeError, max_size=limit)
                self.assertEqual(error.limit, limit)
                self.assertLessEqual(len(self.file.getvalue()), limit)
        self.pbx.offers_recording(sound(2))
        self.assertEqual(self.fetch(max_size=limit).duration, 2)

    def test_announced_too_large_is_not_read(self):
        self.pbx.offers_recording(sound(1), length=10**12)
        self.refuse(TooLargeError)
        self.assertEqual(self.file.getvalue(), b"")

    def test_too_slow_at_all(self):
        self.pbx.offers_recording()
        with patch.object(recordings, "DEADLINE", -1):
            self.assertEqual(self.refuse(TransportError).reason, "timeout")

    def interrupt(self, file=HALF_MINUTE, cut=70000, mark='"v1"', version=None):
        """Interrupt a download.

        :return: the error
        """
        self.pbx.offers_recording(file, mark=mark, cut=cut)
        with self.assertRaises(PartialError) as caught:
            self.client.fetch_recording("R1", self.file, MEGABYTE, version)
        return caught.exception

    def resume(self, version, file=HALF_MINUTE, mark='"v1"'):
        self.pbx.offers_recording(file, mark=mark)
        return self.client.fetch_recording("R1", self.file, MEGABYTE, version)

    def test_continued_with_another_link(self):
        part = self.interrupt()
        self.assertEqual((part.start, part.version), (0, Version(240044, '"v1"')))
        there = len(self.file.getvalue())
        self.assertGreater(there, 0)
        part = self.interrupt(version=part.version, cut=70000)
        self.assertEqual(part.start, there)
        there = len(self.file.getvalue())
        self.assertEqual(self.resume(part.version).duration, 30)
        self.assertEqual(self.file.getvalue(), sound(30))
        self.assertEqual(self.pbx.accesses[-1][2]["Range"], f"bytes={there}-")
        self.assertEqual(len(set(self.links())), 3)

    def test_continued_file_has_changed(self):
        part = self.interrupt()
        audio = self.resume(part.version, sound(2), '"v2"')
        self.assertEqual(audio.duration, 2)
        self.assertEqual(self.file.getvalue(), sound(2))

    def test_server_ignores_the_range(self):
        part = self.interrupt()
        self.assertEqual(self.resume(part.version, mark="").duration, 30)

    def test_rest_is_of_another_file(self):
        part = self.interrupt()
        with self.assertRaises(PartialError) as caught:
            self.resume(Version(part.version.size + 1, '"v1"'))
        self.assertIsNone(caught.exception.version, "it must begin anew")

    def test_too_large_together(self):
        part = self.interrupt()
        self.pbx.offers_recording(sound(30), mark='"v1"')
        with self.assertRaises(TooLargeError):
            self.client.fetch_recording("R1", self.file, 240043, part.version)

    def test_left_in_time_to_be_continued(self):
        with patch.object(recordings, "BUDGET", -1):
            part = self.interrupt(sound(30), cut=None)
        self.assertEqual(part.reason, "timeout")
        self.assertEqual(len(self.file.getvalue()), recordings.PIECE)
        self.assertEqual(self.resume(part.version, sound(30)).duration, 30)

    def test_budgets_end_before_the_watchdog(self):
        self.assertLess(recordings.BUDGET, recordings.DEADLINE)
        self.assertLess(recordings.DEADLINE, 120)

    def test_memory_does_not_grow_with_the_file(self):
        """Chunks of a fixed size are written, however large the file is."""
        self.file = Sink()
        self.pbx.offers_recording(sound(200))
        self.fetch(max_size=10 * MEGABYTE)
        self.assertEqual(sum(self.file.pieces), len(sound(200)))
        self.assertLessEqual(max(self.file.pieces), recordings.PIECE)


class TestWhere(RecordingCase):
    def test_links(self):
        outside, here = "https://app.mango-office.ru", "http://127.0.0.1:8069"
        for link, base, allowed in (
            ("https://files.mango-office.ru/a", outside, True),
            ("https://files.mango-office.ru/a", here, True),
            ("http://files.mango-office.ru/a", outside, False),
            ("http://files.mango-office.ru/a", here, False),
            ("http://127.0.0.1:9/a", here, True),
            ("http://127.0.0.1:9/a", outside, False),
            ("https://localhost/a", outside, False),
            ("https://[::1]/a", outside, False),
            ("ftp://files.mango-office.ru/a", outside, False),
            ("file:///etc/passwd", here, False),
            ("https:///a", outside, False),
            ("https://files.mango-office.ru:port/a", outside, False),
            ("https://files.mango-office.ru/a\nb", outside, False),
        ):
            with self.subTest(link, base=base):
                self.assertIs(check_link(link, base), allowed)

    def test_link_to_elsewhere_is_not_followed(self):
        for location in ("http://files.mango-office.ru/secret_link", "file:///secret"):
            with self.subTest(location):
                self.pbx.answers(RECORDING, status=302, body="", location=location)
                self.assertNotIn("secret", str(self.refuse(BadAnswerError)))
        self.assertEqual(self.pbx.accesses, [])


class TestSilence(RecordingCase):
    def setUp(self):
        super().setUp()
        self.release = threading.Event()
        self.server = self.start_silent_server()
        self.addCleanup(self.release.set)

    def start_silent_server(self):
        release = self.release

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response_only(200)
                self.send_header("Content-Type", "audio/wav")
                self.send_header("Content-Length", "24044")
                self.end_headers()
                self.wfile.write(sound(1))
                self.wfile.flush()
                release.wait(60)

            def log_message(self, *_args):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def test_file_stops_coming(self):
        self.client = self.new_client(timeout=(5, 0.1))
        link = f"http://127.0.0.1:{self.server.server_port}/files/1"
        self.pbx.answers(RECORDING, status=302, body="", location=link)
        self.assertEqual(self.refuse(TransportError).reason, "timeout")


class TestSecrets(RecordingCase):
    """The link grants access, so no log, error or traceback contains it."""

    def test_nothing_tells_the_link(self):
        logger = logging.getLogger()
        lines = io.StringIO()
        handler = logging.StreamHandler(lines)
        levels = {
            name: logging.getLogger(name).level
            for name in ("", "urllib3", "urllib3.connectionpool", "requests")
        }
        logger.addHandler(handler)
        self.addCleanup(logger.removeHandler, handler)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(logging.DEBUG)
            self.addCleanup(logging.getLogger(name).setLevel, level)
        self.pbx.offers_recording()
        self.fetch()
        for answer in (
            {"body": WEB_PAGE},
            {"body": b"", "status": 500},
            {"body": b"", "status": 302, "location": "https://secret_link/"},
            {"body": sound(1)[:100], "length": 8044},
            {"body": sound(200)},
        ):
            self.file = io.BytesIO()
            self.pbx.offers_recording(**answer)
            try:
                self.fetch()
            except VpbxError as error:
                lines.write("".join(traceback.format_exception(error)))
                self.assertIsNone(error.__context__)
            else:
                self.fail("not an error")
        told = lines.getvalue()
        self.assertIn("Mango recording", told)
        for secret in ("secret_link", API_KEY, API_SALT):
            self.assertNotIn(secret, told)
        self.assertEqual(len(self.links()), 6)


class TestInspect(BaseCase):
    def test_position_does_not_matter(self):
        file = io.BytesIO(sound(2))
        file.seek(0, 2)
        self.assertEqual(inspect(file), Audio("audio/wav", 16044, 2))

    def test_short_is_a_second(self):
        self.assertEqual(inspect(io.BytesIO(MP3[:1080])).duration, 1)
