"""Cost of refused notifications, and addresses of the PBX."""

import logging
from contextlib import contextmanager
from unittest.mock import patch

from odoo.exceptions import ValidationError
from odoo.sql_db import Cursor
from odoo.tests import BaseCase, tagged
from odoo.tools import config

from ...vpbx import addresses
from ..common import API_KEY, API_SALT, MangoHttpCase, sign
from ..vpbx_scenarios import dialled, leg, outside

APPEARED = leg("L1", 1, "Appeared", 0, outside(), dialled(), place="ivr")
STRANGER = "test_api_key_9999"
HTTP_LOGGER = "odoo.addons.mango_office.models.inbox.ir_http"
WRONG = {
    "unknown key": {"vpbx_api_key": STRANGER},
    "no key": {"vpbx_api_key": None},
    "wrong signature": {"sign": "0" * 64},
    "no signature": {"sign": None},
}
#: Headers of the reverse proxy; 81.88.80.132 is an address of the PBX.
PBX_ADDRESS, ELSEWHERE = "81.88.80.132", "203.0.113.7"


class RefusalCase(MangoHttpCase):
    def setUp(self):
        super().setUp()
        # Like the PBX, without a session.
        self.opener.cookies.pop("session_id", None)

    def post_from(self, address, *, payload=APPEARED[1], **form):
        headers = {"X-Forwarded-For": address, "X-Forwarded-Host": "odoo.example"}
        return self.post("events/call", payload, headers=headers, **form)

    @contextmanager
    def queries(self):
        """Collect the queries of requests."""
        found = []
        execute = Cursor.execute

        def listen(cursor, query, *args, **kwargs):
            text = str(getattr(query, "code", query)).strip()
            # The tests' own transactions are savepoints.
            if text.split()[0] not in ("SAVEPOINT", "ROLLBACK", "RELEASE"):
                found.append(text)
            return execute(cursor, query, *args, **kwargs)

        with patch.object(Cursor, "execute", listen):
            yield found


@tagged("post_install", "-at_install")
class TestRefusals(RefusalCase):
    def test_refusals_cost_no_query_of_ours(self):
        """With warm caches, the only query is Odoo's check of the caches."""
        self.post(*APPEARED, sign="x")
        for case, form in WRONG.items():
            with self.subTest(case=case), self.queries() as queries:
                self.assertEqual(self.post(*APPEARED, **form).status_code, 403)
            own = [query for query in queries if "orm_signaling" not in query]
            self.assertEqual(own, [])
            self.assertLessEqual(len(queries), 1)
        self.assertFalse(self.events())

    def test_answers_are_all_alike(self):
        answers = [self.post(*APPEARED, **form) for form in WRONG.values()]
        self.assertEqual(len({(one.status_code, one.text) for one in answers}), 1)

    def test_log_has_the_address_and_no_secret(self):
        with self.assertLogs(HTTP_LOGGER, logging.INFO) as log:
            for form in WRONG.values():
                self.post(*APPEARED, **form)
        self.assertEqual(len(log.output), len(WRONG))
        self.assertIn("127.0.0.1", log.output[0])
        for secret in (API_KEY, API_SALT, STRANGER, sign("x")):
            self.assertNotIn(secret, "".join(log.output))

    def test_body_over_64_kib_is_not_read(self):
        payload = {**APPEARED[1], "note": "x" * 64 * 1024}
        self.assertEqual(self.post("events/call", payload).status_code, 413)

    def test_genuine_ones_pass_during_a_flood(self):
        """The PBX may share its address with the flooder."""
        for _time in range(5):
            self.post(*APPEARED, sign="x")
        self.assertEqual(self.post(*APPEARED).status_code, 200)
        self.assertEqual(self.call().state, "ringing")

    def test_only_our_own_address(self):
        """Paths that only begin like our address are not handled."""
        self.assertEqual(
            self.post(*APPEARED, path="/exec/mangoevents/call").status_code, 200
        )
        self.assertEqual(self.call().state, "ringing")
        for path in ("/exec/mangoX", "/exec/mangoevents", "/exec/mango2/ping"):
            with self.subTest(path=path):
                self.assertEqual(self.url_open(path).status_code, 404)


