import io
import json
import re
import secrets
import zipfile
from datetime import timedelta

from odoo import api, fields, models, release
from odoo.fields import Domain
from odoo.modules import Manifest

from ...tools.datetimes import to_epoch
from ...vpbx.members import REQUESTS
from ...vpbx.notifications import read_object
from ...vpbx.pseudonyms import Learned, Pseudonyms

#: The version of the bundle format, which the replay checks.
FORMAT = 1

#: Maximum number of notifications; the newest ones are exported.
MOST_EVENTS = 20_000

#: Period around a call in which notifications without a call may belong to it.
AROUND = timedelta(minutes=2)

#: Numbers further away from the time of receipt do not count as times.
TIME_SPAN = timedelta(days=400)

#: Settings of these types hold no free text.
SETTING_TYPES = ("boolean", "integer", "float", "selection")

#: Fields of a call without ids, numbers and people.
CALL_FIELDS = (
    "direction",
    "state",
    "result",
    "source",
    "wait_duration",
    "talk_duration",
    "end_reason",
    "route_state",
    "route_attempts",
)
CALL_TIMES = ("started_at", "answered_at", "ended_at", "closed_at")

LEG_WORDS = ("location", "state")
LEG_TIMES = ("started_at", "answered_at", "ended_at")
LEG_NUMBERS = (
    "from_number",
    "from_extension",
    "to_number",
    "to_extension",
    "group_extension",
)

#: The names in the place of a surprise: a kind, and nested members.
_NAME = re.compile(r"[^\s:.\[\]]+")


