"""Leads created from calls, after calls in disorder through two servers."""

import random
import time

from . import traffic
from .console import step
from .e2e_callbacks import posts_of

CALLS = 1000
CLIENTS = 60
AT_ONCE = 200
CONNECTIONS = 16
SEED = 20260409
PATIENCE = 120  # seconds until the cron has processed everything
#: The kinds of calls, weighted by ten.
COURSES = {"missed-in-menu": 5, "inbound-unknown": 3, "outgoing": 2}
SPREAD = 3600  # seconds
ROBOT = "79990021234"

#: Each client who has called has one open lead, however many calls there were.
NOT_ONE = """
    SELECT call.client_number || ' ' || count(DISTINCT lead.id)
      FROM mango_call AS call
      LEFT JOIN crm_lead AS lead
             ON lead.phone_sanitized = call.client_number AND lead.active
     WHERE call.client_number LIKE '+7999001%' AND call.direction = 'inbound'
     GROUP BY call.client_number HAVING count(DISTINCT lead.id) != 1
"""
#: It is created from the first call, as if the calls had arrived in order.
NOT_THE_FIRST = """
    SELECT made.client_key
      FROM mango_client_lead AS made
      JOIN mango_call AS origin ON origin.id = made.call_id
     WHERE origin.client_number LIKE '+7999001%'
       AND EXISTS (
           SELECT FROM mango_call AS earlier
            WHERE earlier.client_number = origin.client_number
              AND earlier.direction = 'inbound'
              AND earlier.started_at < origin.started_at)
"""
NOT_LINKED = """
    SELECT entry_id FROM mango_call
     WHERE client_number LIKE '+7999001%' AND direction = 'inbound'
       AND lead_id IS NULL
"""


def check(bed, recorded, urls):
    """Deliver calls that each create a lead, and check the leads.

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
    _set_policy(bed, "always")
    with step("A thousand calls that create leads, in disorder"):
        traffic.deliver(posts, urls, CONNECTIONS)
        _wait(bed)
    for name, query in (
        ("each client has one open lead", NOT_ONE),
        ("it is that of their first call", NOT_THE_FIRST),
        ("every call is linked to it", NOT_LINKED),
    ):
        rows = bed.query(query)
        yield name, not rows, f"{len(rows)}, such as {rows[:3]}"
    yield _check_at_once(bed, by_name["missed-in-menu"], urls)
    _set_policy(bed, "never")


def _call(by_name, source, number):
    [name] = source.choices(list(COURSES), COURSES.values())
    client = f"7999001{source.randrange(CLIENTS):04}"
    shift = -source.randrange(SPREAD)
    return posts_of(by_name[name], f"lead{number}", client, shift)


def _set_policy(bed, policy):
    server = bed.log_in("admin", "admin")
    ids = server.call("mango.account", "search", [])
    server.call("mango.account", "write", ids, {"lead_policy": policy})


def _check_at_once(bed, scenario, urls):
    posts = [
        post
        for number in range(AT_ONCE)
        for post in posts_of(scenario, f"first{number}", ROBOT)
    ]
    with step("Two hundred first calls of one client at once"):
        traffic.deliver(posts, urls, CONNECTIONS)
        _wait(bed)
    rows = bed.query(f"SELECT id FROM crm_lead WHERE phone_sanitized = '+{ROBOT}'")
    return f"{AT_ONCE} first calls of one client: one lead", len(rows) == 1, str(rows)


def _wait(bed):
    deadline = time.monotonic() + PATIENCE
    while bed.query("SELECT id FROM mango_crm_task WHERE attempts = 0"):
        if time.monotonic() > deadline:
            raise RuntimeError(f"Timeout after {PATIENCE} s waiting for the leads.")
        time.sleep(0.2)
