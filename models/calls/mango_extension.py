from odoo import api, models
from odoo.fields import Domain


class MangoExtension(models.Model):
    """The current state of an extension."""

    _inherit = "mango.extension"

    def _states(self):
        """Return the states of these extensions.

        :return: by extension id: ``free``, ``ringing`` (their phone, or the one that
            they call), ``talking`` or ``hold``.
        :rtype: dict[int, str]
        """
        busy = self._busy(self.account_id)
        return {
            extension.id: busy.get((extension.account_id.id, extension.number), "free")
            for extension in self
        }

    @api.model
    def _busy(self, accounts):
        """Return the states of the extensions of some PBXs that are not free.

        :param mango.account accounts: whose extensions.
        :return: the states by account id and extension number.
        :rtype: dict[tuple[int, str], str]
        """
        # sudo: mango.call - telephony users may know whether a colleague is free, but
        # not whom they talk to: only the state is returned.
        calls_sudo = (
            self.env["mango.call"]
            .sudo()
            .search_fetch(
                Domain("state", "!=", "ended")
                & Domain("account_id", "in", accounts.ids),
                ["account_id", "state", "answered_at"],
            )
        )
        legs_sudo = calls_sudo.leg_ids._live_by_extension()
        return {key: leg._extension_state() for key, leg in legs_sudo.items()}
