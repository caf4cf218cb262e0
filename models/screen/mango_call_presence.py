from datetime import timedelta
from itertools import islice

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.constants import GC_UNLINK_LIMIT

#: How long, and how many, cards of ended calls stay until they are closed.
SHOWN_TIME = timedelta(hours=12)

SHOWN_LIMIT = 8

#: How many of the latest calls are searched, since some cards close by themselves.
LOOKED_AT_LIMIT = 24

#: A closed card must not reappear while the call goes on.
KEPT_TIME = timedelta(days=3)


class MangoCallPresence(models.Model):
    """A call on somebody's screen: from when their phone rings until they close it."""

    _name = "mango.call.presence"
    _description = "Call on a User's Screen"
    _order = "id desc"
    _rec_name = "call_id"

    call_id = fields.Many2one(
        "mango.call", required=True, readonly=True, ondelete="cascade"
    )
    user_id = fields.Many2one(
        "res.users", required=True, readonly=True, ondelete="cascade"
    )
    closed_at = fields.Datetime(readonly=True)
    _call_user_uniq = models.UniqueIndex(
        "(call_id, user_id)", "The call is already on this screen."
    )
    _open_idx = models.Index("(user_id, call_id) WHERE closed_at IS NULL")

    @api.model
    def _show_call(self, call, extensions):
        """Put a call on the screens of some users, once: a closed card stays closed.

        :param mango.call call: a live call.
        :param mango.extension extensions: those that ring.
        :return: the users on whose screen it is new.
        :rtype: res.users
        """
        if not extensions:
            return self.env["res.users"]
        extensions.flush_model(["user_id"])
        # A card that is being closed must not be run into: the insert would fail with a
        # concurrent update, although there is nothing to insert.
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO mango_call_presence
                    (call_id, user_id, create_uid, write_uid, create_date, write_date)
                     SELECT DISTINCT %(call_id)s, person.id, %(uid)s, %(uid)s,
                            %(now)s, %(now)s
                       FROM mango_extension AS extension
                       JOIN res_users AS person ON person.id = extension.user_id
                      WHERE extension.id IN %(extension_ids)s AND person.active
                        AND NOT EXISTS (
                                SELECT FROM mango_call_presence AS known
                                 WHERE known.call_id = %(call_id)s
                                   AND known.user_id = person.id
                            )
                ON CONFLICT (call_id, user_id) DO NOTHING
                  RETURNING user_id
                """,
                call_id=call.id,
                uid=self.env.uid,
                now=fields.Datetime.now(),
                extension_ids=tuple(extensions.ids),
            )
        )
        return self.env["res.users"].browse(row[0] for row in rows)

    # ------------------------------------------------------------
    # Requests of the web client
    # ------------------------------------------------------------

    @api.model
    def get_screen(self):
        """Return all telephony data on the user's screen.

        :return: ``cards`` (:meth:`mango.card._of_call`, the newest first),
            ``extension`` (as in the session info) and the user's figures:
            ``my_state`` (as of :meth:`mango.extension._states`) and others.
        :rtype: dict
        """
        self.check_access("read")
        content = self.env["mango.card.content"]
        commands = self.env["mango.command"]._on_screen()
        calls = self._in_all_companies()._calls_on_screen()
        return {
            "cards": [
                *(
                    content.with_company(command.company_id)._card_of_command(command)
                    for command in commands
                ),
                *self._cards_of_calls(calls),
            ],
            "extension": self.env.user._mango_extension_info(),
            **self._figures(),
        }

    @api.model
    def get_cards(self, call_ids):
        """Return those calls that are on the user's screen.

        :param list[int] call_ids: ids of ``mango.call``.
        :return: as :meth:`get_screen`, without the extension.
        :rtype: dict
        """
        self.check_access("read")
        own = self._in_all_companies().search(
            self._own_domain() & Domain("call_id", "in", call_ids)
        )
        calls = own.call_id._filtered_access("read")
        return {"cards": self._cards_of_calls(calls), **self._figures()}

    @api.model
    def get_running(self):
        """Return the user's calls that go on, even if their cards have been closed.

        :return: the latest first, each with ``id``, ``key`` (of its card),
            ``company_id`` and ``name`` (of the client).
        :rtype: list[dict]
        """
        self.check_access("read")
        everywhere = self._in_all_companies()
        view = everywhere.env["mango.card.phase"]
        since = fields.Datetime.now() - 2 * SHOWN_TIME
        own = everywhere.search(
            Domain("user_id", "=", self.env.uid)
            & Domain("create_date", ">", since)
            & Domain("call_id", "any", Domain("state", "!=", "ended")),
            order="id desc",
        )
        calls = own.call_id._filtered_access("read")
        running = calls.filtered(lambda call: not view._leaves_me(call))
        return [
            {
                "id": card["call_id"],
                "key": card["key"],
                "company_id": card["company_id"],
                "name": card["name"],
            }
            for card in self._cards_of_calls(running)
            if card["phase"] != "ended"
        ]

    @api.model
    def _in_all_companies(self):
        """Return this model with all companies of the user, the active ones first.

        A phone rings whatever company its user has chosen in the browser.
        """
        company_ids = [*self.env.companies.ids, *self.env.user._get_company_ids()]
        return self.with_context(allowed_company_ids=list(dict.fromkeys(company_ids)))

    def _cards_of_calls(self, calls):
        """Return the cards of calls, each read in the company of its call.

        Other companies that are not active remain hidden.

        :param mango.call calls: ones that the user may read in their companies.
        :rtype: list[dict]
        """
        cards = []
        for call in calls:
            own = call.with_env(self.env).with_company(call.company_id)
            cards.append(own.env["mango.card.content"]._card_of_call(own))
        return cards

    @api.model
    def _own_domain(self):
        return Domain("user_id", "=", self.env.uid) & Domain("closed_at", "=", False)

    @api.model
    def _calls_on_screen(self):
        """Return the calls whose cards are shown: all live ones, and some past ones.

        :rtype: mango.call
        """
        view = self.env["mango.card.phase"]
        is_past = Domain("state", "=", "ended")
        since = fields.Datetime.now() - SHOWN_TIME
        running = self._own_calls(~is_past)
        past = self._own_calls(
            is_past & Domain("ended_at", ">", since), LOOKED_AT_LIMIT
        )

        def stays(call):
            return not view._leaves_me(call)

        return running.filtered(stays).concat(*islice(filter(stays, past), SHOWN_LIMIT))

    @api.model
    def _own_calls(self, domain, limit=None):
        """Return the calls of a domain that the user has not closed, latest first.

        :rtype: mango.call
        """
        # Limited by the age of the call, which keeps the search short.
        since = fields.Datetime.now() - 2 * SHOWN_TIME
        cards = self.search(
            self._own_domain()
            & Domain("create_date", ">", since)
            & Domain("call_id", "any", domain),
            order="id desc",
            limit=limit,
        )
        return cards.call_id._filtered_access("read")

    @api.model
    def _figures(self):
        extension = self.env.user._mango_caller_extension()
        # sudo: res.users - the user's own status.
        user_sudo = self.env.user.sudo()
        return {
            "my_state": extension._states().get(extension.id, "free"),
            "my_status": user_sudo._mango_status_info(),
        }

    @api.autovacuum
    def _gc_old(self):
        """Delete the cards that no screen shows any more; the calls stay."""
        old = self.search(
            Domain("create_date", "<", fields.Datetime.now() - KEPT_TIME)
            & Domain("call_id.state", "=", "ended"),
            order="id",
            limit=GC_UNLINK_LIMIT,
        )
        old.unlink()
        return len(old), len(old) == GC_UNLINK_LIMIT
