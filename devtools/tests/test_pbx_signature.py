"""Signatures against the vectors of ``mango-api.md`` 9.1."""

import unittest

from devtools.pbx.signature import matches, sign, sign_link

KEY, SALT = "test_api_key_0001", "test_api_salt_0002"
COMMAND = '{"command_id":"cmd-1","from":{"extension":"101"},"to_number":"74950000001"}'
SPACED = (
    '{"command_id": "cmd-1", "from": {"extension": "101"}, "to_number": "74950000001"}'
)

OWN = {
    "{}": "ac8aac55ec01c5ef360f2fd15639144e9187963fadd2bdac304dc6ee40c27eab",
    COMMAND: "123eb9a7e27297f6350c88dd6fae09c5714e4f273b092cae59ffb96c6ba9c83c",
    SPACED: "6dcb7ca1a54333a61a2fe2891c1688f11d0f8355769363ca15c8836792bd8b8d",
    '{"name":"Тест"}': (
        "0f7722f92296fa94c8f564873e12632d4f950c8e6b66f86e071b00703571a8fd"
    ),
    '{"name":"\\u0422\\u0435\\u0441\\u0442"}': (
        "57dd6cce99a44cd7eff3f3017aa68d55f96c425adae79ab986ebfce26d2ca79c"
    ),
    '{"key":"AbC+d/EfG=="}': (
        "5fc418d47ae79eff56066e593021c680c02cac0fd91a15df31eab3f17d85abe6"
    ),
}
VENDOR = {
    '{"command_id":"your-command-id","from":{"extension":"<extension>","number":""},'
    '"to_number":"<to_number>"}': (
        "afdeb462cd5e0e422a9c9220390124608df06a4472cb1add6ebd6e24184bd15a"
    ),
    '{"command_id":"your-command-id","call_id":"<CALL_ID>"}': (
        "2d1d01246f52cec1fdb44f2a4d7091dc54f67e318369c0628201d66b5d336ef0"
    ),
}


class TestSignature(unittest.TestCase):
    def test_own_vectors(self):
        for text, expected in OWN.items():
            with self.subTest(text=text):
                self.assertEqual(sign(KEY, text, SALT), expected)

    def test_vendor_vectors(self):
        for text, expected in VENDOR.items():
            with self.subTest(text=text):
                signature = sign("<YOUR_API_KEY>", text, "<YOUR_API_SALT>")
                self.assertEqual(signature, expected)

    def test_recording_link(self):
        self.assertEqual(
            sign_link(KEY, "1767225600", "MToxMDAwMDAwMTo1MDAwMDAwMDAxOjE=", SALT),
            "26ae7de5f9890d5983db605f49b4f726d439b2af359352401f15706302d8c64b",
        )

    def test_matches(self):
        self.assertTrue(matches("abc", "abc"))
        self.assertFalse(matches("abc", "abd"))
        self.assertFalse(matches("abc", "абв"))
