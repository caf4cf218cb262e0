"""What lines are called."""

from odoo.tests import tagged

from ..common import MangoCase


@tagged("post_install", "-at_install")
class TestLineName(MangoCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lines = cls.env["mango.line"].create(
            [
                {"account_id": cls.account.id, "number": number, "name": name}
                for number, name in (
                    ("74950000191", "Склад"),
                    ("74950000192", "Офис"),
                    ("74950000193", "Офис"),
                    ("74950000194", False),
                )
            ]
        )

    def test_name_and_number(self):
        self.assertEqual(
            self.lines.mapped("display_name"),
            [
                "Склад (+7 495 000-01-91)",
                "Офис (+7 495 000-01-92)",
                "Офис (+7 495 000-01-93)",
                "+7 495 000-01-94",
            ],
        )

    def test_in_a_chart_the_name_is_enough_unless_lines_share_it(self):
        lines = self.lines.with_context(mango_line_name_only=True)
        self.assertEqual(
            lines.mapped("display_name"),
            [
                "Склад",
                "Офис (+7 495 000-01-92)",
                "Офис (+7 495 000-01-93)",
                "+7 495 000-01-94",
            ],
        )
