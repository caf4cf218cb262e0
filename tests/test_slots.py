"""Bounds on what one server process does at a time."""

import threading
from contextlib import contextmanager
from unittest.mock import Mock, patch

from werkzeug.exceptions import ServiceUnavailable

from odoo.tests import BaseCase, tagged

from ..models import transaction
from ..models.transaction import Background, Slots, notification_slot

PATIENCE = 20  # seconds; only a broken test waits for so long


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
        """Without a burst nothing is opened or closed."""
        env = self.request_env()
        with self.slots(1), notification_slot(env) as given:
            self.assertIs(given, env)
        env.cr.close.assert_not_called()
        env.registry.cursor.assert_not_called()

    def test_never_more_than_slots_and_nobody_is_lost(self):
        """Whoever waits has given their connection back."""
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
class TestBackground(BaseCase):
    def background(self, *args):
        background = Background("test", *args)
        self.addCleanup(background._executor.shutdown)
        return background

    def test_bounded(self):
        """Two at a time, three wait, the sixth is refused and logged."""
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
