"""``./dev screenshots``: pictures of our screens, taken of the running ``./dev demo``.

Each screen is taken in each language and width, as ``<screen>.<lang>.<width>.png``. It
is opened anew each time, so a picture shows what a user with that screen sees. The
pictures of the documentation and of the app's page are taken by it too.
"""

import contextlib
import itertools
import shutil
import sys
import urllib.error
from typing import NamedTuple

from PIL import Image

from . import demo, environment, paths, testbed
from .browser import Browser, BrowserError
from .console import Failure, step
from .e2e_people import ANNA, BORIS, IVAN, LEAD, MINE, VOLKOV, Person
from .report import Report

#: Where the pictures of the documentation and of the app's page are.
OURS = (paths.ROOT / "docs" / "images", paths.ROOT / "static" / "description")
LANGUAGES = {"en": "en_US", "ru": "ru_RU"}
DESK, PHONE = 1400, 390
SIZES = {DESK: 900, PHONE: 844}  # CSS pixels
CRM_SETTINGS = {
    "lead_policy": "never",
    "outcome_required": False,
    "block_by_users": False,
}
BLOCK_REASONS = {"en_US": "Advertising robot", "ru_RU": "Рекламный робот"}
PASSWORDS = {"admin": "admin"}  # others use the demo's
LISTENED = 9  # calls whose recordings are fetched
HURRY = 5  # simulator's speed while the earlier calls are played
STRANGER, SPAMMER = "74950000297", "74950000299"
COLOURS = 256  # of a picture: a third of the size, without a visible difference
#: True once the view of the page is there, behind whatever is opened over it.
OPENED = "document.querySelector('.o_action_manager')?.childElementCount > 0"
#: True once rendering is complete; nothing may point at what a new user is to do.
DRAWN = (
    "document.fonts.status === 'loaded'"
    " && ![...document.images].some((one) => !one.complete && one.loading !== 'lazy')"
    " && !document.querySelector('.o_loading_indicator, .o_tour_pointer')"
)
#: Holds once the figures of a dashboard are there.
COUNTED = """(() => {
    const { services } = odoo.__WOWL_DEBUG__.root.env;
    const dashboard = services.spreadsheet_dashboard_loader.getActiveDashboard();
    const getters = dashboard?.model?.getters;
    return getters?.getSheetIds().every((sheet) =>
        getters.getEvaluatedCells(sheet).every((cell) => cell.value !== "Loading..."));
})()"""
#: Holds once charts, which are loaded and then grow, have looked alike for many frames.
GROWN = """(() => {
    const charts = [...document.querySelectorAll("canvas")];
    const look = charts.map((chart) => chart.toDataURL()).join();
    window.alike = look === window.look ? window.alike + 1 : 0;
    window.look = look;
    return window.alike > 40;
})()"""

SHOW_PAST = """(async () => {
    const { action } = odoo.__WOWL_DEBUG__.root.env.services;
    const calls = await action.loadAction("mango_office.mango_call_action");
    const past = { ...calls, context: {}, domain: [["source", "=", "statistics"]] };
    await action.doAction(past, { clearBreadcrumbs: true });
})()"""

PLAYER = ".o_mango_player"
CARD = ".o_mango_card"
#: On a phone, only the head of a card is shown at first.
EXPAND = f"document.querySelector('{CARD} [aria-expanded=false]')?.click()"
#: There, the buttons above a list are in a menu.
UNFOLD = "document.querySelector('button.o-control-panel-adaptive-dropdown')?.click()"
#: There, most of a form's buttons are in one, too.
MORE = "document.querySelector('.o_statusbar_buttons .o-dropdown')?.click()"
MENU = ".o_mango_call_menu"
DIALOG = ".modal"
DASHBOARD = ".o_search_panel_category_value"


# ---------------------------------------------------------------------------
# Screens: actions before the picture is taken


def call_card_ringing(running, page):
    running.call(IVAN)
    page.wait_for_selector(f"{CARD}[data-phase=ringing]")


def call_card_talking(running, page):
    call_card_ringing(running, page)
    running.pick_up(ANNA)
    page.wait_for_selector(f"{CARD}[data-phase=talking]")


def transfer(running, page):
    call_card_talking(running, page)
    page.evaluate(EXPAND)
    page.click(f"{CARD} .o_mango_transfer")
    page.wait_for_selector(".o_mango_colleague")


