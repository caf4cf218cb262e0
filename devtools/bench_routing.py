"""``./dev bench``: routing with a long plan and many employees."""

import contextlib

from . import bench_pages, bench_webhook
from .bench_table import Budget, Row
from .console import step

EMPLOYEES = 200
STEPS = 20
ROUNDS = 50

EXTENSIONS = """
INSERT INTO mango_extension (
    account_id, number, name, user_id, active, create_uid, write_uid, create_date,
    write_date
)
SELECT (SELECT min(id) FROM mango_account), 7000 + id, login, id, TRUE, 1, 1, now(),
       now()
  FROM res_users WHERE login LIKE 'bench-%'
"""


def routing(bed, rounds):
    """Measure the decision, and the time from a ring to the command, in the worst case.

    Only the last target is available: all others have set do-not-disturb.

    :param TestBed bed: with Odoo running.
    :param int rounds: the number of callers.
    :rtype: list[Row]
    """
    server = bed.log_in(*bench_pages.SUPERVISOR)
    with step(f"Planning {STEPS} steps for {EMPLOYEES} employees"):
        people = employees(bed)
    plan = f"{STEPS} steps, {EMPLOYEES} employees"
    with _plan(server, people):
        facts = bench_pages.timed(server, "read_route_facts", ROUNDS)
        decided = bench_pages.timed(server, "decide_route", ROUNDS)
        budget = Budget("p95 ≤ 1 ms", lambda row: row.p95 <= 0.001)
        yield Row(f"facts of a routing decision, {plan}", facts)
        yield Row(f"routing decision, {plan}", decided, budget=budget)
        for row in bench_webhook.ring_to_route(bed, rounds):
            row.what = f"{row.what}, {plan}"
            yield row


def employees(bed):
    """Return the users of many employees, who are created once and kept.

    :param TestBed bed: with Odoo running.
    :return: their ids.
    :rtype: list[int]
    """
    server = bed.log_in(*bench_pages.SUPERVISOR)
    domain = [("login", "=like", "bench-%")]
    users = server.call("res.users", "search", domain)
    if users:
        return users
    users = server.call(
        "res.users",
        "create",
        [
            {"name": f"Employee {number}", "login": f"bench-{number}"}
            for number in range(EMPLOYEES)
        ],
        context={"no_reset_password": True},
    )
    bed.query(EXTENSIONS)  # only the PBX's own can be created in Odoo
    for user in users:
        server.call("res.users", "mango_set_status", [user], "dnd")
    bed.query("ANALYZE")
    return users


@contextlib.contextmanager
def _plan(server, users):
    """Use a long plan instead of the usual one for the time of the block."""
    steps = "mango.route.step"
    usual = server.call(steps, "search", [])
    server.call(steps, "write", usual, {"active": False})
    [account] = server.call("mango.account", "search", [], limit=1)
    [anna] = server.call("res.users", "search", [("login", "=", "anna")])
    members = [(6, 0, [*users, anna])]
    team = server.call("crm.team", "create", {"name": "Bench", "member_ids": members})
    common = {"account_id": account, "only_working_hours": False}
    made = server.call(
        steps,
        "create",
        [
            *(
                {**common, "sequence": order, "target": "user", "user_id": user}
                for order, user in enumerate(users[: STEPS - 2])
            ),
            # The others who call meanwhile are unknown, and ring nobody.
            {
                **common,
                "sequence": STEPS,
                "target": "team",
                "team_id": team,
                "caller": "known",
            },
            {**common, "sequence": STEPS + 1, "target": "pbx"},
        ],
    )
    try:
        yield
    finally:
        server.call(steps, "unlink", made)
        server.call(steps, "write", usual, {"active": True})
        server.call("crm.team", "unlink", [team])
