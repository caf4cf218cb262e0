"""Transactions that several processes may want at the same time."""

import threading
from contextlib import contextmanager

from odoo import SUPERUSER_ID
from odoo.service.model import retrying
from odoo.tools import SQL


@contextmanager
def locked_transaction(env, lock):
    """Open a transaction whose snapshot begins after a lock is held.

    Odoo's transactions are REPEATABLE READ: one that waits for a lock keeps the
    snapshot from before the wait, does not see what the previous holder wrote, and
    fails as soon as it writes the same row (``design.md`` 2, traps). So the lock is
    taken in the transaction at hand, and the work is done in a second one that starts
    when the lock is ours. The lock is an advisory one of PostgreSQL: it holds over
    several server processes and hosts, and ends with the transaction at hand, which
    must therefore end soon and must not have written anything that the work touches.

    It keeps those who take it from colliding; what makes the work correct without it
    stays the unique indexes and Odoo's retry.

    :param Environment env: the environment at hand; its cursor holds the lock.
    :param str lock: what to lock, unique over the database's users of advisory locks.
    :return: context manager giving an environment on the new transaction, with the
        same user and context. Leaving it commits; an exception rolls back.
    """
    env.execute_query(
        SQL("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", lock)
    )
    with env.registry.cursor() as cr:
        yield env(cr=cr)


def start_after_commit(env, target, record_id):
    """Run a function in a thread of its own once a transaction is committed.

    For whatever waits for the PBX on somebody's behalf: neither a transaction nor the
    request that ordered it may wait along, and a cron would come too late.

    :param Environment env: of the transaction.
    :param Callable target: called with the database's name and ``record_id``; it
        opens transactions of its own and handles its exceptions.
    :param int record_id: what it is about.
    """
    dbname = env.cr.dbname

    @env.cr.postcommit.add
    def start():
        threading.Thread(
            target=target,
            args=(dbname, record_id),
            name=f"{target.__module__}.{record_id}",
            daemon=True,
        ).start()


def in_own_transaction(env, lock, function):
    """Call a function as the system in a transaction of its own, and commit it.

    Whoever takes the same lock comes before or after. If somebody else wrote the same
    meanwhile the function is called again, so it must do nothing that cannot be undone.

    :param Environment env: the environment at hand; its transaction takes no part, and
        must not have written what the function writes.
    :param str lock: as for :func:`locked_transaction`.
    :param Callable function: takes the environment of the new transaction.
    :return: what the function returns; records are of a transaction that is over.
    """
    system = env(user=SUPERUSER_ID, su=True)
    with (
        env.registry.cursor() as holder,
        locked_transaction(system(cr=holder), lock) as own,
    ):
        return retrying(lambda: function(own), own)
