"""Notifications of an attacker who knows the secret.

The table is the product of valid payloads and mutations of their members, so that it
covers every member that is read.
"""

import copy
import json
import re
import unicodedata
from datetime import datetime
from pathlib import Path
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from odoo.tests import BaseCase, tagged

from ...models.inbox import mango_event
from ...vpbx import call_state
from ...vpbx.errors import NotificationError
from ...vpbx.notifications import MAX_LENGTH, parse
from ..common import MangoHttpCase, as_text
from ..vpbx_scenarios import CLIENT, LINE, SIP_LINE, T0, device

ADDON = Path(__file__).parent.parent.parent
MISSING = object()

PARTY = {
    "extension": "101",
    "number": device("101"),
    "line_number": LINE,
    "acd_group": "0511",
    "taken_from_call_id": "L0",
    "was_transferred": False,
}
#: Kinds whose members are read: all members, and the required ones.
PAYLOADS = {
    "events/call": {
        "entry_id": "E",
        "call_id": "L1",
        "timestamp": T0,
        "seq": 1,
        "call_state": "Connected",
        "location": "abonent",
        "from": {"number": CLIENT, "taken_from_call_id": "L0", "was_transferred": True},
        "to": PARTY,
        "disconnect_reason": 1110,
        "transfer": "blind",
        "command_id": "c-1",
        "task_id": "0",
        "callback_initiator": "C.PR",
        "sip_call_id": "x@y",
        "dct": {"number": "1", "type": 2},
    },
    "events/summary": {
        "entry_id": "E",
        "call_direction": 1,
        "from": {"number": CLIENT},
        "to": {"extension": "101", "number": SIP_LINE},
        "line_number": LINE,
        "create_time": T0,
        "forward_time": T0 + 3,
        "talk_time": T0 + 5,
        "end_time": T0 + 9,
        "entry_result": 1,
        "disconnect_reason": 1110,
        "command_id": "c-1",
    },
    "events/recording": {
        "entry_id": "E",
        "recording_id": "R1",
        "call_id": "L1",
        "seq": 1,
        "recording_state": "Completed",
        "extension": "101",
        "timestamp": T0,
        "completion_code": 1000,
        "recipient": "Cloud",
        "command_id": "c-1",
    },
    "events/record/added": {
        "entry_id": "E",
        "recording_id": "R1",
        "user_id": 7,
        "product_id": 3,
        "timestamp": T0,
    },
    "result/route": {"command_id": "c-1", "result": 1000},
    "result/callback": {"command_id": "c-2", "result": "1000"},
}
REQUIRED = {
    "events/call": {"entry_id", "call_id", "seq", "call_state"},
    "events/summary": {"entry_id"},
    "events/recording": {"entry_id", "recording_id", "recording_state"},
    "events/record/added": {"entry_id", "recording_id"},
    "result/route": {"command_id"},
    "result/callback": {"command_id"},
}

