from base64 import b64encode
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

#: How much of each file is shown in the preview, in characters.
SHOWN = 20_000

#: Default period in days, without a call.
DAYS = 7


class MangoSupportExport(models.TransientModel):
    """Preview and download of a support bundle."""

    _name = "mango.support.export"
    _description = "Export for Support"

    account_id = fields.Many2one(
        "mango.account", string="PBX", required=True, ondelete="cascade"
    )
    call_id = fields.Many2one("mango.call", ondelete="cascade")
    date_from = fields.Datetime(
        string="From",
        required=True,
        default=lambda self: fields.Datetime.now() - timedelta(days=DAYS),
    )
    date_to = fields.Datetime(
        string="To", required=True, default=lambda self: fields.Datetime.now()
    )
    # Created by a button; cleared when the call or the period changes.
    preview = fields.Text(string="Content", compute="_compute_bundle", store=True)
    bundle = fields.Binary(compute="_compute_bundle", store=True, attachment=False)
    filename = fields.Char(compute="_compute_bundle", store=True)

    @api.depends("account_id", "call_id", "date_from", "date_to")
    def _compute_bundle(self):
        self.preview = self.bundle = self.filename = False

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    @api.model
    def _open(self, vals):
        """Return the action that opens the wizard.

        :param dict vals: values of the wizard.
        :rtype: dict
        """
        export = self.create(vals)
        if export.call_id:
            export.action_prepare()
        return export._action()

    def _action(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Export for Support"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }

    def action_prepare(self):
        """Create the bundle and show its content."""
        self.check_access("write")
        for export in self:
            export._prepare()
        return self._action()

    def _prepare(self):
        """Create the bundle.

        :raise UserError: if it would be empty.
        """
        events = self._events()
        if not events:
            raise UserError(
                self.env._(
                    "There is nothing to export: the PBX has sent no notifications, "
                    "or they were removed."
                )
            )
        bundles = self.env["mango.support.bundle"]
        files = bundles._make(self.account_id, events)
        self.write(
            {
                "preview": "\n".join(_shown(*file) for file in files.items()),
                "bundle": b64encode(bundles._zip(files)),
                "filename": f"mango-support-{fields.Date.today()}.zip",
            }
        )

    def action_save(self):
        """Download the bundle that was shown."""
        self.check_access("read")
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self._name}/{self.id}/bundle/{self.filename}"
            "?download=true",
            "target": "download",
        }

    def _events(self):
        self.env["mango.event"].check_access("read")
        # Only what the user may read is exported.
        bundles = self.env["mango.support.bundle"]
        if self.call_id:
            return bundles._events_of_call(self.call_id)
        return bundles._events_of_period(self.account_id, self.date_from, self.date_to)


def _shown(name, text):
    shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}\n… ({len(text)})\n"
    return f"===== {name} =====\n{shown}"
