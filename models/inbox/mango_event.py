import hashlib
import logging
from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields, models
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ...tools.locking import locked_transaction, retried
from ...vpbx import notifications, statistics

_logger = logging.getLogger(__name__)

#: A notification that fails this often needs a user's attention.
MAX_ATTEMPTS = 10

BATCH_SIZE = 500

#: How many notifications of one call are applied. A large group that rings for minutes
#: causes some hundreds; each new one is read together with all earlier ones.
MAX_OF_CALL = 2000

#: Additional room for notifications that end the call.
MAX_ENDS_OF_CALL = 20

#: The kinds of notifications that make up calls.
USED = (
    notifications.LegEvent
    | notifications.Summary
    | notifications.RecordingEvent
    | notifications.RecordAdded
    | notifications.CommandResult
    | statistics.StatisticsCall
)

#: How many events are removed in one transaction.
CALLS_AT_A_TIME = 1000

EVENTS_AT_A_TIME = 10000


class MangoEvent(models.Model):
    """The inbox: every verified notification as received, stored once."""

    _name = "mango.event"
    _description = "PBX Notification"
    _order = "id desc"
    _rec_name = "kind"

    account_id = fields.Many2one(
        "mango.account", string="PBX", required=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(related="account_id.company_id")
    kind = fields.Char(
        required=True,
        readonly=True,
        help="The end of the path that the PBX posted to, such as events/call.",
    )
    entry_id = fields.Char(
        string="PBX Call",
        readonly=True,
        help="entry_id, the PBX's identifier of the call",
    )
    body = fields.Text(
        required=True, readonly=True, help="The text of json, as received."
    )
    digest = fields.Char(required=True, readonly=True)
    received_at = fields.Datetime(required=True, readonly=True)
    source_address = fields.Char(
        readonly=True,
        help="The sender's address, as reported by the reverse proxy if there is one.",
    )
    state = fields.Selection(
        [
            ("pending", "To Apply"),
            ("done", "Applied"),
            ("failed", "Not Applied"),
            ("ignored", "Not Used"),
        ],
        required=True,
        readonly=True,
        default="pending",
    )
    error = fields.Text(readonly=True)
    attempts = fields.Integer(readonly=True, default=0)
    # A repeated notification is the same text of the same kind.
    _digest_uniq = models.UniqueIndex(
        "(account_id, digest)", "This notification is already stored."
    )
    _entry_idx = models.Index("(account_id, entry_id) WHERE entry_id IS NOT NULL")
    _received_idx = models.Index("(account_id, received_at)")
    _queue_idx = models.Index("(id) WHERE state IN ('pending', 'failed')")

    # ------------------------------------------------------------
    # Receiving
    # ------------------------------------------------------------

    @api.model
    def _receive(self, account_id, notification, text, source=None, late=None):
        """Store and apply a notification, once, however often it arrives.

        Returns when both are committed. A notification that cannot be applied is kept
        as failed and retried by the cron.

        :param int account_id: the account whose signature was verified.
        :param Notification notification: the parsed ``text``.
        :param str text: the text of ``json`` as received.
        :param str source: the sender's address, if it came over the network.
        :param LateCallbacks late: takes the post-commit callbacks, which the caller
            runs; by default they run at the commit.
        """
        digest = hashlib.sha256(f"{notification.kind}\n{text}".encode()).hexdigest()
        # sudo: the PBX is not a user; its signature has been verified.
        account = self.env["mango.account"].browse(account_id)
        system = self.with_user(SUPERUSER_ID).with_company(account._company_id())
        env = system.sudo().env
        entry_id = env["mango.event"]._entry_of(account_id, notification)
        is_used = isinstance(notification, USED)
        vals = {
            "account_id": account_id,
            "kind": notification.kind,
            "entry_id": entry_id,
            "body": text,
            "digest": digest,
            "source_address": source,
            "state": "done" if is_used else "ignored",
        }
        room = self._room_of_call(notification)

        def store_and_apply(env):
            event = env["mango.event"]._store(vals, room)
            if event and event.state != "ignored":
                event._process()
            elif event and is_used:
                event._explain_crowd()

        # The result of a callback has no call: it waits for the command's own answer.
        command_id = getattr(notification, "command_id", None)
        lock = self._lock_name(account_id, entry_id or command_id or digest)
        with locked_transaction(env, lock) as own:
            if late is not None:
                own.cr.postcommit = late
            retried(own, store_and_apply)

    @api.model
    def _on_unreadable(self, account_id, kind, text):
        """Take note of a verified notification that cannot be read or stored.

        For other parts of the addon to extend.

        :param int account_id: the account whose signature was right.
        :param str kind: of the notification.
        :param str text: the text of ``json`` as received.
        """

    @api.model
    def _entry_of(self, account_id, notification):
        """Return the call that a notification refers to, if any.

        :rtype: str | None
        """
        if isinstance(notification, notifications.CommandResult):
            return self._entry_of_command(account_id, notification.command_id)
        return notification.entry_id

    @api.model
    def _entry_of_command(self, account_id, command_id):
        """Return the call that one of our commands refers to.

        Hook for modules that send commands.

        :param int account_id: the account whose PBX reports the result.
        :param str command_id: the command's id.
        :return: the PBX's ``entry_id``, if the command refers to a call.
        :rtype: str | None
        """
        return

    @api.model
    def _lock_name(self, account_id, entry_id):
        return f"mango_office/entry/{account_id}/{entry_id}"

    @api.model
    def _room_of_call(self, notification):
        """Return how many notifications of a call may be stored before this one.

        :rtype: int
        """
        if isinstance(notification, notifications.Summary):
            return MAX_OF_CALL + MAX_ENDS_OF_CALL
        return MAX_OF_CALL

    @api.model
    def _store(self, vals, room=MAX_OF_CALL):
        """Insert a notification, expected to be applied in the same transaction.

        Beyond the limit per call it is stored, but not applied: the cost of a call
        would grow with the square of its notifications.

        :param dict vals: the fields of the event.
        :param int room: how many of the same call may be stored already.
        :return: the new event; empty if it was stored before.
        :rtype: mango.event
        """
        now = fields.Datetime.now()
        vals = {**vals, "received_at": now, "create_date": now, "write_date": now}
        vals |= {"attempts": 0, "create_uid": self.env.uid, "write_uid": self.env.uid}
        if vals["entry_id"] and vals["state"] != "ignored":
            vals["state"] = SQL(
                """
                CASE WHEN (
                    SELECT count(*)
                      FROM (SELECT FROM mango_event
                             WHERE account_id = %s AND entry_id = %s
                             LIMIT %s) AS known
                ) < %s THEN %s ELSE 'ignored' END
                """,
                vals["account_id"],
                vals["entry_id"],
                room,
                room,
                vals["state"],
            )
        rows = self.env.execute_query(
            SQL(
                "INSERT INTO mango_event (%s) VALUES (%s) "
                "ON CONFLICT DO NOTHING RETURNING id, state",
                SQL(", ").join(map(SQL.identifier, vals)),
                SQL(", ").join(
                    value if isinstance(value, SQL) else SQL("%s", value)
                    for value in vals.values()
                ),
            )
        )
        if not rows:
            return self.browse()
        [(event_id, state)] = rows
        event = self.browse(event_id)
        # No need to read what was just written.
        event._update_cache({**vals, "state": state})
        return event

    def _explain_crowd(self):
        """Store why the notification was not applied."""
        event = self.with_context(lang=self.account_id._language())
        event.error = event.env._(
            "Stored but not applied: the PBX has sent more than %s notifications "
            "of this call.",
            MAX_OF_CALL,
        )

    # ------------------------------------------------------------
    # Applying
    # ------------------------------------------------------------

    def _process(self):
        """Apply this notification; store the error if that fails."""
        self.ensure_one()
        try:
            with self.env.cr.savepoint():
                self._apply()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception as error:
            if self.env.cr.closed:
                raise  # the database is gone: nothing is stored
            _logger.exception("PBX notification %s could not be applied", self.id)
            self.write(
                {
                    "state": "failed",
                    "error": f"{type(error).__name__}: {error}",
                    "attempts": self.attempts + 1,
                }
            )

    def _apply(self):
        notification = self._parse()
        if not isinstance(notification, USED):
            self.write({"state": "ignored", "error": False})
            return
        if isinstance(notification, notifications.CommandResult):
            self._apply_command_result(notification)
            self._mark_done()
            return
        is_statistics = isinstance(notification, statistics.StatisticsCall)
        self.env["mango.call"]._apply(
            self.entry_id,
            self.account_id,
            source="statistics" if is_statistics else "webhook",
        )

    def _apply_command_result(self, result):
        """Apply the outcome of a command. Hook for modules that send commands.

        :param CommandResult result: the parsed notification.
        """

    def _parse(self):
        """Return the parsed notification.

        :rtype: Notification | StatisticsCall
        :raise NotificationError: if it cannot be read.
        """
        if self.kind == statistics.KIND:
            return statistics.parse(self.body)
        return notifications.parse(self.kind, self.body)

    def _mark_done(self):
        """Remove the pending and failed events from the queue."""
        waiting = self.filtered(lambda event: event.state != "done")
        if waiting:
            waiting.write({"state": "done", "error": False})

    @api.model
    def _events_of_entry(self, account, entry_id):
        """Return the used notifications of one call of the PBX.

        :rtype: mango.event
        """
        return self.search_fetch(
            Domain("account_id", "=", account.id)
            & Domain("entry_id", "=", entry_id)
            & Domain("state", "!=", "ignored"),
            ["kind", "body", "state"],
            order="id",
        )

    def _parsed(self):
        """Return the parsed notifications; unreadable ones are skipped.

        :rtype: list[Notification | StatisticsCall]
        """
        parsed = []
        for event in self:
            try:
                parsed.append(event._parse())
            except notifications.NotificationError:
                # It was readable on arrival; a later version may be stricter.
                _logger.info("PBX notification %s cannot be read any more", event.id)
        return parsed

    @api.model
    def _process_queue(self):
        """Cron: apply the events that were stored but not applied, each call once."""
        domain = Domain("state", "in", ("pending", "failed")) & Domain(
            "attempts", "<", MAX_ATTEMPTS
        )
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=self.search_count(domain))
        last_id = 0
        # Each once: a repeated failure waits for the next run.
        while events := self.search(
            domain & Domain("id", ">", last_id), order="id", limit=BATCH_SIZE
        ):
            last_id = events.ids[-1]
            for event in events:
                event._process_again()
                if not cron._commit_progress(1):
                    return

    def _process_again(self):
        """Apply one event in a transaction of its own, like a new notification."""
        self.ensure_one()

        def apply(env):
            event = self.with_env(env)
            if event.state in ("pending", "failed"):
                event._process()

        lock = self._lock_name(self.account_id.id, self.entry_id or self.digest)
        with locked_transaction(self.env, lock) as own:
            retried(own, apply)

    def action_process_again(self):
        """Make the cron apply these notifications again, now."""
        self.check_access("read")
        # sudo: mango.event - whoever may read a notification may repeat it: the result
        # depends on the stored text alone.
        self.sudo().write({"state": "pending", "error": False, "attempts": 0})
        cron = self.env.ref("mango_office.ir_cron_process_events")
        # sudo: ir.cron - waking our own cron.
        cron.sudo()._trigger()

    # ------------------------------------------------------------
    # Cleaning up
    # ------------------------------------------------------------

    @api.autovacuum
    def _gc_old(self):
        """Remove applied events that are older than the PBX's setting.

        :return: how many events were removed, and whether there are more.
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
        """Lock and return calls without news for a long time.

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
        :param datetime limit: UTC; they are older.
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
