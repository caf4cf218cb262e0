"""The signature, by the vendor's vectors and our own (mango-api.md 9.1)."""

from urllib.parse import parse_qs

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ...vpbx.signature import sign, verify

KEY, SALT = "test_api_key_0001", "test_api_salt_0002"
COMMAND = '{"command_id":"cmd-1","from":{"extension":"101"},"to_number":"74950000001"}'
SPACED = (
    '{"command_id": "cmd-1", "from": {"extension": "101"}, "to_number": "74950000001"}'
)
BASE64 = '{"key":"AbC+d/EfG=="}'

VENDOR_VECTORS = [
    (
        (
            '{"command_id":"your-command-id",'
            '"from":{"extension":"<extension>","number":""},"to_number":"<to_number>"}'
        ),
        "afdeb462cd5e0e422a9c9220390124608df06a4472cb1add6ebd6e24184bd15a",
    ),
    (
        '{"command_id":"your-command-id","call_id":"<CALL_ID>"}',
        "2d1d01246f52cec1fdb44f2a4d7091dc54f67e318369c0628201d66b5d336ef0",
    ),
]
OWN_VECTORS = [
    ("{}", "ac8aac55ec01c5ef360f2fd15639144e9187963fadd2bdac304dc6ee40c27eab"),
    (COMMAND, "123eb9a7e27297f6350c88dd6fae09c5714e4f273b092cae59ffb96c6ba9c83c"),
    (SPACED, "6dcb7ca1a54333a61a2fe2891c1688f11d0f8355769363ca15c8836792bd8b8d"),
    (
        '{"name":"Тест"}',
        "0f7722f92296fa94c8f564873e12632d4f950c8e6b66f86e071b00703571a8fd",
    ),
    (
        r'{"name":"\u0422\u0435\u0441\u0442"}',
        "57dd6cce99a44cd7eff3f3017aa68d55f96c425adae79ab986ebfce26d2ca79c",
    ),
    (BASE64, "5fc418d47ae79eff56066e593021c680c02cac0fd91a15df31eab3f17d85abe6"),
]

PROPERTY = settings(derandomize=True, deadline=None, database=None, max_examples=100)
# Anything that a form field may decode to, and more.
garbage = st.one_of(
    st.none(),
    st.text(st.characters()),
    st.sampled_from(["", "\ud800", "\x00", "٣", "é" * 64, "0" * 64]),
    st.binary(max_size=8),
    st.integers(),
    st.lists(st.integers(), max_size=1),
)


@tagged("mango_office", "-at_install", "post_install")
class TestSignature(BaseCase):
    def test_vendor_vectors(self):
        for text, expected in VENDOR_VECTORS:
            with self.subTest(text=text):
                signature = sign("<YOUR_API_KEY>", text, "<YOUR_API_SALT>")
                self.assertEqual(signature, expected)

    def test_own_vectors(self):
        for text, expected in OWN_VECTORS:
            with self.subTest(text=text):
                self.assertEqual(sign(KEY, text, SALT), expected)
                self.assertTrue(verify(KEY, text, SALT, expected))

    def test_decoded_form_text_is_what_is_signed(self):
        form = parse_qs("json=%7B%22key%22%3A%22AbC%2Bd%2FEfG%3D%3D%22%7D")
        self.assertEqual(form["json"], [BASE64])
        # An unencoded plus arrives as a space and breaks the signature.
        broken = BASE64.replace("+", " ")
        self.assertFalse(verify(KEY, broken, SALT, OWN_VECTORS[-1][1]))

    def test_every_part_counts(self):
        signature = sign(KEY, COMMAND, SALT)
        self.assertFalse(verify("another_key", COMMAND, SALT, signature))
        self.assertFalse(verify(KEY, COMMAND, "another_salt", signature))
        self.assertFalse(verify(KEY, f"{COMMAND} ", SALT, signature))
        self.assertFalse(verify(KEY, COMMAND, SALT, signature[:-1]))
        self.assertFalse(verify(KEY, COMMAND, SALT, signature.upper()))

    def test_nothing_is_signed_without_secrets(self):
        for key, salt in [("", SALT), (KEY, ""), ("", ""), (None, SALT), (KEY, None)]:
            with self.subTest(key=key, salt=salt):
                signature = sign(key or "", "{}", salt or "")
                self.assertFalse(verify(key, "{}", salt, signature))

    @PROPERTY
    @given(st.text(st.characters()))
    def test_round_trip_of_any_text(self, text):
        self.assertTrue(verify(KEY, text, SALT, sign(KEY, text, SALT)))

    @PROPERTY
    @given(garbage, garbage)
    def test_garbage_never_raises_and_never_passes(self, text, signature):
        self.assertIs(verify(KEY, text, SALT, signature), False)
