"""Calls of clients of their own, in disorder through two servers."""

import random
import re

from . import traffic

CALLS = 1000
CLIENTS = 60
AT_ONCE = 200
CONNECTIONS = 16
#: The period over which the calls are spread.
SPREAD = 3600  # seconds
TIMES = ("timestamp", "create_time", "forward_time", "talk_time", "end_time")
CLIENT = re.compile(r"749500002\d\d")
MISSED = "missed-in-menu"


def deliver(recorded, urls, courses, prefix, seed):
    """Deliver a thousand calls of sixty clients.

    :param list[RecordedScenario] recorded: all recordings.
    :param list[str] urls: of the servers, used in turn.
    :param dict[str, int] courses: scenarios to choose from, with their weights.
    :param str prefix: the first seven digits of the clients' numbers.
    :param int seed: makes the calls and their disorder reproducible.
    """
    by_name = {scenario.name: scenario for scenario in recorded}
    source = random.Random(seed)
    posts = []
    for number in range(CALLS):
        [name] = source.choices(list(courses), courses.values())
        client = f"{prefix}{source.randrange(CLIENTS):04}"
        shift = -source.randrange(SPREAD)
        posts += _posts(by_name[name], f"{prefix}-{number}", client, shift)
    source.shuffle(posts)
    traffic.deliver(posts, urls, CONNECTIONS)


def deliver_at_once(recorded, urls, client):
    """Deliver two hundred missed calls of one client.

    :param list[RecordedScenario] recorded: all recordings.
    :param list[str] urls: of the servers, used in turn.
    :param str client: the number, in E.164 without the plus.
    """
    [scenario] = (scenario for scenario in recorded if scenario.name == MISSED)
    posts = [
        post
        for number in range(AT_ONCE)
        for post in _posts(scenario, f"{client}-{number}", client)
    ]
    traffic.deliver(posts, urls, CONNECTIONS)


def check_none(bed, queries):
    """Check that some queries find nothing.

    :param TestBed bed: with Odoo running.
    :param dict[str, str] queries: for one column each, by the name of the check.
    :return: name, success and detail of each check.
    :rtype: ~collections.abc.Iterator[tuple[str, bool, str]]
    """
    for name, query in queries.items():
        rows = bed.query(query)
        yield name, not rows, f"{len(rows)}, such as {rows[:3]}"


def _posts(scenario, mark, client, shift=0):
    """Return the notifications of a recorded scenario with another client.

    :param int shift: seconds to add to its times.
    """
    moved = [(kind, _moved(payload, shift)) for kind, payload in scenario.posts]
    copies = traffic.copies([scenario._replace(posts=moved)], mark)
    return [post._replace(text=CLIENT.sub(client, post.text)) for post in copies]


def _moved(payload, shift):
    times = {name: payload[name] + shift for name in TIMES if payload.get(name)}
    return {**payload, **times}