@tagged("post_install", "-at_install")
class TestNetworks(BaseCase):
    def test_networks(self):
        networks = addresses.parse_networks(
            " 81.88.80.132,81.88.82.0/24;\n2001:db8::/32 10.1.2.3/8\n"
        )
        self.assertEqual(
            [str(network) for network in networks],
            ["81.88.80.132/32", "81.88.82.0/24", "2001:db8::/32", "10.0.0.0/8"],
        )
        for address, expected in (
            ("81.88.80.132", True),
            ("::ffff:81.88.80.132", True),
            ("81.88.80.133", False),
            ("81.88.82.45", True),
            ("2001:db8:1::5", True),
            ("2001:db9::1", False),
            ("10.255.0.1", True),
            ("nonsense", False),
            (None, False),
        ):
            with self.subTest(address=address):
                self.assertEqual(addresses.is_among(address, networks), expected)
        self.assertEqual(addresses.parse_networks(None), ())
        for text in ("81.88.80.132 x", "81.88.80.132/33", "mango-office.ru"):
            with self.subTest(text=text), self.assertRaises(ValueError):
                addresses.parse_networks(text)
        self.assertEqual(
            len(addresses.parse_networks(" ".join(addresses.KNOWN_SOURCES))), 5
        )


@tagged("post_install", "-at_install")
class TestAllowedAddresses(RefusalCase):
    def setUp(self):
        super().setUp()
        self.startPatcher(patch.dict(config.options, proxy_mode=True))

    def test_off_by_default(self):
        self.assertFalse(self.account.allowed_addresses)
        self.assertEqual(self.post_from(ELSEWHERE).status_code, 200)
        self.assertEqual(self.events().source_address, ELSEWHERE)

    def test_only_the_listed_ones(self):
        self.account.action_allow_known_addresses()
        unsigned = self.post_from(ELSEWHERE, sign="x")
        with self.assertLogs(HTTP_LOGGER, logging.INFO) as log:
            refused = self.post_from(ELSEWHERE)
        self.assertEqual(refused.status_code, 403)
        self.assertEqual(refused.text, unsigned.text, "the answers tell the reasons")
        self.assertIn(ELSEWHERE, log.output[0])
        for secret in (API_KEY, API_SALT):
            self.assertNotIn(secret, "".join(log.output))
        self.assertFalse(self.events())
        self.assertEqual(self.post_from(PBX_ADDRESS).status_code, 200)
        self.assertEqual(self.post_from(f"1.2.3.4, {PBX_ADDRESS}").status_code, 200)
        forged = self.post_from(f"{PBX_ADDRESS}, {ELSEWHERE}")
        self.assertEqual(forged.status_code, 403, "what the client adds is believed")

    def test_another_account_is_not_concerned(self):
        other = self.create_account(api_key="test_api_key_0007", api_salt="x0000008")
        self.account.allowed_addresses = PBX_ADDRESS
        text = '{"entry_id": "E2", "call_id": "L1", "seq": 1, "call_state": "Appeared"}'
        signature = sign(text, other.api_key, other.api_salt)
        form = {"vpbx_api_key": other.api_key, "sign": signature}
        response = self.post_from(ELSEWHERE, payload=text, **form)
        self.assertEqual(response.status_code, 200)

    def test_change_counts_at_once(self):
        self.account.allowed_addresses = PBX_ADDRESS
        self.assertEqual(self.post_from(ELSEWHERE).status_code, 403)
        self.account.allowed_addresses = f"{PBX_ADDRESS}\n203.0.113.0/24"
        self.assertEqual(self.post_from(ELSEWHERE).status_code, 200)
        self.account.allowed_addresses = False
        self.assertEqual(
            self.post_from("192.0.2.1", payload={**APPEARED[1], "seq": 2}).status_code,
            200,
        )

    def test_nonsense_is_refused_by_name(self):
        with self.assertRaisesRegex(ValidationError, "“mango.example”"):
            self.account.allowed_addresses = f"{PBX_ADDRESS} mango.example"

    def test_check_warns_before_calls_are_lost(self):
        self.post_from(ELSEWHERE)
        self.account.allowed_addresses = PBX_ADDRESS
        model = self.env["mango.connection.check"]
        link = model._check_webhook(self.account)
        self.assertEqual(link["state"], "warning")
        self.assertIn(ELSEWHERE, link["message"])
        self.account.allowed_addresses = "203.0.113.0/24"
        self.assertEqual(model._check_webhook(self.account)["state"], "ok")
