"""Concurrent transactions: real ones, not savepoints."""

import contextlib
import hashlib
from unittest.mock import patch

from psycopg2.errors import LockNotAvailable, SerializationFailure

from odoo import SUPERUSER_ID, api
from odoo.exceptions import ConcurrencyError
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, tagged
from odoo.tests.common import get_db_name
from odoo.tools import SQL, mute_logger

from ...models.calls.mango_call_apply import MangoCall
from ...models.click_to_call.mango_command import MangoCommand, send
from ...models.recordings.mango_recording import MangoRecording
from ...models.screen.mango_call import MangoCall as CallCard
from ...tools import locking as transaction
from ...vpbx import notifications
from ...vpbx.errors import TransportError
from ..common import as_text
from ..vpbx_scenarios import LINE, leg, outside, staff, summary

ACCOUNT = "mango_office.tests.concurrency"


class CommittedCase(BaseCase):
    """Has a committed account, which is deleted at the end of the class."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = Registry(get_db_name())
        cls.addClassCleanup(cls.clean_up)
        with cls.transaction() as env:
            account = env["mango.account"].create(
                {"name": ACCOUNT, "routing_enabled": False}
            )
            env["mango.extension"].create(
                [
                    {"account_id": account.id, "number": number}
                    for number in ("101", "102", "103")
                ]
            )
            cls.account_id = account.id

    @classmethod
    def clean_up(cls):
        with cls.transaction() as env:
            account = env["mango.account"].search([("name", "=", ACCOUNT)])
            of_account = [("account_id", "=", account.id)]
            account.company_id.mango_account_id = False
            env["mango.call"].search(of_account).unlink()
            account.unlink()

    @classmethod
    def transaction(cls):
        """Open a transaction of the server's kind, committed for good at the end."""
        return _Transaction(cls.registry)


