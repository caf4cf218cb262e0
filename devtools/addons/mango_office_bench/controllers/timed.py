"""Measurements inside the server, where the HTTP overhead would hide the result."""

import random
import time
from contextlib import contextmanager

from odoo import http
from odoo.fields import Domain
from odoo.http import request
from odoo.tools import SQL

from odoo.addons.mango_office.models.inbox.ir_http import IrHttp
from odoo.addons.mango_office.models.pbx.mail_thread_phone import MailThreadPhone
from odoo.addons.mango_office.models.routing.decision import decide
from odoo.addons.mango_office.models.routing.mango_route_facts import Caller


class Timed(http.Controller):
    @http.route("/mango_office_bench/time", type="jsonrpc", auth="user")
    def time(self, what, rounds):
        """Repeat a measurement, by the clock or as reported by the database.

        :param str what: name of one of the methods below.
        :param int rounds: how often.
        :return: seconds of each round.
        :rtype: list[float]
        """
        do, *pairs = getattr(self, f"_{what}")(request.env, rounds)
        found = []
        for round_ in pairs:
            request.env.invalidate_all()
            started = time.perf_counter()
            told = do(round_)
            passed = time.perf_counter() - started
            found.append(told if isinstance(told, float) else passed)
        return found

    # -- who is calling -------------------------------------------------------------

    def _numbers(self, env, rounds):
        """Return numbers of different contacts from all over the table."""
        last = env["res.partner"].search([], order="id desc", limit=1).id
        ids = [random.Random(round_).randint(1, last) for round_ in range(rounds * 2)]
        partners = env["res.partner"].browse(ids).exists()
        return [*filter(None, partners.mapped("phone_sanitized"))][:rounds]

    def _identify(self, env, rounds):
        """The query by which a caller's contact is found, and its answer."""
        account = env.company.mango_account_id
        in_company = env["mango.caller.lookup"]._company_domain(account)

        def search(number):
            domain = Domain("phone_sanitized", "=", number) & in_company
            query = env["res.partner"].sudo()._search(domain, order="id", limit=50)
            return query.select()

        queries = [search(number) for number in self._numbers(env, rounds)]
        return [lambda query: _in_database(env, query), *queries]

    def _identify_by_suffix(self, env, rounds):
        """The same as in other addons: by the end of the number, ignoring blanks."""
        queries = [
            SQL(
                "SELECT id FROM res_partner WHERE replace(phone, ' ', '') ILIKE %s",
                f"%{number[-9:]}",
            )
            for number in self._numbers(env, rounds)
        ]
        return [lambda query: _in_database(env, query), *queries]

    def _identify_by_odoo(self, env, rounds):
        """The same by Odoo's own search for phone numbers."""
        partners = env["res.partner"].sudo()

        def search(number):
            partners.search([("phone_mobile_search", "=", number)], limit=50)

        return [search, *self._numbers(env, rounds)]

    def _identify_all(self, env, rounds):
        """Contact and open lead of a caller, as in the call log."""
        account = env.company.mango_account_id
        caller = env["mango.caller.lookup"].sudo()
        numbers = self._numbers(env, rounds)
        return [lambda number: caller._identify(account, number), *numbers]

    # -- to whom a call is routed ---------------------------------------------------

    def _callers(self, env, rounds):
        account = env.company.mango_account_id
        lookup = env["mango.caller.lookup"].sudo()
        for number in self._numbers(env, rounds):
            partner, lead = lookup._identify(account, number)
            yield Caller(account, partner, lead, number, env["mango.line"])

    def _read_route_facts(self, env, rounds):
        """Read what a decision goes by, in the plan that there is."""
        facts = env["mango.route.facts"].sudo()
        steps = env.company.mango_account_id._route_plan()
        return [lambda caller: facts._read(caller, steps), *self._callers(env, rounds)]

    def _decide_route(self, env, rounds):
        """The decision alone."""
        facts = env["mango.route.facts"].sudo()
        steps = env.company.mango_account_id._route_plan()
        known = [facts._read(one, steps).facts for one in self._callers(env, rounds)]
        return [lambda one: decide(steps, one), *known]

    # -- pages that are not ours ------------------------------------------------------

    def _write_contact(self, env, rounds):
        """Change the number of a contact."""
        partner = env["res.partner"].search([("phone", "!=", False)], limit=1)

        def write(round_):
            partner.phone = f"8 (495) 000-{round_:04}"
            env.flush_all()

        return [write, *range(rounds)]

    def _write_contact_without(self, env, rounds):
        write, *pairs = self._write_contact(env, rounds)
        with_us_left_out = _left_out(MailThreadPhone, "_compute_phone_sanitized")
        return [with_us_left_out(write), *pairs]

    def _session_info(self, env, rounds):
        """The session info that the web client loads."""
        return [lambda _round: env["ir.http"].session_info(), *range(rounds)]

    def _session_info_without(self, env, rounds):
        read, *pairs = self._session_info(env, rounds)
        return [_left_out(IrHttp, "session_info")(read), *pairs]

    def _get_screen(self, env, rounds):
        """The additional request of telephony users' web clients."""
        return [lambda _round: env["mango.call.presence"].get_screen(), *range(rounds)]


def _in_database(env, query):
    """Return the seconds that a query takes in the database, its planning included.

    :param SQL query: is executed completely.
    :rtype: float
    """
    explain = SQL("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) %s", query)
    [[[plan]]] = env.execute_query(explain)
    return (plan["Planning Time"] + plan["Execution Time"]) / 1000


def _left_out(cls, name):
    """Return a decorator that disables a method of the addon while a function runs.

    :param type cls: one of the addon's classes that extend Odoo's.
    :param str name: the method's name; Odoo's own is called instead.
    """

    @contextmanager
    def without():
        method = cls.__dict__[name]
        delattr(cls, name)
        try:
            yield
        finally:
            setattr(cls, name, method)

    def decorate(function):
        def run(*args):
            with without():
                return function(*args)

        return run

    return decorate
