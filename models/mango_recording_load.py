from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain


class MangoRecording(models.Model):
    """How the recordings of a call follow what the PBX tells of it."""

    _inherit = "mango.recording"

    @api.model
    def _load(self, call, recording_states, extensions):
        """Write the difference between a call's recordings and what the PBX says.

        A recording that the PBX did not store is none, unless it says why: then the
        reason is shown in its place.

        :param mango.call call: whose recordings, itself up to date.
        :param Iterable[RecordingState] recording_states: all recordings of the call.
        :param dict[str, mango.extension] extensions: of the call, by number.
        :return: whether anything differed.
        :rtype: bool
        """
        wanted = [told for told in recording_states if told.stored or told.is_refused]
        if not wanted:
            return False
        known = {recording.recording_ref: recording for recording in call.recording_ids}
        owners = self._owners(call, wanted, extensions, known)
        to_create, is_changed = [], False
        for told in wanted:
            vals = self._prepare_vals(told, owners.get(told.ref))
            vals["started_at"] = call.started_at
            if recording := known.get(told.ref):
                is_changed |= recording._follow(vals)
            else:
                to_create.append({**vals, "call_id": call.id})
        created = self.create(to_create)
        is_changed |= call._add_users(call.recording_ids.user_id)
        is_changed |= call.recording_ids._request_automatically()
        return is_changed or bool(created)

    @api.model
    def _owners(self, call, recording_states, extensions, known):
        """Return the extensions that were recorded.

        :param dict[str, mango.recording] known: the call's recordings that are here.
        :return: by recording; nobody for whom the PBX does not say it.
        :rtype: dict[str, mango.extension]
        """
        owners = {
            told.ref: extensions[told.extension]
            for told in recording_states
            if told.extension in extensions
        }
        # record/added tells the PBX's name of the employee in place of the extension.
        user_refs = {
            told.ref: told.pbx_user_ref
            for told in recording_states
            if told.pbx_user_ref
            and told.ref not in owners
            and not (known.get(told.ref) and known[told.ref].extension_id)
        }
        if not user_refs:
            return owners
        found = self.env["mango.extension"].search(
            Domain("account_id", "=", call.account_id.id)
            & Domain("pbx_user_ref", "in", list(user_refs.values()))
        )
        by_user = found.grouped("pbx_user_ref")
        owners.update(
            {
                ref: by_user[user_ref][:1]
                for ref, user_ref in user_refs.items()
                if user_ref in by_user
            }
        )
        return owners

    @api.model
    def _prepare_vals(self, told, extension):
        """Return what the PBX says of a recording, as values.

        :param RecordingState told: what the PBX says.
        :param extension: whose words were recorded, if that is known.
        :type extension: mango.extension | None
        :rtype: dict
        """
        vals = {
            "recording_ref": told.ref,
            "is_at_pbx": told.stored,
            "is_added": told.is_added,
        }
        if extension:
            vals |= {"extension_id": extension.id, "user_id": extension.user_id.id}
        if told.stored:
            return {**vals, "state": "announced"}
        reason = self.env["mango.meaning"]._of_code(told.completion_code)
        return {**vals, "state": "failed", "error": reason}

    def _follow(self, vals):
        """Take over what the PBX says by now of a recording that is known.

        :param dict vals: as of :meth:`_prepare_vals`.
        :return: whether that is new.
        :rtype: bool
        """
        changes = {}
        if vals["started_at"] != self.started_at:
            changes["started_at"] = vals["started_at"]
        if not self.extension_id and vals.get("extension_id"):
            changes |= {name: vals[name] for name in ("extension_id", "user_id")}
        if vals["is_at_pbx"] and not self.is_at_pbx:
            changes |= {"is_at_pbx": True, "state": "announced", "error": False}
        if vals["is_added"] and not self.is_added:
            changes["is_added"] = True
        if changes:
            self.write(changes)
        if "is_added" in changes and self.state == "requested":
            # Whoever asked right after the talk was told that it is not there yet.
            self._fetch_soon()
        return bool(changes)

    def _request_automatically(self):
        """Have those of these recordings fetched that the account's rules name.

        :return: whether there are any.
        :rtype: bool
        """
        wanted = self.filtered(lambda recording: recording._is_wanted_automatically())
        if wanted:
            wanted._request(is_automatic=True)
            wanted.filtered(lambda recording: not recording.is_added)._put_off()
        return bool(wanted)

    def _is_outdated(self):
        """Tell whether the recording would be deleted as soon as it is here.

        :rtype: bool
        """
        days = self.account_id.recording_retention_days
        oldest = fields.Datetime.now() - timedelta(days=days)
        return bool(days and self.started_at and self.started_at < oldest)

    def _is_wanted_automatically(self):
        account, call = self.account_id, self.call_id
        if account.recording_mode != "automatic" or self.state != "announced":
            return False
        if call.state != "ended":
            return False  # Whether it is wanted, its end tells.
        if account.recording_only_answered and call.result != "answered":
            return False
        if call.talk_duration < account.recording_min_duration:
            return False
        if self._is_outdated():
            return False
        chosen = account.recording_extension_ids
        return not chosen or self.extension_id in chosen
