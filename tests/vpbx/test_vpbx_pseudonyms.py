"""Pseudonyms: no personal data remain, and calls stay consistent."""

import json
import re
from dataclasses import fields

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ...vpbx import call_state, members, surprises
from ...vpbx.notifications import parse
from ...vpbx.numbers import e164, is_hidden, is_pbx_device
from ...vpbx.pseudonyms import Learned, Pseudonyms
from ..vpbx_scenarios import CLIENT, LINE, LINES, SCENARIOS, SIP_LINE, T0, device

PROPERTY = settings(
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow],
)
SECRET = b"known to this test only"
MOMENTS = (T0 - 86400, T0 + 86400)

# Must not remain anywhere.
HOSTILE = (
    "74951234567",
    "+7 (916) 765-43-21",
    "8 916 765-43-21",
    "375291234567",
    "sip:ivanov@romashka.mangosip.ru",
    "sip:74951234567@partner.example.org:5060",
    "Иванов Иван Иванович",
    "Ivan Petrov",
    "ivan.petrov@mail.example",
    "https://records.example/secret_link?id=abc",
    "81.88.80.132",
    "secret_api_key_0001",
    "AbC+d/EfG==",
    "NTAwMDAwMDAwMQ==",
    "1234567890",
)
_hostile = st.sampled_from(HOSTILE)
_numbers = st.sampled_from([74951234567, 1234567890, 9161234567, 1234567890.0])
_values = st.recursive(
    st.one_of(_hostile, _numbers, st.none(), st.booleans(), st.text(max_size=5)),
    lambda children: st.one_of(
        st.lists(children, max_size=3),
        st.dictionaries(st.one_of(_hostile, st.text(max_size=5)), children, max_size=3),
    ),
    max_leaves=6,
)


def _names(spec):
    for name, expected in spec.items():
        yield name
        if isinstance(expected, dict):
            yield from _names(expected)
        elif isinstance(expected, members.Many):
            yield from _names(expected.members)


@st.composite
def hostile_notifications(draw):
    """Draw a kind and a payload with hostile values in any member."""
    kind = draw(st.sampled_from(["events/weather", *members.KINDS]))
    known = sorted({*_names(members.KINDS.get(kind, {"x": None}))})
    names = st.one_of(st.sampled_from(known), _hostile)
    inner = st.dictionaries(names, _values, max_size=5)
    return kind, draw(
        st.dictionaries(names, st.one_of(_values, inner, st.lists(inner)), min_size=1)
    )


def made(*notifications, lines=()):
    learned = Learned()
    for kind, payload in notifications:
        learned.learn(kind, payload)
    learned.lines.update(lines)
    return Pseudonyms(SECRET, learned, MOMENTS)


def plain(text):
    """Return a text without the separators of numbers."""
    return re.sub(r"[\s()+\-.]", "", text).lower()


