"""The client against a real HTTP server on this machine."""

import json
import logging
import socket
import ssl
import tempfile
import threading
import traceback
from contextlib import closing
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest.mock import patch
from urllib.parse import parse_qs

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from odoo.tests import BaseCase, tagged

from ...vpbx import client as client_module
from ...vpbx.client import (
    Blocked,
    Client,
    Device,
    Group,
    Line,
    User,
    Visitor,
)
from ...vpbx.errors import (
    BadAnswerError,
    LockedOutError,
    RateLimitedError,
    RefusedError,
    TransportError,
    VpbxError,
)
from ...vpbx.signature import verify
from ..vpbx_scenarios import LoopbackRequests

KEY, SALT = "test_api_key_0001", "test_api_salt_0002"
BALANCE = {"result": 1000, "balance": "1234.50", "currency": "RUB"}
RATE_LIMIT = {
    "name": "Service Unavailable",
    "message": "Rate limit exceeded.",
    "code": 0,
    "status": 429,
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, body.decode(), self.client_address))
        status, headers, answer = self.server.answer
        if status is None:  # hang up instead of answering
            self.close_connection = True
            return
        self.send_response(status)
        headers = {"Content-Length": str(len(answer)), **headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)
        if int(headers["Content-Length"]) != len(answer):
            self.close_connection = True

    do_GET = do_POST

    def log_message(self, *_args):
        pass


class _Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass  # a client that rejects our certificate closes the connection


