"""A small PBX with canned answers, and the users and contacts for the tests."""

import hashlib
import io
import json
import threading
import wave
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest.mock import patch
from urllib.parse import parse_qs

from odoo import SUPERUSER_ID
from odoo.tests import HttpCase, TransactionCase, new_test_user

from odoo.addons.base.tests.common import DISABLED_MAIL_CONTEXT

from ..models.calls.mango_call_apply import MangoCall
from ..vpbx import notifications
from .vpbx_scenarios import LINES, LoopbackRequests

# Not secrets: known to this file only.
API_KEY = "test_api_key_0001"
API_SALT = "test_api_salt_0002"


def sign(text, key=API_KEY, salt=API_SALT):
    """Sign according to ``mango-api.md`` 2.2, without the addon's own code.

    :param str text: the exact text of ``json``
    :rtype: str
    """
    return hashlib.sha256((key + text + salt).encode("utf-8")).hexdigest()


def as_text(payload):
    """Return the text of ``json``; text is returned unchanged."""
    if isinstance(payload, str):
        return payload
    return json.dumps(payload, ensure_ascii=False)


def sound(seconds=3):
    """Return a silent WAV file, with 8,000 bytes per second and a header of 44."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(1)
        writer.setframerate(8000)
        writer.writeframes(b"\x80" * 8000 * seconds)
    return file.getvalue()


def failing_for(*entries):
    """Make applying fail for some calls."""
    real = MangoCall._update_from

    def update_from(call, state):
        if call.entry_id in entries:
            raise ValueError("moon")
        real(call, state)

    return patch.object(MangoCall, "_update_from", update_from)


# ----------------------------------------------------------------------------
# The PBX
# ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """An answer of the PBX; a body of None closes the connection without an answer.

    ``length`` is the announced length of the body: with None, the end of the connection
    marks its end. ``mark`` is an ETag: the file can be requested in parts; after
    ``cut`` bytes the connection breaks.
    """

    status: int = 200
    body: str | bytes | None = "{}"
    date: str | None = None
    content_type: str = "application/json"
    location: str = ""
    length: int | None = -1  # -1: the truth
    mark: str = ""
    cut: int | None = None

    def rest_from(self, start):
        """Return the answer to a request for the rest of the file."""
        rest = replace(self, status=206, body=self.body[start:])
        return rest, f"bytes {start}-{len(self.body) - 1}/{len(self.body)}"


RECORDING = "queries/recording/post"


@dataclass(frozen=True)
class Request:
    """A request to the PBX: ``path`` below ``/vpbx/`` and the form's fields."""

    path: str
    key: str
    signature: str
    text: str

    @property
    def payload(self):
        return json.loads(self.text)


class PbxDouble:
    """Gives the prepared answers over real HTTP on this machine, and records requests.

    Other paths are answered ``{"result": 1000}``; there are no groups.
    """

    def __init__(self):
        self.requests = []
        #: GET requests: the method, the path and the headers.
        self.accesses = []
        self._answers = {}
        self._files = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.02},
            name="mango_office.tests.pbx",
            daemon=True,
        )
        self._thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def reset(self):
        self.requests.clear()
        self.accesses.clear()
        self._answers.clear()
        self._files.clear()

    def answers(self, path, payload=None, **answer):
        """Set the answer of a path, for any number of requests.

        :param str path: below ``/vpbx/``
        :param payload: the body as an object, else ``answer`` has the ``body``
        :param answer: fields of :class:`Answer`
        """
        if payload is not None:
            answer["body"] = json.dumps(payload, ensure_ascii=False)
        self._answers[path] = Answer(**answer)

    def answers_in_turn(self, path, *answers):
        """Set the answers of a path, one for each request; the last one stays."""
        self._answers[path] = list(answers)

    def offers_recording(self, body=None, **answer):
        """Offer a recording: each request is answered by a link that works once.

        :param bytes body: the file, else three seconds of sound
        :param answer: fields of :class:`Answer` for the file
        """
        answer = {"content_type": "audio/wav", **answer}
        answer["body"] = sound() if body is None else body
        self._files["recording"] = Answer(**answer)
        self._answers.setdefault(RECORDING, Answer(302, "", location="link"))

    def answers_by(self, path, function):
        """Let a function answer a path: it takes the payload and returns the body."""
        self._answers[path] = function

    def paths(self):
        return [request.path for request in self.requests]

    def _next_answer(self, path):
        body = '{"groups": []}' if path == "groups" else '{"result": 1000}'
        answer = self._answers.get(path, Answer(body=body))
        if callable(answer):
            payload = answer(self.requests[-1].payload)
            return Answer(body=json.dumps(payload, ensure_ascii=False))
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if answer.location == "link":
            path = f"/files/secret_link_{len(self.requests):04}"
            self._files[path] = self._files["recording"]
            return replace(answer, location=self.url + path)
        return answer

    def _next_file(self, path, headers):
        """Use a link, which works once.

        :return: the answer and its ``Content-Range``
        """
        answer = self._files.pop(path, Answer(404, "The link is no longer valid"))
        asked = headers.get("Range")
        if not asked or headers.get("If-Range") != answer.mark:
            return answer, ""
        return answer.rest_from(int(asked.removeprefix("bytes=").rstrip("-")))

    def _handler(self):
        pbx = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                size = int(self.headers.get("Content-Length") or 0)
                form = parse_qs(self.rfile.read(size).decode(), keep_blank_values=True)
                path = self.path.removeprefix("/vpbx/")
                fields = (form[name][0] for name in ("vpbx_api_key", "sign", "json"))
                pbx.requests.append(Request(path, *fields))
                self._send(pbx._next_answer(path))

            def do_GET(self):
                pbx.accesses.append((self.command, self.path, dict(self.headers)))
                self._send(*pbx._next_file(self.path, self.headers))

            do_HEAD = do_GET

            def _send(self, answer, content_range=""):
                body = answer.body
                if body is None:
                    self.close_connection = True
                    return
                body = body.encode() if isinstance(body, str) else body
                self.send_response_only(answer.status)
                self.send_header("Date", answer.date or self.date_time_string())
                self.send_header("Content-Type", answer.content_type)
                if answer.location:
                    self.send_header("Location", answer.location)
                if answer.mark:
                    self.send_header("Accept-Ranges", "bytes")
                    self.send_header("ETag", answer.mark)
                if content_range:
                    self.send_header("Content-Range", content_range)
                if answer.length is not None:
                    length = len(body) if answer.length < 0 else answer.length
                    self.send_header("Content-Length", str(length))
                self.end_headers()
                with suppress(ConnectionError):  # the client may stop reading
                    self.wfile.write(body[: answer.cut])

            def log_message(self, *args):
                pass

        return Handler


