"""Codes fall back to their class (mango-api.md 7)."""

from odoo.tests import BaseCase, tagged

from ...vpbx import codes


@tagged("mango_office", "-at_install", "post_install")
class TestCodes(BaseCase):
    def test_unknown_code_reads_as_its_class(self):
        for code, nearest in [
            (1110, 1110),
            (2219, 2210),
            (2290, 2200),
            (2999, 2000),
            (1090, 1000),
            (1199, 1190),
            (3102, 3102),
            (3199, 3100),
            (5999, 5000),
            (6123, 6000),
            (7000, 0),
            (42, 0),
            (0, 0),
            (-1110, 0),
            (10**30, 0),
        ]:
            with self.subTest(code=code):
                self.assertEqual(codes.known(code), nearest)
                self.assertEqual(codes.meaning(code), codes.MEANINGS[nearest])

    def test_codes_of_the_manual_are_listed(self):
        listed = [
            *(1000, 1001, 1100, 1110, 1111, 1120, 1121, 1122, 1123, 1124, 1125),
            *range(1130, 1136),
            *(1140, 1150, 1151, 1152),
            *range(1160, 1165),
            *(1170, 1171, 1180, 1181, 1182, 1183, 1190, 1191, 1192, 1193, 1300),
            *range(1310, 1315),
            *(2000, 2100, 2110, 2120, 2130, 2140, 2200, 2210, 2211, 2212, 2220, 2230),
            *(2240, 2250, 2300, 2400, 3000, 3100, 3101, 3102, 3103, 3104, 3105, 3106),
            *(3108, 3109, 3111, 3123, 3124, 3125, 3135, 3136, 3200, 3300, 3310, 3320),
            *(3330, 3340, 3400, 3503, 4000, 4001, 4002, 4100, 4101, 4102, 4104, 4200),
            *(4290, 4300, 4301, 4391, 4392, 4393, 4400, 4500, 4501, 4502, 4503, 4504),
            *(4505, 4506, 4507),
            *range(5000, 5012),
            *(5200, 5201, 5212, 5222, 5228, 5300, 5302),
        ]
        for code in listed:
            with self.subTest(code=code):
                self.assertEqual(codes.known(code), code)

    def test_meanings_are_sentences(self):
        for code, meaning in codes.MEANINGS.items():
            with self.subTest(code=code):
                self.assertTrue(meaning[0].isupper())
                self.assertFalse(meaning.endswith("."))

    def test_transient(self):
        for code in (429, 503, 4200, 4290, 5000, 5001, 5002, 5003, 5004, 5008, 5011):
            self.assertTrue(codes.is_transient(code), code)
        for code in (1000, 2240, 3100, 3102, 3105, 4001, 4100, 4101, 5005, 5300):
            self.assertFalse(codes.is_transient(code), code)

    def test_blocked_callers(self):
        for code in (1150, 1151, 1152, 1159):
            self.assertTrue(codes.is_caller_blocked(code), code)
        for code in (1110, 1140, 1160, 2110, 0, None):
            self.assertFalse(codes.is_caller_blocked(code), code)

    def test_outcomes(self):
        for code, outcome in [
            (1000, "normal"),
            (1100, "normal"),
            (1110, "abandoned"),
            (1111, "no_answer"),
            (1120, "normal"),
            (1121, "busy"),
            (1122, "declined"),
            (1123, "unavailable"),
            (1124, "unavailable"),
            (1131, "failed"),
            (1133, "failed"),
            (1151, "failed"),
            (1164, "unavailable"),
            (1182, "elsewhere"),
            (1183, "elsewhere"),
            (1192, "unavailable"),
            (1199, "unavailable"),
            (1312, "busy"),
            (2219, "failed"),
            (3200, "failed"),
            (4200, "failed"),
            (5001, "failed"),
            (5003, "failed"),
            (9999, "normal"),
            (None, "normal"),
        ]:
            with self.subTest(code=code):
                self.assertEqual(codes.outcome(code), outcome)
