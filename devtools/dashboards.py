"""The content of the dashboards; ``python -m devtools.dashboards`` writes their files.

Each dashboard is written twice: with formulas for the data, and as a sample with
made-up numbers, which Odoo shows while there are no calls. Change it here, never in the
files.
"""

import json
from pathlib import Path

from .paths import ROOT
from .spreadsheet import Spreadsheet

FOLDER = ROOT / "data" / "dashboards"

CALLS, WAITING = "mango.call.report", "mango.callback"
#: For each model the records shown, the action that lists them, and the field of each
#: filter.
SOURCES = {
    CALLS: {
        "domain": [["direction", "!=", "internal"]],
        "action": "mango_office.mango_call_report_action",
        "filters": {
            "period": {"chain": "started_at", "type": "datetime"},
            "line": {"chain": "line_id", "type": "many2one"},
            "employee": {"chain": "user_id", "type": "many2one"},
        },
    },
    # Clients who wait now, regardless of the period.
    WAITING: {
        "domain": [["state", "=", "open"]],
        "action": "mango_office.mango_callback_action",
        "filters": {
            "line": {"chain": "line_id", "type": "many2one"},
            "employee": {"chain": "user_id", "type": "many2one"},
        },
    },
}

INBOUND = [["direction", "=", "inbound"]]
ANSWERED = [["result", "=", "answered"]]
MISSED = [["result", "=", "missed"]]

RED, BLUE = "#D9534F", "#4A7FB5"
#: By result, in the order in which a bar is built up.
COLORS = {
    "answered": "#4EA364",
    "missed": RED,
    "unanswered": "#E8B04B",
    "busy": "#C98A5E",
    "failed": "#8A8F98",
}
#: Those that samples have.
RESULTS = ["Answered", "Missed", "No Answer"]
PEOPLE = ["Anna Petrova", "Boris Orlov", "Clara Weiss", "Daniel Costa", "Emma Novak"]
LINES = ["+7 495 000-01-00", "+7 495 000-01-01", "+7 495 000-01-02"]
#: Names of lines without numbers: labels are cut after 20 characters.
LINE_NAMES = {"mango_line_name_only": True}
ADVERTISEMENTS = ["Website", "Maps", "Billboard"]


def filters(period):
    """Return the global filters.

    :param str period: the default period.
    """
    return [
        {"id": "period", "type": "date", "label": "Period", "defaultValue": period},
        {
            "id": "line",
            "type": "relation",
            "label": "Line",
            "modelName": "mango.line",
            "domainOfAllowedValues": [],
            "includeChildren": False,
        },
        {
            "id": "employee",
            "type": "relation",
            "label": "Employee",
            "modelName": "res.users",
            "domainOfAllowedValues": [["share", "=", False]],
            "includeChildren": False,
        },
    ]


# -- figures --------------------------------------------------------------------------


def figure(title, measure, look, good, sample, domain=(), model=CALLS):
    """Describe a figure.

    :param str good: whether ``up`` or ``down`` is an improvement.
    :param tuple sample: values of this period and the previous one.
    """
    return {
        "title": title,
        "model": model,
        "measure": measure,
        "domain": list(domain),
        "format": look,
        "good": good,
        "sample": sample,
    }


COUNT = figure("Calls", "__count", "number", "up", (1284, 1190))
CLIENTS = figure("Clients", "client_key:count_distinct", "number", "up", (742, 705))
NEW_CLIENTS = figure(
    "New Clients",
    "__count",
    "number",
    "up",
    (168, 151),
    [["new_client", "=", 1]],
)
ANSWERED_SHARE = figure(
    "Answered Share", "answered_share:avg", "percent", "up", (0.91, 0.88), INBOUND
)
IN_TIME = figure(
    "Answered in Time", "in_time_share:avg", "percent", "up", (0.82, 0.79), INBOUND
)
MISSED_CALLS = figure("Missed Calls", "__count", "number", "down", (74, 92), MISSED)
NOT_CALLED_BACK = figure(
    "Not Called Back",
    "__count",
    "number",
    "down",
    (9, 15),
    [["not_called_back", "=", 1]],
)
ANSWER_TIME = figure(
    "Time to Answer",
    "answer_time:avg",
    "minutes",
    "down",
    (13, 16),
    [*INBOUND, *ANSWERED],
)
TALK_TIME = figure(
    "Talk Time", "talk_time:sum", "hours", "up", (191520, 180300), ANSWERED
)
RIGHT_PERSON = figure(
    "Right Person",
    "routed_share:avg",
    "percent",
    "up",
    (0.78, 0.74),
    [["route_attempts", ">", 0]],
)
CALLED_BACK = figure(
    "Called Back in Time",
    "__count",
    "number",
    "up",
    (58, 51),
    [["called_back_in_time", "=", 1]],
)
WAIT = figure("To Call Back Now", "__count", "number", "down", (4, 0), (), WAITING)
OVERDUE = figure(
    "Overdue",
    "__count",
    "number",
    "down",
    (1, 0),
    [["deadline", "<", "now"]],
    WAITING,
)


