from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools.misc import format_amount

HISTORY_LENGTH = 3

MAX_CANDIDATES = 10

#: Phases of one's own live call.
HANG_UP_PHASES = ("pick_up", "calling", "talking", "hold")


class MangoCardContent(models.AbstractModel):
    """The content of a call's card for a user (``static/src/call_card``).

    Everything is read with the rights of the environment's user.
    """

    _name = "mango.card.content"
    _description = "Card of a Call"

    @api.model
    def _card_of_command(self, command):
        """Return the card of a callback without a call.

        :param mango.command command: of the environment's user.
        :return: as :meth:`_of_call`; ``phase`` is ``requested``, ``pick_up`` or
            ``failed``.
        :rtype: dict
        """
        number = command.account_id._display_number(command.to_number)
        record = self._origin(command)
        partner = record if record._name == "res.partner" else record.partner_id
        phase, message = self._command_phase(command)
        colleague = self._colleague(command.account_id, command.to_number)
        return {
            **self._empty(),
            "key": command._card_key(),
            "command_id": command.id,
            "company_id": command.company_id.id,
            "company": self._other_company(command),
            "phase": phase,
            "message": message,
            "direction": "internal" if colleague else "outbound",
            "number": number,
            "dial": command.to_number,
            "name": colleague.name
            or partner.display_name
            or record.display_name
            or number,
            "partner": self._partner(partner),
        }

    def _origin(self, command):
        """Return the record of a callback, if it identifies the client."""
        if command.res_model in ("res.partner", "crm.lead"):
            record = self.env[command.res_model].browse(command.res_id)
            return record.exists()._filtered_access("read")
        return self.env["crm.lead"]

    def _command_phase(self, command):
        if command.state == "failed":
            return "failed", command.reason or ""
        if command._is_lost():
            return "failed", self.env._(
                "The PBX did not call. If your phone does not ring, try again."
            )
        if command.state == "unclear":
            return "pick_up", self.env._(
                "The PBX did not answer clearly. If your phone does not ring within a "
                "minute, try again."
            )
        return ("requested" if command.state == "requested" else "pick_up"), ""

    @api.model
    def _card_of_call(self, call):
        """Return the card of a call.

        :param mango.call call: one that the environment's user may read.
        :return: the data for the web client; see :meth:`_empty` for all keys. Durations
            are in ``seconds``, so that clocks need not agree.
        :rtype: dict
        """
        numbers = self._own_numbers(call)
        is_internal = self._is_internal(call, numbers)
        view = self.env["mango.card.phase"]._describe_phase(call, numbers)
        partner = call.partner_id._filtered_access("read")
        lead = call.lead_id._filtered_access("read")
        return {
            **self._empty(),
            **view,
            **(
                self._other_colleague(call, numbers)
                if is_internal
                else self._client(call, partner)
            ),
            "call_id": call.id,
            "company_id": call.company_id.id,
            "company": self._other_company(call),
            **self._keys(call),
            "direction": "internal" if is_internal else call.direction or "inbound",
            "result": call.result,
            "line": call.line_id.display_name
            or call.account_id._display_number(call.line_number),
            "partner": self._partner(partner),
            "candidates": self._candidates(call),
            "is_partner_chosen": call.partner_is_manual,
            "lead": self._lead(lead),
            "can_create_lead": self._may_create("crm.lead", is_internal),
            "can_create_partner": self._may_create("res.partner", is_internal),
            "owner": self._owner(partner, lead),
            "history": self._history(call, partner),
            "note": call.note or "",
            "ended_seconds": self._ended_seconds(call),
            "talk_duration": call.talk_duration,
            "can_hang_up": view["phase"] in HANG_UP_PHASES and not view["consulting"],
            "can_transfer": view["phase"] == "talking"
            and not view["consulting"]
            and view["about"] != "asked",
        }

    def _empty(self):
        return {
            "key": "",
            "call_id": False,
            "command_id": False,
            "company_id": False,
            "company": "",
            "phase": "",
            "about": "",
            "leaves": False,
            "direction": "outbound",
            "result": False,
            "message": "",
            "name": "",
            "number": "",
            "dial": False,
            "line": "",
            "partner": False,
            "candidates": [],
            "is_partner_chosen": False,
            "lead": False,
            "can_create_lead": False,
            "can_create_partner": False,
            "owner": "",
            "history": [],
            "note": "",
            "ended_seconds": False,
            "seconds": False,
            "talk_duration": 0,
            "consulting": "",
            "target": "",
            "can_hang_up": False,
            "can_transfer": False,
        }

    def _other_company(self, record):
        """Return the name of a company, unless the user works for no other.

        :param record: whose company it is.
        :type record: mango.call | mango.command
        :rtype: str
        """
        user = self.env.user
        return record.company_id.name if len(user._get_company_ids()) > 1 else ""

    def _own_numbers(self, call):
        """Return the numbers of the user's extensions in a call's PBX.

        :rtype: frozenset[str]
        """
        extensions = self.env.user.mango_extension_ids
        return frozenset(
            extension.number
            for extension in extensions
            if extension.account_id == call.account_id
        )

    def _ended_seconds(self, call):
        """Return how long ago a call ended, or False while it goes on."""
        if call.state != "ended" or not call.ended_at:
            return False
        return int((fields.Datetime.now() - call.ended_at).total_seconds())

    def _keys(self, call):
        command_sudo = self._own_command(call)
        if not command_sudo:
            return {"key": call._card_key()}
        return {"key": command_sudo._card_key(), "command_id": command_sudo.id}

    def _own_command(self, call):
        """Return the user's own command that started a call, under sudo.

        :rtype: mango.command
        """
        # sudo: mango.command - only the user's own command.
        command_sudo = self.env["mango.command"].sudo()
        if call.callback_command_id:
            command_sudo = command_sudo._find_by_command_id(
                call.account_id.id, call.callback_command_id
            )
        is_own = command_sudo.user_id == self.env.user
        return command_sudo if is_own else command_sudo.browse()

    # ------------------------------------------------------------
    # The client
    # ------------------------------------------------------------

    def _client(self, call, partner):
        return {
            "name": partner.name or call._client_name(),
            "number": call.client_number_display,
            "dial": call.client_number,
        }

    def _is_internal(self, call, numbers):
        """Tell whether the user talks to a colleague without a client.

        For a callback between colleagues, the PBX only reports this at the end.

        :param frozenset[str] numbers: the user's extensions in the call's PBX.
        :rtype: bool
        """
        if call.direction == "internal":
            return True
        has_client = call.direction == "inbound" or call.client_number
        if has_client or call.partner_id:
            return False
        number = self._other_number(call, numbers)
        return bool(number and self._colleague(call.account_id, number))

    def _other_colleague(self, call, numbers):
        number = self._other_number(call, numbers)
        colleague = self._colleague(call.account_id, number)
        # sudo: res.users - the name of a colleague.
        name = colleague.name or colleague.user_id.sudo().name
        return {
            "name": name or number or call._client_name(),
            "number": number,
            "dial": number or False,
        }

    def _other_number(self, call, numbers):
        """Return the extension at the other end, preferably one that is talking.

        :rtype: str
        """
        own = self.env["mango.card.phase"]._legs_of(call, numbers) or call.leg_ids
        legs = own.filtered("answered_at")._live() or own._live() or own
        ends = {*legs.mapped("from_extension"), *legs.mapped("to_extension")}
        others = sorted(ends - numbers - {False})
        # At first, only the caller's own phone rings.
        return others[0] if others else self._own_command(call).to_number or ""

    def _colleague(self, account, number):
        extensions = self.env["mango.extension"]._by_number(account, [number])
        return extensions.get(number, self.env["mango.extension"])

    def _partner(self, partner):
        if not partner:
            return False
        company = partner.commercial_partner_id
        moment = int(partner.write_date.timestamp()) if partner.write_date else 0
        return {
            "id": partner.id,
            "name": partner.name or partner.display_name,
            "company": partner.commercial_company_name
            or (company.name if company != partner else "")
            or "",
            "avatar": f"/web/image/res.partner/{partner.id}/avatar_128?unique={moment}",
        }

    def _candidates(self, call):
        return [
            {
                "id": partner.id,
                "name": partner.name or partner.display_name,
                "company": partner.commercial_company_name or "",
            }
            for partner in call.candidate_ids[:MAX_CANDIDATES]
        ]

    def _lead(self, lead):
        if not lead:
            return False
        revenue = lead.expected_revenue
        return {
            "id": lead.id,
            "name": lead.name,
            "stage": lead.stage_id.name or "",
            "revenue": format_amount(self.env, revenue, lead.company_currency)
            if revenue
            else "",
            "user": lead.user_id.name or "",
        }

    def _may_create(self, model, is_internal):
        return not is_internal and self.env[model].has_access("create")

    def _owner(self, partner, lead):
        owners = self.env["mango.caller.lookup"]._owners(partner, lead)
        return owners[:1].name or ""

    def _other_calls(self, call, partner):
        """Return which other calls are with the client of a call.

        :return: none if nobody knows who that is.
        :rtype: Domain
        """
        if partner:
            is_same = Domain("partner_id", "=", partner.id)
        elif call.client_number:
            is_same = Domain("client_number", "=", call.client_number)
        else:
            return Domain.FALSE
        return is_same & Domain("id", "!=", call.id)

    def _history(self, call, partner):
        """Return the last calls with the same client, as far as the user may know."""
        calls = self.env["mango.call"].search(
            self._other_calls(call, partner) & Domain("state", "=", "ended"),
            order="started_at desc",
            limit=HISTORY_LENGTH,
        )
        return [
            {
                "id": past.id,
                "direction": past.direction,
                "result": past.result,
                "started_at": fields.Datetime.to_string(past.started_at),
                "talk_duration": past.talk_duration,
                "user": past.user_id.name or "",
                "group": past.group_text or "",
            }
            for past in calls
        ]
