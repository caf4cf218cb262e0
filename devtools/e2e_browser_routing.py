"""The scenarios of the routing plan in a browser: the cards, and the calls afterwards.

Whom the plan rings is tested by :mod:`.e2e_routing`; this is about what people read:
why a call rings at them, and later on its form, who was meant and why not.
"""

import json

MINE, BOARD = "/odoo/my-calls", "/odoo/calls-board"
ANNA, BORIS, VERA = "101", "102", "103"
IVAN, VECTOR = "74950000201", "74950000200"  # customers of Anna
STRANGERS = "74950000291", "74950000292", "74950000293"
GREETING = 60  # seconds of the PBX, a few of ours: time enough to be routed
RING_SECONDS = 3
NAMES = {
    ANNA: "Анна Соколова",
    BORIS: "Борис Кузнецов",
    VERA: "Вера Морозова",
}
RUSSIAN = {
    "is talking · you stand in": "разговаривает · вы замещаете",
    "is not available · you stand in": "не на месте · вы замещаете",
    "Is talking.": "Разговаривает.",
    "Is not available.": "Сейчас не может ответить.",
    "Is away.": "Нет на месте.",
    "Does not want to be disturbed.": "Включён режим «Не беспокоить».",
    "Picked up.": "Трубку взяли.",
    "The PBX handles the call itself.": "Дальше звонок ведёт АТС.",
}

CARD, MENU = ".o_mango_card", ".o_mango_call_menu"
#: Holds if a step of the timeline has both texts.
STEP_IS = """[...document.querySelectorAll(".o_mango_timeline_step")].some((step) =>
    [%s, %s].every((text) => step.textContent.includes(text)))"""
STATUS = ".o_mango_status select"


def in_russian(play):
    """Make the same scenario in Russian."""

    def play_in_russian(people):
        with people.speaking("ru_RU"):
            play(people, RUSSIAN.__getitem__)

    play_in_russian.__name__ = f"{play.__name__}_in_russian"
    play_in_russian.__doc__ = f"{play.__doc__}, in Russian"
    return play_in_russian


# ---------------------------------------------------------------------------
# Scenarios; ``say`` translates what is expected.


def owner_busy(people, say=str):
    """owner-busy: the substitute sees why the call rings"""
    anna, boris = _open(people.anna), _open(people.boris)
    with people.planned():
        first = people.call(IVAN, greeting=GREETING)
        _expect_card(anna, "ringing", "Иван Петров")
        people.pick_up(ANNA)
        _expect_card(anna, "talking", "Иван Петров")
        second = people.call(VECTOR, greeting=GREETING)
        why = say("is talking · you stand in")
        _expect_card(boris, "ringing", f"{NAMES[ANNA]} {why}")
        people.pick_up(BORIS)
        _expect_card(boris, "talking", "Вектор")
        for call in (first, second):
            people.post("hangup", entry_id=call["entry_id"])
        _close_ended(boris)
    said = {ANNA: say("Is talking."), BORIS: say("Picked up.")}
    _read_call(people.boris, people.call_path(second), said)


def owner_away_substitute(people, say=str):
    """owner-away-substitute: who is away in Odoo is not rung, nobody is told why"""
    anna, boris = _open(people.anna), _open(people.boris)
    with people.planned(), people.available_afterwards():
        _choose_status(anna, "away")
        call = people.call(IVAN, greeting=GREETING)
        why = say("is not available · you stand in")
        _expect_card(boris, "ringing", f"{NAMES[ANNA]} {why}")
        people.pick_up(BORIS)
        _expect_card(boris, "talking", "Иван Петров")
        people.client("hangup")
        _close_ended(boris)
    anna.wait_for_no_selector(CARD)
    path = people.call_path(call)
    colleague = {ANNA: say("Is not available."), BORIS: say("Picked up.")}
    _read_call(people.boris, path, colleague)
    supervisor = {ANNA: say("Is away."), BORIS: say("Picked up.")}
    _read_call(people.vera, path, supervisor)


def owner_no_answer_next(people):
    """owner-no-answer-next: the call goes on, and leaves the owner's screen"""
    anna, vera = _open(people.anna), _open(people.vera)
    with people.planned(RING_SECONDS), people.available_afterwards():
        _choose_status(_open(people.boris), "dnd")
        call = people.call(IVAN, greeting=GREETING)
        _expect_card(anna, "ringing", "Иван Петров")
        _expect_card(vera, "ringing", f"{NAMES[ANNA]} does not answer · your turn")
        people.pick_up(VERA)
        _expect_card(vera, "talking", "Иван Петров")
        anna.wait_for_no_selector(f"{CARD}[data-phase=ringing]")
        people.client("hangup")
        _close_ended(vera)
    said = {
        ANNA: "Did not answer.",
        BORIS: "Does not want to be disturbed.",
        VERA: "Picked up.",
    }
    _read_call(people.vera, people.call_path(call), said)


