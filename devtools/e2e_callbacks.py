"""Clients to call back, after calls in disorder through two servers."""

import random
import re

from . import traffic
from .console import step

CALLS = 1000
CLIENTS = 60
AT_ONCE = 200
CONNECTIONS = 16
SEED = 20260302
#: The kinds of calls, weighted by ten: missed, got through, called back.
COURSES = {"missed-in-menu": 6, "inbound-unknown": 2, "outgoing": 2}
#: The period over which the calls are spread.
SPREAD = 3600  # seconds
TIMES = ("timestamp", "create_time", "forward_time", "talk_time", "end_time")
CLIENT = re.compile(r"749500002\d\d")
ROBOT = "79990001234"

#: Clients who were spoken to after a missed call must not wait any more.
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
#: Clients who were missed and not spoken to since must wait.
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
    """Deliver the calls, and check who waits.

    :param TestBed bed: with Odoo running, including crons.
    :param list[RecordedScenario] recorded: all recordings.
    :param list[str] urls: of the servers, used in turn.
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
        ("no client who was spoken to waits", SPOKEN_TO),
        ("every missed client waits", FORGOTTEN),
    ):
        rows = bed.query(query)
        yield name, not rows, f"{len(rows)}, such as {rows[:3]}"
    yield _check_at_once(bed, by_name["missed-in-menu"], urls)


def _call(by_name, source, number):
    [name] = source.choices(list(COURSES), COURSES.values())
    client = f"7999000{source.randrange(CLIENTS):04}"
    return posts_of(
        by_name[name], f"waiting{number}", client, -source.randrange(SPREAD)
    )


def posts_of(scenario, mark, client, shift=0):
    """Return the notifications of a recorded scenario with another client.

    :param int shift: seconds to add to its times.
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
        for post in posts_of(scenario, f"once{number}", ROBOT)
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
