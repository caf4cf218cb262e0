"""Where calls come from: lines, call tracking, and what it has brought."""

from datetime import timedelta
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...models.crm import visitor_query
from ...tools import locking
from ...vpbx.errors import LockedOutError, RefusedError
from ..vpbx_scenarios import LINE, leg, menu, outside, staff
from .test_leads import STRANGER, CrmCase

QUESTION = "queries/user_info_by_dct_number"
TRACKED = {"type": 1, "number": "74950000150"}
CHANNEL = {"source": "yandex", "medium": "cpc", "campaign": "winter-sale"}


@tagged("post_install", "-at_install")
class TestSources(CrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        env = cls.env
        cls.source = env["utm.source"].create({"name": "Журнал"})
        cls.medium = env["utm.medium"].create({"name": "Печать"})
        cls.campaign = env["utm.campaign"].create({"name": "Осень"})
        cls.line = cls.account.line_ids.filtered(lambda line: line.number == LINE)
        cls.line.write(
            {
                "source_id": cls.source.id,
                "medium_id": cls.medium.id,
                "campaign_id": cls.campaign.id,
            }
        )

    def ring(self, number="74950000299", **more):
        kind, payload = menu(number)[0]
        self.receive(kind, {**payload, **more})
        return self.call()

    def assertComesFrom(self, record, source, medium, campaign):
        self.assertEqual(
            [record.source_id.name, record.medium_id.name, record.campaign_id.name],
            [source, medium, campaign],
        )

    # -- the line ---------------------------------------------------------------------

    def test_call_has_the_source_of_its_line(self):
        call = self.ring()
        self.assertComesFrom(call, "Журнал", "Печать", "Осень")
        self.assertFalse(call.dct_type)

    def test_past_calls_keep_it(self):
        call = self.ring()
        self.line.source_id = self.env["utm.source"].create({"name": "Радио"})
        kind, payload = menu("74950000299")[1]
        self.receive(kind, payload)
        self.assertEqual(call.source_id, self.source)

    def test_outbound_calls_have_none(self):
        caller, callee = staff("101", LINE), outside("74950000299")
        self.receive(*leg("L1", 1, "Appeared", 0, caller, callee))
        call = self.call()
        self.assertEqual(call.direction, "outbound")
        self.assertFalse(call.source_id)

    def test_source_in_use_is_not_deleted(self):
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self.cr.savepoint(),
        ):
            self.source.unlink()

    def test_new_lead_inherits_it(self):
        self.account.lead_policy = "always"
        self.stranger_missed(**self.line._utm_vals())
        self.work_off()
        self.assertComesFrom(self.leads(), "Журнал", "Печать", "Осень")

    def test_lead_by_hand_inherits_it(self):
        call = self.ring()
        self.vera.group_ids += self.env.ref("sales_team.group_sale_salesman")
        defaults = call.with_user(self.vera).get_lead_defaults()
        lead = self.env["crm.lead"].with_context(**defaults).create({"name": "Стол"})
        self.assertComesFrom(lead, "Журнал", "Печать", "Осень")

    def test_open_lead_keeps_its_own(self):
        lead = self.create_lead("Мебель", phone=STRANGER)
        self.account.lead_policy = "always"
        self.stranger_missed(**self.line._utm_vals())
        self.work_off()
        self.assertFalse(lead.source_id)

    # -- dynamic call tracking --------------------------------------------------------

    def ask(self, call):
        self.env.flush_all()
        visitor_query.ask(self.env.cr.dbname, call.id)
        self.env.invalidate_all()

    def ring_tracked(self, answer=None, **more):
        """Ring, and let the PBX be asked as after the commit."""
        if answer is not None:
            self.pbx.answers(QUESTION, answer)
        with patch.object(visitor_query, "ask_after_commit") as start:
            call = self.ring(dct=TRACKED, **more)
        if start.called:
            self.ask(call)
        return call

    def test_visitor(self):
        page = "https://romashka.example/catalog/roses"
        answer = {"channel": CHANNEL, "current_page": page}
        call = self.ring_tracked(answer)
        self.assertEqual(self.pbx.requests[-1].payload, {"number": "74950000150"})
        self.assertEqual(call.visitor_state, "known")
        self.assertEqual(call.dct_type, "dynamic")
        self.assertEqual(call.visitor_page, page)
        self.assertComesFrom(call, "yandex", "cpc", "winter-sale")
        # Asked once, and what follows does not bring the line's source back.
        kind, payload = menu("74950000299")[1]
        self.receive(kind, {**payload, "dct": TRACKED})
        self.assertEqual(self.pbx.paths().count(QUESTION), 1)
        self.assertComesFrom(call, "yandex", "cpc", "winter-sale")

    def test_names_are_found_again(self):
        known = self.env["utm.source"].create({"name": "Yandex"})
        call = self.ring_tracked({"channel": {"source": "yandex"}})
        self.assertEqual(call.source_id, known)
        self.assertEqual(
            call.medium_id, self.medium, "what is not told, the line tells"
        )

    def test_wildcards_are_letters(self):
        call = self.ring_tracked({"channel": {"source": "%"}})
        self.assertEqual(call.source_id.name, "%")

    def test_hostile_names(self):
        call = self.ring_tracked(
            {
                "channel": {
                    "source": "я\u202e" + "a" * 5000,
                    "medium": ["cpc"],
                    "campaign": "(not set)",
                },
                "current_page": "javascript:alert(1)",
            }
        )
        self.assertEqual(call.source_id.name, "я" + "a" * 99)
        self.assertEqual(call.medium_id, self.medium)
        self.assertEqual(call.campaign_id, self.campaign)
        self.assertFalse(call.visitor_page)

    def test_flood_of_names(self):
        with patch.object(visitor_query, "MAX_NEW", 0):
            call = self.ring_tracked({"channel": CHANNEL})
        self.assertEqual(call.visitor_state, "known")
        self.assertEqual(call.source_id, self.source)
        self.assertFalse(self.env["utm.source"].search([("name", "=", "yandex")]))

    def test_nobody_and_no_answer(self):
        self.assertEqual(self.ring_tracked({}).visitor_state, "unknown")
        self.env["mango.call"].search([]).unlink()
        self.env["mango.event"].search([]).unlink()
        self.pbx.answers(QUESTION, status=500, body="{}")
        call = self.ring_tracked()
        self.assertEqual(call.visitor_state, "failed")
        self.assertEqual(call.source_id, self.source)

    def test_not_asked(self):
        self.account.tracking_enabled = False
        self.assertFalse(self.ring_tracked({"channel": CHANNEL}).visitor_state)
        self.account.tracking_enabled = True
        self.env["mango.call"].search([]).unlink()
        self.env["mango.event"].search([]).unlink()
        call = self.ring(dct={"type": 2, "number": "74950000151"})
        self.assertEqual(call.dct_type, "static")
        self.assertFalse(call.visitor_state)
        self.assertNotIn(QUESTION, self.pbx.paths())

    def test_not_asked_while_the_pbx_is_in_trouble(self):
        with patch.object(type(self.account), "_may_request", return_value=False):
            call = self.ring_tracked({"channel": CHANNEL})
        self.assertEqual(call.visitor_state, "failed")
        self.assertNotIn(QUESTION, self.pbx.paths())

    def test_asked_too_late(self):
        """The number may be shown to another visitor by now."""
        self.pbx.answers(QUESTION, {"channel": CHANNEL})
        with patch.object(visitor_query, "ask_after_commit"):
            call = self.ring(dct=TRACKED)
        call.flush_recordset()
        self.cr.execute(
            "UPDATE mango_call SET create_date = %s WHERE id = %s",
            [fields.Datetime.now() - timedelta(seconds=61), call.id],
        )
        self.ask(call)
        self.assertNotIn(QUESTION, self.pbx.paths())
        self.assertEqual(call.visitor_state, "failed")
        self.assertEqual(call.source_id, self.source)

    def test_routing_goes_on_without_the_option(self):
        """However often call tracking is refused, callers are routed."""
        for refusal in ({"result": 5300}, {"result": 2100}, {"result": 5000}):
            self.env["mango.call"].search([]).unlink()
            self.env["mango.event"].search([]).unlink()
            call = self.ring_tracked(refusal)
            self.assertEqual(call.visitor_state, "failed")
            self.assertEqual(self.pbx.paths()[-1], QUESTION)
        self.assertTrue(self.account._may_request(urgent=True))
        self.assertTrue(self.account._may_request())

    def test_lock_out_stops_all_requests(self):
        """More of them would prolong it."""
        call = self.ring()
        for error in (RefusedError(3105, ""), LockedOutError("")):
            with self.subTest(error=error):
                call._record_visitor_answer(error)
                self.assertFalse(self.account._may_request(urgent=True))
                self.account._resume_requests()

    def test_call_deleted_meanwhile(self):
        with patch.object(visitor_query, "ask_after_commit"):
            call = self.ring(dct=TRACKED)
        call.unlink()
        with self.assertNoLogs(visitor_query.__name__, "ERROR"):
            self.ask(call)
        self.assertNotIn(QUESTION, self.pbx.paths())

    def test_slow_answers_do_not_hold_up_commands(self):
        """Visitors are asked for in threads of their own."""
        call = self.ring()
        with (
            patch.object(visitor_query._threads, "start") as start,
            patch.object(locking._commands, "start") as command,
        ):
            visitor_query.ask_after_commit(call)
            start.assert_not_called()
            self.env.cr.postcommit.run()
        start.assert_called_once_with(visitor_query.ask, self.cr.dbname, call.id)
        command.assert_not_called()

    def test_lead_that_was_faster_follows(self):
        self.account.lead_policy = "always"
        call = self.stranger_missed(
            visitor_state="asked",
            dct_type="dynamic",
            dct_number="74950000150",
            **self.line._utm_vals(),
        )
        self.work_off()
        lead = self.leads()
        lead.medium_id = False
        self.pbx.answers(QUESTION, {"channel": CHANNEL})
        self.ask(call)
        self.assertComesFrom(lead, "yandex", False, "winter-sale")

    # -- analysis ---------------------------------------------------------------------

    def test_report(self):
        self.account.lead_policy = "always"
        utm = self.line._utm_vals()
        self.stranger_missed(30, **utm)
        self.work_off()
        self.leads().write({"expected_revenue": 500})
        self.leads().action_set_won()
        self.stranger_talked(20, **utm, lead_id=self.leads().id)
        self.called(10)
        self.env.flush_all()
        rows = (
            self.env["mango.source.report"]
            .with_user(self.vera)
            ._read_group(
                [("account_id", "=", self.account.id)],
                ["source_id"],
                [
                    "__count",
                    "new_clients:sum",
                    "leads:sum",
                    "won_leads:sum",
                    "won_revenue:sum",
                ],
            )
        )
        self.assertEqual(rows, [(self.source.with_user(self.vera), 2, 1, 1, 1, 500)])
        with self.assertRaises(AccessError):
            self.env["mango.source.report"].with_user(self.anna).search([])
