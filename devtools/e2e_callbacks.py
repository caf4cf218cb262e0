"""Clients who wait to be called back, after calls in disorder through two servers."""

import random
import re

from . import traffic
from .console import step

CALLS = 1000
CLIENTS = 60
AT_ONCE = 200
CONNECTIONS = 16
SEED = 20260302
#: How the calls end, and how often of ten: missed, got through, called back.
COURSES = {"missed-in-menu": 6, "inbound-unknown": 2, "outgoing": 2}
#: Over how long the calls are spread.
SPREAD = 3600  # seconds
TIMES = ("timestamp", "create_time", "forward_time", "talk_time", "end_time")
CLIENT = re.compile(r"749500002\d\d")
ROBOT = "79990001234"

#: Whoever was spoken to after they were missed does not wait any more.
SPOKEN_TO = """
    SELECT entry.id
      FROM mango_callback AS entry
      JOIN mango_call AS call
        ON call.account_id = entry.account_id
       AND call.client_number = entry.client_number
       AND call.result = 'answered'
       AND call.started_at >= entry.first_missed_at
     WHERE entry.state = 'open'
"""
#: Whoever was missed and not spoken to since does.
FORGOTTEN = """
    SELECT missed.id
      FROM mango_call AS missed
     WHERE missed.result = 'missed'
       AND missed.client_number LIKE '+7999%'
       AND NOT EXISTS (
           SELECT FROM mango_call AS talk
            WHERE talk.account_id = missed.account_id
              AND talk.client_number = missed.client_number
              AND talk.result = 'answered'
              AND talk.ended_at > missed.started_at)
       AND NOT EXISTS (
           SELECT FROM mango_callback AS entry
            WHERE entry.account_id = missed.account_id
              AND entry.client_number = missed.client_number
              AND entry.state = 'open')
"""
TWICE = """
    SELECT client_number FROM mango_callback WHERE state = 'open'
     GROUP BY account_id, client_number HAVING count(*) > 1
"""


def check(bed, recorded, urls):
    """Deliver the calls, and look at who waits.

    :param TestBed bed: where Odoo is served, crons included.
    :param list[RecordedScenario] recorded: all recordings.
    :param list[str] urls: of the servers, which take turns.
    :return: name, success and detail of each check, as they come.
    :rtype: ~collections.abc.Iterator[tuple[str, bool, str]]
    """
    by_name = {scenario.name: scenario for scenario in recorded}
    source = random.Random(SEED)
    posts = [post for number in range(CALLS) for post in _call(by_name, source, number)]
    source.shuffle(posts)
    with step("A thousand calls of missed clients in disorder"):
        traffic.deliver(posts, urls, CONNECTIONS)
        bed.wait_for_callbacks()
    for name, query in (
        ("no client waits twice", TWICE),
        ("nobody waits who was spoken to", SPOKEN_TO),
        ("everybody waits who was missed", FORGOTTEN),
    ):
        rows = bed.query(query)
        yield name, not rows, f"{len(rows)}, such as {rows[:3]}"
    yield _check_at_once(bed, by_name["missed-in-menu"], urls)


def _call(by_name, source, number):
    [name] = source.choices(list(COURSES), COURSES.values())
    client = f"7999000{source.randrange(CLIENTS):04}"
    return _posts(by_name[name], f"waiting{number}", client, -source.randrange(SPREAD))


def _posts(scenario, mark, client, shift=0):
    """Return the notifications of a copy of a recording, of another client.

    :param int shift: how many seconds later it was.
    """
    moved = [(kind, _moved(payload, shift)) for kind, payload in scenario.posts]
    copies = scenario._replace(posts=moved).copy(
        traffic.SEPARATOR.join([mark, scenario.name])
    )
    return [post._replace(text=CLIENT.sub(client, post.text)) for post in copies]


def _moved(payload, shift):
    times = {name: payload[name] + shift for name in TIMES if payload.get(name)}
    return {**payload, **times}


def _check_at_once(bed, scenario, urls):
    posts = [
        post
        for number in range(AT_ONCE)
        for post in _posts(scenario, f"once{number}", ROBOT)
    ]
    with step("Two hundred calls of one client at once"):
        traffic.deliver(posts, urls, CONNECTIONS)
        bed.wait_for_callbacks()
    rows = bed.query(
        "SELECT attempt_count || ' ' || state FROM mango_callback "
        f"WHERE client_number = '+{ROBOT}'"
    )
    name = f"{AT_ONCE} missed calls of one client at once: one entry"
    return name, rows == [f"{AT_ONCE} open"], str(rows)