def call_card_closed(running, page):
    call_card_talking(running, page)
    page.click(f"{CARD} .o_mango_close")
    _open_menu(page, "recent")
    page.wait_for_selector(f"{MENU} .o_mango_show_card")


def call_card_new_lead(running, page):
    """An unknown caller has got a lead."""
    running.set_up_pbx(lead_policy="answered")
    running.call(STRANGER)
    page.wait_for_selector(f"{CARD}[data-phase=ringing]")
    running.pick_up(ANNA)
    page.wait_for_selector(f"{CARD}[data-phase=talking] .o_mango_lead")
    page.evaluate(EXPAND)


def call_card_outcome_required(running, page):
    running.set_up_pbx(outcome_required=True)
    call_card_talking(running, page)
    running.hang_up_all()
    page.wait_for_selector(f"{CARD}[data-phase=ended]")
    page.evaluate(EXPAND)
    page.click(f"{CARD} .o_mango_close")
    page.wait_for_selector(".o_notification")


def block_number(running, page):
    running.set_up_pbx(block_by_users=True)
    call_card_talking(running, page)
    page.evaluate(EXPAND)
    page.click(f"{CARD} .o_mango_block")
    page.wait_for_selector(f"{DIALOG} [name=reason] input")


def blocked_numbers(running, page):
    running.block()
    page.open(f"{running.url}/odoo/blocked-numbers")
    records(running, page)


def lead_chatter(running, page):
    page.open(f"{running.url}/odoo/crm.lead/{running.lead}")
    page.wait_for_selector(".o_mango_chatter_line .o_mango_play")
    show = "document.querySelector('.o_mango_chatter_line').scrollIntoView()"
    page.evaluate(show)


def pbx_crm(running, page):
    first_record(running, page)
    page.click(".o_notebook [name=crm].nav-link")
    page.wait_for_selector(".o_notebook .tab-pane.active [name=lead_policy]")


def analysis(running, page):
    page.wait_for_selector(".o_pivot td, .o_graph_renderer canvas")


def menu_missed(running, page):
    _open_menu(page, "missed")


def menu_planned(running, page):
    _open_menu(page, "planned")


def menu_recent(running, page):
    _open_menu(page, "recent")


def dial_pad(running, page):
    _open_menu(page, "dial", "button")


def _open_menu(page, tab, content="li"):
    page.click(".o_mango_systray")
    page.click(f"{MENU} [data-tab={tab}]")
    page.wait_for_selector(f"{MENU}_body {content}")


def board(running, page):
    running.call(IVAN)
    running.pick_up(ANNA)
    running.call(VOLKOV)
    running.wait_for_ringing(BORIS)
    page.wait_for_selector(".o_mango_board_tile[data-state=talking]")
    page.wait_for_selector(".o_mango_board_tile[data-state=ringing]")


def wall(running, page):
    board(running, page)
    page.click(".o_mango_board_to_wall")
    page.wait_for_selector(".o_mango_wall_figure")


def dashboard(number):
    """Make the function that opens a dashboard.

    :param int number: its place among the dashboards of calls, from 0.
    """

    def make(running, page):
        page.wait_for_selector("canvas")
        # On a telephone they are behind the name of the current one.
        page.evaluate(
            "document.querySelector('.o_search_panel_current_selection')?.click()"
        )
        page.wait_for_selector(DASHBOARD)
        page.evaluate(f"document.querySelectorAll('{DASHBOARD}')[{number}].click()")
        page.wait_for_selector("canvas.o-scorecard")
        page.wait_for(COUNTED)
        page.wait_for(GROWN)

    return make


def records(running, page):
    page.wait_for_selector(".o_data_row, .o_kanban_record")


def nothing_more(running, page):
    """The list may be empty."""
    page.wait_for_selector(".o_data_row, .o_kanban_record, .o_view_nocontent")


def first_record(running, page):
    page.click(".o_data_row .o_data_cell, .o_kanban_record")
    page.wait_for_selector(".o_form_view")


def call_list(running, page):
    """Show what was fetched of the past, without the calls made for other pictures."""
    records(running, page)
    if running.has_past:
        page.evaluate(SHOW_PAST)
        records(running, page)


def call_form(running, page):
    page.open(f"{running.url}/odoo/calls/{running.talk}")
    page.wait_for_selector(".o_mango_timeline_step")


def call_recordings(running, page):
    call_form(running, page)
    page.wait_for_selector(PLAYER)
    page.evaluate(
        f"document.querySelector('{PLAYER}').scrollIntoView({{ block: 'center' }})"
    )


