"""What strangers can cost us, and from where the PBX may notify us."""

import logging
from contextlib import contextmanager
from unittest.mock import patch

from odoo import http
from odoo.exceptions import ValidationError
from odoo.sql_db import Cursor
from odoo.tests import BaseCase, TransactionCase, tagged
from odoo.tools import config

from ..models import flood_guard
from ..models.flood_guard import FloodGuard, guard
from ..models.ir_http import REFUSAL_LIMIT_KEY
from ..vpbx import addresses
from .common import API_KEY, API_SALT, MangoHttpCase, sign
from .vpbx_scenarios import dialled, leg, outside

APPEARED = leg("L1", 1, "Appeared", 0, outside(), dialled(), place="ivr")
STRANGER = "test_api_key_9999"
HTTP_LOGGER = "odoo.addons.mango_office.models.ir_http"
WRONG = {
    "unknown key": {"vpbx_api_key": STRANGER},
    "no key": {"vpbx_api_key": None},
    "wrong signature": {"sign": "0" * 64},
    "no signature": {"sign": None},
}
#: What the reverse proxy adds; 81.88.80.132 is one of the PBX's.
PBX_ADDRESS, ELSEWHERE = "81.88.80.132", "203.0.113.7"


class FloodCase(MangoHttpCase):
    def setUp(self):
        super().setUp()
        guard.forget()
        self.addCleanup(guard.forget)
        # The clock stands still: no test depends on how fast this machine is.
        self.now = 1000.0
        self.startPatcher(patch.object(FloodGuard, "_now", lambda _guard: self.now))

        # As the PBX comes: Odoo finds the database without a session.
        self.opener.cookies.pop("session_id", None)

    def set_limit(self, limit):
        self.env["ir.config_parameter"].sudo().set_param(REFUSAL_LIMIT_KEY, limit)

    def post_from(self, address, *, payload=APPEARED[1], **form):
        headers = {"X-Forwarded-For": address, "X-Forwarded-Host": "odoo.example"}
        return self.post("events/call", payload, headers=headers, **form)

    @contextmanager
    def queries(self):
        """Collect what is asked of the database by requests."""
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
class TestFloodCosts(FloodCase):
    def test_refusals_cost_no_query_of_ours(self):
        """With warm caches only Odoo asks, once: whether its caches are up to date."""
        self.set_limit(0)
        self.post(*APPEARED, sign="x")
        for case, form in WRONG.items():
            with self.subTest(case=case), self.queries() as queries:
                self.assertEqual(self.post(*APPEARED, **form).status_code, 403)
            own = [query for query in queries if "orm_signaling" not in query]
            self.assertEqual(own, [])
            self.assertLessEqual(len(queries), 1)

    def test_flood_costs_less_than_a_query_each(self):
        """Over its limit, a source does not even take a connection any more."""
        self.set_limit(3)
        for _time in range(3):
            self.assertEqual(self.post(*APPEARED, sign="x").status_code, 403)
        with (
            self.queries() as queries,
            patch.object(type(self.registry), "cursor", side_effect=AssertionError),
            patch.object(http, "db_list", side_effect=AssertionError),
        ):
            for form in (*WRONG.values(), *WRONG.values()):
                self.assertEqual(self.post(*APPEARED, **form).status_code, 403)
        self.assertEqual(queries, [])
        self.assertFalse(self.events())

    def test_host_names_do_not_matter(self):
        """Whoever writes another one each time is over the limit all the same."""
        self.set_limit(2)
        for _time in range(2):
            self.post(*APPEARED, sign="x")
        with self.queries() as queries:
            for number in range(5):
                headers = {"Host": f"odoo{number}.example"}
                response = self.post(*APPEARED, headers=headers, sign="x")
                self.assertEqual(response.status_code, 403)
        self.assertEqual(queries, [])

    def test_session_and_header_choose_the_database(self):
        """Then the host name says nothing, and is not gone by."""
        self.set_limit(2)
        for _time in range(3):
            self.post(*APPEARED, sign="x")
        with patch.object(FloodGuard, "must_refuse", return_value=False) as asked:
            self.post(*APPEARED, headers={"X-Odoo-Database": self.env.cr.dbname})
        self.assertEqual(asked.call_count, 1, "asked before the database was known")

    def test_answers_do_not_tell_the_limit(self):
        self.set_limit(2)
        answers = [self.post(*APPEARED, sign="x") for _time in range(4)]
        self.assertEqual(len({(one.status_code, one.text) for one in answers}), 1)

    def test_body_over_64_kib_is_not_read(self):
        self.set_limit(1)
        self.post(*APPEARED, sign="x")
        payload = {**APPEARED[1], "note": "x" * 64 * 1024}
        self.assertEqual(self.post("events/call", payload).status_code, 413)

    def test_genuine_ones_always_pass(self):
        """The PBX may share its address with whoever floods us."""
        self.set_limit(2)
        for _time in range(5):
            self.post(*APPEARED, sign="x")
        self.assertEqual(self.post(*APPEARED).status_code, 200)
        self.assertEqual(self.call().state, "ringing")
        self.assertEqual(self.post("ping", "{}").status_code, 200)
        self.assertEqual(self.post(*APPEARED, sign="x").status_code, 403)

    def test_changed_secret_counts_within_a_second(self):
        self.set_limit(2)
        for _time in range(5):
            self.post(*APPEARED, sign="x")
        self.account.api_salt = "test_api_salt_0003"
        text = '{"entry_id": "E2", "call_id": "L1", "seq": 1, "call_state": "Appeared"}'
        renewed = sign(text, salt="test_api_salt_0003")
        self.now += flood_guard.FRESHNESS
        self.assertEqual(self.post("events/call", text, sign=renewed).status_code, 200)

    def test_a_minute_later_it_counts_anew(self):
        self.set_limit(2)
        for _time in range(3):
            self.post(*APPEARED, sign="x")
        self.assertTrue(guard.is_over(self.env.cr.dbname, "127.0.0.1"))
        self.now += flood_guard.WINDOW
        self.assertFalse(guard.is_over(self.env.cr.dbname, "127.0.0.1"))

    def test_limit_is_a_system_parameter(self):
        parameter = self.env.ref("mango_office.ir_config_parameter_refusals")
        self.assertEqual((parameter.key, parameter.value), (REFUSAL_LIMIT_KEY, "60"))
        for value, refusals in (("0", 9), ("nonsense", 9), ("5", 6)):
            with self.subTest(value=value):
                guard.forget()
                self.set_limit(value)
                with self.assertLogs(HTTP_LOGGER, logging.INFO) as log:
                    for _time in range(9):
                        self.post(*APPEARED, sign="x")
                self.assertEqual(len(log.records), refusals)

    def test_log_says_when_it_falls_silent(self):
        self.set_limit(3)
        with self.assertLogs(HTTP_LOGGER, logging.INFO) as log:
            for _time in range(9):
                self.post(*APPEARED, sign="x")
        self.assertEqual(len(log.output), 4)
        self.assertIn("not logged one by one", log.output[-1])
        for secret in (API_KEY, API_SALT, STRANGER, sign("x")):
            self.assertNotIn(secret, "".join(log.output))

    def test_sources_are_counted_apart_behind_a_proxy(self):
        self.set_limit(2)
        dbname = self.env.cr.dbname
        with patch.dict(config.options, proxy_mode=True):
            for _time in range(3):
                self.post_from(ELSEWHERE, sign="x")
        self.assertTrue(guard.is_over(dbname, ELSEWHERE))
        self.assertFalse(guard.is_over(dbname, PBX_ADDRESS))
        self.assertFalse(guard.is_over(dbname, "127.0.0.1"))

    def test_headers_are_not_believed_without_a_proxy(self):
        self.set_limit(2)
        for _time in range(3):
            self.post_from(ELSEWHERE, sign="x")
        self.assertFalse(guard.is_over(self.env.cr.dbname, ELSEWHERE))
        self.assertTrue(guard.is_over(self.env.cr.dbname, "127.0.0.1"))


