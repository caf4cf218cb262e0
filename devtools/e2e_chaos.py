"""Disorder: notifications in any order, twice, over two servers of several processes.

The scenarios' notifications are recorded once and delivered in copies, shuffled and
doubled, over many connections.
"""

import collections
import contextlib
import threading
import time

from . import demo, e2e_clients, e2e_compare, odoo, traffic
from .console import step

CALLS = 1000
CONNECTIONS = 16
WORKERS = 2
SEED = 20260101  # makes the disorder reproducible


def run(bed):
    """Deliver a thousand calls in disorder.

    :param TestBed bed: with Odoo stopped.
    :return: name, success and detail of each check, as they come.
    :rtype: ~collections.abc.Iterator[tuple[str, bool, str]]
    """
    recorded = traffic.load()
    with _two_servers(bed) as urls:
        with step("Every scenario in order"):
            _deliver_in_order(recorded, urls)
        copies = traffic.copies(traffic.multiplied(recorded, CALLS), "chaos")
        answers = []
        with step("A thousand calls in disorder", lambda: f"{len(answers)} posts"):
            started = time.monotonic()
            traffic.deliver(
                traffic.disordered(copies, SEED), urls, CONNECTIONS, answers.append
            )
            rate = len(answers) / (time.monotonic() - started)
        yield check_answers(f"{len(answers)} posts, {rate:.0f} a second", answers)
        yield _check_stored_once(bed, copies)
        yield check_queue(bed)
        with step("Comparing the calls"):
            compared = list(e2e_compare.check(bed, "chaos", CALLS))
        yield from compared
        yield from e2e_clients.check(bed, recorded, urls)


def run_orders(bed, seeds):
    """Deliver every scenario in order, and in disorder once for each seed.

    :param TestBed bed: with Odoo stopped.
    :param ~collections.abc.Iterable[int] seeds: of the disorder.
    :return: name, success and detail of each check, as they come.
    :rtype: ~collections.abc.Iterator[tuple[str, bool, str]]
    """
    recorded = traffic.load()
    with _two_servers(bed) as urls:
        with step("Every scenario in order"):
            _deliver_in_order(recorded, urls)
        for seed in seeds:
            delivery = f"seed{seed}"
            posts = traffic.copies(recorded, delivery)
            with step(f"Every scenario in disorder, {delivery}"):
                disordered = traffic.disordered(posts, seed)
                answers = traffic.deliver(disordered, urls, CONNECTIONS)
                compared = list(e2e_compare.check(bed, delivery, len(recorded)))
            yield check_answers(f"{len(answers)} posts, {delivery}", answers)
            for name, ok, detail in compared:
                yield f"{delivery}: {name}", ok, detail
        yield check_queue(bed)


def _deliver_in_order(recorded, urls):
    """Deliver each recorded scenario in order."""
    threads = [
        threading.Thread(
            target=traffic.deliver,
            args=(traffic.copies([scenario], e2e_compare.IN_ORDER), urls, 1),
        )
        for scenario in recorded
    ]
    for start in range(0, len(threads), CONNECTIONS):
        batch = threads[start : start + CONNECTIONS]
        for thread in batch:
            thread.start()
        for thread in batch:
            thread.join()


def check_answers(what, answers):
    """Check that Odoo has accepted all notifications.

    :param list[Answer] answers: its answers.
    :return: name, success and detail of the check.
    :rtype: tuple[str, bool, str]
    """
    statuses = collections.Counter(answer.status for answer in answers)
    return f"all answered 200: {what}", set(statuses) == {200}, str(statuses)


def _check_stored_once(bed, posts):
    name = "every notification is stored once"
    times = collections.Counter(stored(bed))
    wrong = [post for post in posts if times[post] != 1]
    return name, not wrong, f"{len(wrong)}, such as {wrong[:3]}"


def check_queue(bed):
    """Check that Odoo has applied all notifications.

    :return: name, success and detail of the check.
    :rtype: tuple[str, bool, str]
    """
    rows = bed.query(
        "SELECT concat_ws(' ', state, kind, error) FROM mango_event "
        "WHERE state NOT IN ('done', 'ignored')"
    )
    return "no notification failed or waits", not rows, "\n".join(rows[:5])


@contextlib.contextmanager
def _two_servers(bed):
    port = odoo.free_port()
    with bed.serving(WORKERS), bed.serving(WORKERS, port):
        yield [bed.url, f"http://{demo.HOST}:{port}"]


def stored(bed):
    """Return the notifications that Odoo has stored.

    :rtype: list[Post]
    """
    rows = bed.query(r"SELECT kind || E'\n' || body FROM mango_event")
    return [traffic.Post(*row.split("\n", 1)) for row in rows]
