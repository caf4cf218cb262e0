from odoo import fields, models
from odoo.tools import SQL


class MangoSourceReport(models.Model):
    """Analysis of the results of advertisements: one row for each inbound call.

    A lead is counted at the first of its calls, and a client is new at the first call
    of their number.
    """

    _name = "mango.source.report"
    _description = "Calls by Source"
    _auto = False
    _order = "started_at desc, id desc"
    _rec_name = "call_id"

    call_id = fields.Many2one("mango.call", readonly=True)
    account_id = fields.Many2one("mango.account", string="PBX", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    line_id = fields.Many2one("mango.line", readonly=True)
    campaign_id = fields.Many2one("utm.campaign", readonly=True)
    source_id = fields.Many2one("utm.source", readonly=True)
    medium_id = fields.Many2one("utm.medium", readonly=True)
    user_id = fields.Many2one("res.users", string="Employee", readonly=True)
    started_at = fields.Datetime(string="Started", readonly=True)
    result = fields.Selection(
        [("answered", "Answered"), ("missed", "Missed")], readonly=True
    )
    new_clients = fields.Integer(readonly=True)
    leads = fields.Integer(readonly=True)
    won_leads = fields.Integer(readonly=True)
    won_revenue = fields.Float(
        readonly=True, help="Expected revenue of the leads won, in their currency."
    )

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT call.id,
                   call.id AS call_id,
                   call.account_id,
                   call.company_id,
                   call.line_id,
                   call.campaign_id,
                   call.source_id,
                   call.medium_id,
                   call.user_id,
                   call.started_at,
                   call.result,
                   CASE WHEN call.client_number IS NOT NULL AND NOT EXISTS (
                       SELECT FROM mango_call AS earlier
                        WHERE earlier.client_number = call.client_number
                          AND earlier.account_id = call.account_id
                          AND (earlier.started_at, earlier.id)
                              < (call.started_at, call.id)
                   ) THEN 1 ELSE 0 END AS new_clients,
                   CASE WHEN lead.id IS NOT NULL THEN 1 ELSE 0 END AS leads,
                   CASE WHEN lead.won_status = 'won' THEN 1 ELSE 0 END AS won_leads,
                   CASE WHEN lead.won_status = 'won' THEN lead.expected_revenue
                        ELSE 0 END AS won_revenue
              FROM mango_call AS call
              LEFT JOIN crm_lead AS lead
                     ON lead.id = call.lead_id
                    AND NOT EXISTS (
                        SELECT FROM mango_call AS earlier
                         WHERE earlier.lead_id = call.lead_id
                           AND earlier.direction = 'inbound'
                           AND (earlier.started_at, earlier.id)
                               < (call.started_at, call.id))
             WHERE call.direction = 'inbound'
            """
        )
