import hashlib
from collections import Counter, defaultdict

from odoo import api, models
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ...tools.datetimes import from_epoch
from ...tools.locking import locked_transaction
from ...vpbx import statistics
from ...vpbx.errors import NotificationError

#: How often an entry is retried while its call is being written concurrently.
TRIES = 3


class MangoEvent(models.Model):
    """Storage of the PBX's statistics among the notifications."""

    _inherit = "mango.event"

    @api.model
    def _import_statistics(self, account, entries):
        """Store and apply the new information of a page of the statistics.

        Each call is committed separately; applying the same page again does nothing.

        :param mango.account account: whose PBX.
        :param Iterable[dict] entries: of a report.
        :return: how many calls were ``new``, how many ``completed``, and how many
            ``recordings`` were not known.
        :rtype: Counter
        """
        counts = Counter()
        extensions, groups = account._extension_by_ref(), account._group_by_ref()
        told = {}
        for entry in entries:
            text = statistics.as_text(entry, extensions, groups)
            try:
                call = statistics.parse(text)
            except NotificationError:
                counts["unreadable"] += 1
                continue
            if account._is_call_outdated(from_epoch(call.started_at)):
                continue  # Deleted by age: it must not be created again.
            told[call.entry_id] = call, text
        for entry_id in self._with_news(account, told):
            counts += self._import_entry(account, *told[entry_id])
            # Ends the transaction that holds this call's lock.
            self.env["ir.cron"]._commit_progress()
        self.env["mango.call.task"]._end_batch()
        return counts

    @api.model
    def _with_news(self, account, told):
        """Return the calls about which the statistics have new information.

        :param dict told: the entry's call and text by ``entry_id``.
        :return: ``entry_id``s, in the order of ``told``.
        :rtype: list[str]
        """
        of_page = Domain("account_id", "=", account.id) & Domain(
            "entry_id", "in", list(told)
        )
        known = self.env["mango.call"].search_fetch(
            of_page, ["entry_id", "state", "sealed_at", "closed_at", "account_id"]
        )
        calls = {call.entry_id: call for call in known}
        events = defaultdict(self.browse)
        for event in self.search_fetch(
            of_page & Domain("state", "!=", "ignored"),
            ["entry_id", "kind", "body"],
            order="id",
        ):
            events[event.entry_id] += event
        nothing = self.env["mango.call"]
        return [
            entry_id
            for entry_id, (entry, _text) in told.items()
            if calls.get(entry_id, nothing)._has_news(events[entry_id], entry)
        ]

    @api.model
    def _import_entry(self, account, entry, text):
        """Store an entry and apply it, if it still changes anything.

        :param StatisticsCall entry: the parsed ``text``.
        :rtype: Counter
        """
        lock = self._lock_name(account.id, entry.entry_id)
        for _try in range(TRIES):
            try:
                with locked_transaction(self.env, lock) as env:
                    return self.with_env(env)._import_new_entry(
                        account.with_env(env), entry, text
                    )
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                continue
        return Counter()  # It comes again with the next, overlapping period.

    @api.model
    def _import_new_entry(self, account, entry, text):
        call = self.env["mango.call"]._find_by_entry(account, entry.entry_id)
        events = call._events() if call else self.browse()
        if not call._has_news(events, entry):
            return Counter()
        event = self._store(
            {
                "account_id": account.id,
                "kind": statistics.KIND,
                "entry_id": entry.entry_id,
                "body": text,
                "digest": hashlib.sha256(
                    f"{statistics.KIND}\n{text}".encode()
                ).hexdigest(),
                "state": "done",
            }
        )
        if not event:
            return Counter()
        counts = self._count_news(call, events, entry)
        # A call that was going on may be on somebody's screen.
        is_live = call and call.state != "ended"
        event.with_context(mango_quiet=not is_live, mango_batch=True)._process()
        return counts

    @api.model
    def _count_news(self, call, events, entry):
        refs = entry.recording_refs
        if not call:
            return Counter(new=1, recordings=len(refs))
        known = {r.ref for r in call._fold(events).recordings if r.stored}
        return Counter(
            completed=int(call.state != "ended"), recordings=len(refs - known)
        )
