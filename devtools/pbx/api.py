"""The PBX's HTTP API below ``/vpbx/`` (``mango-api.md`` 2, 5 and 6)."""

import asyncio
import json
import time
import uuid
from email.utils import formatdate

from aiohttp import web

from .commands import Commands
from .directory import Directory
from .downloads import make_answer
from .journal import RECEIVED
from .limits import Penalty, RateLimiter
from .notifier import as_strings
from .refusals import Refused, required
from .signature import matches, sign, sign_link
from .tracking import Tracking

DONE = 1000
NOT_POST, BAD_SIGN, MISSING, WRONG, BAD_KEY = 3101, 3102, 3103, 3104, 3105
NO_RECORDING, BROKEN_JSON, NOT_SUPPORTED = 3320, 3400, 4001

TOO_MANY = {
    "name": "Service Unavailable",
    "message": "Rate limit exceeded.",
    "code": 0,
    "status": 429,
}
UNAVAILABLE = {"result": 5008, "description": "Service unavailable"}
HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>"


def json_reply(body, status=200):
    text = json.dumps(body, ensure_ascii=False)
    return web.Response(text=text, status=status, content_type="application/json")


class Api:
    """Checks requests and passes them to the method they name."""

    def __init__(self, exchange, statistics, journal, key, salt):
        self._exchange = exchange
        self._settings = exchange.settings
        self._statistics = statistics
        self._recordings = exchange.recordings
        self._journal = journal
        self._key, self._salt = key, salt
        self.limiter = RateLimiter(exchange.clock)
        self.penalty = Penalty(exchange.clock)
        commands, directory = Commands(exchange), Directory(exchange)
        tracking, blacklist = Tracking(exchange), exchange.blacklist
        self._methods = {
            "commands/callback": commands.callback,
            "commands/route": commands.route,
            "commands/transfer": commands.transfer,
            "commands/call/hangup": commands.hangup,
            "config/users/request": directory.users,
            "groups": directory.groups,
            "incominglines": directory.lines,
            "account/balance": directory.balance,
            "stats/request": statistics.request_csv,
            "stats/result": self._csv_result,
            "stats/calls/request": statistics.request_calls,
            "stats/calls/result": self._calls_result,
            "queries/recording/post": self._recording,
            "queries/user_info_by_dct_number": tracking.info,
            "queries/user_history_by_dct_number": tracking.history,
            "bwlists/state": blacklist.state,
            "bwlists/numbers": blacklist.numbers,
            "bwlists/number/add": blacklist.add,
            "bwlists/number/delete": blacklist.delete,
        }

    def routes(self):
        return [
            web.get("/files/{token}/{name}", self._file),
            web.get(
                "/vpbx/queries/recording/link/{id}/{action}/{key}/{timestamp}/{sign}",
                self._recording_link,
            ),
            web.route("*", "/vpbx/{path:.*}", self._handle),
        ]

    # -- handling of a request -------------------------------------------------

    async def _handle(self, request):
        path = request.match_info["path"].strip("/")
        form = await request.post() if request.method == "POST" else {}
        text = form.get("json")
        entry = self._journal.open(RECEIVED, path, self._readable(text))
        started = time.monotonic()
        response = await self._answer(request, path, form)
        response.headers["X-Uuid"] = str(uuid.uuid4())
        moment = self._exchange.clock.now() + self._settings.clock_shift
        response.headers["Date"] = formatdate(moment, usegmt=True)
        answer = response.headers.get("Location") or response.text or ""
        elapsed = round((time.monotonic() - started) * 1000, 1)
        self._journal.close(entry, response.status, answer[:2000], elapsed)
        return response

    async def _answer(self, request, path, form):
        if self.penalty.locked:
            return json_reply({"message": "Too many invalid requests"}, 401)
        if self._settings.delay:
            await asyncio.sleep(self._settings.delay)
        fault = self._settings.take_fault(path)
        kind = fault.kind if fault else ""
        if kind == "drop":
            return self._drop(request)
        if kind == "slow":
            await asyncio.sleep(fault.seconds)
        elif kind and kind != "lost":
            return self._faulty(kind)
        response = self._serve(request, path, form)
        return self._drop(request) if kind == "lost" else response

    def _serve(self, request, path, form):
        """Return the right answer to a request."""
        try:
            params = self._verify(request, form)
            if self._settings.rate_limits and not self.limiter.admit(path):
                return json_reply(TOO_MANY, 429)
            return self._call(request, path, params)
        except Refused as refusal:
            return self._refuse(refusal)

    def _verify(self, request, form):
        """Return the parameters of a valid request.

        :raise Refused: if it is not valid.
        """
        if request.method != "POST":
            raise Refused(NOT_POST, "Only POST is allowed")
        for name in ("vpbx_api_key", "sign", "json"):
            if not isinstance(form.get(name), str):
                raise Refused(MISSING, f"{name} is missing", {name: MISSING})
        if not matches(self._key, form["vpbx_api_key"]):
            raise Refused(BAD_KEY, "Wrong access key")
        if not matches(sign(self._key, form["json"], self._salt), form["sign"]):
            raise Refused(BAD_SIGN, "Wrong signature")
        try:
            params = json.loads(form["json"])
        except ValueError:
            raise Refused(BROKEN_JSON, "Malformed JSON") from None
        if not isinstance(params, dict):
            raise Refused(WRONG, "json is not an object", {"json": WRONG})
        return params

    def _call(self, request, path, params):
        method = self._methods.get(path)
        if not method:
            raise Refused(NOT_SUPPORTED, "This PBX has no such method")
        reply = method(params)
        if callable(reply):
            reply = reply(request)
        if isinstance(reply, web.Response):
            return reply
        if self._settings.numbers == "string" and "result" in reply:
            reply = {**reply, "result": as_strings(reply["result"])}
        return json_reply(reply)

    def _refuse(self, refusal):
        self.penalty.count(refusal.code)
        if self.penalty.locked:
            return json_reply({"message": "Too many invalid requests"}, 401)
        code = refusal.code
        if self._settings.errors == "legacy":
            return json_reply({"code": code, "message": refusal.description}, 420)
        code = str(code) if self._settings.numbers == "string" else code
        body = {"result": code}
        if refusal.fields:
            body["fields"] = refusal.fields
        if self._settings.errors == "ok":
            return json_reply(body)
        body["description"] = refusal.description
        secret = refusal.code in (BAD_KEY, BAD_SIGN)
        return json_reply(body, 401 if secret else 400)

    @staticmethod
    def _drop(request):
        """Close the connection without an answer."""
        request.transport.abort()
        return web.Response(status=499, text="connection closed")

    def _faulty(self, kind):
        if kind == "429":
            return json_reply(TOO_MANY, 429)
        if kind == "503":
            return json_reply(UNAVAILABLE, 503)
        if kind == "401":
            return json_reply({"message": "Unauthorized"}, 401)
        if kind == "3100":
            return json_reply({"result": 3100, "fields": {}})
        if kind == "204":
            return web.Response(status=204)
        if kind == "html":
            return web.Response(text=HTML, status=502, content_type="text/html")
        if kind == "cut":
            return web.Response(text='{"result":10', content_type="application/json")
        return web.Response(text="", content_type="application/json")

    @staticmethod
    def _readable(text):
        try:
            return json.loads(text)
        except (TypeError, ValueError):
            return text

    # -- methods whose answer is not plain JSON ---------------------------------

    def _csv_result(self, params):
        status, text = self._statistics.result_csv(params)
        return web.Response(text=text, status=status, content_type="text/csv")

    def _calls_result(self, params):
        return self._statistics.result_calls(params) or web.Response(status=204)

    def _recording(self, params):
        recording_id = required(params, "recording_id")
        action = params.get("action", "download")
        if action not in ("download", "play"):
            raise Refused(WRONG, "action is download or play", {"action": WRONG})
        return lambda request: self._redirect(request, recording_id)

    def _redirect(self, request, recording_id):
        recording = self._recordings.find(recording_id)
        if not recording or not self._recordings.ready(recording):
            return json_reply({"result": NO_RECORDING}, 404)
        token = self._recordings.make_link(recording)
        location = f"http://{request.host}/files/{token}/{recording.file.name}"
        return web.Response(status=302, headers={"Location": location})

    async def _recording_link(self, request):
        """The GET link; it has another signature formula (6.4)."""
        part = dict(request.match_info)
        given = part.pop("sign")
        entry = self._journal.open(RECEIVED, "queries/recording/link", part["id"])
        response = self._answer_link(request, part, given)
        self._journal.close(entry, response.status, "", 0.0)
        return response

    def _answer_link(self, request, part, given):
        expected = sign_link(self._key, part["timestamp"], part["id"], self._salt)
        if not matches(self._key, part["key"]) or not matches(expected, given):
            return json_reply({"result": BAD_SIGN}, 401)
        if not part["timestamp"].isdigit():
            return json_reply({"result": WRONG}, 400)
        if int(part["timestamp"]) < self._exchange.clock.now():
            return json_reply({"result": BAD_SIGN}, 401)
        return self._redirect(request, part["id"])

    async def _file(self, request):
        """The file of a one-shot link; any access uses the link up, including HEAD."""
        file = self._recordings.use_link(request.match_info["token"])
        entry = self._journal.open(RECEIVED, "files", request.match_info["name"])
        if not file:
            self._journal.close(entry, 404, "the link was used", 0.0)
            return web.Response(status=404, text="The link is no longer valid")
        data = await asyncio.to_thread(file.read_bytes)
        is_cut = self._settings.take_download_cut()
        rate = self._settings.download_rate
        answer = make_answer(request, data, file.name, rate, is_cut)
        told = answer.headers.get("Content-Range") or f"{len(data)} bytes"
        told = f"{told}, cut" if is_cut else told
        self._journal.close(entry, answer.status, told, 0.0)
        return answer
