from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.locking import locked_transaction

#: The PBX accepts one route command per two seconds (mango-api.md 2.6). This includes a
#: margin for their different travel times.
INTERVAL = timedelta(seconds=2.5)


class MangoRouteSlot(models.Model):
    """When a PBX accepts the next route command.

    It is stored in the database, because the calls of one PBX are handled by several
    server processes, and in a separate row, because under REPEATABLE READ a
    notification that refers to an account fails if the account's row was written
    meanwhile.
    """

    _name = "mango.route.slot"
    _description = "Route Command Slot"

    account_id = fields.Many2one(
        "mango.account", string="PBX", required=True, ondelete="cascade", readonly=True
    )
    taken_at = fields.Datetime(
        required=True,
        readonly=True,
        help="When the last command was due.",
    )

    _account_uniq = models.UniqueIndex(
        "(account_id)", "The PBX already has a route slot."
    )

    @api.model
    def _claim(self, account, patience):
        """Reserve the next time at which a PBX accepts a route command.

        :param mango.account account: the PBX.
        :param timedelta patience: how long the command may wait for its turn.
        :return: the seconds to wait, or None, without a reservation, if that would be
            too late.
        :rtype: float | None
        """
        with locked_transaction(self.env, f"mango_office/route/{account.id}") as env:
            rows = env.execute_query(
                SQL(
                    """
                    WITH clock AS (
                        SELECT clock_timestamp() AT TIME ZONE 'UTC' AS now
                    )
                    INSERT INTO mango_route_slot AS slot (account_id, taken_at)
                         SELECT %(account_id)s, now FROM clock
                    ON CONFLICT (account_id) DO UPDATE
                            SET taken_at = GREATEST(
                                    EXCLUDED.taken_at, slot.taken_at + %(interval)s
                                )
                          WHERE slot.taken_at + %(interval)s
                                <= EXCLUDED.taken_at + %(patience)s
                      RETURNING EXTRACT(
                                    EPOCH FROM slot.taken_at - (SELECT now FROM clock)
                                )
                    """,
                    interval=INTERVAL,
                    patience=patience,
                    account_id=account.id,
                )
            )
        return float(rows[0][0]) if rows else None
