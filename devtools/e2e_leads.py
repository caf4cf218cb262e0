"""Leads created from calls, after calls in disorder through two servers."""

from . import e2e_clients
from .console import step

SEED = 20260409
PREFIX = "7999001"
#: The kinds of calls, weighted by ten.
COURSES = {"missed-in-menu": 5, "inbound-unknown": 3, "outgoing": 2}
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
CHECKS = {
    "each client has one open lead": NOT_ONE,
    "it is that of their first call": NOT_THE_FIRST,
    "every call is linked to it": NOT_LINKED,
}


def check(bed, recorded, urls):
    """Deliver calls that each create a lead, and check the leads.

    :param TestBed bed: with Odoo running, including crons.
    :param list[RecordedScenario] recorded: all recordings.
    :param list[str] urls: of the servers, used in turn.
    :return: name, success and detail of each check, as they come.
    :rtype: ~collections.abc.Iterator[tuple[str, bool, str]]
    """
    _set_policy(bed, "always")
    with step("A thousand calls that create leads, in disorder"):
        e2e_clients.deliver(recorded, urls, COURSES, PREFIX, SEED)
        bed.wait_for_crm()
    yield from e2e_clients.check_none(bed, CHECKS)
    with step("Two hundred first calls of one client at once"):
        e2e_clients.deliver_at_once(recorded, urls, ROBOT)
        bed.wait_for_crm()
    rows = bed.query(f"SELECT id FROM crm_lead WHERE phone_sanitized = '+{ROBOT}'")
    name = f"{e2e_clients.AT_ONCE} first calls of one client: one lead"
    yield name, len(rows) == 1, str(rows)
    _set_policy(bed, "never")


def _set_policy(bed, policy):
    server = bed.log_in("admin", "admin")
    ids = server.call("mango.account", "search", [])
    server.call("mango.account", "write", ids, {"lead_policy": policy})