def settings(running, page):
    page.click(".settings_tab [data-key=mango_office]")
    page.wait_for_selector(".app_settings_block[data-key=mango_office]")


def connection_check(running, page):
    settings(running, page)
    page.click("button[name=action_mango_test_connection]")
    page.wait_for_selector(f"{DIALOG} .o_form_view")


def self_test(running, page):
    first_record(running, page)
    page.evaluate(MORE)
    page.click("button[name=action_self_test]")
    page.click(f"{DIALOG} button[name=action_look]:visible")
    page.wait_for_selector(f"{DIALOG} .badge.text-bg-success")
    page.click(f"{DIALOG} button[name=action_next]:visible")
    page.wait_for_selector(f"{DIALOG} button[name=action_look].btn-primary")


def simulator(running, page):
    running.pbx.post("call", **{"from": IVAN})  # with a greeting, so that Odoo routes
    running.wait_for_ringing(ANNA)
    page.open(f"{running.pbx.url}/?lang={running.language[:2]}")
    page.wait_for_selector(".person.ringing")


def routing_step(running, page):
    page.click(".o_data_row [name=summary]")
    page.wait_for_selector(".o_form_view")


def routing_trial(running, page):
    records(running, page)
    page.evaluate(UNFOLD)
    page.click(":is(.o_control_panel, .dropdown-menu) button[name]:visible")
    page.wait_for_selector(f"{DIALOG} [name=number] input")
    page.fill(f"{DIALOG} [name=number] input", f"+{IVAN}")
    page.wait_for_selector(f"{DIALOG} .o_mango_timeline_step", "Анна")


class Screen(NamedTuple):
    """``login``: the user; ``path``: the page; ``make``: the actions there.

    ``widths``: of the windows that it fits into; ``height``: of a desk's window, if
    the rest would be empty.
    """

    login: str
    path: str
    make: object
    widths: tuple = tuple(SIZES)
    height: int = SIZES[DESK]

    def size(self, width):
        """Return the size of a window.

        :param int width: one of the ``widths``.
        :rtype: dict[str, int]
        """
        height = self.height if width == DESK else SIZES[width]
        return {"width": width, "height": height}


#: Screens of what there is.
QUIET = {
    "call-list": Screen("vera", "/odoo/calls", call_list),
    "call-form": Screen("vera", "/odoo/calls", call_form),
    "call-recordings": Screen("vera", "/odoo/calls", call_recordings),
    "menu-missed": Screen("anna", MINE, menu_missed),
    "menu-planned": Screen("anna", MINE, menu_planned),
    "menu-recent": Screen("anna", MINE, menu_recent),
    "dial-pad": Screen("anna", MINE, dial_pad),
    "dashboard-calls": Screen("vera", "/odoo/call-dashboards", dashboard(0)),
    "dashboard-team": Screen("vera", "/odoo/call-dashboards", dashboard(1)),
    "dashboard-today": Screen("vera", "/odoo/call-dashboards", dashboard(2)),
    "recordings": Screen("vera", "/odoo/call-recordings", records),
    "to-call-back-list": Screen(
        "anna", "/odoo/to-call-back?view_type=list", records, height=360
    ),
    "to-call-back-kanban": Screen(
        "anna", "/odoo/to-call-back?view_type=kanban", records
    ),
    "routing-plan": Screen("admin", "/odoo/call-routing", records, height=360),
    "routing-step": Screen("admin", "/odoo/call-routing", routing_step),
    "routing-trial": Screen("admin", "/odoo/call-routing", routing_trial, height=680),
    "pbx-form": Screen("admin", "/odoo/pbx", first_record),
    "pbx-crm": Screen("admin", "/odoo/pbx", pbx_crm),
    "pbx-lines": Screen("admin", "/odoo/pbx-lines", records),
    "call-outcomes": Screen("admin", "/odoo/call-outcomes", records),
    "calls-by-source": Screen("vera", "/odoo/calls-by-source", analysis),
    "lead-chatter": Screen("anna", MINE, lead_chatter),
    "settings": Screen("admin", "/odoo/settings", settings),
    "connection-check": Screen("admin", "/odoo/settings", connection_check),
    "self-test": Screen("admin", "/odoo/pbx", self_test),
    "surprises": Screen("admin", "/odoo/pbx-surprises", nothing_more),
}
#: Those that make calls come last: their calls would be in the lists of the others.
CALLING = {
    "call-card-ringing": Screen("anna", MINE, call_card_ringing),
    "call-card-talking": Screen("anna", MINE, call_card_talking),
    "call-card-closed": Screen("anna", MINE, call_card_closed),
    "call-card-new-lead": Screen("anna", MINE, call_card_new_lead),
    "call-card-outcome-required": Screen("anna", MINE, call_card_outcome_required),
    "block-number": Screen("anna", MINE, block_number),
    "blocked-numbers": Screen("vera", "/odoo/calls", blocked_numbers),
    "transfer": Screen("anna", MINE, transfer),
    "board": Screen("vera", "/odoo/calls-board", board),
    "wall": Screen("vera", "/odoo/calls-board", wall, (DESK,)),
    "simulator": Screen("anna", MINE, simulator, (DESK,)),
}
SCREENS = {**QUIET, **CALLING}


