from odoo import api, models


class MangoTimeline(models.AbstractModel):
    """The course of a call through its legs, in words (shown by ``mango_timeline``)."""

    _name = "mango.timeline"
    _description = "Call Timeline"

    @api.model
    def _steps(self, call):
        """Return the course of a call, in the reader's language.

        :param mango.call call: one call.
        :return: in order; each step has ``key``, ``kind`` (``menu``, ``queue``,
            ``answered``, ``unanswered``, ``live``, ``end``, ``missed``), ``offset``
            (seconds from the start of the call, None if unknown), ``title`` and
            ``text``.
        :rtype: list[dict]
        """
        extensions = self._extensions(call)
        steps = [self._leg_step(call, leg, extensions) for leg in call.leg_ids]
        if call.state == "ended":
            steps.append(self._end_step(call))
        return steps

    def _extensions(self, call):
        legs = call.leg_ids
        # sudo: mango.extension - the participants' names, for readers of the call.
        return (
            self.env["mango.extension"]
            .sudo()
            ._by_number(
                call.account_id,
                {*legs.mapped("to_extension"), *legs.mapped("from_extension")},
            )
        )

    def _leg_step(self, call, leg, extensions):
        if leg.location == "ivr":
            kind, title = "menu", self.env._("Greeting")
        elif leg.location == "queue":
            kind, title = "queue", self._group_name(leg, self.env._("Queue"))
        else:
            kind = self._leg_kind(leg)
            title = self._party_name(call, leg, extensions)
        return {
            "key": f"leg-{leg.id}",
            "kind": kind,
            "offset": self._seconds(call.started_at, leg.started_at),
            "title": title,
            "text": self._leg_text(call, leg),
        }

    def _leg_kind(self, leg):
        if leg.answered_at:
            return "answered"
        return "unanswered" if leg.ended_at else "live"

    def _group_name(self, leg, name):
        if not leg.group_extension:
            return name
        return self.env._(
            "%(name)s of group %(number)s", name=name, number=leg.group_extension
        )

    def _party_name(self, call, leg, extensions):
        if extension := extensions.get(leg.to_extension):
            return extension.display_name
        if leg.to_extension:
            return self.env._("Extension %s", leg.to_extension)
        return call.account_id._display_number(leg.to_number) or self.env._("Unknown")

    def _leg_text(self, call, leg):
        if leg._is_menu():
            seconds = self._seconds(leg.started_at, leg.ended_at)
            return self._clock(seconds) if seconds is not None else ""
        if leg.answered_at:
            wait = self._clock(self._seconds(leg.started_at, leg.answered_at) or 0)
            talk = self._seconds(leg.answered_at, leg.ended_at)
            if talk is None:
                return self.env._("Talking")
            if not talk:
                # Such as the employee's leg of a callback, which another leg continues.
                return self.env._("Picked up after %s", wait)
            return self.env._(
                "Picked up after %(wait)s, talked %(talk)s",
                wait=wait,
                talk=self._clock(talk),
            )
        if not leg.ended_at:
            return self.env._("Ringing")
        rang = self._clock(self._seconds(leg.started_at, leg.ended_at) or 0)
        return self.env._(
            "Rang %(time)s. %(reason)s",
            time=rang,
            reason=self._reason(leg),
        ).strip()

    def _reason(self, leg):
        if not leg.end_reason:
            return ""
        return self.env["mango.error.message"]._explain_code(leg.end_reason)

    def _end_step(self, call):
        return {
            "key": "end",
            "kind": "missed" if call.result == "missed" else "end",
            "offset": self._seconds(call.started_at, call.ended_at),
            "title": self.env._("End of the call"),
            "text": call.end_reason_text or "",
        }

    def _seconds(self, start, end):
        if not start or not end:
            return None
        return max(int((end - start).total_seconds()), 0)

    def _clock(self, seconds):
        return f"{seconds // 60}:{seconds % 60:02d}"
