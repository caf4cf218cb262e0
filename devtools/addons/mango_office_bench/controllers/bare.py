from odoo import http
from odoo.http import Response, request


class Bare(http.Controller):
    @http.route("/mango_office_bench/bus", type="jsonrpc", auth="user")
    def bus(self, number):
        """Send one message to the user: the minimum cost of a bus message.

        :param int number: repeated in the message ``mango_office_bench/bus``.
        """
        partner = request.env.user.partner_id
        partner._bus_send("mango_office_bench/bus", {"number": number})

    @http.route(
        ["/mango_office_bench/insert", "/mango_office_bench/insert/<path:tail>"],
        type="http",
        auth="public",
        methods=["POST"],
        csrf=False,
        save_session=False,
    )
    def insert(self, tail="", **_params):
        """Insert one row: the floor of any webhook in Odoo.

        :param str tail: ignored.
        :rtype: Response
        """
        # sudo: mango.bench.row - accepts anything, only in a database of the bench.
        rows_sudo = request.env["mango.bench.row"].sudo()
        rows_sudo.create({"body": request.httprequest.form.get("json", "")})
        return Response("", status=200, content_type="text/plain")