# ---------------------------------------------------------------------------
# Taking pictures


def main(folder, names, again, port, pbx_port):
    """Take the pictures.

    :param pathlib.Path folder: folder for the pictures; older ones are replaced. None
        to retake those that :data:`OURS` have.
    :param list names: of :data:`SCREENS`; empty for all.
    :param bool again: whether to take only those that the folder has already.
    :param int port: of the demo's Odoo.
    :param int pbx_port: of the demo's simulator.
    :return: exit status.
    :rtype: int
    :raise Failure: if no demo runs there, or a screen is unknown.
    """
    if unknown := set(names) - SCREENS.keys():
        raise Failure(
            f"No screen is called {', '.join(unknown)}: {', '.join(SCREENS)}."
        )
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    running = RunningDemo(port, pbx_port)
    running.prepare()
    report = Report()
    for screens, (language, code) in itertools.product(
        (QUIET, CALLING), LANGUAGES.items()
    ):
        pictures = {
            tuple(found): (screen, width)
            for name, screen in screens.items()
            for width in screen.widths
            if (not names or name in names)
            and (found := places(f"{name}.{language}.{width}.png", folder, again))
        }
        if pictures:
            _take_all(running, code, pictures, report)
    return report.finish()


def places(name, folder=None, again=False):
    """Return where a picture belongs.

    :param str name: of the file.
    :param pathlib.Path folder: None for those of :data:`OURS` that have it already.
    :param bool again: whether the folder must have it already, too.
    :rtype: list[pathlib.Path]
    """
    folders = [folder] if folder else OURS
    again = again or not folder
    return [one / name for one in folders if not again or (one / name).exists()]


def _take_all(running, code, pictures, report):
    """Take pictures in one language.

    :param str code: of the language.
    :param dict pictures: a :class:`Screen` and a width by the paths of the picture.
    :param Report report: where the pictures are added.
    """
    logins = {screen.login for screen, _width in pictures.values()}
    with running.speaking(code), Browser(environment.ensure_browser()) as browser:
        people = {
            login: Person(running, browser, login, PASSWORDS.get(login, demo.PASSWORD))
            for login in logins
        }
        for person in people.values():
            person.leave()  # earlier calls have left cards
        for (path, *copies), (screen, width) in pictures.items():
            problem = _take(running, people, screen, width, path)
            report.add(path.name, not problem, problem)
            for copy in copies:
                shutil.copy(path, copy)


def _take(running, people, screen, width, path):
    """Take a picture.

    :return: the reason if it failed, else empty.
    :rtype: str
    """
    try:
        with step(path.name):
            person = people[screen.login]
            page = person.open_page(screen.path, **screen.size(width))
            page.wait_for(OPENED)
            screen.make(running, page)
            page.wait_for(DRAWN)
            page.screenshot(path)
            _make_small(path)
    except (BrowserError, RuntimeError) as error:
        return str(error)
    finally:
        running.hang_up_all()
        running.set_up_pbx()
        for one in people.values():
            one.leave()
    return ""


def _make_small(path):
    """Reduce a picture to a palette, as it is kept in the repository."""
    with Image.open(path) as picture:
        reduced = picture.convert("RGB").quantize(COLOURS)
    reduced.save(path, optimize=True)


