"""The page whose memory is measured."""

import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from devtools import environment
from devtools.browser import Browser, BrowserError
from devtools.browser_unwatched import UnwatchedPage

# As many requests as in an hour before the wall board. Nobody keeps their answers.
POST = """
(async () => {
    for (let number = 0; number < 2000; number++) {
        await new Promise((done) => {
            const request = new XMLHttpRequest();
            request.open("POST", "/");
            request.onload = done;
            request.send(String(number));
        });
    }
})()
"""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self._answer(self.headers.get("Cookie", "").encode())

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(b"")

    def _answer(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        pass


class TestUnwatchedPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        cls.addClassCleanup(server.server_close)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        cls.addClassCleanup(server.shutdown)
        cls.url = f"http://127.0.0.1:{server.server_port}/"
        cls.browser = Browser(environment.ensure_browser())
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        cookie = {"name": "session_id", "value": "mine", "url": self.url}
        self.page = UnwatchedPage(self.browser.session(), cookie)
        self.addCleanup(self.page.close)
        self.page.open(self.url, "document.body?.innerText")

    def test_has_the_cookie(self):
        text = self.page.evaluate("document.body.innerText")
        self.assertEqual(text, "session_id=mine")

    def test_evaluates(self):
        self.assertEqual(self.page.evaluate("Promise.resolve({ a: 7 })"), {"a": 7})
        with self.assertRaisesRegex(BrowserError, "nothing is not defined"):
            self.page.evaluate("nothing")

    def test_waits_for_what_comes_later(self):
        self.page.evaluate("void setTimeout(() => { window.late = true; }, 50)")
        self.page.wait_for("window.late")

    def test_keeps_errors(self):
        self.assertEqual(self.page.errors, [])
        self.page.evaluate("console.error('bad')")
        self.page.evaluate("void setTimeout(() => { throw new Error('boom'); })")
        self.page.evaluate("void Promise.reject('broken')")
        self.page.wait_for("complaints.length === 3")
        self.assertIn("bad", self.page.errors)
        self.assertIn("broken", self.page.errors)

    def test_heap_is_what_is_kept(self):
        empty = self.page.heap()
        self.page.evaluate("void (window.kept = [...Array(500000).keys()])")
        self.assertGreater(self.page.heap() - empty, 1e6)
        self.page.evaluate("void (window.kept = null)")
        self.assertLess(self.page.heap() - empty, 1e6)

    def test_requests_are_not_kept_by_the_debugger(self):
        empty = self.page.heap()
        self.page.evaluate(POST)
        self.assertLess(self.page.heap() - empty, 3e5)
