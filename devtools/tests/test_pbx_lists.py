"""Black list, call tracking, groups, employees over HTTP; a slow and a broken PBX."""

import asyncio

from aiohttp import ServerDisconnectedError

from .test_pbx_api import CUSTOMER, ApiCase

SPAMMER = "74950000298"
TRACKED = "74950000150"


class TestBlacklist(ApiCase):
    async def add(self, number, **changes):
        entry = {"list_type": "black", "number": number, "number_type": "tel"}
        return await self.reply("bwlists/number/add/", {**entry, **changes})

    async def listed(self):
        return (await self.reply("bwlists/numbers/"))["data"]["black"]["numbers"]

    async def test_add_list_delete(self):
        reply = await self.add(SPAMMER, comment="spam")
        self.assertEqual(reply["result"], 1000)
        (listed,) = await self.listed()
        self.assertEqual(listed["number"], SPAMMER)
        self.assertEqual(listed["comment"], "spam")
        self.assertEqual(listed["number_id"], reply["data"]["number_id"])
        params = {"number_id": listed["number_id"]}
        reply = await self.reply("bwlists/number/delete/", params)
        self.assertEqual(reply, {"result": 1000})
        self.assertEqual(await self.listed(), [])

    async def test_state(self):
        reply = await self.reply("bwlists/state/")
        self.assertEqual(reply, {"result": 1000, "data": {"active": "black"}})

    async def test_refused(self):
        await self.add(SPAMMER)
        cases = (
            ({"number": SPAMMER}, 3106),
            ({"number": "abc"}, 3104),
            ({"number": ""}, 3103),
            ({"number": CUSTOMER, "list_type": "grey"}, 3104),
            ({"number": CUSTOMER, "list_type": None}, 3103),
        )
        for values, code in cases:
            with self.subTest(values=values):
                self.pass_penalty()
                self.assertEqual((await self.add(**values))["result"], code)
        reply = await self.reply("bwlists/number/delete/", {"number_id": "1"})
        self.assertEqual(reply["result"], 3300)
        self.assertEqual(len(await self.listed()), 1)

    async def test_blocked_caller_gets_no_call(self):
        await self.add(SPAMMER)
        call = self.pbx.exchange.call_in(SPAMMER)
        self.pbx.clock.advance(60)
        self.assertFalse(self.pbx.transport.of("events/call"))
        (summary,) = self.pbx.transport.of("events/summary")
        self.assertEqual(summary["disconnect_reason"], 1151)
        self.assertEqual(summary["from"], {"number": SPAMMER})
        self.assertEqual((summary["entry_result"], summary["to"]), (0, {}))
        item = self.pbx.statistics.describe(call)
        self.assertEqual((item["context_status"], item["context_calls"]), (0, []))

    async def test_others_and_anonymous_callers_get_through(self):
        await self.add("*")
        await self.add(SPAMMER, list_type="white")
        call = self.pbx.exchange.call_in(None)
        self.assertEqual(call.stage, "menu")

    async def test_white_list_blocks_nobody(self):
        await self.add(SPAMMER, list_type="white")
        self.assertEqual(self.pbx.exchange.call_in(SPAMMER).stage, "menu")

    async def test_masks(self):
        await self.add("749500003##")
        await self.add("7812*")
        blocks = self.pbx.exchange.blacklist.blocks
        for number, blocked in (
            ("74950000312", True),
            ("7495000031", False),
            ("78120000001", True),
            ("7812", True),
            ("77812000000", False),
        ):
            self.assertEqual(blocks(number), blocked, number)

    async def test_scenario_leaves_the_list_as_it_was(self):
        self.pbx.play("inbound-blacklisted")
        self.pbx.clock.advance(60)
        (summary,) = self.pbx.transport.of("events/summary")
        self.assertEqual(summary["disconnect_reason"], 1151)
        self.assertEqual(await self.listed(), [])
        await self.add(SPAMMER)
        self.pbx.play("inbound-blacklisted")
        self.pbx.clock.advance(60)
        self.assertEqual(len(await self.listed()), 1)

    async def test_reset(self):
        await self.add(SPAMMER)
        await self.control("reset")
        self.assertEqual(await self.listed(), [])


