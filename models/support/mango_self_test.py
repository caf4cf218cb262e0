from datetime import timedelta, timezone

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command, Domain

from ...tools.datetimes import to_epoch
from ...vpbx import errors, statistics
from . import self_test

#: The steps in order.
STEPS = ("connection", "staff", "inbound", "outbound", "recording", "statistics")

#: The period of the statistics around the calls.
AROUND = timedelta(minutes=10)

#: The largest difference caused by a wrong time zone.
MOST_HOURS = 4

#: How many calls of that period are checked.
PAGE = 500


class MangoSelfTest(models.TransientModel):
    """A test with real calls, step by step."""

    _name = "mango.self.test"
    _description = "Self-Test with Real Calls"

    account_id = fields.Many2one(
        "mango.account", string="PBX", required=True, ondelete="cascade"
    )
    line_id = fields.Many2one(
        "mango.line",
        string="Line to Call",
        domain="[('account_id', '=', account_id)]",
        ondelete="set null",
    )
    mobile = fields.Char(
        string="Your Mobile", help="The phone that you use for the test's calls."
    )
    step = fields.Selection(selection="_selection_step", default=STEPS[0])
    state = fields.Selection(selection="_selection_state", compute="_compute_state")
    since = fields.Datetime(default=lambda self: fields.Datetime.now())
    call_id = fields.Many2one("mango.call", string="Call In", ondelete="set null")
    ordered_call_id = fields.Many2one(
        "mango.call", string="Call by Click", ondelete="set null"
    )
    command_id = fields.Many2one("mango.command", ondelete="set null")
    # By id and not by time: a command is stored in a transaction of its own.
    last_command = fields.Integer(help="The user's newest one before the test.")
    report_key = fields.Char()
    step_ids = fields.One2many("mango.self.test.step", "test_id", string="Steps")

    # ------------------------------------------------------------
    # Fields
    # ------------------------------------------------------------

    @api.model
    def _selection_step(self):
        names = {
            "connection": self.env._("PBX reachable"),
            "staff": self.env._("Users loaded"),
            "inbound": self.env._("Call in"),
            "outbound": self.env._("Call by click"),
            "recording": self.env._("Recording"),
            "statistics": self.env._("Statistics"),
        }
        return [*names.items(), ("done", self.env._("Report"))]

    @api.model
    def _selection_state(self):
        return self.env["mango.self.test.step"]._fields["state"].selection

    @api.depends("step", "step_ids.state")
    def _compute_state(self):
        for test in self:
            test.state = test._line().state or self_test.WAITING

    def _line(self):
        return self.step_ids.filtered(lambda line: line.step == self.step)

    # ------------------------------------------------------------
    # Steps
    # ------------------------------------------------------------

    @api.model
    def _open(self, account):
        """Return the action that opens a new test.

        :param mango.account account: to test.
        :rtype: dict
        """
        user = self.env.user
        test = self.create(
            {
                "account_id": account.id,
                "line_id": account.line_ids[:1].id,
                "mobile": user.partner_id.phone,
                "last_command": self.env["mango.command"]
                .search([("user_id", "=", user.id)], limit=1)
                .id,
                "step_ids": [Command.create({"step": step}) for step in STEPS],
            }
        )
        return test._action()

    def _action(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Self-Test"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }

    def action_look(self):
        """Check the result of the present step."""
        self.check_access("write")
        for test in self:
            if test.step != "done":
                judgement = getattr(test, f"_look_at_{test.step}")()
                test._line().write(
                    {
                        "state": judgement.verdict,
                        "message": test._sentence(judgement),
                    }
                )
        return self._action()

    def action_next(self):
        """Continue with the next step, whatever the result of this one."""
        self.check_access("write")
        for test in self.filtered(lambda test: test.step != "done"):
            following = [*STEPS, "done"][STEPS.index(test.step) + 1]
            test.write({"step": following, "since": fields.Datetime.now()})
        return self._action()

    def action_call(self):
        """Make the PBX ring the user's own phone, then the mobile."""
        self.check_access("write")
        for test in self:
            if not test.mobile:
                raise UserError(self.env._("Enter the number of your mobile first."))
            self.env.user.mango_call(test.mobile)
            test.since = fields.Datetime.now()
        return self.action_look()

    def action_print(self):
        """Print the results."""
        self.check_access("read")
        return self.env.ref("mango_office.mango_self_test_report").report_action(self)

    # ------------------------------------------------------------
    # Checks
    # ------------------------------------------------------------

    def _look_at_connection(self):
        check = self.env["mango.connection.check"]._run(self.account_id)
        states = check.line_ids.mapped("state")
        messages = check.line_ids.filtered(lambda line: line.state != "ok")
        values = {"reason": " ".join(messages.mapped("message"))}
        if self_test.FAILED in states:
            return self_test.Judgement(self_test.FAILED, "said", values)
        if check.is_fine:
            return self_test.Judgement(self_test.OK, "connected")
        return self_test.Judgement(self_test.WARNING, "said", values)

    def _look_at_staff(self):
        account = self.account_id
        values = {
            "count": account.extension_count,
            "mapped": account.mapped_extension_count,
        }
        if not account.extension_count:
            return self_test.Judgement(self_test.FAILED, "no_extensions")
        if not self.env.user._mango_caller_extension():
            return self_test.Judgement(self_test.WARNING, "no_own_extension", values)
        return self_test.Judgement(self_test.OK, "staff", values)

    def _waited(self):
        return (fields.Datetime.now() - self.since).total_seconds()

    def _look_at_inbound(self):
        mobile = self.account_id._e164(self.mobile or "")
        call = self.env["mango.call"].search(
            Domain("account_id", "=", self.account_id.id)
            & Domain("direction", "=", "inbound")
            & Domain("create_date", ">=", self.since)
            & Domain("client_number", "=", mobile),
            limit=1,
        )
        self.call_id = call
        menu = call.leg_ids.filtered(lambda leg: leg.location == "ivr")
        return self_test.judge_inbound(
            self_test.Inbound(
                waited=self._waited(),
                is_there=bool(call),
                greeting=_seconds(menu),
                in_greeting=bool(menu.filtered(lambda leg: not leg.ended_at)),
                route_state=call.route_state or "none",
                route_reason=call.route_reason or "",
                route_after=self._seconds_to_route(call.event_ids),
                rung=call.routed_extension_id.display_name or "",
            )
        )

    def _seconds_to_route(self, events):
        """Return the time until the PBX reported the outcome of the route.

        :param mango.event events: of the call, in the order of arrival.
        :rtype: int | None
        """
        told = events.filtered(lambda event: event.kind == "result/route")[:1]
        if not told:
            return None
        return int((told.received_at - events[0].received_at).total_seconds())

    def _look_at_outbound(self):
        command = self.env["mango.command"].search(
            Domain("account_id", "=", self.account_id.id)
            & Domain("kind", "=", "callback")
            & Domain("user_id", "=", self.env.uid)
            & Domain("id", ">", self.last_command)
            & Domain("to_number", "=", self.account_id._e164(self.mobile or "")),
            limit=1,
        )
        call = command._call() if command else self.env["mango.call"]
        self.write({"command_id": command.id, "ordered_call_id": call.id})
        return self_test.judge_outbound(
            self_test.Outbound(
                command_state=command.state or None,
                command_reason=command.reason or "",
                call_state=call.state or None,
                result=call.result or None,
                end_reason=call.end_reason_text or "",
                waited=self._waited(),
            )
        )

    def _look_at_recording(self):
        recordings = (self.call_id | self.ordered_call_id).recording_ids
        wanted = recordings.filtered(lambda one: one.state == "announced")
        if wanted:
            wanted.action_request()
        return self_test.judge_recording(
            recordings.mapped("state"),
            self._waited(),
            " ".join(filter(None, recordings.mapped("error"))),
        )

    def _look_at_statistics(self):
        """Order the statistics at the first check, and read them at the next."""
        call = self.call_id or self.ordered_call_id
        if not call:
            return self_test.Judgement(self_test.WARNING, "nothing_to_compare")
        try:
            report = self._statistics(call)
        except errors.VpbxError as error:
            reason = self.env["mango.error.message"]._explain_error(error)
            return self_test.Judgement(self_test.FAILED, "said", {"reason": reason})
        if not report or report.status == statistics.PENDING:
            return self_test.Judgement(self_test.WAITING, "statistics_ordered")
        self.report_key = False
        told = [
            statistics.parse(statistics.as_text(entry))
            for entry in report.entries
            if entry.get("entry_id") == call.entry_id
        ]
        started_at = told[0].started_at if told else None
        return self_test.judge_statistics(started_at, to_epoch(call.started_at))

    def _statistics(self, call):
        """Make one request: the order, or a poll.

        :return: None after the order.
        :rtype: Report | None
        """
        client = self.account_id._client()
        if self.report_key:
            return client.calls(self.report_key)
        started_at = call.started_at.replace(tzinfo=timezone.utc)
        # A call that is hours off must be found, too.
        around = AROUND + timedelta(hours=MOST_HOURS)
        self.report_key = client.request_calls(
            started_at - around, started_at + around, PAGE, 0
        )
        return None

    # ------------------------------------------------------------
    # Messages
    # ------------------------------------------------------------

    def _sentence(self, judgement):
        """Return the message of a judgement.

        :param Judgement judgement: of the present step.
        :rtype: str
        """
        return self._sentences()[judgement.sentence] % judgement.values

    def _sentences(self):
        """Return the messages by name; their values are inserted later."""
        return {
            **self._sentences_of_set_up(),
            **self._sentences_of_calls(),
            **self._sentences_of_what_follows(),
        }

    def _sentences_of_set_up(self):
        return {
            "said": "%(reason)s",
            "connected": self.env._("Everything works."),
            "no_extensions": self.env._(
                "No extension is known. Press Load PBX Users on the PBX's form."
            ),
            "no_own_extension": self.env._(
                "Extensions: %(count)s, with an employee: %(mapped)s. You have none "
                "yourself, so click-to-call cannot be tested: assign yourself one."
            ),
            "staff": self.env._("Extensions: %(count)s, with an employee: %(mapped)s."),
        }

    def _sentences_of_calls(self):
        return {
            "no_call_yet": self.env._(
                "No notification has been received yet. Call, let the greeting play, "
                "and check again."
            ),
            "no_call": self.env._(
                "No notification of a call from this number has been received for two "
                "minutes. In the PBX's cabinet, check the address of the external "
                "system and that events of calls are on; check that your number is not "
                "hidden."
            ),
            "no_greeting": self.env._(
                "The call rang without a greeting, so there is no time to route it. "
                "Set a greeting of about ten seconds in the scheme of this line."
            ),
            "greeting_plays": self.env._(
                "The greeting is playing. Check again in a moment."
            ),
            "greeting_too_short": self.env._(
                "The greeting lasted %(greeting)s seconds: too short to route. Set one "
                "of about ten seconds, and “wait for end”."
            ),
            "greeting_short": self.env._(
                "Routed, but the greeting leaves only %(greeting)s seconds. About ten "
                "are safe. Rung: %(rung)s."
            ),
            "routed": self.env._(
                "The greeting lasted %(greeting)s seconds; the PBX took the route "
                "after %(route)s seconds. Rung: %(rung)s."
            ),
            "routed_at_once": self.env._(
                "The PBX took the route after %(route)s seconds, before the greeting "
                "was over. Rung: %(rung)s."
            ),
            "routed_untold": self.env._(
                "The greeting lasted %(greeting)s seconds; the PBX took the route. "
                "Rung: %(rung)s."
            ),
            "route_failed": self.env._("The PBX did not take the route: %(reason)s"),
            "route_unclear": self.env._(
                "Odoo told the PBX whom to ring, and the PBX has not told what came of "
                "it. Were events of command results switched off in its cabinet?"
            ),
            "not_routed": self.env._(
                "The greeting lasted %(greeting)s seconds. Odoo did not route the "
                "call: %(reason)s"
            ),
            "press_call": self.env._("Press Call: your phone rings, then your mobile."),
            "call_refused": self.env._("The call was refused: %(reason)s"),
            "own_phone_rings": self.env._("Your own phone should ring. Pick it up."),
            "no_call_of_command": self.env._(
                "The PBX accepted the command, but nothing rang for two minutes. Is a "
                "phone registered for your extension?"
            ),
            "call_goes_on": self.env._("Answer, talk for some seconds, and hang up."),
            "call_answered": self.env._("Both phones rang, and you talked."),
            "call_not_answered": self.env._("There was no talk: %(reason)s"),
        }

    def _sentences_of_what_follows(self):
        return {
            "recording_ready": self.env._(
                "The recording is here. Open the call and listen to it."
            ),
            "recording_failed": self.env._(
                "The recording could not be fetched: %(reason)s"
            ),
            "recording_comes": self.env._(
                "The recording is announced and being fetched. Check again in a moment."
            ),
            "no_recording_yet": self.env._(
                "No recording is announced yet; it usually takes a minute."
            ),
            "no_recording": self.env._(
                "No recording was announced. If calls are recorded, switch events of "
                "recordings and cloud storage on in the PBX's cabinet."
            ),
            "nothing_to_compare": self.env._(
                "None of the test's calls is known, so there is nothing to compare."
            ),
            "statistics_ordered": self.env._(
                "The PBX is preparing its statistics. Check again in some seconds."
            ),
            "not_in_statistics": self.env._(
                "The call is not in the statistics yet. They may be delayed by some "
                "minutes."
            ),
            "same_times": self.env._("The statistics have the call at the same time."),
            "other_time_zone": self.env._(
                "The statistics have the call %(hours)s hours off: the time zone is "
                "not what Odoo expects."
            ),
            "other_times": self.env._(
                "The statistics have the call %(seconds)s seconds off."
            ),
        }


def _seconds(legs):
    """Return the total duration of some locations of a call; None without any."""
    started = legs.filtered("started_at").mapped("started_at")
    ended = legs.filtered("ended_at").mapped("ended_at")
    if not started or not ended:
        return None
    return int((max(ended) - min(started)).total_seconds())


class MangoSelfTestStep(models.TransientModel):
    _name = "mango.self.test.step"
    _description = "Step of the Self-Test"
    _order = "id"

    test_id = fields.Many2one(
        "mango.self.test", required=True, index=True, ondelete="cascade"
    )
    step = fields.Selection(
        selection=lambda self: self.env["mango.self.test"]._selection_step(),
        required=True,
        readonly=True,
    )
    state = fields.Selection(
        [
            (self_test.WAITING, "To Do"),
            (self_test.OK, "OK"),
            (self_test.WARNING, "Needs Attention"),
            (self_test.FAILED, "Not Working"),
        ],
        string="Result",
        required=True,
        readonly=True,
        default=self_test.WAITING,
    )
    message = fields.Char(readonly=True)
