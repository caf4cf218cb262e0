"""Statistics over a real HTTP server on this machine."""

from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs

from odoo.tests import tagged

from ...vpbx.errors import (
    BadAnswerError,
    RateLimitedError,
    RefusedError,
    TransportError,
)
from ...vpbx.signature import verify
from .test_vpbx_client import KEY, RATE_LIMIT, SALT, ClientCase

NOON = datetime(2026, 1, 1, 9, tzinfo=timezone.utc)  # in Moscow
DAY = timedelta(days=1)


@tagged("mango_office", "-at_install", "post_install")
class TestStatistics(ClientCase):
    def order(self):
        return self.client.request_calls(NOON, NOON + DAY, 500, 0)

    def test_order(self):
        self.answer(200, {"result": 1000, "key": 77})
        self.assertEqual(self.order(), "77")
        [(path, body, _address)] = self.server.requests
        form = {name: values[0] for name, values in parse_qs(body).items()}
        self.assertEqual(path, "/vpbx/stats/calls/request")
        self.assertIn('"start_date":"01.01.2026 12:00:00"', form["json"])
        self.assertTrue(verify(KEY, form["json"], SALT, form["sign"]))

    def test_nothing_is_sent_that_would_be_refused(self):
        with self.assertRaises(ValueError):
            self.client.request_calls(NOON, NOON + 30 * DAY, 500, 0)
        self.assertFalse(self.server.requests)

    def test_no_key(self):
        for answer in ({"result": 1000}, {"key": ""}, {"key": None}, {"key": []}):
            with self.subTest(answer=answer), self.assertRaises(BadAnswerError):
                self.answer(200, answer)
                self.order()

    def test_result(self):
        rows = [{"list": [{"entry_id": "E1"}]}]
        self.answer(200, {"result": "1000", "status": "complete", "data": rows})
        report = self.client.calls("77")
        self.assertEqual(report.status, "complete")
        self.assertEqual(report.entries, ({"entry_id": "E1"},))

    def test_not_ready(self):
        self.answer(204)
        self.assertEqual(self.client.calls("77").status, "pending")
        self.answer(200, {"result": 1000, "status": "work", "data": []})
        self.assertEqual(self.client.calls("77").status, "pending")

    def test_unknown_key(self):
        self.answer(404)
        self.assertEqual(self.client.calls("77").status, "lost")

    def test_trouble(self):
        for status, body, error in (
            (200, b"<html>", BadAnswerError),
            (200, b'{"result":1000,"status":"complete","data":[{"li', BadAnswerError),
            (200, {"result": 1000, "status": "complete", "data": 7}, BadAnswerError),
            (200, {"result": 1000}, BadAnswerError),
            (429, RATE_LIMIT, RateLimitedError),
            (503, b"", TransportError),
            (None, b"", TransportError),
            (200, {"result": 3104}, RefusedError),
        ):
            with self.subTest(status=status, body=body), self.assertRaises(error):
                self.answer(status, body)
                self.client.calls("77")
