"""A tab of the web client, and a tour that runs in it."""

import json

STEP_TIMEOUT = 45  # seconds; a tour itself gives up a step after 10
READY = "(() => {{ try {{ return Boolean(odoo.isTourReady({name})); }} catch {{}} }})()"
SUCCESS = "tour succeeded"


class ScenarioFailed(Exception):
    """A scenario's expectation was not met."""


class Tab:
    """A tab of the web client.

    :param Page page: the tab.
    :param str login: whose.
    """

    def __init__(self, page, login):
        self.page = page
        self._login = login

    def begin(self, tour_name):
        """:rtype: Tour"""
        return Tour(self.page, self._login, tour_name)


class Tour:
    """A running tour.

    :param Page page: the page.
    :param str login: whose page.
    :param str name: of the tour.
    """

    def __init__(self, page, login, name):
        self._page = page
        self._name = f"{name} of {login}"
        self._heard = len(page.console)
        page.wait_for(READY.format(name=json.dumps(name)))
        page.evaluate(f"void odoo.startTour({json.dumps(name)}, {{ redirect: false }})")

    def until(self, cue):
        """Wait until the tour gives a cue.

        :param str cue: the words of ``cue(…)`` in the tour.
        :raise ScenarioFailed: if the tour fails before.
        """
        self._hear(f"cue: {cue}")

    def go_on(self):
        """Continue a tour that waits for somebody else."""
        self._page.evaluate("document.body.classList.add('o_mango_go_on')")

    def finish(self):
        """Wait until the tour is over.

        :raise ScenarioFailed: if it fails.
        """
        self._hear(SUCCESS)

    def _hear(self, words):
        def heard():
            if self._page.errors:
                raise ScenarioFailed(f"{self._name}: {self._page.errors[0]}")
            for _kind, text in self._page.console[self._heard :]:
                self._heard += 1
                if text == words:
                    return True
            return False

        self._page.wait_for_event(heard, f"{self._name} to say: {words}", STEP_TIMEOUT)