IMG = "<img src=x onerror=alert(1)>"
MUTATIONS = {
    "missing": MISSING,
    "null": None,
    "true": True,
    "zero": 0,
    "negative": -1,
    "400 digits": int("9" * 400),
    "text of 400 digits": "9" * 400,
    "more than 64 bits": 2**64,
    "float": 1.5,
    "whole float": 1e300,
    "empty": "",
    "blank": " \t\n ",
    "huge": "я" * 2000,
    "list": [],
    "list of lists": [[[[1]], {"number": ["1"]}]],
    "object": {},
    "object in objects": {"number": {"number": {"number": CLIENT}}},
    "year 9999": 253402300799,
    "milliseconds": T0 * 1000,
    "before the epoch": -62135596800,
    "other direction": "\u202e" + CLIENT + "\u202c",
    "zero width": "1\u200b0\u200d1\ufeff",
    "controls": "\x00\x07\x1b[31m101\x7f",
    "lone surrogate": "\ud800101",
    "homoglyph": "Сonnеctеd",
    "emoji": "👩‍👩‍👧101",
    "combining": "1" + "\u0301" * 300,
    "HTML": IMG,
    "more HTML": "\"'><script>alert(1)</script>",
    "template": "{{7*7}}${7*7}<t t-out='x'/>%s%(x)s",
    "SQL": "'; DROP TABLE mango_call; --",
    "LIKE": "%_%\\",
    "path": "../../../etc/passwd",
    "header": "101\r\nSet-Cookie: a=b",
    "formula": '=HYPERLINK("http://x")',
}
#: Whole texts, and the status of the answer.
TEXTS = {
    "NaN": ('{"entry_id": "E", "call_id": "L", "call_state": "x", "seq": NaN}', 400),
    "Infinity": ('{"entry_id": "E", "x": -Infinity}', 400),
    "1e400": (
        '{"entry_id": "E", "call_id": "L", "call_state": "x", "seq": 1e400}',
        400,
    ),
    "5000 digits": ('{"entry_id": "E", "x": ' + "9" * 5000 + "}", 400),
    "deep": ('{"entry_id": "E", "x": ' + "[" * 5000 + "]" * 5000 + "}", 400),
    "deep and open": ("[" * 9000, 400),
    "deep objects": ('{"x":' * 3000 + "1" + "}" * 3000, 400),
    "open text": ('{"x": "' + '\\"' * 9000, 400),
    "brackets in a text": (
        '{"entry_id": "E", "call_id": "L", "call_state": "x", "seq": 1, "x": "'
        + "[{" * 5000
        + '"}',
        200,
    ),
    "key twice": (
        (
            '{"entry_id": "E", "call_id": "L", "seq": 1, "call_state": "Appeared", '
            '"entry_id": "E-twice"}'
        ),
        200,
    ),
    "many keys": (json.dumps({f"k{n}": n for n in range(1500)}), 400),
    "BOM": ("\ufeff{}", 400),
    "trailing": ('{"entry_id": "E"} {}', 400),
    "bare surrogate": ('{"entry_id": "\\ud800", "call_id": "L", "seq": 1}', 400),
    "NUL": ('{"entry_id": "\x00"}', 400),
}


def mutations():
    """Generate the table.

    :return: rows of kind, path of the member, name of the mutation, payload.
    """
    number = 0
    for kind, valid in PAYLOADS.items():
        paths = [(name,) for name in valid]
        paths += [
            (name, inner) for name in ("from", "to") for inner in valid.get(name, {})
        ]
        for path in paths:
            for name, value in MUTATIONS.items():
                number += 1
                payload = copy.deepcopy(valid)
                if "entry_id" in payload:
                    payload["entry_id"] = f"E{number}"
                parent = payload
                for step in path[:-1]:
                    parent = parent[step]
                if value is MISSING:
                    parent.pop(path[-1])
                else:
                    parent[path[-1]] = value
                if path == ("result",) or "result" in valid:
                    payload.setdefault("command_id", None)
                    if path != ("command_id",):
                        payload["command_id"] = f"c-{number}"
                yield kind, path, name, payload


