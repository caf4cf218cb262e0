"""Identification of callers and of their responsible users."""

from unittest.mock import patch

from odoo.tests import tagged

from ...hooks import post_init_hook
from ..common import MangoCase
from ..vpbx_scenarios import LINES, dialled, inbound_answered, leg, outside, staff

FIRST = "+74950000201"
SEVENTH = "+74950000207"

# Numbers in Odoo as people write them, and their E.164 form.
SPELLINGS = (
    ("8 (495) 000-02-01", FIRST),
    ("+7 495 000-02-01", FIRST),
    ("74950000201", FIRST),
    ("8-495-000-02-01", FIRST),
    ("84950000201", FIRST),
    ("+7(495)0000201", FIRST),
    ("tel:+7-495-000-02-01", FIRST),
    ("+7 495 000-02-01, +7 495 000-02-02", FIRST),
    ("8 (495) 000-02-01; 8 (495) 000-02-02", FIRST),
    ("+7 495 000-02-07 доб. 12", SEVENTH),
    ("8 (495) 000-02-07 ext. 12", SEVENTH),
)
# Without a country code, the company's country applies.
RUSSIAN_SPELLINGS = (
    ("(495) 000-02-07 доб. 12", SEVENTH),
    ("495 000-02-01", FIRST),
)
NOBODY = ("", "101", "0511", "sip:user101@romashka.mangosip.ru", "спросить Олега", "—")


