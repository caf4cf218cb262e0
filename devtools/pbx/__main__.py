"""``python -m devtools.pbx``: the simulated PBX on the command line."""

import argparse
import asyncio
import errno
import ipaddress
import json
import signal
import sys
import time
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from .app import DEMO_KEY, DEMO_SALT, Pbx
from .clock import RealClock
from .control import Control
from .journal import SENT
from .notifier import HttpTransport
from .scenarios import SCENARIOS
from .settings import CHOICES, Settings

DEFAULT_PORT = 8070
DEFAULT_WEBHOOK = "http://127.0.0.1:8069/exec/mango"
SHUTDOWN_SECONDS = 0.5
INTERRUPTED = 130


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(
        prog="pbx",
        description="A simulated Mango Office PBX with a page to play calls.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    parser.add_argument(
        "--webhook",
        metavar="URL",
        action="append",
        help=f"default: {DEFAULT_WEBHOOK}; if repeated, each is notified in turn",
    )
    parser.add_argument("--key", default=DEMO_KEY, help="vpbx_api_key")
    parser.add_argument("--salt", default=DEMO_SALT, help="key for signatures")
    parser.add_argument(
        "--greeting", type=float, default=5.0, metavar="SECONDS", help="0 for none"
    )
    parser.add_argument(
        "--speed", type=float, default=1.0, metavar="X", help="calls run X times faster"
    )
    parser.add_argument("--disorder", choices=CHOICES["disorder"], default="none")
    parser.add_argument(
        "--errors",
        choices=CHOICES["errors"],
        default="ok",
        help="form of error answers: HTTP 200, HTTP 4xx, or HTTP 420 of old",
    )
    parser.add_argument(
        "--string-numbers", action="store_true", help="send integers as text"
    )
    parser.add_argument(
        "--history",
        action="store_true",
        help="statistics with a past month of about 3,000 calls",
    )
    parser.add_argument(
        "--delay",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="answer every request so much later",
    )
    parser.add_argument(
        "--play",
        metavar="NAME",
        help="play a scenario and exit; the status is 0 if it went well",
    )
    parser.add_argument(
        "--from", dest="caller", metavar="NUMBER", help="who calls in the scenario"
    )
    parser.add_argument("--list", action="store_true", help="list the scenarios")
    parser.add_argument(
        "--allow-remote",
        action="store_true",
        help="allow a webhook that is not on this machine",
    )
    options = parser.parse_args(arguments)
    options.webhook = options.webhook or [DEFAULT_WEBHOOK]
    if options.play and options.play not in SCENARIOS:
        parser.error(f"there is no scenario {options.play}; --list shows them")
    if options.speed <= 0 or options.greeting < 0 or options.delay < 0:
        parser.error("--speed must be positive, --greeting and --delay not negative")
    if not options.allow_remote and not all(map(on_loopback, options.webhook)):
        parser.error(
            "the webhook is not on this machine; add --allow-remote if that is meant"
        )
    return options


