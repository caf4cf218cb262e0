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
    answers = deliver(bed, mode)
    statuses = Counter(answer.status for answer in answers)
    found = bed.query(
        "SELECT concat(state, '/', result, ' ', count(*)) FROM mango_call "
        f"WHERE entry_id LIKE 'burst-{mode}-%' GROUP BY state, result"
    )
    ok = set(statuses) == {200} and found == [f"ended/missed {CALLS}"]
    slowest = max(answer.seconds for answer in answers)
    detail = f"answers: {dict(statuses)}; {found}; slowest answer {slowest:.1f} s"
    return f"{CALLS} notifications of {CALLS} calls at once, {mode}", ok, detail


def deliver(bed, mode):
    """Let all calls ring at once, and hang up all at once.

    :param TestBed bed: with Odoo running.
    :param str mode: a mark of the calls.
    :return: the answers.
    :rtype: list[Answer]
    """
    entries = [f"burst-{mode}-{number}" for number in range(CALLS)]
    # A server that has just started is still loading while the crowd waits.
    traffic.send(_ring(f"first-{mode}", CALLS), bed.url)
    traffic.send(_hang_up(f"first-{mode}", CALLS), bed.url)
    answers = []
    for make in (_ring, _hang_up):
        posts = [make(entry, number) for number, entry in enumerate(entries)]
        answers += traffic.deliver(posts, [bed.url], connections=CALLS)
    return answers


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
