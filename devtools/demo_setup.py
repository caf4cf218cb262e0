"""Fill the demo database. Executed by ``odoo shell``, which defines ``env``.

It can be repeated on the same database, with other ports or another language.
"""

import json
import os
import urllib.request
from datetime import timedelta

from odoo import Command, fields
from odoo.tools import convert_file

from odoo.addons.mango_office.models.history import mango_statistics_import as fetching

#: Before now; the PBX knows no more.
HISTORY = timedelta(days=30)
#: Who was missed before that is waiting no more.
PATIENCE = timedelta(days=4)
#: By the line's number: which advertisement shows it.
SOURCES = {
    "74950000100": "Вывеска",
    "74950000102": "Сайт",
    "74950000103": "Реклама в картах",
}

MODULE = "mango_office"
wishes = json.loads(os.environ["MANGO_DEMO"])


def set_company(env):
    """Set up the main company as the owner of the simulator's PBX."""
    currency = env.ref("base.RUB")
    currency.active = True
    env.company.write(
        {
            "name": "ООО «Ромашка»",
            "country_id": env.ref("base.ru").id,
            "currency_id": currency.id,
        }
    )


def load_demo_files(env):
    """Load our demo files without those of our dependencies."""
    demo = env["ir.module.module"].get_module_info(MODULE)["demo"]
    for name in demo:
        convert_file(env, MODULE, name, {}, mode="init", noupdate=True)


def set_users(env):
    """Set password, language and time zone of the demo users and admin.

    Texts that are stored with calls are in the language of the company. Nobody is new
    here: the pointers of tours would be in the way, and in the pictures.
    """
    external_ids = env["ir.model.data"].search(
        [("module", "=", MODULE), ("model", "=", "res.users")]
    )
    users = env["res.users"].browse(external_ids.mapped("res_id"))
    users.password = wishes["password"]
    admin = env.ref("base.user_admin")
    admin.group_ids = [Command.link(env.ref(f"{MODULE}.group_supervisor").id)]
    everybody = env["res.users"].with_context(active_test=False).search([])
    everybody.write(
        {"lang": wishes["language"], "tz": "Europe/Moscow", "tour_enabled": False}
    )
    env.ref(f"{MODULE}.mango_office_tips").user_consumed_ids |= everybody
    env.company.partner_id.lang = wishes["language"]


def set_addresses(env):
    parameters = env["ir.config_parameter"]
    parameters.set_param("web.base.url", wishes["odoo_url"])
    parameters.set_param("web.base.url.freeze", "True")


def connect(env):
    """Connect the simulator, load its staff and map them by e-mail."""
    company = env.company
    values = {
        "api_url": wishes["pbx_url"],
        # The simulator's clients may hang up quickly.
        "callback_min_wait": 0,
        "api_key": wishes["api_key"],
        "api_salt": wishes["api_salt"],
        "routing_enabled": True,
    }
    account = company.mango_account_id
    if account:
        account.write(values)
    else:
        account = env["mango.account"].create(
            {**values, "name": company.name, "company_id": company.id}
        )
        company.mango_account_id = account
    # It runs in a transaction of its own, which must see the account, and whose
    # extensions are only visible in the next one here.
    env.cr.commit()
    account.action_load_users()
    env.cr.commit()
    account.action_apply_suggestions()
    if not account.extension_ids.user_id:
        raise RuntimeError("No extension of the simulator got its Odoo user.")


def set_sources(env):
    """Tell where the calls of each line come from."""
    for line in env["mango.line"].search([("number", "in", list(SOURCES))]):
        name = SOURCES[line.number]
        source = env["utm.source"].search([("name", "=", name)], limit=1)
        line.source_id = source or source.create({"name": name})


def fetch_history(env):
    """Fetch the calls of the past month as a first connection does, in a hurry."""
    account = env.company.mango_account_id
    now = fields.Datetime.now()
    jobs = env["mango.statistics.import"]
    job = jobs._start(account, now - HISTORY, now, "first")
    account.callback_enabled = False  # not once for each call
    env.cr.commit()
    fetching.ORDER_INTERVAL = fetching.POLL_INTERVAL = timedelta(0)
    fetching.RUN_TIME = timedelta(minutes=10)
    limit_requests(False)
    jobs._run_queue()
    limit_requests(True)
    if job.state != "done":
        raise RuntimeError(f"The past month was not fetched: {job.error}")
    route_history(env)
    find_missed_clients(env, account, now)


