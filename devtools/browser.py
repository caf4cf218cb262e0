"""A headless Chromium for the end-to-end scenarios, driven by Playwright.

A :class:`Context` is a person with a browser of their own: cookies, storage and the
websocket's worker are not shared. A :class:`Page` is one of that person's tabs. What is
added to Playwright: a page keeps what its console says, because a complaint there is a
failure; and a trace of each context is kept if something went wrong.
"""

import contextlib
import json
import time

from playwright.sync_api import Error, sync_playwright

TIMEOUT = 30  # seconds for something to happen in a page
INTERVAL = 20  # milliseconds between two looks at events
WIDTH, HEIGHT = 1400, 900
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
    # A click of a script counts as a person's, who may hear what they asked for.
    "--autoplay-policy=no-user-gesture-required",
    # Nothing beyond this machine.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]


class BrowserError(Exception):
    """The browser or the page did not do what was asked; the text says what."""


@contextlib.contextmanager
def _translated(what=None):
    try:
        yield
    except Error as error:
        text = f"Waited in vain for: {what}" if what else error.message
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
        """End this browser, and no other one."""
        self._browser.close()
        self._playwright.stop()

    def context(self):
        """Open a browser for one more person.

        :rtype: Context
        """
        return Context(self._browser)


class Context:
    """A person with a browser of their own.

    :param browser: Playwright's.
    """

    def __init__(self, browser):
        size = {"width": WIDTH, "height": HEIGHT}
        self._context = browser.new_context(viewport=size)
        self._context.set_default_timeout(TIMEOUT * 1000)
        self._context.tracing.start(snapshots=True)
        self.pages = []

    def set_cookie(self, url, name, value):
        """Put a cookie there, such as that of a session."""
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
        """Record from here on."""
        self._context.tracing.start_chunk()

    def end_trace(self, path=None):
        """Stop recording.

        :param pathlib.Path path: of the zip file to write; without one nothing is kept.
            ``playwright show-trace FILE`` shows it.
        """
        self._context.tracing.stop_chunk(path=path)

    def close_pages(self):
        for page in self.pages:
            page.close()
        self.pages.clear()


class Page:
    """A tab. What its console says is kept; errors there are failures.

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
        """Give the page another size, in CSS pixels."""
        self._page.set_viewport_size({"width": width, "height": height})

    def open(self, url):
        """Go to an address and wait until it is loaded."""
        with _translated():
            self._page.goto(url)

    def reload(self):
        with _translated():
            self._page.reload()

    def evaluate(self, expression):
        """Evaluate JavaScript; a promise is waited for.

        :param str expression: whose value can be written as JSON.
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
        """Click what is there, or comes, and can be clicked; the first of several."""
        with _translated(selector):
            self._page.locator(selector).first.click()

    def fill(self, selector, text):
        """Type a text into a field and leave it."""
        with _translated(selector):
            field = self._page.locator(selector).first
            field.fill(text)
            field.press("Tab")

    def wait_for(self, condition, timeout=TIMEOUT):
        """Wait until a condition holds, over changes of the page and of the address.

        :param str condition: an expression in JavaScript.
        :param float timeout: seconds.
        :return: its value: ``True`` or a text.
        :raise BrowserError: if it does not come to hold.
        """
        expression = (
            f"() => {{ const value = {condition}; "
            "return value && (value === true ? true : String(value)); }"
        )
        with _translated(condition):
            found = self._page.wait_for_function(expression, timeout=timeout * 1000)
            return found.json_value()

    def wait_for_selector(self, selector, text="", timeout=TIMEOUT):
        """Wait until an element is there, is visible and holds a text.

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
        """Wait until no such element is there."""
        self.wait_for(f"!document.querySelector({json.dumps(selector)})", timeout)

    def wait_for_event(self, condition, what, timeout=TIMEOUT):
        """Wait until a condition holds that events of the page decide.

        :param condition: a function without parameters.
        :param str what: is waited for.
        """
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise BrowserError(f"Waited {timeout:.0f} s in vain for {what}")
            self._page.wait_for_timeout(INTERVAL)  # which lets the events in

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
