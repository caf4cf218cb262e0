from odoo import api, fields, models


class MangoGroup(models.Model):
    """A group of employees in the PBX, which rings according to the PBX's rules."""

    _name = "mango.group"
    _description = "PBX Group"
    _order = "number, id"
    _rec_names_search = ["name", "number"]

    account_id = fields.Many2one(
        "mango.account", string="PBX", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True)
    number = fields.Char(required=True, readonly=True, help="Its short number.")
    name = fields.Char(readonly=True)
    pbx_group_ref = fields.Char(
        string="PBX Reference", readonly=True, help="The PBX's id of the group."
    )
    extension_ids = fields.Many2many(
        "mango.extension",
        string="Members",
        readonly=True,
        context={"active_test": False},
    )
    active = fields.Boolean(default=True)

    _number_uniq = models.UniqueIndex(
        "(account_id, number)", "The PBX already has this group."
    )

    @api.depends("name", "number")
    def _compute_display_name(self):
        for group in self:
            group.display_name = (
                f"{group.name} ({group.number})" if group.name else group.number
            )

    @api.model
    def _load_groups(self, account, pbx_groups):
        """Update the groups of an account, and archive removed ones.

        :param mango.account account: whose groups; its extensions must be loaded
            already.
        :param Iterable[Group] pbx_groups: as returned by
            :meth:`vpbx.client.Client.groups`; one without a number cannot be rung, and
            is ignored.
        """
        # sudo: mango.group - groups are only written by loading, which requires write
        # access to the account.
        groups_sudo = self.sudo().with_context(active_test=False)
        known = {
            group.number: group
            for group in groups_sudo.search([("account_id", "=", account.id)])
        }
        extensions = account.with_context(active_test=False).extension_ids
        by_number = {extension.number: extension.id for extension in extensions}
        to_create, seen = [], set()
        for pbx_group in pbx_groups:
            number = pbx_group.extension
            if not number or number in seen:
                continue
            seen.add(number)
            members = {by_number.get(member) for member in pbx_group.members} - {None}
            vals = {
                "name": pbx_group.name or False,
                "pbx_group_ref": pbx_group.ref or False,
                "active": True,
            }
            group = known.pop(number, None)
            if group is None:
                to_create.append(
                    {
                        **vals,
                        "account_id": account.id,
                        "number": number,
                        "extension_ids": [fields.Command.set(sorted(members))],
                    }
                )
            else:
                group._update(vals, members)
        groups_sudo.create(to_create)
        groups_sudo.concat(*known.values()).filtered("active").active = False

    def _update(self, vals, member_ids):
        changes = {name: value for name, value in vals.items() if self[name] != value}
        if set(self.extension_ids.ids) != member_ids:
            changes["extension_ids"] = [fields.Command.set(sorted(member_ids))]
        if changes:
            self.write(changes)
