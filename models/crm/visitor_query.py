"""Requests for the source of a site's visitor, outside of any transaction."""

import logging
import threading
from datetime import timedelta

from odoo import SUPERUSER_ID, fields
from odoo.fields import Domain
from odoo.modules.registry import Registry
from odoo.service.server import CommonServer
from odoo.tools import escape_psql

from ...tools.locking import Background, in_thread_transaction
from ...vpbx import errors

_logger = logging.getLogger(__name__)

#: After this time another visitor may see the number.
PRESENT_TIME = timedelta(minutes=1)

#: Threads per process. They are separate so that a PBX that is slow to answer does not
#: hold up people's commands; what waits for too long is not asked at all.
THREADS = 2

_threads = Background("mango_office.visitors", THREADS)
CommonServer.on_stop(_threads.stop)

#: Names of advertisements come from the addresses that visitors use, which anybody can
#: forge. So the number of new ones of each kind per day is limited.
MAX_NEW, PERIOD = 100, timedelta(days=1)
#: Values that mean "none".
EMPTY_NAMES = {"(none)", "(not set)", "none", "null", "undefined", "-"}

_MODELS = {
    "campaign_id": ("utm.campaign", "campaign"),
    "source_id": ("utm.source", "source"),
    "medium_id": ("utm.medium", "medium"),
}


def ask_after_commit(call):
    """Ask for the visitor of a call, in another thread, once the call is committed.

    :param mango.call call: one whose visitor is still on the site.
    """
    dbname, call_id = call.env.cr.dbname, call.id
    call.env.cr.postcommit.add(lambda: _threads.start(ask, dbname, call_id))


def ask(dbname, call_id):
    """Ask for the visitor of a call, once; runs in a separate thread.

    :param str dbname: the database.
    :param int call_id: the ``mango.call``.
    """
    threading.current_thread().dbname = dbname
    registry = Registry(dbname)
    try:
        question = _on_call(registry, call_id, "_visitor_question")
        if question is None:
            return
        visitor = error = None
        try:
            visitor = question()
        except errors.VpbxError as failure:
            error = failure
        # Apart from the rest, which is repeated after a concurrent update.
        _on_call(registry, call_id, "_record_visitor_answer", error)
        _on_call(registry, call_id, "_on_visitor_answer", visitor, error)
    except Exception:
        _logger.exception("the request for the visitor of a call failed")


def _on_call(registry, call_id, method, *args):
    """Call a method of a call in a transaction of its own; None if it is gone."""

    def call(env):
        found = env["mango.call"].browse(call_id).exists()
        return getattr(found, method)(*args) if found else None

    return in_thread_transaction(registry, call)


def find_utm(env, visitor):
    """Find or create Odoo's records of a visitor's source.

    :param Environment env: of a transaction that is serialized with others.
    :param Visitor visitor: untrusted data, with any text.
    :return: ids by field of the call; False where the visitor's channel has no value.
    :rtype: dict[str, int | bool]
    """
    return {
        field: _find_or_create(env, model, getattr(visitor, member)).id
        for field, (model, member) in _MODELS.items()
    }


def _find_or_create(env, model, name):
    records = env[model].with_context(active_test=False, lang="en_US")
    if not name or name.lower() in EMPTY_NAMES:
        return records
    found = records.search([("name", "=ilike", escape_psql(name))], limit=1)
    if found or _is_flooded(records):
        return found
    vals = {"name": name}
    if "is_auto_campaign" in records._fields:
        vals["is_auto_campaign"] = True
    return records.create(vals)


def _is_flooded(records):
    since = fields.Datetime.now() - PERIOD
    is_new = Domain("create_uid", "=", SUPERUSER_ID) & Domain("create_date", ">", since)
    return records.search_count(is_new, limit=MAX_NEW) >= MAX_NEW
