from odoo import api, fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    mango_account_id = fields.Many2one(related="company_id.mango_account_id")
    mango_api_url = fields.Char(string="API Address")
    mango_api_key = fields.Char(string="PBX Code")
    # Only accepts a new secret: the stored one is never sent to the browser.
    mango_api_salt = fields.Char(string="Secret")
    mango_is_connected = fields.Boolean(related="mango_account_id.is_connected")
    mango_routing_enabled = fields.Boolean(string="Route Callers to Their Manager")
    mango_extension_ids = fields.One2many(
        related="mango_account_id.extension_ids", readonly=False
    )
    mango_extension_count = fields.Integer(related="mango_account_id.extension_count")
    mango_mapped_extension_count = fields.Integer(
        related="mango_account_id.mapped_extension_count"
    )
    mango_suggested_extension_count = fields.Integer(
        related="mango_account_id.suggested_extension_count"
    )
    mango_last_load_at = fields.Datetime(related="mango_account_id.last_load_at")
    mango_requests_stopped_reason = fields.Char(
        related="mango_account_id.requests_stopped_reason"
    )
    mango_requests_paused_until = fields.Datetime(
        related="mango_account_id.requests_paused_until"
    )

    @api.model
    def get_values(self):
        """Show the current company's main account, or the defaults of a new one."""
        accounts = self.env["mango.account"]
        account = self.env.company.mango_account_id or accounts.new()
        return {
            **super().get_values(),
            "mango_api_url": account.api_url,
            "mango_api_key": account.api_key,
            "mango_routing_enabled": account.routing_enabled,
        }

    def set_values(self):
        result = super().set_values()
        account = self.company_id.mango_account_id
        vals = {
            "api_url": self.mango_api_url,
            "api_key": self.mango_api_key or False,
            "routing_enabled": self.mango_routing_enabled,
        }
        if self.mango_api_salt:
            vals["api_salt"] = self.mango_api_salt
            # The settings record is kept for about a day; the secret must not be.
            self.mango_api_salt = False
        if account:
            account.write(
                {name: value for name, value in vals.items() if account[name] != value}
            )
        elif vals["api_key"] or vals.get("api_salt"):
            self.env["mango.account"].create(
                {
                    **vals,
                    "name": self.company_id.name,
                    "company_id": self.company_id.id,
                }
            )
        return result

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    def action_mango_test_connection(self):
        """Check the connection to the company's PBX."""
        return self._mango_account().action_test_connection()

    def action_mango_load_users(self):
        """Load the staff and lines of the company's PBX."""
        return self._mango_account().action_load_users()

    def action_mango_apply_suggestions(self):
        """Set the suggested employees on the extensions."""
        return self._mango_account().action_apply_suggestions()

    def action_mango_resume_requests(self):
        """Resume automatic requests to the company's PBX."""
        return self._mango_account().action_resume_requests()

    def _mango_account(self):
        """Return the company's main account; raise what to do if there is none.

        The web client saves the settings before it presses one of their buttons.

        :rtype: mango.account
        :raise AccessError: if the user may not change the settings.
        """
        self.check_access("write")
        return self.company_id.mango_account_id or self.env["mango.account"].new()
