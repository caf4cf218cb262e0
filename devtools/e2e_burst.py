"""A burst: hundreds of calls ring at the same time, and are all hung up at once.

The PBX does not repeat a notification, so each has to be answered 200, whether Odoo
runs with worker processes or with threads.
"""

import json
import time
from collections import Counter

from . import traffic

CALLS = 300
LINE = "74950000100"


def run(bed, mode):
    """Send two bursts to the running Odoo.

    :param TestBed bed: with Odoo running.
    :param str mode: the server's mode, for the name of the check.
    :return: name, success and detail of the check.
    :rtype: tuple[str, bool, str]
    """
    entries = [f"burst-{mode}-{number}" for number in range(CALLS)]
    slowest = 0
    for make in (_ring, _hang_up):
        posts = [make(entry, number) for number, entry in enumerate(entries)]
        answers = traffic.deliver(posts, [bed.url], connections=CALLS)
        statuses = Counter(answer.status for answer in answers)
        if statuses != {200: CALLS}:
            return _name(mode), False, f"answers: {dict(statuses)}"
        slowest = max(slowest, *(answer.seconds for answer in answers))
    found = bed.query(
        "SELECT concat(state, '/', result, ' ', count(*)) FROM mango_call "
        f"WHERE entry_id LIKE 'burst-{mode}-%' GROUP BY state, result"
    )
    ok = found == [f"ended/missed {CALLS}"]
    return _name(mode), ok, f"{found}; slowest answer {slowest:.1f} s"


def _name(mode):
    return f"{CALLS} notifications of {CALLS} calls at once, {mode}"


def _ring(entry, number):
    return traffic.Post(
        "events/call",
        json.dumps(
            {
                "entry_id": entry,
                "call_id": f"{entry}-1",
                "timestamp": int(time.time()),
                "seq": 1,
                "call_state": "Appeared",
                "location": "ivr",
                "from": {"number": _caller(number)},
                "to": {"number": LINE, "line_number": LINE},
            }
        ),
    )


def _hang_up(entry, number):
    now = int(time.time())
    return traffic.Post(
        "events/summary",
        json.dumps(
            {
                "entry_id": entry,
                "call_direction": 1,
                "from": {"number": _caller(number)},
                "to": {},
                "line_number": LINE,
                "create_time": now - 5,
                "forward_time": 0,
                "talk_time": 0,
                "end_time": now,
                "entry_result": 0,
                "disconnect_reason": 1110,
            }
        ),
    )


def _caller(number):
    return f"7495000{5000 + number:04}"