def on_loopback(url):
    """Return whether the host of ``url`` is this machine, without a DNS query."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def list_scenarios():
    for scenario in SCENARIOS.values():
        print(f"{scenario.name}\n    {scenario.en}\n    {scenario.ru}")


def describe(entry):
    """Return one line about an answered entry of the log.

    :param dict entry: as ``/control/log`` gives it.
    """
    arrow = "->" if entry["direction"] == SENT else "<-"
    moment = time.strftime("%H:%M:%S", time.localtime(entry["at"]))
    status = entry["status"] or "no answer"
    wrong = "" if entry["ok"] or entry["direction"] != SENT else "  NOT AS EXPECTED"
    return (
        f"{moment} {arrow} {entry['path']:<22} {gist(entry['body']):<34} "
        f"{status}  {entry['ms'] or 0:.0f} ms{wrong}"
    )


def gist(body):
    """Return a short description of a notification or a request."""
    if not isinstance(body, dict):
        return ""
    names = (
        "location",
        "call_state",
        "recording_state",
        "to_number",
        "result",
        "disconnect_reason",
    )
    words = [str(body[name]) for name in names if body.get(name) not in (None, "")]
    to = body.get("to")
    if isinstance(to, dict) and to.get("extension"):
        words.insert(0, str(to["extension"]))
    return " ".join(words)


class Server:
    """The PBX as a process."""

    def __init__(self, options):
        self._options = options
        self.pbx = Pbx(
            RealClock(options.speed),
            lambda journal: HttpTransport(options.webhook, journal),
            options.key,
            options.salt,
            Settings(
                greeting=options.greeting,
                disorder=options.disorder,
                errors=options.errors,
                numbers="string" if options.string_numbers else "int",
                delay=options.delay,
            ),
            history=options.history,
        )
        self.control = Control(self.pbx)
        self.pbx.journal.watch(self._print)
        self._runner = None

    async def start(self):
        """Start to listen.

        :raise OSError: if the port is in use.
        """
        app = web.Application(client_max_size=1 << 20)
        app.add_routes([*self.control.routes(), *self.pbx.api.routes()])
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, self._options.host, self._options.port).start()

    async def stop(self):
        self.pbx.reset()
        self.control.end_streams()
        await self.pbx.transport.close()
        await self._runner.cleanup()

    @staticmethod
    def _print(entry):
        if entry.done:
            print(describe(entry.as_dict()), flush=True)


async def play_elsewhere(options):
    """Play on the PBX that already listens on our port.

    :return: its report, or ``None`` if something else listens there.
    """
    values = {"name": options.play, "wait": True}
    if options.caller is not None:
        values["from"] = options.caller
    url = f"http://{options.host}:{options.port}/control/scenario"
    timeout = aiohttp.ClientTimeout(total=None, connect=5)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, json=values) as response,
        ):
            report = await response.json()
            return report if "entries" in report else None
    except (aiohttp.ClientError, json.JSONDecodeError, OSError):
        return None


def conclude(name, report):
    """Print the result of a play.

    :return: the exit status.
    """
    sent = [entry for entry in report["entries"] if entry["direction"] == SENT]
    wrong = sum(not entry["ok"] for entry in sent)
    for call in report["calls"]:
        if call["route"]:
            print(f"Routed to {call['route']['to']} by Odoo.")
    if report["error"]:
        print(f"{name}: {report['error']}.")
    print(f"{name}: {len(sent)} notifications, {wrong} not answered as they should be.")
    return 0 if report["ok"] else 1


async def serve(options):
    server = Server(options)
    try:
        await server.start()
    except OSError as error:
        return await explain(options, error)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    try:
        if options.play:
            return await play_here(server, options, stopping)
        print(
            f"PBX on http://{options.host}:{options.port}/, "
            f"notifying {' and '.join(options.webhook)}. Ctrl+C ends it.",
            flush=True,
        )
        await stopping.wait()
        return 0
    finally:
        await server.stop()


async def play_here(server, options, stopping):
    play = asyncio.ensure_future(
        server.control.play_to_the_end(options.play, options.caller)
    )
    stopped = asyncio.ensure_future(stopping.wait())
    await asyncio.wait({play, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not play.done():
        play.cancel()
        return INTERRUPTED
    return conclude(options.play, play.result())


async def explain(options, error):
    """Handle a port that is in use: play on the PBX there, or print an error."""
    if error.errno != errno.EADDRINUSE:
        print(f"Cannot listen on {options.host}:{options.port}: {error.strerror}.")
        return 1
    if options.play:
        report = await play_elsewhere(options)
        if report:
            for entry in report["entries"]:
                print(describe(entry))
            return conclude(options.play, report)
    print(f"Port {options.port} is taken; choose another one with --port.")
    return 1


def main(arguments=None):
    options = parse_arguments(arguments)
    if options.list:
        list_scenarios()
        return 0
    try:
        return asyncio.run(serve(options))
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