# -- charts ---------------------------------------------------------------------------


def by_result(title, field, bars, order=None, domain=(), **more):
    """Describe a chart of calls by a field, each bar divided by the calls' results.

    :param more: ``is_horizontal`` bars, and a ``context`` of the records.
    """
    return {
        "title": title,
        "model": CALLS,
        "group_by": [field, "result"],
        "measure": "__count",
        "domain": [["result", "!=", False], *domain],
        "order": order,
        "colors": COLORS,
        "horizontal": more.get("is_horizontal", False),
        "context": more.get("context", {}),
        "sample": (RESULTS, bars),
    }


def by_employee(title, measure, color, values, domain=()):
    """Describe a chart of one measure by employee."""
    return {
        "title": title,
        "model": CALLS,
        "group_by": ["user_id"],
        "measure": measure,
        "domain": [["user_id", "!=", False], *domain],
        "order": "DESC",
        "color": color,
        "sample": ([title], list(zip(PEOPLE, values, strict=True))),
    }


def sample_day(day):
    """Return the calls of a day by result: fewer at weekends."""
    volume = 14 if day % 7 in (5, 6) else 48 + 7 * (day % 4)
    return f"{day + 1:02}", volume, 2 + day % 3, 6 + day % 5


def sample_hour(hour):
    """Return the calls of an hour by result: most before noon and after lunch."""
    volume = max(0, 40 - 6 * abs(hour - 11), 34 - 6 * abs(hour - 15))
    return f"{hour:02}", volume, volume // 12, volume // 8


def sample_cell(hour, day):
    """Return the calls of an hour of a weekday: fewer from day to day."""
    if hour not in range(8, 20):
        return 0
    return sample_hour(hour)[1] * (100 - 8 * day) // (400 if day > 4 else 100)


BY_DAY = by_result("Calls by Day", "started_at:day", [*map(sample_day, range(28))])
BY_HOUR = by_result("Calls by Hour", "hour", [*map(sample_hour, range(8, 20))])
BY_LINE = by_result(
    "Calls by Line",
    "line_id",
    [(LINES[0], 610, 31, 0), (LINES[1], 402, 29, 0), (LINES[2], 92, 14, 0)],
    "DESC",
    [["line_id", "!=", False]],
    is_horizontal=True,
    context=LINE_NAMES,
)
BY_EMPLOYEE = by_result(
    "Calls by Employee",
    "user_id",
    [
        (name, 300 - 40 * place, 14 - place, 30 - 4 * place)
        for place, name in enumerate(PEOPLE)
    ],
    "DESC",
)

# -- tables ---------------------------------------------------------------------------

WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
HEAT_MAP = {
    "title": "Calls by Hour and Weekday",
    "model": CALLS,
    "domain": [],
    "rows": ("hour", [(f"{hour:02}", f"{hour:02}:00") for hour in range(24)]),
    "columns": ("weekday", [(str(day), name) for day, name in enumerate(WEEKDAYS)]),
    "sample": lambda hour, day: sample_cell(hour, day) or "",
}
MISSED_CLIENTS = {
    "title": "Most Missed Clients",
    "model": CALLS,
    "by": "client",
    "domain": [*MISSED, ["client", "!=", False]],
    "count": 15,
    "columns": [
        ("Client", "client", None, 6),
        ("Missed Calls", "missed:sum", "number", 4),
        ("Not Called Back", "not_called_back:sum", "number", 4),
    ],
    "sample": [
        ("Azure Interior", 6, 0),
        ("+7 495 000-02-07", 5, 1),
        ("Deco Addict", 4, 0),
        ("Gemini Furniture", 3, 1),
        ("+7 495 000-02-15", 2, 0),
    ],
}
LINES_TABLE = {
    "title": "Answered by Line",
    "model": CALLS,
    "by": "line_id",
    "domain": INBOUND,
    "context": LINE_NAMES,
    "count": 8,
    "columns": [
        ("Line", "line_id", None, 5),
        ("Inbound Calls", "__count", "number", 2),
        ("Answered Share", "answered_share:avg", "percent", 3),
        ("Answered in Time", "in_time_share:avg", "percent", 2),
    ],
    "sample": [
        (LINES[0], 641, 0.95, 0.88),
        (LINES[1], 431, 0.93, 0.84),
        (LINES[2], 106, 0.87, 0.71),
    ],
}
SOURCES_TABLE = {
    "title": "Answered by Source",
    "model": CALLS,
    "by": "source_id",
    "domain": INBOUND,
    "count": 8,
    "columns": [
        ("Source", "source_id", None, 4),
        ("Inbound Calls", "__count", "number", 2),
        ("Answered Share", "answered_share:avg", "percent", 3),
        ("New Clients", "new_client:sum", "number", 2),
    ],
    "sample": [
        (ADVERTISEMENTS[0], 402, 0.94, 71),
        (ADVERTISEMENTS[1], 231, 0.91, 62),
        (ADVERTISEMENTS[2], 106, 0.87, 35),
    ],
}
TEAM_TABLE = {
    "title": "Employees",
    "model": CALLS,
    "by": "user_id",
    "domain": [["user_id", "!=", False]],
    "count": 40,
    "columns": [
        ("Employee", "user_id", None, 5),
        ("Calls", "__count", "number", 2),
        ("Talk Time", "talk_time:sum", "hours", 3),
        ("Average Talk", "talk_average:avg", "minutes", 4),
        ("Time to Answer", "answer_time:avg", "minutes", 3),
        ("Missed Calls", "missed:sum", "number", 3),
        ("Called Back in Time", "called_back_in_time:sum", "number", 4),
    ],
    "sample": [
        (
            name,
            344 - 45 * place,
            52000 - 6300 * place,
            171 - 8 * place,
            11 + place,
            14 - place,
            17 - 2 * place,
        )
        for place, name in enumerate(PEOPLE)
    ],
}
WAITING_TABLE = {
    "title": "Clients to Call Back",
    "model": WAITING,
    "domain": [],
    "order": "deadline",
    "count": 20,
    "columns": [
        ("Client", "display_name", None, 6),
        ("Responsible", "user_id", None, 6),
        ("Last Missed", "last_missed_at", "datetime", 4),
        ("Deadline", "deadline", "datetime", 4),
        ("Their Calls", "attempt_count", "number", 4),
    ],
    "sample": [
        ("Azure Interior", PEOPLE[0], 46000.41, 46000.43, 2),
        ("+7 495 000-02-07", PEOPLE[1], 46000.44, 46000.46, 1),
    ],
}


