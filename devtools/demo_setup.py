"""Fill the demo database. Executed by ``odoo shell``, which defines ``env``.

It can be repeated on the same database, with other ports or another language.
"""

import json
import os

from odoo import Command
from odoo.tools import convert_file

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
    """Set password, language and time zone of the demo users and admin."""
    external_ids = env["ir.model.data"].search(
        [("module", "=", MODULE), ("model", "=", "res.users")]
    )
    users = env["res.users"].browse(external_ids.mapped("res_id"))
    users.password = wishes["password"]
    admin = env.ref("base.user_admin")
    admin.group_ids = [Command.link(env.ref(f"{MODULE}.group_supervisor").id)]
    everybody = env["res.users"].with_context(active_test=False).search([])
    everybody.write({"lang": wishes["language"], "tz": "Europe/Moscow"})


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
    if is_new:
        prepare_pages(env)
    env.cr.commit()


main(env)  # noqa: F821
