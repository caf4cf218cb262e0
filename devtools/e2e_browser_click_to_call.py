"""The scenarios of calls by a click in a browser."""

from .e2e_people import ANNA, LEAD, MINE

OTHER_LEAD = "Кухня для новой квартиры"
HURRY = 60  # simulator's speed where nobody answers: 30 s take half a second


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
    planned_call,
    planned_call_in_russian,
    dial_pad,
]