@tagged("post_install", "-at_install")
class TestTwoTransactions(CommittedCase):
    """Two employees have talked to the client; two late legs report who was first.

    The second transaction, whose snapshot is older, does not see what the first one
    writes. Its own leg alone changes nothing about the call.
    """

    def setUp(self):
        super().setUp()
        caller, anna, boris = outside(), staff("101", LINE), staff("102", LINE)
        before = [
            leg("L2", 3, "Connected", 40, caller, anna),
            summary(1, caller, {}, talk=15, end=60, reason=1110),
        ]
        #: The leg that matters in the end, and the one that matters in between.
        self.of_first_extension = leg("L2", 2, "Connected", 15, caller, anna)
        self.of_second_extension = leg("L3", 1, "Connected", 20, caller, boris)
        self.entry_id = self.id()
        for post in before:
            self.receive(post)

    def parsed(self, post):
        kind, payload = post
        text = as_text({**payload, "entry_id": self.entry_id})
        return notifications.parse(kind, text), text

    def receive(self, post):
        """Receive a notification like the webhook."""
        with self.transaction() as env:
            env["mango.event"]._receive(self.account_id, *self.parsed(post))

    def store_and_apply(self, env, post):
        """The part of :meth:`mango.event._receive` under the lock."""
        notification, text = self.parsed(post)
        event = env["mango.event"]._store(
            {
                "account_id": self.account_id,
                "kind": notification.kind,
                "entry_id": self.entry_id,
                "body": text,
                "digest": hashlib.sha256(text.encode()).hexdigest(),
                "state": "done",
            }
        )
        if event:
            event._process()

    def call_values(self):
        with self.transaction() as env:
            call = env["mango.call"].search([("entry_id", "=", self.entry_id)])
            events = env["mango.event"].search([("entry_id", "=", self.entry_id)])
            return {
                "extension": call.extension_id.number,
                "legs": sorted(call.leg_ids.mapped("leg_ref")),
                "events": len(events),
                "states": set(events.mapped("state")),
            }

    def expected_values(self):
        return {
            "extension": "101",
            "legs": ["L2", "L3"],
            "events": 4,
            "states": {"done"},
        }

    def test_second_leg_unseen_by_the_first(self):
        """Neither leg is lost, in whichever order the two commit.

        Removed to see it fail: the write in ``MangoCall._touch`` (a call that is known
        already is only searched for). Then nothing collides, and 102 wrongly stays the
        first who talked.
        """
        with self.transaction() as late:
            late.cr.execute("SELECT 1")  # its snapshot is taken here
            with self.transaction() as early:
                self.store_and_apply(early, self.of_second_extension)
            tries = []

            def apply():
                tries.append(1)
                self.store_and_apply(late, self.of_first_extension)

            # Odoo waits for a random time before a retry.
            with mute_logger("odoo.sql_db"), patch("odoo.service.model.time.sleep"):
                retrying(apply, late)
        self.assertEqual(self.call_values(), self.expected_values())
        self.assertEqual(len(tries), 2)

    def test_applying_collides_rather_than_overlooks(self):
        """The second transaction must not commit the state of half of the legs.

        Removed to see it fail: as above.
        """
        with self.assertRaises(SerializationFailure), self.transaction() as late:
            late.cr.execute("SELECT 1")
            with self.transaction() as early:
                self.store_and_apply(early, self.of_second_extension)
            with mute_logger("odoo.sql_db"):
                self.store_and_apply(late, self.of_first_extension)

    def test_one_notification_of_a_call_at_a_time(self):
        """Notifications of the same call wait until the first one is committed.

        Removed to see it fail: the lock in ``locked_transaction``. Without it two of a
        call collide: nothing is lost, but Odoo waits for seconds before the retry.
        """
        free = {}

        def look(_call, entry_id, _account, **_options):
            with self.transaction() as other:
                for name in (entry_id, "another call"):
                    lock = other["mango.event"]._lock_name(self.account_id, name)
                    free[name] = self.is_free(other, lock)

        with patch.object(MangoCall, "_apply", look):
            self.receive(self.of_first_extension)
        self.assertEqual(free, {self.entry_id: False, "another call": True})

    def test_limit_of_waiting_holds_for_each_try(self):
        """A retry begins with a rollback, which resets the timeout."""
        limits = []

        def work(env):
            limits.append(env.execute_query(SQL("SHOW lock_timeout"))[0][0])
            if len(limits) == 1:
                raise ConcurrencyError

        with self.transaction() as env, patch("odoo.service.model.time.sleep"):
            transaction.in_own_transaction(env, work, self.id())
        self.assertEqual(limits, [transaction.LOCK_TIMEOUT] * 2)

    def test_loading_holds_no_lock_while_the_pbx_is_asked(self):
        """Notifications are applied as usual while the PBX answers slowly.

        Each refers to the account; the administrator's transaction must not lock it
        ahead of the requests.
        """
        received = []

        class SlowClient(contextlib.nullcontext):
            def blocked(client):
                return []

            def users(client):
                self.receive(self.of_first_extension)
                received.append("during the request for users")
                return []

            def groups(client):
                return []

            def lines(client):
                self.receive(self.of_second_extension)
                received.append("during the request for lines")
                return []

        client = SlowClient()
        client.enter_result = client
        with (
            self.transaction() as env,
            patch.object(type(env["mango.account"]), "_client", lambda _: client),
        ):
            env.cr.execute("SET LOCAL lock_timeout = '5s'")
            env["mango.account"].browse(self.account_id).action_load_users()
        self.assertEqual(len(received), 2)

    def test_waiting_for_a_lock_is_bounded(self):
        """Waiting for a call's lock has a timeout."""
        entry = self.parsed(self.of_first_extension)[0].entry_id
        with self.transaction() as holder:
            lock = holder["mango.event"]._lock_name(self.account_id, entry)
            self.assertTrue(self.is_free(holder, lock))
            with (
                patch.object(transaction, "LOCK_TIMEOUT", "1ms"),
                self.assertRaises(LockNotAvailable),
                mute_logger("odoo.sql_db"),
            ):
                self.receive(self.of_first_extension)
        self.receive(self.of_first_extension)

    def is_free(self, env, lock):
        query = SQL("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", lock)
        return env.execute_query(query)[0][0]


