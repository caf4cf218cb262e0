"""Phone numbers in the spellings of the PBX and of people."""

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ...vpbx import numbers
from ...vpbx.addresses import check_base_url, is_loopback

PROPERTY = settings(derandomize=True, deadline=None, database=None, max_examples=200)


@tagged("mango_office", "-at_install", "post_install")
class TestE164(BaseCase):
    def test_usual_ways_of_writing(self):
        for raw in (
            "74950000201",
            "84950000201",
            "4950000201",
            "+74950000201",
            "+7 495 000-02-01",
            "8 (495) 000-02-01",
            "8-495-000-02-01",
            "(495) 000-02-01",
            "495 000 02 01",
            "+7\u00a0495\u00a0000\u201302\u201301",
            "tel:+7-495-000-02-01",
            " 7 495 000 02 01 ",
            "007 495 000-02-01",
            "810 7 495 000-02-01",
            "８ (４９５) ０００－０２－０１",
            "(495) 000-02-01 доб. 12",
            "(495) 000-02-01, доб 12",
            "84950000201вн.12",
            "84950000201 ext. 12",
            "84950000201x12",
            "84950000201#12",
            "84950000201,12",
            "+74950000201;ext=12",
            "8 (495) 000-02-01, 8 (495) 000-02-02",
            "8 (495) 000-02-01; 000-02-02",
            "8 (495) 000-02-01 / 8 (495) 000-02-02",
            "+7 495 000-02-01 +7 495 000-02-02",
            "84950000201\n84950000202",
        ):
            with self.subTest(raw=raw):
                self.assertEqual(numbers.e164(raw), "+74950000201")

    def test_what_is_no_number(self):
        for raw in (
            None,
            False,
            74950000201,
            "",
            "   ",
            "101",
            "0511",
            "112",
            "000201",
            "000-02-01",  # without an area
            "sip:user101@romashka.mangosip.ru",
            "74950000201@sip.example",
            "anonymous",
            "call me",
            "офис 74950000201",
            "+",
            "()",
            "9" * 19,
            "7" * 500,
            "+7495",
            "+99999999999",
        ):
            with self.subTest(raw=raw):
                self.assertIsNone(numbers.e164(raw))

    def test_foreign_numbers_as_the_pbx_sends_them(self):
        self.assertEqual(numbers.e164("375291234567"), "+375291234567")
        self.assertEqual(numbers.e164("998901234567"), "+998901234567")
        self.assertEqual(numbers.e164("12025550123"), "+12025550123")

    def test_region_comes_before_russia(self):
        self.assertEqual(numbers.e164("(202) 555-0123", ["US"]), "+12025550123")
        self.assertEqual(numbers.e164("80291234567", ["BY"]), "+375291234567")
        self.assertEqual(numbers.e164("030 1234567", ["DE"]), "+49301234567")
        self.assertEqual(numbers.e164("(495) 000-02-01", ["XX"]), "+74950000201")

    def test_whole_russian_number_is_russian_everywhere(self):
        for regions in (["US"], ["DE"], ["BY"], ["KZ"], [], ["XX"], [None]):
            with self.subTest(regions=regions):
                self.assertEqual(numbers.e164("74950000201", regions), "+74950000201")
                self.assertEqual(numbers.e164("84950000201", regions), "+74950000201")

    @PROPERTY
    @given(st.one_of(st.text(max_size=40), st.text("+0123456789 -()", max_size=30)))
    def test_never_raises_and_is_stable(self, raw):
        number = numbers.e164(raw)
        if number is None:
            return
        self.assertRegex(number, r"\A\+[1-9][0-9]{6,14}\Z")
        self.assertEqual(numbers.e164(number), number)

    def test_to_pbx(self):
        self.assertEqual(numbers.to_pbx("+74950000201"), "74950000201")
        self.assertEqual(numbers.to_pbx("0511"), "0511")


