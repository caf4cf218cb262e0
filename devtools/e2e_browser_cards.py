"""The scenarios of the call card and the board in a browser."""

from .e2e_people import ANNA, BELOVS, BORIS, IVAN, MINE, VOLKOV


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


SCENARIOS = [
    inbound_with_note,
    two_tabs,
    group_ring,
    choice,
    unknown_caller,
    unknown_caller_in_russian,
    board,
]
