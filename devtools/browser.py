"""A headless Chromium, driven over the DevTools protocol.

Commands and events go through a pair of pipes (``--remote-debugging-pipe``): no port
that somebody else could use, no package to install, and the browser ends when the pipes
close.

A :class:`Context` is a person with a browser of their own: cookies, storage and the
websocket's worker are not shared. A :class:`Page` is one of that person's tabs.
"""

import base64
import contextlib
import fcntl
import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from concurrent import futures

from . import processes

COMMAND_TIMEOUT = 20  # seconds for an answer of the browser itself
TIMEOUT = 30  # seconds for something to happen in a page
WIDTH, HEIGHT = 1400, 900
LOWEST_FD = 10  # above 3 and 4, which the browser reads and writes
# Puts the pipes where the browser expects them. A preexec_fn could not: the pipe by
# which Python hears of a failed start may be number 3 or 4 itself.
LAUNCHER = (
    "import os, sys; "
    "os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); "
    "os.execv(sys.argv[3], sys.argv[3:])"
)
OPTIONS = [
    "--headless",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
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
# Messages of the protocol when a page is left while something is evaluated in it.
NAVIGATED = ("navigated", "context was destroyed", "Cannot find context")
# Resolves as soon as the condition holds: looks now and before every frame.
WAIT = """
new Promise((resolve, reject) => {{
    const condition = () => {condition};
    const deadline = performance.now() + {timeout};
    (function look() {{
        try {{
            const value = condition();
            if (value) {{
                resolve(value === true ? true : String(value));
            }} else if (performance.now() > deadline) {{
                reject(new Error("timeout"));
            }} else {{
                requestAnimationFrame(look);
            }}
        }} catch (error) {{
            reject(error);
        }}
    }})();
}})
"""


class BrowserError(Exception):
    """The browser or the page did not do what was asked; the text says what."""


class Browser:
    """One Chromium with a profile that is gone afterwards.

    :param str executable: path of the browser.
    """

    def __init__(self, executable):
        self._stack = contextlib.ExitStack()
        self._ids = itertools.count(1)
        self._answers = {}  # id of a command -> its session and its future
        self._pages = {}  # session -> Page
        self._lock = threading.Lock()
        try:
            self._start(executable)
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()

    def close(self):
        """End this browser, and no other one."""
        with contextlib.suppress(BrowserError, OSError):
            self.command("Browser.close")
        self._stack.close()

    def context(self):
        """Open a browser for one more person.

        :rtype: Context
        """
        answer = self.command("Target.createBrowserContext")
        return Context(self, answer["browserContextId"])

    def command(self, method, session=None, **params):
        """Send a command of the DevTools protocol and wait for its answer.

        :param str method: its name.
        :param str session: of a page; of the browser itself without.
        :param params: its parameters.
        :rtype: dict
        :raise BrowserError: if it is refused or not answered.
        """
        return self.wait_for_answer(self.send(method, session, **params))

    def send(self, method, session=None, **params):
        """Send a command; its answer is the result of the Future.

        :rtype: ~concurrent.futures.Future
        """
        message = {"id": next(self._ids), "method": method, "params": params}
        if session:
            message["sessionId"] = session
        answer = futures.Future()
        with self._lock:
            self._answers[message["id"]] = session, answer
            try:
                self._input.write(json.dumps(message).encode() + b"\0")
                self._input.flush()
            except (OSError, ValueError) as error:
                raise BrowserError("The browser has ended.") from error
        return answer

    @staticmethod
    def wait_for_answer(answer, timeout=COMMAND_TIMEOUT):
        """:raise BrowserError: if the command was refused or is not answered."""
        try:
            return answer.result(timeout)
        except futures.TimeoutError as error:
            raise BrowserError(f"The browser did not answer in {timeout} s.") from error

    def attach(self, page, target):
        """Have a page's events told to it.

        :return: the session, by which commands reach the page.
        :rtype: str
        """
        params = {"targetId": target, "flatten": True}
        session = self.command("Target.attachToTarget", **params)["sessionId"]
        self._pages[session] = page
        return session

    # -- inside ----------------------------------------------------------------

    def _start(self, executable):
        profile = self._stack.enter_context(
            tempfile.TemporaryDirectory(
                prefix="mango-browser-", ignore_cleanup_errors=True
            )
        )
        theirs_in, ours_out = self._pipe()
        ours_in, theirs_out = self._pipe()
        command = [sys.executable, "-c", LAUNCHER, theirs_in, theirs_out, executable]
        command += [
            *OPTIONS,
            f"--user-data-dir={profile}",
            f"--window-size={WIDTH},{HEIGHT}",
            "about:blank",
        ]
        process = processes.spawn(
            command,
            pass_fds=(theirs_in, theirs_out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._stack.callback(processes.stop, process)
        os.close(theirs_in)
        os.close(theirs_out)
        self._input = self._stack.enter_context(os.fdopen(ours_out, "wb"))
        output = os.fdopen(ours_in, "rb")
        threading.Thread(target=self._read, args=(output,), daemon=True).start()
        self.command("Browser.getVersion")

    @staticmethod
    def _pipe():
        ends = []
        for end in os.pipe():
            ends.append(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, LOWEST_FD))
            os.close(end)
        return ends

    def _read(self, output):
        """Pass on what the browser says until it ends."""
        rest = b""
        with output:
            while chunk := os.read(output.fileno(), 1 << 16):
                *messages, rest = (rest + chunk).split(b"\0")
                for message in messages:
                    self._take(json.loads(message))
        self._give_up(lambda _session: True, "The browser has ended.")

    def _give_up(self, concerned, why):
        """Answer commands that nobody will answer any more."""
        with self._lock:
            lost = [key for key, (s, _answer) in self._answers.items() if concerned(s)]
            answers = [self._answers.pop(key)[1] for key in lost]
        for answer in answers:
            answer.set_exception(BrowserError(why))

    def _take(self, message):
        if "id" not in message:
            self._take_event(message)
            return
        with self._lock:
            _session, answer = self._answers.pop(message["id"], (None, None))
        if answer is None:
            return  # The page was closed meanwhile, and nobody waits any more.
        if "error" in message:
            answer.set_exception(BrowserError(message["error"]["message"]))
        else:
            answer.set_result(message["result"])

    def _take_event(self, message):
        params = message["params"]
        if message["method"] == "Target.detachedFromTarget":
            gone = params["sessionId"]
            self._give_up(lambda session: session == gone, "The page was closed.")
        elif page := self._pages.get(message.get("sessionId")):
            page.take_event(message["method"], params)


class Context:
    """A person with a browser of their own.

    :param Browser browser: where it is open.
    :param str context_id: the browser's name for it.
    """

    def __init__(self, browser, context_id):
        self._browser = browser
        self._id = context_id
        self.pages = []

    def set_cookie(self, url, name, value):
        """Put a cookie there, such as that of a session."""
        cookie = {"url": url, "name": name, "value": value, "httpOnly": True}
        self._browser.command(
            "Storage.setCookies", browserContextId=self._id, cookies=[cookie]
        )

    def page(self, width=WIDTH, height=HEIGHT):
        """Open one more tab.

        :rtype: Page
        """
        answer = self._browser.command(
            "Target.createTarget",
            url="about:blank",
            browserContextId=self._id,
            newWindow=True,  # of its own, so that none is in the background
            width=width,
            height=height,
        )
        page = Page(self._browser, answer["targetId"], width, height)
        self.pages.append(page)
        return page

    def close_pages(self):
        for page in self.pages:
            page.close()
        self.pages.clear()


class Page:
    """A tab. What its console says is kept; errors there are failures.

    ``console`` is a list of ``(type, text)``, ``errors`` of texts.
    """

    def __init__(self, browser, target, width, height):
        self._browser = browser
        self._target = target
        self._changed = threading.Condition()
        self._loads = 0
        self.console = []
        self.errors = []
        self._session = browser.attach(self, target)
        for domain in ("Page", "Runtime", "Log"):
            self.command(f"{domain}.enable")
        # Every tab believes that its person looks at it.
        self.command("Emulation.setFocusEmulationEnabled", enabled=True)
        self.resize(width, height)

    def command(self, method, **params):
        """Send a command of the protocol to this page."""
        return self._browser.command(method, self._session, **params)

    def resize(self, width, height):
        """Give the page another size, in CSS pixels."""
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def open(self, url):
        """Go to an address and wait until it is loaded."""
        loads = self._loads
        answer = self.command("Page.navigate", url=url)
        if answer.get("errorText"):
            raise BrowserError(f"{url}: {answer['errorText']}")
        self.wait_for_event(lambda: self._loads > loads, f"{url} to be loaded")

    def reload(self):
        loads = self._loads
        self.command("Page.reload")
        self.wait_for_event(lambda: self._loads > loads, "the page to come back")

    def evaluate(self, expression, timeout=TIMEOUT):
        """Evaluate JavaScript; a promise is waited for.

        :param str expression: whose value can be written as JSON.
        :param float timeout: seconds.
        :raise BrowserError: if it throws.
        """
        answer = self._browser.send(
            "Runtime.evaluate",
            self._session,
            expression=expression,
            awaitPromise=True,
            returnByValue=True,
        )
        result = self._browser.wait_for_answer(answer, timeout)
        if details := result.get("exceptionDetails"):
            raise BrowserError(_exception_text(details))
        return result["result"].get("value")

    def wait_for(self, condition, timeout=TIMEOUT):
        """Wait until a condition holds, over changes of the page and of the address.

        :param str condition: an expression in JavaScript.
        :param float timeout: seconds.
        :return: its value: ``True`` or a text.
        :raise BrowserError: if it does not come to hold.
        """
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            expression = WAIT.format(condition=condition, timeout=int(left * 1000))
            try:
                return self.evaluate(expression, left + COMMAND_TIMEOUT)
            except BrowserError as error:
                if "timeout" in str(error):
                    break
                if not any(text in str(error) for text in NAVIGATED):
                    raise
        raise BrowserError(f"Waited {timeout:.0f} s in vain for: {condition}")

    def wait_for_selector(self, selector, text="", timeout=TIMEOUT):
        """Wait until an element is there, is visible and holds a text.

        :return: the element's text.
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
        with self._changed:
            if not self._changed.wait_for(condition, timeout):
                raise BrowserError(f"Waited {timeout:.0f} s in vain for {what}")

    def screenshot(self, path):
        """:param pathlib.Path path: of the PNG file to write."""
        data = self.command("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(base64.b64decode(data))

    def close(self):
        self._browser.command("Target.closeTarget", targetId=self._target)

    # -- events, on the reading thread -------------------------------------------

    def take_event(self, method, params):
        """Take note of what happened in the page."""
        with self._changed:
            if method == "Page.loadEventFired":
                self._loads += 1
            elif method == "Runtime.consoleAPICalled":
                text = " ".join(_value_text(value) for value in params["args"])
                self._take_console(params["type"], text)
            elif method == "Runtime.exceptionThrown":
                text = _exception_text(params["exceptionDetails"])
                self._take_console("error", text)
            elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
                entry = params["entry"]
                self._take_console("error", f"{entry['text']} {entry.get('url', '')}")
            self._changed.notify_all()

    def _take_console(self, kind, text):
        self.console.append((kind, text))
        if kind in ("error", "assert"):
            self.errors.append(text)


def _value_text(value):
    """Write a value of the protocol as the console shows it."""
    if "value" in value:
        return str(value["value"])
    return value.get("description") or value.get("unserializableValue") or ""


def _exception_text(details):
    exception = details.get("exception") or {}
    return _value_text(exception) or details.get("text", "")
