def migrate(cr, version):
    """No call has a recording yet: say so at once instead of computing it for each."""
    cr.execute(
        "ALTER TABLE mango_call "
        "ADD COLUMN IF NOT EXISTS recording_state varchar DEFAULT 'none'"
    )
    cr.execute("ALTER TABLE mango_call ALTER COLUMN recording_state DROP DEFAULT")
