"""Accessibility problems of our screens, found by axe-core.

Only our own parts of the page are checked, not Odoo's web client.
"""

import json

from . import paths

AXE = paths.NODE_TOOLS / "node_modules" / "axe-core" / "axe.min.js"
IMPACTS = ["serious", "critical"]
MINE = "/odoo/my-calls"
ANNA = "101"
IVAN, VOLKOV, BELOVS = "74950000201", "74950000204", "74950000206"

CARD = ".o_mango_card"
DOCK = ".o_mango_player_dock"
MENU = ".o_mango_call_menu"
BOARD = ".o_mango_board .o_content"
TILE = ".o_mango_board_tile"
#: CSS pixels
PHONE = {"width": 390, "height": 844}
TABS = ["dial", "missed", "planned", "recent"]
#: Our fields in a list or a form of Odoo's.
FIELDS = "[class*='o_field_mango'], .o_mango_recording"
#: Odoo's own pictures of users in them.
ODOO = "img[src*='/avatar_128']"
FORM = f"{FIELDS}, .o_mango_timeline, .o_mango_recordings"

FIND = """
axe.run(
    {include: [%s], exclude: [%s]}, {resultTypes: ["violations"]}
).then(({violations}) =>
    violations
        .filter(({impact}) => %s.includes(impact))
        .flatMap(({id, impact, help, nodes}) =>
            nodes.map(({html, failureSummary}) =>
                `${id} (${impact}): ${help}\\n  ${html}\\n  ${failureSummary}`
            )
        )
)
"""


def find_problems(page, selector):
    """Check a part of a page.

    :param Page page: the tab.
    :param str selector: of the part to check; it must exist.
    :return: a description of each serious or critical finding.
    :rtype: list[str]
    """
    page.add_script(AXE)
    values = map(json.dumps, (selector, ODOO, IMPACTS))
    return page.evaluate(FIND % tuple(values))


# ---------------------------------------------------------------------------
# Scenarios


def accessible_card(people):
    """the call card is accessible, from ringing to its end"""
    page = people.anna.open(MINE).page
    people.call(IVAN)
    found = _look(page, f"{CARD}[data-phase=ringing]")
    people.pick_up(ANNA)
    found += _look(page, f"{CARD}[data-phase=talking]")
    page.click(f"{CARD} .o_mango_transfer")
    page.wait_for_selector(".o_mango_colleague")
    found += _look(page, ".o_mango_transfer_panel")
    page.click(".o_mango_colleague .o_mango_transfer_hold")
    page.wait_for_selector(f"{CARD}[data-phase=hold] .o_mango_stop_consulting")
    found += _look(page, f"{CARD}[data-phase=hold]")
    people.client("hangup")
    found += _look(page, f"{CARD}[data-phase=ended]")
    _expect_none(people, found)


def accessible_card_of_two(people):
    """the card is accessible that asks which contact it is, and once it was missed"""
    page = people.boris.open(MINE).page
    people.call(BELOVS)
    page.wait_for_selector(f"{CARD} .o_mango_candidate")
    found = _look(page, f"{CARD}[data-phase=ringing]")
    people.client("hangup")
    found += _look(page, f"{CARD}[data-phase=ended]")
    _expect_none(people, found)


def accessible_menu(people):
    """the telephone menu is accessible, with each of its tabs"""
    people.plan_call()
    page = people.anna.open(MINE).page
    people.call(VOLKOV, greeting=0)
    page.wait_for_selector(f"{CARD}[data-phase=ringing]")
    people.client("hangup")
    page.click(".o_mango_systray")
    found = _look(page, ".o_mango_systray")
    for tab in TABS:
        page.click(f"{MENU} [data-tab={tab}]")
        page.wait_for_selector(f"{MENU} .active[data-tab={tab}]")
        page.wait_for_selector(f"{MENU}_body button")
        found += _look(page, MENU)
    _expect_none(people, found)


def accessible_board(people):
    """the board is accessible, while a phone rings and during a talk"""
    page = people.vera.open("/odoo/calls-board").page
    people.call(IVAN)
    page.wait_for_selector(f"{TILE}[data-state=ringing]")
    found = _look(page, BOARD)
    people.pick_up(ANNA)
    page.wait_for_selector(f"{TILE}[data-state=talking]")
    found += _look(page, BOARD)
    _expect_none(people, found)


def accessible_list(people):
    """our fields in the list of calls are accessible"""
    page = _open_calls_after_talk(people)
    page.wait_for_selector(".o_data_row .o_mango_request")
    _expect_none(people, _look(page, FIELDS))


def accessible_form(people):
    """our parts of a call's form are accessible"""
    page = _open_calls_after_talk(people)
    page.click(".o_data_row td[name=started_at]")
    page.wait_for_selector(".o_mango_timeline")
    page.wait_for_selector(".o_mango_recordings")
    _expect_none(people, _look(page, FORM))


def accessible_player(people):
    """the player is accessible, in its dock and on a call's form"""
    page = _open_calls_after_talk(people)
    page.click(".o_data_row .o_mango_request")
    page.click(".o_data_row .o_mango_play")
    page.wait_for_selector(f"{DOCK} [data-status=playing]")
    found = _look(page, DOCK)
    page.click(f"{DOCK} .o_mango_player_origin")
    page.wait_for_selector(".o_mango_recordings .o_mango_player")
    found += _look(page, ".o_mango_recordings")
    _expect_none(people, found)


def accessible_on_a_phone(people):
    """on a phone, the cards of calls, recordings and missed clients are accessible"""
    people.talk_with_anna()
    people.call(VOLKOV, greeting=0)
    people.wait_until_rings(ANNA)
    people.client("hangup")
    found = []
    for path in ("/odoo/calls", "/odoo/call-recordings", "/odoo/to-call-back"):
        page = people.vera.open_page(path, **PHONE)
        found += _look(page, ".o_kanban_renderer .o_kanban_record")
    _expect_none(people, found)


def _open_calls_after_talk(people):
    people.talk_with_anna()
    page = people.anna.open(MINE).page
    page.click(f"{CARD} .o_mango_close")
    page.wait_for_no_selector(CARD)
    return page


def _look(page, selector):
    page.wait_for_selector(selector)
    return find_problems(page, selector)


def _expect_none(people, found):
    people.expect("\n".join(dict.fromkeys(found)), "")


SCENARIOS = [
    accessible_card,
    accessible_card_of_two,
    accessible_menu,
    accessible_board,
    accessible_list,
    accessible_form,
    accessible_player,
    accessible_on_a_phone,
]
