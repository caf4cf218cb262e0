from odoo import api, fields, models

from ...tools.caches import clear_caches
from ...vpbx import numbers


class MangoLine(models.Model):
    _name = "mango.line"
    _description = "PBX Line"
    _order = "number, id"
    _rec_names_search = ["name", "number"]

    account_id = fields.Many2one(
        "mango.account", string="PBX", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True)
    number = fields.Char(
        required=True, help="A phone number in the PBX's format, or a SIP address."
    )
    number_display = fields.Char(
        string="Line Number", compute="_compute_number_display"
    )
    name = fields.Char()
    region = fields.Char()
    schema_name = fields.Char(string="Call Scheme")
    active = fields.Boolean(default=True)
    _number_uniq = models.UniqueIndex(
        "(account_id, number)", "The PBX already has this line."
    )

    @api.depends("number", "account_id")
    def _compute_number_display(self):
        for line in self:
            line.number_display = line.account_id._display_number(line.number)

    @api.depends("name", "number_display")
    @api.depends_context("mango_line_name_only")
    def _compute_display_name(self):
        """Add the number to the name; in a chart, only if lines share the name."""
        names = set()
        if self.env.context.get("mango_line_name_only"):
            names = self._unique_names()
        for line in self:
            name, number = line.name, line.number_display
            if name and name not in names:
                name = f"{name} ({number})"
            line.display_name = name or number

    def _unique_names(self):
        """Return those of the lines' names that no other line has.

        :rtype: set[str]
        """
        found = self.with_context(active_test=False)._read_group(
            [("name", "in", self.mapped("name"))],
            ["name"],
            having=[("__count", "=", 1)],
        )
        return {name for (name,) in found if name}

    @api.model_create_multi
    def create(self, vals_list):
        # The own numbers of an account are cached: MangoAccount._own_numbers.
        clear_caches(self.env)
        return super().create(vals_list)

    def write(self, vals):
        if "number" in vals:
            clear_caches(self.env)
        return super().write(vals)

    def unlink(self):
        clear_caches(self.env)
        return super().unlink()

    def _outgoing_name(self):
        """Return the name of this line in commands that use it for outgoing calls.

        :return: the number; for a SIP line its name, and nothing if it has none
            (mango-api.md 5.1).
        :rtype: str | None
        """
        return (self.name if numbers.is_sip(self.number) else self.number) or None

    @api.model
    def _load_lines(self, account, pbx_lines):
        """Update the lines of an account, and archive removed ones.

        :param mango.account account: whose lines.
        :param Iterable[Line] pbx_lines: as returned by
            :meth:`vpbx.client.Client.lines`.
        """
        # sudo: mango.line - lines are only written by loading, which requires write
        # access to the account.
        lines_sudo = self.sudo().with_context(active_test=False)
        known = {
            line.number: line
            for line in lines_sudo.search([("account_id", "=", account.id)])
        }
        to_create, seen = [], set()
        for pbx_line in pbx_lines:
            if pbx_line.number in seen:
                continue
            seen.add(pbx_line.number)
            vals = {
                "name": pbx_line.name,
                "region": pbx_line.region,
                "schema_name": pbx_line.schema_name,
                "active": True,
            }
            line = known.pop(pbx_line.number, None)
            if line is None:
                to_create.append(
                    {**vals, "account_id": account.id, "number": pbx_line.number}
                )
            elif any(
                (line[name] or "") != (value or "") for name, value in vals.items()
            ):
                line.write(vals)
        lines_sudo.create(to_create)
        lines_sudo.concat(*known.values()).active = False
