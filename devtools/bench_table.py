"""``./dev bench``: the results and budgets as a table."""

import dataclasses
import math
import statistics
from typing import NamedTuple


class Budget(NamedTuple):
    """The limit of a row.

    :param str words: its text in the table.
    :param kept: a function that tells whether a row is within the budget.
    """

    words: str
    kept: object


@dataclasses.dataclass
class Row:
    """One result.

    ``values``: one for each round, in seconds, bytes or pieces. ``floor``: median of
    the bare counterpart. ``unit``: a key of :data:`UNITS`.
    """

    what: str
    values: list
    floor: float | None = None
    budget: Budget | None = None
    unit: str = "ms"

    @property
    def p50(self):
        return statistics.median(self.values)

    @property
    def p95(self):
        """The 95th percentile."""
        return sorted(self.values)[math.ceil(0.95 * len(self.values)) - 1]

    @property
    def ratio(self):
        """The ratio to the floor; None without one."""
        return self.p50 / self.floor if self.floor else None

    @property
    def ok(self):
        return self.budget is None or self.budget.kept(self)


def at_most(times):
    """Return a budget as a multiple of the floor.

    :param float times: the multiple.
    :rtype: Budget
    """
    return Budget(f"≤ {times:g} ×", lambda row: row.ratio <= times)


#: How many of each unit a second, a byte or a piece is.
UNITS = {"ms": 1e3, "MB": 1e-6, "messages": 1}
HEADINGS = ("what", "rounds", "p50", "p95", "× bare", "budget", "")


def table(rows):
    """Format the rows as text.

    :param list rows: of :class:`Row`.
    :rtype: str
    """
    lines = [HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_line(cells, widths) for cells in lines)


def markdown(rows):
    """Format the rows as in ``docs/benchmarks.md``.

    :param list rows: of :class:`Row`.
    :rtype: str
    """
    rule = ["---"] + ["---:"] * 4 + ["---"] * 2
    lines = [HEADINGS, rule, *(_cells(row) for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _line(cells, widths):
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()


def _cells(row):
    return (
        row.what,
        str(len(row.values)),
        _amount(row.p50, row.unit),
        _amount(row.p95, row.unit),
        _ratio(row.ratio) if row.floor else "",
        row.budget.words if row.budget else "",
        ("pass" if row.ok else "FAIL") if row.budget else "",
    )


def _amount(value, unit):
    """Format seconds, bytes or pieces, with more digits below a hundred."""
    amount = value * UNITS[unit]
    digits = min(2, max(0, 2 - math.ceil(math.log10(max(amount, 0.01)))))
    return f"{amount:.{digits}f} {unit}"


def _ratio(ratio):
    return f"{ratio:.1f}" if ratio >= 0.1 else f"1 / {1 / ratio:,.0f}".replace(",", " ")
