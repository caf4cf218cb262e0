import logging
import mmap
import tempfile
import time
import uuid
from datetime import timedelta
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.locking import in_own_transaction
from ...vpbx import codes, errors
from ...vpbx.client import Client
from ...vpbx.recordings import Version
from .mango_recording import DELAYS, QUEUE_LOCK

_logger = logging.getLogger(__name__)

LAST_DELAY = timedelta(hours=1)

MAX_ATTEMPTS = 13

#: Seconds between two requests. The PBX accepts ten of all kinds per second
#: (mango-api.md 2.6), and there are others.
PACE = 0.2

#: Longer than any fetch takes: its process must have died.
LEASE = timedelta(minutes=10)

#: Bytes; an attempt that fetches fewer new ones counts as a failure.
LEAST_PROGRESS = 256 * 1024

#: For how long requests to a failing PBX are paused …
PAUSE = timedelta(minutes=1)

#: … or to one that has locked us out, for two minutes (mango-api.md 2.5).
LOCK_OUT_PAUSE = timedelta(minutes=3)


class Order(NamedTuple):
    """A recording to fetch; ``lease`` identifies the process that claimed it.

    ``call_lock`` is the lock of the notifications of its call.
    """

    recording_id: int
    lease: str
    call_lock: str
    recording_ref: str
    client: Client
    max_size: int
    account_id: int
    version: Version | None


