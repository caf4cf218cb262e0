from odoo import api, fields, models
from odoo.fields import Domain

from ...tools.datetimes import from_epoch
from ...vpbx.call_state import MENU_LOCATIONS

#: What the PBX tells of a leg; see :meth:`MangoCallLeg._prepare_vals`.
TOLD_FIELDS = [
    "leg_ref",
    "location",
    "state",
    "from_number",
    "from_extension",
    "to_number",
    "to_extension",
    "group_extension",
    "started_at",
    "answered_at",
    "ended_at",
    "end_reason",
    "sequence",
]

#: Who was at each end when the PBX told of it; an extension may change hands.
ENDS = {"from_extension": "from_user_id", "to_extension": "to_user_id"}

#: What a leg says of the extensions on it. Of several legs the last in this order
#: counts: whoever talks while another call waits or rings is talking.
STATES = {"appeared": "ringing", "onhold": "hold", "connected": "talking"}

STATE_RANK = list(STATES.values())


class MangoCallLeg(models.Model):
    """One place that a call visited: the menu, a queue, an employee, a client."""

    _name = "mango.call.leg"
    _description = "Call Leg"
    _order = "sequence, id"
    _rec_name = "leg_ref"

    call_id = fields.Many2one(
        "mango.call", required=True, index=True, ondelete="cascade", readonly=True
    )
    leg_ref = fields.Char(
        string="PBX Leg", required=True, readonly=True, help="call_id of the PBX"
    )
    sequence = fields.Integer(
        readonly=True, help="The order in which the call visited its legs."
    )
    location = fields.Char(readonly=True, help="ivr, queue or abonent, as the PBX says")
    state = fields.Char(readonly=True)
    from_number = fields.Char(readonly=True)
    from_extension = fields.Char(readonly=True)
    to_number = fields.Char(readonly=True)
    to_extension = fields.Char(readonly=True)
    from_user_id = fields.Many2one("res.users", readonly=True, ondelete="set null")
    to_user_id = fields.Many2one("res.users", readonly=True, ondelete="set null")
    group_extension = fields.Char(
        string="Group", readonly=True, help="acd_group, if a group rang"
    )
    started_at = fields.Datetime(readonly=True)
    answered_at = fields.Datetime(readonly=True)
    ended_at = fields.Datetime(readonly=True)
    end_reason = fields.Integer(
        string="End Code", readonly=True, help="The PBX's code."
    )
    _ref_uniq = models.UniqueIndex(
        "(call_id, leg_ref)", "The call already has this leg."
    )

    @api.model
    def _legs_of_call(self, call):
        """Return the legs of a call, with everything that the PBX tells of them.

        :param mango.call call: any.
        :rtype: mango.call.leg
        """
        return self.search_fetch(
            Domain("call_id", "=", call.id), ["call_id", *TOLD_FIELDS, *ENDS.values()]
        )

    def _users(self):
        """Return the employees on these legs.

        :rtype: res.users
        """
        return self.from_user_id | self.to_user_id

    def _rung(self):
        """Return the legs on which somebody's phone rang, answered or not."""
        return self.filtered(lambda leg: leg.to_extension and not leg._is_menu())

    def _update_legs(self, call, leg_states, extensions):
        """Write the difference between the legs of a call and what the PBX says.

        :param mango.call call: whose legs these are, all of them.
        :param Iterable[LegState] leg_states: all legs of the call.
        :param dict[str, mango.extension] extensions: that take part, by number.
        :return: the legs with the new ones, and whether anything differed.
        :rtype: tuple[mango.call.leg, bool]
        """
        known = {leg.leg_ref: leg for leg in self}
        to_create, is_changed = [], False
        for sequence, leg_state in enumerate(leg_states):
            vals = {**self._prepare_vals(leg_state), "sequence": sequence}
            leg = known.get(leg_state.leg_ref, self.browse())
            users = leg._prepare_users(vals, extensions)
            if not leg:
                to_create.append({**vals, **users, "call_id": call.id})
                continue
            changes = {
                name: value
                for name, value in vals.items()
                if (leg[name] or False) != (value or False)
            }
            changes |= {
                name: user_id
                for name, user_id in users.items()
                if leg[name].id != user_id
            }
            if changes:
                leg.write(changes)
                is_changed = True
        legs = self | self.create(to_create)
        return legs, is_changed or bool(to_create)

    @api.model
    def _prepare_vals(self, leg_state):
        return {
            "leg_ref": leg_state.leg_ref,
            "location": leg_state.location,
            "state": leg_state.state,
            "from_number": leg_state.from_number,
            "from_extension": leg_state.from_extension,
            "to_number": leg_state.to_number,
            "to_extension": leg_state.to_extension,
            "group_extension": leg_state.acd_group,
            "started_at": from_epoch(leg_state.started_at),
            "answered_at": from_epoch(leg_state.answered_at),
            "ended_at": from_epoch(leg_state.ended_at),
            "end_reason": leg_state.end_reason or 0,
        }

    def _prepare_users(self, vals, extensions):
        """Return the employees at the ends of a leg; who was found once stays.

        :param dict vals: of the leg as the PBX tells it, which may be new (empty).
        :param dict[str, mango.extension] extensions: that take part, by number.
        :rtype: dict
        """
        nobody = self.env["mango.extension"]
        return {
            name: self[name].id
            if self[name] and self[end] == vals[end]
            else extensions.get(vals[end], nobody).user_id.id
            for end, name in ENDS.items()
        }

    # ------------------------------------------------------------
    # Who is on the phone right now
    # ------------------------------------------------------------

    def _live(self):
        """Return those legs that are not over."""
        return self.filtered(
            lambda leg: leg.state in STATES and not leg._is_taken_by_group()
        )

    def _is_taken_by_group(self):
        """Tell whether a phone of a group stopped ringing since a colleague answered.

        The PBX says so of one phone after the other; all of them stop at once.

        :rtype: bool
        """
        if self.state != "appeared" or not self.group_extension:
            return False
        call = self.call_id
        return (
            call.state == "talking"
            and bool(self.started_at and call.answered_at)
            # A phone that rings later rings for a transfer.
            and self.started_at <= call.answered_at
        )

    def _live_by_extension(self):
        """Return for each extension the leg that tells best what it is doing.

        :return: by account's id and extension's number; a free one is not there.
        :rtype: dict[tuple[int, str], mango.call.leg]
        """
        return {
            (leg.call_id.account_id.id, number): leg
            for leg in self._live().sorted(
                lambda leg: STATE_RANK.index(leg._extension_state())
            )
            for number in (leg.from_extension, leg.to_extension)
            if number
        }

    def _extension_state(self):
        """Return what the extensions on a live leg are doing.

        :return: ``ringing`` (their phone, or the one that they call), ``talking`` or
            ``hold``.
        :rtype: str
        """
        return STATES[self.state]

    def _is_menu(self):
        """Tell whether the caller hears a greeting or waits in a queue.

        :rtype: bool
        """
        return self.location in MENU_LOCATIONS
