"""Access rights: a table, and one attempt per cell, like the web client."""

from types import FunctionType

from odoo.exceptions import AccessError, RedirectWarning, UserError
from odoo.service.model import call_kw
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import MangoCase, MangoFixtures
from .vpbx_scenarios import LINE, leg, outside, staff

ACTORS = ("public", "portal", "internal", "user", "supervisor", "admin", "system")

# Letters: r read, w write, c create, d delete, x export, p play (of PLAYED ones).
# "mine" is of the actor's own making or of a call they took part in, even of actors who
# have no part in telephony; c in another row is one more like that one, made by the
# actor. A dash: nothing at all.
#
#   model                       whose       publ. port. int.  user  chief admin sys.
RIGHTS = """
    mango.account                  company's   -     -     -     rx    rx    rwcdx rwcdx
    mango.account                  other's     -     -     -     -     -     -     -
    mango.extension                mine        -     -     -     rx    rx    rwx   rwx
    mango.extension                colleague's -     -     -     rx    rx    rwx   rwx
    mango.extension                other's     -     -     -     -     -     -     -
    mango.device                   mine        -     -     -     rx    rx    rx    rx
    mango.device                   colleague's -     -     -     -     -     rx    rx
    mango.device                   other's     -     -     -     -     -     -     -
    mango.line                     company's   -     -     -     rx    rx    rwx   rwx
    mango.line                     other's     -     -     -     -     -     -     -
    mango.call                     mine        -     -     -     rwx   rwx   rwx   rwx
    mango.call                     colleague's -     -     -     -     rwx   rwx   rwx
    mango.call                     other's     -     -     -     -     -     -     -
    mango.call.leg                 mine        -     -     -     rx    rx    rx    rx
    mango.call.leg                 colleague's -     -     -     -     rx    rx    rx
    mango.call.leg                 other's     -     -     -     -     -     -     -
    mango.call.presence            mine        -     -     -     rx    rx    rx    rx
    mango.call.presence            colleague's -     -     -     -     -     -     -
    mango.call.presence            other's     -     -     -     -     -     -     -
    mango.call.report              mine        -     -     -     rx    rx    rx    rx
    mango.call.report              colleague's -     -     -     -     rx    rx    rx
    mango.call.report              other's     -     -     -     -     -     -     -
    mango.callback                 mine        -     -     -     rwx   rwx   rwx   rwx
    mango.callback                 colleague's -     -     -     -     rwx   rwx   rwx
    mango.callback                 other's     -     -     -     -     -     -     -
    mango.callback.decision        mine        -     -     -     rwcdx rwcdx rwcdx rwcdx
    mango.callback.decision        colleague's -     -     -     c     c     c     c
    mango.callback.task            company's   -     -     -     -     -     -     rx
    mango.call.outcome             company's   -     -     -     rx    rx    rwcdx rwcdx
    mango.blocked.number           company's   -     -     -     -     rx    rx    rx
    mango.blocked.number           other's     -     -     -     -     -     -     -
    mango.number.block             mine        -     -     -     rwcdx rwcdx rwcdx rwcdx
    mango.number.block             colleague's -     -     -     c     c     c     c
    mango.client.lead              company's   -     -     -     -     -     -     rx
    mango.crm.task                 company's   -     -     -     -     -     -     rx
    mango.source.report            company's   -     -     -     -     rx    rx    rx
    mango.source.report            other's     -     -     -     -     -     -     -
    mango.command                  mine        -     -     -     -     -     rx    rx
    mango.command                  colleague's -     -     -     -     -     rx    rx
    mango.command                  other's     -     -     -     -     -     -     -
    mango.request                  company's   -     -     -     -     -     rx    rx
    mango.request                  other's     -     -     -     -     -     -     -
    mango.event                    company's   -     -     -     -     -     rx    rx
    mango.event                    other's     -     -     -     -     -     -     -
    mango.group                    company's   -     -     -     rx    rx    rx    rx
    mango.group                    other's     -     -     -     -     -     -     -
    mango.route.step               company's   -     -     -     rx    rx    rwcdx rwcdx
    mango.route.step               other's     -     -     -     -     -     -     -
    mango.route.trial              mine        -     -     -     -     -     rwcdx rwcdx
    mango.route.trial              colleague's -     -     -     -     -     c     c
    mango.route.slot               company's   -     -     -     -     -     -     rx
    mango.recording                mine        -     -     -     rxp   rxp   rxp   rxp
    mango.recording                colleague's -     -     -     -     rxp   rxp   rxp
    mango.recording                other's     -     -     -     -     -     -     -
    mango.recording.play           company's   -     -     -     -     rx    rx    rx
    mango.recording.play           other's     -     -     -     -     -     -     -
    mango.statistics.import        company's   -     -     -     -     -     rx    rx
    mango.statistics.import        other's     -     -     -     -     -     -     -
    mango.statistics.import.start  company's   -     -     -     -     -     rwcdx rwcdx
    mango.surprise                 company's   -     -     -     -     -     rx    rx
    mango.surprise                 other's     -     -     -     -     -     -     -
    mango.self.test                mine        -     -     -     -     -     rwcdx rwcdx
    mango.self.test                colleague's -     -     -     -     -     c     c
    mango.self.test.step           mine        -     -     -     -     -     rwcdx rwcdx
    mango.self.test.step           colleague's -     -     -     -     -     -     -
    mango.support.export           mine        -     -     -     -     -     rwcdx rwcdx
    mango.support.export           colleague's -     -     -     -     -     c     c
    mango.circuit.breaker          company's   -     -     -     -     -     -     rx
    mango.connection.check         mine        -     -     -     -     -     rwcdx rwcdx
    mango.connection.check         colleague's -     -     -     -     -     c     c
    mango.connection.check.line    mine        -     -     -     -     -     rwcdx rwcdx
    mango.connection.check.line    colleague's -     -     -     -     -     -     -
"""
# The values written to a record of each model by an attempt.
WRITTEN = {
    "mango.account": {"name": "x"},
    "mango.extension": {"user_id": False},
    "mango.device": {"sequence": 7},
    "mango.line": {"name": "x"},
    "mango.call": {"note": "x"},
    "mango.call.leg": {"state": "x"},
    "mango.call.presence": {"closed_at": False},
    "mango.call.report": {"result": "answered"},
    "mango.callback": {"deadline": "2026-01-02 00:00:00"},
    "mango.callback.decision": {"reason": "x"},
    "mango.callback.task": {"attempts": 7},
    "mango.call.outcome": {"color": 7},
    "mango.blocked.number": {"reason": "x"},
    "mango.number.block": {"reason": "x"},
    "mango.client.lead": {"client_key": "x"},
    "mango.crm.task": {"attempts": 7},
    "mango.source.report": {"line_id": False},
    "mango.command": {"state": "requested"},
    "mango.request": {"path": "x"},
    "mango.event": {"state": "pending"},
    "mango.group": {"active": False},
    "mango.route.step": {"ring_seconds": 7},
    "mango.route.trial": {"number": "1"},
    "mango.route.slot": {"taken_at": "2026-01-01 00:00:00"},
    "mango.recording": {"keep": True},
    "mango.recording.play": {"kind": "play"},
    "mango.statistics.import": {"state": "done"},
    "mango.statistics.import.start": {"date_from": "2026-01-02"},
    "mango.surprise": {"count": 7},
    "mango.self.test": {"mobile": "1"},
    "mango.self.test.step": {"message": "x"},
    "mango.support.export": {"date_from": "2026-01-02 00:00:00"},
    "mango.circuit.breaker": {"failures": 1},
    "mango.connection.check": {"line_ids": False},
    "mango.connection.check.line": {"message": "x"},
}

