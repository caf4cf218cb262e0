"""Limits of concurrency in one server process."""

import threading
from contextlib import contextmanager
from unittest.mock import Mock, patch

from werkzeug.exceptions import ServiceUnavailable

from odoo.exceptions import ConcurrencyError
from odoo.http import request
from odoo.tests import BaseCase, tagged
from odoo.tools import mute_logger

from ...models.inbox.mango_event import MangoEvent
from ...tools import locking as transaction
from ...tools.locking import Background, Slots, notification_slot
from ..common import MangoHttpCase
from ..vpbx_scenarios import menu

PATIENCE = 20  # seconds; reached only if the test fails


@tagged("post_install", "-at_install")
class TestNotificationSlots(BaseCase):
    @contextmanager
    def slots(self, *args, **kwargs):
        slots = Slots(*args, **kwargs)
        with patch.object(transaction, "_notification_slots", lambda: slots):
            yield slots

    def request_env(self):
        env = Mock(name="env")
        env.registry.cursor.return_value.__enter__ = Mock(return_value="new cursor")
        env.registry.cursor.return_value.__exit__ = Mock(return_value=None)
        return env

    def test_free(self):
        """Without a burst, no connection is opened or closed."""
        env = self.request_env()
        with self.slots(1), notification_slot(env) as given:
            self.assertIs(given, env)
        env.cr.close.assert_not_called()
        env.registry.cursor.assert_not_called()

    def test_slots_limit_concurrency_without_losses(self):
        """Waiting requests have released their connections."""
        inside, most, done, closed = 0, 0, 0, 0
        lock, full = threading.Lock(), threading.Event()

        def work():
            nonlocal inside, most, done, closed
            env = self.request_env()
            with notification_slot(env):
                with lock:
                    inside += 1
                    most = max(most, inside)
                full.wait(PATIENCE)
                with lock:
                    inside -= 1
                    done += 1
                    closed += env.cr.close.called

        with self.slots(3):
            threads = [threading.Thread(target=work) for _number in range(50)]
            for thread in threads:
                thread.start()
            full.set()
            for thread in threads:
                thread.join(PATIENCE)
        self.assertLessEqual(most, 3)
        self.assertEqual(done, 50)
        self.assertGreater(closed, 0)

    def test_slots_come_back_after_errors(self):
        with self.slots(1):
            for _time in range(3):
                with (
                    self.assertRaises(ValueError),
                    notification_slot(self.request_env()),
                ):
                    raise ValueError

    @mute_logger(transaction.__name__)
    def test_queue_is_bounded(self):
        with self.slots(1, waiting=0) as slots:
            self.assertTrue(slots.take_now())
            with (
                self.assertRaises(ServiceUnavailable),
                notification_slot(self.request_env()),
            ):
                self.fail("worked without a slot")
            slots.release()
            with notification_slot(self.request_env()):
                pass

    @mute_logger(transaction.__name__)
    def test_waiting_is_bounded(self):
        with self.slots(1, timeout=0) as slots:
            self.assertTrue(slots.take_now())
            for _time in range(3):
                with (
                    self.assertRaises(ServiceUnavailable),
                    notification_slot(self.request_env()),
                ):
                    self.fail("worked without a slot")


@tagged("post_install", "-at_install")
class TestBusyWebhook(MangoHttpCase):
    """A notification that has to wait for a free slot."""

    def setUp(self):
        super().setUp()
        self.slots = Slots(1, waiting=1, timeout=0)
        self.startPatcher(
            patch.object(transaction, "_notification_slots", lambda: self.slots)
        )

    def has_to_wait(self, watch=lambda: None):
        """Make the notification wait for a free slot."""
        self.startPatcher(patch.object(self.slots, "take_now", return_value=False))
        wait = self.slots.wait
        self.startPatcher(
            patch.object(self.slots, "wait", side_effect=lambda: (watch(), wait()))
        )

    def test_overload_is_said_honestly(self):
        """It is also logged, since the PBX does not repeat the notification."""
        self.assertTrue(self.slots.take_now())
        with self.assertLogs(transaction.__name__, "WARNING"):
            self.assertEqual(self.post(*menu()[0]).status_code, 503)
        self.assertFalse(self.events())
        self.slots.release()
        self.assertEqual(self.post(*menu()[0]).status_code, 200)

    def test_waits_without_a_connection(self):
        closed = []
        self.has_to_wait(lambda: closed.append(request.env.cr._closed))
        self.assertEqual(self.post(*menu()[0]).status_code, 200)
        self.assertEqual(closed, [True])
        self.assertTrue(self.call())

    def test_concurrent_update_after_waiting(self):
        """Odoo only retries on the connection that was released."""
        self.has_to_wait()
        store, tries = MangoEvent._store, []

        def collide_once(events, *args):
            tries.append(1)
            if len(tries) == 1:
                raise ConcurrencyError
            return store(events, *args)

        with (
            patch.object(MangoEvent, "_store", collide_once),
            patch("odoo.service.model.time.sleep"),
        ):
            self.assertEqual(self.post(*menu()[0]).status_code, 200)
        self.assertEqual(len(tries), 2)
        self.assertTrue(self.call())


@tagged("post_install", "-at_install")
class TestBackground(BaseCase):
    def background(self, *args):
        background = Background("test", *args)
        self.addCleanup(background._executor.shutdown)
        return background

    def test_bounded(self):
        """Two run, three wait, the sixth is refused and logged."""
        background = self.background(2, 3)
        begun, go = threading.Semaphore(0), threading.Event()
        self.addCleanup(go.set)

        def work(results):
            begun.release()
            go.wait(PATIENCE)
            results.append(threading.current_thread().name)

        results = []
        for _number in range(5):
            self.assertTrue(background.start(work, results))
        for _number in range(2):
            self.assertTrue(begun.acquire(timeout=PATIENCE))
        self.assertFalse(begun.acquire(blocking=False))
        with self.assertLogs(transaction.__name__, "ERROR") as log:
            self.assertFalse(background.start(work, results))
        self.assertIn("queue is full", log.output[0])
        go.set()
        background._executor.shutdown()
        self.assertEqual(len(results), 5)
        self.assertLessEqual(len(set(results)), 2)

    def test_server_stops(self):
        """Running work is finished; queued work does not keep the process alive."""
        background = self.background(1, 3)
        begun, go = threading.Event(), threading.Event()
        self.addCleanup(go.set)
        done = []

        def work(number):
            begun.set()
            go.wait(PATIENCE)
            done.append(number)

        for number in range(3):
            background.start(work, number)
        self.assertTrue(begun.wait(PATIENCE))
        background.stop()
        self.assertFalse(background.start(work, 3))
        go.set()
        background._executor.shutdown()
        self.assertEqual(done, [0])

    def test_place_comes_back_after_an_error(self):
        background = self.background(1, 0)
        for _time in range(3):
            done = threading.Event()
            background._executor.submit(done.set).result(PATIENCE)
            while not background._places.acquire(timeout=PATIENCE):
                self.fail("the place did not come back")
            background._places.release()
            self.assertTrue(background.start(lambda: 1 / 0))
            background._executor.submit(lambda: None).result(PATIENCE)
