"""Calls of clients of their own, in disorder through two servers.

Each call may create a lead, and each missed one a client to call back.
"""

import random
import re

from . import e2e_callbacks, e2e_leads, traffic
from .console import step

CALLS = 1000
CLIENTS = 60
AT_ONCE = 200
CONNECTIONS = 16
SEED = 20260302  # makes the calls and their disorder reproducible
PREFIX = "7999000"  # the first seven digits of the clients' numbers
ROBOT = "79990021234"
#: The period over which the calls are spread.
SPREAD = 3600  # seconds
TIMES = ("timestamp", "create_time", "forward_time", "talk_time", "end_time")
CLIENT = re.compile(r"749500002\d\d")
MISSED = "missed-in-menu"
#: The kinds of calls, weighted by ten: missed, got through, called back.
COURSES = {MISSED: 6, "inbound-unknown": 2, "outgoing": 2}


def check(bed, recorded, urls):
    """Deliver the calls, and check who waits and which leads there are.

    :param TestBed bed: with Odoo running, including crons.
    :param list[RecordedScenario] recorded: all recordings.
    :param list[str] urls: of the servers, used in turn.
    :return: name, success and detail of each check, as they come.
    :rtype: ~collections.abc.Iterator[tuple[str, bool, str]]
    """
    by_name = {scenario.name: scenario for scenario in recorded}
    with e2e_leads.created_from_calls(bed):
        with step("A thousand calls of sixty clients in disorder"):
            _deliver(bed, _calls(by_name), urls)
        for name, query in {**e2e_callbacks.CHECKS, **e2e_leads.CHECKS}.items():
            rows = bed.query(query)
            yield name, not rows, f"{len(rows)}, such as {rows[:3]}"
        with step("Two hundred first calls of one client at once"):
            _deliver(bed, _first_calls(by_name), urls)
        yield e2e_callbacks.check_one(bed, ROBOT, AT_ONCE)
        yield e2e_leads.check_one(bed, ROBOT, AT_ONCE)


def _deliver(bed, posts, urls):
    traffic.deliver(posts, urls, CONNECTIONS)
    bed.wait_for_callbacks()
    bed.wait_for_crm()


def _calls(by_name):
    source = random.Random(SEED)
    posts = []
    for number in range(CALLS):
        [name] = source.choices(list(COURSES), COURSES.values())
        client = f"{PREFIX}{source.randrange(CLIENTS):04}"
        shift = -source.randrange(SPREAD)
        posts += _posts(by_name[name], f"{PREFIX}-{number}", client, shift)
    source.shuffle(posts)
    return posts


def _first_calls(by_name):
    return [
        post
        for number in range(AT_ONCE)
        for post in _posts(by_name[MISSED], f"{ROBOT}-{number}", ROBOT)
    ]


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