class MangoSupportBundle(models.AbstractModel):
    """Data for support to see what happened, without anything personal.

    A zip of JSON files. Everything is replaced by :class:`~.pseudonyms.Pseudonyms`, or
    is a number, a selection value or a time of ours; free text is never included.
    """

    _name = "mango.support.bundle"
    _description = "Support Bundle"

    @api.model
    def _make(self, account, events):
        """Create a bundle.

        :param mango.account account: of the notifications.
        :param mango.event events: the events to export.
        :return: the text of each file by its name.
        :rtype: dict[str, str]
        """
        calls = self.env["mango.call"].search(
            Domain("account_id", "=", account.id)
            & Domain("entry_id", "in", list(set(events.mapped("entry_id"))))
        )
        commands = self._around("mango.command", "create_date", account, events)
        requests = self._around("mango.request", "asked_at", account, events)
        stand_ins = self._stand_ins(account, events, calls, commands, requests)
        rows = {
            "notifications.jsonl": self._notifications(events, stand_ins),
            "calls.jsonl": [self._call(call, stand_ins) for call in calls],
            "commands.jsonl": [self._command(one, stand_ins) for one in commands],
            "requests.jsonl": [
                self._request(one, stand_ins) for one in requests.sorted("id")
            ],
            "surprises.jsonl": self._surprises(account, stand_ins),
        }
        documents = {
            "about.json": self._about(account, rows),
            "settings.json": self._settings(account),
            "directory.json": self._directory(account, stand_ins),
        }
        return {
            **{name: _as_text(value, indent=1) for name, value in documents.items()},
            **{name: "".join(map(_as_line, value)) for name, value in rows.items()},
        }

    @api.model
    def _zip(self, files):
        """Pack the files of a bundle.

        :param dict[str, str] files: texts by name.
        :rtype: bytes
        """
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in files.items():
                archive.writestr(name, text)
        return packed.getvalue()

    # ------------------------------------------------------------
    # Selection of notifications
    # ------------------------------------------------------------

    @api.model
    def _events_of_call(self, call):
        """Return the notifications of a call and of its commands.

        :rtype: mango.event
        """
        events = call.event_ids
        if not events:
            return events
        received = events.mapped("received_at")
        return events | self.env["mango.event"].search(
            Domain("account_id", "=", call.account_id.id)
            & Domain("entry_id", "=", False)
            & Domain("received_at", ">=", min(received) - AROUND)
            & Domain("received_at", "<=", max(received) + AROUND),
            limit=MOST_EVENTS,
        )

    @api.model
    def _events_of_period(self, account, start, end):
        """Return the notifications of a period, completing calls that began before it.

        :param mango.account account: whose.
        :param datetime start: UTC.
        :param datetime end: UTC.
        :rtype: mango.event
        """
        of_account = Domain("account_id", "=", account.id)
        events = self.env["mango.event"].search(
            of_account
            & Domain("received_at", ">=", start)
            & Domain("received_at", "<=", end),
            limit=MOST_EVENTS,
        )
        entries = set(events.mapped("entry_id")) - {False}
        if not entries:
            return events
        return events | self.env["mango.event"].search(
            of_account & Domain("entry_id", "in", list(entries)), limit=MOST_EVENTS
        )

    # ------------------------------------------------------------
    # Content
    # ------------------------------------------------------------

    @api.model
    def _around(self, model, moment, account, events):
        """Return what Odoo asked the PBX for during the notifications' period.

        :param str model: of commands or requests.
        :param str moment: the field that says when.
        :param mango.account account: whose.
        :param mango.event events: the notifications.
        """
        if not events:
            return self.env[model]
        received = events.mapped("received_at")
        return self.env[model].search(
            Domain("account_id", "=", account.id)
            & Domain(moment, ">=", min(received) - AROUND)
            & Domain(moment, "<=", max(received) + AROUND),
            limit=MOST_EVENTS,
        )

    @api.model
    def _stand_ins(self, account, events, calls, commands, requests):
        learned = Learned()
        for event in events:
            learned.learn(event.kind, _payload(event))
        for request in requests:
            learned.learn(request.path, _payload(request))
        for names in (
            calls.mapped("entry_id"),
            calls.leg_ids.mapped("leg_ref"),
            calls.recording_ids.mapped("recording_ref"),
            commands.mapped("command_id"),
            commands.mapped("entry_id"),
            commands.mapped("leg_ref"),
        ):
            learned.ids.update(filter(None, names))
        for names in (calls.mapped("client_number"), commands.mapped("to_number")):
            learned.numbers.update(filter(None, names))
        lines = account.with_context(active_test=False).line_ids
        learned.lines.update(lines.mapped("number"))
        received = events.mapped("received_at") or [fields.Datetime.now()]
        moments = (min(received) - TIME_SPAN, max(received) + TIME_SPAN)
        return Pseudonyms(
            secrets.token_bytes(32),
            learned,
            tuple(map(to_epoch, moments)),
            account._regions(),
        )

    @api.model
    def _notifications(self, events, stand_ins):
        return [
            {
                "kind": stand_ins.kind(event.kind),
                "received_at": _moment(event.received_at),
                "state": event.state,
                "attempts": event.attempts,
                # The rest may contain anything.
                "error": _error_name(event.error),
                "payload": stand_ins.payload(event.kind, _payload(event)),
            }
            for event in events.sorted("id")
        ]

    @api.model
    def _call(self, call, stand_ins):
        """Return the values of a call.

        Also used by the replay for comparison.

        :param mango.call call: any.
        :param stand_ins: the pseudonyms of ids and numbers.
        :rtype: dict
        """
        return {
            "entry_id": stand_ins.id(call.entry_id),
            "is_sealed": bool(call.sealed_at),
            **{name: call[name] or None for name in CALL_FIELDS},
            **{name: _moment(call[name]) for name in CALL_TIMES},
            "client_number": _number(stand_ins, call.client_number),
            "line_number": _number(stand_ins, call.line_number),
            "extension": _number(stand_ins, call.extension_id.number),
            "routed_to": _number(stand_ins, call.routed_extension_id.number),
            "route": [_step(step, stand_ins) for step in call.route_trace or ()],
            "legs": sorted(
                (self._leg(leg, stand_ins) for leg in call.leg_ids),
                key=lambda leg: leg["leg_ref"],
            ),
            "recordings": sorted(
                stand_ins.id(ref)
                for ref in call.recording_ids.mapped("recording_ref")
                if ref
            ),
        }

    @api.model
    def _leg(self, leg, stand_ins):
        return {
            "leg_ref": stand_ins.id(leg.leg_ref),
            "end_reason": leg.end_reason or None,
            **{
                name: stand_ins.name(leg[name]) if leg[name] else None
                for name in LEG_WORDS
            },
            **{name: _moment(leg[name]) for name in LEG_TIMES},
            **{name: _number(stand_ins, leg[name]) for name in LEG_NUMBERS},
        }

    @api.model
    def _command(self, command, stand_ins):
        return {
            "command_id": stand_ins.id(command.command_id),
            "kind": command.kind,
            "state": command.state,
            "method": command.method or None,
            "given_at": _moment(command.create_date),
            "changed_at": _moment(command.write_date),
            "entry_id": command.entry_id and stand_ins.id(command.entry_id),
            "leg_ref": command.leg_ref and stand_ins.id(command.leg_ref),
            "extension": _number(stand_ins, command.extension),
            "device": _number(stand_ins, command.device),
            "line_number": _number(stand_ins, command.line_number),
            "to_number": _number(stand_ins, command.to_number),
        }

    @api.model
    def _request(self, request, stand_ins):
        # Others have nothing to do with calls; a comment is text that somebody wrote.
        is_about_calls = request.path in REQUESTS
        return {
            "path": request.path,
            "asked_at": _moment(request.asked_at),
            "seconds": round(request.duration, 3),
            "http_status": request.http_status or None,
            "code": request.code or None,
            "error": request.error or None,
            "payload": stand_ins.payload(request.path, _payload(request))
            if is_about_calls
            else None,
        }

    @api.model
    def _surprises(self, account, stand_ins):
        found = self.env["mango.surprise"].search([("account_id", "=", account.id)])
        return [
            {
                "place": _NAME.sub(lambda name: stand_ins.name(name[0]), one.place),
                "what": one.what,
                "count": one.count,
                "first_at": _moment(one.first_at),
                "last_at": _moment(one.last_at),
            }
            for one in found
        ]

    @api.model
    def _about(self, account, rows):
        version = Manifest.for_addon("mango_office").version
        return {
            "format": FORMAT,
            "made_at": _moment(fields.Datetime.now()),
            "addon": version,
            "odoo": release.version,
            "postgresql": self.env.cr._cnx.server_version,
            "country": account.company_id.country_id.code or None,
            "counts": {name: len(value) for name, value in rows.items()},
        }

    @api.model
    def _settings(self, account):
        """Return numbers, selections and booleans: neither texts nor credentials."""
        steps = account.route_step_ids
        return {
            **_plain_settings(account),
            # sudo: mango.account - only tells whether it is the PBX's own address.
            "has_default_address": "://app.mango-office.ru" in account.sudo().api_url,
            "route_steps": [_plain_settings(step) for step in steps],
        }

    @api.model
    def _directory(self, account, stand_ins):
        account = account.with_context(active_test=False)
        groups = self.env["mango.group"].with_context(active_test=False)
        return {
            "extensions": [
                {
                    "number": stand_ins.number(extension.number),
                    "pbx_user_ref": extension.pbx_user_ref
                    and stand_ins.reference(extension.pbx_user_ref),
                    "name": _text(stand_ins, extension.name),
                    "email": _text(stand_ins, extension.email),
                    "department": _text(stand_ins, extension.department),
                    "has_user": bool(extension.user_id),
                    "active": extension.active,
                }
                for extension in account.extension_ids
            ],
            "lines": [
                {
                    "number": stand_ins.number(line.number),
                    "name": _text(stand_ins, line.name),
                    "active": line.active,
                }
                for line in account.line_ids
            ],
            "groups": [
                {
                    "number": stand_ins.number(group.number),
                    "name": _text(stand_ins, group.name),
                    "members": sorted(
                        map(stand_ins.number, group.extension_ids.mapped("number"))
                    ),
                    "active": group.active,
                }
                for group in groups.search([("account_id", "=", account.id)])
            ],
        }


def _payload(record):
    """Return the content of a notification, or the parameters of a request."""
    try:
        return read_object(json.loads(record.body))
    except (ValueError, RecursionError):
        return {}


def _error_name(error):
    """Return the class of an error, because its text may be personal."""
    name = (error or "").partition(":")[0]
    return name if name.isidentifier() and name.endswith("Error") else None


def _moment(value):
    return value.isoformat(" ", "seconds") if value else None


def _number(stand_ins, value):
    return stand_ins.number(value) if value else None


def _text(stand_ins, value):
    return stand_ins.text(value) if value else None


def _step(step, stand_ins):
    """Return a step of a route without its reason, which names people."""
    step = read_object(step)
    return {
        "target": step.get("target"),
        "verdict": step.get("verdict"),
        "extension": _number(stand_ins, step.get("extension")),
    }


def _plain_settings(record):
    return {
        name: record[name]
        for name, field in sorted(record._fields.items())
        if field.type in SETTING_TYPES
        and field.store
        and not field.groups
        and name != "id"
        and name.islower()
    }


def _as_text(value, **options):
    return json.dumps(value, ensure_ascii=False, **options) + "\n"


def _as_line(value):
    return _as_text(value)