def find_missed_clients(env, account, now):
    """Let those who were missed have been called back, given up, or be waiting."""
    max_age = account.callback_max_age_hours
    account.write(
        {
            "callback_enabled": True,
            "callback_max_age_hours": HISTORY // timedelta(hours=1),
        }
    )
    missed = env["mango.call"].search([("result", "=", "missed")])
    env["mango.callback.task"]._add(missed)
    env["mango.callback.task"]._work_off()
    given_up = env["mango.callback"].search(
        [("state", "=", "open"), ("last_missed_at", "<", now - PATIENCE)]
    )
    given_up._close_by_hand("dropped", "Не дозвонились")
    account.callback_max_age_hours = max_age


def route_history(env):
    """Let Odoo have routed the calls of those customers whose manager's phone rang."""
    account = env.company.mango_account_id
    steps = {step.target: step for step in account._route_plan()}
    inbound = env["mango.call"].search(
        [
            ("account_id", "=", account.id),
            ("direction", "=", "inbound"),
            ("owner_id", "!=", False),
        ]
    )
    for (owner, client), calls in inbound.grouped(whose).items():
        is_lead = client._name == "crm.lead"
        step = steps["lead_owner" if is_lead else "contact_owner"]
        route_calls(calls, step, owner, client)


def whose(call):
    """Return the manager of a call's client, and the record that tells it."""
    return call.owner_id, call.lead_id or call.partner_id


def route_calls(calls, step, owner, client):
    """Store that a step of the plan has let the phone of the client's manager ring."""
    routed = calls.filtered(lambda call: owner in call.rung_extension_ids.user_id)
    talks = routed.filtered(lambda call: call.result == "answered")
    reached = talks.filtered(lambda call: call.user_id == owner)
    write_routes(reached, step, owner, client, "answered", "available")
    write_routes(talks - reached, step, owner, client, "passed", "elsewhere")
    write_routes(routed - talks, step, owner, client, "passed", "no_answer")


def write_routes(calls, step, owner, client, verdict, reason):
    """Store how it went, as the router does."""
    extension = calls.rung_extension_ids.filtered(lambda one: one.user_id == owner)[:1]
    entry = {
        "step": step.position,
        "step_id": step.id,
        "target": step.target,
        "extension": extension.number,
        "user": owner.id,
        "number": None,
        "key": owner.id,
        "of": client.name,
        "ring_seconds": step.ring_seconds,
        "verdict": verdict,
        "reason": reason,
    }
    calls.write(
        {
            "routed_extension_id": extension.id,
            "routed_to": owner.id,
            "route_state": "accepted",
            "route_trace": [entry],
            "route_attempts": 1,
            "route_step_id": step.id,
            "route_answered": verdict == "answered",
        }
    )


def limit_requests(is_limited):
    """Have the simulator enforce the limits of the PBX, or not."""
    request = urllib.request.Request(
        f"{wishes['pbx_url']}/control/settings",
        data=json.dumps({"rate_limits": is_limited}).encode(),
        headers={"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=10).close()


def stay_offline(env):
    """Disable jobs that query internet services about the demo's leads."""
    enrichment = "crm_iap_enrich.ir_cron_lead_enrichment"
    if cron := env.ref(enrichment, raise_if_not_found=False):
        cron.active = False


def prepare_pages(env):
    """Build the web client's assets now rather than at the first click."""
    for bundle in ("web.assets_frontend", "web.assets_web"):
        assets = env["ir.qweb"]._get_asset_bundle(bundle, css=True, js=True)
        assets.js()
        assets.css()


def main(env):
    is_new = not env["ir.config_parameter"].get_param("web.base.url.freeze")
    if is_new:
        stay_offline(env)
        set_company(env)
        load_demo_files(env)
    set_users(env)
    set_addresses(env)
    connect(env)
    if wishes["history"]:
        set_sources(env)
        fetch_history(env)
    if is_new:
        prepare_pages(env)
    env.cr.commit()


main(env)  # noqa: F821
