"""The systray's lists of calls, and its search."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from ..common import MangoCase
from ..vpbx_scenarios import internal

CLIENT = "+74950000201"
NUMBER = "+7 495 000-02-01"
OTHER = "+74950000202"


class RecentCase(MangoCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.now = fields.Datetime.now()
        cls.count = 0

    def add(self, minutes_ago, result="missed", direction="inbound", **vals):
        """Add a call to Anna that rang for half a minute."""
        type(self).count += 1
        started_at = self.now - timedelta(minutes=minutes_ago)
        users = vals.pop("users", self.anna)
        return self.env["mango.call"].create(
            {
                "account_id": self.account.id,
                "company_id": self.company.id,
                "entry_id": f"E-{self.count}",
                "state": "ended",
                "direction": direction,
                "result": result,
                "client_number": CLIENT,
                "user_ids": users.ids,
                "started_at": started_at,
                "ended_at": started_at + timedelta(seconds=30),
                **vals,
            }
        )

    def called(self, minutes_ago, **vals):
        return self.add(minutes_ago, "answered", "outbound", talk_duration=75, **vals)

    def recent(self, user=None):
        return (user or self.anna).with_user(user or self.anna).mango_recent()


@tagged("post_install", "-at_install")
class TestRecent(RecentCase):
    # -- lists ------------------------------------

    def test_rows(self):
        missed = self.add(10, partner_id=self.ivan.id)
        called = self.called(5, partner_id=self.ivan.id)
        row = {
            "id": missed.id,
            "direction": "inbound",
            "state": "ended",
            "result": "missed",
            "name": "Иван Петров",
            "number": NUMBER,
            "dial": CLIENT,
            "started_at": fields.Datetime.to_string(missed.started_at),
            "talk_duration": 0,
            "talking_seconds": 0,
        }
        self.assertEqual(
            self.recent(),
            [
                {
                    **row,
                    "id": called.id,
                    "direction": "outbound",
                    "result": "answered",
                    "started_at": fields.Datetime.to_string(called.started_at),
                    "talk_duration": 75,
                },
                row,
            ],
        )

    def test_client_without_name_or_number(self):
        self.add(2)
        self.add(1, client_number=False)
        hidden, unknown = self.recent()
        self.assertEqual(unknown["name"], NUMBER)
        self.assertEqual(hidden["name"], "Hidden number")
        self.assertEqual((hidden["number"], hidden["dial"]), ("", False))

    def test_internal_call_names_the_colleague(self):
        self.boris_extension.name = "Борис Кузнецов"
        self.anna_extension.name = "Анна Соколова"
        call = self.play(internal())
        call.started_at = self.now
        [of_anna] = self.recent()
        [of_boris] = self.recent(self.boris)
        self.assertEqual(of_anna["name"], "Борис Кузнецов")
        self.assertEqual((of_anna["number"], of_anna["dial"]), ("102", "102"))
        self.assertEqual((of_boris["name"], of_boris["dial"]), ("Анна Соколова", "101"))

    def test_running_calls_come_first(self):
        self.called(2)
        running = self.add(
            1, False, state="talking", ended_at=False, answered_at=self.now
        )
        [row, _ended] = self.recent()
        self.assertEqual((row["id"], row["state"]), (running.id, "talking"))

    def test_old_calls_are_not_listed(self):
        self.add(60 * 24 * 8)
        self.called(60 * 24 * 31)
        self.assertEqual(len(self.recent()), 1)

    def test_list_is_bounded(self):
        for minutes in range(25):
            self.add(minutes)
        self.assertEqual(len(self.recent()), 20)

    # -- rights ------------------------------------

    def test_others_calls_never_show(self):
        """Not even for a supervisor, who may read them all."""
        own = self.add(5, users=self.vera)
        self.add(6, users=self.boris)
        self.assertEqual([row["id"] for row in self.recent(self.vera)], own.ids)

    def test_other_users_are_refused(self):
        portal = new_test_user(
            self.env, "mango_portal", "base.group_portal", company_id=self.company.id
        )
        internal_user = new_test_user(
            self.env, "mango_internal", "base.group_user", company_id=self.company.id
        )
        public = self.env.ref("base.public_user")
        for user in (portal, internal_user, public):
            with self.subTest(user=user.login):
                self.assert_refused(user.with_user(user))
        with self.subTest("another user"):
            self.assert_refused(self.boris.with_user(self.anna))
            self.assert_refused(self.boris.with_user(self.vera))
            self.assert_refused((self.anna | self.boris).with_user(self.anna))
            self.assert_refused(self.env["res.users"].with_user(self.anna))

    def assert_refused(self, user):
        for act in (
            user.mango_recent,
            user.mango_waiting,
            user.mango_planned,
            lambda: user.mango_search("Иван"),
        ):
            with self.assertRaises(AccessError):
                act()

    # -- load ------------------------------------

    def test_queries_do_not_grow(self):
        def cost(act):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            act()
            return self.env.cr.sql_log_count - before

        for number in range(2):
            self.add_client_with_calls(number)
        few = cost(self.recent)
        for number in range(2, 12):
            self.add_client_with_calls(number)
        self.assertLessEqual(cost(self.recent), few)

    def add_client_with_calls(self, number):
        partner = self.create_partner(f"Клиент {number}", f"+749500003{number:02}")
        client = {"partner_id": partner.id, "client_number": partner.phone_sanitized}
        self.add(40 + number, **client)
        self.called(20 + number, **client)
        self.add(number, **client)
        internal_call = self.add(number, "answered", "internal", client_number=False)
        internal_call.leg_ids = [
            fields.Command.create(
                {"leg_ref": "L1", "from_extension": "101", "to_extension": "102"}
            )
        ]


@tagged("post_install", "-at_install")
class TestRecentSearch(RecentCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.boris_extension.name = "Борис Кузнецов"
        cls.create_partner("Ирина без телефона")
        cls.create_partner("Вена", "+43 1 5139999")

    def found(self, term, user=None):
        user = user or self.anna
        return user.with_user(user).mango_search(term)

    def names(self, term, user=None):
        return [row["name"] for row in self.found(term, user)]

    def test_contact(self):
        self.ivan.parent_id = self.create_partner("Вектор", is_company=True)
        self.ivan.function = "Закупки"
        [row] = self.found("петров")
        self.assertEqual(
            row,
            {
                "type": "partner",
                "id": self.ivan.id,
                "name": "Иван Петров",
                "detail": "Вектор · Закупки",
                "number": NUMBER,
                "dial": CLIENT,
                "res_model": "res.partner",
                "res_id": self.ivan.id,
            },
        )

    def test_contact_whose_phone_is_no_number(self):
        self.create_partner("Сторож", "внутр. 12")
        [row] = self.found("Сторож")
        self.assertEqual((row["number"], row["dial"]), ("внутр. 12", "внутр. 12"))

    def test_numbers(self):
        """In any spelling."""
        whole = ("+74950000201", "8 (495) 000-02-01", "7495 000 02 01", "007495000")
        for term in (*whole, "+7495", "8495", "7 495", "495 000", "4950000201"):
            with self.subTest(term=term):
                self.assertEqual(self.names(term), ["Иван Петров"])
        for term in ("8496", "+7 496", "49500002019", "+8495", "0201", "495"):
            with self.subTest(term=term):
                self.assertEqual(self.names(term), [])
        self.assertEqual(self.names("+43 1"), [])
        self.assertEqual(self.names("+43 1 51"), ["Вена"])

    def test_numbers_of_the_companys_country(self):
        self.company.country_id = self.env.ref("base.at")
        self.assertEqual(self.names("01 513"), ["Вена"])
        self.assertEqual(self.names("8495"), ["Иван Петров"])

    def test_records_without_a_phone_are_not_found(self):
        self.assertEqual(self.names("Ирина"), [])

    def test_colleagues(self):
        row = {
            "type": "colleague",
            "id": self.boris_extension.id,
            "name": "Борис Кузнецов",
            "detail": "",
            "number": "102",
            "dial": "102",
            "res_model": False,
            "res_id": False,
        }
        for term in ("102", "кузн"):
            self.assertEqual(self.found(term), [row])
        self.assertEqual(self.names("10"), ["Борис Кузнецов", "Вера Морозова", "104"])
        self.assertEqual(self.names("101"), [], "nobody calls themselves")
        self.boris_extension.active = False
        self.assertEqual(self.names("102"), [])

    def test_colleagues_of_another_pbx(self):
        elsewhere = self.create_account(name="Вторая")
        self.create_extension("102", name="Другой", account_id=elsewhere.id)
        self.assertEqual(self.names("102"), ["Борис Кузнецов"])

    def test_without_extension(self):
        self.assertEqual(self.names("102", self.kirill), [])
        self.assertEqual(self.names("петров", self.kirill), ["Иван Петров"])

    def test_open_leads(self):
        self.create_lead("Кровля", phone="8 495 000-02-05", contact_name="Олег")
        self.create_lead("Кровля выиграна", phone="+74950000206").action_set_won()
        self.create_lead("Кровля проиграна", phone="+74950000207").action_set_lost()
        self.create_lead("Кровля без телефона")
        seller = self.create_seller()
        [row] = self.found("кровля", seller)
        self.assertEqual((row["type"], row["detail"]), ("lead", "Олег"))
        self.assertEqual(row["dial"], "+74950000205")
        self.assertEqual(row["res_model"], "crm.lead")
        self.assertEqual(self.names("олег", seller), ["Кровля"])
        self.assertEqual(self.names("8495 00002 05", seller), ["Кровля"])

    def create_seller(self, group="group_sale_salesman_all_leads"):
        seller = self.create_user("seller", "Продавец")
        seller.group_ids += self.env.ref(f"sales_team.{group}")
        return seller

    def test_leads_that_one_may_not_read(self):
        """Users without CRM find contacts only; salespeople, also their own leads."""
        self.create_lead("Кровля", phone="+74950000205", user_id=self.boris.id)
        self.assertEqual(self.names("кровля"), [])
        seller = self.create_seller("group_sale_salesman")
        self.assertEqual(self.names("кровля", seller), [])
        self.create_lead("Кровля своя", phone="+74950000208", user_id=seller.id)
        self.assertEqual(self.names("кровля", seller), ["Кровля своя"])

    def test_contacts_of_another_company(self):
        there = self.env["res.company"].create({"name": "Другая"})
        self.create_partner("Тайный", "+74950000209", company_id=there.id)
        self.assertEqual(self.names("тайный"), [])
        self.assertEqual(self.names("+74950000209"), [])

    def test_limits(self):
        seller = self.create_seller()
        for number in range(12):
            phone = f"+749500004{number:02}"
            self.create_partner(f"Сосна {number}", phone)
            self.create_lead(f"Сосна {number}", phone=phone)
            self.create_extension(f"60{number:02}", name=f"Сосна {number}")
        types = [row["type"] for row in self.found("сосна")]
        self.assertEqual(types, ["colleague"] * 3 + ["partner"] * 7)
        seller.mango_extension_ids = self.env["mango.extension"].search(
            [("number", "=", "104"), ("account_id", "=", self.account.id)]
        )
        types = [row["type"] for row in self.found("сосна", seller)]
        self.assertEqual(types, ["colleague"] * 3 + ["partner"] * 4 + ["lead"] * 3)

    def test_too_short_or_no_text(self):
        for term in ("", " ", "и", " 1 ", None, False):
            self.assertEqual(self.found(term), [])

    def test_numbers_are_found_by_index(self):
        domain = self.anna._mango_number_domain("8 495 000-02")
        query = self.env["res.partner"].sudo()._search(domain)
        self.env.flush_all()
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        self.env.cr.execute("EXPLAIN " + query.select().code, query.select().params)
        plan = "\n".join(row[0] for row in self.env.cr.fetchall())
        self.assertIn("phone_sanitized_index", plan)
