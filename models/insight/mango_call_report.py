from odoo import fields, models
from odoo.tools import SQL

from ..callbacks.mango_callback import WEEKDAYS
from ..calls.mango_call import DIRECTIONS, RESULTS


class MangoCallReport(models.Model):
    """Analysis of calls: one row for each call, with its id.

    A share is an average of ones and zeros over its base of calls; for all others it is
    NULL. PostgreSQL only computes the requested columns.
    """

    _name = "mango.call.report"
    _description = "Call Analysis"
    _auto = False
    _order = "started_at desc, id desc"
    _rec_name = "call_id"
    _depends = {
        "mango.account": ["answer_seconds"],
        "mango.call": [
            "account_id",
            "answered_at",
            "campaign_id",
            "client_number",
            "company_id",
            "direction",
            "extension_id",
            "lead_id",
            "line_id",
            "medium_id",
            "outcome_id",
            "partner_id",
            "result",
            "route_answered",
            "route_attempts",
            "route_step_id",
            "routed_to",
            "source_id",
            "started_at",
            "talk_duration",
            "user_id",
            "user_ids",
            "wait_duration",
        ],
        "mango.callback": ["call_ids", "closing_call_id", "outcome"],
        "crm.lead": ["team_id"],
        "res.partner": ["complete_name"],
        "res.users": ["sale_team_id"],
    }

    call_id = fields.Many2one("mango.call", readonly=True)
    account_id = fields.Many2one("mango.account", string="PBX", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    # Dimensions.
    started_at = fields.Datetime(string="Started", readonly=True)
    hour = fields.Char(
        readonly=True, help="The hour of the day in which the call began: 00 to 23."
    )
    weekday = fields.Selection(WEEKDAYS, readonly=True)
    direction = fields.Selection(DIRECTIONS, readonly=True)
    result = fields.Selection(
        RESULTS,
        readonly=True,
        help="Missed: inbound and not answered. No answer: outbound and not answered.",
    )
    user_id = fields.Many2one(
        "res.users",
        string="Employee",
        readonly=True,
        help="The employee who talked, or to whom the call belongs; a call that a "
        "whole group has missed belongs to nobody.",
    )
    user_ids = fields.Many2many(
        "res.users",
        "mango_call_res_users_rel",
        "mango_call_id",
        "res_users_id",
        string="Participants",
        readonly=True,
        help="Everybody whose phone rang, who called, or who is responsible for the "
        "client.",
    )
    extension_id = fields.Many2one("mango.extension", readonly=True)
    team_id = fields.Many2one(
        "crm.team",
        string="Sales Team",
        readonly=True,
        help="The employee's team; for a call without an employee, the lead's.",
    )
    line_id = fields.Many2one("mango.line", readonly=True)
    source_id = fields.Many2one(
        "utm.source",
        readonly=True,
        help="The advertisement that the call came from: that of its line, or what "
        "call tracking has told.",
    )
    medium_id = fields.Many2one("utm.medium", readonly=True)
    campaign_id = fields.Many2one("utm.campaign", readonly=True)
    outcome_id = fields.Many2one(
        "mango.call.outcome",
        readonly=True,
        help="What the talk led to, as the employee has noted it.",
    )
    partner_id = fields.Many2one("res.partner", string="Contact", readonly=True)
    client = fields.Char(
        readonly=True, help="The contact's name, or else the number; empty if hidden."
    )
    client_number = fields.Char(string="Number", readonly=True)
    lead_id = fields.Many2one("crm.lead", readonly=True)
    routed_to = fields.Many2one(
        "res.users",
        readonly=True,
        help="The employee chosen by Odoo; the last one if there were several.",
    )
    route_step_id = fields.Many2one(
        "mango.route.step",
        string="Routing Step",
        readonly=True,
        help="The step of the plan that was rung last.",
    )
    route_attempts = fields.Integer(
        string="Routing Steps",
        readonly=True,
        aggregator="avg",
        help="How many targets of the plan were rung.",
    )
    # Measures.
    client_key = fields.Integer(
        string="Unique Clients",
        readonly=True,
        aggregator="count_distinct",
        help="The number of different clients: the contact, or else the number. "
        "Hidden numbers are ignored.",
    )
    new_client = fields.Integer(
        string="New Clients",
        readonly=True,
        aggregator="sum",
        help="Inbound calls from clients without any earlier call in either direction, "
        "neither with the contact nor with the number.",
    )
    answered_share = fields.Float(
        readonly=True,
        aggregator="avg",
        help="The share of inbound calls that were answered; those that still ring do "
        "not count.",
    )
    missed = fields.Integer(
        string="Missed Calls",
        readonly=True,
        aggregator="sum",
        help="Inbound calls that nobody answered.",
    )
    not_called_back = fields.Integer(
        string="Missed and Not Called Back",
        readonly=True,
        aggregator="sum",
        help="Missed calls whose client still waits or was dropped: nobody has spoken "
        "with them since.",
    )
    called_back_in_time = fields.Integer(
        readonly=True,
        aggregator="sum",
        help="Calls to clients who waited to be called back, before their deadline: "
        "the calls that ended their wait.",
    )
    in_time_share = fields.Float(
        string="Answered in Time",
        readonly=True,
        aggregator="avg",
        help="The share of inbound calls, missed ones included, that were answered "
        "within the seconds that are set for the PBX.",
    )
    answer_time = fields.Float(
        string="Time to Answer",
        readonly=True,
        aggregator="avg",
        help="Seconds from the beginning of an inbound call until somebody answered; "
        "the average of those that were answered.",
    )
    talk_time = fields.Float(
        readonly=True,
        aggregator="sum",
        help="Seconds of talk, all calls together.",
    )
    talk_average = fields.Float(
        string="Average Talk",
        readonly=True,
        aggregator="avg",
        help="Seconds of talk of a call that was answered, on average.",
    )
    routed_share = fields.Float(
        string="Routed to the Right Person",
        readonly=True,
        aggregator="avg",
        help="The share of the calls routed by Odoo that the person chosen answered.",
    )

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT call.id,
                   call.id AS call_id,
                   call.account_id,
                   call.company_id,
                   call.started_at,
                   to_char(%(started)s, 'HH24') AS hour,
                   (EXTRACT(ISODOW FROM %(started)s)::integer - 1)::text AS weekday,
                   call.direction,
                   call.result,
                   call.user_id,
                   call.extension_id,
                   COALESCE(employee.sale_team_id, lead.team_id) AS team_id,
                   call.line_id,
                   call.source_id,
                   call.medium_id,
                   call.campaign_id,
                   call.outcome_id,
                   call.partner_id,
                   COALESCE(partner.complete_name, %(number)s) AS client,
                   call.client_number,
                   call.lead_id,
                   call.routed_to,
                   call.route_step_id,
                   call.route_attempts,
                   %(measures)s
              FROM mango_call call
         LEFT JOIN mango_account account ON account.id = call.account_id
         LEFT JOIN res_users employee ON employee.id = call.user_id
         LEFT JOIN res_partner partner ON partner.id = call.partner_id
         LEFT JOIN crm_lead lead ON lead.id = call.lead_id
            """,
            started=self._started_locally(),
            number=self._formatted_number(),
            measures=SQL(", ").join(
                SQL("%s AS %s", expression, SQL.identifier(name))
                for name, expression in self._measures().items()
            ),
        )

    def _started_locally(self):
        """Return the start of a call in the reader's time zone."""
        return SQL(
            "(call.started_at AT TIME ZONE 'UTC' AT TIME ZONE %s)", str(self.env.tz)
        )

    def _formatted_number(self):
        """Return the number of the client, as the call log shows it.

        Only Russian numbers are formatted, those of other countries stay E.164.
        """
        return SQL(
            "regexp_replace(call.client_number, %s, %s)",
            r"^\+7([3489]\d{2})(\d{3})(\d{2})(\d{2})$",
            r"+7 \1 \2-\3-\4",
        )

    def _measures(self):
        """Return the measures of a call.

        :return: expressions by the fields' names.
        :rtype: dict[str, SQL]
        """
        over = SQL("call.direction = 'inbound' AND call.result IS NOT NULL")
        talked = SQL("call.answered_at IS NOT NULL")
        missed = SQL("call.result = 'missed'")
        return {
            "client_key": SQL(
                "hashtextextended("
                "COALESCE(call.partner_id::text, call.client_number), 0)"
            ),
            "new_client": self._one_if(self._is_new_client()),
            "answered_share": self._share(SQL("call.result = 'answered'"), over),
            "missed": self._one_if(missed),
            "not_called_back": self._one_if(self._is_not_called_back(missed)),
            "called_back_in_time": self._one_if(
                SQL(
                    """
                    call.direction = 'outbound' AND EXISTS (
                        SELECT 1
                          FROM mango_callback callback
                         WHERE callback.closing_call_id = call.id
                           AND callback.outcome = 'in_time')
                    """
                )
            ),
            "in_time_share": self._share(
                SQL(
                    "call.result = 'answered' "
                    "AND call.wait_duration <= account.answer_seconds"
                ),
                over,
            ),
            "answer_time": SQL(
                "CASE WHEN call.direction = 'inbound' AND %s "
                "THEN call.wait_duration END",
                talked,
            ),
            "talk_time": SQL("call.talk_duration"),
            "talk_average": SQL("CASE WHEN %s THEN call.talk_duration END", talked),
            "routed_share": self._share(
                SQL("COALESCE(call.route_answered, FALSE)"),
                SQL("call.result IS NOT NULL AND call.route_attempts > 0"),
            ),
        }

    def _one_if(self, condition):
        return SQL("CASE WHEN %s THEN 1 ELSE 0 END", condition)

    def _share(self, condition, among):
        return SQL(
            "CASE WHEN %s THEN CASE WHEN %s THEN 1.0 ELSE 0.0 END END", among, condition
        )

    def _is_new_client(self):
        # Each uses its own index.
        earlier = SQL(
            "earlier.company_id = call.company_id "
            "AND (earlier.started_at, earlier.id) < (call.started_at, call.id)"
        )
        return SQL(
            """
            call.direction = 'inbound'
            AND COALESCE(call.partner_id::text, call.client_number) IS NOT NULL
            AND NOT EXISTS (
                SELECT 1
                  FROM mango_call earlier
                 WHERE earlier.client_number = call.client_number AND %(earlier)s)
            AND NOT EXISTS (
                SELECT 1
                  FROM mango_call earlier
                 WHERE earlier.partner_id = call.partner_id AND %(earlier)s)
            """,
            earlier=earlier,
        )

    def _is_not_called_back(self, missed):
        return SQL(
            """
            %s AND EXISTS (
                SELECT 1
                  FROM mango_call_mango_callback_rel entry
                  JOIN mango_callback callback ON callback.id = entry.mango_callback_id
                 WHERE entry.mango_call_id = call.id
                   AND callback.outcome IN ('waiting', 'never'))
            """,
            missed,
        )

    def action_open_call(self):
        """Open the call that a row is about."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "res_model": "mango.call",
            "res_id": self.id,
            "views": [(False, "form")],
        }
