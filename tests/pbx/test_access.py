"""Access rights on calls, beyond the table of ``test_rights.py``."""

from contextlib import nullcontext

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from ..common import MangoCase
from ..vpbx_scenarios import LINE, inbound_answered, leg, menu, outside, staff

NO, YES = False, True

# what is done: public, portal, internal, user, supervisor, admin
MATRIX = {
    "note on own call": (NO, NO, NO, YES, YES, YES),
    "note on colleague's call": (NO, NO, NO, NO, YES, YES),
    "note on other company's call": (NO, NO, NO, NO, NO, NO),
    "comment own call": (NO, NO, NO, YES, YES, YES),
    "comment colleague's call": (NO, NO, NO, NO, YES, YES),
    "map extension": (NO, NO, NO, NO, NO, YES),
    "card of own call": (NO, NO, NO, YES, YES, YES),
    "card of colleague's call": (NO, NO, NO, NO, YES, YES),
    "card of other company's call": (NO, NO, NO, NO, NO, NO),
    "call as colleague": (NO, NO, NO, NO, NO, NO),
}

COMMENT = "да"


@tagged("post_install", "-at_install")
class TestAccess(MangoCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Two companies with a PBX each; whoever acts works for the first alone.
        cls.egor = cls.create_user("egor", "Егор Павлов")
        cls.create_extension("105", cls.egor)
        cls.admin = cls.create_user("admin", "Админ", "group_admin")
        cls.there = cls.env["res.company"].create({"name": "Другая"})
        cls.account_there = cls.create_account(
            company_id=cls.there.id, api_key="test_api_key_0007", api_salt="x"
        )
        cls.extension_there = cls.create_extension(
            "101", account_id=cls.account_there.id
        )
        cls.actors = {
            "public": cls.env.ref("base.public_user"),
            "portal": cls.plain_user("portal", "base.group_portal"),
            "internal": cls.plain_user("internal", "base.group_user"),
            "user": cls.egor,
            "supervisor": cls.vera,
            "admin": cls.admin,
        }

    @classmethod
    def plain_user(cls, login, group):
        return new_test_user(
            cls.env, login=f"mango_{login}", groups=group, company_id=cls.company.id
        )

    def setUp(self):
        super().setUp()
        self.colleagues = self.ring("E-colleague", staff("102", LINE))
        self.own = self.ring("E-own", staff("105", LINE))
        self.elsewhere = self.ring("E-1", staff("101", LINE), self.account_there)
        # Users see what they did, even without access to anything else.
        self.own.user_ids |= self.vera | self.admin
        self.own.flush_recordset()

    def ring(self, entry_id, callee, account=None):
        kind, payload = leg("L1", 1, "Appeared", 0, outside("74950000299"), callee)
        self.receive(kind, {**payload, "entry_id": entry_id}, account)
        return self.call(entry_id, account)

    def notification(self, account):
        return self.env["mango.event"].search([("account_id", "=", account.id)])[:1]

    def actions(self):
        """Return record and action of each row."""
        calls = {
            "own call": self.own,
            "colleague's call": self.colleagues,
            "other company's call": self.elsewhere,
        }
        rows = {}
        for name, call in calls.items():
            rows[f"note on {name}"] = (call, lambda call: call.write({"note": "да"}))
            rows[f"card of {name}"] = (call, lambda call: call.open_card())
            rows[f"comment {name}"] = (
                call,
                lambda call: call.message_post(body=COMMENT, message_type="comment"),
            )
        rows.pop("comment other company's call")
        return {
            **rows,
            "map extension": (
                self.anna_extension,
                lambda extension: extension.write({"user_id": False}),
            ),
            "call as colleague": (
                self.boris,
                lambda user: user.mango_call("+74950000201"),
            ),
        }

    def test_matrix(self):
        actions = self.actions()
        self.assertEqual(actions.keys(), MATRIX.keys())
        self.env.flush_all()
        for row, (record, action) in actions.items():
            for (name, user), allowed in zip(
                self.actors.items(), MATRIX[row], strict=True
            ):
                with self.subTest(row=row, actor=name, allowed=allowed):
                    self.attempt(record.with_user(user), action, allowed)

    def attempt(self, record, action, allowed):
        self.env.invalidate_all()
        savepoint = self.env.cr.savepoint()
        try:
            with nullcontext() if allowed else self.assertRaises(AccessError):
                action(record)
                record.env.flush_all()
        finally:
            savepoint.close(rollback=True)

    # -- lists --------------------------------------------------------------------

    def test_log_shows_what_is_readable(self):
        mine = self.own
        ours = self.own | self.colleagues
        expected = {"user": mine, "supervisor": ours, "admin": ours}
        for name, calls in expected.items():
            with self.subTest(actor=name):
                model = self.env["mango.call"].with_user(self.actors[name])
                self.assertEqual(model.search([]), calls)
                self.assertEqual(model.search_count([]), len(calls))

    def test_search_by_name_without_the_crm(self):
        """Telephony alone gives no access to leads."""
        self.own.lead_id = self.create_lead("Мебель")
        waiting = self.env["mango.callback"].create(
            {
                "account_id": self.account.id,
                "client_key": "+74950000299",
                "client_number": "+74950000299",
                "user_ids": self.egor.ids,
            }
        )
        self.env.flush_all()
        for record in (self.own, waiting):
            found = record.with_user(self.egor).browse().name_search("4950000299")
            self.assertEqual([row[0] for row in found], record.ids)

    def test_mobile_of_a_colleague(self):
        """As private as the rest of their phones."""
        self.boris_extension.mobile = "74950000301"
        self.env.flush_all()
        extension = self.boris_extension.with_user(self.egor)
        self.assertEqual(extension.read(["number"])[0]["number"], "102")
        with self.assertRaises(AccessError):
            extension.read(["mobile"])
        self.boris_extension.with_user(self.admin).read(["mobile"])

    def test_participants_see_the_call(self):
        """Those whose phone rang, and the responsible user, whoever picked up."""
        self.ivan.user_id = self.kirill
        call = self.play(inbound_answered())
        for user in (self.anna, self.boris, self.kirill):
            self.assertEqual(call.with_user(user).read(["result"])[0]["id"], call.id)
        with self.assertRaises(AccessError):
            call.with_user(self.egor).read(["result"])

    def test_plain_read(self):
        """All readable fields, like an integration."""
        for name in ("user", "supervisor", "admin"):
            with self.subTest(actor=name):
                [values] = self.own.with_user(self.actors[name]).read()
                self.assertEqual(values["entry_id"], "E-own")

    def test_forms_open(self):
        for name in ("user", "supervisor", "admin"):
            with self.subTest(actor=name):
                self.open_form(self.own.with_user(self.actors[name]))
        self.open_form(self.account.with_user(self.admin))
        self.open_form(self.notification(self.account).with_user(self.admin))
        self.open_form(self.anna_extension.with_user(self.admin))

    def open_form(self, record):
        """Open a record's form like the web client: the view, then its fields."""
        views = record.get_views([(False, "form"), (False, "list")])
        names = views["models"][record._name]["fields"]
        arch = views["views"]["form"]["arch"]
        shown = [name for name in names if f'name="{name}"' in arch]
        self.assertTrue(shown)
        self.env.invalidate_all()
        [values] = record.web_read({name: {} for name in shown})
        return shown, values

    # -- contacts, leads, users -------------------------------------------------------

    def test_contact_without_telephony(self):
        """Users without telephony can open contacts."""
        self.play(inbound_answered())
        for name in ("internal", "user"):
            user = self.actors[name]
            shown, _values = self.open_form(self.ivan.with_user(user))
            self.assertEqual("mango_call_count" in shown, name == "user")
        with self.assertRaises(AccessError):
            self.ivan.with_user(self.actors["internal"]).read(["mango_call_ids"])

    def test_lead_and_user_without_telephony(self):
        seller = self.plain_user("seller", "sales_team.group_sale_salesman_all_leads")
        lead = self.create_lead("Мебель", partner_id=self.ivan.id)
        self.open_form(lead.with_user(seller))
        admin = self.plain_user("erp", "base.group_erp_manager")
        self.open_form(self.anna.with_user(admin))

    def test_counts(self):
        vector = self.create_partner("Вектор", is_company=True)
        self.ivan.parent_id = vector
        child = self.create_partner("Сын", parent_id=self.ivan.id)
        stranger = self.create_partner("Чужой")
        lead = self.create_lead("Мебель", partner_id=self.ivan.id)
        calls = self.env["mango.call"]
        for number, partner in enumerate((vector, self.ivan, child, child)):
            calls |= self.ring(f"E-{number}", staff("102", LINE))
            calls[-1].with_user(self.vera).partner_id = partner
        calls[0].with_user(self.vera).lead_id = lead

        def counts(user):
            records = (vector, self.ivan, child, stranger, lead.sudo(), self.boris)
            self.env.invalidate_all()
            return [record.with_user(user).mango_call_count for record in records]

        self.assertEqual(counts(self.vera), [4, 3, 2, 0, 1, 5])
        self.assertEqual(counts(self.egor), [0] * 6)
        new = self.env["res.partner"].with_user(self.vera).new({"name": "Новый"})
        self.assertEqual(new.mango_call_count, 0)
        for record, count in ((vector, 4), (child, 2), (lead, 1), (self.boris, 5)):
            action = record.with_user(self.vera).action_view_mango_calls()
            found = self.env["mango.call"].search(action["domain"])
            self.assertEqual(len(found), count)

    def test_routing_reason_of_a_lead_one_may_not_read(self):
        """Record rules on leads do not make calls unreadable."""
        lead = self.create_lead("Тайна", phone="74950000205", user_id=self.boris.id)
        self.receive(*menu("74950000205")[0])
        call = self.call()
        self.assertEqual(call.lead_id, lead)
        seller = self.plain_user("seller", "sales_team.group_sale_salesman")
        seller.group_ids += self.env.ref("mango_office.group_supervisor")
        self.env.invalidate_all()
        as_seller = call.with_user(seller)
        with self.assertRaises(AccessError):
            as_seller.lead_id.read(["name"])
        self.assertEqual(as_seller.display_name, "Тайна")
        self.open_form(as_seller)
