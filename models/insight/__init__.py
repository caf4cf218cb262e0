from . import (
    digest_digest,
    mango_account,
    mango_board,
    mango_call_report,
    mango_extension,
    spreadsheet_dashboard,
)
