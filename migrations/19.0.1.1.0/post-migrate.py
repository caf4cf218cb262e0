from odoo.tools import SQL, html2plaintext


def migrate(cr, version):
    """Notes became plain text; two indexes were replaced by better ones."""
    cr.execute("SELECT id, note FROM mango_call WHERE note IS NOT NULL")
    for call_id, note in cr.fetchall():
        cr.execute(
            "UPDATE mango_call SET note = %s WHERE id = %s",
            (html2plaintext(note) or None, call_id),
        )
    for name in ("mango_call__partner_id_index", "mango_call__client_number_index"):
        cr.execute(SQL("DROP INDEX IF EXISTS %s", SQL.identifier(name)))
