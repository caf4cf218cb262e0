"""Clients to call back, after calls in disorder through two servers."""

from . import e2e_clients
from .console import step

SEED = 20260302
PREFIX = "7999000"
#: The kinds of calls, weighted by ten: missed, got through, called back.
COURSES = {"missed-in-menu": 6, "inbound-unknown": 2, "outgoing": 2}
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
CHECKS = {
    "no client waits twice": TWICE,
    "no client who was spoken to waits": SPOKEN_TO,
    "every missed client waits": FORGOTTEN,
}


def check(bed, recorded, urls):
    """Deliver the calls, and check who waits.

    :param TestBed bed: with Odoo running, including crons.
    :param list[RecordedScenario] recorded: all recordings.
    :param list[str] urls: of the servers, used in turn.
    :return: name, success and detail of each check, as they come.
    :rtype: ~collections.abc.Iterator[tuple[str, bool, str]]
    """
    with step("A thousand calls of missed clients in disorder"):
        e2e_clients.deliver(recorded, urls, COURSES, PREFIX, SEED)
        bed.wait_for_callbacks()
    yield from e2e_clients.check_none(bed, CHECKS)
    with step("Two hundred calls of one client at once"):
        e2e_clients.deliver_at_once(recorded, urls, ROBOT)
        bed.wait_for_callbacks()
    rows = bed.query(
        "SELECT attempt_count || ' ' || state FROM mango_callback "
        f"WHERE client_number = '+{ROBOT}'"
    )
    calls = e2e_clients.AT_ONCE
    name = f"{calls} missed calls of one client at once: one entry"
    yield name, rows == [f"{calls} open"], str(rows)
