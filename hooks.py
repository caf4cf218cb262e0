from odoo.tools import SQL, split_every
from odoo.tools.sql import drop_index

BATCH_SIZE = 1000


def post_init_hook(env):
    """Compute the number that callers are looked up by for existing contacts and leads.

    Odoo leaves ``phone_sanitized`` empty where it cannot parse a number, and takes one
    that begins with 8 for a Vietnamese one. We can parse many of those
    (``models/mail_thread_phone.py``), but a stored field is only computed again when
    something it depends on changes.

    :param Environment env: the installing environment.
    """
    for model_name in ("res.partner", "crm.lead"):
        model = env[model_name].with_context(active_test=False)
        rows = env.execute_query(
            SQL(
                """
                SELECT id FROM %s
                 WHERE phone > ''
                   AND (phone_sanitized IS NULL OR phone_sanitized LIKE '+8%%')
                """,
                SQL.identifier(model._table),
            )
        )
        field = model._fields["phone_sanitized"]
        for ids in split_every(BATCH_SIZE, (row[0] for row in rows)):
            records = model.browse(ids)
            env.add_to_compute(field, records)
            records.flush_recordset(["phone_sanitized"])
            records.invalidate_recordset()


def uninstall_hook(env):
    """Drop the index that this addon adds to contacts; Odoo drops columns only.

    :param Environment env: the uninstalling environment.
    """
    drop_index(env.cr, "res_partner__phone_sanitized_index", "res_partner")