@tagged("post_install", "-at_install")
class TestFloodGuard(BaseCase):
    def test_memory_is_bounded(self):
        small = FloodGuard()
        with patch.object(flood_guard, "MAX_SOURCES", 10):
            for number in range(100):
                small.count("db", f"198.51.100.{number}", 5)
        self.assertEqual(len(small._counts), 10)
        with patch.object(flood_guard, "MAX_HOSTS", 10):
            for number in range(100):
                small.learn("db", {}, f"{number}.example")
        self.assertEqual(len(small._databases), 10)

    def test_one_source_of_ipv6_is_its_network(self):
        for address, source in (
            ("2001:db8::1", "2001:db8::/64"),
            ("2001:db8::ffff:1", "2001:db8::/64"),
            ("::ffff:81.88.80.132", "81.88.80.132"),
            ("81.88.80.132", "81.88.80.132"),
            ("nonsense", "unknown"),
            ("x" * 5000, "unknown"),
            ("", "unknown"),
            (None, "unknown"),
        ):
            with self.subTest(address=address):
                self.assertEqual(addresses.source_of(address), source)

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
class TestAllowedAddresses(FloodCase):
    def setUp(self):
        super().setUp()
        self.startPatcher(patch.dict(config.options, proxy_mode=True))

    def test_off_until_somebody_wants_it(self):
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
        with self.assertRaisesRegex(ValidationError, "«mango.example»"):
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


@tagged("post_install", "-at_install")
class TestGuardIsInstalled(TransactionCase):
    def test_once(self):
        """A guard on top of a guard would mean that the addon is loaded twice."""
        for name in ("_serve_db", "_get_session_and_dbname"):
            guarded = getattr(http.Request, name)
            self.assertFalse(hasattr(guarded.__wrapped__, "__wrapped__"))