#: The field that is played, of models that have one.
PLAYED = {"mango.recording": "audio"}

# Every method of ours that can be called over RPC, and the least that may call it;
# "nobody" stands for those that are refused to everybody by what they check.
METHODS = """
    crm.lead                action_view_mango_calls           user
    crm.team                write                             nobody
    mango.account           action_allow_known_addresses      admin
    mango.account           action_apply_suggestions          admin
    mango.account           action_export_for_support         admin
    mango.account           action_fetch_history              admin
    mango.account           action_load_users                 admin
    mango.account           action_resume_requests            admin
    mango.account           action_self_test                  admin
    mango.account           action_test_connection            admin
    mango.account           action_view_extensions            user
    mango.account           action_view_failed_events         admin
    mango.account           action_view_history               admin
    mango.account           action_view_route_steps           user
    mango.account           action_view_surprises             admin
    mango.account           create                            admin
    mango.account           message_subscribe                 admin
    mango.account           unlink                            admin
    mango.account           write                             admin
    mango.blocked.number    action_load                       supervisor
    mango.blocked.number    action_unblock                    supervisor
    mango.number.block      action_block                      user
    mango.call              action_block_number               supervisor
    mango.call              action_export_for_support         admin
    mango.call              action_request_recordings         user
    mango.call              action_view_overdue               user
    mango.call              action_view_today                 user
    mango.call              add_number_to                     user
    mango.call              choose_lead                       user
    mango.call              choose_new_partner                user
    mango.call              choose_outcome                    user
    mango.call              choose_partner                    user
    mango.call              close_card                        user
    mango.call              get_lead_defaults                 user
    mango.call              get_meeting_defaults              user
    mango.call              get_quotation_defaults            user
    mango.call              get_recordings                    user
    mango.call              hang_up                           user
    mango.call              open_card                         user
    mango.call              save_note                         user
    mango.call              stop_consulting                   user
    mango.call              transfer                          user
    mango.call              unlink                            nobody
    mango.call              write                             user
    mango.call.presence         get_cards                         user
    mango.call.presence         get_running                       user
    mango.call.presence         get_screen                        user
    mango.call.report       action_open_call                  user
    mango.callback          action_close                      user
    mango.callback          action_drop                       user
    mango.callback          action_later                      user
    mango.callback          action_lose_lead                  user
    mango.callback          action_send_sms                   user
    mango.callback          action_view_calls                 user
    mango.callback          write                             user
    mango.callback.decision action_apply                      user
    mango.callback.decision action_tomorrow                   user
    mango.command           close_card                        user
    mango.command           create                            nobody
    mango.event             action_process_again              admin
    mango.extension         create                            nobody
    mango.extension         get_board                         supervisor
    mango.extension         get_board_calls                   supervisor
    mango.extension         get_board_figures                 supervisor
    mango.extension         get_transfer_targets              user
    mango.extension         write                             admin
    mango.group             write                             nobody
    mango.statistics.import           action_go_on                      admin
    mango.statistics.import           action_stop                       admin
    mango.statistics.import           action_view_calls                 admin
    mango.statistics.import.start     action_start                      admin
    mango.self.test         action_call                       admin
    mango.self.test         action_look                       admin
    mango.self.test         action_next                       admin
    mango.self.test         action_print                      admin
    mango.support.export    action_prepare                    admin
    mango.support.export    action_save                       admin
    mango.surprise          action_mark_seen                  admin
    mango.surprise          action_view_events                admin
    mango.line              create                            nobody
    mango.line              unlink                            nobody
    mango.line              write                             admin
    mango.recording         action_delete                     admin
    mango.recording         action_keep                       admin
    mango.recording         action_request                    user
    mango.recording         log_play                          user
    mango.route.step        create                            admin
    mango.route.step        unlink                            admin
    mango.route.step        write                             admin
    res.config.settings     action_mango_apply_suggestions    system
    res.config.settings     action_mango_fetch_history        system
    res.config.settings     action_mango_load_users           system
    res.config.settings     action_mango_resume_requests      system
    res.config.settings     action_mango_test_connection      system
    res.config.settings     action_mango_view_failed_events   system
    res.config.settings     action_mango_view_history         system
    res.config.settings     action_mango_view_route_steps     system
    res.config.settings     get_values                        system
    res.config.settings     set_values                        system
    res.partner             action_delete_mango_recordings    admin
    res.partner             action_view_mango_calls           user
    res.partner             write                             user
    res.groups              write                             system
    res.users               action_view_mango_calls           user
    res.users               mango_call                        user
    res.users               mango_planned                     user
    res.users               mango_recent                      user
    res.users               mango_set_status                  user
    res.users               mango_search                      user
    res.users               mango_waiting                     user
    res.users               write                             system
"""


