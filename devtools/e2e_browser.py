"""Tours in a real browser: a real Odoo, its real bus, and people at the phones.

Each scenario has one or two tours (``static/tests/tours``), which act and check as
users of Odoo. At certain points a tour gives a cue; the scenario waits for it and makes
people at the phones act, through the simulator's control API. So neither side waits for
a fixed time, only for the other one.
"""

import urllib.error

from . import (
    accessibility,
    e2e_browser_callbacks,
    e2e_browser_cards,
    e2e_browser_click_to_call,
    e2e_browser_recordings,
    e2e_browser_routing,
    e2e_browser_self_test,
    e2e_browser_transfers,
    environment,
)
from .browser import Browser, BrowserError
from .console import Failure, step
from .e2e_people import People
from .e2e_tour import ScenarioFailed

SCENARIOS = [
    *e2e_browser_click_to_call.SCENARIOS,
    *e2e_browser_cards.SCENARIOS,
    *e2e_browser_transfers.SCENARIOS,
    *e2e_browser_callbacks.SCENARIOS,
    *e2e_browser_recordings.SCENARIOS,
    *e2e_browser_self_test.SCENARIOS,
    *e2e_browser_routing.SCENARIOS,
    *accessibility.SCENARIOS,
]


def run(bed, names=()):
    """Run all scenarios, or the named ones.

    :param TestBed bed: with a threaded Odoo, which serves the websocket on the same
        port.
    :param names: of functions among :data:`SCENARIOS`.
    :return: name, success and detail of each scenario, as they come.
    :rtype: ~collections.abc.Iterator[tuple[str, bool, str]]
    """
    with Browser(environment.ensure_browser()) as browser:
        people = People(bed, browser)
        for scenario in _chosen(names):
            yield _run_scenario(people, scenario)


def _chosen(names):
    known = {scenario.__name__: scenario for scenario in SCENARIOS}
    unknown = set(names) - known.keys()
    if unknown:
        raise Failure(
            f"No scenario is called {', '.join(unknown)}: {', '.join(known)}."
        )
    return [known[name] for name in names] or SCENARIOS


def _run_scenario(people, scenario):
    name = f"tour: {scenario.__doc__}"
    detail = ""
    people.begin_traces()
    try:
        with step(name):
            scenario(people)
            people.check_consoles()
    except (BrowserError, ScenarioFailed, RuntimeError, urllib.error.URLError) as error:
        detail = f"{error}\n{people.keep_evidence(scenario.__name__)}"
    finally:
        people.end_traces(scenario.__name__ if detail else None)
        people.leave()
    return name, not detail, detail
