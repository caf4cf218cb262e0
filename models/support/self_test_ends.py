"""The possible results of the self-test's steps, each with a verdict and advice."""

from typing import NamedTuple

from odoo.tools.translate import LazyGettext, LazyTranslate

_lt = LazyTranslate(__name__)

WAITING = "waiting"
OK = "ok"
WARNING = "warning"
FAILED = "failed"


class End(NamedTuple):
    """``sentence`` may name values of the judgement, as ``%(name)s``."""

    verdict: str
    sentence: LazyGettext | str


ENDS = {
    # PBX reachable
    "connected": End(OK, _lt("Everything works.")),
    "connected_but": End(WARNING, "%(reason)s"),
    "not_connected": End(FAILED, "%(reason)s"),
    # Users loaded
    "staff": End(OK, _lt("Extensions: %(count)s, with an employee: %(mapped)s.")),
    "no_own_extension": End(
        WARNING,
        _lt(
            "Extensions: %(count)s, with an employee: %(mapped)s. You have none "
            "yourself, so click-to-call cannot be tested: assign yourself one."
        ),
    ),
    "no_extensions": End(
        FAILED,
        _lt("No extension is known. Press Load PBX Users on the PBX's form."),
    ),
    # Call in
    "no_call_yet": End(
        WAITING,
        _lt(
            "No notification has been received yet. Call, let the greeting play, "
            "and check again."
        ),
    ),
    "greeting_plays": End(
        WAITING, _lt("The greeting is playing. Check again in a moment.")
    ),
    "routed": End(
        OK,
        _lt(
            "The greeting lasted %(greeting)s s; the PBX took the route "
            "after %(route)s s. Rung: %(rung)s."
        ),
    ),
    "routed_at_once": End(
        OK,
        _lt(
            "The PBX took the route after %(route)s s, before the greeting "
            "was over. Rung: %(rung)s."
        ),
    ),
    "routed_untold": End(
        OK,
        _lt(
            "The greeting lasted %(greeting)s s; the PBX took the route. "
            "Rung: %(rung)s."
        ),
    ),
    "greeting_short": End(
        WARNING,
        _lt(
            "Routed, but the greeting leaves only %(greeting)s s. About ten "
            "are safe. Rung: %(rung)s."
        ),
    ),
    "route_unclear": End(
        WARNING,
        _lt(
            "Odoo told the PBX whom to ring, and the PBX has not told what came of "
            "it. Were events of command results switched off in its cabinet?"
        ),
    ),
    "not_routed": End(
        WARNING,
        _lt(
            "The greeting lasted %(greeting)s s. Odoo did not route the call. "
            "%(reason)s To see a call routed, call from the number of a contact "
            "whose salesperson has an extension."
        ),
    ),
    "no_call": End(
        FAILED,
        _lt(
            "No notification of a call from this number has been received for two "
            "minutes. In the PBX's cabinet, check the address of the external "
            "system and that events of calls are on; check that your number is not "
            "hidden."
        ),
    ),
    "no_greeting": End(
        FAILED,
        _lt(
            "The call rang without a greeting, so there is no time to route it. "
            "Set a greeting of about ten seconds in the scheme of this line."
        ),
    ),
    "greeting_too_short": End(
        FAILED,
        _lt(
            "The greeting lasted %(greeting)s s: too short to route. Set one "
            "of about ten seconds, and “wait for end”."
        ),
    ),
    "route_failed": End(FAILED, _lt("The PBX did not take the route. %(reason)s")),
    # Call by click
    "press_call": End(
        WAITING, _lt("Press Call Now: your phone rings, then your mobile.")
    ),
    "own_phone_rings": End(WAITING, _lt("Your own phone should ring. Pick it up.")),
    "call_goes_on": End(WAITING, _lt("Answer, talk for some seconds, and hang up.")),
    "call_answered": End(OK, _lt("Both phones rang, and you talked.")),
    "call_not_answered": End(
        WARNING, _lt("There was no talk. %(reason)s. Press Call Now once more.")
    ),
    "call_refused": End(FAILED, _lt("There was no call. %(reason)s")),
    "no_call_of_command": End(
        FAILED,
        _lt(
            "The PBX accepted the command, but nothing rang for two minutes. Is a "
            "phone registered for your extension?"
        ),
    ),
    # Recording
    "no_recording_yet": End(
        WAITING, _lt("No recording is announced yet; it usually takes a minute.")
    ),
    "recording_comes": End(
        WAITING,
        _lt("The recording is announced and being fetched. Check again in a moment."),
    ),
    "recording_ready": End(OK, _lt("The recording is here, and can be listened to.")),
    "recording_played": End(OK, _lt("The recording is here, and you have played it.")),
    "no_recording": End(
        WARNING,
        _lt(
            "No recording was announced. If calls are recorded, switch events of "
            "recordings and cloud storage on in the PBX's cabinet."
        ),
    ),
    "recording_failed": End(
        FAILED, _lt("The recording could not be fetched. %(reason)s")
    ),
    # Statistics
    "statistics_ordered": End(
        WAITING,
        _lt("The PBX is preparing its statistics. Check again in some seconds."),
    ),
    "statistics_busy": End(
        WAITING,
        _lt("The PBX is busy with other requests. Check again in some seconds."),
    ),
    "same_times": End(
        OK,
        _lt(
            "The statistics have the call at the same time (%(seconds)s s off): "
            "clocks and time zone are right."
        ),
    ),
    "nothing_to_compare": End(
        WARNING,
        _lt("None of the test's calls is known, so there is nothing to compare."),
    ),
    "not_in_statistics": End(
        WARNING,
        _lt(
            "The call is not in the statistics yet. They may be delayed by some "
            "minutes."
        ),
    ),
    "statistics_refused": End(FAILED, "%(reason)s"),
    "other_time_zone": End(
        FAILED,
        _lt(
            "The statistics have the call %(hours)s hours off: the PBX uses another "
            "time zone than Odoo expects, so imported calls have wrong times. Report "
            "it: Export for Support, in the call's menu."
        ),
    ),
    "other_times": End(
        FAILED,
        _lt(
            "The statistics have the call %(seconds)s s off, so imported calls have "
            "other times than live ones. Report it: Export for Support, in the call's "
            "menu."
        ),
    ),
}
