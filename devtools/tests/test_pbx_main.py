"""The command line: arguments, a webhook that is down, a port that is taken."""

import asyncio
import contextlib
import io
import socket
import unittest

from aiohttp import web

from devtools.pbx import __main__ as command_line
from devtools.pbx.clock import RealClock, VirtualClock
from devtools.pbx.journal import Journal
from devtools.pbx.notifier import HttpTransport


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(*arguments):
    """:return: exit status, and what was printed."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            status = command_line.main(arguments)
        except SystemExit as leaving:
            status = leaving.code
    return status, out.getvalue()


class TestArguments(unittest.TestCase):
    def test_list(self):
        status, text = run("--list")
        self.assertEqual(status, 0)
        self.assertIn("inbound-known-manager\n", text)
        self.assertIn("Звонящий скрыл номер.", text)

    def test_refused(self):
        for arguments in (
            ("--play", "nothing"),
            ("--speed", "0"),
            ("--greeting", "-1"),
            ("--webhook", "https://odoo.example.com/exec/mango"),
            ("--webhook", "http://127.0.0.1.example.com/"),
            ("--webhook", "http://127.0.0.1/", "--webhook", "http://10.0.0.1/"),
            ("--disorder", "chaos"),
        ):
            with self.subTest(arguments=arguments):
                status, text = run(*arguments)
                self.assertEqual(status, 2)
                self.assertNotIn("Traceback", text)

    def test_loopback(self):
        for url in ("http://127.0.0.1:8069/x", "http://localhost/", "http://[::1]:80/"):
            self.assertTrue(command_line.on_loopback(url))
        self.assertFalse(command_line.on_loopback("http://10.0.0.1/"))
        options = command_line.parse_arguments(
            ["--webhook", "http://10.0.0.1/", "--allow-remote"]
        )
        self.assertEqual(options.webhook, ["http://10.0.0.1/"])


class TestProcess(unittest.TestCase):
    def test_taken_port(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            status, text = run("--port", str(port))
        self.assertEqual(status, 1)
        self.assertEqual(
            text, f"Port {port} is taken; choose another one with --port.\n"
        )

    def play(self, name, answer):
        """Play against a receiver that gives ``answer`` to everything."""

        async def main():
            async def receive(_request):
                return web.Response(status=answer)

            app = web.Application()
            app.router.add_post("/{path:.*}", receive)
            runner = web.AppRunner(app)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            hook = site._server.sockets[0].getsockname()[1]
            options = command_line.parse_arguments(
                [
                    *("--port", str(free_port()), "--play", name, "--speed", "500"),
                    *("--webhook", f"http://127.0.0.1:{hook}"),
                ]
            )
            try:
                return await command_line.serve(options)
            finally:
                await runner.cleanup()

        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            status = asyncio.run(main())
        return status, out.getvalue()

    def test_play(self):
        status, text = self.play("missed-in-menu", 200)
        self.assertEqual(status, 0, text)
        self.assertEqual(text.count("-> events/"), 3)
        self.assertTrue(
            text.endswith("3 notifications, 0 not answered as they should be.\n")
        )

    def test_play_with_wrong_answers(self):
        status, text = self.play("missed-in-menu", 500)
        self.assertEqual(status, 1)
        self.assertIn("NOT AS EXPECTED", text)

    def test_play_that_expects_a_refusal(self):
        self.assertEqual(self.play("bad-signature", 403)[0], 0)
        self.assertEqual(self.play("bad-signature", 200)[0], 1)

    def test_play_with_nobody_listening(self):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            status = command_line.main(
                [
                    *("--port", str(free_port()), "--play", "ping", "--speed", "500"),
                    *("--webhook", f"http://127.0.0.1:{free_port()}"),
                ]
            )
        self.assertEqual(status, 1)
        self.assertIn("no answer", out.getvalue())
        self.assertNotIn("Traceback", out.getvalue())


class TestClockAndTransport(unittest.IsolatedAsyncioTestCase):
    async def test_real_clock_fires_and_cancels(self):
        clock, fired = RealClock(speed=1000), asyncio.Event()
        late = clock.call_later(1, lambda: self.fail("was cancelled"))
        late.cancel()
        clock.call_later(2, fired.set)
        await asyncio.wait_for(fired.wait(), 5)

    async def test_timers_fire_in_order(self):
        clock, order = VirtualClock(0), []
        clock.call_later(2, lambda: order.append(("two", clock.now())))
        clock.call_later(1, lambda: order.append(("one", clock.now())))
        clock.call_later(1, lambda: clock.call_later(0, lambda: order.append("then")))
        clock.advance(1)
        self.assertEqual(order, [("one", 1), "then"])
        clock.advance(5)
        self.assertEqual(order[-1], ("two", 2))

    async def test_notifications_do_not_wait_for_each_other(self):
        both, order = asyncio.Event(), []

        async def receive(request):
            # The first is answered only after the second has come.
            order.append(request.path)
            if len(order) == 2:
                both.set()
            await both.wait()
            return web.Response()

        app = web.Application()
        app.router.add_post("/{path:.*}", receive)
        runner = web.AppRunner(app)
        await runner.setup()
        self.addAsyncCleanup(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]
        journal = Journal(RealClock())
        # Two servers, which are notified in turn.
        urls = [f"http://127.0.0.1:{port}/{name}/" for name in ("one", "two")]
        transport = HttpTransport(urls, journal)
        self.addAsyncCleanup(transport.close)
        done = asyncio.Event()
        journal.watch(lambda _e: all(e.ok for e in journal.entries) and done.set())
        for path in ("events/call", "events/summary"):
            transport(journal.open("sent", path, {}), {"json": "{}"})
        await asyncio.wait_for(done.wait(), 5)
        self.assertCountEqual(order, ["/one/events/call", "/two/events/summary"])
