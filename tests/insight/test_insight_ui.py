"""What a supervisor does with the dashboards in the browser."""

from odoo.tests import tagged

from ..common import MangoHttpCase
from ..test_ui import missed_call, talk


@tagged("post_install", "-at_install")
class TestInsightTours(MangoHttpCase):
    def test_dashboards(self):
        for kind, payload in missed_call("E1", "74950000201", "101"):
            self.receive(kind, payload)
        for kind, payload in talk("E2", "74950000202", "102"):
            self.receive(kind, payload)
        self.run_cron("ir_cron_callbacks")

        self.start_tour(
            "/odoo/call-dashboards", "mango_office_dashboards", login=self.vera.login
        )