@tagged("post_install", "-at_install")
class TestHostileNotifications(MangoHttpCase):
    def setUp(self):
        super().setUp()
        self.account.routing_enabled = False

    def count(self):
        return self.env["mango.event"].search_count(
            [("account_id", "=", self.account.id)]
        )

    def test_table(self):
        """Each is answered as documented, and only stores displayable texts."""
        rows = list(mutations())
        self.assertGreater(len(rows), 1500)
        stored = self.count()
        with self.assertNoLogs(level="WARNING"):
            for kind, path, name, payload in rows:
                with self.subTest(kind=kind, path=path, mutation=name):
                    text = json.dumps(payload)  # in ASCII: surrogates come escaped
                    status = self.post(kind, text).status_code
                    may_refuse = len(path) == 1 and path[0] in REQUIRED[kind]
                    self.assertIn(status, (200, 400) if may_refuse else (200,))
                    now = self.count()
                    self.assertEqual(now - stored, 1 if status == 200 else 0)
                    stored = now
        self.assertFalse(self.events().filtered(lambda e: e.state == "failed"))
        self.assert_presentable()
        self.assert_required_ones_are_missed(rows)

    def assert_required_ones_are_missed(self, rows):
        for kind, path, name, payload in rows:
            if len(path) == 1 and path[0] in REQUIRED[kind] and name == "missing":
                self.assertEqual(self.post(kind, payload).status_code, 400)

    def assert_presentable(self):
        """Check that a stored text is displayable, and means what it looks like."""
        calls = self.env["mango.call"].search([("account_id", "=", self.account.id)])
        self.assertGreater(len(calls), 500)
        for records in (calls, calls.leg_ids):
            for name, field in records._fields.items():
                if not field.store or field.type not in ("char", "datetime", "integer"):
                    continue
                for value in set(records.mapped(name)) - {False}:
                    self.assert_value(name, value)

    def assert_value(self, name, value):
        if isinstance(value, str):
            if name != "route_reason":
                self.assertLessEqual(len(value), MAX_LENGTH, name)
            hidden = [c for c in value if unicodedata.category(c) in ("Cc", "Cf", "Cs")]
            self.assertFalse(hidden, (name, value))
            self.assertNotIsInstance(value, Markup)
        elif isinstance(value, datetime):
            self.assertTrue(2000 <= value.year <= 2100, (name, value))

    def test_texts(self):
        for name, (text, expected) in TEXTS.items():
            with self.subTest(name=name), self.assertNoLogs(level="WARNING"):
                before = self.count()
                self.assertEqual(self.post("events/call", text).status_code, expected)
                self.assertEqual(self.count() - before, 1 if expected == 200 else 0)
        self.assertTrue(self.call("E-twice"), "the last of two members counts")

    def test_forms(self):
        """Duplicate fields, files instead of fields, other content types."""
        kind, text = "events/call", as_text({**PAYLOADS["events/call"]})
        with self.assertNoLogs(level="WARNING"):
            twice = self.post(kind, text, json=[text, "{}"])
            self.assertEqual(twice.status_code, 200, "the first one is signed")
            other = self.post(kind, text, json=["{}", text])
            self.assertEqual(other.status_code, 403)
            for data, content_type in (
                (text, "application/json"),
                (text, "text/plain"),
                ("=&=&&;%zz%", "application/x-www-form-urlencoded"),
                (b"\xff\xfe\x00", "application/x-www-form-urlencoded"),
                ("--x\r\n\r\n", "multipart/form-data; boundary=x"),
                ("x", "multipart/form-data"),
            ):
                with self.subTest(content_type=content_type, data=data):
                    response = self.url_open(
                        f"/exec/mango/{kind}",
                        data=data,
                        headers={"Content-Type": content_type},
                    )
                    self.assertIn(response.status_code, (400, 403))
        self.assertEqual(self.count(), 1)

    def test_paths(self):
        for path in ("%00", "%2e%2e/%2e%2e", "%f0%9f%92%a9" * 300, "<b>", "a" * 2000):
            with self.subTest(path=path), self.assertNoLogs(level="WARNING"):
                response = self.post(path, {"entry_id": f"E-{path[:9]}"})
                self.assertIn(response.status_code, (200, 400))
        for kind in self.events().mapped("kind"):
            self.assertLessEqual(len(kind), MAX_LENGTH)
        self.assertFalse(self.call())

    # -- limits of one call ----------------------------------------------------------

    def leg(self, number):
        ref = {"call_id": f"L{number}", "seq": 1, "call_state": "Appeared"}
        return {**PAYLOADS["events/call"], **ref, "entry_id": "E1"}

    def test_a_million_legs(self):
        """Beyond the limit a call does not grow, but it still ends."""
        with (
            patch.object(mango_event, "MAX_OF_CALL", 5),
            patch.object(mango_event, "MAX_ENDS_OF_CALL", 2),
        ):
            for number in range(9):
                response = self.post("events/call", self.leg(number))
                self.assertEqual(response.status_code, 200)
            self.assertEqual(len(self.call().leg_ids), 5)
            self.assertEqual(self.call().state, "ringing")
            events = self.events().sorted("id")
            self.assertEqual(
                events.mapped("state"), ["done"] * 5 + ["ignored"] * 4, "not kept"
            )
            self.assertIn("more than 5", events[-1].error)
            self.assertFalse(events[0].error)
            # The four excess legs also use up the reserve for the end, which is small.
            with patch.object(mango_event, "MAX_ENDS_OF_CALL", 20):
                summary = {**PAYLOADS["events/summary"], "entry_id": "E1"}
                self.assertEqual(self.post("events/summary", summary).status_code, 200)
        self.assertEqual(self.call().state, "ended")
        self.assertEqual(self.call().result, "answered")

    def test_one_too_many_costs_always_the_same(self):
        def cost(number):
            before = self.cr.sql_log_count
            self.assertEqual(
                self.post("events/call", self.leg(number)).status_code, 200
            )
            return self.cr.sql_log_count - before

        with patch.object(mango_event, "MAX_OF_CALL", 3):
            applied = [cost(number) for number in range(3)]
            kept = [cost(number) for number in range(3, 12)]
        self.assertEqual(len(set(kept[1:])), 1, kept)
        self.assertLess(kept[-1], applied[-1])

    # -- display ---------------------------------------------------------------------

    def test_nothing_is_rendered_as_html(self):
        """Texts are sent to the browser as they are, and escaped by t-out."""
        hostile = {**PARTY, "extension": IMG, "number": IMG, "line_number": IMG}
        self.ivan.name = IMG
        payload = {**PAYLOADS["events/call"], "entry_id": "E1", "to": hostile}
        self.post("events/call", {**payload, "location": IMG, "call_state": IMG})
        self.post("events/call", {**payload, "call_id": "L2", "from": hostile})
        self.post("events/summary", {**PAYLOADS["events/summary"], "entry_id": "E1"})
        call = self.call().with_user(self.vera)
        arch = call.get_views([(False, "form"), (False, "list"), (False, "kanban")])
        spec = {name: {} for name in arch["models"]["mango.call"]["fields"]}
        answers = [
            call.web_read(spec),
            call.leg_ids.web_read({"display_name": {}, "state": {}, "to_number": {}}),
            call.timeline,
            call.env["mango.card.content"]._card_of_call(call),
            call.env["mango.call.presence"].get_screen(),
        ]
        self.assertIn(IMG, str(answers))
        for answer in answers:
            self.assert_plain(answer)
        for message in call.message_ids:
            self.assertNotIn("<img", message.body)

    def assert_plain(self, value):
        if isinstance(value, dict):
            for inner in value.values():
                self.assert_plain(inner)
        elif isinstance(value, list | tuple):
            for inner in value:
                self.assert_plain(inner)
        else:
            self.assertNotIsInstance(value, Markup)

    def test_no_field_of_ours_holds_html(self):
        for model in self.env.values():
            if not model._name.startswith("mango."):
                continue
            mixins = self.env["mail.thread"]._fields.keys()
            mixins |= self.env["mail.activity.mixin"]._fields.keys()
            for name, field in model._fields.items():
                if name not in mixins:
                    self.assertNotEqual(field.type, "html", f"{model._name}.{name}")