@tagged("mango_office", "-at_install", "post_install")
class TestPseudonyms(BaseCase):
    @PROPERTY
    @given(hostile_notifications())
    @example(("events/call", {"from": "74951234567", "74951234567": {"seq": "x"}}))
    @example(("events/call", {"location": "ivr.74951234567", "task_id": 74951234567}))
    @example(("events/call", {"timestamp": 1234567890, "call_state": "Ivan Petrov"}))
    @example(("statistics/call", {"context_calls": [{"members": "Ivan Petrov"}]}))
    def test_nothing_gets_through(self, notification):
        kind, payload = notification
        stand_ins = made(notification)
        replaced = stand_ins.payload(kind, payload)
        shown = plain(json.dumps(replaced, ensure_ascii=False))
        for secret in HOSTILE:
            self.assertNotIn(plain(secret), shown)
            # Nor any word of three letters or number of five digits in it.
            for part in re.findall(r"[^\W\d_]{5,}|\d{5,}", secret):
                if part.lower() not in ("invalid", "mangosip", "secret"):
                    self.assertNotIn(part.lower(), shown)
        self.assertEqual(
            surprises.mask(json.dumps(payload))[:1],
            surprises.mask(json.dumps(replaced))[:1],
        )
        self.assertEqual(replaced, stand_ins.payload(kind, payload))

    @PROPERTY
    @given(st.text(min_size=1, max_size=300))
    def test_total(self, text):
        stand_ins = made()
        for replace in (
            stand_ins.text,
            stand_ins.number,
            stand_ins.anything,
            stand_ins.id,
            stand_ins.moment,
            stand_ins.reference,
            stand_ins.name,
            stand_ins.kind,
        ):
            self.assertEqual(replace(text), replace(text))
        self.assertEqual(len(stand_ins.text(text)), len(text))

    def test_form_survives(self):
        stand_ins = made(lines=[LINE, SIP_LINE])
        for text, form in [
            (CLIENT, r"74\d\d000\d{4}"),
            ("79161234567", r"74\d\d000\d{4}"),
            ("+7 (495) 000-02-01", r"\+7 \(4\d\d\) 000-\d\d-\d\d"),
            ("77012345678", r"77\d{9}"),
            ("375291234567", r"3752\d{8}"),
            (LINE, r"7495000\d{4}"),
            ("101", r"1\d\d"),
            ("0511", r"0\d{3}"),
            ("73", r"7\d"),
            (device("101"), r"sip:[a-z]{4}\d{3}@[a-z]{8}\.mangosip\.ru"),
            ("sip:x@r.mangosip.ru:5060", r"sip:[a-z]@[a-z]\.mangosip\.ru:\d{4}"),
            ("Анна Соколова", r"[А-Я][а-я]{3} [А-Я][а-я]{7}"),
            ("anna@romashka.example", r"[a-z]{4}@[a-z]{8}\.[a-z]{7}"),
            ("", ""),
        ]:
            with self.subTest(text=text):
                replaced = stand_ins.anything(text) if text else stand_ins.number(text)
                self.assertRegex(replaced, f"^{form}$")
                if text:
                    self.assertNotEqual(replaced, text)
        for text in ("anonymous", "sip:anonymous@anonymous.invalid"):
            self.assertTrue(is_hidden(stand_ins.number(text)))
        self.assertTrue(is_pbx_device(stand_ins.number(device("101"))))

    def test_the_same_number_is_the_same_number(self):
        stand_ins = made()
        ways = ["74950000201", "+74950000201", "84950000201", "+7 495 000-02-01"]
        found = {e164(stand_ins.number(way)) for way in ways}
        self.assertEqual(len(found), 1)
        self.assertNotEqual(found, {"+74950000201"})

    @PROPERTY
    @given(st.lists(st.integers(0, 9999), unique=True, min_size=2, max_size=30))
    def test_lines_stay_apart_and_become_none_of_them(self, numbers):
        lines = [f"7495000{number:04}" for number in numbers]
        stand_ins = made(lines=lines)
        found = set(map(stand_ins.number, lines))
        self.assertEqual(len(found), len(lines))
        self.assertFalse(found & set(lines))

    @PROPERTY
    @given(st.lists(st.integers(10, 99), unique=True, min_size=2, max_size=60))
    def test_extensions_stay_apart(self, numbers):
        stand_ins = made()
        found = {stand_ins.number(f"1{number}") for number in numbers}
        self.assertEqual(len(found), len(numbers))

    @PROPERTY
    @given(st.sets(st.text("abcXYZ019+/=", min_size=2, max_size=12), max_size=80))
    def test_ids_keep_their_order(self, ids):
        stand_ins = made(*[("events/call", {"entry_id": one}) for one in ids])
        replaced = [stand_ins.id(one) for one in sorted(ids)]
        self.assertEqual(replaced, sorted(replaced))
        self.assertEqual(len(set(replaced)), len(ids))

    def test_known_words_and_codes_stay(self):
        payload = {
            "call_state": "OnHold",
            "location": "ivr",
            "disconnect_reason": "1110",
            "seq": 3,
            "timestamp": T0,
            "callback_initiator": "API",
            "transfer": None,
            "hold_state": {"reason": 0},
        }
        replaced = made().payload("events/call", payload)
        for name in payload.keys() - {"hold_state"}:
            self.assertEqual(replaced[name], payload[name])
        # The names of unknown members are kept.
        self.assertEqual(list(replaced["hold_state"]), ["reason"])

    @PROPERTY
    @given(st.sampled_from(SCENARIOS), st.randoms())
    def test_the_call_stays_what_it_is(self, scenario, random):
        """The fold of the pseudonymised notifications is the pseudonymised fold."""
        posts = list(scenario.posts)
        random.shuffle(posts)
        stand_ins = made(*posts, lines=LINES)
        lines = {stand_ins.number(line) for line in LINES}
        replaced = [
            parse(stand_ins.kind(kind), json.dumps(stand_ins.payload(kind, payload)))
            for kind, payload in posts
        ]
        before = call_state.fold(scenario.notifications, LINES)
        after = call_state.fold(replaced, lines)
        unchanged = {
            field.name
            for field in fields(call_state.CallState)
            if field.type in ("str", "str | None", "int", "int | None", "bool")
        } - self.REPLACED.keys()
        for name in unchanged:
            self.assertEqual(getattr(after, name), getattr(before, name), name)
        for name, replace in self.REPLACED.items():
            value = getattr(before, name)
            value = value and getattr(stand_ins, replace)(value)
            self.assertEqual(getattr(after, name), value, name)
        for one, other in zip(before.legs, after.legs, strict=True):
            self.assertEqual(other.leg_ref, stand_ins.id(one.leg_ref))
            self.assertEqual(
                (other.state, other.started_at, other.answered_at, other.ended_at),
                (one.state, one.started_at, one.answered_at, one.ended_at),
            )

    REPLACED = {
        "entry_id": "id",
        "client_number": "number",
        "line_number": "number",
        "group_number": "number",
        "extension": "number",
        "in_menu_leg": "id",
    }

    def test_another_bundle_has_others(self):
        one, other = (
            Pseudonyms(secret, Learned(), MOMENTS) for secret in (b"one", b"other")
        )
        self.assertNotEqual(one.number(CLIENT), other.number(CLIENT))
        self.assertNotEqual(one.text("Анна Соколова"), other.text("Анна Соколова"))
