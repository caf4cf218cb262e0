"""Writes Odoo spreadsheets: the JSON format of dashboards.

It supports what our dashboards use: figures, charts and tables, all of them filtered by
the dashboard's filters and linked to their records. The format is that of Odoo's own
dashboards; Odoo upgrades older versions when it reads them.
"""

import math

VERSION = "18.4.14"
COLUMNS = 24
COLUMN_WIDTH = 45  # pixels
ROW_HEIGHT = 23
HEAD_HEIGHT = 46  # two lines
WIDTH = COLUMNS * COLUMN_WIDTH
GAP = 12
HEAT_HEAD = 2  # columns of the hours beside a heat map

TITLE_COLOR = "#01666B"
TEXT_COLOR = "#434343"
CARD_COLOR = "#EFF6FF"
# Russian words are long, and a telephone is narrow.
CARD_TITLE_SIZE, BASELINE_SIZE = 11, 13
COLD_COLOR, HOT_COLOR = "#F1F5F5", "#4FA3A7"
UP, DOWN = "#00A04A", "#DC6965"
#: The id of each cell style in the file.
STYLES = {
    "title": {"bold": True, "fontSize": 16, "textColor": TITLE_COLOR},
    "head": {"bold": True, "fontSize": 10, "textColor": TEXT_COLOR},
    "number_head": {
        "bold": True,
        "fontSize": 10,
        "textColor": TEXT_COLOR,
        "align": "right",
        "wrapping": "wrap",
    },
    "heat": {"align": "center", "textColor": TEXT_COLOR, "fillColor": COLD_COLOR},
    "center_head": {"bold": True, "textColor": TEXT_COLOR, "align": "center"},
}
FORMATS = {
    "number": "#,##0",
    "percent": "0%",
    "minutes": "mm:ss",
    "hours": "hhhh:mm:ss",
    "datetime": "m/d/yyyy hh:mm",
}
#: Spreadsheets count time in days.
SECONDS = {"minutes": "/86400", "hours": "/86400"}
LOCALE = {
    "name": "English (US)",
    "code": "en_US",
    "thousandsSeparator": ",",
    "decimalSeparator": ".",
    "dateFormat": "mm/dd/yyyy",
    "timeFormat": "hh:mm:ss",
    "formulaArgSeparator": ",",
    "weekStart": 7,
}


def number_of(name, names):
    """Return the id of a style or format in the file."""
    return list(names).index(name) + 1


def column(index):
    """Return the letter of a column, the first being 0."""
    return chr(ord("A") + index)


def translated(text):
    """Return the formula of a text that Odoo translates."""
    return f'=_t("{text}")'


class Sheet:
    """A sheet with styled cells, and figures above them."""

    def __init__(self, key, name, columns=COLUMNS):
        self.key, self.name, self.columns = key, name, columns
        self.cells, self.styles, self.formats = {}, {}, {}
        self.merges, self.figures, self.conditional = [], [], []
        self.heights = {}
        self.rows = 1

    def put(self, place, content, style=None, number_format=None, to=None):
        """Fill a cell.

        :param tuple[int, int] place: column and row, the first ones being 0.
        :param str content: text, number or formula.
        :param str style: of :data:`STYLES`.
        :param str number_format: of :data:`FORMATS`.
        :param int to: the last column of the merged cells, if there are several.
        """
        across, down = place
        cell = f"{column(across)}{down + 1}"
        area = cell if to in (None, across) else f"{cell}:{column(to)}{down + 1}"
        self.rows = max(self.rows, down + 1)
        self.cells[cell] = str(content)
        if style:
            self.styles[area] = number_of(style, STYLES)
        if number_format:
            self.formats[cell] = number_of(number_format, FORMATS)
        if area != cell:
            self.merges.append(area)
        return cell

    def json(self):
        return {
            "id": self.key,
            "name": self.name,
            "colNumber": self.columns,
            "rowNumber": self.rows + 2,
            "rows": {str(row): {"size": size} for row, size in self.heights.items()},
            "cols": {str(i): {"size": COLUMN_WIDTH} for i in range(self.columns)},
            "merges": self.merges,
            "cells": self.cells,
            "styles": self.styles,
            "formats": self.formats,
            "borders": {},
            "conditionalFormats": self.conditional,
            "dataValidationRules": [],
            "figures": self.figures,
            "tables": [],
            "areGridLinesVisible": False,
            "isVisible": True,
            "headerGroups": {"ROW": [], "COL": []},
            "comments": {},
        }


