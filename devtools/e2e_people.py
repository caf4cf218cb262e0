"""The people in the scenarios: at the phones, and in Odoo with a browser each."""

import contextlib
import functools

from . import demo, e2e_routing, e2e_self_test, paths, testbed
from .browser import BrowserError
from .e2e_tour import ScenarioFailed, Tab

#: Of the simulator: the greeting takes two seconds, and a phone rings for ten, so that
#: a slow browser has time.
SPEED = 3
EVIDENCE = paths.LOGS / "e2e_browser"
MINE = "/odoo/my-calls"

ANNA, BORIS, VERA = "101", "102", "103"
IVAN, VOLKOV, BELOVS = "74950000201", "74950000204", "74950000206"
LEAD = "Поставка офисной мебели"  # Ivan's, with Anna


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
        self.post("settings", speed=SPEED)
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
        # Odoo shows new users these tips by a tour, which would disturb those of tests.
        self._server.call("web_tour.tour", "consume", ["mango_office_tips"])

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


def _keep(page, path):
    """Save a page's screenshot and console."""
    log = path.with_suffix(".log")
    log.write_text("\n".join(f"{kind}: {text}" for kind, text in page.console))
    try:
        page.screenshot(path)
    except BrowserError as error:
        return f"{log} (no picture: {error})"
    return f"{path}, {log}"
