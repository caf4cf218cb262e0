"""The order of notifications does not affect what is stored in the end."""

import random

from odoo.tests import tagged

from ..common import MangoCase
from ..vpbx_scenarios import SCENARIOS, T0, inbound_answered

#: Orders tried for each scenario, besides that of the PBX.
ORDERS = 4
#: The stored fields that come from the PBX.
CALL_FIELDS = (
    "state",
    "direction",
    "result",
    "client_number",
    "line_number",
    "line_id",
    "extension_id",
    "user_id",
    "group_number",
    "group_id",
    "rung_extension_ids",
    "owner_id",
    "user_ids",
    "partner_id",
    "lead_id",
    "candidate_ids",
    "started_at",
    "answered_at",
    "ended_at",
    "wait_duration",
    "talk_duration",
    "end_reason",
    "recording_state",
    "source_id",
    "dct_type",
    "dct_number",
)
LEG_FIELDS = (
    "leg_ref",
    "location",
    "state",
    "from_extension",
    "to_extension",
    "from_user_id",
    "to_user_id",
)
RECORDING_FIELDS = ("recording_ref", "state", "extension_id", "user_id", "started_at")


@tagged("post_install", "-at_install")
class TestOrder(MangoCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.routing_enabled = False  # The decision depends on the time.
        cls.extension_of(cls.kirill).pbx_user_ref = "400000999"
        cls.env["mango.group"].create(
            {"account_id": cls.account.id, "number": "500", "name": "Продажи"}
        )

    @classmethod
    def extension_of(cls, user):
        return cls.account.extension_ids.filtered(lambda ext: ext.user_id == user)

    def snapshot(self, call):
        """Return everything stored of a call, with its legs in order."""
        cards = (
            self.env["mango.call.presence"].sudo().search([("call_id", "=", call.id)])
        )
        recordings = call.recording_ids.sorted("recording_ref")
        return {
            **{name: self.value(call, name) for name in CALL_FIELDS},
            "legs": [
                [self.value(leg, name) for name in LEG_FIELDS] for leg in call.leg_ids
            ],
            "recordings": [
                [self.value(recording, name) for name in RECORDING_FIELDS]
                for recording in recordings
            ],
            "cards": sorted(cards.user_id.ids),
        }

    def value(self, record, name):
        value = record[name]
        return sorted(value.ids) if record._fields[name].relational else value

    def assertSameInAnyOrder(self, name, posts):
        results = []
        for order in range(ORDERS + 1):
            told = list(posts)
            if order:
                random.Random(f"{name} {order}").shuffle(told)
            entry_id = f"{name} {order}"
            for kind, payload in told:
                if "recording_id" in payload:
                    ref = f"{payload['recording_id']} {order}"
                    payload = {**payload, "recording_id": ref}
                self.receive(kind, {**payload, "entry_id": entry_id})
            found = self.snapshot(self.call(entry_id))
            for recording in found["recordings"]:
                recording[0] = recording[0].rpartition(" ")[0]
            results.append(found)
        for order, found in enumerate(results[1:], 1):
            self.assertEqual(found, results[0], f"order {order}")
        return results[0]

    def test_every_scenario(self):
        for scenario in SCENARIOS:
            posts = [post for post in scenario.posts if "entry_id" in post[1]]
            with self.subTest(scenario=scenario.name):
                self.assertSameInAnyOrder(scenario.name, posts)

    def test_recording_announced_for_another_user(self):
        """The extension of events/recording wins over the user of record/added."""
        recording = {"recording_id": "R", "timestamp": T0 + 96}
        posts = [
            *inbound_answered().posts,
            (
                "events/recording",
                {
                    **recording,
                    "recording_state": "Completed",
                    "seq": 2,
                    "call_id": "L3",
                    "extension": "101",
                    "completion_code": 1000,
                    "recipient": "Cloud",
                },
            ),
            (
                "events/record/added",
                {**recording, "product_id": 1, "user_id": 400000999},
            ),
        ]
        found = self.assertSameInAnyOrder("recording", posts)
        [[_ref, _state, extensions, users, _started]] = found["recordings"]
        self.assertEqual(extensions, self.extension_of(self.anna).ids)
        self.assertEqual(users, self.anna.ids)
        self.assertNotIn(self.kirill.id, found["user_ids"], "sees a call of others")

    def test_legs_of_one_second(self):
        """The menu comes before the employee reached through it."""
        posts = [post for post in inbound_answered().posts if post[0] == "events/call"]
        for _kind, payload in (posts := [(k, {**p}) for k, p in posts]):
            payload["timestamp"] = T0
        found = self.assertSameInAnyOrder("one second", posts)
        places = [leg[1] for leg in found["legs"]]
        self.assertEqual(places[0], "ivr")
        self.assertEqual(sorted(places[1:]), ["abonent", "abonent", "queue"])
