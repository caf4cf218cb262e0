"""The scenarios of recordings in a browser."""

from .e2e_people import ANNA, BORIS, IVAN, MINE


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


SCENARIOS = [
    recording_requested_and_played,
    two_recordings,
    recording_of_a_colleague,
]
