"""Queries for the leads created from calls, after calls in disorder."""

import contextlib

#: Each client who has called has one open lead, however many calls there were.
NOT_ONE = """
    SELECT call.client_number || ' ' || count(DISTINCT lead.id)
      FROM mango_call AS call
      LEFT JOIN crm_lead AS lead
             ON lead.phone_sanitized = call.client_number AND lead.active
     WHERE call.client_number LIKE '+7999000%' AND call.direction = 'inbound'
     GROUP BY call.client_number HAVING count(DISTINCT lead.id) != 1
"""
#: It is created from the first call, as if the calls had arrived in order.
NOT_THE_FIRST = """
    SELECT made.client_key
      FROM mango_client_lead AS made
      JOIN mango_call AS origin ON origin.id = made.call_id
     WHERE origin.client_number LIKE '+7999000%'
       AND EXISTS (
           SELECT FROM mango_call AS earlier
            WHERE earlier.client_number = origin.client_number
              AND earlier.direction = 'inbound'
              AND earlier.started_at < origin.started_at)
"""
NOT_LINKED = """
    SELECT entry_id FROM mango_call
     WHERE client_number LIKE '+7999000%' AND direction = 'inbound'
       AND lead_id IS NULL
"""
CHECKS = {
    "each client has one open lead": NOT_ONE,
    "it is that of their first call": NOT_THE_FIRST,
    "every call is linked to it": NOT_LINKED,
}


@contextlib.contextmanager
def created_from_calls(bed):
    """Let every call create a lead for the time of the block.

    :param TestBed bed: with Odoo running.
    """
    _set_policy(bed, "always")
    try:
        yield
    finally:
        _set_policy(bed, "never")


def _set_policy(bed, policy):
    server = bed.log_in("admin", "admin")
    ids = server.call("mango.account", "search", [])
    server.call("mango.account", "write", ids, {"lead_policy": policy})


def check_one(bed, client, calls):
    """Check that the first calls of a client have created one lead.

    :param TestBed bed: where Odoo is served.
    :param str client: the number, in E.164 without the plus.
    :param int calls: how many came at once.
    :return: name, success and detail of the check.
    :rtype: tuple[str, bool, str]
    """
    rows = bed.query(f"SELECT id FROM crm_lead WHERE phone_sanitized = '+{client}'")
    return f"{calls} first calls of one client: one lead", len(rows) == 1, str(rows)
