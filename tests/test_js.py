from odoo.tests import HttpCase, no_retry, tagged

# The module, not its classes: the loader would run those here once more.
from odoo.addons.web.tests import test_js as web


@tagged("post_install", "-at_install")
class TestJavaScript(HttpCase):
    @no_retry
    def test_units(self):
        """The unit tests below static/tests pass in a real browser; none: a failure."""
        suite = web.HOOTCommon._generate_hash(self, "@mango_office")
        self.browser_js(
            f"/web/tests?headless&loglevel=2&preset=desktop&timeout=15000&id={suite}",
            "",
            "",
            login="admin",
            timeout=600,
            success_signal="[HOOT] Test suite succeeded",
            error_checker=web.unit_test_error_checker,
        )
