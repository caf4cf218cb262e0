from odoo import SUPERUSER_ID, api, fields, models
from odoo.fields import Domain

from ...vpbx import statistics, surprises
from ..inbox.mango_event import MAX_OF_CALL

#: At these kinds, the notifications of a call can be compared with each other.
CLOSING_KINDS = ("events/summary", statistics.KIND)


class MangoEvent(models.Model):
    """Notifications that deviate from the PBX's manual."""

    _inherit = "mango.event"

    surprise = fields.Selection(
        [("new", "To Look At"), ("counted", "Counted")],
        readonly=True,
        help="Set if it may contain something that Odoo did not expect.",
    )
    _surprise_idx = models.Index("(id) WHERE surprise = 'new'")

    @api.model
    def _store(self, vals, room=MAX_OF_CALL):
        # Only marked here, in the same statement. Counting writes a row that all
        # notifications share, so they would wait for one another in a burst.
        is_of_interest = vals["kind"] in CLOSING_KINDS or surprises.find(
            vals["kind"], vals["body"]
        )
        return super()._store(
            {**vals, "surprise": "new" if is_of_interest else None}, room
        )

    @api.model
    def _on_unreadable(self, account_id, kind, text):
        # sudo: mango.surprise - the PBX is not a user; its signature was verified.
        env = self.env(user=SUPERUSER_ID, su=True)
        env["mango.surprise"]._count_text(account_id, kind, text)
        return super()._on_unreadable(account_id, kind, text)

    @api.model
    def _told_commands(self, account, moments, around):
        """Return the commands whose outcome the PBX has reported.

        :param mango.account account: of the PBX.
        :param list[datetime] moments: when the commands were given.
        :param timedelta around: how far from them an outcome may be.
        :return: the ``command_id`` of each.
        :rtype: set[str]
        """
        results = self.search_fetch(
            Domain("account_id", "=", account.id)
            & Domain("kind", "=like", "result%")
            & Domain("received_at", ">=", min(moments) - around)
            & Domain("received_at", "<=", max(moments) + around),
            ["kind", "body"],
        )
        # Kinds that tell no outcome have no command either.
        return {getattr(result, "command_id", None) for result in results._parsed()}

    def _surprises(self):
        """Find deviations from the manual in these notifications and in their calls.

        :return: each occurrence with its event.
        :rtype: list[tuple[mango.event, Surprise]]
        """
        found = [
            (event, surprise)
            for event in self
            for surprise in surprises.find(event.kind, event.body)
        ]
        closing = self.filtered(lambda event: event.kind in CLOSING_KINDS)
        told = closing._told_of_calls()
        return found + [
            (event, surprise)
            for event in closing
            for surprise in surprises.contradictions(
                told.get((event.account_id, event.entry_id), ())
            )
        ]

    def _told_of_calls(self):
        """Return all notifications of the calls of these notifications.

        :return: parsed notifications by PBX and ``entry_id``.
        :rtype: dict
        """
        told = {}
        events = self.search_fetch(
            [
                ("account_id", "in", self.account_id.ids),
                ("entry_id", "in", self.mapped("entry_id")),
                ("state", "!=", "ignored"),
            ],
            ["account_id", "entry_id", "kind", "body"],
        )
        for (account, entry_id), same in events.grouped(
            lambda event: (event.account_id, event.entry_id)
        ).items():
            told[account, entry_id] = same._parsed()
        return told
