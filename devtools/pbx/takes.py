"""The notifications of every scenario, as JSON: ``python -m devtools.pbx.takes``.

Each scenario is played in virtual time, so that all of them take a second. A list of
``{"name", "calls", "posts"}`` is printed; a post is the end of the address and the
members of ``json``, in the order in which the PBX sends them.
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

#: Seconds that are longer than any scenario.
LONGEST = 600


def record(name, start):
    """Play one scenario.

    :param str name: of the scenario.
    :param float start: when it begins, in seconds since the epoch.
    :return: ``name``, ``calls`` (how many it is about) and ``posts``.
    :rtype: dict
    """
    settings, rng = Settings(client="answer"), random.Random(1)
    pbx = Pbx(VirtualClock(start), Receiver, settings=settings, rng=rng)
    pbx.play(name)
    pbx.clock.advance(LONGEST)
    posts = pbx.transport.good  # what is to be refused is not among them
    calls = {payload["entry_id"] for _path, payload in posts if "entry_id" in payload}
    return {"name": name, "calls": len(calls), "posts": posts}


if __name__ == "__main__":
    start = time.time() - LONGEST
    json.dump([record(name, start) for name in SCENARIOS], sys.stdout)
