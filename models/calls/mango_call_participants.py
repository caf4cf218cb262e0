from odoo import models
from odoo.tools import SQL

#: Fields that determine who is responsible for the client.
CLIENT_FIELDS = {"partner_id", "lead_id"}


class MangoCall(models.Model):
    """The client of a call, who is responsible for them, and who may see the call."""

    _inherit = "mango.call"

    def write(self, vals):
        result = super().write(vals)
        if not self.env.su and not vals.keys().isdisjoint(CLIENT_FIELDS):
            self._follow_client()
        if "manual_user_ids" in vals:
            # sudo: mango.call - participants are computed; a supervisor has just added
            # some.
            self.sudo()._update_participants()
        return result

    def _identify_client(self):
        """Link the contact and the lead with the number; a manual choice stays.

        :return: whether anything changed.
        :rtype: bool
        """
        partner, lead = self.env["mango.caller.lookup"]._identify(
            self.account_id,
            self.client_number,
            self.partner_id if self.partner_is_manual else None,
        )
        vals = {}
        if not self.partner_is_manual:
            vals["partner_id"] = partner.id
        if not self.lead_is_manual:
            vals["lead_id"] = lead.id
        changed = self._write_changes(vals)
        return self._update_owner() or changed

    def _follow_client(self):
        """Show the call to the user responsible for a manually chosen client."""
        # sudo: mango.call - participants are computed; the client was chosen by
        # somebody who may correct the call.
        calls_sudo = self.sudo()
        for call in calls_sudo:
            call._update_owner()
        calls_sudo._update_participants()

    def _update_owner(self):
        """Store who is responsible for the client.

        :return: whether the user has changed.
        :rtype: bool
        """
        owner = self._owner()
        if self.env.user == self.owner_id != owner:
            # Users do not lose access to the call that they are correcting.
            self.manual_user_ids |= self.env.user
        return self._write_changes({"owner_id": owner.id})

    def _owner(self):
        """Return who is responsible for the client of the call.

        :rtype: res.users
        """
        # sudo: mango.call - only determines who sees the call.
        call_sudo = self.sudo()
        owners = (
            self.env["mango.caller.lookup"]
            .sudo()
            ._owners(call_sudo.partner_id, call_sudo.lead_id)
        )
        return owners[:1].with_env(self.env)

    def _update_participants(self):
        """Update the participants of these calls from the stored data.

        In SQL, so that notifications need not read them.
        """
        sources = SQL(" UNION ").join(self._participant_queries())
        self.env.execute_query(
            SQL(
                """
                WITH part (call_id, user_id) AS (%(sources)s),
                     gone AS (
                         DELETE FROM mango_call_res_users_rel AS rel
                               WHERE rel.mango_call_id = ANY(%(ids)s)
                                 AND (rel.mango_call_id, rel.res_users_id)
                                     NOT IN (SELECT call_id, user_id FROM part
                                              WHERE user_id IS NOT NULL)
                     )
                INSERT INTO mango_call_res_users_rel (mango_call_id, res_users_id)
                     SELECT part.call_id, part.user_id
                       FROM part
                       JOIN res_users ON res_users.id = part.user_id
                ON CONFLICT DO NOTHING
                  RETURNING res_users_id
                """,
                sources=sources,
                ids=self.ids,
            )
        )
        self.invalidate_recordset(["user_ids"], flush=False)

    def _participant_queries(self):
        """Return queries whose union gives the participants of these calls.

        Each selects a call's id and a user's id, which may be NULL. Hook for other
        parts of the addon.

        :rtype: list[SQL]
        """
        legs = self.env["mango.call.leg"]._fields
        return [
            SQL(
                "SELECT id, unnest(ARRAY[user_id, owner_id]) "
                "FROM mango_call WHERE id = ANY(%s)",
                self.ids,
                to_flush=[self._fields["user_id"], self._fields["owner_id"]],
            ),
            SQL(
                "SELECT call_id, unnest(ARRAY[from_user_id, to_user_id]) "
                "FROM mango_call_leg WHERE call_id = ANY(%s)",
                self.ids,
                to_flush=[legs["from_user_id"], legs["to_user_id"]],
            ),
            SQL(
                "SELECT mango_call_id, res_users_id "
                "FROM mango_call_manual_user_rel WHERE mango_call_id = ANY(%s)",
                self.ids,
            ),
        ]
