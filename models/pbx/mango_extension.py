from odoo import api, fields, models
from odoo.fields import Domain

from ...vpbx import numbers


class MangoExtension(models.Model):
    _name = "mango.extension"
    _description = "PBX Extension"
    _order = "number, id"
    _rec_names_search = ["number", "name"]

    account_id = fields.Many2one(
        "mango.account", string="PBX", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True)
    # Text, because "0511" exists (mango-api.md 2.7).
    number = fields.Char(string="Extension", required=True, readonly=True)
    name = fields.Char(string="Name in the PBX", readonly=True)
    pbx_user_ref = fields.Char(
        string="PBX User", readonly=True, help="general.user_id of the PBX"
    )
    email = fields.Char(readonly=True)
    # As private as the phones of the employee, which colleagues cannot read.
    mobile = fields.Char(readonly=True, groups="mango_office.group_admin")
    department = fields.Char(readonly=True)
    position = fields.Char(readonly=True)
    user_id = fields.Many2one(
        "res.users",
        string="Employee",
        index="btree_not_null",
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
    )
    suggested_user_id = fields.Many2one(
        "res.users",
        string="Suggested",
        compute="_compute_suggested_user_id",
        compute_sudo=True,
        help="Found by e-mail, then by phone, then by the exact name.",
    )
    device_ids = fields.One2many("mango.device", "extension_id", string="Phones")
    active = fields.Boolean(default=True)
    _number_uniq = models.UniqueIndex(
        "(account_id, number)", "The PBX already has this extension."
    )

    @api.depends("number", "name")
    def _compute_display_name(self):
        for extension in self:
            extension.display_name = (
                f"{extension.name} ({extension.number})"
                if extension.name
                else extension.number
            )

    @api.depends("user_id", "email", "mobile", "name", "company_id")
    def _compute_suggested_user_id(self):
        """Suggest for each unmapped extension the one user who matches it."""
        self.suggested_user_id = False
        free = self.filtered(lambda extension: not extension.user_id)
        for company, extensions in free.grouped("company_id").items():
            users = self.env["res.users"].search(
                Domain("share", "=", False) & Domain("company_ids", "in", company.id)
            )
            extensions._suggest(users)

    def _suggest(self, users):
        """Suggest users by e-mail, then phone, then exact name.

        A key that two users share is ambiguous and ignored.

        :param res.users users: who may be suggested.
        """
        by_email = users._mango_grouped_once(lambda user: user.email_normalized)
        by_phone = users._mango_grouped_once(
            lambda user: user.partner_id.phone_sanitized
        )
        by_name = users._mango_grouped_once(lambda user: (user.name or "").casefold())
        for extension in self:
            extension.suggested_user_id = (
                by_email.get((extension.email or "").strip().lower())
                or by_phone.get(numbers.e164(extension.mobile or ""))
                or by_name.get((extension.name or "").strip().casefold())
            )

    # ------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        extensions = super().create(vals_list)
        extensions._let_users_in()
        return extensions

    def write(self, vals):
        result = super().write(vals)
        if vals.get("user_id"):
            self._let_users_in()
        return result

    def _let_users_in(self):
        """Add the employees of these extensions to the telephony user group."""
        group = self.env.ref("mango_office.group_user")
        # sudo: res.users - whoever may assign extensions grants their employees the use
        # of telephony, and nothing else.
        users_sudo = self.user_id.sudo()
        newcomers = users_sudo.filtered(lambda user: group not in user.all_group_ids)
        newcomers.write({"group_ids": [fields.Command.link(group.id)]})

    # ------------------------------------------------------------
    # Loading from the PBX
    # ------------------------------------------------------------

    @api.model
    def _load_extensions(self, account, pbx_users):
        """Update the extensions of an account from the PBX's staff.

        Extensions removed from the PBX are archived. The employee is never changed,
        because users decide on it.

        :param mango.account account: whose extensions.
        :param Iterable[User] pbx_users: as returned by
            :meth:`vpbx.client.Client.users`.
        :return: how many are ``new``, ``changed`` and ``gone``.
        :rtype: dict[str, int]
        """
        # sudo: mango.extension - extensions are only written by loading, which requires
        # write access to the account.
        extensions_sudo = self.sudo().with_context(active_test=False)
        known = {
            extension.number: extension
            for extension in extensions_sudo.search([("account_id", "=", account.id)])
        }
        to_create, devices = {}, {}
        changed_ids = set()
        seen = set()
        for pbx_user in pbx_users:
            number = pbx_user.extension
            if not number or number in seen:
                continue
            seen.add(number)
            vals = self._prepare_loaded_vals(pbx_user)
            extension = known.get(number)
            devices[number] = pbx_user.devices
            if extension is None:
                to_create[number] = {**vals, "account_id": account.id, "number": number}
                continue
            new_vals = {
                name: value for name, value in vals.items() if extension[name] != value
            }
            if new_vals:
                extension.write(new_vals)
                changed_ids.add(extension.id)
        created = extensions_sudo.create(list(to_create.values()))
        known.update(zip(to_create, created, strict=True))
        with_devices = self.env["mango.device"]._load_devices(
            {known[number]: found for number, found in devices.items()}
        )
        gone = extensions_sudo.concat(
            *(known[number] for number in known.keys() - seen)
        ).filtered("active")
        gone.active = False
        changed_ids.update((with_devices - created).ids)
        return {
            "new": len(to_create),
            "changed": len(changed_ids),
            "gone": len(gone),
        }

    @api.model
    def _prepare_loaded_vals(self, pbx_user):
        return {
            "name": pbx_user.name or False,
            "pbx_user_ref": pbx_user.ref or False,
            "email": pbx_user.email or False,
            "mobile": pbx_user.mobile or False,
            "department": pbx_user.department or False,
            "position": pbx_user.position or False,
            "active": True,
        }

    # ------------------------------------------------------------
    # Look-up
    # ------------------------------------------------------------

    @api.model
    def _by_number(self, account, extension_numbers):
        """Return the extensions of an account by number, including archived ones.

        :param mango.account account: whose extensions.
        :param Iterable[str] extension_numbers: empty ones are ignored.
        :rtype: dict[str, mango.extension]
        """
        wanted = [number for number in extension_numbers if number]
        if not wanted:
            return {}
        extensions = self.with_context(active_test=False).search_fetch(
            Domain("account_id", "=", account.id) & Domain("number", "in", wanted),
            ["number", "user_id"],
        )
        return {extension.number: extension for extension in extensions}
