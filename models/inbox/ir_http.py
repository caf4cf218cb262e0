import logging

from werkzeug.exceptions import Forbidden

from odoo import models
from odoo.http import request

from ...vpbx import notifications, signature

_logger = logging.getLogger(__name__)

WEBHOOK_PATH = "/exec/mango"

MAX_BODY_SIZE = 64 * 1024


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    def session_info(self):
        """Tell the web clients of telephony users which extension they call from.

        For other users nothing is added, and the web client does nothing.
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
    # Authentication of notifications
    # ------------------------------------------------------------

    @classmethod
    def _auth_method_mango_office(cls):
        """Authenticate the PBX as the public user, and store its account.

        A request is refused before Odoo reads anything for a user: with warm caches
        this costs no query.

        :raise Forbidden: unknown code, wrong or missing signature, or an address that
            is not allowed; the answer is the same for every reason.
        """
        request.mango_account_id = cls._mango_sender(request.httprequest)
        cls._auth_method_public()

    @classmethod
    def _mango_sender(cls, httprequest):
        """Return the account that a notification belongs to.

        :return: None for a harmless request without data: somebody who checks the
            address, or the empty request of the cabinet's check.
        :rtype: int | None
        :raise Forbidden: as above.
        """
        if httprequest.method != "POST":
            return None
        # The signature covers the decoded fields.
        form = form_of(httprequest)
        if not form and cls._mango_is_check(httprequest):
            return None
        accounts = request.env["mango.account"]
        account_id = signature.sender_of(form, accounts._credentials())
        if account_id is None:
            _logger.info(
                "PBX notification refused: unknown code or wrong signature, from %s",
                httprequest.remote_addr,
            )
            raise Forbidden
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
    def _mango_is_check(cls, httprequest):
        """Tell whether a request without fields may be the cabinet's check.

        It goes to ``ping`` or, with nothing in it, to the address itself.
        """
        kind = kind_at(httprequest.path)
        return kind == "ping" or not (kind or httprequest.content_length)


def kind_at(path):
    """Return the kind of the notification that is posted to a path.

    :param str path: the whole path.
    :rtype: str
    """
    return notifications.kind_of(path.removeprefix(WEBHOOK_PATH))


def form_of(httprequest):
    """Return the fields of a notification, reading the body up to our limit only.

    :rtype: MultiDict
    :raise RequestEntityTooLarge: if the body is longer.
    """
    httprequest.max_content_length = MAX_BODY_SIZE
    return httprequest.form
