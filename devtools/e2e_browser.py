"""Tours in a real browser: a real Odoo, its real bus, and people at the phones.

Each scenario has one or two tours (``static/tests/tours``), which act and check as
users of Odoo. At certain points a tour gives a cue; the scenario waits for it and makes
people at the phones act, through the simulator's control API. So neither side waits for
a fixed time, only for the other one.
"""

import contextlib
import functools
import json
import urllib.error

from . import (
    accessibility,
    demo,
    e2e_browser_routing,
    e2e_routing,
    e2e_self_test,
    environment,
    paths,
    testbed,
)
from .browser import Browser, BrowserError
from .console import Failure, step

STEP_TIMEOUT = 45  # seconds; a tour itself gives up a step after 10
READY = "(() => {{ try {{ return Boolean(odoo.isTourReady({name})); }} catch {{}} }})()"
SUCCESS = "tour succeeded"
MINE = "/odoo/my-calls"
EVIDENCE = paths.LOGS / "e2e_browser"

ANNA, BORIS, VERA = "101", "102", "103"
IVAN, VOLKOV, BELOVS = "74950000201", "74950000204", "74950000206"
VECTOR = "74950000200"  # Anna's, like Ivan
LEAD = "Поставка офисной мебели"  # Ivan's, with Anna
OTHER_LEAD = "Кухня для новой квартиры"
HURRY = 60  # simulator's speed where nobody answers: 30 s take half a second


class ScenarioFailed(Exception):
    """A scenario's expectation was not met."""


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


# ---------------------------------------------------------------------------
# Scenarios: click to call


def call_answered(people):
    """one click on a lead's number calls, and both see the talk to its end"""
    tour = people.anna.begin(people.lead_path, "mango_office_call_answered")
    tour.until("asked to pick up")
    people.pick_up(ANNA)
    tour.until("the client's phone rings")
    people.client("answer")
    tour.until("talking")
    people.client("hangup")
    tour.finish()
    people.expect_commands(1)
    call = people.last_call()
    people.expect(call["direction"], "outbound")
    people.expect(call["result"], "answered")
    people.expect(call["lead_id"] and call["lead_id"][1], LEAD)


def call_not_picked_up(people):
    """own phone not picked up"""
    people.set(speed=HURRY)
    tour = people.anna.begin(people.lead_path, "mango_office_call_not_picked_up")
    tour.finish()


def call_busy(people):
    """the client is busy"""
    _call_and(people, "mango_office_call_busy", "busy")


def call_unanswered(people):
    """the client does not answer"""
    _call_and(people, "mango_office_call_unanswered", "silent")


def _call_and(people, tour_name, reaction):
    tour = people.anna.begin(people.lead_path, tour_name)
    tour.until("asked to pick up")
    people.pick_up(ANNA)
    tour.until("the client's phone rings")
    people.client(reaction)
    tour.finish()


def call_refused(people):
    """the PBX refuses at once: no money"""
    people.set(callback="reply", refusal=2240)
    people.anna.begin(people.lead_path, "mango_office_call_refused_money").finish()


def call_refused_later(people):
    """the PBX accepts, then refuses: destination blocked"""
    people.set(callback="result", refusal=2300)
    people.anna.begin(people.lead_path, "mango_office_call_refused_direction").finish()


def call_unclear(people):
    """the PBX's answer is lost: the outcome is unknown, and nothing is sent again"""
    people.set(faults=[{"kind": "cut", "path": "commands/callback"}])
    # Another client: for a minute this one is not called a second time.
    path = people.path_of("crm.lead", OTHER_LEAD)
    people.anna.begin(path, "mango_office_call_unclear").finish()
    people.expect_commands(1)


def call_unreachable(people):
    """the PBX cannot be reached"""
    tab = people.anna.open(people.lead_path)
    with people.without_pbx():
        tab.begin("mango_office_call_unreachable").finish()


def call_without_extension(people):
    """without an extension, a number is an ordinary link"""
    people.kirill.begin(
        people.lead_path, "mango_office_call_without_extension"
    ).finish()


