from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Announcements of recordings were stored but not used: let them be applied."""
    cr.execute(
        """
        UPDATE mango_event
           SET state = 'pending', attempts = 0
         WHERE state = 'ignored'
           AND kind IN ('events/recording', 'events/record/added')
        """
    )
    if not cr.rowcount:
        return
    env = api.Environment(cr, SUPERUSER_ID, {})
    env["mango.event"].invalidate_model()
    env.ref("mango_office.ir_cron_process_events")._trigger()
