"""A tab that Playwright does not watch, to measure the memory of a page."""

import itertools
import json
import time

from .browser import HEIGHT, TIMEOUT, WIDTH, BrowserError

INTERVAL = 0.01  # seconds between two looks
# What the page complains about is kept in the page itself: a debugger that listens to
# the console would keep every object that was ever logged.
LISTEN = """
(() => {
    window.complaints = [];
    const complain = (...words) => window.complaints.push(words.join(" "));
    console.error = complain;
    addEventListener("error", ({ message }) => complain(message));
    addEventListener("unhandledrejection", ({ reason }) => complain(reason));
})()
"""


class UnwatchedPage:
    """A tab with a browser context of its own.

    Playwright watches the network of its pages, and for each request the browser then
    keeps data in the page's own memory: a few megabytes after some thousand requests.
    This tab has a debugger that only evaluates expressions and measures.

    :param session: a session of Playwright with the browser itself.
    :param dict cookie: of the person who uses it: ``name``, ``value``, ``url``.
    """

    def __init__(self, session, cookie):
        self._browser = session
        self._ids = itertools.count(1)
        self._answers = {}
        session.on("Target.receivedMessageFromTarget", self._receive)
        self._context = session.send("Target.createBrowserContext")["browserContextId"]
        context = {"browserContextId": self._context}
        session.send("Storage.setCookies", {"cookies": [cookie], **context})
        size = {"width": WIDTH, "height": HEIGHT}
        target = session.send(
            "Target.createTarget", {"url": "about:blank", **size, **context}
        )
        self._debugger = session.send(
            "Target.attachToTarget", {"targetId": target["targetId"], "flatten": False}
        )["sessionId"]

    def open(self, url, condition):
        """Go to an address, and wait until a condition holds there.

        :param str url: the address.
        :param str condition: an expression in JavaScript.
        """
        self._send("Page.navigate", url=url)
        self.wait_for(condition)
        self.evaluate(LISTEN)

    def evaluate(self, expression):
        """Evaluate JavaScript as if a user had clicked, waiting for promises.

        :param str expression: with a value that can be serialised to JSON.
        :raise BrowserError: if it throws, or the page is replaced by another.
        """
        answer = self._send(
            "Runtime.evaluate",
            expression=expression,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            thrown = details.get("exception", {}).get("description", details["text"])
            raise BrowserError(thrown)
        return answer["result"].get("value")

    def wait_for(self, condition):
        """Wait until a condition holds, even across navigation.

        :param str condition: an expression in JavaScript.
        :raise BrowserError: if it does not hold in time.
        """
        deadline = time.monotonic() + TIMEOUT
        while not self._holds(condition):
            if time.monotonic() > deadline:
                raise BrowserError(f"Timeout while waiting for: {condition}")
            time.sleep(INTERVAL)

    def _holds(self, condition):
        try:
            return self.evaluate(f"Boolean({condition})")
        except BrowserError:
            return False  # the page is being loaded

    @property
    def errors(self):
        """What the page has complained about since it was opened: a list of texts."""
        return self.evaluate("window.complaints")

    def heap(self):
        """Collect the garbage of the page, and return the size of the rest.

        :return: bytes of its objects, its document included.
        :rtype: int
        """
        self._send("HeapProfiler.collectGarbage")
        usage = self._send("Runtime.getHeapUsage")
        return usage["usedSize"] + usage["embedderHeapUsedSize"]

    def close(self):
        self._browser.send(
            "Target.disposeBrowserContext", {"browserContextId": self._context}
        )
        self._browser.detach()

    def _send(self, method, **parameters):
        number = next(self._ids)
        message = {"id": number, "method": method, "params": parameters}
        self._browser.send(
            "Target.sendMessageToTarget",
            {"sessionId": self._debugger, "message": json.dumps(message)},
        )
        while number not in self._answers:
            time.sleep(INTERVAL)
            self._browser.send("Browser.getVersion")  # which processes events
        answer = self._answers.pop(number)
        if "error" in answer:
            raise BrowserError(answer["error"]["message"])
        return answer["result"]

    def _receive(self, event):
        message = json.loads(event["message"])
        if "id" in message:
            self._answers[message["id"]] = message
