from odoo import fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain


class DigestDigest(models.Model):
    """Key figures of the calls in Odoo's digest e-mails for supervisors."""

    _inherit = "digest.digest"

    kpi_mango_calls = fields.Boolean("Calls")
    kpi_mango_calls_value = fields.Integer(compute="_compute_kpi_mango_calls_value")
    kpi_mango_missed = fields.Boolean("Missed Calls")
    kpi_mango_missed_value = fields.Integer(compute="_compute_kpi_mango_missed_value")
    kpi_mango_not_called_back = fields.Boolean("Missed Clients Not Called Back")
    kpi_mango_not_called_back_value = fields.Integer(
        compute="_compute_kpi_mango_not_called_back_value"
    )
    kpi_mango_answer_time = fields.Boolean("Average Answer Time (Seconds)")
    kpi_mango_answer_time_value = fields.Integer(
        compute="_compute_kpi_mango_answer_time_value"
    )

    def _compute_kpi_mango_calls_value(self):
        self._mango_check_reader()
        self._calculate_company_based_kpi(
            "mango.call",
            "kpi_mango_calls_value",
            date_field="started_at",
            additional_domain=Domain("direction", "!=", "internal"),
        )

    def _compute_kpi_mango_missed_value(self):
        self._mango_check_reader()
        self._calculate_company_based_kpi(
            "mango.call",
            "kpi_mango_missed_value",
            date_field="started_at",
            additional_domain=Domain("result", "=", "missed"),
        )

    def _compute_kpi_mango_not_called_back_value(self):
        self._mango_check_reader()
        self._calculate_company_based_kpi(
            "mango.callback",
            "kpi_mango_not_called_back_value",
            date_field="first_missed_at",
            additional_domain=Domain("outcome", "in", ("waiting", "never")),
        )

    def _compute_kpi_mango_answer_time_value(self):
        self._mango_check_reader()
        start, end, companies = self._get_kpi_compute_parameters()
        rows = self.env["mango.call"]._read_group(
            Domain("company_id", "in", companies.ids)
            & Domain("direction", "=", "inbound")
            & Domain("result", "=", "answered")
            & Domain("started_at", ">=", start)
            & Domain("started_at", "<", end),
            ["company_id"],
            ["wait_duration:avg"],
        )
        averages = dict(rows)
        for digest in self:
            company = digest.company_id or self.env.company
            digest.kpi_mango_answer_time_value = round(averages.get(company) or 0)

    def _mango_check_reader(self):
        """Leave the figures out of e-mails to users who may not read all calls.

        :raise AccessError: as Odoo expects in that case.
        """
        if not self.env.user.has_group("mango_office.group_supervisor"):
            raise AccessError(
                self.env._("The figures of all calls are for supervisors.")
            )

    def _compute_kpis_actions(self, company, user):
        actions = super()._compute_kpis_actions(company, user)
        menu = self.env.ref("mango_office.mango_office_menu_root").id
        calls = f"mango_office.mango_call_action?menu_id={menu}"
        waiting = f"mango_office.mango_callback_action_report?menu_id={menu}"
        return {
            **actions,
            "kpi_mango_calls": calls,
            "kpi_mango_missed": calls,
            "kpi_mango_not_called_back": waiting,
            "kpi_mango_answer_time": calls,
        }
