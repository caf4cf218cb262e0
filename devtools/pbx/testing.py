"""For tests: a PBX in virtual time and a receiver without a network."""

import json
import random

from .app import DEMO_KEY, DEMO_SALT, Pbx
from .clock import VirtualClock
from .settings import Settings
from .signature import sign


class Receiver:
    """Replaces the network and the external system.

    Answers according to ``design.md``: 403 for a wrong key or signature, 400 for a
    ``json`` that is not an object, 200 otherwise.

    ``react``: called with the path and the decoded ``json`` of each good notification.
    """

    def __init__(self, journal):
        self._journal = journal
        self.forms = []
        self.good = []
        self.react = None

    def __call__(self, entry, form):
        self.forms.append((entry.path, form))
        status = self._judge(entry.path, form)
        self._journal.close(entry, status, "", 1.0)

    def _judge(self, path, form):
        text = form.get("json", "")
        if form["vpbx_api_key"] != DEMO_KEY:
            return 403
        if form["sign"] != sign(DEMO_KEY, text, DEMO_SALT):
            return 403
        try:
            payload = json.loads(text)
        except ValueError:
            return 400
        if not isinstance(payload, dict):
            return 400
        self.good.append((path, payload))
        if self.react:
            self.react(path, payload)
        return 200

    def of(self, path):
        """Return the payloads of one path, in the order of arrival."""
        return [payload for found, payload in self.good if found == path]

    def legs(self):
        """Return ``events/call`` payloads by ``call_id``, in the order of arrival."""
        legs = {}
        for payload in self.of("events/call"):
            legs.setdefault(payload["call_id"], []).append(payload)
        return legs


def make_pbx(**settings):
    """Return a PBX on a virtual clock whose transport is a :class:`Receiver`."""
    return Pbx(
        VirtualClock(), Receiver, settings=Settings(**settings), rng=random.Random(1)
    )
