import re
from pathlib import Path

from lxml import etree

from odoo.tests import HttpCase, TransactionCase, no_retry, tagged

# The module, not its classes: the loader would run those here once more.
from odoo.addons.web.tests import test_js as web


@tagged("post_install", "-at_install")
class TestJavaScript(HttpCase):
    @no_retry
    def test_units(self):
        """Run the unit tests below static/tests in a browser; there must be some."""
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


@tagged("post_install", "-at_install")
class TestViewClasses(TransactionCase):
    def test_every_js_class_of_our_views_exists(self):
        """The server does not check them; a view with an unknown one fails to open."""
        source = Path(__file__).parent.parent / "static" / "src"
        defined = {
            name
            for path in source.rglob("*.js")
            for name in re.findall(r"\.add\(\s*\"(mango_\w+)\"", path.read_text())
        }
        views = self.env["ir.ui.view"].search([("arch_db", "like", 'js_class="mango_')])
        used = set(re.findall(r'js_class="(mango_\w+)"', "".join(views.mapped("arch"))))
        self.assertTrue(used)
        self.assertEqual(used - defined, set())

    def test_filters_fit_into_the_search_menu(self):
        """Odoo cuts off longer ones, and those of the chosen filters on a phone."""
        views = self.env["ir.ui.view"].search(
            [("type", "=", "search"), ("model", "like", "mango.%")]
        )
        names = {
            node.get("string", "")
            for view in views
            for node in etree.fromstring(view.arch).iter("filter")
        }
        self.assertIn("Missed", names)
        self.assertEqual([name for name in names if len(name) > 20], [])

    def test_dates_fit_into_their_columns(self):
        """Also the widest, such as “Nov 27, 12:10 PM”."""
        views = self.env["ir.ui.view"].search(
            [("type", "=", "list"), ("model", "like", "mango.%")]
        )
        widths = {
            f"{view.model}.{node.get('name')}": int(node.get("width")[:-2])
            for view in views
            for node in etree.fromstring(view.arch).iter("field")
            if node.get("width")
            and self.env[view.model]._fields[node.get("name")].type == "datetime"
        }
        self.assertIn("mango.call.started_at", widths)
        narrow = [name for name, width in widths.items() if width < 140]
        self.assertEqual(narrow, [])

    def test_lists_that_are_cards_on_a_phone(self):
        """Their columns do not fit there; a card opens the form, to be edited."""
        for name in (
            "mango_account",
            "mango_call_outcome",
            "mango_event",
            "mango_extension",
            "mango_line",
            "mango_request",
        ):
            action = self.env.ref(f"mango_office.{name}_action")
            modes = action.view_mode.split(",")
            self.assertEqual(modes, ["list", "kanban", "form"])
            views = [(False, mode) for mode in modes]
            found = self.env[action.res_model].get_views(views)["views"]
            ours = self.env["ir.ui.view"].browse(view["id"] for view in found.values())
            self.assertEqual(len(ours), 3, "none is Odoo's default one")

    def test_graphs_do_not_group_by_numbers(self):
        """A graph groups by an integer field unless it is called a measure."""
        views = self.env["ir.ui.view"].search(
            [("type", "=", "graph"), ("model", "like", "mango.%")]
        )
        self.assertTrue(views)
        groups = [
            f"{view.model}.{node.get('name')}"
            for view in views
            for node in etree.fromstring(view.arch).iter("field")
            if self.env[view.model]._fields[node.get("name")].type == "integer"
            and node.get("type") != "measure"
            and not node.get("invisible")
        ]
        self.assertEqual(groups, [])
