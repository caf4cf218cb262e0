"""When background requests to a PBX are allowed."""

from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tests import tagged

from ...models.pbx.mango_circuit_breaker import (
    FAILURES_IN_A_ROW,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    PENALTY_TIME,
    TRIAL_INTERVAL,
)
from ...vpbx.errors import (
    BadAnswerError,
    LockedOutError,
    RateLimitedError,
    RefusedError,
    TransportError,
)
from ..common import MangoCase
from ..pbx_answers import BALANCE, USERS, pbx_user
from ..routing.test_route_command import ROUTE, RouteCase
from ..vpbx_scenarios import menu

NOON = "2026-01-01 12:00:00"
DOWN = TransportError("", reason="connect")


@tagged("post_install", "-at_install")
class TestCircuitBreaker(MangoCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = cls.create_user("admin", "Админ", "group_admin", lang="en_US")

    def note(self, error=None):
        self.env.flush_all()
        self.account._record_answer(error)

    def told(self):
        """Return recipients and text of the warnings about the account."""
        return self.env["mail.message"].search(
            [("model", "=", "mango.account"), ("res_id", "=", self.account.id)]
        )

    def test_nothing_known(self):
        self.assertTrue(self.account._may_request())
        self.assertFalse(self.account.requests_stopped_reason)
        self.assertFalse(self.account.requests_paused_until)

    def test_a_good_answer_leaves_it_open(self):
        self.note()
        self.assertTrue(self.account._may_request())

    # -- permanent errors -------------------------------------------------------

    def test_our_own_mistakes_stop(self):
        for error in (
            LockedOutError(""),
            *(RefusedError(code, "") for code in (3100, 3101, 3102, 3103, 3104, 3105)),
            RefusedError(3400, ""),
        ):
            with self.subTest(error=error):
                self.note(error)
                self.assertFalse(self.account._may_request())
                self.assertFalse(self.account._may_request(urgent=True))
                self.account.action_resume_requests()
                self.assertTrue(self.account._may_request())

    def test_stop_has_words_for_every_reader(self):
        self.note(RefusedError(3102, ""))
        account = self.account.with_user(self.anna)
        self.assertIn("The secret is wrong", account.requests_stopped_reason)
        self.assertIn("resume requests", account.requests_stopped_reason)

    def test_stop_lasts(self):
        with freeze_time(NOON):
            self.note(RefusedError(3105, ""))
        with freeze_time("2026-03-01"):
            self.assertFalse(self.account._may_request())
            self.note()
            self.assertFalse(self.account._may_request())

    def test_admins_are_notified_once(self):
        self.note(RefusedError(3102, ""))
        self.note(RefusedError(3102, ""))
        self.note(LockedOutError(""))
        told = self.told().filtered(
            lambda message: self.admin.partner_id in message.notified_partner_ids
        )
        self.assertEqual(len(told), 1)
        self.assertIn("The secret is wrong", told.body)
        everybody = self.told().notified_partner_ids.user_ids
        self.assertNotIn(self.anna, everybody)
        self.assertNotIn(self.vera, everybody)

    def test_notified_again_after_the_next_stop(self):
        self.note(RefusedError(3102, ""))
        self.account.action_resume_requests()
        before = len(self.told())
        self.note(RefusedError(3102, ""))
        self.assertGreater(len(self.told()), before)

    def test_new_access_resumes(self):
        for vals in (
            {"api_salt": "test_api_salt_0099"},
            {"api_key": "test_api_key_0099"},
            {"api_url": "https://pbx.example.com"},
        ):
            with self.subTest(vals=vals):
                self.note(RefusedError(3102, ""))
                self.assertFalse(self.account._may_request())
                self.account.write(vals)
                self.assertTrue(self.account._may_request())
                self.assertFalse(self.account.requests_stopped_reason)

    def test_other_settings_do_not_resume(self):
        self.note(RefusedError(3102, ""))
        self.account.write({"name": "АТС 2", "routing_enabled": False})
        self.assertFalse(self.account._may_request())

    def test_connection_check_resumes(self):
        self.note(LockedOutError(""))
        self.pbx.answers(BALANCE, {"result": 1000, "balance": "1", "currency": "RUB"})
        self.pbx.answers(USERS, {"users": [pbx_user("101")]})
        self.env.flush_all()
        self.account.with_user(self.admin).action_test_connection()
        self.assertTrue(self.account._may_request())

    def test_failed_connection_check_does_not(self):
        self.note(LockedOutError(""))
        self.pbx.answers(BALANCE, body="", status=401)
        self.env.flush_all()
        self.account.with_user(self.admin).action_test_connection()
        self.assertFalse(self.account._may_request())

    def test_only_admins_resume(self):
        self.note(LockedOutError(""))
        for user in (self.anna, self.vera):
            with self.subTest(user=user.name), self.assertRaises(AccessError):
                self.account.with_user(user).action_resume_requests()
        self.account.with_user(self.admin).action_resume_requests()
        self.assertTrue(self.account._may_request())

    def test_each_pbx_has_its_own(self):
        other = self.create_account(api_key="test_api_key_0007", api_salt="x")
        self.note(LockedOutError(""))
        self.assertTrue(other._may_request())

    def test_breaker_reveals_no_secret(self):
        self.note(LockedOutError(""))
        breaker = self.env["mango.circuit.breaker"].sudo().search([])
        [values] = breaker.read(load=None)
        for secret in (self.account.api_key, self.account.api_salt):
            self.assertNotIn(secret, str(values))

    # -- refusals of one thing ------------------------------------------------

    def test_not_found_stops_nothing(self):
        for code in (3200, 3300, 3310, 3320, 3330):
            with self.subTest(code=code), freeze_time(NOON) as clock:
                self.note(RefusedError(code, ""))
                self.assertFalse(self.account.requests_stopped_reason)
                self.assertTrue(self.account._may_request(urgent=True))
                self.assertFalse(
                    self.account._may_request(),
                    "a second refusal within two minutes locks the account out",
                )
                clock.tick(PENALTY_TIME)
                self.assertTrue(self.account._may_request())
                self.account.action_resume_requests()

    def test_a_call_that_is_over_stops_nothing(self):
        for code in (4101, 4200, 2300, 5212):
            with self.subTest(code=code):
                self.note(RefusedError(code, ""))
                self.assertTrue(self.account._may_request())

    # -- temporary errors -----------------------------------------------------

    def test_trouble_pauses(self):
        for error in (
            DOWN,
            TransportError("", reason="timeout", ambiguous=True),
            TransportError("", reason="unavailable"),
            RateLimitedError(""),
            BadAnswerError(""),
            *(RefusedError(code, "") for code in (5000, 5001, 5005, 5008, 5011, 2110)),
        ):
            with self.subTest(error=error), freeze_time(NOON) as clock:
                self.note(error)
                self.assertFalse(self.account._may_request())
                self.assertFalse(self.account.requests_stopped_reason)
                self.assertTrue(self.account.requests_paused_until)
                clock.tick(FIRST_PAUSE)
                self.assertTrue(self.account._may_request())
                self.account.invalidate_recordset()
                self.assertFalse(self.account.requests_paused_until)
                self.account.action_resume_requests()

    def test_pauses_double_up_to_half_an_hour(self):
        pauses = []
        with freeze_time(NOON) as clock:
            for _time in range(9):
                self.note(DOWN)
                now = clock().replace(microsecond=0)
                pauses.append(self.account.requests_paused_until - now)
                clock.tick(pauses[-1])
        self.assertEqual(pauses[:3], [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE])
        self.assertEqual(pauses[-2:], [LONGEST_PAUSE, LONGEST_PAUSE])

    def test_first_success_ends_it(self):
        with freeze_time(NOON) as clock:
            self.note(DOWN)
            clock.tick(FIRST_PAUSE)
            self.note(DOWN)
            clock.tick(2 * FIRST_PAUSE)
            self.note()
            self.assertTrue(self.account._may_request())
            self.note(DOWN)
            self.assertEqual(
                self.account.requests_paused_until,
                clock().replace(microsecond=0) + FIRST_PAUSE,
            )

    def test_requests_on_their_way_do_not_double_the_pause(self):
        with freeze_time(NOON):
            self.note(DOWN)
            until = self.account.requests_paused_until
            self.note(DOWN)
            self.note(RateLimitedError(""))
            self.assertEqual(self.account.requests_paused_until, until)

    def test_callers_are_routed_in_spite_of_single_failures(self):
        with freeze_time(NOON):
            for _time in range(FAILURES_IN_A_ROW - 1):
                self.note(DOWN)
                self.assertTrue(self.account._may_request(urgent=True))
                self.assertFalse(self.account._may_request())

    def test_a_success_in_between_starts_the_count_again(self):
        with freeze_time(NOON):
            for error in (DOWN, DOWN, None, DOWN, DOWN):
                self.note(error)
            self.assertTrue(self.account._may_request(urgent=True))

    def test_after_failures_in_a_row_one_trial_every_ten_seconds(self):
        with freeze_time(NOON) as clock:
            for _time in range(FAILURES_IN_A_ROW):
                self.note(DOWN)
            for _time in range(3):
                self.assertFalse(self.account._may_request(urgent=True))
                clock.tick(TRIAL_INTERVAL)
                self.assertTrue(self.account._may_request(urgent=True))
                self.assertFalse(self.account._may_request(urgent=True), "two trials")
                self.note(DOWN)
            clock.tick(TRIAL_INTERVAL)
            self.assertTrue(self.account._may_request(urgent=True))
            self.note()
            self.assertTrue(self.account._may_request(urgent=True))
            self.assertTrue(self.account._may_request())

    def test_good_answers_cost_no_lock(self):
        self.note()
        gates = type(self.env["mango.circuit.breaker"])
        with patch.object(gates, "_update_locked", side_effect=AssertionError):
            self.note()

    def test_a_stop_is_no_pause(self):
        with freeze_time(NOON) as clock:
            self.note(DOWN)
            clock.tick(timedelta(seconds=1))
            self.note(LockedOutError(""))
            self.assertFalse(self.account.requests_paused_until)
            self.assertTrue(self.account.requests_stopped_reason)


@tagged("post_install", "-at_install")
class TestCircuitBreakerOfRoutes(RouteCase):
    """Route commands are automatic: they respect the breaker, and report to it."""

    def test_success_opens(self):
        self.account._record_answer(RateLimitedError(""))
        later = timedelta(minutes=1) + self.account.requests_paused_until
        with freeze_time(later):
            self.send()
        self.assertFalse(self.account.requests_paused_until)
        self.assertTrue(self.account._may_request())

    def test_wrong_signature_stops_the_next(self):
        self.pbx.answers(ROUTE, {"result": 3102})
        self.send()
        self.assertEqual(self.call().route_state, "failed")
        kind, payload = menu()[0]
        self.receive(kind, {**payload, "entry_id": "E2", "call_id": "L9"})
        self.send(self.call("E2"))
        self.assertEqual(self.pbx.paths(), [ROUTE], "the account would be locked out")
        self.assertEqual(self.call("E2").route_state, "skipped")
        self.assertIn("are stopped", self.call("E2").route_reason)

    def test_unknown_call_does_not(self):
        self.pbx.answers(ROUTE, {"result": 3310})
        self.send()
        self.assertTrue(self.account._may_request(urgent=True))

    def test_pbx_down(self):
        """A failed request for one caller does not affect the next one."""
        self.pbx.answers(ROUTE, body="<html>", status=503)
        self.send()
        kind, payload = menu()[0]
        for number in range(2, FAILURES_IN_A_ROW + 2):
            self.env["mango.route.slot"].search([]).unlink()
            entry_id = f"E{number}"
            self.receive(kind, {**payload, "entry_id": entry_id, "call_id": "L9"})
            self.send(self.call(entry_id))
        self.assertEqual(self.pbx.paths(), [ROUTE] * FAILURES_IN_A_ROW)
        self.assertIn("having problems", self.call(entry_id).route_reason)
