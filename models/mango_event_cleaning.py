from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

#: How much is removed in one transaction.
CALLS_AT_A_TIME = 1000
EVENTS_AT_A_TIME = 10000


class MangoEvent(models.Model):
    """How notifications are removed after a time, without changing any call.

    A call is what follows from all of its notifications. So they go all at once, when
    the call is over and none of them is young or has failed, and the call is sealed:
    what comes later does not change it any more.
    """

    _inherit = "mango.event"

    @api.autovacuum
    def _gc_old(self):
        """Remove what has been applied and is older than the PBX's setting says.

        :return: how many events went, and whether there are more.
        :rtype: tuple[int, bool]
        """
        removed, has_more = 0, False
        accounts = self.env["mango.account"].with_context(active_test=False)
        for account in accounts.search([("event_retention_days", ">", 0)]):
            keep = timedelta(days=account.event_retention_days)
            limit = fields.Datetime.now() - keep
            calls = self._calls_to_seal(account, limit)
            calls.with_context(tracking_disable=True).sealed_at = fields.Datetime.now()
            calls.flush_recordset(["sealed_at"])
            events = self._without_call(account, limit)
            removed += len(events)
            has_more |= len(calls) == CALLS_AT_A_TIME or len(events) == EVENTS_AT_A_TIME
            events.unlink()
        return removed, has_more

    @api.model
    def _calls_to_seal(self, account, limit):
        """Lock and return calls that nothing has been heard of for long.

        :param mango.account account: whose.
        :param datetime limit: UTC; neither the call's end nor a notification is later.
        :rtype: mango.call
        """
        self.env["mango.call"].flush_model()
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT call.id
                  FROM mango_call AS call
                 WHERE call.account_id = %(account_id)s
                   AND call.sealed_at IS NULL
                   AND call.state = 'ended'
                   AND COALESCE(call.ended_at, call.create_date) < %(limit)s
                   AND NOT EXISTS (
                           SELECT 1
                             FROM mango_event AS event
                            WHERE event.account_id = call.account_id
                              AND event.entry_id = call.entry_id
                              AND (event.received_at >= %(limit)s
                                   OR event.state IN ('pending', 'failed'))
                       )
                 ORDER BY COALESCE(call.ended_at, call.create_date)
                 LIMIT %(count)s
                   FOR UPDATE OF call SKIP LOCKED
                """,
                account_id=account.id,
                limit=limit,
                count=CALLS_AT_A_TIME,
            )
        )
        return self.env["mango.call"].browse(row[0] for row in rows)

    @api.model
    def _without_call(self, account, limit):
        """Return old events that no call depends on.

        :param mango.account account: whose.
        :param datetime limit: UTC; they came before.
        :rtype: mango.event
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT event.id
                  FROM mango_event AS event
                 WHERE event.account_id = %(account_id)s
                   AND event.received_at < %(limit)s
                   AND event.state IN ('done', 'ignored')
                   AND NOT EXISTS (
                           SELECT 1
                             FROM mango_call AS call
                            WHERE call.account_id = event.account_id
                              AND call.entry_id = event.entry_id
                              AND call.sealed_at IS NULL
                       )
                 ORDER BY event.received_at
                 LIMIT %(count)s
                """,
                account_id=account.id,
                limit=limit,
                count=EVENTS_AT_A_TIME,
            )
        )
        return self.browse(row[0] for row in rows)
