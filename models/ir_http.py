import logging

from werkzeug.exceptions import Forbidden

from odoo import models
from odoo.http import request

from ..vpbx import signature
from .flood_guard import form_of, guard, host_of, kind_at

_logger = logging.getLogger(__name__)

#: How many wrong notifications of one address are looked at in a minute.
REFUSAL_LIMIT_KEY = "mango_office.refusals_per_minute"
REFUSAL_LIMIT = 60


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    def session_info(self):
        """Tell the web client of telephony's users which extension they call from.

        For everybody else there is nothing, and the web client does nothing.
        """
        info = super().session_info()
        user = self.env.user
        if user.has_group("mango_office.group_user"):
            info["mango_office"] = {
                "extension": user._mango_extension_info(),
                "is_supervisor": user.has_group("mango_office.group_supervisor"),
            }
        return info

    # ------------------------------------------------------------
    # Who may notify
    # ------------------------------------------------------------

    @classmethod
    def _auth_method_mango_office(cls):
        """Let the PBX in, as the public user, and note as whose PBX it comes.

        Whoever is refused is so here, ahead of all that Odoo reads for a user: with
        warm caches it costs not one query of ours.

        :raise Forbidden: unknown code, wrong or missing signature, or an address that
            is not allowed; one and the same for every reason.
        """
        request.mango_account_id = cls._mango_sender(request.httprequest)
        cls._auth_method_public()

    @classmethod
    def _mango_sender(cls, httprequest):
        """Return the account that a notification belongs to.

        :return: None if the request says and reveals nothing: a person who looks
            whether the address works, or an empty ``ping``.
        :rtype: int | None
        :raise Forbidden: as above.
        """
        if httprequest.method != "POST":
            return None
        # The signature is of the fields as decoded.
        form = form_of(httprequest)
        if not form and kind_at(httprequest.path) == "ping":
            return None
        accounts = request.env["mango.account"]
        credentials = accounts._credentials()
        guard.learn(request.db, credentials, host_of(httprequest))
        account_id = signature.sender_of(form, credentials)
        if account_id is None:
            cls._mango_refuse(httprequest.remote_addr)
        if not accounts._is_source_allowed(account_id, httprequest.remote_addr):
            _logger.info(
                "PBX notification refused: %s is not among the addresses that the "
                "PBX %s is allowed to notify from",
                httprequest.remote_addr,
                account_id,
            )
            raise Forbidden
        return account_id

    @classmethod
    def _mango_refuse(cls, address):
        limit = cls._mango_refusal_limit()
        count = guard.count(request.db, address, limit)
        if not limit or count <= limit:
            _logger.info(
                "PBX notification refused: unknown code or wrong signature, from %s",
                address,
            )
        if limit and count == limit:
            _logger.info(
                "%s wrong PBX notifications in a minute from %s: more of them are not "
                "logged one by one",
                count,
                address,
            )
        raise Forbidden

    @classmethod
    def _mango_refusal_limit(cls):
        # sudo: ir.config_parameter - a number that only this process sees.
        parameters_sudo = request.env["ir.config_parameter"].sudo()
        text = parameters_sudo.get_param(REFUSAL_LIMIT_KEY, "")
        return int(text) if text.strip().isdecimal() else REFUSAL_LIMIT