# ---------------------------------------------------------------------------
# Scenarios: the card


def inbound_with_note(people):
    """a client calls: the card while it rings, and the note after a reload"""
    tour = people.anna.begin(MINE, "mango_office_inbound_note")
    people.call(IVAN)  # with a greeting, in which Odoo routes the call to Anna
    tour.until("rings")
    people.pick_up(ANNA)
    tour.until("note typed")
    people.client("hangup")
    tour.finish()
    people.expect_in(people.last_call()["note"], "Счёт до пятницы")


def two_tabs(people):
    """two tabs: the note typed in one appears in the other, closed in one is closed"""
    second = people.anna.open(MINE).page
    tour = people.anna.begin(MINE, "mango_office_two_tabs")
    people.call(IVAN)
    tour.until("rings")
    second.wait_for_selector(".o_mango_card[data-phase=ringing]")
    people.pick_up(ANNA)
    tour.until("note typed")
    note = "document.querySelector('.o_mango_card_note textarea')?.value"
    second.wait_for(f"{note} === 'Перезвонить завтра'")
    people.client("hangup")
    tour.until("ended")
    second.wait_for_selector(".o_mango_card[data-phase=ended]")
    second.evaluate("document.querySelector('.o_mango_close').click()")
    tour.finish()


def group_ring(people):
    """a group rings: the card on both screens, and who picked up on the other one"""
    anna = people.anna.begin(MINE, "mango_office_group_loser")
    boris = people.boris.begin(MINE, "mango_office_group_winner")
    people.call(VOLKOV, greeting=0)
    anna.until("rings")
    boris.until("rings")
    people.pick_up(BORIS)
    anna.finish()
    boris.until("talking")
    people.client("hangup")
    boris.finish()


def choice(people):
    """two contacts with one number: the choice is kept"""
    tour = people.boris.begin(MINE, "mango_office_choice")
    people.call(BELOVS)  # Boris has Natalia's lead
    tour.until("rings")
    people.pick_up(BORIS)
    tour.until("chosen")
    people.client("hangup")
    tour.finish()
    people.expect(people.last_call()["partner_id"][1], "Андрей Белов")


def unknown_caller(people):
    """an unknown caller: a lead comes to the card while they talk, then the outcome"""
    _unknown_caller(people, "en_US", "74950000271")


def unknown_caller_in_russian(people):
    """the same in Russian"""
    _unknown_caller(people, "ru_RU", "74950000272")


def _unknown_caller(people, language, number):
    with people.speaking(language), people.making_leads():
        tour = people.anna.begin(MINE, "mango_office_unknown_caller")
        people.call(number, greeting=0)
        tour.until("rings")
        people.pick_up(ANNA)
        tour.until("has a lead")
        people.client("hangup")
        tour.finish()
    call = people.last_call()
    people.expect(bool(call["lead_id"]), True)
    people.expect(bool(call["outcome_id"]), True)


def transfer_blind(people):
    """a talk is handed over without asking"""
    anna = people.anna.begin(MINE, "mango_office_transfer_blind")
    boris = people.boris.begin(MINE, "mango_office_transfer_target")
    _talk(people, anna)
    boris.until("rings")
    anna.until("transferring")
    people.pick_up(BORIS)
    anna.finish()
    boris.until("talking")
    people.client("hangup")
    boris.finish()


def transfer_after_asking(people):
    """a talk is handed over after asking"""
    anna = people.anna.begin(MINE, "mango_office_transfer_hold")
    boris = people.boris.begin(MINE, "mango_office_transfer_asked")
    _talk(people, anna)
    boris.until("rings")
    people.pick_up(BORIS)
    boris.until("asked")
    anna.until("consulting")
    people.hang_up(ANNA)  # which completes the transfer
    anna.finish()
    boris.until("talking")
    people.client("hangup")
    boris.finish()


def _talk(people, anna):
    people.call(IVAN)
    anna.until("rings")
    people.pick_up(ANNA)


