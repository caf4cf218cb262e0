"""Locks, transactions and threads that concurrent requests compete for."""

import itertools
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache

from psycopg2 import InterfaceError, OperationalError
from psycopg2.errors import AdminShutdown, CannotConnectNow, CrashShutdown
from psycopg2.pool import PoolError
from werkzeug.exceptions import ServiceUnavailable

from odoo import SUPERUSER_ID, api
from odoo.service.model import retrying
from odoo.service.server import CommonServer
from odoo.tools import SQL, config

_logger = logging.getLogger(__name__)

LOST_CONNECTION = (InterfaceError, AdminShutdown, CannotConnectNow, CrashShutdown)

#: How long a transaction waits for a lock. Odoo retries a request that times out.
LOCK_TIMEOUT = "10s"

#: Timeout and polling interval when waiting for a connection, in seconds.
CONNECTION_TIMEOUT, CONNECTION_INTERVAL = 10, 0.02

#: How many requests of one process may wait for a slot, and for how many seconds. The
#: PBX does not repeat notifications, so waiting is better than refusing.
MAX_WAITING = 1000
SLOT_TIMEOUT = 30

#: Threads per process for requests to the PBX, and the length of their queue. Route
#: commands have their own threads because a caller is listening to a greeting.
COMMAND_THREADS, URGENT_THREADS = 8, 4
MAX_QUEUED = 200


# ------------------------------------------------------------
# Locks
# ------------------------------------------------------------


@contextmanager
def locked_transaction(env, *locks):
    """Open a transaction whose snapshot is taken after locks have been acquired.

    Odoo's transactions are REPEATABLE READ: one that waits for a lock keeps the
    snapshot from before the wait, does not see what the previous holder wrote, and
    fails as soon as it writes the same row (``design.md`` 2, traps). So the locks are
    taken in the current transaction, and the work is done in a second one that starts
    once they are held. They are PostgreSQL advisory locks: they work across server
    processes and hosts, and are released at the end of the current transaction, which
    must therefore end soon and must not have written any row that the work touches.

    The locks only avoid collisions; correctness comes from the unique indexes and
    Odoo's retry.

    :param Environment env: the current environment; its cursor holds the locks.
    :param str locks: as for :func:`take_locks`.
    :return: context manager giving an environment on the new transaction, with the
        same user and context. Leaving it commits; an exception rolls back.
    :raise psycopg2.errors.LockNotAvailable: after :data:`LOCK_TIMEOUT`, in either
        transaction.
    """
    take_locks(env, *locks)
    with patient_cursor(env.registry) as cr:
        limit_lock_waits(cr)
        yield env(cr=cr)


def take_locks(env, *locks):
    """Hold locks until the end of a transaction.

    :param Environment env: of the transaction.
    :param str locks: names, unique among the advisory locks of the database. They are
        taken in this order, which must be the same for all who share several of them.
    :raise psycopg2.errors.LockNotAvailable: after :data:`LOCK_TIMEOUT` for one lock.
    """
    env.execute_query(
        SQL(
            "SELECT set_config('lock_timeout', %s, true), "
            "pg_advisory_xact_lock(hashtextextended(name, 0)) "
            "FROM unnest(%s::text[]) AS name",
            LOCK_TIMEOUT,
            list(locks),
        )
    )


def patient_cursor(registry):
    """Open a cursor, waiting for a connection while the pool is full.

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
    """Make a transaction fail rather than wait long for a lock.

    :param Cursor cr: of the transaction.
    """
    cr.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])


def in_own_transaction(env, function, *locks):
    """Call a function as superuser in a transaction of its own, and commit it.

    Calls under the same lock are serialized. After a concurrent update the function is
    called again, so it must not have effects that a rollback does not undo.

    :param Environment env: the current environment; its transaction is not used, and
        must not have written what the function writes.
    :param Callable function: takes the environment of the new transaction.
    :param str locks: as for :func:`take_locks`.
    :return: what the function returns; records belong to a closed transaction.
    """
    system = env(user=SUPERUSER_ID, su=True)
    with (
        patient_cursor(env.registry) as holder,
        locked_transaction(system(cr=holder), *locks) as own,
    ):
        return retried(own, function)


def in_thread_transaction(registry, function):
    """Call a function as superuser in a transaction, in a thread without a request.

    After a concurrent update the function is called again, so it must not have effects
    that a rollback does not undo.

    :param Registry registry: of the database.
    :param Callable function: takes the environment of the transaction.
    :return: what the function returns; records belong to a closed transaction.
    """
    with registry.cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, {})
        return retrying(lambda: function(env), env)


def retried(env, function):
    """Call a function and commit; after a concurrent update, call it again.

    :param Environment env: of a :func:`locked_transaction`.
    :param Callable function: takes ``env``; must have no effects that a rollback does
        not undo.
    :return: what the function returns.
    """
    tries = itertools.count()

    def attempt():
        if next(tries):
            limit_lock_waits(env.cr)  # The rollback has reset the timeout.
        return function(env)

    return retrying(attempt, env)


# ------------------------------------------------------------
# Slots: how many notifications a process handles at a time
# ------------------------------------------------------------


class Slots:
    """Limit how many threads work at a time, and how many may wait for their turn."""

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
            _logger.warning("overloaded: too many notifications are waiting")
            raise ServiceUnavailable
        try:
            if not self._free.acquire(timeout=self._timeout):
                _logger.warning(
                    "overloaded: a notification got no slot within %s seconds",
                    self._timeout,
                )
                raise ServiceUnavailable
        finally:
            self._places.release()

    def release(self):
        self._free.release()


@cache
def _notification_slots():
    # A notification holds two connections. Most of the pool is left for other requests.
    return Slots(max(config["db_maxconn"] // 8, 1))


@contextmanager
def notification_slot(env):
    """Handle a notification as soon as the process has a free slot.

    In a threaded process, each request holds a connection from its start. If every
    notification of a burst took a second one, the pool would be exhausted and the rest
    would fail. So only a few are handled at a time, and a request that waits for a slot
    gives its connection back meanwhile.

    :param Environment env: of the request.
    :return: context manager giving the environment to work in: the same one if a slot
        was free, otherwise one on a new connection. Odoo does not retry in the latter
        case, since it only knows the connection that was given back.
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
# Threads that wait for the PBX
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
            _logger.info("%s: the server is stopping, dropped %s", self._name, args)
            self._places.release()
            return False
        future.add_done_callback(lambda _future: self._places.release())
        return True

    def stop(self):
        """Drop the queued work: Python only exits once the queue is empty."""
        self._executor.shutdown(wait=False, cancel_futures=True)


_commands = Background("mango_office.commands", COMMAND_THREADS)
_urgent = Background("mango_office.urgent", URGENT_THREADS)
CommonServer.on_stop(_commands.stop)
CommonServer.on_stop(_urgent.stop)


def start_urgent(function, *args):
    """Call a function in another thread soon, because a caller is waiting.

    :param Callable function: must handle its exceptions.
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
        opens transactions of its own and must handle its exceptions.
    :param int record_id: what it is about.
    :param bool urgent: a caller is waiting; does not queue behind people's commands.
    """
    background = _urgent if urgent else _commands
    env.cr.postcommit.add(
        lambda dbname=env.cr.dbname: background.start(target, dbname, record_id)
    )


def is_connection_lost(error):
    """Tell whether the database has gone away, whatever was being done.

    A statement that was cancelled is not that: it would be cancelled again.

    :param Exception error: what was raised.
    :rtype: bool
    """
    return type(error) is OperationalError or isinstance(error, LOST_CONNECTION)