class MangoRecording(models.Model):
    """Fetching of recordings from the PBX by a cron, outside of any transaction.

    A recording to fetch is claimed by a lease that is committed before the request is
    sent, so that only one of any number of processes fetches it. If that one is killed,
    the lease expires and the recording is fetched later; nothing is left of the broken
    attempt, because the file is stored and the recording made ready in one transaction.

    A file that takes longer than a cron may run is fetched in parts, one in each run.
    The parts are attachments, so that any host can continue.
    """

    _inherit = "mango.recording"

    is_automatic = fields.Boolean(
        readonly=True, help="Requested automatically, according to the PBX's settings."
    )
    attempts = fields.Integer(readonly=True)
    next_fetch_at = fields.Datetime(string="Next Attempt", readonly=True)
    part = fields.Binary(
        attachment=True,
        readonly=True,
        help="The fetched part of a file that takes several attempts.",
    )
    part_of_size = fields.Integer(
        readonly=True, help="Size of a partly fetched file, in bytes."
    )
    part_mark = fields.Char(
        readonly=True,
        help="The file server's ETag of a partly fetched file.",
    )
    lease = fields.Char(readonly=True)
    leased_until = fields.Datetime(readonly=True)
    _queue_idx = models.Index(
        "(is_automatic, next_fetch_at, id) WHERE state = 'requested'"
    )

    # ------------------------------------------------------------
    # Fetching
    # ------------------------------------------------------------

    @api.model
    def _fetch_queue(self):
        """Cron: fetch the recordings that are due, those that users wait for first."""
        cron = self.env["ir.cron"]
        # Commits, so that no transaction is open while waiting for the PBX.
        cron._commit_progress(remaining=self.search_count(self._due_domain()))
        while order := in_own_transaction(
            self.env, lambda env: env["mango.recording"]._claim(), QUEUE_LOCK
        ):
            self._fetch(order)
            if not cron._commit_progress(1):
                # Odoo would continue in the same run, which must end in time.
                cron._commit_progress(remaining=0)
                self._wake_cron()
                break
            time.sleep(PACE)  # Only one process at a time runs this cron.

    @api.model
    def _due_domain(self):
        now = fields.Datetime.now()
        return (
            Domain("state", "=", "requested")
            # There are no requests to an archived PBX; its recordings wait.
            & Domain("account_id.active", "=", True)
            & Domain("next_fetch_at", "<=", now)
            & (Domain("leased_until", "=", False) | Domain("leased_until", "<", now))
        )

    @api.model
    def _claim(self):
        """Claim the next recording that is due, so that no other process fetches it.

        :return: what to fetch; None if nothing is due.
        :rtype: Order | None
        """
        while recording := self._claim_row():
            order = recording._in_company_language()._prepare_order()
            if order:
                return order
        return None

    @api.model
    def _claim_row(self):
        self.flush_model()
        self.env["mango.account"].flush_model(["active"])
        now = fields.Datetime.now()
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE mango_recording
                   SET lease = %(lease)s,
                       leased_until = %(leased_until)s,
                       attempts = COALESCE(attempts, 0) + 1
                 WHERE id = (
                           SELECT id
                             FROM mango_recording
                            WHERE state = 'requested'
                              AND account_id IN (
                                      SELECT id FROM mango_account WHERE active
                                  )
                              AND next_fetch_at <= %(now)s
                              AND (leased_until IS NULL OR leased_until < %(now)s)
                              AND NOT (is_automatic AND account_id = ANY(%(paused)s))
                         ORDER BY is_automatic, next_fetch_at, id
                            LIMIT 1
                              FOR UPDATE SKIP LOCKED
                       )
             RETURNING id
                """,
                lease=uuid.uuid4().hex,
                leased_until=now + LEASE,
                now=now,
                paused=self._paused_accounts().ids,
            )
        )
        recording = self.browse(row[0] for row in rows)
        recording.invalidate_recordset(["lease", "leased_until", "attempts"])
        return recording

    @api.model
    def _paused_accounts(self):
        """Return the accounts for which automatic fetching is paused.

        :rtype: mango.account
        """
        waiting = self.search(self._due_domain() & Domain("is_automatic", "=", True))
        return waiting.account_id.filtered(lambda account: not account._may_request())

    def _prepare_order(self):
        """Return the order to fetch this recording; None if it cannot be fetched.

        :rtype: Order | None
        """
        if self.attempts > MAX_ATTEMPTS:
            # Each attempt was killed before it could store an error.
            self._fail(self.env._("The recording could not be fetched."))
            return None
        try:
            client = self.account_id._client()
        except UserError as error:
            self._fail(str(error))
            return None
        max_size = self.account_id.recording_max_size_mb * 1024**2
        return Order(
            self.id,
            self.lease,
            self.call_id._lock_name(),
            self.recording_ref,
            client,
            max_size,
            self.account_id.id,
            self._version_of_part(),
        )

    @api.model
    def _fetch(self, order):
        """Fetch and store one recording, or store why that failed.

        :param Order order: as claimed.
        """
        with order.client, tempfile.TemporaryFile() as file:
            try:
                self._on_lease(order, lambda leased: leased._read_parts(file))
                audio = order.client.fetch_recording(
                    order.recording_ref, file, order.max_size, order.version
                )
                self._on_lease(order, lambda leased: leased._store(file, audio))
            except errors.PartialError as error:
                failure = error
                self._on_lease(order, lambda leased: leased._keep_part(file, failure))
            except errors.VpbxError as error:
                failure = error
            except Exception:
                _logger.exception("Recording %s was not stored", order.recording_id)
                failure = None
            else:
                self._record_answer(order, None)
                return
        self._record_answer(order, failure)
        self._on_lease(order, lambda leased: leased._on_error(failure))

    @api.model
    def _record_answer(self, order, error):
        """Record the PBX's answer in the circuit breaker.

        :param Order order: the order that was fetched.
        :param error: the exception that the client raised.
        :type error: VpbxError | None
        """
        of_one_file = (
            errors.NotReadyError
            | errors.TooLargeError
            | errors.NotAudioError
            | errors.PartialError
        )
        if isinstance(error, errors.NotReadyError) and error.code:
            # Not an error, but the PBX counts it as a wrong request.
            error = errors.RefusedError(error.code, "")
        elif isinstance(error, of_one_file) or _broke_off(error):
            error = None
        self.env["mango.account"].browse(order.account_id)._record_answer(error)

    @api.model
    def _on_lease(self, order, function):
        """Call a function in a transaction of its own, if the lease is still ours.

        It is not if the recording was deleted meanwhile, or if the lease has expired.

        :param Order order: the claimed order.
        :param Callable function: called with the recording.
        """

        def call(env):
            leased = env["mango.recording"].search(
                Domain("id", "=", order.recording_id)
                & Domain("state", "=", "requested")
                & Domain("lease", "=", order.lease)
            )
            if leased:
                function(leased._in_company_language())

        in_own_transaction(self.env, call, QUEUE_LOCK, order.call_lock)

    def _in_company_language(self):
        return self.with_context(lang=self.account_id._language())

    def _store(self, file, audio):
        """Store the file, and make the recording ready.

        It is copied to Odoo's filestore without being read into memory; other storages
        need its bytes, at most the account's limit.

        :param file: the complete recording.
        :type file: ~typing.BinaryIO
        :param Audio audio: its format and length.
        """
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            self._attach(content, audio)
        self.write(
            {
                "state": "ready",
                "mimetype": audio.mimetype,
                "size": audio.size,
                "duration": audio.duration,
                "fetched_at": fields.Datetime.now(),
                "lease": False,
                "leased_until": False,
                "error": False,
            }
        )
        self._drop_parts()
        self._notify_listeners()

    # ------------------------------------------------------------
    # In parts
    # ------------------------------------------------------------

    def _parts(self):
        return self.env["ir.attachment"].search(
            Domain("res_model", "=", self._name)
            & Domain("res_id", "in", self.ids)
            & Domain("res_field", "=", "part"),
            order="id",
        )

    def _version_of_part(self):
        """Return the version of the partly fetched file, if any.

        :rtype: Version | None
        """
        if not self.part_of_size:
            return None
        return Version(self.part_of_size, self.part_mark or "")

    def _read_parts(self, file):
        """Write the parts fetched so far to a file.

        :param file: empty.
        :type file: ~typing.BinaryIO
        """
        file.seek(0)
        file.truncate()
        for part in self._parts():
            file.write(part.raw)
            part.invalidate_recordset(["raw"])  # One part at a time in memory.

    def _keep_part(self, file, error):
        """Store the parts fetched so far, and continue at once if there was progress.

        A file that had to be started over has only progressed beyond the earlier parts.

        :param file: the first part of the recording.
        :type file: ~typing.BinaryIO
        :param PartialError error: tells which part of the file is new.
        """
        had = sum(self._parts().mapped("file_size"))
        if error.start == 0:
            self._drop_parts()
        if error.version is None:
            return
        file.seek(error.start)
        content = file.read()
        if content:
            self.env["ir.attachment"].create(
                {
                    "name": f"recording-{self.id}-part",
                    "res_model": self._name,
                    "res_id": self.id,
                    "res_field": "part",
                    "company_id": self.company_id.id,
                    "mimetype": "application/octet-stream",
                    "raw": content,
                }
            )
        self.write(
            {"part_of_size": error.version.size, "part_mark": error.version.mark}
        )
        if error.start + len(content) - had >= LEAST_PROGRESS:
            self.write(
                {"attempts": 0, "lease": False, "leased_until": False, "error": False}
            )
            self._fetch_soon()

    def _drop_parts(self):
        self._parts().unlink()
        self.filtered("part_of_size").write({"part_of_size": 0, "part_mark": False})

    def _attach(self, content, audio):
        attachments = self.env["ir.attachment"]
        is_filestore = attachments._storage() == "file"
        vals = {
            "name": f"recording-{self.id}",
            "res_model": self._name,
            "res_id": self.id,
            "res_field": "audio",
            "company_id": self.company_id.id,
            "mimetype": audio.mimetype,
            "raw": content if is_filestore else content[:],
        }
        try:
            attachments.create(vals)
        except UserError:
            if is_filestore:
                # A killed process may have left a partial copy of this file.
                # Odoo only removes unreferenced files that are in its checklist.
                checksum = attachments._compute_checksum(content)
                attachments._file_delete(f"{checksum[:2]}/{checksum}")
            raise

    # ------------------------------------------------------------
    # Failures
    # ------------------------------------------------------------

    def _on_error(self, error):
        """Retry later if that may help, else give up; store the reason in either case.

        :param error: the exception that the client raised; None for an error of our
            own.
        :type error: VpbxError | None
        """
        if error:
            reason = self.env["mango.error.message"]._explain_error(error)
        else:
            reason = self.env._("The recording could not be stored in Odoo.")
        if self.attempts >= MAX_ATTEMPTS or not self._may_pass(error):
            self._fail(reason)
            return
        delay = (
            DELAYS[self.attempts - 1] if self.attempts <= len(DELAYS) else LAST_DELAY
        )
        if pause := self._pause_after(error):
            delay = max(delay, pause)
            self._pause_account(pause)
        next_fetch_at = fields.Datetime.now() + delay
        self.write(
            {
                "next_fetch_at": next_fetch_at,
                "lease": False,
                "leased_until": False,
                "error": reason,
            }
        )
        self._wake_cron(next_fetch_at)
        self._notify_listeners()

    @api.model
    def _may_pass(self, error):
        """Tell whether a retry may help; what the PBX has refused, it refuses again.

        :rtype: bool
        """
        if isinstance(error, errors.RefusedError):
            return codes.is_transient(error.code)
        return not isinstance(error, errors.BadAnswerError | errors.TooLargeError)

    @api.model
    def _pause_after(self, error):
        """Return for how long requests to the PBX are paused after an error, if at all.

        :rtype: timedelta | None
        """
        if isinstance(error, errors.LockedOutError):
            return LOCK_OUT_PAUSE
        if _broke_off(error) or isinstance(error, errors.PartialError):
            return None  # A single interrupted download says nothing about the others.
        if error is None or isinstance(error, errors.NotReadyError):
            return None
        return PAUSE

    def _pause_account(self, pause):
        """Postpone the other recordings of the same PBX."""
        end = fields.Datetime.now() + pause
        due = self._due_domain() & Domain("account_id", "=", self.account_id.id)
        (self.search(due) - self).next_fetch_at = end
        self._wake_cron(end)

    def _fail(self, reason):
        self.write(
            {
                "state": "failed",
                "lease": False,
                "leased_until": False,
                "error": reason,
            }
        )
        self._drop_parts()
        self._notify_listeners()


def _broke_off(error):
    return isinstance(error, errors.TransportError) and error.reason == "broken"
