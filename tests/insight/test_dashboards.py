"""What the dashboards show exists, may be read, and is what the generator wrote."""

import json
import re

from odoo.tests import TransactionCase, tagged
from odoo.tools.misc import file_open

from odoo.addons.spreadsheet.utils.validate_data import (
    fields_in_spreadsheet,
    odoo_charts,
)

from ..common import MangoCase

NAMES = ("calls", "team", "today")
PIVOT_VALUE = re.compile(r'PIVOT\.VALUE\((\d+),"([^"]+)"((?:,[^,)]+)*)\)')
PIVOT_HEADER = re.compile(r'PIVOT\.HEADER\((\d+),"#(\w+)",(\d+)\)')
LIST = re.compile(r'ODOO\.LIST\((\d+),(\d+),"(\w+)"\)')
RANGE = re.compile(r"^Data!([A-Z])(\d+)(?::([A-Z])(\d+))?$")


@tagged("post_install", "-at_install")
class TestDashboards(TransactionCase):
    def each(self):
        """Return each dashboard with its spreadsheet."""
        for name in NAMES:
            dashboard = self.env.ref(f"mango_office.spreadsheet_dashboard_{name}")
            yield dashboard, json.loads(dashboard.spreadsheet_data)

    def cells(self, data):
        return [cell for sheet in data["sheets"] for cell in sheet["cells"].values()]

    def sources(self, data):
        """Return what reads records: pivots, lists and charts, with their models."""
        yield from ((one, one["model"]) for one in data["pivots"].values())
        yield from ((one, one["model"]) for one in data["lists"].values())
        yield from ((one, one["metaData"]["resModel"]) for one in odoo_charts(data))

    def test_every_field_exists(self):
        for _dashboard, data in self.each():
            for model, names in fields_in_spreadsheet(data).items():
                unknown = names - self.env[model]._fields.keys()
                self.assertFalse(unknown, f"unknown fields of {model}")

    def test_every_measure_is_computed_as_its_field_says(self):
        for _dashboard, data in self.each():
            for pivot in data["pivots"].values():
                for measure in pivot["measures"]:
                    if measure["fieldName"] == "__count":
                        continue
                    field = self.env[pivot["model"]]._fields[measure["fieldName"]]
                    self.assertEqual(measure["aggregator"], field.aggregator)
                    self.assertEqual(measure["id"], f"{field.name}:{field.aggregator}")

    def test_every_formula_asks_for_what_its_pivot_or_list_has(self):
        for _dashboard, data in self.each():
            asked = 0
            for cell in self.cells(data):
                asked += self._check_cell(cell, data)
            self.assertTrue(asked)

    def _check_cell(self, cell, data):
        for number, measure, arguments in PIVOT_VALUE.findall(cell):
            pivot = data["pivots"][number]
            self.assertIn(measure, [known["id"] for known in pivot["measures"]])
            groups = {
                group["fieldName"] for group in (*pivot["rows"], *pivot["columns"])
            }
            # Fields and values in turn; "#" stands for the position of a group.
            asked = [word.strip('"#') for word in arguments.split(",")[1::2]]
            self.assertLessEqual(set(asked), groups, cell)
        for number, field, _place in PIVOT_HEADER.findall(cell):
            rows = data["pivots"][number]["rows"]
            self.assertIn(field, [row["fieldName"] for row in rows])
        for number, _place, field in LIST.findall(cell):
            self.assertIn(field, data["lists"][number]["columns"])
        found = [PIVOT_VALUE, PIVOT_HEADER, LIST]
        functions = len(re.findall(r"PIVOT\.|ODOO\.", cell))
        self.assertEqual(functions, sum(len(one.findall(cell)) for one in found), cell)
        # Odoo leads to the records of cells with one of them.
        self.assertLessEqual(functions, 1)
        return functions

    def test_every_filter_applies_to_a_field_of_its_kind(self):
        for _dashboard, data in self.each():
            known = {one["id"]: one for one in data["globalFilters"]}
            self.assertEqual(set(known), {"period", "line", "employee"})
            for source, model in self.sources(data):
                matching = source["fieldMatching"]
                self.assertLessEqual(matching.keys(), known.keys())
                for name, match in matching.items():
                    field = self.env[model]._fields[match["chain"]]
                    self.assertEqual(field.type, match["type"])
                    self.assertEqual(
                        field.comodel_name, known[name].get("modelName"), name
                    )

    def test_every_domain_can_be_searched(self):
        for _dashboard, data in self.each():
            for source, model in self.sources(data):
                params = source.get("searchParams", source)
                self.env[model].search(params["domain"], limit=1)

    def test_everything_leads_to_a_list_of_its_records(self):
        for _dashboard, data in self.each():
            for source, model in self.sources(data):
                action = self.env.ref(source["actionXmlId"])
                self.assertEqual(action.res_model, model)
                self.assertIn("list", action.view_mode.split(","))

    def test_figures_and_samples_show_cells_that_are_there(self):
        for dashboard, data in self.each():
            for shown in (data, dashboard._get_sample_dashboard()):
                [front, back] = shown["sheets"]
                for figure in front["figures"]:
                    chart = figure["data"]
                    ranges = [chart.get("keyValue"), chart.get("baseline")]
                    ranges += [
                        one.get("dataRange") for one in chart.get("dataSets", ())
                    ]
                    for text in filter(None, [*ranges, chart.get("labelRange")]):
                        self._check_range(text, back)

    def _check_range(self, text, back):
        first, top, last, bottom = RANGE.match(text).groups()
        self.assertIn(f"{first}{top}", back["cells"])
        self.assertIn(f"{last or first}{bottom or top}", back["cells"])

    def test_samples_ask_for_nothing(self):
        for dashboard, _data in self.each():
            sample = dashboard._get_sample_dashboard()
            self.assertFalse(list(self.sources(sample)))
            text = json.dumps(sample)
            self.assertNotIn("PIVOT", text)
            self.assertNotIn("ODOO.", text)

    def sample(self, name, lang):
        """Return a sample as a user of a language sees it."""
        self.env["res.lang"]._activate_lang(lang)
        self.env.user.lang = lang
        dashboard = self.env.ref(f"mango_office.spreadsheet_dashboard_{name}")
        return dashboard._get_sample_dashboard()

    def test_samples_are_in_the_users_language(self):
        for lang, words, before, name in (
            ("en_US", "Missed Calls", "vs. before", "English (US)"),
            ("ru_RU", "Пропущенные", "к прошлому", "Russian / русский язык"),
        ):
            with self.subTest(lang):
                sample = self.sample("calls", lang)
                self.assertEqual(sample["settings"]["locale"]["name"], name)
                [front, back] = sample["sheets"]
                self.assertIn(words, back["cells"].values())
                self.assertIn(words, front["cells"].values())
                cards = [
                    one["data"] for one in front["figures"] if "keyValue" in one["data"]
                ]
                self.assertIn(words, [card["title"]["text"] for card in cards])
                self.assertEqual(
                    {card["baselineDescr"]["text"] for card in cards}, {before}
                )
                self.assertFalse([one for one in self.cells(sample) if "_t(" in one])

    def test_moments_of_samples_look_as_in_the_users_language(self):
        self.env["res.lang"]._lang_get("en_US").date_format = "%d-%m-%Y"

        formats = self.sample("today", "en_US")["formats"].values()

        self.assertIn("dd-mm-yyyy hh:mm", formats)
        self.assertNotIn("m/d/yyyy hh:mm", formats)

    def test_samples_of_others_stay_as_they_are(self):
        ours = self.env.ref("mango_office.spreadsheet_dashboard_calls")
        theirs = ours.copy()  # of no module

        self.env["res.lang"]._activate_lang("ru_RU")
        self.env.user.lang = "ru_RU"

        with file_open(ours.sample_dashboard_file_path) as file:
            self.assertEqual(theirs._get_sample_dashboard(), json.load(file))


@tagged("post_install", "-at_install")
class TestDashboardRights(MangoCase):
    def test_dashboards_are_for_supervisors(self):
        ours = self.env["spreadsheet.dashboard"]
        for name in NAMES:
            ours += self.env.ref(f"mango_office.spreadsheet_dashboard_{name}")
        domain = [("id", "in", ours.ids)]

        self.assertEqual(ours.with_user(self.vera).search(domain), ours)
        self.assertFalse(ours.with_user(self.anna).search(domain))
