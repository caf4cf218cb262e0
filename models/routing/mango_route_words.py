from odoo import api, models
from odoo.fields import Domain

from ...vpbx import errors
from .decision import OWNERS

#: Reasons that only supervisors may see.
PRIVATE = {"dnd", "away", "time_off", "off_hours", "unanswered", "left", "no_extension"}
#: Reasons of steps that do not apply to the caller.
NOT_FOR_CALLER = {
    "nobody",
    "repeated",
    "other_line",
    "other_tags",
    "unknown_caller",
    "known_caller",
    "outside_hours",
    "within_hours",
    "pbx",
}
#: Technical problems between Odoo and the PBX, not shown to salespeople.
TECHNICAL = {
    "rate_limit",
    "requests_stopped",
    "trouble",
    "lost",
    "no_credentials",
    "error",
    "result",
}


class MangoRouteWords(models.AbstractModel):
    """A call's ``route_trace`` in the reader's language.

    The trace holds codes and parameters; salespeople only see what concerns them.
    """

    _name = "mango.route.words"
    _description = "Words of Routing"

    # ------------------------------------------------------------
    # A call
    # ------------------------------------------------------------

    @api.model
    def _reasons(self, calls):
        """Explain to whom calls were routed and why, or why they were not.

        :param mango.call calls: any.
        :rtype: dict[mango.call, str]
        """
        names = {
            account: self._names(
                account, [entry for call in of_account for entry in self._told(call)]
            )
            for account, of_account in calls.grouped("account_id").items()
        }
        return {call: self._reason(call, names[call.account_id]) for call in calls}

    def _reason(self, call, names):
        trace = self._trace(call)
        if not trace:
            return ""
        told = self._told(call)
        if not told:
            return self._nobody(call, trace)
        sentences = [self._sentence(entry, names) for entry in told]
        return " ".join(dict.fromkeys(filter(None, sentences)))

    def _trace(self, call):
        # sudo: mango.call - supervisors read the trace; for others, its private reasons
        # are replaced here.
        return call.sudo().route_trace or []

    def _told(self, call):
        """Return the entries of a call's trace that concern the caller."""
        trace = self._trace(call)
        return [entry for entry in trace if entry["reason"] not in NOT_FOR_CALLER]

    def _nobody(self, call, trace):
        """Explain why the plan had nobody for the caller."""
        if all(entry["target"] == "pbx" for entry in trace):
            return self.env._("The plan leaves the call to the PBX.")
        if not call.client_number:
            return self.env._("The caller hides their number.")
        if not call.partner_id and not call.lead_id:
            return self.env._("No contact and no open lead has the caller's number.")
        return self.env._("Nobody is responsible for the caller.")

    @api.model
    def _lines(self, call):
        """Return the trace line by line, for the timeline.

        :param mango.call call: one call.
        :return: for each step that was considered ``title``, ``text``, ``verdict``,
            ``extension`` (None if it is not a person) and ``step`` (its position in the
            plan, or None).
        :rtype: list[dict]
        """
        trace = self._trace(call)
        lines = []
        if trace and all(entry["reason"] in NOT_FOR_CALLER for entry in trace):
            nobody = {"title": self.env._("Not routed by Odoo"), "extension": None}
            nobody |= {"text": self._nobody(call, trace), "verdict": "skipped"}
            lines.append({**nobody, "step": None})
        told = [
            entry
            for entry in trace
            if self._is_supervisor() or entry["reason"] not in NOT_FOR_CALLER
        ]
        return [*lines, *self._lines_of(call.account_id, told)]

    @api.model
    def _lines_of(self, account, trace):
        """Return some entries of a trace line by line.

        :param mango.account account: the account of the plan.
        :param list[dict] trace: the entries.
        :return: as returned by :meth:`_lines`.
        :rtype: list[dict]
        """
        names = self._names(account, trace)
        return [
            {
                "title": self._title(entry, names),
                "text": self._consequence(entry, names),
                "verdict": entry["verdict"],
                "extension": entry["extension"],
                "step": entry["step"],
            }
            for entry in trace
        ]

    @api.model
    def _why_rung(self, call, numbers):
        """Explain why a call that was meant for somebody else rings at the user.

        :param mango.call call: the ringing call.
        :param frozenset[str] numbers: the user's extensions.
        :return: empty if the user was the first choice, or the call was not routed.
        :rtype: str
        """
        *before, last = self._trace(call) or [{}]
        if last.get("verdict") != "rung" or last["extension"] not in numbers:
            return ""
        if absent := last.get("for"):
            return self._instead(call, absent, stands_in=True)
        if meant := self._meant_first(before):
            return self._instead(call, meant, stands_in=False)
        if last["target"] == "team":
            return self.env._("Your turn in the sales team")
        if last["target"] == "last_spoken":
            return self.env._("You spoke with the client last")
        return ""

    def _meant_first(self, trace):
        """Return the entry of the person that the plan preferred.

        :return: None without one: among the members of a team, nobody is preferred.
        :rtype: dict | None
        """
        people = (
            entry
            for entry in trace
            if entry["extension"] or entry.get("user")
            if entry["reason"] not in NOT_FOR_CALLER and entry["target"] != "team"
        )
        return next(people, None)

    def _instead(self, call, absent, stands_in):
        """Explain instead of whom the user is rung.

        :param dict absent: the person meant: ``extension``, ``user`` and ``reason``.
        :param bool stands_in: the user is their substitute, and not the next step.
        :rtype: str
        """
        names = self._names(call.account_id, [absent])
        name = names.get(absent["extension"] or absent["user"], "")
        taking_another = (
            self.env._("%s is taking another call · your turn", name),
            self.env._("%s is taking another call · you stand in", name),
        )
        words = {
            "talking": (
                self.env._("%s is talking · your turn", name),
                self.env._("%s is talking · you stand in", name),
            ),
            "ringing": taking_another,
            "busy": taking_another,
            "no_answer": (
                self.env._("%s does not answer · your turn", name),
                self.env._("%s does not answer · you stand in", name),
            ),
        }
        # Other reasons are private.
        not_available = (
            self.env._("%s is not available · your turn", name),
            self.env._("%s is not available · you stand in", name),
        )
        return words.get(absent["reason"], not_available)[stands_in]

    def _is_supervisor(self):
        return self.env.su or self.env.user.has_group("mango_office.group_supervisor")

    def _names(self, account, trace):
        """Return the names of what a trace mentions.

        :return: people, groups and outside numbers by number, people also by user's id,
            steps that nobody was found for by id and target.
        :rtype: dict[str | int | tuple, str]
        """
        extensions = {entry["extension"] for entry in trace}
        extensions |= {(entry.get("for") or {}).get("extension") for entry in trace}
        # sudo: mango.extension, res.users - colleagues' names, for readers of the call
        # or administrators of the plan.
        found = (
            self.env["mango.extension"].sudo()._by_number(account, extensions - {None})
        )
        names = {
            number: extension.user_id.name or extension.name or ""
            for number, extension in found.items()
        }
        user_ids = {entry.get("user") for entry in trace}
        user_ids |= {(entry.get("for") or {}).get("user") for entry in trace}
        users_sudo = self.env["res.users"].sudo().browse(user_ids - {None}).exists()
        return {
            **names,
            **{user.id: user.name for user in users_sudo},
            **self._names_of_numbers(account, trace),
            **self._names_of_steps(trace),
        }

    def _names_of_steps(self, trace):
        """Return the names of steps without anybody to ring.

        Their target is part of the key, because it may have been changed since.
        """
        ids = {
            entry["step_id"]
            for entry in trace
            if entry.get("step_id") and not (entry["extension"] or entry.get("number"))
        }
        # sudo: mango.route.step - whom a step rings, for readers of the call.
        steps_sudo = self.env["mango.route.step"].sudo().browse(ids).exists()
        return {(step.id, step.target): step.display_name for step in steps_sudo}

    def _names_of_numbers(self, account, trace):
        """Return the names of the groups and the outside numbers in a trace."""
        numbers = {entry.get("number") for entry in trace} - {None}
        if not numbers:
            return {}
        # sudo: mango.group - names of groups, for readers of the call.
        groups_sudo = (
            self.env["mango.group"]
            .sudo()
            .search(
                Domain("account_id", "=", account.id)
                & Domain("number", "in", list(numbers))
            )
        )
        return {
            **{number: account._display_number(number) for number in numbers},
            **{group.number: group.display_name for group in groups_sudo},
        }

    # ------------------------------------------------------------
    # One entry
    # ------------------------------------------------------------

    def _sentence(self, entry, names):
        """Return an entry as one or two sentences."""
        if not self._who(entry, names):
            return self._consequence(entry, names)  # of the step or of all
        subject = self._subject(entry, names)
        if entry["reason"] == "available":
            return f"{subject}."
        return f"{subject}. {self._consequence(entry, names)}"

    def _subject(self, entry, names):
        """Return whom an entry is about, and why they are in the plan."""
        who = self._who(entry, names)
        if not who:
            target = entry["target"]
            return names.get((entry.get("step_id"), target)) or self._label(target)
        if entry.get("number"):
            label = self._label(entry["target"])
            return self.env._("%(target)s: %(name)s", target=label, name=who)
        why = self._why(entry, names)
        return self.env._("%(who)s, %(why)s", who=who, why=why) if why else who

    def _who(self, entry, names):
        """Return name and number of the person, or of the group, in an entry."""
        if number := entry.get("number"):
            return names.get(number, number)
        number = entry["extension"]
        name = names.get(entry["extension"]) or names.get(entry.get("user"))
        if name and number:
            return f"{name} ({number})"
        return name or number or ""

    def _why(self, entry, names):
        """Return why somebody is in the plan, as part of a sentence."""
        if instead := entry.get("for"):
            name = self._who({"extension": None, "user": None, **instead}, names)
            return self.env._("substitute of %s", name)
        of = entry.get("of")
        if entry["target"] in OWNERS and not of:
            return self._label(entry["target"])
        if entry["target"] == "lead_owner":
            return self.env._("the salesperson of the open lead “%s”", of)
        if entry["target"] == "contact_owner":
            return self.env._("the salesperson of the contact “%s”", of)
        if entry["target"] == "company_owner":
            return self.env._("the salesperson of the company “%s”", of)
        if entry["target"] == "last_spoken":
            return self.env._("who spoke with the client last")
        if entry["target"] == "team":
            return self.env._("from the sales team")
        if entry["target"] == "user":
            return self.env._("the employee of the plan")
        return self._label(entry["target"])

    @api.model
    def _label(self, target):
        """Return the label of a step's target.

        :param str target: of ``mango.route.step``.
        :rtype: str
        """
        field = self.env["mango.route.step"]._fields["target"]
        return dict(field._description_selection(self.env)).get(target, "")

    def _title(self, entry, names):
        if entry["target"] is None:
            return self.env._("Not routed by Odoo")
        return self._subject(entry, names)

    def _consequence(self, entry, names):
        """Return the outcome of an entry, as a sentence."""
        reason = entry["reason"]
        if entry["verdict"] == "answered":
            return self.env._("Picked up.")
        if reason == "available":
            return self.env._("Rung by Odoo.")
        if not self._is_supervisor() and reason in PRIVATE:
            return self.env._("Is not available.")
        if not self._is_supervisor() and reason in TECHNICAL:
            return self.env._("The PBX handled the call itself.")
        if reason == "error":
            error = self._error(entry.get("error"), entry.get("code"))
            return self.env["mango.error.message"]._explain_error(error)
        if reason == "result":
            code = entry.get("code") or 0
            return self.env._(
                "The PBX refused to route the call. %(meaning)s (code %(code)s).",
                meaning=self.env["mango.error.message"]._explain_code(code),
                code=code,
            )
        return self._explain_reason(reason)

    @api.model
    def _error_entry(self, error):
        """Return an error of the PBX as stored in an entry of the trace.

        :param VpbxError error: the exception that the client raised.
        :return: ``reason``, ``error`` (its class) and ``code`` (its code or reason).
        :rtype: dict
        """
        code = getattr(error, "code", None) or getattr(error, "reason", None)
        return {"reason": "error", "error": type(error).__name__, "code": code}

    def _error(self, kind, code):
        """Return the error that is stored in an entry of the trace."""
        if kind == "RefusedError":
            return errors.RefusedError(code or 0, "")
        if kind == "TransportError":
            return errors.TransportError("", reason=code or "")
        kinds = {
            "RateLimitedError": errors.RateLimitedError,
            "LockedOutError": errors.LockedOutError,
        }
        return kinds.get(kind, errors.BadAnswerError)("")

    @api.model
    def _explain_reason(self, code):
        """Return the meaning of a code of the decision, as a sentence.

        :param str code: of :mod:`.decision`, the router's, or a step's problem.
        :rtype: str
        """
        words = {
            # the person
            "talking": self.env._("Is talking."),
            "ringing": self.env._("Is already being rung."),
            "dnd": self.env._("Does not want to be disturbed."),
            "away": self.env._("Is away."),
            "time_off": self.env._("Has time off."),
            "off_hours": self.env._("Does not work at this hour."),
            "no_extension": self.env._("Has no extension."),
            "left": self.env._("Has left the company."),
            "unanswered": self.env._("Has not answered the last calls."),
            # rung without an answer
            "no_answer": self.env._("Did not answer."),
            "declined": self.env._("Declined."),
            "busy": self.env._("Was busy."),
            "unavailable": self.env._("Could not be reached."),
            "caller_left": self.env._("The caller hung up first."),
            "elsewhere": self.env._("Somebody else answered."),
            # the step
            "nobody": self.env._("Nobody found."),
            "repeated": self.env._("Already considered."),
            "other_line": self.env._("For other lines."),
            "other_tags": self.env._("For contacts with other tags."),
            "unknown_caller": self.env._("For known callers only."),
            "known_caller": self.env._("For unknown callers only."),
            "outside_hours": self.env._("Within working hours only."),
            "within_hours": self.env._("Outside working hours only."),
            "user_left": self.env._("The employee has left."),
            "team_gone": self.env._("The sales team is archived."),
            "group_gone": self.env._("The group is not in the PBX any more."),
            "number_forbidden": self.env._(
                "Calls to this number are blocked: it is a premium-rate or foreign "
                "number."
            ),
            "pbx": self.env._("The PBX handles the call itself."),
            # the call
            "switched_off": self.env._("Routing is switched off in the settings."),
            "no_plan": self.env._("The routing plan has no steps."),
            "no_greeting": self.env._(
                "Not routed: the caller was no longer in the greeting."
            ),
            "left_greeting": self.env._("The caller has left the greeting."),
            "rate_limit": self.env._(
                "The PBX accepts one such command every two seconds; there were "
                "too many calls."
            ),
            "requests_stopped": self.env._(
                "Not routed: automatic requests to the PBX are stopped; an "
                "administrator has to resume them."
            ),
            "trouble": self.env._("Not routed: the PBX is having problems."),
            "lost": self.env._("Not routed: the server process has ended."),
            "no_credentials": self.env._(
                "Enter the PBX's code and secret first. Both are in the PBX's "
                "cabinet, under Integrations ▸ API connector."
            ),
        }
        return words.get(code, "")
