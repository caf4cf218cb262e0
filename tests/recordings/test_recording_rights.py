"""Who may play, download, delete and keep a recording, over HTTP."""

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..common import MangoHttpCase, sound
from ..vpbx_scenarios import CLIENT, LINE, leg, outside, staff

#: User: may they play, download and delete the recording.
RIGHTS = {
    "public": (False, False, False),
    "portal": (False, False, False),
    "internal": (False, False, False),
    "colleague": (False, False, False),
    "colleague with rights": (False, False, False),
    "supervisor elsewhere": (False, False, False),
    "owner": (True, False, False),
    "owner who may download": (True, True, False),
    "owner who may delete": (True, False, True),
    "supervisor": (True, True, False),
    "admin": (True, True, True),
}
PASSWORD = "test_password_0009"
ADDRESS = "/web/content/mango.recording"


@tagged("post_install", "-at_install")
class TestRecordingRights(MangoHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.there = cls.env["res.company"].create({"name": "Другая"})
        download, delete = "group_recording_download", "group_recording_delete"
        supervisor = "group_supervisor"
        cls.actors = {
            "public": None,
            "portal": cls.person("portal", "base.group_portal"),
            "internal": cls.person("internal", "base.group_user"),
            "colleague": cls.seller("colleague"),
            "colleague with rights": cls.seller("rights", download, delete),
            "supervisor elsewhere": cls.seller(
                "elsewhere", supervisor, company_id=cls.there.id
            ),
            "owner": cls.seller("owner"),
            "owner who may download": cls.seller("download", download),
            "owner who may delete": cls.seller("delete", delete),
            "supervisor": cls.seller("supervisor", supervisor),
            "admin": cls.seller("admin", "group_admin"),
        }
        owners = [name for name in RIGHTS if name.startswith("owner")]
        cls.owners = cls.env["res.users"].concat(*(cls.actors[o] for o in owners))

    @classmethod
    def seller(cls, login, *groups, **vals):
        names = ("group_user", *groups)
        return cls.person(
            login, ",".join(f"mango_office.{name}" for name in names), **vals
        )

    @classmethod
    def person(cls, login, groups, **vals):
        return new_test_user(
            cls.env,
            login=f"mango_rec_{login}",
            password=PASSWORD,
            groups=groups,
            **{"company_id": cls.company.id, **vals},
        )

    def setUp(self):
        super().setUp()
        kind, payload = leg(
            "A", 1, "Connected", 5, outside(CLIENT), staff("0511", LINE)
        )
        self.receive(kind, payload)
        self.call().manual_user_ids = self.owners
        self.wanted = self.announce(extension="0511")
        self.pbx.offers_recording(sound(3))
        self.wanted.action_request()
        self.fetch_recordings()
        self.env.invalidate_all()
        self.assertEqual(self.wanted.state, "ready")

    def log_in(self, actor):
        user = self.actors[actor]
        self.authenticate(user.login if user else None, PASSWORD)

    def ask(self, query="", method="GET", recording=None, **headers):
        path = f"{ADDRESS}/{(recording or self.wanted).id}/audio{query}"
        return self.url_open(path, headers=headers, method=method)

    def plays(self):
        return self.env["mango.recording.play"].search(
            [("recording_id", "=", self.wanted.id)]
        )

    # -- the table ----------------------------------------------------------------

    @mute_logger("odoo.http")
    def test_play(self):
        for actor, (may_hear, _save, _delete) in RIGHTS.items():
            with self.subTest(actor):
                self.log_in(actor)
                response = self.ask()
                if may_hear:
                    self.assertEqual(response.status_code, 200)
                    self.assertEqual(response.content, sound(3))
                    self.assertEqual(response.headers["Content-Type"], "audio/wav")
                    self.assertNotIn(
                        "attachment", response.headers["Content-Disposition"]
                    )
                    self.assertIn("private", response.headers["Cache-Control"])
                    self.assertNotIn("max-age", response.headers["Cache-Control"])
                else:
                    self.assertEqual(response.status_code, 404)
                    self.assertNotIn(b"WAVE", response.content)

    @mute_logger("odoo.http")
    def test_download(self):
        for actor, (may_hear, may_save, _delete) in RIGHTS.items():
            with self.subTest(actor):
                self.log_in(actor)
                response = self.ask("?download=true")
                expected = 200 if may_save else 403 if may_hear else 404
                self.assertEqual(response.status_code, expected)
                if may_save:
                    self.assertEqual(response.content, sound(3))
                    disposition = response.headers["Content-Disposition"]
                    self.assertIn("attachment", disposition)
                    self.assertIn(".wav", disposition)

    @mute_logger("odoo.http")
    def test_past_the_recording(self):
        """The attachment cannot be read in another way, not even by its owner."""
        audio = self.env["ir.attachment"].search(
            [
                ("res_model", "=", "mango.recording"),
                ("res_id", "=", self.wanted.id),
                ("res_field", "=", "audio"),
            ]
        )
        audio.flush_recordset()
        for actor in RIGHTS:
            with self.subTest(actor):
                self.log_in(actor)
                for path in (f"/web/content/{audio.id}", f"/web/image/{audio.id}"):
                    response = self.url_open(f"{path}?download=true")
                    self.assertNotIn(b"WAVE", response.content)
                user = self.actors[actor] or self.env.ref("base.public_user")
                with self.assertRaises(AccessError):
                    audio.with_user(user).read(["datas"])
                with self.assertRaises(AccessError):
                    audio.with_user(user).read(["raw"])
                with self.assertRaises(AccessError):
                    self.wanted.with_user(user).read(["audio"])

    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_access")
    def test_delete_and_keep(self):
        for actor, (may_hear, _save, may_delete) in RIGHTS.items():
            user = self.actors[actor] or self.env.ref("base.public_user")
            recording = self.wanted.with_user(user)
            if may_hear:
                self.assertEqual(recording.can_delete, may_delete)
            for action in ("action_keep", "action_delete"):
                with (
                    self.subTest(actor, action=action),
                    self.env.cr.savepoint() as save,
                ):
                    if may_delete:
                        getattr(recording, action)()
                    else:
                        with self.assertRaises(AccessError):
                            getattr(recording, action)()
                    save.rollback()
                self.env.invalidate_all()

    def test_request(self):
        for actor, (may_hear, _save, _delete) in RIGHTS.items():
            user = self.actors[actor] or self.env.ref("base.public_user")
            with self.subTest(actor):
                self.wanted.state = "failed"
                self.env.flush_all()
                recording = self.wanted.with_user(user)
                call = self.wanted.call_id.with_user(user)
                if may_hear:
                    recording.action_request()
                    self.assertEqual(self.wanted.state, "requested")
                    self.assertEqual(len(call.get_recordings()), 1)
                    recording.log_play()
                    continue
                for action in (
                    recording.action_request,
                    recording.log_play,
                    call.action_request_recordings,
                    call.get_recordings,
                ):
                    with self.assertRaises(AccessError):
                        action()
                self.assertEqual(self.wanted.state, "failed")

    def test_recordings_are_read_only(self):
        for actor in RIGHTS:
            user = self.actors[actor] or self.env.ref("base.public_user")
            recording = self.wanted.with_user(user)
            plays = self.env["mango.recording.play"].with_user(user)
            vals = {"recording_id": self.wanted.id, "user_id": user.id, "kind": "play"}
            with self.subTest(actor):
                for action in (
                    lambda recording=recording: recording.write({"keep": True}),
                    lambda recording=recording: recording.write({"audio": "AAAA"}),
                    lambda recording=recording: recording.unlink(),
                    lambda plays=plays, vals=vals: plays.create(vals),
                ):
                    with self.assertRaises(AccessError):
                        action()

    def test_in_the_player(self):
        [owner] = self.wanted.call_id.with_user(self.actors["owner"]).get_recordings()
        self.assertEqual(
            owner,
            {
                "id": self.wanted.id,
                "state": "ready",
                "employee": "0511",
                "duration": 3,
                "size": 24044,
                "mimetype": "audio/wav",
                "error": "",
                "can_request": False,
                "can_download": False,
                "can_delete": False,
                "keep": False,
            },
        )
        [admin] = self.wanted.call_id.with_user(self.actors["admin"]).get_recordings()
        self.assertTrue(admin["can_download"] and admin["can_delete"])

    # -- seeking ------------------------------------------------------------------

    def test_ranges(self):
        self.log_in("owner")
        response = self.ask(Range="bytes=8044-16043")
        self.assertEqual(response.status_code, 206)
        self.assertEqual(response.content, sound(3)[8044:16044])
        self.assertEqual(response.headers["Content-Range"], "bytes 8044-16043/24044")
        self.assertEqual(self.ask().headers["Accept-Ranges"], "bytes")

    def test_nothing_is_asked_of_the_pbx(self):
        self.log_in("owner")
        self.ask()
        self.ask(Range="bytes=8044-")
        self.assertEqual(len(self.pbx.requests), 1)
        self.assertEqual(len(self.pbx.accesses), 1)

    def test_deleted(self):
        self.wanted.with_user(self.actors["admin"]).action_delete()
        self.env.flush_all()
        self.log_in("owner")
        self.assertEqual(self.ask().status_code, 404)

    def test_not_fetched(self):
        other = self.announce("R2", extension="0511")
        self.log_in("owner")
        self.assertEqual(self.ask(recording=other).status_code, 404)

    # -- who listened ---------------------------------------------------------------

    def test_play_is_noted_once(self):
        self.log_in("owner")
        self.ask(Range="bytes=0-")
        self.ask(Range="bytes=8044-")
        self.wanted.with_user(self.actors["owner"]).log_play()
        self.assertRecordValues(
            self.plays(), [{"user_id": self.actors["owner"].id, "kind": "play"}]
        )
        self.assertEqual(self.wanted.play_count, 1)

    def test_part_of_it_is_a_play_too(self):
        self.log_in("owner")
        self.ask(Range="bytes=1-")
        self.assertEqual(len(self.plays()), 1)

    def test_looking_is_no_play(self):
        self.log_in("owner")
        self.ask(method="HEAD")
        self.assertFalse(self.plays())

    def test_another_play_is_noted_again(self):
        owner = self.actors["owner"]
        self.wanted.with_user(owner).log_play()
        self.wanted.with_user(self.actors["supervisor"]).log_play()
        self.assertEqual(len(self.plays()), 2)
        self.cr.execute(
            "UPDATE mango_recording_play SET played_at = played_at - interval '5 min'"
        )
        self.wanted.with_user(owner).log_play()
        self.assertEqual(len(self.plays()), 3)

    @mute_logger("odoo.http")
    def test_download_is_noted(self):
        self.log_in("supervisor")
        self.ask("?download=true")
        self.assertEqual(self.plays().kind, "download")
        self.log_in("owner")
        self.ask("?download=true")
        self.assertEqual(len(self.plays()), 1, "a refused one is none")

    def test_supervisor_sees_who_listened(self):
        self.log_in("owner")
        self.ask()
        plays = self.wanted.with_user(self.actors["supervisor"]).play_ids
        self.assertEqual(plays.user_id, self.actors["owner"])
        with self.assertRaises(AccessError):
            self.wanted.with_user(self.actors["owner"]).read(["play_ids"])
        with self.assertRaises(AccessError):
            plays.with_user(self.actors["owner"]).read(["user_id"])
        with self.assertRaises(AccessError):
            plays.with_user(self.actors["supervisor elsewhere"]).read(["user_id"])