# -- the dashboards -------------------------------------------------------------------


def calls(is_sample):
    """Build the dashboard of calls by day, hour, weekday and line."""
    sheet = Spreadsheet(filters("last_7_days"), SOURCES, is_sample)
    sheet.scorecards(
        [
            COUNT,
            ANSWERED_SHARE,
            IN_TIME,
            ANSWER_TIME,
            TALK_TIME,
            CLIENTS,
            NEW_CLIENTS,
            MISSED_CALLS,
            NOT_CALLED_BACK,
            RIGHT_PERSON,
        ]
    )
    sheet.charts([BY_DAY])
    sheet.charts([BY_HOUR, BY_LINE])
    row = sheet.next_row()
    sheet.ranking(LINES_TABLE, row)
    sheet.ranking(SOURCES_TABLE, row, first=13)
    row = sheet.next_row()
    sheet.heat_map(HEAT_MAP, row)
    sheet.ranking(MISSED_CLIENTS, row, first=10)
    return sheet.json()


def team(is_sample):
    """Build the dashboard of the employees' calls."""
    sheet = Spreadsheet(filters("last_7_days"), SOURCES, is_sample)
    sheet.scorecards([COUNT, TALK_TIME, ANSWER_TIME, MISSED_CALLS, CALLED_BACK])
    sheet.charts([BY_EMPLOYEE])
    missed = by_employee(
        "Missed Calls by Employee", "missed", RED, [14, 13, 12, 11, 10], MISSED
    )
    times = by_employee(
        "Seconds to Answer",
        "answer_time",
        BLUE,
        [11, 12, 13, 14, 15],
        [*INBOUND, *ANSWERED],
    )
    sheet.charts([missed, times])
    sheet.ranking(TEAM_TABLE, sheet.next_row())
    return sheet.json()


def today(is_sample):
    """Build the dashboard of today and of waiting clients."""
    sheet = Spreadsheet(filters("today"), SOURCES, is_sample)
    figures = [
        COUNT,
        ANSWERED_SHARE,
        ANSWER_TIME,
        MISSED_CALLS,
        NOT_CALLED_BACK,
        WAIT,
        OVERDUE,
        CALLED_BACK,
    ]
    sheet.scorecards(figures, per_row=4, compared=False)
    sheet.charts([BY_HOUR, BY_EMPLOYEE])
    sheet.listing(WAITING_TABLE, sheet.next_row())
    return sheet.json()


DASHBOARDS = {"calls": calls, "team": team, "today": today}


def files():
    """Return the text of each file.

    :rtype: dict[pathlib.Path, str]
    """
    # Odoo exports the terms of files with this ending.
    names = {False: "{}_dashboard.json", True: "{}_sample_dashboard.json"}
    return {
        FOLDER / names[is_sample].format(name): json.dumps(
            make(is_sample), indent=1, ensure_ascii=False
        )
        + "\n"
        for name, make in DASHBOARDS.items()
        for is_sample in (False, True)
    }


def main():
    FOLDER.mkdir(exist_ok=True)
    for path, text in files().items():
        Path(path).write_text(text)


if __name__ == "__main__":
    main()
