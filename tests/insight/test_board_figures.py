"""The figures of the day: above the board, and of each person."""

from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .test_call_report import OLGA, ReportCase

#: 00:30 of the next day in Moscow.
NOW = datetime(2026, 1, 5, 21, 30)


class FiguresCase(ReportCase):
    def ask(self, method, user=None):
        """Ask for a part of the board, half an hour after midnight in Moscow."""
        extensions = self.env["mango.extension"].with_user(user or self.vera)
        with freeze_time(NOW):
            return getattr(extensions.with_context(tz="Europe/Moscow"), method)()


@tagged("post_install", "-at_install")
class TestBoardFigures(FiguresCase):
    def figures(self, user=None):
        return self.ask("get_board_figures", user)

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


@tagged("post_install", "-at_install")
class TestPersonFigures(FiguresCase):
    def add_today(self, result, direction="inbound", extension=None, **vals):
        extension = extension or self.anna_extension
        return self.add(
            0,
            result,
            direction,
            **{
                "started_at": NOW - timedelta(minutes=29),
                "extension_id": extension.id,
                "user_id": extension.user_id.id,
                **vals,
            },
        )

    def today(self, method="get_board"):
        """Return answered, missed, made and seconds of talk by extension."""
        return {
            self.env["mango.extension"].browse(one.pop("id")).number: tuple(
                one[key] for key in ("answered", "missed", "made", "talk_seconds")
            )
            for one in self.ask(method)["today"]
        }

    def test_what_each_has_done(self):
        self.add_today("answered")
        self.add_today("answered", talk_duration=100)
        self.add_today("missed")
        self.add_today("answered", "outbound", talk_duration=5)
        for result in ("unanswered", "busy", "failed"):
            self.add_today(result, "outbound")
        self.add_today("missed", extension=self.boris_extension)

        expected = {"101": (2, 1, 4, 165), "102": (0, 1, 0, 0)}
        self.assertEqual(self.today(), expected)
        self.assertEqual(self.today("get_board_calls"), expected)

    def test_neither_yesterday_nor_colleagues_nor_running_calls(self):
        self.add_today("answered", started_at=NOW - timedelta(minutes=31))
        self.add_today("answered", "internal")
        self.add_today(False, state="talking", answered_at=NOW)
        self.assertEqual(self.today(), {})

    def test_what_a_group_has_missed_counts_against_nobody(self):
        self.add_today("missed", extension_id=False, user_id=False)
        self.assertEqual(self.today(), {})

    def test_an_extension_that_has_got_another_employee(self):
        self.add_today("missed")
        self.add_today("answered", extension=self.boris_extension, user_id=False)
        self.anna_extension.user_id = self.kirill
        self.add_today("answered")

        self.assertEqual(self.today(), {"101": (1, 0, 0, 60), "102": (1, 0, 0, 60)})

    def test_only_in_the_readers_companies(self):
        there = self.env["res.company"].create({"name": "Другая"})
        account = self.create_account(
            company_id=there.id, api_key="test_api_key_0007", api_salt="x000008"
        )
        stranger = self.create_extension("101", account_id=account.id)
        self.add_today(
            "answered",
            extension=stranger,
            account_id=account.id,
            company_id=there.id,
        )
        self.assertEqual(self.today(), {})

    def test_as_many_queries_for_thirty_people_as_for_one(self):
        def queries(method):
            self.ask(method)  # Rights are cached until users change.
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.ask(method)
            return self.cr.sql_log_count - before

        methods = ("get_board", "get_board_calls")
        self.add_today("answered")
        before = [queries(method) for method in methods]
        for number in range(200, 230):
            user = self.create_user(f"u{number}", f"U {number}")
            self.add_today("missed", extension=self.create_extension(str(number), user))

        self.assertEqual([queries(method) for method in methods], before)
        self.assertEqual(len(self.today()), 31)
