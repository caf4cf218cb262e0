import io
import json
import uuid
import zipfile

from odoo import api, fields, models

from ...vpbx import notifications, statistics
from ...vpbx.notifications import read_object
from .mango_support_bundle import FORMAT

#: Fields that notifications do not determine: actions of Odoo, and sources.
NOT_COMPARED = (
    "source",
    "is_sealed",
    "route_state",
    "route_attempts",
    "routed_to",
    "route",
)


class _AsItIs:
    """Replaces nothing, because a bundle holds pseudonyms already."""

    def id(self, text):
        return text

    number = name = id


class MangoSupportReplay(models.AbstractModel):
    """Plays a support bundle into a database and compares the results.

    Meant for an empty database: :meth:`_set_up` creates a company with its own PBX.
    """

    _name = "mango.support.replay"
    _description = "Replay of a Support Bundle"

    @api.model
    def _read(self, archive):
        """Read a bundle.

        :param bytes archive: a zip as returned by :meth:`mango.support.bundle._zip`.
        :return: the content of each file: an object, or a list of rows.
        :rtype: dict
        :raise ValueError: if it is not a bundle, or has another format.
        """
        try:
            with zipfile.ZipFile(io.BytesIO(archive)) as packed:
                texts = {name: packed.read(name).decode() for name in packed.namelist()}
        except zipfile.BadZipFile as error:
            raise ValueError("This is not a support bundle.") from error
        files = {
            name: [json.loads(line) for line in text.splitlines()]
            if name.endswith(".jsonl")
            else json.loads(text)
            for name, text in texts.items()
        }
        about = read_object(files.get("about.json"))
        if about.get("format") != FORMAT:
            raise ValueError("This version of support bundles is not supported.")
        return files

    @api.model
    def _set_up(self, files):
        """Create a PBX like that of a bundle; it cannot communicate with anything.

        :param dict files: as returned by :meth:`_read`.
        :rtype: mango.account
        """
        code = files["about.json"]["country"]
        country = self.env["res.country"].search([("code", "=", code)], limit=1)
        company = self.env["res.company"].create(
            # Several bundles may be played one after another.
            {"name": f"Replay {uuid.uuid4()}", "country_id": country.id}
        )
        account = self.env["mango.account"].create(
            {
                "name": "Replay",
                "company_id": company.id,
                "routing_enabled": False,
                "recording_mode": "on_request",
            }
        )
        directory = files["directory.json"]
        for model, name in (
            ("mango.extension", "extensions"),
            ("mango.group", "groups"),
            ("mango.line", "lines"),
        ):
            known = self.env[model]._fields
            self.env[model].create(
                [
                    {
                        **{key: row[key] for key in row.keys() & known.keys()},
                        "account_id": account.id,
                    }
                    for row in directory[name]
                ]
            )
        return account

    @api.model
    def _play(self, account, files):
        """Receive the notifications of a bundle in order.

        :param mango.account account: as returned by :meth:`_set_up`, committed.
        :param dict files: as returned by :meth:`_read`.
        """
        for row in files["notifications.jsonl"]:
            text = json.dumps(row["payload"], ensure_ascii=False)
            if row["kind"] == statistics.KIND:
                self._play_statistics(account, text)
                continue
            try:
                notification = notifications.parse(row["kind"], text)
            except notifications.NotificationError:
                continue  # of another version, or an unknown kind
            self.env["mango.event"]._receive(account.id, notification, text)
        for row in files["calls.jsonl"]:
            if row["closed_at"]:
                self._close(account, row)

    @api.model
    def _play_statistics(self, account, text):
        self.env["mango.event"]._import_entry(account, statistics.parse(text), text)

    @api.model
    def _close(self, account, row):
        """Close a call, like the cron for calls whose end was not reported."""
        call = self.env["mango.call"]._find_by_entry(account, row["entry_id"])
        if call and not call.closed_at:
            with call._locked() as locked:
                locked.closed_at = fields.Datetime.to_datetime(row["closed_at"])
                locked._apply(locked.entry_id, locked.account_id)

    @api.model
    def _compare(self, account, files):
        """Compare the resulting calls with those of the bundle.

        :param mango.account account: into which the bundle was played.
        :param dict files: as returned by :meth:`_read`.
        :return: for each call its ``entry_id``, its values in the bundle and the
            result; None where it is missing.
        :rtype: list[tuple[str, dict | None, dict | None]]
        """
        bundles = self.env["mango.support.bundle"]
        found = self.env["mango.call"].search([("account_id", "=", account.id)])
        # A missed call is attributed to the one chosen by Odoo, also from the route.
        charged = {
            row["entry_id"]
            for row in files["calls.jsonl"]
            if row["routed_to"] and row["result"] == "missed"
        }
        made = {
            call.entry_id: _told(bundles._call(call, _AsItIs()), charged)
            for call in found
        }
        # A sealed call's notifications had been removed before the bundle was created.
        sealed = {row["entry_id"] for row in files["calls.jsonl"] if row["is_sealed"]}
        expected = {
            row["entry_id"]: _told(row, charged) for row in files["calls.jsonl"]
        }
        return [
            (entry_id, expected.get(entry_id), made.get(entry_id))
            for entry_id in sorted((expected.keys() | made.keys()) - sealed)
        ]


def _told(row, charged):
    left_out = set(NOT_COMPARED)
    if row["entry_id"] in charged:
        left_out.add("extension")
    return {name: value for name, value in row.items() if name not in left_out}