def rows(table):
    return [line.split() for line in table.strip().splitlines()]


class RightsWorld(MangoFixtures):
    """Two companies with a PBX each; all actors work for the first one only."""

    @classmethod
    def set_up_rights(cls):
        cls.there = cls.env["res.company"].create({"name": "Другая"})
        cls.account_there = cls.create_account(
            company_id=cls.there.id, api_key="test_api_key_0007", api_salt="x000008"
        )
        cls.line_there = cls.env["mango.line"].create(
            {"account_id": cls.account_there.id, "number": LINE}
        )
        cls.extension_there = cls.create_extension(
            "101", account_id=cls.account_there.id
        )
        cls.stranger = cls.create_user("stranger", "Чужой", company_id=cls.there.id)
        cls.users = {
            "public": cls.env.ref("base.public_user"),
            "portal": cls.plain_user("portal", "base.group_portal"),
            "internal": cls.plain_user("internal", "base.group_user"),
            "user": cls.create_user("user", "Егор Павлов"),
            "supervisor": cls.create_user("chief", "Ольга", "group_supervisor"),
            "admin": cls.create_user("admin", "Админ", "group_admin"),
            "system": cls.plain_user("system", "base.group_system"),
        }
        # Without Odoo's own right to export, the cells would not test our rights.
        for name in ACTORS[2:]:
            cls.users[name].group_ids += cls.env.ref("base.group_allow_export")
        for name in ACTORS[3:]:
            sales = cls.env.ref("sales_team.group_sale_salesman_all_leads")
            cls.users[name].group_ids += sales

    @classmethod
    def plain_user(cls, login, group):
        return new_test_user(
            cls.env,
            login=f"mango_{login}",
            name=login,
            groups=group,
            company_id=cls.company.id,
            company_ids=[cls.company.id],
        )