def transfer_declined(people):
    """a colleague declines, and the client is back"""
    anna = people.anna.begin(MINE, "mango_office_transfer_declined")
    _talk(people, anna)
    anna.until("transferring")
    people.post("decline", extension=BORIS)
    anna.until("back")
    people.pick_up(ANNA)
    anna.until("talking")
    people.client("hangup")
    anna.finish()
    people.expect(people.last_call()["result"], "answered")


def transfer_given_up(people):
    """a colleague is asked, the client taken back, and the call ended on the card"""
    anna = people.anna.begin(MINE, "mango_office_transfer_given_up")
    _talk(people, anna)
    anna.finish()
    people.expect(people.last_call()["result"], "answered")


def missed_and_redial(people):
    """a missed call: the badge, and one click calls back"""
    people.anna.has_called_everybody_back()
    tour = people.anna.begin(MINE, "mango_office_missed")
    people.call(IVAN)
    tour.until("rings")
    people.client("hangup")
    tour.until("asked to pick up")
    people.post("decline", extension=ANNA)
    tour.finish()
    people.expect_commands(1)


def waiting_on_two_screens(people):
    """a missed client waits on two screens, and is called back from one"""
    _waiting_on_two_screens(people, "en_US")


def waiting_on_two_screens_in_russian(people):
    """the same in Russian"""
    _waiting_on_two_screens(people, "ru_RU")


def _waiting_on_two_screens(people, language):
    people.anna.has_called_everybody_back()
    people.boris.has_called_everybody_back()
    with people.speaking(language):
        anna = people.anna.begin(MINE, "mango_office_waiting_called_back")
        boris = people.boris.begin("/odoo/to-call-back", "mango_office_waiting_watched")
        people.call(VOLKOV, greeting=0)
        anna.until("rings")
        boris.until("rings")
        people.client("hangup")
        anna.until("ready to call")
        boris.until("sees who waits")
        anna.go_on()
        anna.until("asked to pick up")
        boris.until("sees who calls")
        people.pick_up(ANNA)
        people.client("answer")
        anna.until("talking")
        people.client("hangup")
        anna.finish()
        boris.finish()
    people.expect_commands(1)


def planned_call(people):
    """a planned call: one click, the talk, done"""
    _planned_call(people, "en_US")


def planned_call_in_russian(people):
    """the same in Russian"""
    _planned_call(people, "ru_RU")


def _planned_call(people, language):
    activity = people.plan_call()
    with people.speaking(language):
        tour = people.anna.begin(MINE, "mango_office_planned_call")
        tour.until("asked to pick up")
        people.pick_up(ANNA)
        people.client("answer")
        tour.until("talking")
        people.client("hangup")
        tour.finish()
    people.expect(people.is_open(activity), False)
    call = people.last_call()
    people.expect(call["lead_id"] and call["lead_id"][1], LEAD)


def dial_pad(people):
    """the dial pad finds a client, and the card's button hangs up before they answer"""
    people.anna.begin(MINE, "mango_office_dial_pad").finish()
    people.expect(people.last_call()["result"], "unanswered")


def board(people):
    """a supervisor sees who talks, live, and how many calls they took today"""
    tour = people.vera.begin("/odoo/calls-board", "mango_office_board")
    tour.until("watching")
    people.call(IVAN)
    tour.until("rings")
    people.pick_up(ANNA)
    tour.until("talking")
    people.client("hangup")
    tour.finish()


# ---------------------------------------------------------------------------
# Scenarios: recordings


def recording_requested_and_played(people):
    """a recording is requested, appears automatically, and is played with seeking"""
    people.talk_with_anna()
    people.anna.begin(MINE, "mango_office_recording_requested").finish()
    people.expect_downloads(1)


def two_recordings(people):
    """a transferred call has two recordings, which are played one after the other"""
    people.call(IVAN, greeting=0)
    people.pick_up(ANNA)
    people.post("transfer", extension=ANNA, to=BORIS, method="consult")
    people.pick_up(BORIS)
    people.hang_up(ANNA)  # which completes the transfer
    people.client("hangup")
    people.wait_for_recordings()
    people.vera.begin("/odoo/calls", "mango_office_two_recordings").finish()
    people.expect_downloads(2)


