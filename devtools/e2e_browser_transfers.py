"""The scenarios of transfers in a browser."""

from .e2e_people import ANNA, BORIS, IVAN, MINE


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


SCENARIOS = [
    transfer_blind,
    transfer_after_asking,
    transfer_declined,
    transfer_given_up,
]
