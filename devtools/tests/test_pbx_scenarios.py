"""Every scenario by name: the form of what it sends, and what each one is about."""

import json
import unittest

from devtools.pbx.scenarios import SCENARIOS
from devtools.pbx.testing import make_pbx

LONG_ENOUGH = 400
SILENT = {"no-notifications", "stats-history", "stats-boundary", "stats-204"}
BROKEN = {"bad-signature", "bad-key", "missing-json", "broken-json", "json-list"}
#: scenarios that are no ordinary call sent in order
ODD_ORDER = {"inbound-shuffled", "inbound-doubled", "summary-first"}
NO_LEGS = {"inbound-blacklisted"}
NO_CALL = SILENT | BROKEN | {"unknown-path", "ping"}
TYPES_CHANGED = {"numeric-strings", "strings-numeric"}

CALL_FIELDS = {
    "entry_id",
    "call_id",
    "timestamp",
    "seq",
    "call_state",
    "location",
    "from",
    "to",
}
CALL_OPTIONAL = {
    "disconnect_reason",
    "command_id",
    "callback_initiator",
    "transfer",
    "dct",
}
PARTY = {
    "extension",
    "number",
    "taken_from_call_id",
    "line_number",
    "acd_group",
    "was_transferred",
    "hold_initiator",
}
SUMMARY_FIELDS = {
    "entry_id",
    "call_direction",
    "from",
    "to",
    "create_time",
    "forward_time",
    "talk_time",
    "end_time",
    "entry_result",
    "disconnect_reason",
}


class ScenarioCase(unittest.TestCase):
    def play(self, name, caller=None, **settings):
        pbx = make_pbx(**settings)
        script, stage = pbx.play(name, caller)
        pbx.clock.advance(LONG_ENOUGH)
        self.assertTrue(script.over, "the scenario does not end")
        self.assertEqual(script.error, "")
        return pbx.transport, stage, pbx


class TestEveryScenario(ScenarioCase):
    def each(self, names, check):
        """Play each and have ``check(name, received, stage, pbx)`` look at it."""
        for name in sorted(names):
            with self.subTest(scenario=name):
                check(name, *self.play(name))

    def test_answers_as_expected(self):
        def check(_name, _received, _stage, pbx):
            self.assertFalse([e for e in pbx.journal.entries if not e.ok])
            self.assertFalse(pbx.exchange.calls, "a call runs on")

        self.each(SCENARIOS, check)

    def test_descriptions(self):
        for name, scenario in SCENARIOS.items():
            self.assertRegex(name, r"^[a-z0-9]+(-[a-z0-9]+)*$")
            self.assertRegex(scenario.ru, "[а-я]")
            self.assertNotRegex(scenario.en, "[а-я]")
            self.assertNotIn("\n", scenario.en + scenario.ru)

    def test_legs(self):
        names = set(SCENARIOS) - NO_CALL - NO_LEGS - ODD_ORDER - TYPES_CHANGED

        def check(name, received, _stage, _pbx):
            self.assertTrue(received.legs())
            for events in received.legs().values():
                self.check_leg(name, events)

        self.each(names, check)

    def check_leg(self, name, events):
        seqs = [event["seq"] for event in events]
        self.assertEqual(seqs, list(range(1, len(seqs) + 1)))
        self.assertEqual(events[0]["call_state"], "Appeared")
        self.assertEqual(events[-1]["call_state"], "Disconnected")
        self.assertEqual(len({event["entry_id"] for event in events}), 1)
        for event in events:
            self.check_event(name, event)

    def check_event(self, name, event):
        self.assertLessEqual(CALL_FIELDS, set(event))
        if name != "extra-fields":
            self.assertLessEqual(set(event), CALL_FIELDS | CALL_OPTIONAL)
        self.assertLessEqual(set(event["from"]) | set(event["to"]), PARTY)
        self.assertIn(event["location"], ("ivr", "queue", "abonent"))
        self.assertIsInstance(event["timestamp"], int)
        ended = event["call_state"] == "Disconnected"
        self.assertEqual("disconnect_reason" in event, ended)
        if name != "unknown-state":
            states = ("Appeared", "Connected", "OnHold", "Disconnected")
            self.assertIn(event["call_state"], states)

    def test_summary_is_last_and_agrees_with_the_legs(self):
        names = set(SCENARIOS) - NO_CALL - ODD_ORDER - TYPES_CHANGED

        def check(name, received, stage, _pbx):
            summaries = received.of("events/summary")
            self.assertEqual(len(summaries), len(stage.calls))
            for summary in summaries:
                entry = self.entry(received, summary["entry_id"])
                self.assertEqual(entry.index("events/summary"), len(entry) - 1)
                self.check_summary(name, summary, received)

        self.each(names - {"summary-lost"}, check)

    def entry(self, received, entry_id):
        """:return: the paths of a call's notifications of legs and summary."""
        return [
            path
            for path, payload in received.good
            if path in ("events/call", "events/summary")
            and payload["entry_id"] == entry_id
        ]

    def check_summary(self, name, summary, received):
        self.assertEqual(set(summary) - {"line_number"}, SUMMARY_FIELDS)
        self.assertEqual("line_number" in summary, summary["call_direction"] != 0)
        self.assertLessEqual(summary["create_time"], summary["end_time"])
        if name != "missed-in-menu-result-1":
            self.assertEqual(summary["entry_result"], int(summary["talk_time"] > 0))
        talked = [
            event["timestamp"]
            for event in received.of("events/call")
            if event["entry_id"] == summary["entry_id"]
            and event["call_state"] == "Connected"
            # The first leg of a callback is the employee's, not the talk.
            and ("callback_initiator" not in event or "extension" in event["from"])
        ]
        self.assertEqual(summary["talk_time"], min(talked, default=0))

    def test_recordings(self):
        names = set(SCENARIOS) - NO_CALL - ODD_ORDER - TYPES_CHANGED

        def check(_name, received, _stage, _pbx):
            order = {}
            for path, payload in received.good:
                if "recording_id" in payload:
                    order.setdefault(payload["recording_id"], []).append(
                        payload.get("recording_state", path)
                    )
            for states in order.values():
                self.assertEqual(states[0], "Started")
                self.assertEqual(states[-2:], ["Completed", "events/record/added"])

        self.each(names, check)

    def test_runs_again_at_once(self):
        for name in SCENARIOS:
            with self.subTest(scenario=name):
                pbx = make_pbx()
                pbx.play(name)
                pbx.play(name)
                pbx.clock.advance(2 * LONG_ENOUGH)
                self.assertFalse(pbx.running)

    def test_without_a_greeting(self):
        for name in SCENARIOS:
            with self.subTest(scenario=name):
                self.play(name, greeting=0)