class TestTracking(ApiCase):
    async def ask_about(self, number, what="info"):
        path = f"queries/user_{what}_by_dct_number/"
        return await self.reply(path, {"number": number})

    async def test_during_the_call_only(self):
        self.assertEqual(await self.ask_about(TRACKED), {})
        self.pbx.play("inbound-dct")
        self.pbx.clock.advance(5)
        info = await self.ask_about(TRACKED)
        self.assertEqual(info["channel"]["campaign"], "winter-sale")
        self.assertLessEqual(
            {"uid", "widget_id", "ga_cid", "ya_cid", "channel", "current_page"},
            set(info),
        )
        pages = await self.ask_about(TRACKED, "history")
        self.assertEqual([set(page) for page in pages], [{"url", "date", "title"}] * 2)
        self.assertLess(pages[0]["date"], pages[1]["date"])
        self.pbx.clock.advance(120)
        self.assertEqual(await self.ask_about(TRACKED), {})
        self.assertEqual(await self.ask_about(TRACKED, "history"), [])

    async def test_notifications(self):
        for name, kind in (("inbound-dct", 1), ("inbound-dct-static", 2)):
            self.pbx.transport.good.clear()
            self.pbx.play(name)
            self.pbx.clock.advance(120)
            events = self.pbx.transport.of("events/call")
            self.assertTrue(events)
            self.assertEqual({event["dct"]["type"] for event in events}, {kind})

    async def test_static_number_has_no_visitor(self):
        self.pbx.play("inbound-dct-static")
        self.assertEqual(await self.ask_about("74950000151"), {})

    async def test_number_is_needed(self):
        self.assertEqual((await self.ask_about(""))["result"], 3103)


class TestGroupsAndStaff(ApiCase):
    async def groups(self, **params):
        self.pbx.clock.advance(2)
        reply = await self.reply("groups", params)
        return [group["extension"] for group in reply["groups"]]

    async def test_filters(self):
        self.assertEqual(len(await self.groups()), 5)
        self.assertEqual(await self.groups(group_id="10000504"), ["504"])
        self.assertEqual(await self.groups(operator_extension="0511"), ["501", "504"])
        self.assertEqual(await self.groups(operator_id=400000101), ["500", "502"])

    async def test_algorithms_and_priorities(self):
        reply = await self.reply("groups", {"show_users": 1})
        algorithms = {group["dial_alg_group"] for group in reply["groups"]}
        self.assertEqual(algorithms, {0, 1, 2, 3, 5})
        operators = reply["groups"][-1]["operators"]
        self.assertEqual([o["priority"] for o in operators], [1, 2, 2])

    async def test_behaviour_of_an_employee(self):
        staff = self.pbx.company.find_staff("101")
        values = {"mode": "silent", "forward": staff.mobile, "wait_sec": 7}
        await self.control("staff", extension="101", **values)
        self.assertEqual((staff.mode, staff.forward), ("silent", staff.mobile))
        state = await (await self.client.get("/control/state")).json()
        (shown,) = [p for p in state["staff"] if p["extension"] == "101"]
        self.assertEqual({name: shown[name] for name in values}, values)
        await self.control("staff", extension="101", forward="")
        self.assertEqual((staff.mode, staff.forward), ("silent", ""))
        await self.control("reset")
        self.assertEqual((staff.mode, staff.wait_sec), ("on", 30))

    async def test_forwarding_is_shown_in_the_card(self):
        staff = self.pbx.company.find_staff("101")
        for forward, status in (("", "off"), (staff.mobile, "on")):
            self.pbx.clock.advance(2)
            staff.own_forward = forward
            reply = await self.reply("config/users/request", {"extension": "101"})
            numbers = reply["users"][0]["telephony"]["numbers"]
            self.assertEqual(numbers[-1]["status"], status)

    async def test_bad_behaviour(self):
        for values in (
            {"extension": "101", "mode": "asleep"},
            {"extension": "999", "mode": "on"},
            {"extension": "101", "forward": "12"},
            {"extension": "101", "wait_sec": 0},
        ):
            with self.subTest(values=values):
                await self.control("staff", status=400, **values)

    async def test_reactive_call(self):
        await self.control("call", **{"from": CUSTOMER, "reactive": True})
        self.pbx.clock.advance(60)
        (summary,) = self.pbx.transport.of("events/summary")
        self.assertEqual(summary["entry_result"], 1)


class TestSlowAndBroken(ApiCase):
    async def test_delay(self):
        self.pbx.settings.update({"delay": 600})
        asking = asyncio.ensure_future(self.reply("account/balance"))
        done, _pending = await asyncio.wait({asking}, timeout=0.01)
        self.assertFalse(done)
        asking.cancel()
        self.pbx.settings.update({"delay": 0})
        self.assertEqual((await self.reply("account/balance"))["result"], 1000)

    async def test_connection_closed_before_and_after_the_command(self):
        for kind, calls in (("drop", 0), ("lost", 1)):
            with self.subTest(kind=kind):
                self.pbx.settings.update({"faults": [kind]})
                params = {
                    "command_id": "c",
                    "from": {"extension": "101"},
                    "to_number": CUSTOMER,
                }
                with self.assertRaises(ServerDisconnectedError):
                    await self.ask("commands/callback", params)
                self.assertEqual(len(self.pbx.exchange.calls), calls)
                self.assertTrue(all(e.done for e in self.pbx.journal.entries))