@tagged("mango_office", "-at_install", "post_install")
class TestPlaces(BaseCase):
    def test_devices(self):
        for raw in (
            "sip:user101@romashka.mangosip.ru",
            "SIP:User101@Romashka.MangoSip.ru",
            "user101@romashka.mangosip.ru",
            "sip:user101@romashka.mangosip.ru:5060",
            "sip:user101@romashka.mangosip.ru;transport=tls",
            "sips:user101@romashka.mangosip.ru",
            "user@mangosip.ru",
        ):
            with self.subTest(raw=raw):
                self.assertTrue(numbers.is_pbx_device(raw))
                self.assertTrue(numbers.is_sip(raw))
                self.assertFalse(numbers.is_external(raw))
        for raw in (
            None,
            "",
            "74950000201",
            "sip:user101@mangosip.ru.example",
            "sip:user101@notmangosip.ru",
            "mangosip",
        ):
            with self.subTest(raw=raw):
                self.assertFalse(numbers.is_pbx_device(raw))

    def test_hidden(self):
        for raw, expected in [
            (None, True),
            ("", True),
            ("Anonymous", True),
            ("restricted", True),
            ("sip:anonymous@anonymous.invalid", True),
            ("sip:Unknown@sip.example", True),
            ("sip:alice@nowhere.invalid", True),
            ("sip:alice@partner.example.org", False),
            ("alice@partner.example.org", False),
            ("74950000201", False),
            ("sip:74950000201@sip.example", False),
        ]:
            with self.subTest(raw=raw):
                self.assertIs(numbers.is_hidden(raw), expected)

    def test_external(self):
        lines = {"74950000100", "sip:line3@romashka.mangosip.ru"}
        for raw, expected in [
            ("74950000201", True),
            ("4950000201", True),
            ("sip:74950000201@sip.example", True),
            ("74950000100", False),
            ("+74950000100", False),
            ("sip:line3@romashka.mangosip.ru", False),
            ("0511", False),
            ("495000020", False),
            ("sip:anna@1234567890.example", False),
            ("", False),
            (None, False),
        ]:
            with self.subTest(raw=raw):
                self.assertIs(numbers.is_external(raw, lines), expected)


@tagged("mango_office", "-at_install", "post_install")
class TestAddresses(BaseCase):
    def test_good(self):
        for url, expected in [
            ("https://app.mango-office.ru", "https://app.mango-office.ru"),
            (" https://app.mango-office.ru/ ", "https://app.mango-office.ru"),
            ("https://app.mango-office.ru/vpbx/", "https://app.mango-office.ru"),
            ("https://app.mango-office.ru/vpbx", "https://app.mango-office.ru"),
            ("HTTPS://App.Mango-Office.ru:8443", "https://app.mango-office.ru:8443"),
            ("https://proxy.example/mango/", "https://proxy.example/mango"),
            ("http://127.0.0.1:8090", "http://127.0.0.1:8090"),
            ("http://localhost:8090/vpbx/", "http://localhost:8090"),
            ("http://[::1]:8090", "http://[::1]:8090"),
        ]:
            with self.subTest(url=url):
                self.assertEqual(check_base_url(url), expected)
                self.assertEqual(check_base_url(expected), expected)

    def test_bad(self):
        for url in (
            None,
            False,
            "",
            "app.mango-office.ru",
            "ftp://app.mango-office.ru",
            "javascript:alert(1)",
            "https://",
            "https:///vpbx",
            "http://app.mango-office.ru",
            "http://127.0.0.1.example",
            "http://localhost.example",
            "http://10.0.0.1",
            "http://0.0.0.0",
            "https://user:s3cret@app.mango-office.ru",
            "https://user@app.mango-office.ru",
            "http://127.0.0.1@evil.example",
            "https://app.mango-office.ru?x=1",
            "https://app.mango-office.ru/#x",
            "https://app.mango-office.ru/?",
            "https://app.mango-office.ru:port",
            "https://app.mango-office.ru:99999",
            "https://app.mango-office.ru:0",
            "https://[::1",
            "https://app.mango office.ru",
            "https://app.mango-office.ru\\@evil.example",
            "https://app.mango-office.ru\nHost: evil.example",
        ):
            with self.subTest(url=url), self.assertRaises(ValueError) as caught:
                check_base_url(url)
            self.assertNotIn("s3cret", str(caught.exception))

    def test_loopback(self):
        for host in ("localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1"):
            self.assertTrue(is_loopback(host), host)
        for host in (
            None,
            "",
            "0.0.0.0",
            "10.0.0.1",
            "example.com",
            "127.0.0.1.nip.io",
        ):
            self.assertFalse(is_loopback(host), host)