@tagged("post_install", "-at_install")
class TestRights(RightsWorld, MangoCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.set_up_rights()

    # -- the records ------------------------------------------------------------------

    def ring(self, entry_id, extension, account=None):
        kind, payload = leg("L1", 1, "Appeared", 0, outside(), staff(extension, LINE))
        self.receive(kind, {**payload, "entry_id": entry_id}, account)
        return self.call(entry_id, account)

    def records(self):
        """Return the record of each row; for "mine", one per actor if necessary."""
        account, there = self.account, self.account_there
        colleagues, elsewhere = self.ring("E2", "102"), self.ring("E1", "101", there)
        own = self.ring("E3", "104")
        own.user_ids = self.env["res.users"].union(*self.users.values())
        cards = self.env["mango.call.presence"]
        return {
            ("mango.account", "company's"): account,
            ("mango.account", "other's"): there,
            ("mango.line", "company's"): account.line_ids[0],
            ("mango.line", "other's"): self.line_there,
            ("mango.request", "company's"): self.request(account),
            ("mango.request", "other's"): self.request(there),
            ("mango.event", "company's"): self.event(account),
            ("mango.event", "other's"): self.event(there),
            ("mango.route.slot", "company's"): self.env["mango.route.slot"].create(
                {"account_id": account.id, "taken_at": "2026-01-01 00:00:00"}
            ),
            ("mango.call", "mine"): own,
            ("mango.call", "colleague's"): colleagues,
            ("mango.call", "other's"): elsewhere,
            ("mango.call.leg", "mine"): own.leg_ids,
            ("mango.call.leg", "colleague's"): colleagues.leg_ids,
            ("mango.call.leg", "other's"): elsewhere.leg_ids,
            ("mango.call.presence", "mine"): {
                name: cards.create({"call_id": own.id, "user_id": user.id})
                for name, user in self.users.items()
            },
            ("mango.call.presence", "colleague's"): cards.search(
                [("call_id", "=", colleagues.id)]
            ),
            ("mango.call.presence", "other's"): cards.create(
                {"call_id": elsewhere.id, "user_id": self.stranger.id}
            ),
            **self.reports(own, colleagues, elsewhere),
            **self.recordings(own, colleagues, elsewhere),
            **self.callbacks(own, colleagues, elsewhere),
            **self.crm(own, elsewhere),
            **self.histories(),
            **self.routing(),
            **self.exports(),
            **self.self_tests(),
            ("mango.surprise", "company's"): self.surprise(account),
            ("mango.surprise", "other's"): self.surprise(there),
            ("mango.circuit.breaker", "company's"): self.env[
                "mango.circuit.breaker"
            ]._get_or_create_row(account),
            **self.extensions(),
            **self.commands(),
            **self.checks(),
        }

    def request(self, account):
        return self.env["mango.request"].create(
            {
                "account_id": account.id,
                "asked_at": "2026-01-01 00:00:00",
                "path": "groups",
            }
        )

    def event(self, account):
        return self.env["mango.event"].search([("account_id", "=", account.id)])[:1]

    def reports(self, own, colleagues, elsewhere):
        """Return the rows of the analysis, which have the ids of their calls."""
        row = self.env["mango.call.report"].browse
        return {
            ("mango.call.report", "mine"): row(own.id),
            ("mango.call.report", "colleague's"): row(colleagues.id),
            ("mango.call.report", "other's"): row(elsewhere.id),
        }

    def recording(self, call):
        """Return a playable recording with any content."""
        vals = {"call_id": call.id, "recording_ref": "R1", "state": "ready"}
        return self.env["mango.recording"].create({**vals, "audio": "SUQz"})

    def recordings(self, own, colleagues, elsewhere):
        mine, theirs = self.recording(own), self.recording(elsewhere)
        plays = self.env["mango.recording.play"]

        def play(recording, user):
            vals = {"recording_id": recording.id, "user_id": user.id, "kind": "play"}
            return plays.create({**vals, "played_at": "2026-01-01 00:00:00"})

        return {
            ("mango.recording", "mine"): mine,
            ("mango.recording", "colleague's"): self.recording(colleagues),
            ("mango.recording", "other's"): theirs,
            ("mango.recording.play", "company's"): play(mine, self.boris),
            ("mango.recording.play", "other's"): play(theirs, self.stranger),
        }

    def callback(self, call, **vals):
        """Return an open entry of the participants of a call."""
        return self.env["mango.callback"].create(
            {
                "account_id": call.account_id.id,
                "client_key": f"+7495000{call.id:04}",
                "client_number": f"+7495000{call.id:04}",
                "first_missed_at": "2026-01-01 00:00:00",
                "last_missed_at": "2026-01-01 00:00:00",
                "call_ids": call.ids,
                "user_ids": call.user_ids.ids,
                **vals,
            }
        )

    def callbacks(self, own, colleagues, elsewhere):
        mine = self.callback(own)

        def decision(user):
            model = self.env["mango.callback.decision"].with_user(user).sudo()
            return model.create({"choice": "done"})

        return {
            ("mango.callback", "mine"): mine,
            ("mango.callback", "colleague's"): self.callback(colleagues),
            ("mango.callback", "other's"): self.callback(elsewhere),
            ("mango.callback.decision", "mine"): {
                name: decision(user) for name, user in self.users.items()
            },
            ("mango.callback.decision", "colleague's"): decision(self.vera),
            ("mango.callback.task", "company's"): self.env[
                "mango.callback.task"
            ].create({"call_id": own.id}),
        }

    def crm(self, own, elsewhere):
        report = self.env["mango.source.report"]
        blocked = self.env["mango.blocked.number"]

        def block(user):
            model = self.env["mango.number.block"].with_user(user).sudo()
            return model.create({"call_id": own.id, "reason": "x"})

        client = {"account_id": self.account.id, "client_key": "x"}
        return {
            ("mango.client.lead", "company's"): self.env["mango.client.lead"].create(
                client
            ),
            ("mango.crm.task", "company's"): self.env["mango.crm.task"].create(
                {"call_id": own.id}
            ),
            ("mango.blocked.number", "company's"): blocked.create(
                {"account_id": self.account.id, "number": "+74950000299"}
            ),
            ("mango.blocked.number", "other's"): blocked.create(
                {"account_id": self.account_there.id, "number": "+74950000299"}
            ),
            ("mango.number.block", "mine"): {
                name: block(user) for name, user in self.users.items()
            },
            ("mango.number.block", "colleague's"): block(self.vera),
            ("mango.call.outcome", "company's"): self.env["mango.call.outcome"].create(
                {"name": "x"}
            ),
            ("mango.source.report", "company's"): report.browse(own.id),
            ("mango.source.report", "other's"): report.browse(elsewhere.id),
        }

    def history(self, account):
        vals = {"date_from": "2026-01-01", "date_to": "2026-01-02", "state": "done"}
        return self.env["mango.statistics.import"].create(
            {**vals, "account_id": account.id}
        )

    def history_start(self):
        return self.env["mango.statistics.import.start"].create(
            {"account_id": self.account.id}
        )

    def histories(self):
        return {
            ("mango.statistics.import", "company's"): self.history(self.account),
            ("mango.statistics.import", "other's"): self.history(self.account_there),
            ("mango.statistics.import.start", "company's"): self.history_start(),
        }

    def self_tests(self):
        def self_test(user):
            # sudo: as those without rights cannot; who made it stays.
            model = self.env["mango.self.test"].with_user(user).sudo()
            line = [(0, 0, {"step": "inbound"})]
            return model.create({"account_id": self.account.id, "step_ids": line})

        mine = {name: self_test(user) for name, user in self.users.items()}
        colleagues = self_test(self.vera)
        return {
            ("mango.self.test", "mine"): mine,
            ("mango.self.test", "colleague's"): colleagues,
            ("mango.self.test.step", "mine"): {
                name: one.step_ids for name, one in mine.items()
            },
            ("mango.self.test.step", "colleague's"): colleagues.step_ids,
        }

    def exports(self):
        def export(user):
            # sudo: as those without rights cannot; who made it stays.
            model = self.env["mango.support.export"].with_user(user).sudo()
            return model.create({"account_id": self.account.id})

        return {
            ("mango.support.export", "mine"): {
                name: export(user) for name, user in self.users.items()
            },
            ("mango.support.export", "colleague's"): export(self.vera),
        }

    def surprise(self, account):
        surprises = self.env["mango.surprise"]
        known = surprises.search([("account_id", "=", account.id)])
        moment = "2026-01-01 00:00:00"
        vals = {"place": "events/call: moon", "what": "member", "count": 1}
        vals |= {"first_at": moment, "last_at": moment, "account_id": account.id}
        return known or surprises.create(vals)

    def group(self, account):
        vals = {"account_id": account.id, "number": "500"}
        return self.env["mango.group"].create(vals)

    def routing(self):
        def trial(user):
            model = self.env["mango.route.trial"].with_user(user).sudo()
            return model.create({"account_id": self.account.id})

        return {
            ("mango.group", "company's"): self.group(self.account),
            ("mango.group", "other's"): self.group(self.account_there),
            ("mango.route.step", "company's"): self.account.route_step_ids[0],
            ("mango.route.step", "other's"): self.account_there.route_step_ids[0],
            ("mango.route.trial", "mine"): {
                name: trial(user) for name, user in self.users.items()
            },
            ("mango.route.trial", "colleague's"): trial(self.vera),
        }

    def extensions(self):
        mine, devices = {}, self.env["mango.device"]
        for number, name in enumerate(ACTORS):
            # The mapping to an extension makes them a telephony user.
            user = self.users[name] if name in ACTORS[3:] else None
            mine[name] = self.create_extension(f"20{number}", user)
        boris = self.boris_extension
        all_of_them = [*mine.values(), boris, self.extension_there]
        phone = {
            extension: devices.create({"extension_id": extension.id, "number": "sip:x"})
            for extension in all_of_them
        }
        return {
            ("mango.extension", "mine"): mine,
            ("mango.extension", "colleague's"): boris,
            ("mango.extension", "other's"): self.extension_there,
            ("mango.device", "mine"): {name: phone[mine[name]] for name in mine},
            ("mango.device", "colleague's"): phone[boris],
            ("mango.device", "other's"): phone[self.extension_there],
        }

    def commands(self):
        def command(user, account):
            vals = {"kind": "callback", "target": "1", "state": "done"}
            vals |= {"user_id": user.id, "account_id": account.id}
            return self.env["mango.command"].create(vals)

        return {
            ("mango.command", "mine"): {
                name: command(user, self.account) for name, user in self.users.items()
            },
            ("mango.command", "colleague's"): command(self.boris, self.account),
            ("mango.command", "other's"): command(self.stranger, self.account_there),
        }

    def checks(self):
        def check(user):
            # sudo: as the check makes itself; who made it stays.
            model = self.env["mango.connection.check"].with_user(user).sudo()
            vals = {"account_id": self.account.id, "line_ids": [(0, 0, {"name": "x"})]}
            return model.create(vals)

        mine = {name: check(user) for name, user in self.users.items()}
        colleagues = check(self.vera)
        return {
            ("mango.connection.check", "mine"): mine,
            ("mango.connection.check", "colleague's"): colleagues,
            ("mango.connection.check.line", "mine"): {
                name: one.line_ids for name, one in mine.items()
            },
            ("mango.connection.check.line", "colleague's"): colleagues.line_ids,
        }

    # -- the attempts -----------------------------------------------------------------

    def attempts(self, record):
        """Return the attempt for each letter, like the web client."""
        ids = record.ids
        [vals] = record.copy_data() if record else [{}]
        field = "display_name"
        # Views have no external identifiers.
        key = "id" if record._auto else ".id"
        # Nobody can delete an account with calls.
        doomed = self.spare.ids if record == self.account else ids
        attempts = {
            "r": ("read", [ids, [field]]),
            "w": ("write", [ids, WRITTEN[record._name]]),
            "c": ("create", [[self.new_values(record, vals)]]),
            "d": ("unlink", [doomed]),
            "x": ("export_data", [ids, [key, field]]),
        }
        if record._name in PLAYED:
            attempts["p"] = ("play", ids)
        return attempts

    def new_values(self, record, vals):
        """Return values for another record like this one."""
        fresh = {
            "mango.extension": {"number": "999"},
            "mango.device": {"number": "999"},
            "mango.line": {"number": "999"},
            "mango.call": {"entry_id": "E-new"},
            "mango.call.leg": {"leg_ref": "L-new"},
            "mango.group": {"number": "999"},
            "mango.callback": {"client_key": "new"},
            "mango.client.lead": {"client_key": "new"},
            "mango.blocked.number": {"number": "+74950000298"},
            "mango.command": {"command_id": "c-new"},
            "mango.surprise": {"place": "new"},
            "mango.event": {"digest": "new", "received_at": "2026-01-01 00:00:00"},
        }
        plain = {
            name: value
            for name, value in vals.items()
            if record._fields[name].type not in ("one2many", "many2many")
        }
        if record._name == "mango.account":
            plain.pop("api_url")  # for the system administrator only
        return {**plain, **fresh.get(record._name, {})}

    def test_table(self):
        records = self.records()
        self.spare = self.create_account()
        self.env.flush_all()
        asked = set()
        for model, whose, *cells in rows(RIGHTS):
            self.assertEqual(len(cells), len(ACTORS), f"{model} {whose}")
            asked.add((model, whose))
            for actor, allowed in zip(ACTORS, cells, strict=True):
                record = records[model, whose]
                record = record[actor] if isinstance(record, dict) else record
                attempts = self.attempts(record.sudo())
                for letter, (method, arguments) in attempts.items():
                    with self.subTest(
                        model=model, whose=whose, actor=actor, method=method
                    ):
                        self.attempt(
                            record, actor, method, arguments, letter in allowed
                        )
        self.assertEqual(asked, set(records), "a record is in no row, or the reverse")

    def attempt(self, record, actor, method, arguments, is_allowed):
        user = self.users[actor]
        model = self.env(user=user.id)[record._name]
        self.env.invalidate_all()
        savepoint = self.env.cr.savepoint()
        try:
            with mute_logger("odoo.addons.base.models.ir_model"):
                if is_allowed:
                    self.act(model, method, arguments)
                else:
                    with self.assertRaises(self.refusals(actor, method)):
                        self.act(model, method, arguments)
        finally:
            savepoint.close(rollback=True)

    def act(self, model, method, arguments):
        if method == "play":
            # The check of /web/content.
            model.env["ir.binary"]._find_record(
                res_model=model._name, res_id=arguments[0], field=PLAYED[model._name]
            )
        else:
            call_kw(model, method, arguments, {})
        model.env.flush_all()

    def refusals(self, actor, method):
        # Odoo refuses exports by external users with another error than AccessError.
        is_outside = actor in ("public", "portal") and method == "export_data"
        return UserError if is_outside else AccessError

    def test_lists_show_what_may_be_read(self):
        """Searching finds no more records than may be read."""
        records = self.records()
        self.env.flush_all()
        for model, whose, *cells in rows(RIGHTS):
            for actor, allowed in zip(ACTORS, cells, strict=True):
                record = records[model, whose]
                record = record[actor] if isinstance(record, dict) else record
                found = self.env(user=self.users[actor].id)[model]
                with self.subTest(model=model, whose=whose, actor=actor):
                    domain = [("id", "in", record.ids)]
                    if not found.has_access("read"):
                        self.assertNotIn("r", allowed)
                        with self.assertRaises(AccessError):
                            call_kw(found, "search_read", [domain], {})
                        continue
                    listed = call_kw(found, "search_read", [domain], {})
                    expected = len(record) if "r" in allowed else 0
                    self.assertEqual(len(listed), expected)

    def test_every_model_is_in_the_table(self):
        """A new model needs a row in the table."""
        ours = {
            name
            for name, model in self.registry.items()
            if name.startswith("mango.") and not model._abstract
        }
        self.assertEqual(ours, {model for model, *_row in rows(RIGHTS)})
        self.assertEqual(ours, WRITTEN.keys())

    # -- methods ----------------------------------------------------------------------

    def test_every_method_is_in_the_table(self):
        """Public methods can be called over RPC, so each is in the table."""
        found = set()
        for name, model in self.registry.items():
            for cls in model.mro():
                if not cls.__module__.startswith("odoo.addons.mango_office."):
                    continue
                for method, value in vars(cls).items():
                    if not method.startswith("_") and isinstance(value, FunctionType):
                        found.add((name, method))
        # Called by Odoo for the web client's page; it has no records and no secrets.
        found.remove(("ir.http", "session_info"))
        self.assertEqual(found, {(row[0], row[1]) for row in rows(METHODS)})

    def method_arguments(self, model, method):
        call, vals = (
            self.ring("E5", "200"),
            {"number": "1", "account_id": self.account.id},
        )
        ids = {
            "crm.lead": self.lead,
            "mango.account": self.spare if method == "unlink" else self.account,
            "mango.call": call,
            "mango.call.report": self.env["mango.call.report"].browse(call.id),
            "mango.callback": self.waiting,
            "mango.callback.decision": self.env["mango.callback.decision"],
            "mango.number.block": self.env["mango.number.block"],
            "mango.blocked.number": self.blocked,
            "mango.command": self.env["mango.command"],
            "mango.event": self.event(self.account),
            "mango.extension": self.anna_extension,
            "crm.team": self.env.ref("sales_team.team_sales_department"),
            "mango.group": self.plan_group,
            "mango.statistics.import": self.history(self.account),
            "mango.statistics.import.start": self.history_start(),
            "mango.surprise": self.surprise(self.account),
            "mango.self.test": self.env["mango.self.test"],
            "mango.support.export": self.env["mango.support.export"],
            "mango.line": self.account.line_ids[0],
            "mango.route.step": self.account.route_step_ids[0],
            "mango.recording": call.recording_ids or self.recording(call),
            "res.partner": self.ivan,
            "res.groups": self.env.ref("mango_office.group_user"),
        }
        created = {
            "mango.extension": vals,
            "mango.route.step": {"account_id": self.account.id, "target": "pbx"},
        }
        more = {
            "create": [[created.get(model, {"name": "x"})]],
            "write": [WRITTEN.get(model, {"comment": "x"})],
            "add_number_to": [self.ivan.id],
            "choose_lead": [self.lead.id],
            "choose_new_partner": [self.ivan.id],
            "choose_outcome": [False],
            "choose_partner": [self.ivan.id],
            "save_note": ["x", ""],
            "mango_set_status": ["dnd"],
            "transfer": [self.boris_extension.id, "blind"],
            "get_cards": [[call.id]],
            "mango_call": ["+74950000201"],
            "mango_search": ["Иван"],
        }
        return ids.get(model), more.get(method, [])

    def test_supervisors_configure_blocked_numbers_only(self):
        menu = self.env.ref("mango_office.mango_office_menu_config")
        blocked = self.env.ref("mango_office.mango_blocked_number_menu")
        account = self.env.ref("mango_office.mango_account_menu")

        def seen(actor):
            menus = self.env["ir.ui.menu"].with_user(self.users[actor])
            return (menu | menu.child_id) & menus.browse(menus._visible_menu_ids())

        self.assertFalse(seen("user"))
        self.assertEqual(seen("supervisor"), menu | blocked)
        self.assertIn(account, seen("admin"))

    def test_methods(self):
        self.create_extension("200", self.users["user"])
        self.lead = self.create_lead("Мебель")
        self.plan_group = self.group(self.account)
        self.waiting = self.callback(self.ring("E6", "200"), lead_id=self.lead.id)
        self.blocked = self.env["mango.blocked.number"].create(
            {"account_id": self.account.id, "number": "+74950000299"}
        )
        self.spare = self.create_account()
        self.pbx.answers("config/users/request", {"users": []})
        self.pbx.answers("incominglines", {"lines": []})
        for model, method, least in rows(METHODS):
            records, more = self.method_arguments(model, method)
            self.env.flush_all()
            for place, actor in enumerate(ACTORS):
                allowed = least != "nobody" and place >= ACTORS.index(least)
                with self.subTest(model=model, method=method, actor=actor):
                    self.try_method(model, method, records, more, actor, allowed)

    def try_method(self, model, method, records, more, actor, allowed):
        user = self.users[actor]
        bound = self.env(user=user.id)[model]
        is_model_method = getattr(getattr(type(bound), method), "_api_model", False)
        ids = user.ids if model == "res.users" else (records.ids if records else [])
        arguments = more if is_model_method else [ids, *more]
        self.env.invalidate_all()
        savepoint = self.env.cr.savepoint()
        try:
            call_kw(bound, method, arguments, {})
            refusal = None
        except AccessError:
            refusal = AccessError
        except (UserError, RedirectWarning):
            refusal = UserError  # understood, and not possible: not talking, and so on
        finally:
            savepoint.close(rollback=True)
        if allowed:
            self.assertIsNot(refusal, AccessError)
        elif (method, actor) == ("mango_call", "internal"):
            # Depends on having an extension, not on groups.
            self.assertIs(refusal, UserError)
        else:
            self.assertIs(refusal, AccessError)
