import logging

from werkzeug.exceptions import Forbidden

from odoo import http
from odoo.http import Response, request

from ..models.mango_account import WEBHOOK_PATH
from ..vpbx import notifications, signature

_logger = logging.getLogger(__name__)

MAX_BODY_SIZE = 64 * 1024


class MangoOfficeController(http.Controller):
    """What the PBX posts to (``design.md`` 3, HTTP; ``mango-api.md`` 2.3 and 2.4)."""

    @http.route(
        # The last one is for a PBX that joins address and path without a slash.
        [
            WEBHOOK_PATH,
            f"{WEBHOOK_PATH}/",
            f"{WEBHOOK_PATH}/<path:tail>",
            f"{WEBHOOK_PATH}<path:tail>",
        ],
        type="http",
        auth="public",
        methods=["GET", "POST"],
        csrf=False,
        save_session=False,
        max_content_length=MAX_BODY_SIZE,  # more is answered 413 by Odoo
    )
    def receive(self, tail="", **_params):
        """Verify a notification, store it, apply it and answer.

        :param str tail: the end of the address; tells the kind of notification.
        :return: 200, or 400 for a verified text that makes no sense.
        :rtype: Response
        :raise Forbidden: unknown code, or wrong or missing signature.
        """
        if request.httprequest.method != "POST":
            return self._answer(200)
        form = request.httprequest.form
        kind = notifications.kind_of(tail)
        if kind == "ping" and not form:
            return self._answer(200)
        account_id = self._authenticate(form)
        if kind == "ping":
            return self._answer(200)
        text = form.get("json", "")
        try:
            notification = notifications.parse(kind, text)
        except notifications.NotificationError as error:
            _logger.info("PBX notification %r makes no sense: %s", kind, error)
            return self._answer(400)
        request.env["mango.event"]._receive(account_id, notification, text)
        return self._answer(200)

    def _authenticate(self, form):
        """Return the account that a notification belongs to.

        :param MultiDict form: the fields as decoded; the signature is of that text.
        :rtype: int
        :raise Forbidden: one and the same for every reason.
        """
        api_key = form.get("vpbx_api_key", "")
        account_id, salt = (
            request.env["mango.account"]._credentials().get(api_key, (None, ""))
        )
        is_genuine = signature.verify(
            api_key, form.get("json", ""), salt, form.get("sign", "")
        )
        if account_id is None or not is_genuine:
            _logger.info(
                "PBX notification refused: unknown code or wrong signature, from %s",
                request.httprequest.remote_addr,
            )
            raise Forbidden
        return account_id

    def _answer(self, status):
        return Response("", status=status, content_type="text/plain")
