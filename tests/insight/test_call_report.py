"""What the analysis counts, and whose calls."""

from datetime import datetime, timedelta

from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import SQL

from ..common import MangoCase
from ..vpbx_scenarios import LINE

IVAN = "+74950000201"
OLGA = "+74950000202"
#: A Monday; at 22:30 UTC it is Tuesday in Moscow.
MONDAY = datetime(2026, 1, 5, 9, 0)


class ReportCase(MangoCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.count = 0

    def add(self, minutes, result, direction="inbound", number=IVAN, **vals):
        """Add a call that began some minutes after Monday morning.

        :param int minutes: between Monday, 9:00 UTC, and its beginning.
        :param str result: of an answered one, the talk lasted for a minute.
        """
        type(self).count += 1
        started_at = MONDAY + timedelta(minutes=minutes)
        wait = vals.get("wait_duration", 10)
        if result == "answered":
            vals.setdefault("answered_at", started_at + timedelta(seconds=wait))
            vals.setdefault("talk_duration", 60)
        return self.env["mango.call"].create(
            {
                "account_id": self.account.id,
                "company_id": self.company.id,
                "entry_id": f"E-{self.count}",
                "state": "ended",
                "direction": direction,
                "result": result,
                "client_number": number,
                "started_at": started_at,
                "wait_duration": wait,
                **vals,
            }
        )

    def measure(self, *names, by=(), domain=(), user=None, **context):
        """Return measures of this PBX's calls, in all or by groups.

        :param names: of the measures, ``__count`` included.
        :param by: fields to group by; each group is then a tuple.
        """
        model = self.env["mango.call.report"].with_context(**context)
        model = model.with_user(user) if user else model
        aggregates = [
            name if name == "__count" else f"{name}:{model._fields[name].aggregator}"
            for name in names
        ]
        domain = [("account_id", "=", self.account.id), *domain]
        rows = model._read_group(domain, by, aggregates)
        return rows if by else rows[0] if len(names) > 1 else rows[0][0]


@tagged("post_install", "-at_install")
class TestCallReport(ReportCase):
    def test_shares_and_times_are_of_the_calls_they_are_about(self):
        self.add(0, "answered", wait_duration=20)
        self.add(1, "answered", wait_duration=21, talk_duration=120)
        self.add(2, "missed", wait_duration=5)
        self.add(3, "missed", wait_duration=90)
        # Neither of these is a call that could be answered here.
        self.add(4, "answered", "outbound", wait_duration=3)
        self.add(5, "unanswered", "outbound", wait_duration=40)
        self.add(6, "answered", "internal", number=False, wait_duration=2)
        self.add(7, False, wait_duration=0, state="ringing")

        self.assertEqual(self.measure("__count", "missed"), (8, 2))
        self.assertEqual(self.measure("answered_share"), 0.5)
        self.assertEqual(self.measure("in_time_share"), 0.25)
        self.assertEqual(self.measure("answer_time"), 20.5)
        self.assertEqual(self.measure("talk_time"), 60 + 120 + 60 + 60)
        self.assertEqual(self.measure("talk_average"), 75)

    def test_in_time_is_what_the_pbx_says(self):
        self.add(0, "answered", wait_duration=20)
        self.assertEqual(self.measure("in_time_share"), 1)

        self.account.answer_seconds = 19

        self.assertEqual(self.measure("in_time_share"), 0)

    def test_in_time_is_a_sensible_time(self):
        for seconds in (0, 601):
            with self.subTest(seconds=seconds), self.assertRaises(ValidationError):
                self.account.answer_seconds = seconds

    def test_a_client_is_a_contact_or_a_number(self):
        self.add(0, "answered", partner_id=self.ivan.id)
        self.add(1, "missed", number="+74950000299", partner_id=self.ivan.id)
        self.add(2, "missed", number=OLGA)
        self.add(3, "answered", "outbound", number=OLGA)
        self.add(4, "missed", number=False)

        self.assertEqual(self.measure("client_key"), 2)

    def test_a_client_is_new_once(self):
        self.add(0, "missed", number=OLGA)
        self.add(1, "answered", number=OLGA)
        self.add(2, "unanswered", "outbound", number=IVAN)
        self.add(3, "answered", number=IVAN)  # we had called them before
        self.add(4, "missed", number=False)  # nobody knows who that was

        self.assertEqual(self.measure("new_client"), 1)

    def test_a_known_contact_is_not_new_with_another_number(self):
        self.add(0, "answered", partner_id=self.ivan.id)
        self.add(1, "answered", number="+74950000299", partner_id=self.ivan.id)

        self.assertEqual(self.measure("new_client"), 1)

    def test_another_company_may_have_known_them(self):
        there = self.env["res.company"].create({"name": "Другая"})
        self.add(0, "answered", number=OLGA, company_id=there.id)
        self.add(1, "answered", number=OLGA)

        here = [("company_id", "=", self.company.id)]
        self.assertEqual(self.measure("new_client", domain=here), 1)

    def callback(self, call, **vals):
        return self.env["mango.callback"].create(
            {
                "account_id": self.account.id,
                "client_key": f"key-{call.id}",
                "client_number": call.client_number,
                "call_ids": call.ids,
                **vals,
            }
        )

    def test_not_called_back_until_somebody_has_spoken_with_the_client(self):
        call = self.add(0, "missed")
        self.add(1, "missed", number=OLGA)  # too short to be called back
        entry = self.callback(call)
        self.assertEqual(self.measure("missed", "not_called_back"), (2, 1))

        entry.write({"state": "dropped", "closed_by": "hand"})
        self.assertEqual(self.measure("not_called_back"), 1)

        entry.write({"state": "done", "closed_by": "called_back"})
        self.assertEqual(self.measure("not_called_back"), 0)

    def test_an_answered_call_of_an_entry_is_called_back(self):
        missed, answered = self.add(0, "missed"), self.add(1, "answered")
        self.callback(missed, call_ids=(missed + answered).ids)

        self.assertEqual(self.measure("not_called_back"), 1)

    def test_called_back_in_time_is_to_the_credit_of_who_called(self):
        missed = self.add(0, "missed", user_id=self.boris.id)
        call = self.add(5, "answered", "outbound", user_id=self.anna.id)
        entry = self.callback(
            missed,
            call_ids=(missed + call).ids,
            state="done",
            closed_by="called_back",
            closing_call_id=call.id,
            closed_at=MONDAY + timedelta(minutes=5),
            deadline=MONDAY + timedelta(minutes=30),
        )
        by_user = {"by": ["user_id"], "domain": [("user_id", "!=", False)]}
        self.assertEqual(
            self.measure("called_back_in_time", **by_user),
            [(self.anna, 1), (self.boris, 0)],
        )

        entry.deadline = MONDAY + timedelta(minutes=4)
        self.assertEqual(self.measure("called_back_in_time"), 0)

    def test_routed_to_the_right_person(self):
        self.add(0, "answered", route_attempts=1, route_answered=True)
        self.add(1, "answered", route_attempts=2)
        self.add(2, "answered")  # the PBX's own way

        self.assertEqual(self.measure("routed_share"), 0.5)

    def test_routing_is_compared_by_step_and_person(self):
        first, second = self.account.route_step_ids[:2]
        anna = {"routed_to": self.anna.id, "route_step_id": first.id}
        boris = {"routed_to": self.boris.id, "route_step_id": second.id}
        self.add(0, "answered", route_attempts=1, route_answered=True, **anna)
        self.add(1, "missed", route_attempts=3, **boris)

        self.assertEqual(
            self.measure(
                "routed_share",
                "missed",
                "route_attempts",
                by=["route_step_id", "routed_to"],
                user=self.vera,
            ),
            [(first, self.anna, 1.0, 0, 1.0), (second, self.boris, 0.0, 1, 3.0)],
        )

    def test_days_and_hours_are_the_readers(self):
        self.add(13 * 60 + 30, "answered")  # Monday, 22:30 UTC
        by = ["weekday", "hour"]

        self.assertEqual(
            self.measure("__count", by=by, tz="Europe/Moscow"), [("1", "01", 1)]
        )
        self.assertEqual(self.measure("__count", by=by, tz="UTC"), [("0", "22", 1)])

    def test_what_calls_are_compared_by(self):
        line = self.account.line_ids.filtered(lambda line: line.number == LINE)
        team = self.env["crm.team"].create({"name": "Опт"})
        self.env["crm.team.member"].create(
            {"crm_team_id": team.id, "user_id": self.anna.id}
        )
        other = self.env["crm.team"].create({"name": "Розница"})
        lead = self.create_lead("Мебель", team_id=other.id)
        anna = {"user_id": self.anna.id, "partner_id": self.ivan.id}
        self.add(0, "answered", line_id=line.id, lead_id=lead.id, **anna)
        # A whole group has missed it: nobody's, but the lead has a team.
        self.add(1, "missed", line_id=line.id, lead_id=lead.id)

        nobody = self.env["res.users"]
        self.assertEqual(
            self.measure("missed", by=["user_id", "team_id"]),
            [(self.anna, team, 0), (nobody, other, 1)],
        )
        self.assertEqual(self.measure("missed", by=["line_id"]), [(line, 1)])
        self.assertEqual(
            self.measure("__count", by=["partner_id"]),
            [(self.ivan, 1), (self.env["res.partner"], 1)],
        )
        self.assertEqual(
            self.measure("__count", by=["client"]),
            [("+7 495 000-02-01", 1), ("Иван Петров", 1)],
        )

    def test_a_number_looks_as_in_the_call_log(self):
        numbers = (IVAN, "+79161234567", "+78005550000", "101", "+442079460018", False)
        calls = self.env["mango.call"]
        for number in numbers:
            calls += self.add(0, "missed", number=number)
        shown = [row.client for row in self.env["mango.call.report"].browse(calls.ids)]

        russian = calls[:3].mapped("client_number_display")
        self.assertEqual(shown, [*russian, "101", "+442079460018", False])

    def test_what_calls_came_from_and_what_they_led_to(self):
        utm = {
            name: self.env[f"utm.{name}"].create({"name": name})
            for name in ("source", "medium", "campaign")
        }
        outcome = self.env["mango.call.outcome"].create({"name": "Заказ"})
        self.add(
            0,
            "answered",
            outcome_id=outcome.id,
            **{f"{name}_id": record.id for name, record in utm.items()},
        )
        self.add(1, "missed")

        for name, record in {**utm, "outcome": outcome}.items():
            with self.subTest(name):
                self.assertEqual(
                    self.measure(
                        "__count", "missed", by=[f"{name}_id"], user=self.vera
                    ),
                    [(record, 1, 0), (record.browse(), 1, 1)],
                )

    def test_people_count_their_own_calls(self):
        self.add(0, "answered", user_ids=self.anna.ids)
        self.add(1, "missed", user_ids=self.boris.ids)

        self.assertEqual(self.measure("__count", user=self.anna), 1)
        self.assertEqual(self.measure("missed", user=self.anna), 0)
        self.assertEqual(self.measure("__count", user=self.vera), 2)

    def test_a_row_leads_to_its_call(self):
        call = self.add(0, "answered", user_ids=self.anna.ids)
        row = self.env["mango.call.report"].with_user(self.anna).browse(call.id)

        action = row.action_open_call()

        self.assertEqual((action["res_model"], action["res_id"]), (call._name, call.id))

    def test_columns_nobody_asks_for_cost_nothing(self):
        """The joins and the questions behind them are not even planned."""
        query = self.env["mango.call.report"]._search([])
        rows = self.env.execute_query(SQL("EXPLAIN %s", query.select("count(*)")))
        plan = "\n".join(row for [row] in rows)

        self.assertNotIn("res_users", plan)
        self.assertNotIn("mango_callback", plan)
