"""A headless Chromium for the end-to-end scenarios, driven by Playwright.

A :class:`Context` is a person with a separate browser: cookies, storage and the
websocket's worker are not shared. A :class:`Page` is one of that person's tabs. In
addition to Playwright, a page records its console, because errors there are failures,
and a trace of each context is kept after a failure.
"""

import contextlib
import json
import time

from playwright.sync_api import Error, sync_playwright

TIMEOUT = 30  # seconds for something to happen in a page
INTERVAL = 20  # milliseconds between two checks of events
WIDTH, HEIGHT = 1400, 900
TIME_ZONE = "Europe/Moscow"  # of the demo's users, wherever this machine is
OPTIONS = [
    "--no-sandbox",
    "--no-first-run",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--mute-audio",
    # A click by a script counts as a user's, so that sound may be played.
    "--autoplay-policy=no-user-gesture-required",
    # No access beyond this machine.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]


class BrowserError(Exception):
    """The browser or the page did not behave as expected; the text says how."""


@contextlib.contextmanager
def _translated(what=None):
    try:
        yield
    except Error as error:
        text = f"Timeout while waiting for: {what}" if what else error.message
        raise BrowserError(text) from error


class Browser:
    """One Chromium.

    :param str executable: path of the browser.
    """

    def __init__(self, executable):
        self._playwright = sync_playwright().start()
        try:
            self._browser = self._playwright.chromium.launch(
                executable_path=executable, args=OPTIONS
            )
        except Error as error:
            self._playwright.stop()
            raise BrowserError(error.message) from error

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()

    def close(self):
        """End this browser only."""
        self._browser.close()
        self._playwright.stop()

    def context(self):
        """Open a browser for one more person.

        :rtype: Context
        """
        return Context(self._browser)

    def session(self):
        """Return a session of Playwright with the browser itself, in its protocol."""
        return self._browser.new_browser_cdp_session()


class Context:
    """A person with a browser of their own.

    :param browser: Playwright's.
    """

    def __init__(self, browser):
        size = {"width": WIDTH, "height": HEIGHT}
        self._context = browser.new_context(viewport=size, timezone_id=TIME_ZONE)
        self._context.set_default_timeout(TIMEOUT * 1000)
        self._context.tracing.start(snapshots=True)
        self.pages = []

    def set_cookie(self, url, name, value):
        """Set a cookie, such as that of a session."""
        cookie = {"url": url, "name": name, "value": value, "httpOnly": True}
        self._context.add_cookies([cookie])

    def cookies(self):
        return self._context.cookies()

    def page(self, width=WIDTH, height=HEIGHT):
        """Open one more tab.

        :rtype: Page
        """
        page = Page(self._context.new_page())
        if (width, height) != (WIDTH, HEIGHT):
            page.resize(width, height)
        self.pages.append(page)
        return page

    def begin_trace(self):
        """Start recording."""
        self._context.tracing.start_chunk()

    def end_trace(self, path=None):
        """Stop recording.

        :param pathlib.Path path: the zip file to write, for ``playwright show-trace
            FILE``; by default nothing is kept.
        """
        self._context.tracing.stop_chunk(path=path)

    def close_pages(self):
        for page in self.pages:
            page.close()
        self.pages.clear()


class Page:
    """A tab. Its console is recorded; errors there are failures.

    ``console`` is a list of ``(type, text)``, ``errors`` of texts.

    :param page: Playwright's.
    """

    def __init__(self, page):
        self._page = page
        self.console = []
        self.errors = []
        page.on("console", lambda message: self._take(message.type, message.text))
        page.on("pageerror", lambda error: self._take("error", str(error)))

    def resize(self, width, height):
        """Resize the page, in CSS pixels."""
        self._page.set_viewport_size({"width": width, "height": height})

    def open(self, url):
        """Go to an address and wait until it is loaded."""
        with _translated():
            self._page.goto(url)

    def reload(self):
        with _translated():
            self._page.reload()

    def evaluate(self, expression):
        """Evaluate JavaScript, waiting for promises.

        :param str expression: with a value that can be serialised to JSON.
        :raise BrowserError: if it throws.
        """
        with _translated():
            return self._page.evaluate(expression)

    def add_script(self, path):
        """Run a script file in the page.

        :param pathlib.Path path: of the file.
        """
        with _translated():
            self._page.evaluate(path.read_text())

    def click(self, selector):
        """Click the first matching element as soon as it can be clicked."""
        with _translated(selector):
            self._page.locator(selector).first.click()

    def fill(self, selector, text):
        """Type a text into a field and leave the field."""
        with _translated(selector):
            field = self._page.locator(selector).first
            field.fill(text)
            field.press("Tab")

    def choose(self, selector, value):
        """Choose an option of a field by its value."""
        with _translated(selector):
            self._page.locator(selector).first.select_option(value)

    def wait_for(self, condition, timeout=TIMEOUT):
        """Wait until a condition holds, even across navigation.

        :param str condition: an expression in JavaScript.
        :param float timeout: seconds.
        :return: its value: ``True`` or a text.
        :raise BrowserError: if it does not hold in time.
        """
        expression = (
            f"() => {{ const value = {condition}; "
            "return value && (value === true ? true : String(value)); }"
        )
        with _translated(condition):
            found = self._page.wait_for_function(expression, timeout=timeout * 1000)
            return found.json_value()

    def wait_for_selector(self, selector, text="", timeout=TIMEOUT):
        """Wait until there is a visible element with a text.

        :return: the element with its text, as HTML.
        :rtype: str
        """
        found = (
            f"[...document.querySelectorAll({json.dumps(selector)})].find((el) => "
            "el.checkVisibility() && "
            f"el.textContent.includes({json.dumps(text)}))"
        )
        return self.wait_for(f"({found})?.outerHTML", timeout)

    def wait_for_no_selector(self, selector, timeout=TIMEOUT):
        """Wait until there is no such element."""
        self.wait_for(f"!document.querySelector({json.dumps(selector)})", timeout)

    def wait_for_event(self, condition, what, timeout=TIMEOUT):
        """Wait until a condition holds that depends on events of the page.

        :param condition: a function without parameters.
        :param str what: the expected condition, for the error.
        """
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise BrowserError(f"Timeout after {timeout:.0f} s waiting for {what}")
            self._page.wait_for_timeout(INTERVAL)  # which processes events

    def screenshot(self, path):
        """:param pathlib.Path path: of the PNG file to write."""
        with _translated():
            self._page.screenshot(path=path)

    def close(self):
        self._page.close()

    def _take(self, kind, text):
        self.console.append((kind, text))
        if kind in ("error", "assert"):
            self.errors.append(text)