@tagged("mango_office", "-at_install", "post_install")
class ClientCase(LoopbackRequests, BaseCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.start_server()

    @classmethod
    def start_server(cls):
        server = _Server(("127.0.0.1", 0), _Handler)
        server.requests = []
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        cls.addClassCleanup(thread.join)
        cls.addClassCleanup(server.server_close)
        cls.addClassCleanup(server.shutdown)
        return server

    def setUp(self):
        super().setUp()
        self.server.requests.clear()
        self.answer(200, BALANCE)
        self.client = self.new_client(self.server.server_port)

    def new_client(self, port, scheme="http", **options):
        client = Client(f"{scheme}://127.0.0.1:{port}", KEY, SALT, **options)
        self.addCleanup(client.close)
        return client

    def answer(self, status, body=b"", **headers):
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.server.answer = status, headers, body

    def sent(self):
        """Return path, form and client port of the only request."""
        [(path, body, (_host, port))] = self.server.requests
        form = parse_qs(body, strict_parsing=True, keep_blank_values=True)
        return path, {name: value for name, [value] in form.items()}, port

    def assert_fails(self, kind, call=None):
        with self.assertRaises(kind) as caught:
            (call or self.client.probe)()
        self.assertIs(type(caught.exception), kind)
        return caught.exception


@tagged("mango_office", "-at_install", "post_install")
class TestRequests(ClientCase):
    """Requests as sent."""

    def assert_sent(self, path, payload):
        sent_path, form, _port = self.sent()
        self.assertEqual(sent_path, f"/vpbx/{path}")
        self.assertEqual(set(form), {"vpbx_api_key", "sign", "json"})
        self.assertEqual(form["vpbx_api_key"], KEY)
        self.assertTrue(verify(KEY, form["json"], SALT, form["sign"]))
        self.assertEqual(json.loads(form["json"]), payload)

    def test_route(self):
        self.client.route("cmd-1", "MTo+/w==", "101")
        self.assert_sent(
            "commands/route",
            {"command_id": "cmd-1", "call_id": "MTo+/w==", "to_number": "101"},
        )

    def test_callback(self):
        self.client.callback("cmd-1", "0511", "74950000201")
        self.assert_sent(
            "commands/callback",
            {
                "command_id": "cmd-1",
                "from": {"extension": "0511"},
                "to_number": "74950000201",
            },
        )

    def test_callback_through_a_line(self):
        self.client.callback("cmd-1", "101", "74950000201", "74950000100")
        _path, form, _port = self.sent()
        self.assertEqual(json.loads(form["json"])["line_number"], "74950000100")

    def test_hangup(self):
        self.client.hangup("cmd-1", "L1")
        self.assert_sent(
            "commands/call/hangup", {"command_id": "cmd-1", "call_id": "L1"}
        )

    def test_transfer(self):
        self.client.transfer("cmd-1", "L1", "blind", "102", "101")
        self.assert_sent(
            "commands/transfer",
            {
                "command_id": "cmd-1",
                "call_id": "L1",
                "method": "blind",
                "to_number": "102",
                "initiator": "101",
            },
        )

    def test_exchanges_are_told(self):
        told = []
        client = self.new_client(self.server.server_port, on_answer=told.append)
        client.probe()
        self.answer(200, {"result": 4100}, X_Uuid="u-1")
        with self.assertRaises(RefusedError):
            client.hangup("cmd-1", "L1")
        self.answer(None)
        with self.assertRaises(TransportError):
            client.probe()
        self.assertEqual(
            [(one.path, one.http_status, one.code, one.error) for one in told],
            [
                ("account/balance", 200, 1000, None),
                ("commands/call/hangup", 200, 4100, "RefusedError"),
                ("account/balance", None, None, "TransportError"),
            ],
        )
        self.assertEqual(told[1].text, '{"command_id":"cmd-1","call_id":"L1"}')
        self.assertEqual(told[1].uuid, "u-1")
        for exchange in told:
            self.assertGreaterEqual(exchange.seconds, 0)

    def test_queries(self):
        self.client.probe()
        self.assert_sent("account/balance", {})
        self.server.requests.clear()
        self.answer(200, {"users": []})
        self.client.users()
        self.assert_sent(
            "config/users/request",
            {"ext_fields": ["general.user_id", "general.mobile"]},
        )

    def test_block(self):
        self.answer(200, {"result": 1000, "data": {"number_id": 70000001}})
        self.assertEqual(self.client.block("74950000299", "реклама"), "70000001")
        self.assert_sent(
            "bwlists/number/add/",
            {
                "list_type": "black",
                "number": "74950000299",
                "number_type": "tel",
                "comment": "реклама",
            },
        )

    def test_block_without_a_name(self):
        self.answer(200, {"result": 1000})
        self.assert_fails(
            BadAnswerError, lambda: self.client.block("74950000299", "реклама")
        )

    def test_unblock(self):
        self.answer(200, {"result": 1000})
        self.client.unblock("70000001")
        self.assert_sent("bwlists/number/delete/", {"number_id": "70000001"})
        self.answer(200, {"result": 3300})
        self.client.unblock("70000001")
        self.answer(200, {"result": 3104})
        self.assert_fails(RefusedError, lambda: self.client.unblock("70000001"))

    def test_blocked(self):
        rows = [{"number_id": 1, "number": "7495*", "comment": None}]
        self.answer(200, {"result": 1000, "data": {"black": {"numbers": rows}}})
        self.assertEqual(self.client.blocked(), (Blocked("1", "7495*", ""),))
        self.answer(200, {"result": 1000, "data": {}})
        self.assert_fails(BadAnswerError, self.client.blocked)

    def test_visitor(self):
        page = "https://romashka.example/roses"
        channel = {"source": " yandex ", "medium": "cpc", "campaign": None}
        self.answer(200, {"uid": "5f", "channel": channel, "current_page": page})
        self.assertEqual(
            self.client.visitor("74950000150"), Visitor("yandex", "cpc", "", page)
        )
        self.assert_sent("queries/user_info_by_dct_number", {"number": "74950000150"})

    def test_unknown_visitor(self):
        for answer in ({}, {"channel": None}, {"channel": {"source": ""}, "uid": 1}):
            with self.subTest(answer=answer):
                self.answer(200, answer)
                self.assertIsNone(self.client.visitor("74950000150"))

    def test_hostile_visitor(self):
        channel = {"source": "a\u202eb\x00" + "c" * 999, "medium": ["cpc"]}
        page = "javascript:alert(1)"
        self.answer(200, {"channel": channel, "current_page": page})
        visitor = self.client.visitor("74950000150")
        self.assertEqual(visitor, Visitor("ab" + "c" * 98, "", "", ""))

    def test_signed_text_is_sent_text(self):
        self.client.route("команда", "L1", "101")
        _path, form, _port = self.sent()
        self.assertEqual(
            form["json"], '{"command_id":"команда","call_id":"L1","to_number":"101"}'
        )
        self.assertTrue(verify(KEY, form["json"], SALT, form["sign"]))

    def test_connection_is_reused(self):
        self.client.probe()
        self.client.probe()
        (_p, _b, first), (_p, _b, second) = self.server.requests
        self.assertEqual(first, second)

    def test_path_of_the_address(self):
        address = f"http://127.0.0.1:{self.server.server_port}/pbx/vpbx/"
        with closing(Client(address, KEY, SALT)) as client:
            client.probe()
        self.assertEqual(self.sent()[0], "/pbx/vpbx/account/balance")

    def test_address_is_checked(self):
        with self.assertRaises(ValueError):
            Client("http://app.mango-office.ru", KEY, SALT)

    def test_proxy_is_not_asked_for_this_machine(self):
        with patch.dict("os.environ", {"HTTP_PROXY": "http://127.0.0.1:9"}):
            self.client.probe()
        self.assertEqual(len(self.server.requests), 1)


@tagged("mango_office", "-at_install", "post_install")
class TestAnswers(ClientCase):
    """Handling of answers."""

    def test_accepted(self):
        for body in (
            {"result": 1000},
            {"result": "1000"},
            {"result": 1001, "command_id": "cmd-1"},
            {"code": 1000},
        ):
            with self.subTest(body=body):
                self.answer(200, body)
                self.assertIsNone(self.client.route("cmd-1", "L1", "101"))

    def test_command_needs_a_clear_yes(self):
        for body in ({}, {"command_id": "cmd-1"}, {"result": None}, {"result": 0}):
            with self.subTest(body=body):
                self.answer(200, body)
                error = self.assert_fails(
                    BadAnswerError, lambda: self.client.route("cmd-1", "L1", "101")
                )
                self.assertTrue(error.ambiguous)

    def test_refused(self):
        for status, body, code in [
            (200, {"result": 3100, "fields": {"call_id": 3111}}, 3100),
            (200, {"result": "3102"}, 3102),
            (420, {"code": 3105, "message": "wrong key"}, 3105),
            (420, {"code": "4101"}, 4101),
            (400, {"result": 2219, "description": "limit"}, 2219),
            (401, {"result": 3102}, 3102),
            (503, {"result": 5008}, 5008),
            (200, {"result": 42}, 42),
        ]:
            with self.subTest(status=status, body=body):
                self.answer(status, body, X_Uuid="uuid-1")
                error = self.assert_fails(RefusedError)
                self.assertEqual(error.code, code)
                self.assertEqual(error.http_status, status)
                self.assertEqual(error.uuid, "uuid-1")
                self.assertFalse(error.ambiguous)
                self.assertIn(str(code), str(error))

    def test_refusal_says_why(self):
        self.answer(200, {"result": 2219, "fields": {"end_date": 3111}})
        error = self.assert_fails(RefusedError)
        self.assertEqual(error.meaning, "The limit of the period is used up")
        self.assertEqual(error.fields, '{"end_date": 3111}')
        self.answer(200, {"result": 3102})
        self.assertEqual(self.assert_fails(RefusedError).fields, "")

    def test_rate_limited(self):
        for status, body in [(429, RATE_LIMIT), (429, b""), (200, RATE_LIMIT)]:
            with self.subTest(status=status):
                self.answer(status, body, X_Uuid="uuid-1")
                self.assertEqual(self.assert_fails(RateLimitedError).uuid, "uuid-1")
        self.answer(200, {"result": 4290})
        self.assert_fails(RateLimitedError)

    def test_locked_out(self):
        for body in (b"", b"Unauthorized", {"message": "no"}, {"code": 0}):
            with self.subTest(body=body):
                self.answer(401, body)
                self.assertEqual(self.assert_fails(LockedOutError).http_status, 401)

    def test_unavailable(self):
        for status, ambiguous in [(503, False), (500, True), (502, True), (504, True)]:
            with self.subTest(status=status):
                self.answer(status, b"<html>Bad Gateway</html>")
                error = self.assert_fails(TransportError)
                self.assertEqual(error.reason, "unavailable")
                self.assertEqual(error.ambiguous, ambiguous)

    def test_unreadable(self):
        for status, body in [
            (200, b""),
            (204, b""),
            (200, b"  \n"),
            (200, b"<html><body>Please log in</body></html>"),
            (200, b'{"result": 1000, "balance": "12'),
            (200, b"[1000]"),
            (200, b"1000"),
            (200, b"null"),
            (200, b"\xff\xfe\x00"),
            (200, b"[" * 100_000),
            (200, b'{"result": ' + b"9" * 10_000 + b"}"),
            (200, {"result": "ok"}),
            (200, {"result": [1000]}),
            (200, {"result": True}),
            (200, {"result": 1000}),  # no balance
            (200, {"result": 1000, "balance": "NaN"}),
            (200, {"result": 1000, "balance": None}),
            (403, b"<html>Forbidden</html>"),
            (404, b""),
            (400, {"result": 1000}),
        ]:
            with self.subTest(status=status, body=str(body)[:40]):
                self.answer(status, body)
                error = self.assert_fails(BadAnswerError)
                self.assertEqual(error.http_status, status)
                self.assertTrue(error.ambiguous)

    def test_empty_answer_is_called_empty(self):
        self.answer(200, b" ")
        self.assertIn("empty", str(self.assert_fails(BadAnswerError)))

    def test_too_large(self):
        with patch.object(client_module, "MAX_ANSWER", 10):
            self.assertIn("too large", str(self.assert_fails(BadAnswerError)))

    def test_redirect_is_not_followed(self):
        for status in (301, 302, 307, 308):
            with self.subTest(status=status):
                self.server.requests.clear()
                self.answer(status, Location="/elsewhere")
                self.assert_fails(BadAnswerError)
                self.assertEqual(len(self.server.requests), 1)

    def test_nothing_is_repeated(self):
        for status in (401, 429, 500, 503):
            with self.subTest(status=status):
                self.server.requests.clear()
                self.answer(status, Retry_After="0")
                with self.assertRaises(VpbxError):
                    self.client.callback("cmd-1", "101", "74950000201")
                self.assertEqual(len(self.server.requests), 1)


@tagged("mango_office", "-at_install", "post_install")
class TestTransport(ClientCase):
    """No answer, and whether the request may have arrived."""

    def test_refused_connection(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        error = self.assert_fails(TransportError, self.new_client(port).probe)
        self.assertEqual((error.reason, error.ambiguous), ("connect", False))

    def test_silent_server(self):
        # The system accepts the connection and the request; nobody reads them.
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            client = self.new_client(port, timeout=(1, 0.01))
            error = self.assert_fails(TransportError, client.probe)
        self.assertEqual((error.reason, error.ambiguous), ("timeout", True))

    def test_connection_ends_without_an_answer(self):
        self.answer(None)
        error = self.assert_fails(TransportError)
        self.assertEqual((error.reason, error.ambiguous), ("broken", True))

    def test_answer_breaks_off(self):
        self.answer(200, b'{"result": 10', Content_Length="1000")
        # Old versions of requests do not notice; then the text is unreadable.
        with self.assertRaises((TransportError, BadAnswerError)) as caught:
            self.client.probe()
        self.assertTrue(caught.exception.ambiguous)

    def test_unknown_host(self):
        with patch("socket.getaddrinfo", side_effect=socket.gaierror("unknown")):
            error = self.assert_fails(TransportError)
        self.assertEqual((error.reason, error.ambiguous), ("dns", False))

    def test_connection_takes_too_long(self):
        with patch("socket.socket.connect", side_effect=TimeoutError("slow")):
            error = self.assert_fails(TransportError)
        self.assertEqual((error.reason, error.ambiguous), ("timeout", False))

    def test_no_tls(self):
        client = self.new_client(self.server.server_port, "https")
        error = self.assert_fails(TransportError, client.probe)
        self.assertEqual((error.reason, error.ambiguous), ("tls", False))

    def test_certificate_is_verified(self):
        server = self.start_server()
        server.socket = _self_signed_context().wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        client = self.new_client(server.server_port, "https")
        error = self.assert_fails(TransportError, client.probe)
        self.assertEqual((error.reason, error.ambiguous), ("tls", False))
        self.assertIn("certificate", str(error))
        self.assertEqual(server.requests, [])


def _self_signed_context():
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as pem:
        pem.write(certificate.public_bytes(serialization.Encoding.PEM))
        pem.write(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        pem.flush()
        context.load_cert_chain(pem.name)
    return context


@tagged("mango_office", "-at_install", "post_install")
class TestSecrets(ClientCase):
    """No secret appears in a log or an error, even if the PBX repeats it."""

    def outlets(self, answer):
        """Make a request fail, and collect its logs and error."""
        answer()
        with self.assertLogs(level=logging.DEBUG) as logs:
            with self.assertRaises(VpbxError) as caught:
                self.client.callback("cmd-1", "101", "74950000201")
        error = caught.exception
        self.assertIsNone(error.__cause__)
        self.assertIsNone(error.__context__)  # would hold the request
        # Without the source lines of our own frames, only values are left.
        shown = traceback.format_exception(type(error), error, None)
        seen = [*logs.output, *shown, str(error), repr(error), repr(vars(error))]
        self.assertTrue(any("urllib3" in line for line in logs.output))
        return "\n".join(seen)

    def assert_no_secret(self, text):
        for secret in (KEY, SALT, self.sent()[1]["sign"]):
            self.assertNotIn(secret, text)

    def echo(self, status):
        """Answer with everything that the PBX knows."""
        sign = client_module.sign(
            KEY,
            '{"command_id":"cmd-1","from":{"extension":"101"},'
            '"to_number":"74950000201"}',
            SALT,
        )
        text = f"{KEY} {SALT} {sign}"
        self.answer(
            status,
            {"result": 3102, "fields": {"sign": sign, KEY: [SALT, text]}, "x": text},
            X_Uuid=text,
        )

    def test_refusal(self):
        text = self.outlets(lambda: self.echo(200))
        self.assert_no_secret(text)
        self.assertIn("***", text)
        self.assertIn("3102", text)

    def test_html(self):
        self.assert_no_secret(
            self.outlets(lambda: self.answer(500, f"<p>{KEY} {SALT}".encode()))
        )

    def test_broken_connection(self):
        self.assert_no_secret(self.outlets(lambda: self.answer(None)))

    def test_success_is_logged_without_secrets(self):
        self.answer(200, {"result": 1000}, X_Uuid="uuid-1")
        with self.assertLogs(level=logging.DEBUG) as logs:
            self.client.callback("cmd-1", "101", "74950000201")
        text = "\n".join(logs.output)
        self.assert_no_secret(text)
        self.assertIn("commands/callback: HTTP 200, code 1000, X-Uuid uuid-1", text)
        self.assertNotIn("74950000201", text)

    def test_representation(self):
        self.assertNotIn(KEY, repr(self.client))
        self.assertNotIn(SALT, repr(self.client))
        self.assertIn("127.0.0.1", repr(self.client))


@tagged("mango_office", "-at_install", "post_install")
class TestQueries(ClientCase):
    """Users, groups, lines."""

    def test_users(self):
        self.answer(
            200,
            {
                "users": [
                    {
                        "general": {
                            "name": "Анна Соколова",
                            "email": "anna.sokolova@romashka.example",
                            "department": "Отдел продаж",
                            "position": "Менеджер",
                            "user_id": 400000101,
                            "mobile": "74950000301",
                        },
                        "telephony": {
                            "extension": "101",
                            "outgoingline": "74950000100",
                            "numbers": [
                                {
                                    "number": "sip:user101@romashka.mangosip.ru",
                                    "protocol": "sip",
                                    "order": 1,
                                    "status": "on",
                                },
                                {
                                    "number": "74950000301",
                                    "protocol": "tel",
                                    "order": "0",
                                    "status": "off",
                                },
                                {"number": 74950000302, "order": None},
                                {"number": "74950000301", "status": "on"},
                                {"number": None},
                                None,
                            ],
                        },
                        "groups": [10000500],
                    },
                    {"general": {"name": "Администратор", "user_id": "400000001"}},
                    {
                        "general": {"name": None, "email": "", "mobile": None},
                        "telephony": {"extension": 105, "numbers": []},
                        "groups": None,
                    },
                    {"telephony": {"extension": "0511", "outgoingline": ""}},
                ]
            },
        )
        anna, admin, nameless, daria = self.client.users()
        self.assertEqual(
            anna,
            User(
                ref="400000101",
                name="Анна Соколова",
                email="anna.sokolova@romashka.example",
                department="Отдел продаж",
                position="Менеджер",
                extension="101",
                devices=(
                    Device("sip:user101@romashka.mangosip.ru", "sip", 1, True),
                    Device("74950000301", "tel", 0, False),
                    Device("74950000302", "", 2, True),
                ),
                mobile="74950000301",
            ),
        )
        self.assertEqual((admin.ref, admin.extension), ("400000001", None))
        self.assertEqual((nameless.extension, nameless.name), ("105", ""))
        self.assertEqual(daria.extension, "0511")

    def test_bad_row_is_left_out(self):
        good = {"telephony": {"extension": "101"}}
        bad = [None, [], "x", {}, {"general": [], "telephony": None}, {"general": {}}]
        self.answer(200, {"users": [*bad, good]})
        with self.assertLogs(client_module.__name__, logging.WARNING) as logs:
            users = self.client.users()
        self.assertEqual([user.extension for user in users], ["101"])
        self.assertIn("6 rows of users", logs.output[0])

    def test_bad_list_is_no_empty_list(self):
        for body in ({}, {"users": None}, {"users": {}}, {"users": "none"}):
            with self.subTest(body=body):
                self.answer(200, body)
                self.assert_fails(BadAnswerError, self.client.users)
        self.answer(200, {"users": [{}]})
        with self.assertLogs(client_module.__name__, logging.WARNING):
            self.assert_fails(BadAnswerError, self.client.users)

    def test_empty_lists(self):
        self.answer(200, {"result": 1000, "users": [], "groups": [], "lines": []})
        self.assertEqual(self.client.users(), ())
        self.assertEqual(self.client.groups(), ())
        self.assertEqual(self.client.lines(), ())

    def test_text_that_cannot_be_stored(self):
        row = {"general": {"name": "A\x00\ud800"}, "telephony": {"extension": "101"}}
        self.answer(200, {"users": [row]})
        self.assertEqual(self.client.users()[0].name, "A?")

    def test_groups(self):
        self.answer(
            200,
            {
                "result": "1000",
                "groups": [
                    {
                        "id": 10000500,
                        "name": "Отдел продаж",
                        "extension": "500",
                        "operators": [{"extension": "101"}, {"extension": None}, 7],
                    },
                    {"id": "10000501", "extension": "", "operators": None},
                ],
            },
        )
        self.assertEqual(
            self.client.groups(),
            (
                Group("10000500", "Отдел продаж", "500", ("101",)),
                Group("10000501", "", None, ()),
            ),
        )

    def test_lines(self):
        self.answer(
            200,
            {
                "result": 1000,
                "lines": [
                    {
                        "line_id": 400000011,
                        "number": 74950000100,
                        "name": "Основная линия",
                        "comment": "ignored",
                        "region": "Москва",
                        "schema_name": "Отдел продаж",
                    },
                    {
                        "number": "sip:line3@romashka.mangosip.ru",
                        "name": "",
                        "comment": "SIP-линия",
                        "region": None,
                    },
                ],
            },
        )
        self.assertEqual(
            self.client.lines(),
            (
                Line(
                    "400000011",
                    "74950000100",
                    "Основная линия",
                    "Москва",
                    "Отдел продаж",
                ),
                Line(None, "sip:line3@romashka.mangosip.ru", "SIP-линия", "", ""),
            ),
        )

    def test_balance(self):
        """Any amount is one, debts included."""
        for amount in ("1234.50", 7, -0.25):
            with self.subTest(amount=amount):
                self.answer(200, {**BALANCE, "balance": amount})
                self.assertTrue(self.client.probe())

    def test_probe(self):
        self.answer(200, BALANCE)
        with patch.object(_Handler, "date_time_string", return_value=_DATE):
            self.assertEqual(self.client.probe(), _MOMENT)
        self.assertEqual(len(self.server.requests), 1)

    def test_probe_without_a_readable_clock(self):
        for date in ("yesterday", "", "Thu, 99 Jan 2026 09:00:00 GMT"):
            with patch.object(_Handler, "date_time_string", return_value=date):
                self.assertIsNone(self.client.probe())

    def test_refused_probe_still_tells_the_clock(self):
        self.answer(200, {"result": 3105})
        with patch.object(_Handler, "date_time_string", return_value=_DATE):
            error = self.assert_fails(RefusedError, self.client.probe)
        self.assertEqual(error.server_time, _MOMENT)


_DATE = "Thu, 01 Jan 2026 09:00:00 GMT"
_MOMENT = datetime(2026, 1, 1, 9, tzinfo=timezone.utc)
