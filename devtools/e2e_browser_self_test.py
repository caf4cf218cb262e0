"""The scenario of the self-test in a browser."""

from .e2e_people import VERA


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
    self_test,
    self_test_in_russian,
]