def recording_of_a_colleague(people):
    """a colleague's recording cannot be opened by its address; a supervisor plays it"""
    [recording] = people.recordings(people.talk_with_anna())
    tour = people.vera.begin("/odoo/calls", "mango_office_recording_of_colleague")
    tour.until("heard")
    first = {"Range": "bytes=0-99"}
    status, kind, body = people.vera.hear(recording, **first)
    people.expect((status, kind, len(body)), (206, "audio/mpeg", 100))
    for stranger in (people.boris, people.kirill):
        for headers in ({}, first):
            status, kind, _body = stranger.hear(recording, **headers)
            people.expect((status, kind), (404, "text/html"))
    tour.finish()


# ---------------------------------------------------------------------------
# Scenarios: the first day


def self_test(people):
    """the self-test with real calls: every step is green"""
    _self_test(people, "en_US")


def self_test_in_russian(people):
    """the same in Russian"""
    _self_test(people, "ru_RU")


def _self_test(people, language):
    people.talk_with_anna()  # of a PBX that has told nothing yet the first is yellow
    with people.speaking(language), people.administering(people.vera):
        tour = people.vera.begin(people.pbx_path, "mango_office_self_test")
        tour.until("call now")
        people.talk_with_anna()
        people.wait_for_ends()
        tour.go_on()
        tour.until("own phone rings")
        people.wait_until_rings(VERA)
        people.pick_up(VERA)
        people.client("answer")
        people.client("hangup")
        people.wait_for_recordings()
        people.wait_for_ends()
        tour.go_on()
        tour.until("recording asked for")
        people.wait_for_audio()
        tour.go_on()
        tour.finish()


SCENARIOS = [
    call_answered,
    call_not_picked_up,
    call_busy,
    call_unanswered,
    call_refused,
    call_refused_later,
    call_unclear,
    call_unreachable,
    call_without_extension,
    inbound_with_note,
    two_tabs,
    group_ring,
    choice,
    unknown_caller,
    unknown_caller_in_russian,
    transfer_blind,
    transfer_after_asking,
    transfer_declined,
    transfer_given_up,
    missed_and_redial,
    waiting_on_two_screens,
    waiting_on_two_screens_in_russian,
    planned_call,
    planned_call_in_russian,
    dial_pad,
    board,
    recording_requested_and_played,
    two_recordings,
    recording_of_a_colleague,
    self_test,
    self_test_in_russian,
    *e2e_browser_routing.SCENARIOS,
    *accessibility.SCENARIOS,
]


# ---------------------------------------------------------------------------
# The people in scenarios