@tagged("post_install", "-at_install")
class TestPersonAndPbx(CommittedCase):
    """A person's request and the PBX's notifications write the same record.

    They wait for each other: otherwise the later one fails, and Odoo tries it again
    after having written an error into its log.
    """

    def assertWaits(self, kind, payload):
        """Check that a notification is not applied yet."""
        text = as_text(payload)
        with (
            self.transaction() as env,
            patch.object(transaction, "LOCK_TIMEOUT", "1ms"),
            self.assertRaises(LockNotAvailable),
            mute_logger("odoo.sql_db"),
        ):
            notification = notifications.parse(kind, text)
            env["mango.event"]._receive(self.account_id, notification, text)

    def create_call(self, env, **vals):
        account = env["mango.account"].browse(self.account_id)
        return env["mango.call"].create(
            {
                "account_id": account.id,
                "company_id": account.company_id.id,
                "entry_id": self.id(),
                **vals,
            }
        )

    def create_recording(self, **vals):
        with self.transaction() as env:
            call = self.create_call(env, state="ended")
            recording = env["mango.recording"].create(
                {"call_id": call.id, "recording_ref": self.id(), **vals}
            )
            return recording.id

    def summary_of_call(self):
        kind, payload = summary(1, outside(), {}, talk=15, end=60, reason=1110)
        return kind, {**payload, "entry_id": self.id()}

    def create_command(self):
        with self.transaction() as env:
            command = env["mango.command"].create(
                {
                    "account_id": self.account_id,
                    "user_id": env.ref("base.user_admin").id,
                    "kind": "callback",
                    "target": self.id(),
                }
            )
            return command.id, command.command_id

    def test_card_is_opened(self):
        """By two tabs at once, say, while the phone rings.

        Removed to see it fail: the lock in ``open_card``.
        """
        with self.transaction() as env:
            call_id = self.create_call(env).id
        waited = []

        def own_card(call):
            self.assertWaits(*self.summary_of_call())
            waited.append(call.id)
            return call.env["mango.call.presence"].sudo()

        with self.transaction() as env, patch.object(CallCard, "_own_card", own_card):
            env["mango.call"].browse(call_id).open_card()
        self.assertEqual(waited, [call_id])

    def test_recording_is_requested(self):
        """Removed to see it fail: the calls' locks in ``_ask_for_batch``."""
        recording_id = self.create_recording()

        def notify(_recordings):
            self.assertWaits(*self.summary_of_call())

        with (
            self.transaction() as env,
            patch.object(MangoRecording, "_notify_listeners", notify),
        ):
            env["mango.recording"].browse(recording_id).action_request()
        with self.transaction() as env:
            recording = env["mango.recording"].browse(recording_id)
            self.assertEqual(recording.state, "requested")

    def test_recording_is_stored(self):
        """Removed to see it fail: the call's lock in ``_on_lease``."""
        recording_id = self.create_recording(state="requested", lease="of this test")
        tried = []

        def store(leased):
            self.assertWaits(*self.summary_of_call())
            tried.append(leased.id)

        with (
            self.transaction() as env,
            patch.object(type(env["mango.account"]), "_client", lambda _: None),
        ):
            recording = env["mango.recording"].browse(recording_id)
            recording._on_lease(recording._prepare_order(), store)
        self.assertEqual(tried, [recording_id])

    def test_command_is_answered(self):
        """Removed to see it fail: ``command_id`` as the lock in ``_receive``."""
        command_id, told = self.create_command()
        answered = []

        def on_answer(_command, error):
            self.assertWaits("result/callback", {"command_id": told, "result": 1000})
            answered.append(error)

        with (
            patch.object(MangoCommand, "_request", lambda _command: list),
            patch.object(MangoCommand, "_on_answer", on_answer),
        ):
            send(get_db_name(), command_id)
        self.assertEqual(answered, [None])


@tagged("post_install", "-at_install")
class TestAbandonedCall(CommittedCase):
    """A user saves a note while the cron ends a call whose summary never came."""

    def test_note_saved_meanwhile(self):
        kind, payload = leg("L1", 1, "Connected", 0, outside(), staff("101", LINE))
        text = as_text({**payload, "entry_id": self.id()})
        with self.transaction() as env:
            parsed = notifications.parse(kind, text)
            env["mango.event"]._receive(self.account_id, parsed, text)
        with self.transaction() as env:
            call = env["mango.call"].search([("entry_id", "=", self.id())])
            env.execute_query(
                SQL(
                    "UPDATE mango_call SET write_date = '2026-01-01' WHERE id = %s "
                    "RETURNING id",
                    call.id,
                )
            )
        tries, apply = [], MangoCall._apply

        def apply_after_note(calls, *args, **options):
            tries.append(args)
            if len(tries) == 1:
                with self.transaction() as other:
                    call.with_env(other).note = "перезвонить"
            return apply(calls, *args, **options)

        with (
            self.transaction() as env,
            patch.object(MangoCall, "_apply", apply_after_note),
            patch("odoo.service.model.time.sleep"),
            mute_logger("odoo.sql_db"),
        ):
            env["mango.call"]._close_abandoned()
        self.assertEqual(len(tries), 2)
        with self.transaction() as env:
            call = call.with_env(env)
            self.assertEqual((call.state, call.note), ("ended", "перезвонить"))


