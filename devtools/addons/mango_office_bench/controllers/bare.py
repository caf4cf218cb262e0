from odoo import http
from odoo.http import request


class Bare(http.Controller):
    @http.route("/mango_office_bench/bus", type="jsonrpc", auth="user")
    def bus(self, number):
        """Send one message to whoever asks for it: the least that a bus message costs.

        :param int number: comes back in the message ``mango_office_bench/bus``.
        """
        partner = request.env.user.partner_id
        partner._bus_send("mango_office_bench/bus", {"number": number})
