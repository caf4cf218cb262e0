"""Queries for the clients to call back, after calls in disorder."""

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


def check_one(bed, client, calls):
    """Check that a client who was missed often waits once.

    :param TestBed bed: where Odoo is served.
    :param str client: the number, in E.164 without the plus.
    :param int calls: how often they were missed.
    :return: name, success and detail of the check.
    :rtype: tuple[str, bool, str]
    """
    rows = bed.query(
        "SELECT attempt_count || ' ' || state FROM mango_callback "
        f"WHERE client_number = '+{client}'"
    )
    name = f"{calls} missed calls of one client at once: one entry"
    return name, rows == [f"{calls} open"], str(rows)
