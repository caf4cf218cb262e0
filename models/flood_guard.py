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
#: So many sources are remembered at most; the ones that were quiet longest go first.
MAX_SOURCES = 4096


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

    def learn(self, dbname, credentials):
        """Take note of the codes and secrets that were just read.

        :param str dbname: the database.
        :param dict credentials: as of ``mango.account._credentials``.
        """
        self._credentials[dbname] = self._now() + FRESHNESS, credentials

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


def install():
    """Put the guard ahead of the database.

    Odoo takes a connection and asks whether its caches are up to date before any
    addon has a say, and offers no place ahead of that. Requests to other addresses
    cost one comparison of texts.
    """
    serve_db = http.Request._serve_db

    @functools.wraps(serve_db)
    def guarded(self):
        httprequest = self.httprequest
        if (
            httprequest.path.startswith(WEBHOOK_PATH)
            and httprequest.method == "POST"
            and guard.must_refuse(
                self.db, httprequest.remote_addr, lambda: form_of(httprequest)
            )
        ):
            raise Forbidden
        return serve_db(self)

    http.Request._serve_db = guarded
