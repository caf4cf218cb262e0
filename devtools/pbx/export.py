"""Export the notifications of all scenarios: ``python -m devtools.pbx.export``.

Scenarios are played in virtual time, which takes a second in total. The output is a
list of ``{"name", "calls", "posts"}``. A post is a pair of the path (``events/call``)
and the payload; posts are in the order in which the PBX sends them.
"""

import json
import random
import sys
import time

from .app import Pbx
from .clock import VirtualClock
from .scenarios import SCENARIOS
from .settings import Settings
from .testing import Receiver

#: Seconds; no scenario lasts longer.
LONGEST = 600


def record(name, start):
    """Play one scenario and return its notifications.

    :param str name: name of the scenario.
    :param float start: its beginning, in seconds since the epoch.
    :return: ``name``, ``calls`` (the number of calls) and ``posts``.
    :rtype: dict
    """
    settings, rng = Settings(client="answer"), random.Random(1)
    pbx = Pbx(VirtualClock(start), Receiver, settings=settings, rng=rng)
    pbx.play(name)
    pbx.clock.advance(LONGEST)
    posts = pbx.transport.good  # without deliberately broken ones
    calls = {payload["entry_id"] for _path, payload in posts if "entry_id" in payload}
    return {"name": name, "calls": len(calls), "posts": posts}


if __name__ == "__main__":
    start = time.time() - LONGEST
    json.dump([record(name, start) for name in SCENARIOS], sys.stdout)
