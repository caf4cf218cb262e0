import logging
from datetime import timedelta

from psycopg2 import Error

from odoo import SUPERUSER_ID, api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.constants import GC_UNLINK_LIMIT

_logger = logging.getLogger(__name__)

KEPT_TIME = timedelta(days=30)

MAX_TEXT = 2000  # characters


class MangoRequest(models.Model):
    """A request to the PBX, and its answer in short.

    For administrators and support: what was asked when, how long the answer took, and
    what it was. Neither the signature nor the content of answers is kept.
    """

    _name = "mango.request"
    _description = "Request to the PBX"
    _order = "id desc"
    _rec_name = "path"

    account_id = fields.Many2one(
        "mango.account", string="PBX", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="account_id.company_id")
    asked_at = fields.Datetime(string="Asked", required=True, readonly=True)
    path = fields.Char(string="API Method", required=True, readonly=True)
    body = fields.Text(string="Parameters", readonly=True)
    duration = fields.Float(
        string="Seconds", digits=(8, 3), readonly=True, help="Until the answer."
    )
    http_status = fields.Integer(string="HTTP Status", readonly=True)
    code = fields.Integer(
        string="Result Code", readonly=True, help="The PBX's own; 0 if it gave none."
    )
    uuid = fields.Char(
        string="PBX Request", readonly=True, help="For the support of Mango Office."
    )
    error = fields.Char(
        readonly=True, help="The kind of failure; empty if all went well."
    )
    _asked_idx = models.Index("(account_id, asked_at)")

    @api.autovacuum
    def _gc_old(self):
        """Delete old requests."""
        old = self.search(
            Domain("asked_at", "<", fields.Datetime.now() - KEPT_TIME),
            limit=GC_UNLINK_LIMIT,
        )
        old.unlink()
        return len(old), len(old) == GC_UNLINK_LIMIT


def record_request(registry, account_id, exchange):
    """Store a request in a transaction of its own, whatever becomes of the current one.

    Called in the thread of the request. It hardly waits and never fails, because the
    journal must not delay or break a request.

    :param Registry registry: of the database.
    :param int account_id: whose PBX. If it is not committed yet, nothing is stored.
    :param Exchange exchange: of the client.
    """
    try:
        with registry.cursor() as cr:
            # Losing the last ones in a crash matters less than waiting for the disk.
            cr.execute(
                "SELECT set_config('synchronous_commit', 'off', true),"
                " set_config('lock_timeout', '1s', true)"
            )
            cr.execute(_insertion(account_id, exchange), log_exceptions=False)
    except Error as error:
        _logger.info("Mango %s: not in the journal (%s)", exchange.path, type(error))


def _insertion(account_id, exchange):
    return SQL(
        """
        INSERT INTO mango_request
                    (account_id, asked_at, path, body, duration, http_status, code,
                     uuid, error, create_uid, write_uid, create_date, write_date)
             SELECT id, %(asked_at)s, %(path)s, %(body)s, %(duration)s,
                    %(http_status)s, %(code)s, %(uuid)s, %(error)s, %(uid)s, %(uid)s,
                    %(now)s, %(now)s
               FROM mango_account
              WHERE id = %(account_id)s
        """,
        account_id=account_id,
        now=fields.Datetime.now(),
        asked_at=fields.Datetime.now() - timedelta(seconds=exchange.seconds),
        path=exchange.path,
        body=exchange.text[:MAX_TEXT],
        duration=exchange.seconds,
        http_status=exchange.http_status or 0,
        code=exchange.code or 0,
        uuid=exchange.uuid,
        error=exchange.error,
        uid=SUPERUSER_ID,
    )
