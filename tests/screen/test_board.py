"""The supervisors' board: which department people belong to."""

from odoo.tests import tagged

from ..common import MangoCase


@tagged("post_install", "-at_install")
class TestBoardDepartments(MangoCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.team = cls.env["crm.team"].create(
            {"name": "Запад", "company_id": False, "member_ids": cls.anna.ids}
        )

    def departments(self):
        board = self.env["mango.extension"].with_user(self.vera).get_board()
        return {one["number"]: one["department"] for one in board["extensions"]}

    def test_what_the_pbx_says(self):
        self.anna_extension.department = "Продажи"
        departments = self.departments()
        self.assertEqual(departments["101"], "Продажи")
        self.assertEqual(departments["102"], "")

    def test_else_the_sales_team(self):
        self.assertEqual(self.departments()["101"], "Запад")

    def test_not_a_team_of_another_company(self):
        there = self.env["res.company"].create({"name": "Другая"})
        self.anna.company_ids += there
        self.team.company_id = there
        self.assertEqual(self.departments()["101"], "")

    def test_first_the_app_employees(self):
        self.anna_extension.department = "Продажи"
        if "hr.employee" not in self.env:
            self.assertEqual(self.departments()["101"], "Продажи")
            return
        there = self.env["res.company"].create({"name": "Другая"})
        for company, name in ((there, "Не здесь"), (self.company, "Опт")):
            department = self.env["hr.department"].create(
                {"name": name, "company_id": company.id}
            )
            self.env["hr.employee"].create(
                {
                    "name": "Анна",
                    "user_id": self.anna.id,
                    "company_id": company.id,
                    "department_id": department.id,
                }
            )
        self.assertEqual(self.departments()["101"], "Опт")
