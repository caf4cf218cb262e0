from odoo import api, models
from odoo.fields import Domain

#: Maximum number of colleagues in a search result.
COLLEAGUE_LIMIT = 20


class MangoExtension(models.Model):
    """Searching extensions, and the supervisors' board."""

    _inherit = "mango.extension"

    @api.model
    def get_colleagues(self, term=""):
        """Find colleagues to transfer a call to.

        :param str term: part of a name or of a number; empty finds everybody.
        :return: those of the user's PBX, free ones first, at most twenty, with ``id``,
            ``number``, ``name``, ``user_id`` (False without one), ``avatar`` (address
            of a picture, or empty) and ``state`` (as of :meth:`_states`).
        :rtype: list[dict]
        """
        self.check_access("read")
        own = self.env.user._mango_caller_extension()
        if not own:
            return []
        busy = self._busy(own.account_id)
        is_busy = Domain("number", "in", [number for _account_id, number in busy])
        wanted = self._colleague_domain(own, term)
        # In the company of the user's extension, whichever is active.
        extensions = own.browse()
        found = extensions.search(wanted & ~is_busy, limit=COLLEAGUE_LIMIT)
        if room := COLLEAGUE_LIMIT - len(found):
            found += extensions.search(wanted & is_busy, limit=room)
        return [
            {
                **extension._describe(),
                "state": busy.get((own.account_id.id, extension.number), "free"),
            }
            for extension in found
        ]

    def _colleague_domain(self, own, term):
        colleagues = Domain("account_id", "=", own.account_id.id) & Domain(
            "user_id", "!=", self.env.uid
        )
        if not term:
            return colleagues
        return colleagues & (
            Domain("number", "ilike", term)
            | Domain("name", "ilike", term)
            | Domain("user_id.name", "ilike", term)
        )

    def _person_name(self):
        """Return the name of the extension's user.

        :rtype: str
        """
        # sudo: res.users - only the name of a colleague.
        return self.user_id.sudo().name or self.name or self.number

    def _describe(self):
        """Return the extension and its user for the web client.

        :return: ``id``, ``number``, ``name``, ``user_id`` (False without one),
            ``avatar`` (address of a picture, or empty), ``status`` (``available``,
            ``dnd`` or ``away``) and ``away_until`` (UTC as text, or False).
        :rtype: dict
        """
        # sudo: res.users - only picture and status of a colleague.
        user_sudo = self.user_id.sudo()
        picture = f"/web/image/res.users/{user_sudo.id}/avatar_128"
        return {
            "id": self.id,
            "number": self.number,
            "name": self._person_name(),
            "user_id": user_sudo.id,
            "avatar": picture if user_sudo else "",
            **user_sudo._mango_status_info(),
        }

    # ------------------------------------------------------------
    # The supervisors' board
    # ------------------------------------------------------------

    @api.model
    def get_board(self):
        """Return the supervisors' board of the active companies.

        :return: ``extensions``: all, each with ``id``, ``number``, ``name``,
            ``user_id``, ``avatar``, ``department``, ``state`` (as of :meth:`_states`)
            and ``call``: False, or ``id``, ``direction``, ``name``, ``number`` and
            ``seconds`` (since talking began, else since ringing began).
            ``waiting``: the callers for whom no phone rings yet, each with
            ``call_id``, ``name``, ``number``, ``line``, ``in_queue`` and ``seconds``.
        :rtype: dict
        :raise AccessError: if the user is no supervisor.
        """
        return self.env["mango.board"]._all()

    @api.model
    def get_board_calls(self):
        """Return only the parts of the board that change with calls.

        :return: ``busy``: ``id``, ``state`` and ``call`` of every extension that is not
            free; ``absent``: ``id``, ``status`` and ``away_until`` of those whose
            employees take no routed calls; and ``waiting``. As of :meth:`get_board`.
        :rtype: dict
        :raise AccessError: if the user is no supervisor.
        """
        return self.env["mango.board"]._changing()
