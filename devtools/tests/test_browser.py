"""The driver of the browser, in pages of its own."""

import tempfile
import unittest
from pathlib import Path

from devtools import environment
from devtools.browser import Browser, BrowserError

PAGE = "data:text/html,<p>hello</p>"


class TestBrowser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser(environment.ensure_browser())
        cls.addClassCleanup(cls.browser.close)

    def open(self):
        page = self.browser.context().page()
        page.open(PAGE)
        return page

    def test_evaluate(self):
        page = self.open()
        self.assertEqual(
            page.evaluate("({ a: [1, 'b', null] })"), {"a": [1, "b", None]}
        )
        self.assertEqual(page.evaluate("Promise.resolve(7)"), 7)
        with self.assertRaisesRegex(BrowserError, "nothing is not defined"):
            page.evaluate("nothing")

    def test_waits_for_what_comes_later(self):
        page = self.open()
        page.evaluate(
            "setTimeout(() => { document.body.innerHTML = '<i class=x>late</i>'; }, 50)"
        )
        self.assertIn("late", page.wait_for_selector(".x", "late"))
        page.wait_for_no_selector("p")

    def test_gives_up(self):
        with self.assertRaisesRegex(BrowserError, "while waiting for: false"):
            self.open().wait_for("false", timeout=0.2)

    def test_invisible_is_not_there(self):
        page = self.open()
        page.evaluate("document.body.innerHTML = '<i style=\"display: none\">x</i>'")
        with self.assertRaises(BrowserError):
            page.wait_for_selector("i", timeout=0.2)

    def test_errors_are_kept(self):
        page = self.open()
        page.evaluate("console.log('fine', 1)")
        page.evaluate("console.error('bad')")
        page.evaluate("void setTimeout(() => { throw new Error('boom'); })")
        page.wait_for_event(lambda: len(page.errors) == 2, "both errors")
        self.assertEqual(page.errors[0], "bad")
        self.assertIn("boom", page.errors[1])
        self.assertIn(("log", "fine 1"), page.console)

    def test_every_tab_is_looked_at(self):
        context = self.browser.context()
        for page in (context.page(), context.page()):
            page.open(PAGE)
            self.assertTrue(page.evaluate("document.hasFocus()"))
            page.evaluate("new Promise((done) => requestAnimationFrame(() => done(1)))")

    def test_clocks_are_those_of_the_demo(self):
        zone = "Intl.DateTimeFormat().resolvedOptions().timeZone"
        self.assertEqual(self.open().evaluate(zone), "Europe/Moscow")

    def test_people_share_nothing(self):
        mine, theirs = self.browser.context(), self.browser.context()
        mine.set_cookie("http://127.0.0.1/", "session_id", "secret")
        self.assertEqual(self._cookies(mine), ["secret"])
        self.assertEqual(self._cookies(theirs), [])

    def _cookies(self, context):
        return [cookie["value"] for cookie in context.cookies()]

    def test_trace_is_kept_on_demand_only(self):
        context = self.browser.context()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "trace.zip")
            for kept in (None, path):
                context.begin_trace()
                context.page().open(PAGE)
                context.end_trace(kept)
                self.assertEqual(path.exists(), bool(kept))

    def test_nothing_beyond_this_machine(self):
        with self.assertRaisesRegex(BrowserError, "ERR_NAME_NOT_RESOLVED"):
            self.open().open("http://odoo.example/")

    def test_screenshot(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "page.png")
            self.open().screenshot(path)
            self.assertEqual(path.read_bytes()[:8], b"\x89PNG\r\n\x1a\n")

    def test_pages_can_be_closed(self):
        context = self.browser.context()
        page = context.page()
        context.close_pages()
        with self.assertRaises(BrowserError):
            page.evaluate("1")


class TestEnd(unittest.TestCase):
    def test_says_so_once_it_has_ended(self):
        browser = Browser(environment.ensure_browser())
        page = browser.context().page()
        browser.close()
        with self.assertRaises(BrowserError):
            page.evaluate("1")
