"""``./dev bench``: measure speed and compare it with its budgets.

Each figure is shown beside the minimum that is possible on the same machine in the same
run, so that the table describes the addon, not the machine.

A measure is a function that takes the running :class:`~devtools.testbed.TestBed` and
returns a :class:`~devtools.bench_table.Row` for each figure.
"""

import contextlib
import functools

from . import (
    bench_browser,
    bench_burst,
    bench_data,
    bench_groups,
    bench_pages,
    bench_routing,
    bench_webhook,
    database,
    paths,
    testbed,
)
from .bench_table import markdown, table
from .console import say

LOG = paths.LOGS / "bench.log"
ADDON = paths.DEVTOOLS / "addons" / "mango_office_bench"


def main(quick, as_markdown, only=()):
    """Measure everything and print the table.

    :param bool quick: use ten thousand calls instead of a million, which takes a
        minute.
    :param bool as_markdown: print it in the format of ``docs/benchmarks.md``.
    :param only: some of :data:`devtools.bench_groups.GROUPS`; empty for all.
    :return: exit status: 0 if no budget is exceeded.
    :rtype: int
    """
    groups = bench_groups.choose(quick, only)
    bench_data.drop_outdated(database.acquire())
    rows = []
    try:
        rows.extend(_quick(groups) if quick else _thorough(groups))
    finally:  # a failure does not lose an hour's results
        say(table(rows))
    if as_markdown:
        say()
        say(markdown(rows))
    failed = sum(not row.ok for row in rows)
    say(f"{len(rows) - failed} within budget, {failed} over it")
    return 1 if failed else 0


def _quick(groups):
    with _opened(bench_data.SMALL) as bed, bed.serving(workers=0, crons=False):
        measures = {
            "webhook": [bench_webhook.notification],
            "pages": [bench_pages.identification, bench_pages.pages],
            "routing": _routing(rings=5, rounds=3),
            "burst": _bursts(),
            "wall": [
                functools.partial(bench_browser.wall_memory, first=100, last=1_000)
            ],
        }
        yield from _measure(bed, measures, groups)


def _thorough(groups):
    small = None
    if "webhook" in groups:
        with _opened(bench_data.SMALL) as bed, bed.serving(workers=0, crons=False):
            small = bench_webhook.notification(bed)
    yield from _on_million(groups, small)


def _on_million(groups, small):
    with _opened(bench_data.MILLION) as bed:
        with bed.serving(workers=0, crons=False):
            wall = functools.partial(
                bench_browser.wall_memory, first=1_000, last=10_000
            )
            measures = {
                "webhook": [functools.partial(bench_webhook.notification, small=small)],
                "pages": [bench_pages.identification, bench_pages.pages],
                "routing": _routing(rings=20, rounds=20),
                "burst": _bursts(),
                "cards": [bench_browser.ring_to_card, bench_browser.click_to_command],
                "wall": [wall],
            }
            yield from _measure(bed, measures, groups)
        if "throughput" in groups:
            for workers in (1, 2, 4):
                with bed.serving(workers, crons=False):
                    yield from bench_webhook.throughput(bed, workers)
        if "burst" in groups:
            with bed.serving(2, crons=False):
                yield from bench_burst.burst(bed, "processes")


def _routing(rings, rounds):
    return [
        functools.partial(bench_webhook.ring_to_route, rounds=rings),
        functools.partial(bench_routing.routing, rounds=rounds),
    ]


def _bursts():
    return [
        functools.partial(bench_burst.burst, mode="threads"),
        bench_burst.group,
        bench_burst.beside_slow_pbx,
        _forget,
    ]


def _forget(bed):
    """Take away the calls of the bursts, which the pages of the browser would show."""
    bench_data.forget_measured(bed)
    return ()


def _measure(bed, measures, groups):
    """Measure the chosen groups.

    :param dict measures: the measures of each group that one process serves.
    :return: their rows, as they come.
    """
    for group, of_group in measures.items():
        if group in groups:
            for measure in of_group:
                yield from measure(bed)


@contextlib.contextmanager
def _opened(size):
    fill = functools.partial(bench_data.fill, size)
    with testbed.opened(size.database, LOG, 1, [ADDON], fill) as bed:
        bench_data.forget_measured(bed)
        yield bed