# ----------------------------------------------------------------------------
# Company and people
# ----------------------------------------------------------------------------


class MangoFixtures(LoopbackRequests):
    """A separate company with a PBX, employees and a customer.

    Анна has extension 101 and Борис 102; Вера, the supervisor, has 103; Кирилл sells
    without an extension; 104 and 0511 have no user in Odoo.
    """

    @classmethod
    def set_up_world(cls):
        company = cls.env["res.company"].create(
            {"name": "ООО «Ромашка»", "country_id": cls.env.ref("base.ru").id}
        )
        cls.env = cls.env["base"].with_company(company).env
        cls.env = cls.env(context={**cls.env.context, **DISABLED_MAIL_CONTEXT})
        cls.company = company.with_env(cls.env)
        cls.pbx = PbxDouble()
        cls.addClassCleanup(cls.pbx.stop)
        cls.account = cls.create_account(api_key=API_KEY, api_salt=API_SALT)
        cls.anna = cls.create_user("anna", "Анна Соколова")
        cls.boris = cls.create_user("boris", "Борис Кузнецов")
        cls.vera = cls.create_user("vera", "Вера Морозова", "group_supervisor")
        cls.kirill = cls.create_user("kirill", "Кирилл Фёдоров")
        cls.anna_extension = cls.create_extension("101", cls.anna)
        cls.boris_extension = cls.create_extension("102", cls.boris)
        cls.create_extension("103", cls.vera)
        cls.create_extension("104")
        cls.create_extension("0511")
        cls.env["mango.line"].create(
            [{"account_id": cls.account.id, "number": number} for number in LINES]
        )
        cls.ivan = cls.create_partner("Иван Петров", "74950000201", user_id=cls.anna.id)

    @classmethod
    def create_account(cls, **vals):
        return cls.env["mango.account"].create(
            {
                "name": "АТС",
                "company_id": cls.company.id,
                "api_url": cls.pbx.url,
                **vals,
            }
        )

    @classmethod
    def create_user(cls, login, name, group="group_user", **vals):
        return new_test_user(
            cls.env,
            login=f"mango_{login}",
            groups=f"mango_office.{group}",
            name=name,
            **{"company_id": cls.company.id, **vals},
        )

    @classmethod
    def create_extension(cls, number, user=None, **vals):
        return cls.env["mango.extension"].create(
            {
                "account_id": cls.account.id,
                "number": number,
                "user_id": user.id if user else False,
                **vals,
            }
        )

    @classmethod
    def create_partner(cls, name, phone=False, **vals):
        return cls.env["res.partner"].create({"name": name, "phone": phone, **vals})

    @classmethod
    def create_lead(cls, name, **vals):
        return cls.env["crm.lead"].create(
            {"name": name, "type": "opportunity", "user_id": False, **vals}
        )

    def setUp(self):
        super().setUp()
        self.pbx.reset()

    # -- notifications --------------------------------------------------------

    @contextmanager
    def transaction(self):
        """Open a transaction like the server's: own cache, committed at the end.

        :return: context manager giving the superuser's environment there
        """
        self.env.flush_all()
        with self.registry.cursor() as cr:
            yield self.env(cr=cr, user=SUPERUSER_ID, su=True)
        self.env.invalidate_all()

    def receive(self, kind, payload, account=None):
        """Receive a notification, like the webhook after the verification."""
        account = account or self.account
        text = as_text(payload)
        notification = notifications.parse(kind, text)
        with self.transaction() as env:
            env["mango.event"]._receive(account.id, notification, text)

    def play(self, scenario, account=None, entry_id=None):
        """Receive all notifications of a scenario, one after another.

        :return: the call
        :rtype: mango.call
        """
        for kind, payload in scenario.posts:
            if entry_id and "entry_id" in payload:
                payload = {**payload, "entry_id": entry_id}
            self.receive(kind, payload, account)
        return self.call(entry_id or "E1", account)

    def call(self, entry_id="E1", account=None):
        """Return the call of an ``entry_id``; empty if there is none."""
        account = account or self.account
        return self.env["mango.call"].search(
            [("account_id", "=", account.id), ("entry_id", "=", entry_id)]
        )

    # -- recordings -----------------------------------------------------------

    def announce(self, ref="R1", extension="101", entry_id="E1", **payload):
        """Report that a recording is complete, like the PBX after the talk."""
        self.receive(
            "events/recording",
            {
                "recording_id": ref,
                "recording_state": "Completed",
                "seq": 2,
                "entry_id": entry_id,
                "call_id": "A",
                "extension": extension,
                "timestamp": 1767258096,
                "completion_code": 1000,
                "recipient": "Cloud",
                **payload,
            },
        )
        return self.recording(ref)

    def recording(self, ref="R1"):
        return self.env["mango.recording"].search(
            [("account_id", "=", self.account.id), ("recording_ref", "=", ref)]
        )

    def fetch_recordings(self):
        """Run the cron that fetches recordings."""
        self.run_cron("ir_cron_fetch_recordings")

    def events(self):
        return self.env["mango.event"].search([("account_id", "=", self.account.id)])

    def run_cron(self, name):
        """Run one of our crons, in a transaction like its own."""
        cron = self.env.ref(f"mango_office.{name}")
        with self.transaction() as env:
            env["ir.cron"].browse(cron.id).ir_actions_server_id.run()

    # -- calls ------------------------------------------------------------------

    CALL_FIELDS = [
        "direction",
        "state",
        "result",
        "client_number",
        "line_number",
        "user_id",
        "extension_id",
        "group_number",
        "group_id",
        "owner_id",
        "partner_id",
        "lead_id",
        "started_at",
        "answered_at",
        "ended_at",
        "wait_duration",
        "talk_duration",
        "end_reason",
        "user_ids",
        "routed_extension_id",
        "route_state",
        "route_reason",
    ]
    LEG_FIELDS = [
        "leg_ref",
        "location",
        "state",
        "from_number",
        "from_extension",
        "to_number",
        "to_extension",
        "from_user_id",
        "to_user_id",
        "group_extension",
        "started_at",
        "answered_at",
        "ended_at",
        "end_reason",
    ]

    def snapshot(self, call):
        """Return all values of a call from the PBX, with its legs, for comparison."""
        [values] = call.read(self.CALL_FIELDS, load=None)
        values.pop("id")
        legs = call.leg_ids.read(self.LEG_FIELDS)
        for leg in legs:
            leg.pop("id")
        return {**values, "legs": sorted(legs, key=lambda leg: leg["leg_ref"])}


class MangoCase(MangoFixtures, TransactionCase):
    """For models; their separate transactions are part of the test's transaction."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry_enter_test_mode_cls()
        cls.set_up_world()


class MangoHttpCase(MangoFixtures, HttpCase):
    """For the webhook, over HTTP."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.set_up_world()

    def post(self, kind, payload, /, *, headers=None, **form):
        """Post a signed notification.

        :param str kind: the end of the path, ``""`` for the base address
        :param payload: an object, or the exact text of ``json``
        :param form: changed or additional fields; None omits one. ``path`` is another
            address to post to
        :rtype: ~requests.Response
        """
        text = as_text(payload)
        path = form.pop("path", f"/exec/mango/{kind}".removesuffix("/"))
        fields = {"vpbx_api_key": API_KEY, "sign": sign(text), "json": text, **form}
        return self.url_open(path, data=fields, headers=headers, allow_redirects=False)

    def post_all(self, posts):
        for kind, payload in posts:
            self.assertEqual(self.post(kind, payload).status_code, 200)
        return self.call()