class People:
    """The users of Odoo, the people at the phones, and checks of the call log.

    :param TestBed bed: with Odoo running.
    :param Browser browser: theirs.
    """

    def __init__(self, bed, browser):
        self._bed = bed
        self._pbx = bed.pbx
        self._admin = bed.log_in("admin", "admin")
        self.anna, self.boris, self.vera, self.kirill = self._people = [
            Person(bed, browser, login) for login in ("anna", "boris", "vera", "kirill")
        ]
        self.lead_path = self.path_of("crm.lead", LEAD)
        self.leave()  # earlier scenarios have left cards

    # -- at the phones -----------------------------------------------------------

    def post(self, action, /, **values):
        """Control the phones; see :mod:`devtools.pbx.control`."""
        return self._pbx.post(action, **values)

    def call(self, number, **values):
        """A client calls the company."""
        return self.post("call", **{"from": number}, **values)

    def pick_up(self, extension):
        self.post("pickup", extension=extension)

    def hang_up(self, extension):
        self.post("hangup", extension=extension)

    def client(self, action):
        """Let the client of the only call answer, be busy, not answer or hang up."""
        if action != "hangup":  # Odoo says "Calling" a moment before the phone rings
            self._pbx.wait_for(_client_rings, "the client's phone to ring")
        self.post("client", action=action)

    def set(self, **settings):
        """Change the PBX's settings until the end of the scenario."""
        self.post("settings", **settings)

    def talk_with_anna(self):
        """Let Ivan and Anna have a talk, which the PBX records.

        :return: the call's id there.
        :rtype: str
        """
        call = self.call(IVAN)  # with a greeting, in which Odoo routes it to Anna
        self.wait_until_rings(ANNA)
        self.pick_up(ANNA)
        self.client("hangup")
        self.wait_for_recordings()
        return call["entry_id"]

    def wait_until_rings(self, extension):
        """Wait until somebody's phone rings."""
        rings = functools.partial(_rings, extension)
        self._pbx.wait_for(rings, f"the phone of {extension} to ring")

    def wait_until_one_rings(self, extensions):
        """Wait until one of some phones rings.

        :return: its extension.
        :rtype: str
        """
        ringing = set()

        def one_rings(state):
            for call in state["calls"]:
                ringing.update(set(extensions).intersection(call["ringing"]))
            return bool(ringing)

        self._pbx.wait_for(one_rings, "one of the phones to ring")
        return ringing.pop()

    def wait_for_recordings(self):
        """Wait until the PBX has stored the recordings."""
        self._pbx.wait_for(_recordings_are_stored, "the recordings to be stored")

    @contextlib.contextmanager
    def without_pbx(self):
        """Stop the PBX for the time of the block."""
        self._bed.stop_pbx()
        try:
            yield
        finally:
            self._bed.start_pbx()
            self._begin()

    # -- in Odoo ---------------------------------------------------------------------

    @contextlib.contextmanager
    def speaking(self, language):
        """Set everybody's language in Odoo for the time of the block."""
        self._speak(language)
        try:
            yield
        finally:
            self._speak("en_US")

    def _speak(self, language):
        logins = [person.login for person in self._people]
        users = self._admin.call("res.users", "search", [("login", "in", logins)])
        self._admin.call("res.users", "write", users, {"lang": language})

    def planned(self, ring_seconds=20):
        """Set up the plan of the routing scenarios for the time of the block."""
        return e2e_routing.planned(self._bed, ring_seconds)

    @contextlib.contextmanager
    def available_afterwards(self):
        """Make everybody take routed calls again after the block."""
        try:
            yield
        finally:
            for person in (self.anna, self.boris, self.vera):
                person.be_available()

    @contextlib.contextmanager
    def making_leads(self):
        """Let calls that are answered create leads for the time of the block."""
        self._set_lead_policy("answered")
        try:
            yield
        finally:
            self._set_lead_policy("never")

    def _set_lead_policy(self, policy):
        accounts = self._admin.call("mango.account", "search", [])
        vals = {"lead_policy": policy}
        self._admin.call("mango.account", "write", accounts, vals)

    def administering(self, person):
        """Let somebody administrate the telephony for the time of the block."""
        return e2e_self_test.administering(self._bed, person.login)

    @property
    def pbx_path(self):
        """The address of the PBX's form."""
        [account] = self._admin.call("mango.account", "search", [])
        return f"/odoo/mango.account/{account}"

    def wait_for_ends(self):
        """Wait until Odoo knows that all calls have ended."""
        self._bed.wait_for_none(
            "SELECT id FROM mango_call WHERE state != 'ended'", "calls to end"
        )

    def wait_for_audio(self):
        """Wait until Odoo has fetched the recordings that it has asked for."""
        self._bed.wait_for_none(
            "SELECT id FROM mango_recording WHERE state = 'requested'", "recordings"
        )

    def plan_call(self):
        """Plan a call from Anna to her customer, today.

        :return: the activity's id.
        :rtype: int
        """
        return testbed.plan_call(self._admin, "anna", LEAD)

    def is_open(self, activity):
        found = self._admin.call("mail.activity", "search", [("id", "=", activity)])
        return bool(found)

    # -- checks ------------------------------------------------------------------

    def path_of(self, model, name):
        """:return: the address of the one record of that name."""
        return f"/odoo/{model}/{self._admin.find(model, name)}"

    def call_path(self, call):
        """:return: the address of a call that :meth:`call` has made."""
        domain = [("entry_id", "=", call["entry_id"])]
        [call_id] = self._admin.call("mango.call", "search", domain)
        return f"/odoo/calls/{call_id}"

    def last_call(self):
        """:return: the newest call in the log."""
        fields = ["direction", "result", "note", "lead_id", "partner_id", "outcome_id"]
        return self._admin.call(
            "mango.call", "search_read", [], fields, order="id desc", limit=1
        )[0]

    def recordings(self, entry_id):
        """:return: ids of the recordings of a call."""
        return self._admin.call(
            "mango.recording", "search", [("call_id.entry_id", "=", entry_id)]
        )

    def expect_downloads(self, count):
        """Check that Odoo fetched this many recordings, each once."""
        for path in ("queries/recording/post", "files"):
            asked = self._pbx.commands(path, self._since)
            done = [entry for entry in asked if entry["status"] in (200, 302)]
            self.expect((path, len(done)), (path, count))

    def expect_commands(self, count):
        """Check that Odoo ordered this many calls during this scenario."""
        commands = self._pbx.commands("commands/callback", self._since)
        self.expect(len(commands), count)

    @staticmethod
    def expect(found, expected):
        if found != expected:
            raise ScenarioFailed(f"expected {expected!r}, found {found!r}")

    @staticmethod
    def expect_in(text, part):
        if part not in (text or ""):
            raise ScenarioFailed(f"expected {part!r} in {text!r}")

    def check_consoles(self):
        """:raise ScenarioFailed: if a page has errors in its console."""
        for person in self._people:
            for page in person.pages:
                if page.errors:
                    raise ScenarioFailed(f"{person.login}'s console: {page.errors[0]}")

    def begin_traces(self):
        for person in self._people:
            person.begin_trace()

    def end_traces(self, name=None):
        """Keep the traces of a scenario that failed.

        :param str name: of the scenario; None if it has passed.
        """
        for person in self._people:
            file = name and EVIDENCE / f"{name}_{person.login}.zip"
            person.end_trace(file)

    def keep_evidence(self, name):
        """Save everybody's screens.

        :return: the folder.
        :rtype: str
        """
        EVIDENCE.mkdir(parents=True, exist_ok=True)
        lines = []
        for person in self._people:
            for order, page in enumerate(person.pages):
                path = EVIDENCE / f"{name}_{person.login}_{order}.png"
                lines.append(_keep(page, path))
        return "\n".join(lines)

    def leave(self):
        """End everything that is still running before the next scenario."""
        for call in self._pbx.get("state")["calls"]:
            if call["stage"] != "ended":
                self.post("hangup", entry_id=call["entry_id"])
        self.post("reset", settings=True)
        for person in self._people:
            person.leave()
        self._begin()

    def _begin(self):
        self.post("settings", speed=self._bed.speed)
        self._since = max((entry["id"] for entry in self._pbx.get("log")), default=0)