class RunningDemo:
    """The running demo, and its callers.

    :param int port: of Odoo.
    :param int pbx_port: of the simulator.
    :raise Failure: if it is not running.

    ``talk`` is the id of a call with a recording, once prepared, and ``lead`` that of
    the lead of such a call; ``has_past`` tells whether there was a month of calls
    before; ``language`` is the code of everybody's language.
    """

    language = ""

    def __init__(self, port, pbx_port):
        self.url = f"http://{demo.HOST}:{port}"
        self.pbx = testbed.Pbx(f"http://{demo.HOST}:{pbx_port}")
        try:
            self.pbx.get("state")
            self._admin = self.log_in("admin", PASSWORDS["admin"])
        except urllib.error.URLError as error:
            raise Failure(
                f"No demo answers at {self.url} and {self.pbx.url}: start ./dev demo "
                "beside this command, or say where with --port and --pbx-port."
            ) from error

    def log_in(self, login, password):
        """:rtype: Server"""
        return testbed.Server(self.url, demo.DATABASE, login, password)

    def prepare(self):
        """Create a missed client and a planned call, and a talk if there is none yet.

        The demo's other calls end.
        """
        self.hang_up_all()
        past = [("source", "=", "statistics")]
        self.has_past = bool(self._admin.call("mango.call", "search_count", past))
        speed = self.pbx.get("state")["settings"]["speed"]
        self.pbx.post("settings", speed=HURRY)
        try:
            with step("Preparing a talk and a missed call"):
                self._miss(VOLKOV)
                if not self.has_past:
                    self.pbx.play("inbound-known-manager")
        finally:
            self.pbx.post("settings", speed=speed)
        self.talk = self._find_talk()
        last = self._admin.call(
            "mango.call", "search", [("recording_ids", "!=", False)], limit=LISTENED
        )
        self._admin.call("mango.call", "action_request_recordings", [self.talk, *last])
        [call] = self._admin.call(
            "mango.call",
            "search_read",
            [("recording_ids", "!=", False), ("lead_id", "!=", False)],
            ["lead_id"],
            limit=1,
        )
        self.lead = call["lead_id"][0]
        planned = [("activity_type_id.category", "=", "phonecall")]
        if not self._admin.call("mail.activity", "search_count", planned):
            testbed.plan_call(self._admin, "anna", LEAD)

    def _find_talk(self):
        """Return the last talk with most recordings, routed by Odoo if there is one."""
        routed = ("call_id.route_answered", "=", self.has_past)
        [found] = self._admin.call(
            "mango.recording",
            "formatted_read_group",
            [("call_id.result", "=", "answered"), routed],
            ["call_id"],
            ["__count"],
            order="__count DESC, call_id DESC",
            limit=1,
        )
        return found["call_id"][0]

    def set_up_pbx(self, **vals):
        """Set some of the settings for the CRM, and the others as the demo has them."""
        ids = self._admin.call("mango.account", "search", [], limit=1)
        self._admin.call("mango.account", "write", ids, {**CRM_SETTINGS, **vals})

    def block(self):
        """Put a number on the black list."""
        of_spammer = [("client_number", "=", f"+{SPAMMER}")]
        if not self._admin.call("mango.call", "search_count", of_spammer):
            self._miss(SPAMMER)
        [call] = self._admin.call("mango.call", "search", of_spammer, limit=1)
        vals = {"call_id": call, "reason": BLOCK_REASONS[self.language]}
        [block] = self._admin.call("mango.number.block", "create", [vals])
        self._admin.call("mango.number.block", "action_block", [block])

    def _miss(self, number):
        self.call(number)
        self.wait_for_ringing(ANNA)
        self.hang_up_all()

    @contextlib.contextmanager
    def speaking(self, language):
        """Set everybody's language in Odoo for the time of the block."""
        self.language = language
        users = self._admin.search_read("res.users", [], ["lang"])
        self._admin.call(
            "res.users", "write", [user["id"] for user in users], {"lang": language}
        )
        try:
            yield
        finally:
            for user in users:
                vals = {"lang": user["lang"]}
                self._admin.call("res.users", "write", [user["id"]], vals)

    def call(self, number):
        """Let a client call, with phones ringing at once."""
        self.pbx.post("call", **{"from": number}, greeting=0)

    def pick_up(self, extension):
        self.pbx.post("pickup", extension=extension)

    def hang_up_all(self):
        """End all calls."""
        for call in self.pbx.get("state")["calls"]:
            if call["stage"] != "ended":
                self.pbx.post("hangup", entry_id=call["entry_id"])

    def wait_for_ringing(self, extension):
        """Wait until a phone rings."""
        self.pbx.wait_for(
            lambda state: any(extension in call["ringing"] for call in state["calls"]),
            f"phone {extension} to ring",
        )


if __name__ == "__main__":  # .dev/venv/bin/python -m devtools.screens
    from .commands import main as run_command

    sys.exit(run_command(["screenshots", *sys.argv[1:]]))