def team_longest_idle(people):
    """team-longest-idle: the members of a team are rung in turn"""
    pages = {
        extension: _open(person)
        for extension, person in (
            (ANNA, people.anna),
            (BORIS, people.boris),
            (VERA, people.vera),
        )
    }
    rung = []
    with people.planned():
        for stranger in STRANGERS:
            call = people.call(stranger, greeting=GREETING)
            rung.append(people.wait_until_one_rings(pages))
            page = pages[rung[-1]]
            _expect_card(page, "ringing", "Your turn in the sales team")
            people.pick_up(rung[-1])
            _expect_card(page, "talking")
            people.client("hangup")
            _close_ended(page)
    people.expect(sorted(rung), sorted(pages))
    _read_call(people.vera, people.call_path(call), {rung[-1]: "Picked up."})


def nobody_available(people, say=str):
    """nobody-available: the owner is told of the missed call; its form says why"""
    anna, vera = _open(people.anna), _open(people.vera, BOARD)
    with people.planned(), people.available_afterwards():
        _choose_status(anna, "dnd")
        tile = f".o_mango_board_tile:has-text('{NAMES[BORIS]}')"
        vera.choose(f"{tile} {STATUS}", "away-60")  # a supervisor does it for others
        vera.wait_for_selector(".o_mango_board_tile [data-status=away]")
        _choose_status(vera, "away-day")
        for extension in (ANNA, BORIS, VERA):
            people.post("staff", extension=extension, mode="off")
        call = people.call(IVAN)
        anna.click(f"{MENU} [data-tab=missed]")
        anna.wait_for_selector(f"{MENU}_body button", "Иван Петров")
    said = {
        ANNA: say("Does not want to be disturbed."),
        BORIS: say("Is away."),
        VERA: say("Is away."),
        "": say("The PBX handles the call itself."),
    }
    _read_call(people.vera, people.call_path(call), said)


def two_at_once_one_owner(people):
    """two-at-once-one-owner: one rings at the owner, the other one at the substitute"""
    anna, boris = _open(people.anna), _open(people.boris)
    with people.planned():
        calls = [people.call(one, greeting=GREETING) for one in (IVAN, VECTOR)]
        _expect_card(anna, "ringing")
        why = "is taking another call · you stand in"
        card = _expect_card(boris, "ringing", f"{NAMES[ANNA]} {why}")
        people.pick_up(ANNA)
        people.pick_up(BORIS)
        _expect_card(anna, "talking")
        _expect_card(boris, "talking")
        for call in calls:
            people.post("hangup", entry_id=call["entry_id"])
        _close_ended(boris)
    said = {ANNA: "Is already being rung.", BORIS: "Picked up."}
    # Either of the two may ring at the owner; Ivan's card names his company too.
    call = calls["Иван Петров" not in card]
    _read_call(people.boris, people.call_path(call), said)


SCENARIOS = [
    owner_busy,
    in_russian(owner_busy),
    owner_away_substitute,
    in_russian(owner_away_substitute),
    owner_no_answer_next,
    team_longest_idle,
    nobody_available,
    in_russian(nobody_available),
    two_at_once_one_owner,
]


# ---------------------------------------------------------------------------
# What people do and see


def _open(person, path=MINE):
    """:rtype: Page"""
    return person.open_page(path)


def _choose_status(page, status):
    page.click(".o_mango_systray")
    page.choose(f"{MENU} {STATUS}", status)
    page.wait_for_selector(".o_mango_systray_status")


def _expect_card(page, phase, words=""):
    """:return: the card, as HTML."""
    return page.wait_for_selector(f"{CARD}[data-phase={phase}]", words)


def _close_ended(page):
    _expect_card(page, "ended")
    page.click(f"{CARD} .o_mango_close")
    page.wait_for_no_selector(CARD)


def _read_call(person, path, expected):
    """Open a call, and read in its course whom the plan meant.

    :param Person person: the reader.
    :param str path: of the call.
    :param dict expected: what became of each, by extension; of others under "".
    """
    page = _open(person, path)
    for extension, words in expected.items():
        who = f"{NAMES[extension]} ({extension})" if extension else ""
        page.wait_for(STEP_IS % (json.dumps(who), json.dumps(words)))