class Person:
    """A user of Odoo with a separate browser.

    :param TestBed bed: with Odoo running.
    :param Browser browser: where the user's context is opened.
    :param str login: of the user.
    :param str password: theirs.
    """

    def __init__(self, bed, browser, login, password=demo.PASSWORD):
        self.login = login
        self._url = bed.url
        self._server = bed.log_in(login, password)
        self._context = browser.context()
        self._context.set_cookie(
            bed.url, testbed.SESSION_COOKIE, self._server.session_id
        )

    @property
    def pages(self):
        return self._context.pages

    def begin_trace(self):
        self._context.begin_trace()

    def end_trace(self, path=None):
        self._context.end_trace(path)

    def open(self, path):
        """Open one more tab.

        :param str path: a path of the web client.
        :rtype: Tab
        """
        page = self.open_page(f"{path}?debug=tests")  # loads the tours
        return Tab(page, self.login)

    def open_page(self, path, **size):
        """Open one more tab, without tours.

        :param str path: a path of the web client.
        :param size: ``width`` and ``height`` in CSS pixels, if not the default.
        :rtype: Page
        """
        page = self._context.page(**size)
        page.open(f"{self._url}{path}")
        page.wait_for(testbed.CONNECTED)
        return page

    def begin(self, path, tour_name):
        """Open one more tab and start a tour there.

        :rtype: Tour
        """
        return self.open(path).begin(tour_name)

    def has_called_everybody_back(self):
        """Close the cards of calls missed in earlier scenarios."""
        waiting = self._server.call(
            "mango.callback", "search", [["state", "=", "open"]]
        )
        vals = {"callback_ids": [[6, 0, waiting]], "choice": "done"}
        decision = self._server.call("mango.callback.decision", "create", [vals])
        self._server.call("mango.callback.decision", "action_apply", decision)

    def be_available(self):
        """Take routed calls."""
        user_id = self._server.user_id
        self._server.call("res.users", "mango_set_status", [user_id], "available")

    def hear(self, recording_id, **headers):
        """Request a recording by its address.

        :return: status, content type and body.
        :rtype: tuple[int, str, bytes]
        """
        path = f"/web/content/mango.recording/{recording_id}/audio"
        return self._server.get(path, **headers)

    def leave(self):
        """Close the tabs, and any cards left by a failed scenario."""
        self._context.close_pages()
        if "mango_office" not in self._server.session:
            return  # no telephony user, no cards
        while cards := self._server.call("mango.call.presence", "get_screen")["cards"]:
            for card in cards:
                self._close_card(card)

    def _close_card(self, card):
        if card["call_id"]:
            self._server.call("mango.call", "close_card", [card["call_id"]])
        else:
            self._server.call("mango.command", "close_card", [card["command_id"]])


