from odoo import models

from ..vpbx.call_state import MENU_LOCATIONS

#: What a leg says of the extensions on it. Of several legs the last in this order
#: counts: whoever talks while another call waits or rings is talking.
STATES = {"appeared": "ringing", "onhold": "hold", "connected": "talking"}
STATE_RANK = list(STATES.values())


class MangoCallLeg(models.Model):
    """What a leg says of who is on the phone right now."""

    _inherit = "mango.call.leg"

    def _live(self):
        """Return those legs that are not over."""
        return self.filtered(lambda leg: leg.state in STATES)

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
