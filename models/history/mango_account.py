from odoo import api, fields, models
from odoo.exceptions import ValidationError


class MangoAccount(models.Model):
    """How much of a PBX's past is fetched, and how long it is kept."""

    _inherit = "mango.account"

    history_days = fields.Integer(
        string="Days to Fetch on First Connection",
        default=7,
        help="On the first connection, the calls of this many days are fetched.",
    )
    event_retention_days = fields.Integer(
        string="Days to Keep Notifications",
        default=90,
        help="Notifications of ended calls are removed after this time; the calls "
        "stay. 0 keeps them forever.",
    )

    @api.constrains("history_days", "event_retention_days")
    def _check_days(self):
        for account in self:
            if account.history_days < 0 or account.event_retention_days < 0:
                raise ValidationError(
                    self.env._("A number of days cannot be below zero.")
                )

    def _is_proven(self):
        """Tell whether the PBX and Odoo have ever understood each other.

        Until then there are no automatic requests: a mistyped secret would already use
        up one of the two wrong requests that lock the account out.

        :rtype: bool
        """
        self.ensure_one()
        # sudo: mango.circuit.breaker - internal state of the addon.
        breaker = self.env["mango.circuit.breaker"].sudo()._get_breaker(self)
        return bool(breaker.proven_at or self.last_load_at or self.last_event_at)

    def _extension_by_ref(self):
        """Return the numbers of the PBX's employees, including former ones.

        :return: by the PBX's ``user_id``.
        :rtype: dict[str, str]
        """
        return self._number_by_ref("mango.extension", "pbx_user_ref")

    def _group_by_ref(self):
        """Return the numbers of the PBX's groups, including former ones.

        :return: by the PBX's ``group_id``.
        :rtype: dict[str, str]
        """
        return self._number_by_ref("mango.group", "pbx_group_ref")

    def _number_by_ref(self, model, ref_name):
        found = (
            self.env[model]
            .with_context(active_test=False)
            .search_fetch(
                [("account_id", "=", self.id), (ref_name, "!=", False)],
                [ref_name, "number"],
                order="active, id",
            )
        )
        return {record[ref_name]: record.number for record in found}

    def _store_loaded(self, users, groups, lines):
        """Store staff and lines; the first success starts fetching past calls."""
        changes = super()._store_loaded(users, groups, lines)
        self.env["mango.statistics.import"]._wake_cron()
        return changes

    def _resume_requests(self, is_proven=False):
        result = super()._resume_requests(is_proven)
        # May follow a request, and the cron writes the waiting imports, too.
        self._store_answer(
            lambda own: own["mango.statistics.import"]._go_on_at_once(
                self.with_env(own)
            ),
            f"mango_office/history/{self.id}",
        )
        return result

    def action_fetch_history(self):
        """Ask for the period to fetch."""
        self.ensure_one()
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Fetch Calls from the PBX"),
            "res_model": "mango.statistics.import.start",
            "view_mode": "form",
            "target": "new",
            "context": {"default_account_id": self.id},
        }

    def action_view_history(self):
        """Open the imports of this PBX."""
        self.ensure_one()
        self.env["mango.statistics.import"].check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "mango_office.mango_statistics_import_action"
        )
        action["domain"] = [("account_id", "=", self.id)]
        return action