@tagged("post_install", "-at_install")
class TestNothingMakesHtml(BaseCase):
    """By inspection: nothing that would render a text as HTML is used."""

    def assert_unused(self, pattern, *folders, endings):
        read = 0
        for folder in folders:
            for path in sorted((ADDON / folder).rglob("*")):
                if path.suffix not in endings:
                    continue
                read += 1
                found = re.search(pattern, path.read_text())
                self.assertIsNone(found, f"{path.relative_to(ADDON)}: {found}")
        self.assertGreater(read, 5)

    def test_browser(self):
        pattern = (
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\bmarkup\b"
            r"|t-raw|setHTMLUnsafe|createContextualFragment|\beval\(|new Function"
        )
        self.assert_unused(pattern, "static/src", endings=(".js", ".xml"))

    def test_server(self):
        pattern = r"\bMarkup\b|html_sanitize|safe_eval|\beval\(|sanitize\s*=\s*False"
        folders = ("models", "controllers", "wizard", "vpbx")
        self.assert_unused(pattern, *folders, endings=(".py",))


# ---------------------------------------------------------------------------
# Without a table


PROPERTY = settings(
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.too_slow],
)
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(list(MUTATIONS.values())[1:]),
    st.sampled_from(["L1", "L2", "101", CLIENT, LINE, T0, T0 + 60, "Disconnected"]),
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(list(PARTY)), inner, max_size=6),
    ),
    max_leaves=12,
)


