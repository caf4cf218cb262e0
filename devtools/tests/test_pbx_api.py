"""The HTTP side: signatures, refusals, one-shot links, the control API."""

import json
import re
import unittest
from email.utils import parsedate_to_datetime
from unittest import mock
from urllib.parse import quote

from aiohttp import ClientPayloadError, web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from devtools.pbx.app import DEMO_KEY, DEMO_SALT
from devtools.pbx.control import Control
from devtools.pbx.signature import sign, sign_link
from devtools.pbx.testing import make_pbx

CUSTOMER = "74950000201"


class ApiCase(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.pbx = make_pbx()
        app = web.Application()
        app.add_routes([*Control(self.pbx).routes(), *self.pbx.api.routes()])
        self.client = TestClient(TestServer(app))
        await self.client.start_server()
        self.addAsyncCleanup(self.client.close)

    async def ask(self, path, params=None, text=None, **form):
        text = json.dumps(params or {}) if text is None else text
        form = {
            "vpbx_api_key": DEMO_KEY,
            "sign": sign(DEMO_KEY, text, DEMO_SALT),
            "json": text,
            **form,
        }
        form = {name: value for name, value in form.items() if value is not None}
        return await self.client.post(f"/vpbx/{path}", data=form, allow_redirects=False)

    async def reply(self, path, params=None, **more):
        response = await self.ask(path, params, **more)
        return await response.json()

    async def control(self, action, /, status=200, **values):
        response = await self.client.post(f"/control/{action}", json=values)
        self.assertEqual(response.status, status, await response.text())
        return await response.json()

    def pass_penalty(self):
        self.pbx.clock.advance(121)


class TestRequests(ApiCase):
    async def test_refusals(self):
        cases = (
            ({"sign": "0" * 64}, 3102),
            ({"vpbx_api_key": "other"}, 3105),
            ({"text": '{"a":'}, 3400),
            ({"text": "[]"}, 3104),
            ({"json": None}, 3103),
            ({"sign": None}, 3103),
        )
        for form, code in cases:
            with self.subTest(form=form):
                response = await self.ask("account/balance", **form)
                self.assertEqual(response.status, 200)
                self.assertEqual((await response.json())["result"], code)
            self.pass_penalty()

    async def test_not_post(self):
        response = await self.client.get("/vpbx/account/balance")
        self.assertEqual((await response.json())["result"], 3101)

    async def test_signature_is_over_the_exact_text(self):
        text = '{ "extension" :  "101",  "name": "Тест +/=" }'
        reply = await self.reply("config/users/request", text=text)
        self.assertEqual(len(reply["users"]), 1)

    async def test_unlisted(self):
        self.pbx.settings.update({"unlisted": ["101", 102]})
        reply = await self.reply("config/users/request")
        told = {user["telephony"].get("extension") for user in reply["users"]}
        self.assertIn("103", told)
        self.assertFalse(told & {"101", "102"})

    async def test_other_clock(self):
        moments = []
        for shift in (0, 300):
            self.pbx.settings.update({"clock_shift": shift})
            response = await self.ask("account/balance")
            moments.append(parsedate_to_datetime(response.headers["Date"]))
            self.pbx.clock.advance(3)
        self.assertEqual((moments[1] - moments[0]).total_seconds(), 303)

    async def test_lockout(self):
        first = await self.ask("account/balance", sign="bad")
        self.assertEqual((await first.json())["result"], 3102)
        good = await self.reply("account/balance")
        self.assertEqual(good["result"], 1000)
        second = await self.ask("account/balance", sign="bad")
        self.assertEqual(second.status, 401)
        self.pbx.clock.advance(100)
        good = await self.ask("account/balance")
        self.assertEqual(good.status, 401)
        self.pbx.clock.advance(20)
        good = await self.ask("account/balance")
        self.assertEqual(good.status, 200)

    async def test_forms_of_errors(self):
        for form, status, name in (
            ("ok", 200, "result"),
            ("status", 401, "result"),
            ("legacy", 420, "code"),
        ):
            self.pbx.settings.update({"errors": form})
            response = await self.ask("account/balance", sign="bad")
            self.assertEqual(response.status, status)
            self.assertEqual((await response.json())[name], 3102)
            self.pass_penalty()

    async def test_result_as_text(self):
        self.pbx.settings.update({"numbers": "string"})
        self.assertEqual((await self.reply("account/balance"))["result"], "1000")

    async def test_rate_limit_has_its_own_body(self):
        await self.ask("config/users/request")
        response = await self.ask("config/users/request")
        self.assertEqual(response.status, 429)
        self.assertEqual(
            await response.json(),
            {
                "name": "Service Unavailable",
                "message": "Rate limit exceeded.",
                "code": 0,
                "status": 429,
            },
        )
        self.pbx.clock.advance(2)
        response = await self.ask("config/users/request/")
        self.assertEqual(response.status, 200)

    async def test_uuid_header(self):
        good = await self.ask("account/balance")
        bad = await self.ask("account/balance", sign="bad")
        for response in (good, bad):
            self.assertRegex(response.headers["X-Uuid"], r"^[0-9a-f-]{36}$")

    async def test_unknown_method(self):
        self.assertEqual((await self.reply("config/groups/request"))["result"], 4001)

    async def test_faults(self):
        cases = (
            ("429", 429),
            ("503", 503),
            ("401", 401),
            ("3100", 200),
            ("204", 204),
            ("empty", 200),
            ("html", 502),
            ("cut", 200),
        )
        for kind, status in cases:
            with self.subTest(kind=kind):
                self.pbx.settings.update({"faults": [kind]})
                response = await self.ask("groups")
                self.assertEqual(response.status, status)
                again = await self.reply("groups")
                self.assertEqual(again["result"], 1000)

    async def test_fault_only_for_its_path(self):
        self.pbx.settings.update(
            {"faults": [{"kind": "503", "path": "commands/", "times": 0}]}
        )
        self.assertEqual((await self.ask("groups")).status, 200)
        for _attempt in range(2):
            self.assertEqual((await self.ask("commands/route")).status, 503)


class TestDirectory(ApiCase):
    async def test_users(self):
        reply = await self.reply("config/users/request")
        self.assertEqual(set(reply), {"users"})
        users = {u["general"]["name"]: u for u in reply["users"]}
        anna = users["Анна Соколова"]
        self.assertEqual(
            anna["general"],
            {
                "name": "Анна Соколова",
                "email": "anna.sokolova@romashka.example",
                "department": "Отдел продаж",
                "position": "Менеджер",
            },
        )
        self.assertEqual(anna["telephony"]["extension"], "101")
        device = anna["telephony"]["numbers"][0]
        self.assertEqual(device["number"], "sip:user101@romashka.mangosip.ru")
        self.assertEqual(users["Дарья Лебедева"]["telephony"]["extension"], "0511")
        self.assertNotIn("extension", users["Администратор"]["telephony"])
        self.assertEqual(users["Администратор"]["telephony"]["numbers"], [])

    async def test_ext_fields_only_when_asked(self):
        params = {"ext_fields": ["general.user_id", "groups"], "extension": "101"}
        (user,) = (await self.reply("config/users/request", params))["users"]
        self.assertEqual(user["general"]["user_id"], 400000101)
        self.assertEqual(user["groups"], [10000500, 10000502])
        self.assertNotIn("sips", user["general"])

    async def test_devices(self):
        params = {"ext_fields": ["general.sips"], "extension": "101"}
        (user,) = (await self.reply("config/users/request", params))["users"]
        self.assertEqual(
            [(n["number"], n["order"]) for n in user["telephony"]["numbers"]],
            [
                ("sip:user101@romashka.mangosip.ru", 0),
                ("sip:anna-laptop@romashka.mangosip.ru", 1),
                ("74950000301", 2),
            ],
        )
        self.assertEqual(len(user["general"]["sips"]), 2)

    async def test_an_employee_with_two_extensions(self):
        users = (await self.reply("config/users/request"))["users"]
        gleb = "gleb.orlov@romashka.example"
        extensions = [
            user["telephony"]["extension"]
            for user in users
            if user["general"]["email"] == gleb
        ]
        self.assertEqual(extensions, ["104", "114"])

    async def test_groups(self):
        reply = await self.reply("groups", {"show_users": 1})
        self.assertEqual(reply["result"], 1000)
        sales, support = reply["groups"][:2]
        self.assertEqual((sales["id"], sales["dial_alg_group"]), (10000500, 2))
        self.assertEqual(
            [o["extension"] for o in support["operators"]], ["104", "0511"]
        )
        (only,) = (await self.reply("groups", {"group_id": 10000501}))["groups"]
        self.assertNotIn("operators", only)

    async def test_lines_and_balance(self):
        line = (await self.reply("incominglines"))["lines"][0]
        self.assertEqual(line["number"], "74950000100")
        self.assertEqual(line["name"], "Основная линия")
        self.assertEqual(line["schema_name"], "Отдел продаж")
        self.assertEqual(line["region"], "Москва")
        balance = await self.reply("account/balance")
        self.assertEqual(balance["currency"], "RUB")
        self.assertEqual(balance["response_at"], int(self.pbx.clock.now()))


class TestRouteOverHttp(ApiCase):
    async def test_whole_way(self):
        started = await self.control("call", **{"from": CUSTOMER})
        self.pbx.clock.advance(1)
        params = {
            "command_id": "odoo-1",
            "call_id": started["call_id"],
            "to_number": "101",
        }
        self.assertEqual(await self.reply("commands/route", params), {"result": 1000})
        state = await (await self.client.get("/control/state")).json()
        (call,) = state["calls"]
        self.assertEqual(call["route"]["to"], "101")
        self.assertEqual(call["ringing"], ["101"])
        staff = {s["extension"]: s["state"] for s in state["staff"]}
        self.assertEqual((staff["101"], staff["102"]), ("ringing", "free"))

    async def test_late(self):
        started = await self.control("call", **{"from": CUSTOMER})
        self.pbx.clock.advance(6)
        params = {"call_id": started["call_id"], "to_number": "101"}
        reply = await self.reply("commands/route", params)
        self.assertEqual(reply["result"], 4101)


class TestRecording(ApiCase):
    async def record(self):
        call = self.pbx.exchange.call_in(CUSTOMER, greeting=0)
        self.pbx.exchange.pick_up("101")
        self.pbx.clock.advance(10)
        self.pbx.exchange.hang_up_client(call)
        self.pbx.clock.advance(1)
        return self.pbx.recordings.items[-1]

    async def fetch(self, recording):
        params = {"recording_id": recording.id, "action": "download"}
        return await self.ask("queries/recording/post", params)

    async def test_later_then_once(self):
        recording = await self.record()
        response = await self.fetch(recording)
        self.assertEqual(response.status, 404)
        self.pbx.clock.advance(5)
        response = await self.fetch(recording)
        self.assertEqual(response.status, 302)
        location = response.headers["Location"]
        server = self.client.server
        self.assertTrue(location.startswith(f"http://{server.host}:{server.port}/"))
        path = location.partition(str(server.port))[2]
        file = await self.client.get(path)
        self.assertEqual(file.status, 200)
        self.assertEqual(file.content_type, "audio/mpeg")
        body = await file.read()
        self.assertEqual(int(file.headers["Content-Length"]), len(body))
        self.assertTrue(body.startswith((b"ID3", b"\xff")))
        again = await self.client.get(path)
        self.assertEqual(again.status, 404)

    async def test_head_uses_the_link_up(self):
        recording = await self.record()
        self.pbx.clock.advance(5)
        location = (await self.fetch(recording)).headers["Location"]
        path = location.partition(str(self.client.server.port))[2]
        await self.client.head(path)
        self.assertEqual((await self.client.get(path)).status, 404)

    async def test_each_request_has_its_own_link(self):
        recording = await self.record()
        self.pbx.clock.advance(5)
        first = (await self.fetch(recording)).headers["Location"]
        second = (await self.fetch(recording)).headers["Location"]
        self.assertNotEqual(first, second)

    async def download(self, recording, **headers):
        """Ask for a link and use it."""
        location = (await self.fetch(recording)).headers["Location"]
        path = location.partition(str(self.client.server.port))[2]
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(path, headers=headers)

    async def stored(self):
        """Return a recording that is ready, and its file's content."""
        recording = await self.record()
        self.pbx.clock.advance(5)
        return recording, recording.file.read_bytes()

    async def test_part_of_a_file(self):
        recording, content = await self.stored()
        whole = await self.download(recording)
        self.assertEqual(whole.headers["Accept-Ranges"], "bytes")
        mark = whole.headers["ETag"]
        for wanted, part in (
            ("bytes=1000-", content[1000:]),
            ("bytes=0-9", content[:10]),
            (f"bytes=1000-{len(content) * 2}", content[1000:]),
        ):
            answer = await self.download(recording, Range=wanted, If_Range=mark)
            self.assertEqual(answer.status, 206)
            self.assertEqual(await answer.read(), part)
            self.assertEqual(answer.headers["ETag"], mark)
        start = len(content) - 5
        answer = await self.download(recording, Range=f"bytes={start}-")
        told = answer.headers["Content-Range"]
        self.assertEqual(told, f"bytes {start}-{len(content) - 1}/{len(content)}")

    async def test_whole_file_instead_of_a_part(self):
        recording, content = await self.stored()
        for headers in (
            {"Range": "bytes=10-", "If_Range": '"another file"'},
            {"Range": "bytes=-5"},  # which may be ignored
            {"Range": "seconds=5-"},
        ):
            answer = await self.download(recording, **headers)
            self.assertEqual((answer.status, await answer.read()), (200, content))

    async def test_part_behind_the_end(self):
        recording, content = await self.stored()
        answer = await self.download(recording, Range=f"bytes={len(content)}-")
        self.assertEqual(answer.status, 416)
        self.assertEqual(answer.headers["Content-Range"], f"bytes */{len(content)}")

    async def test_cut_download_goes_on(self):
        recording, content = await self.stored()
        await self.control("settings", download_cuts=1)
        answer = await self.download(recording)
        self.assertEqual(int(answer.headers["Content-Length"]), len(content))
        begun = b""
        with self.assertRaises(ClientPayloadError):
            async for piece in answer.content.iter_any():
                begun += piece
        self.assertEqual(begun, content[: len(content) // 2])
        rest = await self.download(recording, Range=f"bytes={len(begun)}-")
        self.assertEqual(begun + await rest.read(), content)

    async def test_slow_download(self):
        recording, content = await self.stored()
        await self.control("settings", download_rate=1000)
        with mock.patch("devtools.pbx.downloads.asyncio.sleep") as sleep:
            answer = await self.download(recording, Range="bytes=0-2999")
            self.assertEqual(await answer.read(), content[:3000])
        waited = sum(call.args[0] for call in sleep.await_args_list)
        self.assertAlmostEqual(waited, 3)

    async def test_waiting_for_a_recording_locks_nobody_out(self):
        recording = await self.record()
        for _attempt in range(5):
            self.assertEqual((await self.fetch(recording)).status, 404)
        self.assertFalse(self.pbx.api.penalty.locked)

    async def test_link_by_get(self):
        recording = await self.record()
        self.pbx.clock.advance(5)
        until = str(int(self.pbx.clock.now()) + 60)
        good = sign_link(DEMO_KEY, until, recording.id, DEMO_SALT)
        self.assertEqual((await self.get_link(recording, until, good)).status, 302)
        self.assertEqual((await self.get_link(recording, until, "0" * 64)).status, 401)
        self.pbx.clock.advance(61)
        self.assertEqual((await self.get_link(recording, until, good)).status, 401)

    async def get_link(self, recording, until, signature):
        parts = (recording.id, "download", DEMO_KEY, until, signature)
        path = "/".join(quote(part, safe="") for part in parts)
        url = URL(f"/vpbx/queries/recording/link/{path}", encoded=True)
        url = self.client.make_url("/").join(url)
        return await self.client.session.get(url, allow_redirects=False)


class TestControl(ApiCase):
    async def test_page(self):
        response = await self.client.get("/")
        text = await response.text()
        self.assertEqual(response.status, 200)
        self.assertNotRegex(text, r'(?:src|href)="(?!data:)')

    async def test_page_names_every_group_of_scenarios_in_both_languages(self):
        text = await (await self.client.get("/")).text()
        scenarios = await (await self.client.get("/control/scenarios")).json()
        groups = re.findall(r"groups: \{(.*?)\}", text)
        self.assertEqual(len(groups), 2)
        for named in groups:
            for group in {s["group"] for s in scenarios}:
                self.assertRegex(named, rf"\b{group}:")

    async def test_page_has_the_same_texts_in_both_languages(self):
        text = await (await self.client.get("/")).text()
        russian, english = re.findall(
            r"^    (?:ru|en): \{$(.*?)^    \},$", text, re.M | re.S
        )
        names = [set(re.findall(r"(\w+): \"", part)) for part in (russian, english)]
        self.assertEqual(*names)
        used = set(re.findall(r"data-t=\"(\w+)\"", text))
        self.assertLessEqual(used, names[0])

    async def test_a_call_by_hand(self):
        started = await self.control("call", **{"from": CUSTOMER, "greeting": 0})
        await self.control("pickup", extension="102")
        await self.control("transfer", extension="102", to="101", method="consult")
        await self.control("pickup", extension="101")
        await self.control("hangup", extension="102")
        await self.control("hangup", entry_id=started["entry_id"])
        self.pbx.clock.advance(1)
        (summary,) = self.pbx.transport.of("events/summary")
        self.assertEqual(summary["to"]["extension"], "101")

    async def test_automatic_calls(self):
        for auto, result in (("answer", 1), ("miss", 0), ("hangup", 0)):
            await self.control("call", **{"from": CUSTOMER, "auto": auto})
            self.pbx.clock.advance(90)
            summary = self.pbx.transport.of("events/summary")[-1]
            self.assertEqual(summary["entry_result"], result)

    async def test_other_actions(self):
        await self.control("dial", extension="101", to=CUSTOMER, client="manual")
        (call,) = self.pbx.exchange.calls
        await self.control("client", entry_id=call.entry_id, action="answer")
        self.assertEqual(call.stage, "talking")
        await self.control("client", action="hangup")  # the only call: no need to say
        self.assertFalse(call.live)
        await self.control("callback", extension="101", to=CUSTOMER)
        await self.control("decline", extension="101")
        await self.control("call", **{"from": CUSTOMER, "greeting": 0})
        (call,) = self.pbx.exchange.calls
        await self.control("takeover", extension="104", entry_id=call.entry_id)
        self.assertEqual(self.pbx.exchange.state_of("104"), "talking")
        await self.control("staff", extension="103", mode="dnd")
        self.assertEqual(self.pbx.company.find_staff("103").mode, "dnd")

    async def test_a_callback_by_hand(self):
        """Whatever is not pressed on the page does not happen."""
        params = {
            "command_id": "odoo-1",
            "from": {"extension": "101"},
            "to_number": CUSTOMER,
        }
        for action, result in (("answer", 1), ("busy", 0), ("silent", 0)):
            await self.reply("commands/callback", params)
            self.pbx.clock.advance(10)
            await self.control("pickup", extension="101")
            self.pbx.clock.advance(60)
            (call,) = self.pbx.exchange.calls
            self.assertEqual(call.stage, "ringing")
            await self.control("client", action=action)
            if action == "answer":
                self.assertEqual(call.stage, "talking")
                await self.control("hangup", extension="101")
            self.pbx.clock.advance(1)
            summary = self.pbx.transport.of("events/summary")[-1]
            self.assertEqual(summary["entry_result"], result)

    async def test_no_word_about_which_call(self):
        reply = await self.control("hangup", status=400)
        self.assertIn("no such running call", reply["error"])
        for _call in range(2):
            await self.control("call", **{"from": CUSTOMER, "greeting": 5})
        reply = await self.control("hangup", status=400)
        self.assertIn("entry_id", reply["error"])

    async def test_mistakes(self):
        cases = (
            ("pickup", {"extension": "101"}),
            ("pickup", {}),
            ("call", {"line": "123"}),
            ("call", {"from": CUSTOMER, "auto": "sing"}),
            ("scenario", {"name": "nothing"}),
            ("settings", {"disorder": "chaos"}),
            ("hangup", {"entry_id": "nothing"}),
            ("settings", {"callback": "perhaps"}),
            ("settings", {"refusal": 1000}),
            ("transfer", {"extension": "101", "to": "102"}),
        )
        for action, values in cases:
            with self.subTest(action=action, values=values):
                reply = await self.control(action, status=400, **values)
                self.assertTrue(reply["error"])

    async def test_only_json(self):
        response = await self.client.post("/control/reset", data="{}")
        self.assertEqual(response.status, 400)

    async def test_scenario_and_log(self):
        await self.control("scenario", name="missed-in-menu", **{"from": "74950000203"})
        self.pbx.clock.advance(20)
        log = await (await self.client.get("/control/log")).json()
        self.assertEqual(
            [(e["path"], e["status"], e["ok"]) for e in log],
            [
                ("events/call", 200, True),
                ("events/call", 200, True),
                ("events/summary", 200, True),
            ],
        )
        self.assertEqual(log[0]["body"]["from"]["number"], "74950000203")
        rest = await self.client.get("/control/log", params={"since": log[1]["id"]})
        self.assertEqual(len(await rest.json()), 1)

    async def test_commands_are_in_the_log_with_their_answer(self):
        await self.ask("commands/route", {"call_id": "x", "to_number": "101"})
        (entry,) = await (await self.client.get("/control/log")).json()
        self.assertEqual(entry["direction"], "received")
        self.assertEqual(entry["body"], {"call_id": "x", "to_number": "101"})
        self.assertEqual(json.loads(entry["answer"])["result"], 4101)
        self.assertNotIn(DEMO_SALT, json.dumps(entry))

    async def test_settings_and_reset(self):
        reply = await self.control("settings", greeting=2, speed=4, disorder="both")
        self.assertEqual((reply["greeting"], reply["speed"]), (2.0, 4.0))
        await self.control("call", **{"from": CUSTOMER})
        self.pbx.api.penalty.lock()
        await self.control("reset", settings=True)
        self.assertFalse(self.pbx.exchange.calls)
        self.assertFalse(self.pbx.api.penalty.locked)
        self.assertEqual(self.pbx.settings.greeting, 5.0)
        self.assertEqual(self.pbx.settings.disorder, "none")

    async def test_stream_begins_with_the_state(self):
        response = await self.client.get("/control/events")
        self.assertEqual(await response.content.readline(), b"event: state\n")
        line = await response.content.readline()
        state = json.loads(line.removeprefix(b"data: "))
        self.assertEqual(len(state["staff"]), 7)
        await response.content.readline()
        self.pbx.notifier.send("ping", {})
        self.assertEqual(await response.content.readline(), b"event: log\n")
        response.close()
