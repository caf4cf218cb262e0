from datetime import datetime, timedelta
from typing import NamedTuple

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...vpbx import surprises

#: Maximum number for a PBX; further ones are counted in one row.
MOST_OF_PBX = 300

#: Notifications of a call arrive in any order; they are compared after this time.
SETTLING_TIME = timedelta(minutes=2)

BATCH_SIZE = 500

_MAX_PLACE = 200  # characters


class Tally(NamedTuple):
    """An example of a surprise, and when it was seen."""

    example: str | None
    moments: list[datetime]


class MangoSurprise(models.Model):
    """Something unexpected from the PBX, with the number of occurrences."""

    _name = "mango.surprise"
    _description = "Surprise from the PBX"
    _order = "is_seen, last_at desc, id desc"
    _rec_name = "place"

    account_id = fields.Many2one(
        "mango.account", string="PBX", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="account_id.company_id")
    place = fields.Char(
        required=True,
        readonly=True,
        help="The kind of notification, and its member.",
    )
    what = fields.Selection(
        [
            (surprises.UNKNOWN_KIND, "Unknown kind of notification"),
            (surprises.UNKNOWN_MEMBER, "Unknown member"),
            (surprises.MISSING, "Missing"),
            (surprises.WRONG_TYPE, "Not of this type"),
            (surprises.UNKNOWN_WORD, "Unknown word"),
            (surprises.UNKNOWN_CODE, "Unknown code"),
            (surprises.ODD_NUMBER, "Neither a phone number nor an extension"),
            (surprises.ODD_TIME, "Not a time"),
            (surprises.CONTRADICTION, "Contradicts earlier notifications"),
            ("more", "Others"),
        ],
        required=True,
        readonly=True,
    )
    example = fields.Char(readonly=True, help="Digits are shown as 0 and letters as x.")
    count = fields.Integer(string="Times", required=True, readonly=True)
    first_at = fields.Datetime(string="First", required=True, readonly=True)
    last_at = fields.Datetime(string="Last", required=True, readonly=True)
    is_seen = fields.Boolean(string="Seen", readonly=True)
    _place_uniq = models.UniqueIndex(
        "(account_id, place, what)", "This surprise is already counted."
    )

    # ------------------------------------------------------------
    # Counting
    # ------------------------------------------------------------

    @api.model
    def _count_new(self):
        """Cron: check the marked notifications, and count surprises."""
        cron = self.env["ir.cron"]
        self.env["mango.command"]._count_without_result()
        self.env["mango.call"]._count_without_route_result()
        domain = Domain("surprise", "=", "new") & Domain(
            "received_at", "<", fields.Datetime.now() - SETTLING_TIME
        )
        events = self.env["mango.event"]
        cron._commit_progress(remaining=events.search_count(domain))
        last_id = 0
        while batch := events.search(
            domain & Domain("id", ">", last_id), order="id", limit=BATCH_SIZE
        ):
            last_id = batch.ids[-1]
            self._count_events(batch.try_lock_for_update())
            if not cron._commit_progress(len(batch)):
                return

    @api.model
    def _count_events(self, events):
        found = events._surprises()
        for account in events.account_id:
            sightings = [
                (surprise, event.received_at)
                for event, surprise in found
                if event.account_id == account
            ]
            self._count(account.id, sightings)
        surprising = events.browse({event.id for event, _surprise in found})
        surprising.surprise = "counted"
        (events - surprising).surprise = False

    @api.model
    def _count_text(self, account_id, kind, text):
        """Count the surprises in a notification that was not stored.

        :param int account_id: the account whose signature was verified.
        :param str kind: of the notification.
        :param text: of ``json`` as received.
        """
        now = fields.Datetime.now()
        self._count(account_id, [(one, now) for one in surprises.find(kind, text)])

    @api.model
    def _count(self, account_id, sightings):
        """Add to the counts of a PBX.

        :param int account_id: of the PBX.
        :param list[tuple[Surprise, datetime]] sightings: surprises and their times.
        """
        if not sightings:
            return
        now = fields.Datetime.now()
        # Always in the same order, because concurrent counts would deadlock.
        rows = SQL(", ").join(
            SQL(
                "(%s, %s, %s, %s, %s, %s, %s, FALSE, %s, %s, %s, %s)",
                account_id,
                place,
                what,
                tally.example,
                len(tally.moments),
                min(tally.moments),
                max(tally.moments),
                self.env.uid,
                self.env.uid,
                now,
                now,
            )
            for (place, what), tally in sorted(self._tally(account_id, sightings))
        )
        self.env.execute_query(
            SQL(
                """
                INSERT INTO mango_surprise
                    (account_id, place, what, example, count, first_at, last_at,
                     is_seen, create_uid, write_uid, create_date, write_date)
                VALUES %s
                ON CONFLICT (account_id, place, what)
                DO UPDATE SET count = mango_surprise.count + EXCLUDED.count,
                              first_at = LEAST(mango_surprise.first_at,
                                               EXCLUDED.first_at),
                              last_at = GREATEST(mango_surprise.last_at,
                                                 EXCLUDED.last_at)
                RETURNING id
                """,
                rows,
            )
        )
        self.invalidate_model()

    @api.model
    def _tally(self, account_id, sightings):
        """Group sightings by place and kind; beyond the limit of rows, in one.

        :return: the key of each row, and its tally.
        :rtype: ItemsView[tuple[str, str], Tally]
        """
        known = self._known(account_id)
        tallies = {}
        for surprise, moment in sightings:
            key = surprise.place[:_MAX_PLACE], surprise.what
            example = surprise.example or None
            if key not in known and len(known) >= MOST_OF_PBX:
                key, example = ("…", "more"), None
            known.add(key)
            tallies.setdefault(key, Tally(example, [])).moments.append(moment)
        return tallies.items()

    @api.model
    def _known(self, account_id):
        rows = self.search_fetch([("account_id", "=", account_id)], ["place", "what"])
        return {(row.place, row.what) for row in rows}

    # ------------------------------------------------------------
    # Review
    # ------------------------------------------------------------

    def action_mark_seen(self):
        """Mark these as seen."""
        self.check_access("read")
        # sudo: mango.surprise - whoever may read one may mark it as seen.
        self.sudo().is_seen = True

    def action_view_events(self):
        """Open the notifications of this surprise."""
        self.ensure_one()
        self.env["mango.event"].check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "mango_office.mango_event_action"
        )
        kind = self.place.partition(": ")[0]
        action["domain"] = [
            ("account_id", "=", self.account_id.id),
            ("surprise", "=", "counted"),
        ]
        if self.what != "more":
            action["domain"].append(("kind", "=", kind))
        return action
