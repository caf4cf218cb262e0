from datetime import timedelta, timezone

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command, Domain

from ...tools.datetimes import to_epoch
from ...vpbx import errors, statistics
from . import self_test, self_test_ends

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
    message = fields.Char(compute="_compute_state")
    since = fields.Datetime(default=lambda self: fields.Datetime.now())
    call_id = fields.Many2one("mango.call", string="Call In", ondelete="set null")
    ordered_call_id = fields.Many2one(
        "mango.call", string="Call by Click", ondelete="set null"
    )
    recording_ids = fields.Many2many(
        "mango.recording", compute="_compute_recording_ids"
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

    @api.depends("step", "step_ids.state", "step_ids.message")
    def _compute_state(self):
        for test in self:
            line = test._line()
            test.state = line.state or self_test_ends.WAITING
            test.message = line.message

    @api.depends("call_id.recording_ids", "ordered_call_id.recording_ids")
    def _compute_recording_ids(self):
        for test in self:
            test.recording_ids = (test.call_id | test.ordered_call_id).recording_ids

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
        self.account_id.check_access("write")
        for test in self:
            if test.step != "done":
                judgement = getattr(test, f"_look_at_{test.step}")()
                line = test._line()
                test._store_answer(
                    lambda own, line=line, judgement=judgement: line.with_env(
                        own
                    )._write_judgement(judgement)
                )
        return self._action()

    def _store_answer(self, store):
        """Store what a step has come to, which may be an answer of the PBX.

        :param Callable store: as for :meth:`mango.account._store_answer`.
        """
        self.account_id._store_answer(store, f"mango_office/self_test/{self.id}")

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
        """Open the results in a tab of their own, which the browser can print.

        The dialog stays, and the server needs no program that makes PDF files.
        """
        self.check_access("read")
        report = self.env.ref("mango_office.mango_self_test_report")
        ids = ",".join(map(str, self.ids))
        return {
            "type": "ir.actions.act_url",
            "url": f"/report/html/{report.report_name}/{ids}",
            "target": "new",
        }

    # ------------------------------------------------------------
    # Checks
    # ------------------------------------------------------------

    def _look_at_connection(self):
        checks = self.env["mango.connection.check"]
        links = checks._check(self.account_id)
        states = {link["state"] for link in links}
        values = {"reason": " ".join(checks._problems(links))}
        if self_test_ends.FAILED in states:
            return self_test.Judgement("not_connected", values)
        if states == {self_test_ends.OK}:
            return self_test.Judgement("connected")
        return self_test.Judgement("connected_but", values)

    def _look_at_staff(self):
        account = self.account_id
        values = {
            "count": account.extension_count,
            "mapped": account.mapped_extension_count,
        }
        if not account.extension_count:
            return self_test.Judgement("no_extensions")
        if not self.env.user._mango_caller_extension():
            return self_test.Judgement("no_own_extension", values)
        return self_test.Judgement("staff", values)

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
                rung=self._rung(call),
            )
        )

    def _rung(self, call):
        """Return whose phones rang.

        :rtype: str
        """
        numbers = set(call.leg_ids._rung().mapped("to_extension"))
        rung = self.account_id.extension_ids.filtered(
            lambda extension: extension.number in numbers
        )
        return ", ".join(rung.mapped("display_name")) or self.env._("nobody")

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
        recordings = self.recording_ids
        wanted = recordings.filtered(lambda one: one.state == "announced")
        if wanted:
            wanted.action_request()
        return self_test.judge_recording(
            recordings.mapped("state"),
            self._waited(),
            " ".join(filter(None, recordings.mapped("error"))),
            self._is_played(recordings),
        )

    def _is_played(self, recordings):
        plays = self.env["mango.recording.play"].search(
            Domain("recording_id", "in", recordings.ids)
            & Domain("user_id", "=", self.env.uid),
            limit=1,
        )
        return bool(plays)

    def _look_at_statistics(self):
        """Order the statistics at the first check, and read them at the next."""
        call = self.call_id or self.ordered_call_id
        if not call:
            return self_test.Judgement("nothing_to_compare")
        try:
            report = self._statistics(call)
        except errors.RateLimitedError:
            # The automatic import may be ordering statistics as well.
            return self_test.Judgement("statistics_busy")
        except errors.VpbxError as error:
            reason = self.env["mango.error.message"]._explain_error(error)
            return self_test.Judgement("statistics_refused", {"reason": reason})
        if not report or report.status == statistics.PENDING:
            return self_test.Judgement("statistics_ordered")
        self._store_report_key(False)
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
        account, key = self.account_id, self.report_key
        if key:
            return account._ask_pbx(lambda client: client.calls(key))
        started_at = call.started_at.replace(tzinfo=timezone.utc)
        # A call that is hours off must be found, too.
        around = AROUND + timedelta(hours=MOST_HOURS)
        period = started_at - around, started_at + around
        key = account._ask_pbx(lambda client: client.request_calls(*period, PAGE, 0))
        self._store_report_key(key)
        return None

    def _store_report_key(self, key):
        self._store_answer(lambda own: self.with_env(own).write({"report_key": key}))


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
            (self_test_ends.WAITING, "To Do"),
            (self_test_ends.OK, "OK"),
            (self_test_ends.WARNING, "Needs Attention"),
            (self_test_ends.FAILED, "Not Working"),
        ],
        string="Result",
        required=True,
        readonly=True,
        default=self_test_ends.WAITING,
    )
    end = fields.Char(readonly=True, help="Its name in the table of ends.")
    message = fields.Char(readonly=True)

    def _write_judgement(self, judgement):
        """Show what the step has come to.

        :param Judgement judgement: of this step.
        """
        end = self_test_ends.ENDS[judgement.end]
        sentence = str(end.sentence)  # In the language of the environment.
        self.write(
            {
                "state": end.verdict,
                "end": judgement.end,
                "message": sentence % judgement.values,
            }
        )
