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


def main(quick, as_markdown):
    """Measure everything and print the table.

    :param bool quick: use ten thousand calls instead of a million, which takes a
        minute.
    :param bool as_markdown: print it in the format of ``docs/benchmarks.md``.
    :return: exit status: 0 if no budget is exceeded.
    :rtype: int
    """
    bench_data.drop_outdated(database.acquire())
    rows = []
    try:
        rows.extend(_quick() if quick else _thorough())
    finally:  # a failure does not lose an hour's results
        say(table(rows))
    if as_markdown:
        say()
        say(markdown(rows))
    failed = sum(not row.ok for row in rows)
    say(f"{len(rows) - failed} within budget, {failed} over it")
    return 1 if failed else 0


def _quick():
    with _opened(bench_data.SMALL) as bed:
        with bed.serving(workers=0, crons=False):
            yield from bench_webhook.notification(bed)
            yield from bench_pages.identification(bed)
            yield from bench_pages.pages(bed)
            yield from bench_webhook.ring_to_route(bed, rounds=5)
            yield from bench_routing.routing(bed, rounds=3)
            yield from bench_burst.burst(bed, "threads")
            yield from bench_burst.group(bed)
            yield from bench_burst.beside_slow_pbx(bed)
            bench_data.forget_measured(bed)
            yield from bench_browser.wall_memory(bed, first=100, last=1_000)


def _thorough():
    with _opened(bench_data.SMALL) as bed:
        with bed.serving(workers=0, crons=False):
            small = bench_webhook.notification(bed)
    yield from _on_million(small)


def _on_million(small):
    with _opened(bench_data.MILLION) as bed:
        with bed.serving(workers=0, crons=False):
            yield from bench_webhook.notification(bed, small)
            yield from bench_pages.identification(bed)
            yield from bench_pages.pages(bed)
            yield from bench_webhook.ring_to_route(bed, rounds=20)
            yield from bench_routing.routing(bed, rounds=20)
            yield from bench_burst.burst(bed, "threads")
            yield from bench_burst.group(bed)
            yield from bench_burst.beside_slow_pbx(bed)
            bench_data.forget_measured(bed)
            yield from bench_browser.ring_to_card(bed)
            yield from bench_browser.click_to_command(bed)
            yield from bench_browser.wall_memory(bed, first=1_000, last=10_000)
        for workers in (1, 2, 4):
            with bed.serving(workers, crons=False):
                yield from bench_webhook.throughput(bed, workers)
        with bed.serving(2, crons=False):
            yield from bench_burst.burst(bed, "processes")


@contextlib.contextmanager
def _opened(size):
    fill = functools.partial(bench_data.fill, size)
    with testbed.opened(size.database, LOG, 1, [ADDON], fill) as bed:
        bench_data.forget_measured(bed)
        yield bed
