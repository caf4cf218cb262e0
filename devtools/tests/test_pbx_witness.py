"""Somebody else's client of the PBX's API is served by the simulator as by the PBX.

It was written by others, against the real PBX. What it takes for granted of signatures,
paths and forms is so here, too.
"""

import asyncio
import contextlib
import io
import unittest

import requests
from aiohttp import web
from aiohttp.test_utils import TestServer
from mangoapi import MangoAPI

from devtools.pbx.app import DEMO_KEY, DEMO_SALT
from devtools.pbx.testing import make_pbx

CUSTOMER = "74950000201"


class TestWitness(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.pbx = make_pbx(client="answer")
        app = web.Application()
        app.add_routes(self.pbx.api.routes())
        self.server = TestServer(app)
        await self.server.start_server()
        self.addAsyncCleanup(self.server.close)
        self.witness = self.client()

    def client(self, salt=DEMO_SALT):
        return MangoAPI(str(self.server.make_url("/vpbx/")), DEMO_KEY, salt)

    async def ask(self, method, *args, **kwargs):
        """Let the witness ask; it blocks, and prints what it asks."""

        def asking():
            with contextlib.redirect_stdout(io.StringIO()):
                return method(*args, **kwargs)

        return await asyncio.to_thread(asking)

    async def talk(self):
        call = self.pbx.exchange.call_in(CUSTOMER, greeting=0)
        self.pbx.exchange.pick_up("101")
        self.pbx.clock.advance(10)
        self.pbx.exchange.hang_up_client(call)
        self.pbx.clock.advance(10)
        return call

    async def test_signature(self):
        told = await self.ask(self.witness.balance)
        self.assertEqual(told["result"], 1000)
        refused = await self.ask(self.client(salt="another").balance)
        self.assertEqual(refused["result"], 3102)

    async def test_users(self):
        told = await self.ask(self.witness.user_list)
        numbers = {user["telephony"].get("extension") for user in told["users"]}
        self.assertIn("101", numbers)
        self.pbx.clock.advance(3)  # the PBX may be asked once within two seconds
        told = await self.ask(self.witness.user_list, extension="101")
        self.assertEqual(len(told["users"]), 1)

    async def test_groups_and_lines(self):
        groups = await self.ask(self.witness.group_list)
        self.assertTrue(groups["groups"])
        lines = await self.ask(self.witness.lines)
        self.assertTrue(lines["lines"])

    async def test_callback(self):
        order = {"command_id": "c-1", "from_ext": "101", "to_num": CUSTOMER}
        told = await self.ask(self.witness.callback, **order)
        self.assertEqual(told, {"result": 1000})
        self.pbx.clock.advance(1)
        [call] = self.pbx.exchange.calls
        self.assertEqual(
            (call.client, call.ringing_legs[0].extension), (CUSTOMER, "101")
        )
        [outcome] = self.pbx.transport.of("result/callback")
        self.assertEqual(outcome, {"command_id": "c-1", "result": 1000})

    async def test_route_and_hangup(self):
        call = self.pbx.exchange.call_in(CUSTOMER, greeting=10)
        leg = call.legs[0].call_id
        told = await self.ask(self.witness.route, "r-1", leg, "102")
        self.assertEqual(told, {"result": 1000})
        [ringing] = call.ringing_legs
        self.assertEqual(ringing.extension, "102")
        self.pbx.exchange.pick_up("102")
        self.pbx.clock.advance(1)
        told = await self.ask(self.witness.hangup, "h-1", ringing.call_id)
        self.assertEqual(told, {"result": 1000})
        self.pbx.clock.advance(1)
        self.assertFalse(call.live)

    async def test_statistics(self):
        await self.talk()
        now = int(self.pbx.clock.now())
        # It gives the beginning as the end: ask about a moment within the call.
        period = {"to_ext": "101", "date_from": now, "date_to": now}
        told = await self.ask(self.witness.get_stats_to, **period)
        self.assertEqual(told, "")  # 204: it is being made
        paths = [entry.path for entry in self.pbx.journal.entries]
        self.assertEqual(paths[-2:], ["stats/request", "stats/result"])

    async def test_recording_link(self):
        call = await self.talk()
        [recording] = self.pbx.recordings.of(call)
        url = await self.ask(self.witness.record_meth_post, recording.id)
        self.assertIn("/files/", url)
        # The link was good for the one time that the witness has used it.
        [entry] = [one for one in self.pbx.journal.entries if one.path == "files"]
        self.assertEqual(entry.status, 200)
        again = await asyncio.to_thread(requests.get, url, timeout=10)
        self.assertEqual(again.status_code, 404)
