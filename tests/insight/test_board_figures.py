"""The figures of the day above the board."""

from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .test_call_report import OLGA, ReportCase

#: 00:30 of the next day in Moscow.
NOW = datetime(2026, 1, 5, 21, 30)


@tagged("post_install", "-at_install")
class TestBoardFigures(ReportCase):
    def figures(self, user=None):
        extensions = self.env["mango.extension"].with_user(user or self.vera)
        with freeze_time(NOW):
            return extensions.with_context(tz="Europe/Moscow").get_board_figures()

    def wait(self, number, deadline):
        self.env["mango.callback"].create(
            {
                "account_id": self.account.id,
                "client_key": number,
                "client_number": number,
                "deadline": deadline,
            }
        )

    def test_the_day_is_the_readers(self):
        yesterday = {"started_at": NOW - timedelta(minutes=31)}
        today = {"started_at": NOW - timedelta(minutes=29)}
        self.add(0, "missed", **yesterday)
        self.assertEqual(self.figures()["answered_share"], False)

        self.add(0, "answered", **today)
        self.add(0, "missed", **today)
        self.add(0, "unanswered", "outbound", **today)

        figures = self.figures()
        self.assertEqual((figures["inbound"], figures["answered_share"]), (2, 0.5))

    def test_who_waits_to_be_called_back(self):
        self.wait(OLGA, NOW - timedelta(minutes=1))
        self.wait("+74950000203", NOW + timedelta(minutes=1))

        figures = self.figures()

        self.assertEqual((figures["to_call_back"], figures["overdue"]), (2, 1))

    def test_figures_are_for_supervisors(self):
        with self.assertRaises(AccessError):
            self.figures(self.anna)
