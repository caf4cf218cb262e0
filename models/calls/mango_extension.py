from odoo import api, models
from odoo.fields import Domain


class MangoExtension(models.Model):
    """What an extension is doing right now."""

    _inherit = "mango.extension"

    def _states(self):
        """Return what these extensions are doing.

        :return: by extension's id ``free``, ``ringing`` (their phone, or the one that
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
        """Return the extensions of some PBXs that are not free.

        :param mango.account accounts: whose extensions.
        :return: the states by account's id and extension's number.
        :rtype: dict[tuple[int, str], str]
        """
        # sudo: mango.call - everybody in telephony may know whether a colleague is
        # free, but not with whom they talk: only the state leaves this method.
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
