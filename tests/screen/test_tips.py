"""Tips for new users."""

from unittest.mock import patch

from odoo.modules import module
from odoo.tests import tagged

from ...models.screen.res_users import TIPS
from ..common import MangoCase, MangoHttpCase


@tagged("post_install", "-at_install")
class TestTips(MangoCase):
    def setUp(self):
        super().setUp()
        self.env["ir.module.module"].search([("demo", "=", True)]).demo = False

    def test_once(self):
        self.assertTrue(self.shows(self.anna))
        self.env["web_tour.tour"].with_user(self.anna).consume(TIPS)
        self.assertFalse(self.shows(self.anna))
        self.assertTrue(self.shows(self.boris))

    def test_not_without_an_extension(self):
        self.assertFalse(self.shows(self.kirill))

    def test_neither_in_a_test_nor_in_a_demonstration(self):
        self.assertFalse(self.shows(self.anna, is_test=True))
        self.env.ref("base.module_mango_office").demo = True
        self.assertFalse(self.shows(self.anna))

    def shows(self, user, is_test=False):
        with patch.object(module, "current_test", is_test):
            return user.with_user(user)._mango_shows_tips()


@tagged("post_install", "-at_install")
class TestTipsInBrowser(MangoHttpCase):
    def test_each_leads_to_the_next(self):
        self.start_tour("/odoo", TIPS, login=self.anna.login)