@st.composite
def hostile_posts(draw):
    """Draw a notification: a valid one of which any member may be anything."""
    kind = draw(st.sampled_from(list(PAYLOADS)))
    payload = copy.deepcopy(PAYLOADS[kind])
    payload.update(
        draw(st.dictionaries(st.sampled_from(list(payload)), values, max_size=4))
    )
    return draw(st.sampled_from([kind, kind, kind, "", "events/weather"])), payload


@tagged("post_install", "-at_install")
class TestFuzz(BaseCase):
    @PROPERTY
    @given(
        st.lists(hostile_posts(), max_size=8),
        st.lists(st.sampled_from([LINE, SIP_LINE, CLIENT, "", IMG]), max_size=3),
        st.one_of(st.none(), st.integers(-(2**31), 2**33)),
    )
    def test_parser_refuses_and_fold_never_does(self, posts, lines, closed_at):
        read = []
        for kind, payload in posts:
            try:
                read.append(parse(kind, json.dumps(payload)))
            except NotificationError:
                continue
        call = call_state.fold(read, lines, closed_at)
        self.assertIn(call.state, ("ringing", "talking", "ended"))
        self.assertGreaterEqual(call.talk_duration, 0)
        self.assertGreaterEqual(call.wait_duration, 0)

    @PROPERTY
    @given(st.binary(max_size=300), st.sampled_from(["", *PAYLOADS]))
    def test_any_bytes(self, raw, kind):
        for text in (raw.decode("latin-1"), raw.decode("utf-8", "surrogateescape")):
            try:
                parse(kind, text)
            except NotificationError as error:
                self.assertLess(len(str(error)), 100, "echoes what it was sent")

    @PROPERTY
    @given(
        st.dictionaries(
            st.integers(0, 12).map(str),
            st.one_of(st.none(), st.integers(0, 15).map(str)),
        )
    )
    def test_depths(self, parents):
        """As counted one by one."""
        counted = call_state._depths(parents)
        for leg_ref in parents:
            seen, at = {leg_ref}, leg_ref
            while (at := parents.get(at)) in parents and at not in seen:
                seen.add(at)
            self.assertEqual(counted[leg_ref], len(seen), (leg_ref, parents))

    def test_depths_look_at_each_leg_once(self):
        """The cost of a chain of legs is linear in its length."""

        class Counting(dict):
            looks = 0

            def __getitem__(self, key):
                Counting.looks += 1
                return dict.__getitem__(self, key)

        length = 3000
        chain = {str(n): str(n - 1) if n else None for n in reversed(range(length))}
        depths = call_state._depths(Counting(chain))
        self.assertEqual(depths[str(length - 1)], length)
        self.assertLessEqual(Counting.looks, length)
