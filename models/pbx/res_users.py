from collections import Counter

from odoo import fields, models


class ResUsers(models.Model):
    _inherit = "res.users"

    mango_extension_ids = fields.One2many(
        "mango.extension",
        "user_id",
        string="Extensions",
        groups="mango_office.group_user",
    )

    def _mango_grouped_once(self, key):
        """Return the users by a key, without keys that several users share.

        :param Callable key: returns a user's key; empty keys are ignored.
        :rtype: dict
        """
        users = [(key(user), user) for user in self]
        times = Counter(value for value, _user in users)
        return {value: user for value, user in users if value and times[value] == 1}
