import logging

from odoo import http
from odoo.http import Response, request

from ..models.inbox.ir_http import MAX_BODY_SIZE, WEBHOOK_PATH, form_of, kind_at
from ..tools.locking import notification_slot
from ..tools.postcommit import LateCallbacks
from ..vpbx import notifications

_logger = logging.getLogger(__name__)


class MangoOfficeController(http.Controller):
    """The webhook of the PBX (``design.md`` 3, HTTP; ``mango-api.md`` 2.3 and 2.4)."""

    @http.route(
        [
            WEBHOOK_PATH,
            f"{WEBHOOK_PATH}/",
            f"{WEBHOOK_PATH}/<path:tail>",
            # For a PBX that joins address and path without a slash.
            f"{WEBHOOK_PATH}events/<path:tail>",
            f"{WEBHOOK_PATH}result/<path:tail>",
            f"{WEBHOOK_PATH}ping",
        ],
        type="http",
        auth="mango_office",  # by signature, see ``models/ir_http.py``
        methods=["GET", "POST"],
        csrf=False,
        save_session=False,
        max_content_length=MAX_BODY_SIZE,  # more is answered 413 by Odoo
    )
    def receive(self, **_params):
        """Store a notification with a valid signature, apply it and answer.

        :return: 200, or 400 if the signed text cannot be read.
        :rtype: Response
        :raise ServiceUnavailable: if the process is overloaded.
        """
        account_id = request.mango_account_id
        kind = kind_at(request.httprequest.path)
        if account_id is None or kind == "ping":
            return self._answer(200)
        text = form_of(request.httprequest).get("json", "")
        try:
            notification = notifications.parse(kind, text)
        except notifications.NotificationError as error:
            _logger.info("PBX notification %r cannot be read: %s", kind, error)
            request.env["mango.event"]._on_unreadable(account_id, kind, text)
            return self._answer(400)
        source = request.httprequest.remote_addr
        late = LateCallbacks()
        with notification_slot(request.env) as env:
            env["mango.event"]._receive(account_id, notification, text, source, late)
        response = self._answer(200)
        # The PBX does not wait until browsers and crons are woken.
        response.call_on_close(late.run_late)
        return response

    def _answer(self, status):
        return Response("", status=status, content_type="text/plain")
