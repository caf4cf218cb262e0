"""Refusing floods of unsigned notifications ahead of the database."""

import functools
import threading
import time
from collections import OrderedDict

from werkzeug.exceptions import Forbidden

from odoo import http

from ..vpbx import addresses, notifications, signature

WEBHOOK_PATH = "/exec/mango"
MAX_BODY_SIZE = 64 * 1024

#: Seconds in which refused notifications of one source are counted together.
WINDOW = 60
#: For so many seconds the codes and secrets are good that the database gave.
FRESHNESS = 1
#: So many sources and host names are remembered at most; the ones that were quiet
#: longest go first.
MAX_SOURCES = 4096
MAX_HOSTS = 256


class FloodGuard:
    """Counts the refused notifications of each source.

    Once a source is over its limit, its notifications are checked with what this
    process has in memory, and wrong ones are refused before a connection to the
    database is taken. Right ones pass whatever else comes from their address, which
    the PBX may share.

    Every server process has a guard of its own, since it is the process that is
    protected; nothing that matters is in it.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._counts = OrderedDict()  # (database, source) -> [until, count, limit]
        self._credentials = {}  # database -> (until, credentials)
        self._databases = OrderedDict()  # host name -> (until, database)

    def learn(self, dbname, credentials, host=None):
        """Take note of the codes and secrets that were just read.

        :param str dbname: the database.
        :param dict credentials: as of ``mango.account._credentials``.
        :param str host: the host name that led to this database by itself, if any.
        """
        until = self._now() + FRESHNESS
        self._credentials[dbname] = until, credentials
        if host:
            with self._lock:
                self._databases.pop(host, None)
                self._databases[host] = until, dbname
                while len(self._databases) > MAX_HOSTS:
                    self._databases.popitem(last=False)

    def database_of(self, host):
        """Return the database that a host name leads to, if that is known for sure.

        :rtype: str | None
        """
        until, dbname = self._databases.get(host, (0, None))
        return dbname if self._now() < until else None

    def count(self, dbname, address, limit):
        """Count a refused notification.

        :param str dbname: the database.
        :param str address: where it came from.
        :param int limit: how many a minute are looked at; 0 for all.
        :return: how many there were in this minute, this one included.
        :rtype: int
        """
        key = dbname, addresses.source_of(address)
        now = self._now()
        with self._lock:
            entry = self._counts.pop(key, None)
            if entry is None or entry[0] <= now:
                entry = [now + WINDOW, 0, limit]
            entry[1] += 1
            entry[2] = limit
            self._counts[key] = entry
            while len(self._counts) > MAX_SOURCES:
                self._counts.popitem(last=False)
            return entry[1]

    def is_over(self, dbname, address):
        """Tell whether a source has used up its limit.

        :rtype: bool
        """
        if not self._counts:
            return False
        with self._lock:
            entry = self._counts.get((dbname, addresses.source_of(address)))
        if entry is None:
            return False
        until, count, limit = entry
        return bool(limit) and count >= limit and self._now() < until

    def must_refuse(self, dbname, address, form):
        """Tell whether a notification can be refused without the database.

        That takes codes and secrets that are fresh: about once a second one
        notification is let through to where they are read anew.

        :param str dbname: the database.
        :param str address: where it came from.
        :param Callable form: returns the decoded fields; called only if they matter.
        :rtype: bool
        """
        if not self.is_over(dbname, address):
            return False
        until, credentials = self._credentials.get(dbname, (0, {}))
        if until <= self._now():
            return False
        return signature.sender_of(form(), credentials) is None

    def forget(self):
        """Start anew."""
        with self._lock:
            self._counts.clear()
            self._credentials.clear()
            self._databases.clear()

    def _now(self):
        return time.monotonic()


guard = FloodGuard()


def kind_at(path):
    """Return the kind of the notification that is posted to a path.

    :param str path: the whole path.
    :rtype: str
    """
    return notifications.kind_of(path.removeprefix(WEBHOOK_PATH))


def form_of(httprequest):
    """Return the fields of a notification; the body is read up to our limit only.

    :rtype: MultiDict
    :raise RequestEntityTooLarge: if the body is longer.
    """
    httprequest.max_content_length = MAX_BODY_SIZE
    return httprequest.form


def host_of(httprequest):
    """Return the host name, if it alone tells which database a request is for.

    :rtype: str | None
    """
    if "session_id" in httprequest.cookies or "X-Odoo-Database" in httprequest.headers:
        return None
    return httprequest.environ.get("HTTP_HOST")


def install():
    """Put the guard ahead of the database.

    Before any addon has a say, Odoo asks which databases there are (if ``dbfilter`` is
    set), takes a connection and asks whether its caches are up to date; and it offers
    no place ahead of that. Requests to other addresses cost a comparison of texts.
    """
    choose_database = http.Request._get_session_and_dbname
    serve_db = http.Request._serve_db

    @functools.wraps(choose_database)
    def guarded_choice(self):
        if _is_notification(self.httprequest):
            _refuse_flood(
                self.httprequest, guard.database_of(host_of(self.httprequest))
            )
        return choose_database(self)

    @functools.wraps(serve_db)
    def guarded_service(self):
        if _is_notification(self.httprequest):
            _refuse_flood(self.httprequest, self.db)
        return serve_db(self)

    http.Request._get_session_and_dbname = guarded_choice
    http.Request._serve_db = guarded_service


def _is_notification(httprequest):
    return httprequest.path.startswith(WEBHOOK_PATH) and httprequest.method == "POST"


def _refuse_flood(httprequest, dbname):
    """Refuse a notification if that can be done without the database.

    :raise Forbidden: as for every other reason.
    """
    address = httprequest.remote_addr
    if dbname and guard.must_refuse(dbname, address, lambda: form_of(httprequest)):
        raise Forbidden