class TestParticularScenarios(ScenarioCase):
    def ends(self, received, location="abonent"):
        return [
            (event["to"].get("extension"), event["disconnect_reason"])
            for event in received.of("events/call")
            if event["call_state"] == "Disconnected" and event["location"] == location
        ]

    def test_doubled(self):
        received, _stage, _pbx = self.play("inbound-doubled")
        texts = [form["json"] for path, form in received.forms]
        self.assertTrue(all(texts.count(text) == 2 for text in texts))

    def test_shuffled(self):
        received, _stage, _pbx = self.play("inbound-shuffled")
        paths = [path for path, _payload in received.good]
        plain = [path for path, _ in self.play("inbound-answered")[0].good]
        self.assertCountEqual(paths, plain)
        self.assertNotEqual(paths, plain)

    def test_summary_first(self):
        received, _stage, _pbx = self.play("summary-first")
        paths = [path for path, _payload in received.good]
        self.assertEqual(paths[0], "events/summary")
        self.assertIn("events/call", paths[1:])

    def test_caller_can_be_replaced(self):
        received, _stage, _pbx = self.play("inbound-unknown", "74950000208")
        first = received.of("events/call")[0]
        self.assertEqual(first["from"], {"number": "74950000208"})
        received, _stage, _pbx = self.play("inbound-unknown", "")
        self.assertEqual(received.of("events/call")[0]["from"], {})

    def test_missed_in_menu_both_results(self):
        for name, result in (("missed-in-menu", 0), ("missed-in-menu-result-1", 1)):
            received, _stage, _pbx = self.play(name)
            (summary,) = received.of("events/summary")
            self.assertEqual(summary["to"], {})
            self.assertEqual(summary["talk_time"], 0)
            self.assertEqual(summary["entry_result"], result)
            self.assertEqual(summary["disconnect_reason"], 1170)

    def test_queue(self):
        received, _stage, _pbx = self.play("inbound-queue")
        queue = [e for e in received.of("events/call") if e["location"] == "queue"]
        self.assertEqual([e["call_state"] for e in queue], ["Appeared", "Disconnected"])
        rung = next(e for e in received.of("events/call") if e["location"] == "abonent")
        self.assertEqual(rung["from"]["taken_from_call_id"], queue[0]["call_id"])

    def test_all_unavailable_restores_the_staff(self):
        received, _stage, pbx = self.play("all-unavailable")
        self.assertFalse(self.ends(received))
        self.assertEqual({s.mode for s in pbx.company.staff}, {"on"})

    def test_declined(self):
        received, _stage, _pbx = self.play("declined")
        self.assertEqual(
            self.ends(received), [("101", 1122), ("102", 1122), ("103", 1122)]
        )

    def test_group_transfer_ends_at_101(self):
        received, _stage, _pbx = self.play("inbound-group-transfer")
        (summary,) = received.of("events/summary")
        self.assertEqual(summary["to"]["extension"], "101")

    def test_long_recording(self):
        _received, _stage, pbx = self.play("long-recording")
        [recording] = pbx.recordings.items
        content = recording.file.read_bytes()
        # Nothing but frames of 24 kbit/s: 36 ms in 108 bytes each.
        self.assertEqual(len(content) % 108, 0)
        heads = {content[start : start + 2] for start in range(0, len(content), 108)}
        self.assertEqual(heads, {b"\xff\xf3"})
        self.assertGreaterEqual(len(content) // 108 * 0.036, 600)

    def test_two_recordings_not_ready_at_first(self):
        received, _stage, pbx = self.play("two-recordings")
        self.assertEqual(len(received.of("events/record/added")), 2)
        for recording in pbx.recordings.items:
            self.assertFalse(pbx.recordings.ready(recording))
            self.assertTrue(pbx.recordings.ready(recording))

    def test_recording_before_summary(self):
        received, _stage, _pbx = self.play("recording-before-summary")
        paths = [path for path, _payload in received.good]
        self.assertLess(
            paths.index("events/record/added"), paths.index("events/summary")
        )

    def test_numbers(self):
        received, _stage, _pbx = self.play("numeric-strings")
        for payload in received.of("events/call"):
            self.assertIsInstance(payload["seq"], str)
            self.assertIsInstance(payload["timestamp"], str)
        received, _stage, _pbx = self.play("strings-numeric")
        rung = next(p for p in received.of("events/call") if p["location"] == "abonent")
        self.assertEqual(rung["to"]["extension"], 101)
        self.assertEqual(rung["from"]["number"], 74950000204)

    def test_unknown_values(self):
        received, _stage, _pbx = self.play("unknown-reason")
        self.assertIn(1199, [reason for _ext, reason in self.ends(received)])
        received, _stage, _pbx = self.play("unknown-state")
        states = {e["call_state"] for e in received.of("events/call")}
        self.assertIn("Whispering", states)
        received, _stage, _pbx = self.play("unknown-path")
        self.assertEqual(len(received.of("events/future/kind")), 1)
        received, _stage, _pbx = self.play("extra-fields")
        self.assertIn('"dct"', json.dumps(received.good))

    def test_broken_notifications(self):
        statuses = {}
        for name in BROKEN:
            received, _stage, pbx = self.play(name)
            (entry,) = pbx.journal.entries
            statuses[name] = entry.status
            ((_path, form),) = received.forms
            self.assertEqual("json" in form, name != "missing-json")
        self.assertEqual(
            statuses,
            {
                "bad-signature": 403,
                "bad-key": 403,
                "missing-json": 400,
                "broken-json": 400,
                "json-list": 400,
            },
        )

    def test_sip_line_and_leading_zero(self):
        received, _stage, _pbx = self.play("sip-line")
        (summary,) = received.of("events/summary")
        self.assertEqual(summary["line_number"], "sip:line3@romashka.mangosip.ru")
        received, _stage, _pbx = self.play("extension-leading-zero")
        (summary,) = received.of("events/summary")
        self.assertEqual(summary["to"]["extension"], "0511")

    def test_summary_lost(self):
        received, _stage, pbx = self.play("summary-lost")
        self.assertFalse(received.of("events/summary"))
        self.assertEqual(len(received.of("events/record/added")), 1)
        self.assertEqual(len(pbx.exchange.history), 1)

    def test_dtmf(self):
        received, _stage, _pbx = self.play("dtmf")
        (digits,) = received.of("events/dtmf")
        self.assertEqual(digits["dtmf"], "1234")
        self.assertEqual(digits["location"], "ivr.1")

    def test_burst(self):
        received, _stage, _pbx = self.play("burst")
        self.assertEqual(len(received.of("events/summary")), 10)
        menus = [e for e in received.of("events/call") if e["location"] == "ivr"]
        self.assertEqual(len({e["timestamp"] for e in menus[:10]}), 1)

    def test_silent_scenarios_are_in_statistics_only(self):
        for name, count in (
            ("no-notifications", 1),
            ("stats-history", 40),
            ("stats-boundary", 3),
            ("stats-204", 1),
        ):
            received, _stage, pbx = self.play(name)
            self.assertFalse(received.forms)
            self.assertEqual(len(pbx.exchange.history), count)
