from datetime import datetime, timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from ...tools.datetimes import from_epoch
from ...vpbx.call_state import MENU_LOCATIONS
from .mango_call_apply import RINGING_TIME

#: Fields of a leg that come from the PBX; see :meth:`MangoCallLeg._prepare_vals`.
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

#: The employee at each end at that time; an extension may get another one.
ENDS = {"from_extension": "from_user_id", "to_extension": "to_user_id"}

#: What a leg tells about its extensions. Of several legs the last one in this order
#: counts: an employee who talks while another call waits or rings is talking.
STATES = {"appeared": "ringing", "onhold": "hold", "connected": "talking"}

STATE_RANK = list(STATES.values())

#: The end of a shorter talk is not questioned.
SHORT_TALK = timedelta(minutes=5)


class MangoCallLeg(models.Model):
    """One place that a call visited: the menu, a queue, an employee or a client."""

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
    location = fields.Char(
        readonly=True, help="ivr, queue or abonent, as reported by the PBX"
    )
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
        """Return the legs of a call, with all fields from the PBX prefetched.

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
        """Write the differences between the legs of a call and the PBX's state.

        :param mango.call call: the call of these legs.
        :param Iterable[LegState] leg_states: all legs of the call.
        :param dict[str, mango.extension] extensions: of the call, by number.
        :return: the legs including new ones, and whether anything differed.
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
        """Return the employees at the ends of a leg; those found earlier stay.

        :param dict vals: the PBX's values of the leg; ``self`` is empty if it is new.
        :param dict[str, mango.extension] extensions: of the call, by number.
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
        """Return the live legs."""
        return self.filtered(
            lambda leg: leg.state in STATES and not leg._is_taken_by_group()
        )

    def _is_taken_by_group(self):
        """Tell whether a phone of a group stopped ringing because a colleague answered.

        The PBX reports this for one phone after another, but all stop at once.

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
        """Return for each extension the leg that determines its state.

        If the end of a leg was lost, nobody is busy with it once it has been ringing
        for longer than any phone rings, or once they have talked in a later call.

        :return: by account id and extension number, without free extensions.
        :rtype: dict[tuple[int, str], mango.call.leg]
        """
        live = self._live().filtered(lambda leg: not leg._rings_for_ever())
        last_talks = live._last_talks()
        found = {}
        for leg in live.sorted(lambda leg: STATE_RANK.index(leg._extension_state())):
            for number in {leg.from_extension, leg.to_extension} - {False}:
                key = leg.call_id.account_id.id, number
                if key not in last_talks or last_talks[key] <= leg._heard_at():
                    found[key] = leg
        return found

    def _rings_for_ever(self):
        """Tell whether a phone has been ringing for longer than any phone rings.

        :rtype: bool
        """
        if self.state != "appeared":
            return False
        return fields.Datetime.now() - self._heard_at() > RINGING_TIME

    def _heard_at(self):
        """Return when the PBX last reported the leg, by its clock or by ours.

        :rtype: datetime
        """
        return max(self.started_at or datetime.min, self.write_date)

    def _last_talks(self):
        """Return when the last talks of employees began whose legs may be over.

        :return: by account id and extension number; only for those who have been
            talking on these legs for some time.
        :rtype: dict[tuple[int, str], datetime]
        """
        before = fields.Datetime.now() - SHORT_TALK
        legs = self.filtered(
            lambda leg: leg.state != "appeared" and leg._heard_at() < before
        )
        numbers = {*legs.mapped("from_extension"), *legs.mapped("to_extension")}
        if not legs:
            return {}
        groups = self.env["mango.call"]._read_group(
            Domain("started_at", ">", min(leg._heard_at() for leg in legs))
            & Domain("answered_at", "!=", False)
            & Domain("account_id", "in", legs.call_id.account_id.ids)
            & Domain("extension_id.number", "in", list(numbers - {False})),
            ["account_id", "extension_id"],
            ["started_at:max"],
        )
        return {
            (account.id, extension.number): last_talk
            for account, extension, last_talk in groups
        }

    def _extension_state(self):
        """Return the state of the extensions on a live leg.

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
