"""Locks, transactions and threads that several requests may want at the same time."""

import itertools
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache

from psycopg2.pool import PoolError
from werkzeug.exceptions import ServiceUnavailable

from odoo import SUPERUSER_ID
from odoo.service.model import retrying
from odoo.service.server import CommonServer
from odoo.tools import SQL, config

_logger = logging.getLogger(__name__)

#: How long a transaction waits for a lock. Odoo repeats what fails by it.
LOCK_TIMEOUT = "10s"

#: How long to wait for a connection, and between two looks, in seconds.
CONNECTION_TIMEOUT, CONNECTION_INTERVAL = 10, 0.02

#: How many requests of one process may wait for a slot, and for how many seconds. The
#: PBX does not repeat a notification, so waiting is better than refusing.
MAX_WAITING = 1000
SLOT_TIMEOUT = 30

#: Threads of a process that speak to the PBX, and how much may wait for them. Route
#: commands have their own: a caller is listening to a greeting meanwhile.
COMMAND_THREADS, URGENT_THREADS = 8, 4
MAX_QUEUED = 200


# ------------------------------------------------------------
# Locks
# ------------------------------------------------------------


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

    The lock avoids collisions; what makes the work correct without it are the unique
    indexes and Odoo's retry.

    :param Environment env: the environment at hand; its cursor holds the lock.
    :param str lock: what to lock, unique over the database's users of advisory locks.
    :return: context manager giving an environment on the new transaction, with the
        same user and context. Leaving it commits; an exception rolls back.
    :raise psycopg2.errors.LockNotAvailable: after :data:`LOCK_TIMEOUT`, in either
        transaction.
    """
    take_lock(env, lock)
    with patient_cursor(env.registry) as cr:
        limit_lock_waits(cr)
        yield env(cr=cr)


def take_lock(env, lock):
    """Hold a lock until the end of a transaction.

    :param Environment env: of the transaction.
    :param str lock: what to lock, unique over the database's users of advisory locks.
    :raise psycopg2.errors.LockNotAvailable: after :data:`LOCK_TIMEOUT`.
    """
    env.execute_query(
        SQL(
            "SELECT set_config('lock_timeout', %s, true), "
            "pg_advisory_xact_lock(hashtextextended(%s, 0))",
            LOCK_TIMEOUT,
            lock,
        )
    )


def patient_cursor(registry):
    """Open a cursor, and wait for a connection if others hold all of the pool.

    :param Registry registry: of the database.
    :rtype: Cursor
    :raise PoolError: after :data:`CONNECTION_TIMEOUT`.
    """
    deadline = time.monotonic() + CONNECTION_TIMEOUT
    while True:
        try:
            return registry.cursor()
        except PoolError:
            if time.monotonic() > deadline:
                raise
            time.sleep(CONNECTION_INTERVAL)


def limit_lock_waits(cr):
    """Have a transaction fail rather than wait for a lock for long.

    :param Cursor cr: of the transaction.
    """
    cr.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])


def in_own_transaction(env, lock, function):
    """Call a function as the system in a transaction of its own, and commit it.

    Whoever takes the same lock comes before or after. After a concurrent update the
    function is called again, so it must do nothing that cannot be undone.

    :param Environment env: the environment at hand; its transaction takes no part, and
        must not have written what the function writes.
    :param str lock: as for :func:`locked_transaction`.
    :param Callable function: takes the environment of the new transaction.
    :return: what the function returns; records are of a transaction that is over.
    """
    system = env(user=SUPERUSER_ID, su=True)
    with (
        patient_cursor(env.registry) as holder,
        locked_transaction(system(cr=holder), lock) as own,
    ):
        return retried(own, function)


def retried(env, function):
    """Call a function and commit; after a concurrent update, call it again.

    :param Environment env: of a :func:`locked_transaction`.
    :param Callable function: takes ``env``; does nothing that cannot be undone.
    :return: what the function returns.
    """
    tries = itertools.count()

    def attempt():
        if next(tries):
            limit_lock_waits(env.cr)  # The rollback has ended the first limit.
        return function(env)

    return retrying(attempt, env)


# ------------------------------------------------------------
# Slots: how many notifications a process works on at a time
# ------------------------------------------------------------


class Slots:
    """Bound how many threads do something at a time, and how many wait for it."""

    def __init__(self, size, waiting=MAX_WAITING, timeout=SLOT_TIMEOUT):
        self._free = threading.BoundedSemaphore(size)
        self._places = threading.BoundedSemaphore(waiting)
        self._timeout = timeout

    def take_now(self):
        """Take a slot if one is free.

        :rtype: bool
        """
        return self._free.acquire(blocking=False)

    def wait(self):
        """Take a slot as soon as one is free.

        :raise ServiceUnavailable: if too many wait already, or it takes too long.
        """
        if not self._places.acquire(blocking=False):
            _logger.warning("overloaded: too many notifications wait already")
            raise ServiceUnavailable
        try:
            if not self._free.acquire(timeout=self._timeout):
                _logger.warning(
                    "overloaded: a notification waited for %s seconds in vain",
                    self._timeout,
                )
                raise ServiceUnavailable
        finally:
            self._places.release()

    def release(self):
        self._free.release()


@cache
def _notification_slots():
    # A notification holds two connections. Most of the pool stays for everybody else.
    return Slots(max(config["db_maxconn"] // 8, 1))


@contextmanager
def notification_slot(env):
    """Work on a notification when the process has a slot for it.

    In a process with threads, each request holds a connection from its beginning. If
    a burst of notifications took a second one each, the pool would soon be empty and
    the rest would fail. So only some work at a time, and who waits for a slot gives
    the connection back meanwhile.

    :param Environment env: of the request.
    :return: context manager giving the environment to work in: the same if a slot was
        free, else one on a connection taken afterwards. Odoo does not retry then, since
        it only knows the connection that was given back.
    :raise ServiceUnavailable: if the process is overloaded.
    """
    slots = _notification_slots()
    if slots.take_now():
        try:
            yield env
        finally:
            slots.release()
        return
    env.cr.close()
    slots.wait()
    try:
        with patient_cursor(env.registry) as cr:
            yield env(cr=cr)
    finally:
        slots.release()


# ------------------------------------------------------------
# Threads: what waits for the PBX
# ------------------------------------------------------------


class Background:
    """A bounded number of threads of this process with a bounded queue."""

    def __init__(self, name, threads, waiting=MAX_QUEUED):
        self._name = name
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._places = threading.BoundedSemaphore(threads + waiting)

    def start(self, function, *args):
        """Call a function in a thread, soon.

        :return: whether there was room for it.
        :rtype: bool
        """
        if not self._places.acquire(blocking=False):
            _logger.error("%s: the queue is full, dropped %s", self._name, args)
            return False
        try:
            future = self._executor.submit(function, *args)
        except RuntimeError:
            _logger.info("%s: the server stops, dropped %s", self._name, args)
            self._places.release()
            return False
        future.add_done_callback(lambda _future: self._places.release())
        return True

    def stop(self):
        """Drop what is queued: Python ends a process only when the queue is empty."""
        self._executor.shutdown(wait=False, cancel_futures=True)


_commands = Background("mango_office.commands", COMMAND_THREADS)
_urgent = Background("mango_office.urgent", URGENT_THREADS)
CommonServer.on_stop(_commands.stop)
CommonServer.on_stop(_urgent.stop)


def start_urgent(function, *args):
    """Call a function in another thread, soon: a caller is waiting.

    :param Callable function: handles its exceptions.
    :return: whether there was room for it.
    :rtype: bool
    """
    return _urgent.start(function, *args)


def start_after_commit(env, target, record_id, urgent=False):
    """Call a function in another thread once a transaction is committed.

    For whatever waits for the PBX on somebody's behalf: neither a transaction nor the
    request that ordered it may wait along, and a cron would come too late.

    :param Environment env: of the transaction.
    :param Callable target: called with the database's name and ``record_id``; it
        opens transactions of its own and handles its exceptions.
    :param int record_id: what it is about.
    :param bool urgent: a caller is waiting; does not queue behind people's commands.
    """
    background = _urgent if urgent else _commands
    env.cr.postcommit.add(
        lambda dbname=env.cr.dbname: background.start(target, dbname, record_id)
    )