@tagged("post_install", "-at_install")
class TestCountedAnswer(CommittedCase):
    """Something else writes to the breaker while an answer is counted."""

    def test_counted_despite_a_concurrent_update(self):
        model = self.registry["mango.circuit.breaker"]
        error, tries = TransportError("", reason="connect"), []

        def breaker(env):
            return env["mango.circuit.breaker"].search(
                [("account_id", "=", self.account_id)]
            )

        def record():
            with self.transaction() as env:
                env["mango.account"].browse(self.account_id)._record_answer(error)

        record()
        prepare = model._prepare_vals

        def prepare_after_update(row, *args):
            tries.append(row)
            if len(tries) == 1:
                with self.transaction() as other:
                    breaker(other).careful_until = "2026-01-01"
            return prepare(row, *args)

        with (
            patch.object(model, "_prepare_vals", prepare_after_update),
            patch("odoo.service.model.time.sleep"),
            mute_logger("odoo.sql_db"),
        ):
            record()
        self.assertEqual(len(tries), 2)
        with self.transaction() as env:
            self.assertEqual(breaker(env).failures, 2)


@tagged("post_install", "-at_install")
class TestClosedCard(CommittedCase):
    """A card is closed while a notification of its call is being applied."""

    def test_nothing_collides(self):
        """Removed to see it fail: the search for known cards in ``_show_call``."""
        with self.transaction() as env:
            user = env.ref("base.user_admin")
            extension = env["mango.extension"].search(
                [("account_id", "=", self.account_id), ("number", "=", "101")]
            )
            extension.user_id = user
            call = env["mango.call"].create(
                {
                    "account_id": self.account_id,
                    "company_id": extension.account_id.company_id.id,
                    "entry_id": self.id(),
                }
            )
            shown = env["mango.call.presence"]._show_call(call, extension)
            self.assertEqual(shown, user)
        with self.transaction() as late:
            late.cr.execute("SELECT 1")  # its snapshot is taken here
            with self.transaction() as early:
                card = early["mango.call.presence"].search([("call_id", "=", call.id)])
                card.closed_at = card.create_date
            again = late["mango.call.presence"]._show_call(
                call.with_env(late), extension.with_env(late)
            )
            self.assertFalse(again)


@tagged("post_install", "-at_install")
class TestCachesAfterCommit(CommittedCase):
    """Values read by other threads before a commit do not stay in the caches.

    Removed to see it fail: clearing after the commit in ``clear_caches``.
    """

    def assertSeenAfterCommit(self, change, read):
        """Check that others read the old value, and the new one after the commit."""
        with self.transaction() as env:
            account = env["mango.account"].browse(self.account_id)
            account.env.registry.clear_cache()
            old = self.value_of(read)
            change(account)
            env.flush_all()
            self.assertEqual(self.value_of(read), old, "not committed yet")
        self.assertNotEqual(self.value_of(read), old, "from a cache")

    def value_of(self, function):
        with self.transaction() as env:
            return function(env["mango.account"].browse(self.account_id))

    def test_secret(self):
        self.assertSeenAfterCommit(
            lambda account: account.write({"api_key": self.id(), "api_salt": "x"}),
            lambda account: account._credentials().get(self.id()),
        )
        self.assertSeenAfterCommit(
            lambda account: account.write({"api_salt": "y"}),
            lambda account: account._credentials().get(self.id()),
        )

    def test_own_numbers(self):
        self.assertSeenAfterCommit(
            lambda account: account.line_ids.create(
                {"account_id": account.id, "number": "74950000100"}
            ),
            lambda account: account._own_numbers(),
        )
        self.assertSeenAfterCommit(
            lambda account: account.line_ids.unlink(),
            lambda account: account._own_numbers(),
        )

    def test_allowed_addresses(self):
        self.assertSeenAfterCommit(
            lambda account: account.write({"allowed_addresses": "81.88.80.132"}),
            lambda account: account._allowed_networks(account.id),
        )


class _Transaction:
    """Environment of the system in a transaction of its own.

    :param Registry registry: of the database.
    """

    def __init__(self, registry):
        self._cursor = registry.cursor()

    def __enter__(self):
        return api.Environment(self._cursor.__enter__(), SUPERUSER_ID, {})

    def __exit__(self, *error):
        return self._cursor.__exit__(*error)