@tagged("post_install", "-at_install")
class TestSpelling(MangoCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ivan.phone = False

    def identify(self, number):
        caller = self.env["mango.caller.lookup"]
        return caller._identify(self.account, self.account._e164(number))

    def check(self, spelling, number):
        partner = self.create_partner("Пишется по-разному", spelling)
        lead = self.create_lead("Пишется по-разному", phone=spelling)
        self.assertEqual(partner.phone_sanitized, number)
        self.assertEqual(lead.phone_sanitized, number)
        found = self.identify(number.removeprefix("+"))
        self.assertEqual(found, (partner, lead))
        lead.unlink()
        partner.unlink()

    def test_company_in_any_country(self):
        for country in ("base.ru", False, "base.us", "base.de"):
            self.company.country_id = country and self.env.ref(country)
            for spelling, number in SPELLINGS:
                with self.subTest(country=country, spelling=spelling):
                    self.check(spelling, number)

    def test_contact_from_abroad(self):
        """A contact abroad may have a Russian number."""
        for country in ("base.us", "base.de", "base.by"):
            for spelling in ("8 (495) 000-02-01", "74950000201", "+7 495 000-02-01"):
                with self.subTest(country=country, spelling=spelling):
                    partner = self.create_partner(
                        "Иван", spelling, country_id=self.env.ref(country).id
                    )
                    self.assertEqual(partner.phone_sanitized, FIRST)

    def test_number_without_a_country(self):
        for country in ("base.ru", False):
            self.company.country_id = country and self.env.ref(country)
            for spelling, number in RUSSIAN_SPELLINGS:
                with self.subTest(country=country, spelling=spelling):
                    self.check(spelling, number)

    def test_not_a_number(self):
        for text in NOBODY:
            with self.subTest(text=text):
                partner = self.create_partner("Не номер", text)
                self.assertFalse(partner.phone_sanitized)
        for number in (*NOBODY, None, False):
            found = self.identify(number or "")
            self.assertFalse(found[0] or found[1])

    def test_spelling_corrected_later(self):
        partner = self.create_partner("Иван", "495 000-02-0")
        self.assertFalse(self.identify("74950000201")[0])
        partner.phone = "8 (495) 000-02-01"
        self.assertEqual(self.identify("74950000201")[0], partner)

    def test_search_is_by_index(self):
        """Callers are searched by equality on a column with a B-tree index."""
        self.env.cr.execute(
            """
            SELECT indexdef FROM pg_indexes
             WHERE tablename = 'res_partner' AND indexdef LIKE '%(phone_sanitized)%'
            """
        )
        definitions = [row[0] for row in self.env.cr.fetchall()]
        self.assertTrue(definitions, "no index on res_partner.phone_sanitized")
        self.assertIn("btree (phone_sanitized)", definitions[0])
        self.assertTrue(self.account.company_id)  # read ahead
        with self.assertQueriesContain(['"res_partner"."phone_sanitized" IN %s']):
            self.env["mango.caller.lookup"]._find_partners(self.account, FIRST)

    def test_number_with_very_many_contacts(self):
        """A switchboard's number must not load all its contacts."""
        self.env["res.partner"].create(
            [{"name": f"Сотрудник {i}", "phone": FIRST} for i in range(60)]
        )
        found = self.env["mango.caller.lookup"]._find_partners(self.account, FIRST)
        self.assertEqual(len(found), 50)

    def test_numbers_known_before_the_addon(self):
        partner = self.create_partner("Старый", "(495) 000-02-07 доб. 12")
        archived = self.create_partner("Архив", "8 (495) 000-02-01; 2", active=False)
        lead = self.create_lead("Старая", phone="8 (495) 000-02-01; 2")
        odd = self.create_partner("Не номер", "спросить Олега")
        records = (partner, archived, lead)
        self.env.flush_all()
        for record in records:
            self.env.cr.execute(
                f"UPDATE {record._table} SET phone_sanitized = NULL WHERE id = %s",
                [record.id],
            )
        self.env.invalidate_all()
        post_init_hook(self.env)
        self.env.invalidate_all()
        self.assertEqual(
            [record.phone_sanitized for record in records], [SEVENTH, FIRST, FIRST]
        )
        self.assertFalse(odd.phone_sanitized)


@tagged("post_install", "-at_install")
class TestIdentification(MangoCase):
    NUMBER = "+74950000206"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.nobody = cls.env["res.partner"]
        cls.no_lead = cls.env["crm.lead"]

    def partner(self, name, **vals):
        return self.create_partner(name, self.NUMBER, **vals)

    def create_past_call(self, partner, day, result="answered"):
        return self.env["mango.call"].create(
            {
                "account_id": self.account.id,
                "company_id": self.company.id,
                "entry_id": f"P-{partner.id}-{day}-{result}",
                "partner_id": partner.id,
                "state": "ended",
                "result": result,
                "started_at": f"2025-12-{day:02d} 12:00:00",
            }
        )

    def assertIdentified(self, partner, lead=None):
        found = self.env["mango.caller.lookup"]._identify(self.account, self.NUMBER)
        self.assertEqual(found, (partner, lead or self.no_lead))

    # -- one of several contacts, rule by rule ----------------------------------

    def test_open_lead_comes_first(self):
        first = self.partner("А", user_id=self.anna.id, is_company=True)
        self.create_past_call(first, 1)
        second = self.partner("Б")
        lead = self.create_lead("Открыта", partner_id=second.id)
        self.assertIdentified(second, lead)

    def test_then_an_owner(self):
        first = self.partner("А", is_company=True)
        self.create_past_call(first, 1)
        second = self.partner("Б", user_id=self.boris.id)
        self.assertIdentified(second)

    def test_owner_of_the_company_counts(self):
        self.partner("А", is_company=True)
        vector = self.create_partner("Вектор", is_company=True, user_id=self.anna.id)
        second = self.partner("Б", parent_id=vector.id)
        second.user_id = False
        self.assertIdentified(second)

    def test_then_the_most_recently_spoken_to(self):
        first = self.partner("А", is_company=True)
        second, third = self.partner("Б"), self.partner("В")
        self.create_past_call(first, 1)
        self.create_past_call(second, 3)
        self.create_past_call(third, 2)
        self.create_past_call(third, 9, result="missed")
        self.assertIdentified(second)

    def test_then_a_company_before_its_employees(self):
        self.partner("А")
        second = self.partner("Б", is_company=True)
        self.partner("В", parent_id=second.id)
        self.assertIdentified(second)

    def test_else_always_the_same(self):
        first = self.partner("Я")
        self.partner("А")
        self.assertIdentified(first)

    def test_others_stay_visible_as_candidates(self):
        first = self.partner("А", user_id=self.anna.id)
        others = self.partner("Б") | self.partner("В")
        self.receive(
            *leg("L1", 1, "Appeared", 0, outside("74950000206"), dialled(), place="ivr")
        )
        call = self.call().with_user(self.anna)
        self.assertEqual(call.partner_id, first)
        self.assertEqual(call.candidate_ids, others)
        call.partner_id = others[0]
        self.assertEqual(call.candidate_ids, first | others[1])

    # -- exceptions ---------------------------------------------------------------

    def test_archived_contact_is_not_found(self):
        self.partner("А", active=False)
        self.assertIdentified(self.nobody)

    def test_other_company_is_not_found(self):
        other = self.env["res.company"].create({"name": "Другая"})
        self.partner("А", company_id=other.id)
        self.create_lead("Чужая", phone=self.NUMBER, company_id=other.id)
        self.assertIdentified(self.nobody)
        mine = self.partner("Б", company_id=self.company.id)
        lead = self.create_lead("Своя", partner_id=mine.id, company_id=self.company.id)
        self.assertIdentified(mine, lead)

    def test_won_and_lost_leads_are_not_taken(self):
        partner = self.partner("А")
        won = self.create_lead("Продано", partner_id=partner.id)
        won.action_set_won()
        lost = self.create_lead("Упущено", partner_id=partner.id)
        lost.action_set_lost()
        self.assertEqual((won.won_status, lost.won_status), ("won", "lost"))
        self.assertIdentified(partner)

    def test_archived_lead_is_not_taken(self):
        partner = self.partner("А")
        self.create_lead(
            "В архиве", partner_id=partner.id, probability=30, active=False
        )
        self.assertIdentified(partner)

    # -- leads --------------------------------------------------------------------

    def test_lead_without_a_contact(self):
        lead = self.create_lead("Заявка с сайта", phone="8 (495) 000-02-06")
        self.assertIdentified(self.nobody, lead)

    def test_lead_identifies_its_contact_without_a_number(self):
        partner = self.create_partner("Без номера")
        lead = self.create_lead("С номером", partner_id=partner.id, phone=self.NUMBER)
        partner.phone = False  # the lead wrote its number there
        self.assertIdentified(partner, lead)

    def test_lead_without_contact_with_the_contacts_number(self):
        partner = self.partner("А")
        lead = self.create_lead("Заявка с сайта", phone=self.NUMBER)
        self.assertIdentified(partner, lead)

    def test_lead_of_a_colleague(self):
        """A contact of a company calls about the lead of a colleague."""
        vector = self.create_partner("Вектор", is_company=True)
        caller = self.partner("А", parent_id=vector.id)
        colleague = self.create_partner("Б", parent_id=vector.id)
        lead = self.create_lead("Их", partner_id=colleague.id, phone=self.NUMBER)
        colleague.phone = False
        self.assertIdentified(caller, lead)

    def test_lead_of_a_stranger_is_not_taken(self):
        partner = self.partner("А", user_id=self.anna.id)
        stranger = self.create_partner("Б")
        lead = self.create_lead("Чужая", partner_id=stranger.id, phone=self.NUMBER)
        stranger.phone = False
        self.assertEqual(lead.phone_sanitized, self.NUMBER)
        self.assertIdentified(partner)

    # -- never the client ----------------------------------------------------------

    def test_own_lines_devices_and_extensions_are_never_the_client(self):
        for number in (*LINES, "101"):
            self.create_partner(f"Мы: {number}", number)
        callers = [{"number": number} for number in LINES]
        callers += [staff("101"), {"number": "101"}]
        for index, caller in enumerate(callers):
            with self.subTest(caller=caller):
                kind, payload = leg("L1", 1, "Appeared", 0, caller, staff("102"))
                self.receive(kind, {**payload, "entry_id": f"E{index}"})
                call = self.call(f"E{index}")
                self.assertFalse(call.client_number)
                self.assertFalse(call.partner_id)

    def test_person_before_company(self):
        self.ivan.parent_id = self.create_partner("Вектор", is_company=True)
        call = self.play(inbound_answered())
        self.assertEqual(call.display_name, "Иван Петров, Вектор")
        self.assertEqual(self.ivan.display_name, "Вектор, Иван Петров")

    def test_display_name(self):
        client = outside("74950000206")
        self.receive(*leg("L1", 1, "Appeared", 0, client, dialled(), place="ivr"))
        call = self.call()
        self.assertEqual(call.display_name, "+7 495 000-02-06")
        partner = self.create_partner("Андрей Белов")
        call.with_user(self.vera).partner_id = partner
        self.assertEqual(call.with_user(self.anna).sudo().display_name, "Андрей Белов")


@tagged("post_install", "-at_install")
class TestOwner(MangoCase):
    def owners(self, partner, lead=None):
        lead = lead or self.env["crm.lead"]
        owners = self.env["mango.caller.lookup"]._owners(partner, lead)
        return list(owners)

    def test_order(self):
        vector = self.create_partner("Вектор", is_company=True, user_id=self.vera.id)
        partner = self.create_partner("Иван", parent_id=vector.id)
        partner.user_id = self.boris
        lead = self.create_lead("Мебель", partner_id=partner.id, user_id=self.anna.id)
        self.assertEqual(
            self.owners(partner, lead),
            [
                self.anna,
                self.boris,
                self.vera,
            ],
        )

    def test_lead_alone(self):
        lead = self.create_lead("Заявка", user_id=self.anna.id)
        self.assertEqual(
            self.owners(self.env["res.partner"], lead),
            [self.anna],
        )

    def test_one_person_is_asked_once(self):
        company = self.create_partner("Вектор", is_company=True, user_id=self.anna.id)
        self.assertEqual(self.owners(company), [self.anna])

    def test_former_employee_is_skipped(self):
        partner = self.create_partner("Иван", user_id=self.kirill.id)
        self.kirill.active = False
        self.assertEqual(self.owners(partner), [])


@tagged("post_install", "-at_install")
class TestCompanyOfThePbx(MangoCase):
    """The cached company of a PBX is invalidated by changes."""

    def test_country(self):
        self.assertEqual(self.account._regions(), ("RU",))
        self.company.country_id = self.env.ref("base.uz")
        self.assertEqual(self.account._regions(), ("UZ", "RU"))
        self.company.partner_id.country_id = self.env.ref("base.kz")
        self.assertEqual(self.account._regions(), ("KZ", "RU"))

    def test_language(self):
        self.env["res.lang"]._activate_lang("ru_RU")
        self.assertEqual(self.account._language(), "en_US")
        self.company.partner_id.lang = "ru_RU"
        self.assertEqual(self.account._language(), "ru_RU")

    def test_company(self):
        self.assertEqual(self.account._regions(), ("RU",))
        other = self.env["res.company"].create(
            {"name": "Toshkent", "country_id": self.env.ref("base.uz").id}
        )
        self.account.company_id = other
        self.assertEqual(self.account._regions(), ("UZ", "RU"))

    def test_other_contacts_cost_nothing(self):
        self.account._regions()
        with patch.object(type(self.env.registry), "clear_cache") as clear:
            self.ivan.write({"lang": "en_US", "country_id": self.env.ref("base.uz").id})
        clear.assert_not_called()
