"""The simulated PBX, assembled from its parts."""

import random

from .api import Api
from .calls import Exchange
from .company import Company
from .history import past_calls
from .journal import Journal
from .legs import Ids
from .notifier import Notifier
from .recordings import Recordings
from .scenarios import SCENARIOS, Stage
from .scripts import Script
from .settings import Settings
from .statistics import Statistics

DEMO_KEY = "demo_api_key_0001"
DEMO_SALT = "demo_api_salt_0002"


class Pbx:
    """The parts of the PBX, and the scenarios that run on them.

    :param clock: see ``clock``.
    :param make_transport: makes the notifier's transport from the journal.
    :param str key: ``vpbx_api_key``.
    :param str salt: the secret.
    :param Settings settings: the settings at the start.
    :param random.Random rng: for repeatable random choices.
    :param bool history: whether the statistics know a past month of calls.
    """

    def __init__(
        self,
        clock,
        make_transport,
        key=DEMO_KEY,
        salt=DEMO_SALT,
        settings=None,
        rng=None,
        history=False,
    ):
        rng = rng or random.Random()
        self.clock = clock
        self.settings = settings or Settings()
        self.company = Company.load()
        self.journal = Journal(clock)
        self.transport = make_transport(self.journal)
        self.notifier = Notifier(
            clock, self.settings, self.journal, self.transport, key, salt, rng
        )
        ids = Ids(int(clock.now() * 1000), rng)
        self.recordings = Recordings(
            clock, self.settings, self.company, self.notifier, ids
        )
        self.exchange = Exchange(
            clock,
            self.settings,
            self.company,
            self.notifier,
            self.recordings,
            ids,
            rng,
        )
        self.recordings.watch(self.exchange.changed)
        self.statistics = Statistics(self.exchange)
        self.api = Api(self.exchange, self.statistics, self.journal, key, salt)
        self.running = {}
        self._with_history = history
        self._load_history()

    def _load_history(self):
        if self._with_history:
            now = self.clock.now()
            past = past_calls(self.company, self.recordings, now)
            self.exchange.history.extend(past)

    def play(self, name, caller=None, done=None):
        """Start a scenario.

        :param str name: one of ``SCENARIOS``.
        :param str caller: replaces the caller of the scenario; ``""`` for anonymous.
        :param done: called with the script when it is over.
        :return: the running :class:`~.scripts.Script` and its
            :class:`~.scenarios.Stage`.
        :raise KeyError: for an unknown name.
        """
        scenario = SCENARIOS[name]
        stage = Stage(
            self.exchange,
            self.api,
            self.statistics,
            scenario.caller if caller is None else caller or None,
        )
        return self.run(name, scenario.play(stage), done), stage

    def run(self, name, generator, done=None):
        """Run a script, which is in ``running`` until it is over."""

        def finished(script):
            self.running.pop(script, None)
            if done:
                done(script)
            self.exchange.changed()

        script = Script(self.exchange, generator, finished)
        self.running[script] = name
        script.start()
        return script

    def reset(self):
        """Return to the state after the start, except for the journal."""
        for script in list(self.running):
            script.stop()
        self.exchange.clear()
        self.recordings.clear()
        self.statistics.clear()
        self.api.penalty.clear()
        self.api.limiter.clear()
        self.exchange.blacklist.clear()
        for staff in self.company.users:
            staff.reset()
        self._load_history()
