"""The scenarios of missed clients in a browser."""

from .e2e_people import ANNA, IVAN, MINE, VOLKOV


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


SCENARIOS = [
    missed_and_redial,
    waiting_on_two_screens,
    waiting_on_two_screens_in_russian,
]
