from odoo import api, models
from odoo.fields import Domain

from ...vpbx import numbers

#: How many colleagues are offered at once, and how many groups.
COLLEAGUE_LIMIT = 20
GROUP_LIMIT = 8

#: How many of the user's last transfers count for the order.
RECENT_LIMIT = 50


class MangoTransferTarget(models.AbstractModel):
    """The possible targets of a transfer, the most likely ones first.

    Everything is read with the user's own rights.
    """

    _name = "mango.transfer.target"
    _description = "Target of a Transfer"

    @api.model
    def _find(self, term, call):
        """Find the targets for a search term.

        :param str term: as for :meth:`mango.extension.get_transfer_targets`.
        :param mango.call call: the call to transfer, possibly empty.
        :return: as for :meth:`mango.extension.get_transfer_targets`.
        :rtype: list[dict]
        """
        own = self._own_extension(call)
        if not own:
            return []
        term = str(term or "").strip()
        account = own.account_id
        busy = {number: state for (_id, number), state in own._busy(account).items()}
        recent = self._recent(account)
        found = [
            *self._colleagues(own, term, busy, recent),
            *self._groups(own, term, busy),
        ]
        found.sort(
            key=lambda target: (
                target["state"] != "free" or target["status"] != "available",
                recent.get(target["dial"], len(recent)),
            )
        )
        return found + self._outside(own, term, found)

    def _own_extension(self, call):
        """Return the user's extension in the PBX of a call.

        :rtype: mango.extension
        """
        own = self.env.user._mango_caller_extension()
        if not call or own.account_id == call.account_id:
            return own
        extensions = self.env.user.mango_extension_ids
        return extensions.filtered(lambda one: one.account_id == call.account_id)[:1]

    def _recent(self, account):
        """Return the targets of the user's last transfers.

        :return: the rank of each number, 0 for the most recent one.
        :rtype: dict[str, int]
        """
        # sudo: mango.command - the user's own ones.
        transfers_sudo = (
            self.env["mango.command"]
            .sudo()
            .search_fetch(
                Domain("user_id", "=", self.env.uid)
                & Domain("account_id", "=", account.id)
                & Domain("kind", "=", "transfer"),
                ["to_number"],
                limit=RECENT_LIMIT,
            )
        )
        last = dict.fromkeys(transfers_sudo.mapped("to_number"))
        return {number: rank for rank, number in enumerate(last)}

    def _colleagues(self, own, term, busy, recent):
        wanted = Domain("account_id", "=", own.account_id.id) & Domain(
            "user_id", "!=", self.env.uid
        )
        if term:
            wanted &= (
                Domain("number", "ilike", term)
                | Domain("name", "ilike", term)
                | Domain("user_id.name", "ilike", term)
            )
        is_busy = Domain("number", "in", list(busy))
        is_recent = Domain("number", "in", list(recent))
        # Under the company of the user's extension, whichever is active.
        found = own.browse()
        for part in (~is_busy & is_recent, ~is_busy & ~is_recent, is_busy):
            if room := COLLEAGUE_LIMIT - len(found):
                found += found.search(wanted & part, limit=room)
        return [
            {
                **extension._describe(),
                "type": "colleague",
                "dial": extension.number,
                "state": busy.get(extension.number, "free"),
            }
            for extension in found
        ]

    def _groups(self, own, term, busy):
        wanted = Domain("account_id", "=", own.account_id.id)
        if term:
            wanted &= Domain("number", "ilike", term) | Domain("name", "ilike", term)
        groups = own.env["mango.group"].search(wanted, limit=GROUP_LIMIT)
        return [
            self._target(
                "group",
                group.id,
                group.name or group.number,
                group.number,
                # A group may have members that Odoo does not know.
                state="free"
                if not group.extension_ids
                or set(group.extension_ids.mapped("number")) - busy.keys()
                else "talking",
            )
            for group in groups
        ]

    def _outside(self, own, term, found):
        """Return the typed number as a target, if it is an outside number."""
        regions = self.env["mail.thread.phone"]._mango_phone_regions(own.company_id)
        number = numbers.e164(term, regions)
        if not number or any(target["number"] == term for target in found):
            return []
        name = own.account_id._display_number(number)
        return [self._target("outside", 0, name, number)]

    def _target(self, kind, key, name, number, state="free"):
        return {
            "type": kind,
            "id": key,
            "name": name,
            "number": number,
            "dial": number,
            "user_id": False,
            "avatar": "",
            "state": state,
            "status": "available",
            "away_until": False,
        }