class Spreadsheet:
    """A dashboard: from top to bottom figures, charts and tables.

    :param list[dict] filters: the global filters.
    :param dict[str, Source] sources: the data sources by model.
    :param bool is_sample: show made-up numbers instead of the data.
    """

    def __init__(self, filters, sources, is_sample):
        self.filters, self.sources, self.is_sample = filters, sources, is_sample
        self.sheet = Sheet("dashboard", "Dashboard")
        self.data = Sheet("data", "Data", columns=8)
        self.pivots, self.lists = {}, {}
        self.y = GAP  # height filled so far, in pixels

    # -- data sources -------------------------------------------------------------

    def matching(self, model, offset=0):
        """Return the fields that the filters apply to in a model."""
        return {
            key: {**chain, **({"offset": offset} if key == "period" else {})}
            for key, chain in self.sources[model]["filters"].items()
        }

    def pivot(self, name, model, measures, domain=(), rows=(), columns=(), **more):
        """Add a pivot.

        :param measures: of ``field:aggregator`` or ``__count``.
        :param rows: fields; ``columns`` likewise.
        :param more: ``offset`` of the period; ``order`` by the first measure;
            ``context`` of the records.
        :return: its id.
        """
        key = str(len(self.pivots) + 1)
        order = more.get("order")
        self.pivots[key] = {
            "type": "ODOO",
            "id": key,
            "formulaId": key,
            "name": name,
            "model": model,
            "domain": [*self.sources[model]["domain"], *domain],
            "context": more.get("context", {}),
            "actionXmlId": self.sources[model]["action"],
            "measures": [
                {
                    "id": measure,
                    "fieldName": measure.partition(":")[0],
                    "aggregator": measure.partition(":")[2] or "sum",
                }
                for measure in measures
            ],
            "rows": [{"fieldName": name} for name in rows],
            "columns": [{"fieldName": name} for name in columns],
            "sortedColumn": order
            and {"domain": [], "order": order, "measure": measures[0]},
            "fieldMatching": self.matching(model, more.get("offset", 0)),
        }
        return key

    # -- content ------------------------------------------------------------------

    def scorecards(self, cards, per_row=5, compared=True):
        """Add a block of figures, each linked to its records.

        :param list[dict] cards: ``title``, ``model``, ``measure``, ``domain``,
            ``format``, ``good`` (``up``, ``down``) and two ``sample`` values.
        :param bool compared: with the previous period.
        """
        width = (WIDTH - GAP * (per_row - 1)) // per_row
        height = 96 if compared else 80
        for place, card in enumerate(cards):
            across, down = place % per_row, place // per_row
            current, before = self._card_values(card, compared)
            figure = {
                "type": "scorecard",
                "title": {
                    "text": card["title"],
                    "bold": True,
                    "color": TEXT_COLOR,
                    "fontSize": CARD_TITLE_SIZE,
                },
                "background": CARD_COLOR,
                "keyValue": f"Data!{current}",
                "humanize": False,
            }
            if before:
                is_share = card["format"] == "percent"
                up, down_color = (UP, DOWN) if card["good"] == "up" else (DOWN, UP)
                figure |= {
                    "baseline": f"Data!{before}",
                    "baselineMode": "difference" if is_share else "percentage",
                    "baselineDescr": {
                        "text": "vs. before",
                        "fontSize": BASELINE_SIZE,
                    },
                    "baselineColorUp": up,
                    "baselineColorDown": down_color,
                }
            x = across * (width + GAP)
            self._figure(figure, x, self.y + down * (height + GAP), width, height)
        self.y += math.ceil(len(cards) / per_row) * (height + GAP)

    def _card_values(self, card, compared):
        """Compute a figure of this and the previous period on the data sheet.

        :return: both cells; the second one is empty without a comparison.
        """
        row = self.data.rows
        self.data.put((0, row), translated(card["title"]))
        current = self.data.put(
            (1, row), self._card_value(card, 0), number_format=card["format"]
        )
        if not compared:
            return current, None
        before = self.data.put(
            (2, row), self._card_value(card, -1), number_format=card["format"]
        )
        if self.is_sample or card["format"] == "percent":
            return current, before
        # Compared with zero, any figure would have changed by infinity.
        some = f'=IF({before}=0,"",{before})'
        return current, self.data.put((3, row), some, number_format=card["format"])

    def _card_value(self, card, offset):
        factor = SECONDS.get(card["format"], "")
        if self.is_sample:
            return f"={card['sample'][offset]}{factor}"
        key = self.pivot(
            card["title"],
            card["model"],
            [card["measure"]],
            card.get("domain", ()),
            offset=offset,
        )
        return f'=PIVOT.VALUE({key},"{card["measure"]}"){factor}'

    def charts(self, charts, height=300):
        """Add charts side by side, with bars linked to their records.

        :param list[dict] charts: ``title``, ``model``, ``group_by``, ``measure``,
            ``domain``, ``context``, ``sample`` with the names of the bars' parts and
            the bars, and either ``color`` of the bars or ``colors`` by the last group's
            values.
        """
        width = (WIDTH - GAP * (len(charts) - 1)) // len(charts)
        for place, chart in enumerate(charts):
            look = {
                "title": {"text": chart["title"], "bold": True, "color": TEXT_COLOR},
                "background": "#FFFFFF",
                "legendPosition": "top" if len(chart["group_by"]) > 1 else "none",
                "verticalAxisPosition": "left",
                "stacked": True,
                "horizontal": chart.get("horizontal", False),
            }
            data = self._sample_chart(chart) if self.is_sample else self._chart(chart)
            x = place * (width + GAP)
            self._figure({**look, **data}, x, self.y, width, height)
        self.y += height + GAP

    def _chart(self, chart):
        model = chart["model"]
        group_by = chart["group_by"]
        return {
            "type": "odoo_bar",
            "metaData": {
                "groupBy": group_by,
                "measure": chart["measure"],
                "order": chart.get("order"),
                "resModel": model,
                "mode": "bar",
                "colors": chart.get("colors"),  # ours, see chart_patch.js
            },
            "searchParams": {
                "comparison": None,
                "context": chart.get("context", {}),
                "domain": [*self.sources[model]["domain"], *chart.get("domain", ())],
                "groupBy": group_by,
                "orderBy": [],
            },
            "actionXmlId": self.sources[model]["action"],
            "dataSets": [{"backgroundColor": chart["color"]}]
            if "color" in chart
            else [],
            "fieldMatching": self.matching(model),
        }

    def _sample_chart(self, chart):
        parts, bars = chart["sample"]
        colors = [*chart["colors"].values()] if "colors" in chart else [chart["color"]]
        first = self.data.rows + 1
        self.data.put((0, first), translated(chart["title"]))
        for place, part in enumerate(parts, start=1):
            self.data.put((place, first), translated(part))
        for down, (label, *values) in enumerate(bars, start=first + 1):
            self.data.put((0, down), label)
            for place, value in enumerate(values, start=1):
                self.data.put((place, down), value)
        top, last = first + 1, first + len(bars) + 1
        columns = [column(place) for place in range(1, len(parts) + 1)]
        return {
            "type": "bar",
            "dataSetsHaveTitle": True,
            "dataSets": [
                {
                    "dataRange": f"Data!{x}{top}:{x}{last}",
                    "backgroundColor": color,
                }
                for x, color in zip(columns, colors, strict=False)
            ],
            "labelRange": f"Data!A{top}:A{last}",
            "aggregated": False,
        }

    def _figure(self, data, x, y, width, height):
        self.sheet.figures.append(
            {
                "id": f"figure_{len(self.sheet.figures) + 1}",
                "tag": "chart",
                "col": 0,
                "row": 0,
                "offset": {"x": x, "y": y},
                "width": width,
                "height": height,
                "data": data,
            }
        )
        self.sheet.rows = max(self.sheet.rows, math.ceil((y + height) / ROW_HEIGHT))

    def next_row(self):
        """Return the first free row."""
        return math.ceil((self.y + GAP) / ROW_HEIGHT)

    def ranking(self, table, row, first=0):
        """Add a table of the first groups of a pivot, the highest first.

        :param dict table: ``title``, ``model``, ``by`` (a field), ``domain``,
            ``context``, ``count`` of rows, ``columns`` of title, measure, format and
            width in columns, and ``sample`` rows; the first column is the group itself.
        :param int row: of the title.
        :param int first: column.
        """
        (_title, _by, _format, width), *columns = table["columns"]
        key = None
        if not self.is_sample:
            measures = [measure for _title, measure, *_more in columns]
            key = self.pivot(
                table["title"],
                table["model"],
                measures,
                table["domain"],
                rows=[table["by"]],
                order="desc",
                context=table.get("context", {}),
            )
        self._table_head(table, row, first)
        for place in range(table["count"]):
            down = row + 2 + place
            sample = table["sample"][place] if place < len(table["sample"]) else None
            if self.is_sample and not sample:
                break
            name = (
                sample[0]
                if self.is_sample
                else f'=PIVOT.HEADER({key},"#{table["by"]}",{place + 1})'
            )
            group = self.sheet.put((first, down), name, to=first + width - 1)
            across = first + width
            for number, (_title, measure, look, wide) in enumerate(columns, start=1):
                value = (
                    f"={sample[number]}"
                    if self.is_sample
                    else f'=PIVOT.VALUE({key},"{measure}","#{table["by"]}",{place + 1})'
                )
                if look in SECONDS:
                    # Empty instead of a zero duration where there is no group.
                    time = value[1:] + SECONDS[look]
                    value = f'=IF({group}="","",{time})'
                self.sheet.put(
                    (across, down), value, number_format=look, to=across + wide - 1
                )
                across += wide
        self._fill_to(row + 2 + table["count"])

    def _table_head(self, table, row, first):
        """Write a table's title and its column headers."""
        self.sheet.put((first, row), translated(table["title"]), "title")
        self.sheet.heights[row + 1] = HEAD_HEIGHT
        across = first
        for title, _name, look, wide in table["columns"]:
            style = "number_head" if look in FORMATS else "head"
            self.sheet.put(
                (across, row + 1), translated(title), style, to=across + wide - 1
            )
            across += wide

    def listing(self, table, row, first=0):
        """Add a table of records, each of which can be opened.

        :param dict table: as for :meth:`ranking`, with the fields as measures and
            ``order`` by a field.
        """
        key = str(len(self.lists) + 1)
        model = table["model"]
        if not self.is_sample:
            self.lists[key] = {
                "id": key,
                "name": table["title"],
                "model": model,
                "columns": [name for _title, name, *_more in table["columns"]],
                "domain": [*self.sources[model]["domain"], *table["domain"]],
                "context": {},
                "orderBy": [{"name": table["order"], "asc": True}],
                "actionXmlId": self.sources[model]["action"],
                "fieldMatching": self.matching(model),
            }
        self._table_head(table, row, first)
        for place in range(table["count"]):
            if self.is_sample and place >= len(table["sample"]):
                break
            across = first
            for number, (_title, name, look, wide) in enumerate(table["columns"]):
                value = (
                    table["sample"][place][number]
                    if self.is_sample
                    else f'=ODOO.LIST({key},{place + 1},"{name}")'
                )
                # Odoo formats the dates of records in the reader's language.
                is_formatted = self.is_sample or look != "datetime"
                self.sheet.put(
                    (across, row + 2 + place),
                    value,
                    number_format=look if is_formatted else None,
                    to=across + wide - 1,
                )
                across += wide
        self._fill_to(row + 2 + table["count"])

    def heat_map(self, heat, row, first=0):
        """Add a table of two fields whose cells are darker the higher their values.

        :param dict heat: ``title``, ``model``, ``domain``, ``rows`` and ``columns`` as
            a field and its values with their labels, and ``sample``, a function of both
            positions.
        """
        key = None
        down_field, down_values = heat["rows"]
        across_field, across_values = heat["columns"]
        if not self.is_sample:
            key = self.pivot(
                heat["title"],
                heat["model"],
                ["__count"],
                heat["domain"],
                rows=[down_field],
                columns=[across_field],
            )
        self.sheet.put((first, row), translated(heat["title"]), "title")
        begin = first + HEAT_HEAD
        for place, (_value, title) in enumerate(across_values, start=begin):
            self.sheet.put((place, row + 1), translated(title), "center_head")
        for down, (value, title) in enumerate(down_values):
            place = (first, row + 2 + down)
            self.sheet.put(place, title, "center_head", to=begin - 1)
            for across, (other, _title) in enumerate(across_values):
                content = (
                    heat["sample"](down, across)
                    if self.is_sample
                    else f'=PIVOT.VALUE({key},"__count","{down_field}","{value}",'
                    f'"{across_field}","{other}")'
                )
                place = (begin + across, row + 2 + down)
                self.sheet.put(place, content, "heat", "number")
        area = (
            f"{column(begin)}{row + 3}:"
            f"{column(begin + len(across_values) - 1)}{row + 2 + len(down_values)}"
        )
        self.sheet.conditional.append(
            {
                "id": f"heat_{row}",
                "ranges": [area],
                "rule": {
                    "type": "ColorScaleRule",
                    "minimum": {"type": "value", "color": int(COLD_COLOR[1:], 16)},
                    "maximum": {"type": "value", "color": int(HOT_COLOR[1:], 16)},
                },
            }
        )
        self._fill_to(row + 2 + len(down_values))

    def _fill_to(self, row):
        self.y = max(self.y, row * ROW_HEIGHT + GAP)

    # -- file ---------------------------------------------------------------------

    def json(self):
        """Return the dashboard in Odoo's format."""
        return {
            "version": VERSION,
            "sheets": [self.sheet.json(), self.data.json()],
            "styles": {
                str(number): style
                for number, style in enumerate(STYLES.values(), start=1)
            },
            "formats": {
                str(number): text
                for number, text in enumerate(FORMATS.values(), start=1)
            },
            "borders": {},
            "revisionId": "START_REVISION",
            "uniqueFigureIds": True,
            "settings": {"locale": LOCALE},
            "pivots": self.pivots,
            "pivotNextId": len(self.pivots) + 1,
            "customTableStyles": {},
            "globalFilters": [] if self.is_sample else self.filters,
            "lists": self.lists,
            "listNextId": len(self.lists) + 1,
            "chartOdooMenusReferences": {},
        }