def _client_rings(state):
    staff = {person["extension"] for person in state["staff"]}
    return any(set(call["ringing"]) - staff for call in state["calls"])


def _rings(extension, state):
    return any(extension in call["ringing"] for call in state["calls"])


def _recordings_are_stored(state):
    recordings = [r for call in state["calls"] for r in call["recordings"]]
    is_over = all(call["stage"] == "ended" for call in state["calls"])
    return is_over and recordings and all(r["added"] for r in recordings)


class Tab:
    """A tab of the web client.

    :param Page page: the tab.
    :param str login: whose.
    """

    def __init__(self, page, login):
        self.page = page
        self._login = login

    def begin(self, tour_name):
        """:rtype: Tour"""
        return Tour(self.page, self._login, tour_name)


class Tour:
    """A running tour.

    :param Page page: the page.
    :param str login: whose page.
    :param str name: of the tour.
    """

    def __init__(self, page, login, name):
        self._page = page
        self._name = f"{name} of {login}"
        self._heard = len(page.console)
        page.wait_for(READY.format(name=json.dumps(name)))
        page.evaluate(f"void odoo.startTour({json.dumps(name)}, {{ redirect: false }})")

    def until(self, cue):
        """Wait until the tour gives a cue.

        :param str cue: the words of ``cue(…)`` in the tour.
        :raise ScenarioFailed: if the tour fails before.
        """
        self._hear(f"cue: {cue}")

    def go_on(self):
        """Continue a tour that waits for somebody else."""
        self._page.evaluate("document.body.classList.add('o_mango_go_on')")

    def finish(self):
        """Wait until the tour is over.

        :raise ScenarioFailed: if it fails.
        """
        self._hear(SUCCESS)

    def _hear(self, words):
        def heard():
            if self._page.errors:
                raise ScenarioFailed(f"{self._name}: {self._page.errors[0]}")
            for _kind, text in self._page.console[self._heard :]:
                self._heard += 1
                if text == words:
                    return True
            return False

        self._page.wait_for_event(heard, f"{self._name} to say: {words}", STEP_TIMEOUT)


def _keep(page, path):
    """Save a page's screenshot and console."""
    log = path.with_suffix(".log")
    log.write_text("\n".join(f"{kind}: {text}" for kind, text in page.console))
    try:
        page.screenshot(path)
    except BrowserError as error:
        return f"{log} (no picture: {error})"
    return f"{path}, {log}"
